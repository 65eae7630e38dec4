//! The stages `encode` (an encoder beside a finished GAN) and `ganomaly`.

use std::time::Instant;

use retrial_core::declare::{ParamGroup as _, word_value};
use retrial_core::plan::StageInput;
use retrial_core::words;
use retrial_net_study::{device, stage_tree};
use retrial_nets::anogan::{
    EncoderLoss, EncoderTraining, FrozenEncoder, Ganomaly, GanomalyTraining, Normalisation,
    TrainingState,
};
use retrial_runner::{Context, TrialError, Work, stage};
use retrial_seed::Seed;
use retrial_store::Tree;

use super::items::TrainingSet;
use super::params::{Encoding, Features, Gan, Normal, Scoring};
use super::settings;
use super::train::{self, CHECKPOINT_EVERY, Trained};

/// A net that learns by epochs and can be written down.
trait Learner {
    fn epoch(&mut self, epoch: u64, pixels: &[f32]) -> f64;
    fn state(&self) -> TrainingState;
    fn restore(&mut self, state: &TrainingState) -> Result<(), TrialError>;
}

impl Learner for EncoderTraining {
    fn epoch(&mut self, epoch: u64, pixels: &[f32]) -> f64 {
        EncoderTraining::epoch(self, epoch, pixels)
    }

    fn state(&self) -> TrainingState {
        let (weights, moments, steps) = EncoderTraining::state(self);
        TrainingState {
            weights,
            moments,
            steps,
        }
    }

    fn restore(&mut self, state: &TrainingState) -> Result<(), TrialError> {
        EncoderTraining::restore(self, (&state.weights, &state.moments, state.steps))
            .map_err(TrialError::of)
    }
}

impl Learner for GanomalyTraining {
    fn epoch(&mut self, epoch: u64, pixels: &[f32]) -> f64 {
        GanomalyTraining::epoch(self, epoch, pixels).generator
    }

    fn state(&self) -> TrainingState {
        GanomalyTraining::state(self)
    }

    fn restore(&mut self, state: &TrainingState) -> Result<(), TrialError> {
        GanomalyTraining::restore(self, state).map_err(TrialError::of)
    }
}

/// What the stage `encode` reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'p> {
    pub(super) training: train::Input<'p>,
    pub(super) method: EncoderMethod,
    pub(super) encoding: &'p Encoding,
    pub(super) features: &'p Features,
}

words! {
    /// The methods of f-AnoGAN, which differ in the loss of the encoder.
    pub(super) enum EncoderMethod {
        /// Of latents.
        Ziz = "ziz",
        /// Of images.
        Izi = "izi",
        /// Of images and their features.
        IziF = "izi_f",
    }
}

/// The encoder beside a GAN and the id of its stage.
pub(super) fn encoder(
    context: &mut Context,
    input: Input<'_>,
    items: &TrainingSet,
    trained: &Trained,
    seed: u64,
) -> Result<(FrozenEncoder, String), TrialError> {
    let fresh = |device: &str| {
        let (nets, kappa) = (&trained.training, input.features.kappa);
        let loss = match input.method {
            EncoderMethod::Ziz => EncoderLoss::Ziz,
            EncoderMethod::Izi => EncoderLoss::Izi,
            EncoderMethod::IziF => EncoderLoss::IziF { kappa },
        };
        EncoderTraining::new(
            settings::architecture(input.training.normal, input.training.gan.discriminator_norm),
            settings::encoder(input.encoding, loss),
            (&nets.generator().frozen(), &nets.discriminator().frozen()),
            Seed(seed),
            &device::open(device)?,
        )
        .map_err(TrialError::of)
    };
    let method = vec![(Scoring::method, word_value(input.method))];
    let what = StageInput {
        name: "encode",
        params: [method, input.encoding.pairs(), input.features.pairs()].concat(),
        inputs: &[&trained.id],
        data: vec![items.digest()],
        seed: Some(seed),
    };
    let built = stage(context, &what, |work| {
        learn(
            work,
            fresh(&work.device)?,
            input.training.normal,
            input.encoding,
            items,
        )
    })?;
    let mut encoder = fresh(context.device())?;
    restore(&mut encoder, &built.tree)?;
    Ok((encoder.frozen(), built.id))
}

