//! Pretraining of the backbone as a classifier of a source domain.
//!
//! # Source
//! Liu et al. 2021 (transfer learning of Mask R-CNN for electrical equipment), section on the
//! source domain; He et al. 2016, arXiv:1512.03385, for the classifier behind the backbone.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use retrial_seed::Stream;

use super::architecture::{Backbone, Normalisation};
use super::backbone::BackboneNet;
use super::layer::{Dense, LINEAR};
use super::loss::cross_entropy;
use super::stage::COLOURS;
use super::start::Start;
use super::training::TrainingError;
use crate::sgd::{NamedGradients, Sgd, SgdRates};
use crate::weights::{self, Weights, WeightsError, values};

/// A backbone, the mean over all places, and a dense layer.
#[derive(Module, Debug)]
pub struct Classifier {
    body: BackboneNet,
    classes: Dense,
}

/// A classifier in training.
#[derive(Debug)]
pub struct ClassifierTraining {
    backbone: Backbone,
    device: Device,
    net: Classifier,
    rates: SgdRates,
    sgd: Sgd,
}

impl Classifier {
    fn new(backbone: Backbone, classes: usize, stream: &mut Stream, device: &Device) -> Self {
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
}

impl ClassifierTraining {
    /// A fresh classifier on a device without automatic differentiation.
    #[must_use]
    pub fn new(
        backbone: Backbone,
        classes: usize,
        rates: SgdRates,
        stream: &mut Stream,
        device: &Device,
    ) -> Self {
        let device = device.clone().autodiff();
        Self {
            net: Classifier::new(backbone, classes, stream, &device),
            backbone,
            device,
            rates,
            sgd: Sgd::new(rates),
        }
    }

    /// One step; the loss, and how many of the batch were right before it.
    ///
    /// # Shapes
    /// - `images`: `[n, height, width, 3]`, normalised; `classes`: `[n]`, from 0
    ///
    /// # Errors
    /// [`TrainingError::NotFinite`]; the weights are as before then.
    pub fn step(
        &mut self,
        iteration: u64,
        learning_rate: f64,
        (height, width): (usize, usize),
        images: &[f32],
        classes: &[usize],
    ) -> Result<(f64, usize), TrainingError> {
        let mut net = self.net.clone();
        let images = batch(images, height, width, &self.device);
        let logits = net.forward(images, self.backbone.normalisation);
        let right = right(&values(logits.clone().detach()), classes);
        let loss = cross_entropy(logits, classes);
        let value = f64::from(values(loss.clone().detach())[0]);
        if !value.is_finite() {
            return Err(TrainingError::NotFinite {
                term: "source classes",
                value,
                iteration,
            });
        }
        let gradients = NamedGradients::of(&net, &loss.backward());
        self.net = self.sgd.step(net, gradients, learning_rate);
        Ok((value, right))
    }

    /// How many images are given their class by the running moments.
    #[must_use]
    pub fn right(
        &self,
        (height, width): (usize, usize),
        images: &[f32],
        classes: &[usize],
    ) -> usize {
        let mut net = self.net.clone().valid();
        let images = batch(images, height, width, &self.device.clone().inner());
        let logits = net.forward(images, Normalisation::Running);
        right(&values(logits), classes)
    }

    /// Weights of the classifier, running statistics included; those of the backbone begin with
    /// `body.`.
    #[must_use]
    pub fn weights(&self) -> Weights {
        weights::collect(&self.net)
    }

    /// Velocities of the optimiser.
    #[must_use]
    pub fn velocities(&self) -> Weights {
        self.sgd.state()
    }

    /// Goes on from weights and velocities.
    ///
    /// # Errors
    /// [`WeightsError`] when they are of another net.
    pub fn restore(&mut self, weights: &Weights, velocities: &Weights) -> Result<(), WeightsError> {
        self.net = weights::apply(self.net.clone(), weights)?;
        let plain = self.device.clone().inner();
        self.sgd = Sgd::restored(self.rates, velocities, &plain);
        Ok(())
    }
}

fn batch(images: &[f32], height: usize, width: usize, device: &Device) -> Tensor<4> {
    let count = images.len() / (height * width * COLOURS);
    let shape = [count, height, width, COLOURS];
    Tensor::from_data(TensorData::new(images.to_vec(), shape), device)
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
