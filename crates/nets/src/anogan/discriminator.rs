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
        // The bias is broadcast along the first of two axes, for the sake of its gradient; see [`ops::reduce`].
        let logits = ops::multiply(features.clone(), self.critic.val())
            + self.critic_bias.val().unsqueeze_dim(0);
        (logits.reshape([n]), features)
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

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use retrial_seed::Seed;

    use super::*;
    use crate::anogan::Normalisation;
    use crate::anogan::start::Initialisation;
    use crate::ops::reduce::total;
    use crate::weights::values;

    #[test]
    fn the_gradient_of_the_bias_is_added_from_left_to_right() {
        let device = burn::tensor::Device::flex().autodiff();
        let mut stream = Seed(6).stream("bias");
        let mut start = Start {
            initialisation: Initialisation::Torch,
            stream: &mut stream,
            device: &device,
        };
        let architecture = Architecture {
            image_size: 28,
            width: 2,
            latent_size: 3,
            normalisation: Normalisation::None,
        };
        let mut net = Discriminator::new(&architecture, &mut start).expect("a known size");
        let weights: Vec<f32> = (0..33).map(|_| stream.normal() as f32).collect();
        let (logits, _) = net.by_batch(Tensor::zeros([33, 28, 28, 1], &device));
        let loss =
            total(logits * Tensor::from_data(TensorData::new(weights.clone(), [33]), &device));
        let gradient = net.critic_bias.val().grad(&loss.backward());
        let expected = weights.iter().fold(0.0_f32, |sum, weight| sum + weight);
        assert_eq!(values(gradient.expect("a gradient")), [expected]);
    }
}