pub(super) fn ganomaly(
    context: &mut Context,
    (normal, normalisation): (&Normal, Normalisation),
    encoding: &Encoding,
    items: &TrainingSet,
) -> Result<Ganomaly, TrialError> {
    let seed = context.seed();
    let fresh = |device: &str| {
        GanomalyTraining::new(
            settings::architecture(normal, normalisation),
            settings::ganomaly(encoding),
            seed,
            &device::open(device)?,
        )
        .map_err(TrialError::of)
    };
    let norm = vec![(Gan::discriminator_norm, word_value(normalisation))];
    let what = StageInput {
        name: "ganomaly",
        params: [normal.pairs(), norm, encoding.pairs()].concat(),
        inputs: &[],
        data: vec![items.digest()],
        seed: Some(seed.0),
    };
    let built = stage(context, &what, |work| {
        learn(work, fresh(&work.device)?, normal, encoding, items)
    })?;
    let mut nets = fresh(context.device())?;
    restore(&mut nets, &built.tree)?;
    Ok(nets.frozen())
}

fn learn(
    work: &Work,
    mut learner: impl Learner,
    normal: &Normal,
    encoding: &Encoding,
    items: &TrainingSet,
) -> Result<Tree, TrialError> {
    let epochs = encoding.encoder_epochs as u64;
    let movement = (normal.shift_px, normal.rotation_deg);
    let mut losses = match work.resume()? {
        Some((_, tree)) => {
            restore(&mut learner, &tree)?;
            tree.values::<f64>("losses")?.to_vec()
        }
        None => Vec::new(),
    };
    let mut saved = Instant::now();
    for epoch in losses.len() as u64 + 1..=epochs {
        if let Err(stopped) = work.stop_point() {
            // What was reached is not lost.
            if epoch > 1 {
                work.checkpoint(epoch - 1, to_tree(&learner, &losses)?)?;
            }
            return Err(stopped);
        }
        let loss = if movement == (0.0, 0.0) {
            learner.epoch(epoch, &items.part.pixels)
        } else {
            let mut stream = work.seed.stream(&format!("move encoder {epoch}"));
            learner.epoch(epoch, &items.moved(movement, &mut stream)?)
        };
        if !loss.is_finite() {
            return Err(TrialError::Other(format!(
                "the encoder's training broke down in epoch {epoch}: loss {loss}; a smaller \
                 encoder_learning_rate may help"
            )));
        }
        losses.push(loss);
        work.progress(epoch, epochs, "encoder epochs");
        if saved.elapsed() >= CHECKPOINT_EVERY && epoch < epochs {
            work.checkpoint(epoch, to_tree(&learner, &losses)?)?;
            saved = Instant::now();
        }
    }
    to_tree(&learner, &losses)
}

fn to_tree(learner: &impl Learner, losses: &[f64]) -> Result<Tree, TrialError> {
    let state = learner.state();
    let mut tree = Tree::new();
    stage_tree::insert_weights(&mut tree, "weights", &state.weights)?;
    stage_tree::insert_weights(&mut tree, "moments", &state.moments)?;
    stage_tree::set_number(&mut tree, "steps", u64::from(state.steps))?;
    stage_tree::insert_list(&mut tree, "losses", losses.to_vec())?;
    Ok(tree)
}

fn restore(learner: &mut impl Learner, tree: &Tree) -> Result<(), TrialError> {
    learner.restore(&TrainingState {
        weights: stage_tree::weights(tree, "weights")?,
        moments: stage_tree::weights(tree, "moments")?,
        steps: u32::try_from(stage_tree::number(tree, "steps")?).unwrap_or(u32::MAX),
    })
}
