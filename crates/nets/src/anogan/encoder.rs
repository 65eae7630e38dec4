//! The encoder: images to latents in one pass.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::architecture::{Architecture, ArchitectureError, Normalisation};
use super::discriminator::SLOPE;
use super::layer::{FrozenLayer, Halving};
use super::start::Start;
use crate::ops::{self, Activation};

/// An encoder: a discriminator's layers with batch normalisation, and a linear map to a latent.
///
/// # Source
/// Schlegl et al. 2019, doi:10.1016/j.media.2019.01.010, section 2.2.
#[derive(Module, Debug)]
pub struct Encoder {
    layers: Vec<Halving>,
    /// `[features, latent]`.
    head: Param<Tensor<2>>,
    /// `[latent]`.
    head_bias: Param<Tensor<1>>,
}

impl Encoder {
    pub(crate) fn new(
        architecture: &Architecture,
        start: &mut Start<'_>,
    ) -> Result<Self, ArchitectureError> {
        let (size, channels) = architecture.inner()?;
        let features = size * size * channels;
        let levels = architecture.channels()?;
        let layers = levels
            .into_iter()
            .map(|level| Halving::new(level, Normalisation::Batch, start))
            .collect();
        Ok(Self {
            layers,
            head: start.kernel([features, architecture.latent_size], features),
            head_bias: start.bias(architecture.latent_size, features),
        })
    }

    /// Latents by the statistics of the batch, which enter the running ones.
    ///
    /// # Shapes
    /// - `images`: `[n, height, width, 1]`
    /// - result: `[n, latent]`
    pub fn by_batch(&mut self, images: Tensor<4>) -> Tensor<2> {
        let mut values = images;
        for layer in &mut self.layers {
            values = layer.by_batch(values, SLOPE);
        }
        let features = values.flatten::<2>(1, 3);
        ops::multiply(features, self.head.val()) + self.head_bias.val().unsqueeze_dim(0)
    }

    /// The encoder by its running statistics, folded into the kernels.
    #[must_use]
    pub fn frozen(&self) -> FrozenEncoder {
        let plain = self.valid();
        FrozenEncoder {
            layers: plain.layers.iter().map(Halving::frozen).collect(),
            head: plain.head.val(),
            head_bias: plain.head_bias.val(),
        }
    }
}

/// An encoder with constant weights.
#[derive(Clone, Debug)]
pub struct FrozenEncoder {
    layers: Vec<FrozenLayer>,
    head: Tensor<2>,
    head_bias: Tensor<1>,
}

impl FrozenEncoder {
    /// [`FrozenEncoder::encode`] as numbers, one latent after the other.
    #[must_use]
    pub fn latents(&self, images: Tensor<4>) -> Vec<f32> {
        crate::weights::values(self.encode(images))
    }

    /// Latents, each image independent of the others.
    ///
    /// # Shapes
    /// - `images`: `[n, height, width, 1]`
    /// - result: `[n, latent]`
    #[must_use]
    pub fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        let halved = self
            .layers
            .iter()
            .fold(images, |values, layer| layer.halve(values, SLOPE));
        let features = halved.flatten::<2>(1, 3);
        ops::multiply_activate(
            features,
            self.head.clone(),
            self.head_bias.clone(),
            Activation::Identity,
        )
    }
}
