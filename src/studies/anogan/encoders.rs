//! The stages `encode` (an encoder beside a finished GAN) and `ganomaly`.

use std::time::Instant;

use retrial_core::params::ParamValue;
use retrial_nets::anogan::{
    EncoderTraining, FrozenEncoder, Ganomaly, GanomalyTraining, TrainingState,
};
use retrial_store::Tree;

use super::items::Items;
use super::settings::{self, words};
use super::train::{CHECKPOINT_EVERY, Trained};
use crate::execute::context::{Context, TrialError};
use crate::execute::stage::{StageFolder, stage};
use crate::trees;

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
        EncoderTraining::restore(self, (&state.weights, &state.moments, state.steps)).map_err(words)
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
        GanomalyTraining::restore(self, state).map_err(words)
    }
}

pub(super) fn encoder(
    context: &mut Context,
    items: &Items,
    trained: &Trained,
) -> Result<FrozenEncoder, TrialError> {
    let fresh = |context: &Context| {
        let nets = &trained.training;
        EncoderTraining::new(
            settings::architecture(context)?,
            settings::encoder(context)?,
            (&nets.generator().frozen(), &nets.discriminator().frozen()),
            context.seed(),
            &settings::device(context)?,
        )
        .map_err(words)
    };
    // A search that starts from an encoder takes that of izi_f, and shares its stage.
    let method = context.word("method")?.to_owned();
    if method == "anogan" {
        let izi_f = ParamValue::Text("izi_f".to_owned());
        context.job.params.set("method", izi_f);
    }
    let built = stage(context, "encode", |context, folder| {
        let learner = fresh(context)?;
        learn(context, folder, learner, items)
    });
    context.job.params.set("method", ParamValue::Text(method));
    let tree = built?;
    let mut encoder = fresh(context)?;
    restore(&mut encoder, &tree)?;
    Ok(encoder.frozen())
}

pub(super) fn ganomaly(context: &mut Context, items: &Items) -> Result<Ganomaly, TrialError> {
    let fresh = |context: &Context| {
        GanomalyTraining::new(
            settings::architecture(context)?,
            settings::ganomaly(context)?,
            context.seed(),
            &settings::device(context)?,
        )
        .map_err(words)
    };
    let tree = stage(context, "ganomaly", |context, folder| {
        let learner = fresh(context)?;
        learn(context, folder, learner, items)
    })?;
    let mut nets = fresh(context)?;
    restore(&mut nets, &tree)?;
    Ok(nets.frozen())
}

fn learn(
    context: &Context,
    folder: &StageFolder,
    mut learner: impl Learner,
    items: &Items,
) -> Result<Tree, TrialError> {
    let epochs = settings::size(context, "encoder_epochs")? as u64;
    let movement = (context.float("shift_px")?, context.float("rotation_deg")?);
    let mut losses = match folder.resume()? {
        Some((_, tree)) => {
            restore(&mut learner, &tree)?;
            tree.values::<f64>("losses")?.to_vec()
        }
        None => Vec::new(),
    };
    let mut saved = Instant::now();
    for epoch in losses.len() as u64 + 1..=epochs {
        if let Err(stopped) = context.stop_point() {
            // What was reached is not lost.
            if epoch > 1 {
                folder.checkpoint(epoch - 1, kept(&learner, &losses)?)?;
            }
            return Err(stopped);
        }
        let loss = if movement == (0.0, 0.0) {
            learner.epoch(epoch, &items.train.pixels)
        } else {
            let mut stream = context.seed().stream(&format!("move encoder {epoch}"));
            learner.epoch(epoch, &items.moved(movement, &mut stream)?)
        };
        if !loss.is_finite() {
            return Err(TrialError::Other(format!(
                "the encoder's training broke down in epoch {epoch}: loss {loss}; a smaller \
                 encoder_learning_rate may help"
            )));
        }
        losses.push(loss);
        context.progress(epoch, epochs, "encoder epochs");
        if saved.elapsed() >= CHECKPOINT_EVERY && epoch < epochs {
            folder.checkpoint(epoch, kept(&learner, &losses)?)?;
            saved = Instant::now();
        }
    }
    kept(&learner, &losses)
}

fn kept(learner: &impl Learner, losses: &[f64]) -> Result<Tree, TrialError> {
    let state = learner.state();
    let mut tree = Tree::new();
    trees::put_weights(&mut tree, "weights", &state.weights)?;
    trees::put_weights(&mut tree, "moments", &state.moments)?;
    trees::put_number(&mut tree, "steps", u64::from(state.steps))?;
    trees::put_list(&mut tree, "losses", losses.to_vec())?;
    Ok(tree)
}

fn restore(learner: &mut impl Learner, tree: &Tree) -> Result<(), TrialError> {
    learner.restore(&TrainingState {
        weights: trees::weights(tree, "weights")?,
        moments: trees::weights(tree, "moments")?,
        steps: u32::try_from(trees::number(tree, "steps")?).unwrap_or(u32::MAX),
    })
}
