//! Weights of a GAN as they lie in a file, and the sizes that follow from them.

use burn::tensor::Device;
use retrial_seed::{Seed, Stream};
use thiserror::Error;

use super::architecture::{Architecture, ArchitectureError, Normalisation};
use super::generator::Generator;
use super::latents;
use super::start::{Initialisation, Start};
use crate::weights::{self, Weights, WeightsError};

/// The weights of both nets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GanWeights {
    /// Of the generator.
    pub generator: Weights,
    /// Of the discriminator.
    pub discriminator: Weights,
}

/// Why weights are no GAN of ours.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoredError {
    /// An array is missing or has another number of axes.
    #[error("the generator has no array `{name}` with {axes} axes")]
    Missing {
        /// Its name.
        name: &'static str,
        /// Axes that it should have.
        axes: usize,
    },
    /// The sizes of the arrays fit no net.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// Arrays of another net.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl GanWeights {
    /// The sizes of the nets, read off their weights.
    ///
    /// # Errors
    /// [`StoredError::Missing`], [`StoredError::Architecture`].
    pub fn architecture(&self) -> Result<Architecture, StoredError> {
        let shape = |name: &'static str, axes: usize| {
            let shape = self.generator.get(name).map(|array| &array.shape);
            shape
                .filter(|shape| shape.len() == axes)
                .ok_or(StoredError::Missing { name, axes })
        };
        let project = shape("project", 2)?;
        let channels = shape("norm.affine", 2)?[1].max(1);
        let width = shape("last", 4)?[3];
        let layers = (0..)
            .take_while(|layer| {
                self.generator
                    .contains_key(&format!("layers.{layer}.kernel"))
            })
            .count();
        let inner = (project[1] / channels).isqrt();
        let has = |part: &str| {
            let suffix = format!(".{part}");
            self.discriminator
                .keys()
                .any(|name| name.ends_with(&suffix))
        };
        let architecture = Architecture {
            image_size: inner << (layers + 1),
            width,
            latent_size: project[0],
            normalisation: if has("singular") {
                Normalisation::Spectral
            } else if has("norm.affine") {
                Normalisation::Batch
            } else {
                Normalisation::None
            },
        };
        architecture.levels()?;
        Ok(architecture)
    }

    /// Images of drawn latents by the running statistics: their side, and `[count, side, side]`.
    ///
    /// # Errors
    /// [`StoredError`] when the weights are of another net.
    pub fn draw(
        &self,
        count: usize,
        stream: &mut Stream,
        device: &Device,
    ) -> Result<(usize, Vec<f32>), StoredError> {
        let architecture = self.architecture()?;
        let generator = Generator::new(
            &architecture,
            &mut Start {
                initialisation: Initialisation::Torch,
                stream: &mut Seed(0).stream("overwritten"),
                device,
            },
        )?;
        let generator = weights::apply(generator, &self.generator)?.frozen();
        let length = architecture.latent_size;
        let z: Vec<f32> = (0..count * length)
            .map(|_| stream.normal() as f32)
            .collect();
        let piece = |z: &[f32]| weights::values(generator.draw(latents(z, length, device)));
        let drawn = z.chunks(64 * length).flat_map(piece).collect();
        Ok((architecture.image_size, drawn))
    }
}
