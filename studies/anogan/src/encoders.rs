//! The stages `encode` (an encoder beside a finished GAN) and `ganomaly`.

use std::time::Instant;

use retrial_core::declare::OneParam;
use retrial_core::words;
use retrial_net_study::{device, stage_tree};
use retrial_nets::anogan::{
    EncoderLoss, EncoderTraining, FrozenEncoder, Ganomaly, GanomalyTraining, Normalisation,
    TrainingState,
};
use retrial_runner::{Built, Context, Reads, TrialError, Work, stage};
use retrial_store::Tree;

use super::items::TrainingSet;
use super::params::{All, Encoding, Features, Gan, Normal, Scoring};
use super::settings;
use super::train::{CHECKPOINT_EVERY, Trained};

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

type Encode<'r> = Reads<
    (OneParam<EncoderMethod>, &'r Encoding, &'r Features),
    &'r Built<Trained>,
    &'r TrainingSet,
>;

/// The encoder beside a GAN.
pub(super) fn encoder(
    context: &mut Context,
    method: EncoderMethod,
    params: &All,
    items: &TrainingSet,
    trained: &Built<Trained>,
    seed: u64,
) -> Result<Built<FrozenEncoder>, TrialError> {
    let method = OneParam::word(Scoring::method, method);
    let reads = Reads {
        params: (method, &params.encoding, &params.features),
        stages: trained,
        data: items,
    };
    let build = |work: &Work, input: &Encode<'_>| {
        let (_, encoding, _) = input.params;
        let normal = &input.stages.normal;
        learn(
            work,
            fresh_encoder(work, input)?,
            normal,
            encoding,
            input.data,
        )
    };
    stage(
        context,
        "encode",
        Some(seed),
        &reads,
        build,
        |work, input, tree| {
            let mut encoder = fresh_encoder(work, input)?;
            restore(&mut encoder, tree)?;
            Ok(encoder.frozen())
        },
    )
}

fn fresh_encoder(work: &Work, input: &Encode<'_>) -> Result<EncoderTraining, TrialError> {
    let (method, encoding, features) = &input.params;
    let trained = input.stages;
    let loss = match method.value() {
        EncoderMethod::Ziz => EncoderLoss::Ziz,
        EncoderMethod::Izi => EncoderLoss::Izi,
        EncoderMethod::IziF => EncoderLoss::IziF {
            kappa: features.kappa,
        },
    };
    let nets = &trained.training;
    EncoderTraining::new(
        settings::architecture(&trained.normal, trained.discriminator_norm),
        settings::encoder(encoding, loss),
        (&nets.generator().frozen(), &nets.discriminator().frozen()),
        work.seed,
        &device::open(&work.device)?,
    )
    .map_err(TrialError::of)
}

type Generate<'r> = Reads<(&'r Normal, OneParam<Normalisation>, &'r Encoding), (), &'r TrainingSet>;

pub(super) fn ganomaly(
    context: &mut Context,
    params: &All,
    items: &TrainingSet,
) -> Result<Ganomaly, TrialError> {
    let seed = context.seed().0;
    let norm = OneParam::word(Gan::discriminator_norm, params.gan.discriminator_norm);
    let reads = Reads {
        params: (&params.normal, norm, &params.encoding),
        stages: (),
        data: items,
    };
    let build = |work: &Work, input: &Generate<'_>| {
        let (normal, _, encoding) = input.params;
        learn(
            work,
            fresh_ganomaly(work, input)?,
            normal,
            encoding,
            input.data,
        )
    };
    let nets = stage(
        context,
        "ganomaly",
        Some(seed),
        &reads,
        build,
        |work, input, tree| {
            let mut nets = fresh_ganomaly(work, input)?;
            restore(&mut nets, tree)?;
            Ok(nets.frozen())
        },
    )?;
    Ok(nets.into_value())
}

fn fresh_ganomaly(work: &Work, input: &Generate<'_>) -> Result<GanomalyTraining, TrialError> {
    let (normal, norm, encoding) = &input.params;
    GanomalyTraining::new(
        settings::architecture(normal, norm.value()),
        settings::ganomaly(encoding),
        work.seed,
        &device::open(&work.device)?,
    )
    .map_err(TrialError::of)
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
            learner.epoch(epoch, &items.pixels)
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
        work.curve("encoder_loss", epoch, loss);
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
