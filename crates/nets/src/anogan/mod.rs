//! AnoGAN: a generator and a discriminator trained on normal images, and the ways in which an
//! image is scored by them.
//!
//! # Source
//! Schlegl et al. 2017, arXiv:1703.05921 (AnoGAN); Radford et al. 2016, arXiv:1511.06434 (DCGAN);
//! Schlegl et al. 2019, doi:10.1016/j.media.2019.01.010 (f-AnoGAN); Akcay et al. 2018,
//! arXiv:1805.06725 (GANomaly).

mod architecture;
mod discriminator;
mod encoder;
mod encoding;
mod ganomaly;
mod generator;
#[cfg(test)]
mod independence;
mod layer;
mod lbfgs;
#[cfg(test)]
mod learning;
mod loss;
mod parity;
#[cfg(test)]
mod resume;
mod search;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod small;
mod start;
mod stored;
pub mod torch;
mod training;

pub use architecture::{Architecture, ArchitectureError, Normalisation};
pub use discriminator::{Discriminator, FrozenDiscriminator};
pub use encoder::{Encoder, FrozenEncoder};
pub use encoding::{Compared, Difference, EncoderLoss, EncoderRates, EncoderTraining, compare};
pub use ganomaly::{Ganomaly, GanomalyRates, GanomalyTraining};
pub use generator::{FrozenGenerator, Generator};
pub use loss::GanLoss;
pub use search::{
    Evaluation, PATIENCE, SearchMethod, SearchNets, SearchRates, SearchState, latent_starts,
    weighted_loss,
};
pub use start::Initialisation;
pub use stored::{GanWeights, StoredError};
pub use training::{EpochLosses, GanRates, GanTraining, TrainingState, shuffled};

use burn::tensor::{Device, Tensor, TensorData};

/// Images `[n, size, size, 1]` from their pixels, row by row.
///
/// # Panics
/// When the length is no multiple of `size²`.
#[must_use]
pub fn images(pixels: &[f32], size: usize, device: &Device) -> Tensor<4> {
    let count = pixels.len() / (size * size);
    Tensor::from_data(
        TensorData::new(pixels.to_vec(), [count, size, size, 1]),
        device,
    )
}

/// Latents `[n, latent_size]` from their values, one after the other.
///
/// # Panics
/// When the length is no multiple of `latent_size`.
#[must_use]
pub fn latents(values: &[f32], latent_size: usize, device: &Device) -> Tensor<2> {
    let count = values.len() / latent_size;
    Tensor::from_data(
        TensorData::new(values.to_vec(), [count, latent_size]),
        device,
    )
}
