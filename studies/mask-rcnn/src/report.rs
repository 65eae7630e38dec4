//! What is said of trainings: metrics and tables.

use retrial_core::rows;
use retrial_data::LabelledSet;
use retrial_nets::mask_rcnn::Losses;
use retrial_runner::{Context, TrialError};

use super::metrics::metric;
use super::pretrain::SourceSample;

rows! {
    /// What is said of the trainings and of the source domain.
    pub(super) const TABLES;

    /// How the training of the detector went.
    pub(super) struct TrainingRow in "training" {
        /// The last of the ten iterations of which a row has the means.
        iteration: usize;
        /// Sum of the losses.
        loss: f64;
        /// Cross entropy of the classes of regions.
        loss_cls was "classes": f64;
        /// Smooth absolute error of the boxes of regions.
        loss_box_reg was "boxes": f64;
        /// Binary cross entropy of masks.
        loss_mask was "masks": f64;
        /// Binary cross entropy of anchors.
        loss_rpn_cls was "objectness": f64;
        /// Smooth absolute error of the boxes of anchors.
        loss_rpn_loc was "proposals": f64;
    }

    /// How the training of the mask head alone went.
    pub(super) struct MaskTrainingRow in "mask_training" {
        /// The last of the ten iterations of which a row has the means.
        iteration: usize;
        /// Binary cross entropy of masks.
        loss: f64;
    }

    /// One row a source picture, every fourth.
    pub(super) struct SamplingWeightRow in "sampling_weights" was "source_weights" {
        /// Weight of a source picture times their number; 1 is uniform.
        weight: f64;
    }

    /// The ten most-drawn classes of the source domain.
    pub(super) struct SampledClassRow in "sampled_classes" was "source_classes" {
        /// Words of the class.
        class: String;
        /// Times that its pictures were drawn.
        draws: usize;
    }
}

/// The draw from the source domain.
pub(super) fn source(
    context: &mut Context,
    drawn: &SourceSample,
    source: &LabelledSet,
) -> Result<(), TrialError> {
    context.metric(metric::effective_sample_share, drawn.effective_sample_share)?;
    context.metric(metric::distinct_share, drawn.distinct_share)?;
    context.metric(metric::source_accuracy, drawn.accuracy)?;
    let rows = drawn.weights.iter();
    let rows = rows.map(|&weight| SamplingWeightRow { weight });
    context.rows(&rows.collect::<Vec<_>>())?;
    let rows = drawn.classes.iter().map(|&(class, draws)| SampledClassRow {
        class: source.classes[class].words.clone(),
        draws,
    });
    context.rows(&rows.collect::<Vec<_>>())
}

/// The training of the detector.
pub(super) fn training(context: &mut Context, losses: &[Losses]) -> Result<(), TrialError> {
    let sums: Vec<f64> = losses.iter().map(Losses::sum).collect();
    let last = &sums[sums.len() - sums.len().div_ceil(10)..];
    let loss = last.iter().sum::<f64>() / last.len().max(1) as f64;
    context.metric(metric::loss, loss)?;
    let rows = tenths(losses).map(|(iteration, ten)| TrainingRow {
        iteration,
        loss: mean(ten, Losses::sum),
        loss_cls: mean(ten, |l| l.classes),
        loss_box_reg: mean(ten, |l| l.boxes),
        loss_mask: mean(ten, |l| l.masks),
        loss_rpn_cls: mean(ten, |l| l.objectness),
        loss_rpn_loc: mean(ten, |l| l.proposals),
    });
    context.rows(&rows.collect::<Vec<_>>())
}

/// The training of the mask head alone.
pub(super) fn mask_training(context: &mut Context, losses: &[f64]) -> Result<(), TrialError> {
    let rows = tenths(losses).map(|(iteration, ten)| MaskTrainingRow {
        iteration,
        loss: mean(ten, |loss| *loss),
    });
    context.rows(&rows.collect::<Vec<_>>())
}

/// Ten steps each, and the number of the last of them from 1.
fn tenths<T>(steps: &[T]) -> impl Iterator<Item = (usize, &[T])> {
    let tens = steps.chunks(10).enumerate();
    tens.map(|(place, ten)| (10 * place + ten.len(), ten))
}

fn mean<T>(steps: &[T], of: impl Fn(&T) -> f64) -> f64 {
    steps.iter().map(of).sum::<f64>() / steps.len() as f64
}
