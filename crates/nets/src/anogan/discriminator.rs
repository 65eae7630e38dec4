//! The discriminator: images to features and a logit.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::architecture::{Architecture, ArchitectureError};
use super::layer::{FrozenLayer, Halving};
use super::start::Start;
use crate::ops;

/// Slope below zero, as published.
pub(crate) const SLOPE: f32 = 0.1;

/// A discriminator: the image is halved with twice the channels each time; the features of the
/// last layer give one logit.
#[derive(Module, Debug)]
pub struct Discriminator {
    layers: Vec<Halving>,
    /// `[features, 1]`.
    critic: Param<Tensor<2>>,
    critic_bias: Param<Tensor<1>>,
}

impl Discriminator {
    pub(crate) fn new(
        architecture: &Architecture,
        start: &mut Start<'_>,
    ) -> Result<Self, ArchitectureError> {
        let (size, channels) = architecture.inner()?;
        let features = size * size * channels;
        let levels = architecture.channels()?;
        let layers = levels
            .into_iter()
            .map(|level| Halving::new(level, architecture.normalisation, start))
            .collect();
        Ok(Self {
            layers,
            critic: start.kernel([features, 1], features),
            critic_bias: start.bias(1, features),
        })
    }

    /// Logits and features by the statistics of the batch, which enter the running ones.
    ///
    /// # Shapes
    /// - `images`: `[n, height, width, 1]`
    /// - result: `[n]`, `[n, features]`
    pub fn by_batch(&mut self, images: Tensor<4>) -> (Tensor<1>, Tensor<2>) {
        let mut values = images;
        for layer in &mut self.layers {
            values = layer.by_batch(values, SLOPE);
        }
        let features = values.flatten::<2>(1, 3);
        let n = features.dims()[0];
        let logits = ops::multiply(features.clone(), self.critic.val()).reshape([n]);
        (logits + self.critic_bias.val(), features)
    }

    /// Takes over the statistics (running moments, singular vectors) of a copy that saw a batch.
    pub(crate) fn take_statistics(&mut self, copy: &Self) {
        for (layer, other) in self.layers.iter_mut().zip(&copy.layers) {
            layer.take_statistics(other);
        }
    }

    /// The features of images by the running statistics, folded into the kernels.
    #[must_use]
    pub fn frozen(&self) -> FrozenDiscriminator {
        let plain = self.valid();
        FrozenDiscriminator {
            layers: plain.layers.iter().map(Halving::frozen).collect(),
        }
    }
}

/// The layers of a discriminator with constant weights.
#[derive(Clone, Debug)]
pub struct FrozenDiscriminator {
    layers: Vec<FrozenLayer>,
}

impl FrozenDiscriminator {
    /// Features f(x), each image independent of the others.
    ///
    /// # Shapes
    /// - `images`: `[n, height, width, 1]`
    /// - result: `[n, features]`
    #[must_use]
    pub fn features(&self, images: Tensor<4>) -> Tensor<2> {
        let halved = self
            .layers
            .iter()
            .fold(images, |values, layer| layer.halve(values, SLOPE));
        halved.flatten::<2>(1, 3)
    }

    /// The discriminator with weights that automatic differentiation treats as constants.
    #[must_use]
    pub(crate) fn differentiable(&self) -> Self {
        Self {
            layers: self
                .layers
                .iter()
                .map(FrozenLayer::differentiable)
                .collect(),
        }
    }
}
