//! Pretraining of the backbone as a classifier of a source domain.
//!
//! # Source
//! Liu et al. 2021 (transfer learning of Mask R-CNN for electrical equipment), section on the
//! source domain; He et al. 2016, arXiv:1512.03385, for the classifier behind the backbone.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use retrial_seed::Stream;

use super::architecture::{Backbone, Normalisation};
use super::backbone::BackboneNet;
use super::layer::{Dense, LINEAR};
use super::loss::cross_entropy;
use super::stage::COLOURS;
use super::start::Start;
use super::training::finite;
use crate::fit::{Share, Supervised, TrainingError};
use crate::weights::values;

/// A backbone, the mean over all places, and a dense layer.
#[derive(Module, Debug)]
pub struct Classifier {
    body: BackboneNet,
    classes: Dense,
}

/// Pictures of one size with their classes.
///
/// # Shapes
/// - `values`: `[n, height, width, 3]`, normalised; `classes`: `[n]`, from 0
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelledBatch {
    /// Rows of every picture.
    pub height: usize,
    /// Columns of every picture.
    pub width: usize,
    /// All pictures.
    pub values: Vec<f32>,
    /// Their classes.
    pub classes: Vec<usize>,
}

impl LabelledBatch {
    /// The pictures of these places.
    fn tensor(&self, places: Range<usize>, device: &Device) -> Tensor<4> {
        let length = self.height * self.width * COLOURS;
        let values = &self.values[places.start * length..places.end * length];
        let shape = [places.len(), self.height, self.width, COLOURS];
        Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
    }
}

impl Classifier {
    /// A classifier with drawn weights; those of the backbone have names that begin with `body.`.
    #[must_use]
    pub fn new(backbone: Backbone, classes: usize, stream: &mut Stream, device: &Device) -> Self {
        let start = &mut Start { stream, device };
        let read = backbone.channels()[3];
        let body = BackboneNet::new(backbone, start);
        let matrix = start.normal([read, classes], 0.01);
        Self {
            body,
            classes: Dense::from(matrix, start),
        }
    }

    /// # Shapes
    /// - `images`: `[n, height, width, 3]`, result: `[n, class]`, logits
    fn forward(&mut self, images: Tensor<4>, normalisation: Normalisation) -> Tensor<2> {
        let maps = self.body.forward(images, normalisation);
        let top = maps[3].clone();
        let [n, height, width, channels] = top.dims();
        let mean = top.reshape([n, height * width, channels]).mean_dim(1);
        self.classes.forward(mean.reshape([n, channels]), LINEAR)
    }

    /// How many pictures are given their class by the running moments; on the net's device.
    #[must_use]
    pub fn right(&self, batch: &LabelledBatch, device: &Device) -> usize {
        let images = batch.tensor(0..batch.classes.len(), device);
        let logits = self.clone().forward(images, Normalisation::Running);
        right(&values(logits), &batch.classes)
    }
}

impl Supervised for Classifier {
    type Task = Normalisation;
    type Batch = LabelledBatch;
    type Word = ();
    type Losses = f64;

    fn items(batch: &LabelledBatch) -> usize {
        batch.classes.len()
    }

    fn losses(&mut self, share: &Share<Self>) -> Result<(f64, Option<Tensor<1>>), TrainingError> {
        let images = share.batch.tensor(share.items.clone(), &share.device);
        let logits = self.forward(images, *share.task);
        let classes = &share.batch.classes[share.items.clone()];
        let loss = share.part(cross_entropy(logits, classes));
        let value = finite(&loss, "source classes", share.iteration)?;
        Ok((value, Some(loss)))
    }
}

fn right(logits: &[f32], classes: &[usize]) -> usize {
    let count = logits.len().checked_div(classes.len()).unwrap_or(0).max(1);
    let best = |row: &[f32]| {
        let largest = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        largest.map_or(0, |(class, _)| class)
    };
    let rows = logits.chunks(count).zip(classes);
    rows.filter(|(row, class)| best(row) == **class).count()
}
