//! Training of an encoder beside a finished generator and discriminator: one pass instead of a
//! search.
//!
//! # Source
//! Schlegl et al. 2019, doi:10.1016/j.media.2019.01.010, Eq. (2) ziz, (3) izi, (4) izi_f.

use burn::tensor::{Device, Tensor};
use retrial_seed::Seed;

use super::architecture::{Architecture, ArchitectureError};
use super::discriminator::FrozenDiscriminator;
use super::encoder::{Encoder, FrozenEncoder};
use super::generator::FrozenGenerator;
use super::start::{Initialisation, Start};
use super::training::{scalar, shuffled};
use super::{images, latents};
use crate::adam::{Adam, AdamRates};
use crate::weights::{self, Weights, WeightsError};

/// What the encoder is trained to keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EncoderLoss {
    /// Latents of generated images: mean of `(z − E(G(z)))²`.
    Ziz,
    /// Images: mean of `(x − G(E(x)))²`.
    Izi,
    /// Images and their features: izi plus κ times the mean of `(f(x) − f(G(E(x))))²`.
    IziF {
        /// Weight κ.
        kappa: f64,
    },
}

/// Images beside those that encoder and generator make of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// Mean over pixels of the differences, per image.
    pub residual: Vec<f64>,
    /// Mean over features of the differences, per image.
    pub discrimination: Vec<f64>,
    /// G(E(x)), one image after the other.
    pub images: Vec<f32>,
}

/// How differences count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// By themselves.
    Absolute,
    /// Squared, as in f-AnoGAN.
    Squared,
}

impl Difference {
    pub(crate) fn of(self, apart: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Absolute => apart.abs(),
            Self::Squared => apart.square(),
        }
    }
}

/// Compares images and their features with G(E(x)).
///
/// # Shapes
/// - `x`: `[n, height, width, 1]`
#[must_use]
pub fn compare(
    (encoder, generator, discriminator): (&FrozenEncoder, &FrozenGenerator, &FrozenDiscriminator),
    x: Tensor<4>,
    difference: Difference,
) -> Compared {
    let n = x.dims()[0];
    let again = generator.draw(encoder.encode(x.clone()));
    let features = discriminator.features(x.clone());
    let found = discriminator.features(again.clone());
    let mean = |apart: Tensor<2>| {
        let means = weights::values(difference.of(apart).mean_dim(1).reshape([n]));
        means.into_iter().map(f64::from).collect()
    };
    Compared {
        residual: mean((x - again.clone()).flatten::<2>(1, 3)),
        discrimination: mean(features - found),
        images: weights::values(again),
    }
}

/// Rates of an encoder's training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EncoderRates {
    /// Loss.
    pub loss: EncoderLoss,
    /// Images a step.
    pub batch_size: usize,
    /// Optimiser.
    pub adam: AdamRates,
}

/// An encoder in training; generator and discriminator are constants.
#[derive(Debug)]
pub struct EncoderTraining {
    architecture: Architecture,
    rates: EncoderRates,
    seed: Seed,
    device: Device,
    encoder: Encoder,
    adam: Adam,
    generator: FrozenGenerator,
    discriminator: FrozenDiscriminator,
}

impl EncoderTraining {
    /// A fresh encoder; `device` without automatic differentiation.
    ///
    /// Streams of `seed`: `init encoder`, and for every epoch `encoder shuffle <epoch>` and
    /// `encoder latent <epoch>`.
    ///
    /// # Errors
    /// [`ArchitectureError`] for an image size that no net has.
    pub fn new(
        architecture: Architecture,
        rates: EncoderRates,
        (generator, discriminator): (&FrozenGenerator, &FrozenDiscriminator),
        seed: Seed,
        device: &Device,
    ) -> Result<Self, ArchitectureError> {
        let device = device.clone().autodiff();
        let encoder = Encoder::new(
            &architecture,
            &mut Start {
                initialisation: Initialisation::Torch,
                stream: &mut seed.stream("init encoder"),
                device: &device,
            },
        )?;
        Ok(Self {
            architecture,
            rates,
            seed,
            device,
            encoder,
            adam: Adam::new(rates.adam),
            generator: generator.differentiable(),
            discriminator: discriminator.differentiable(),
        })
    }

    /// The encoder as it stands.
    #[must_use]
    pub fn frozen(&self) -> FrozenEncoder {
        self.encoder.frozen()
    }

    /// Weights, moments and steps.
    #[must_use]
    pub fn state(&self) -> (Weights, Weights, u32) {
        (
            weights::collect(&self.encoder),
            self.adam.state(),
            self.adam.steps(),
        )
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`WeightsError`] when it is of another net.
    pub fn restore(
        &mut self,
        (weights, moments, steps): (&Weights, &Weights, u32),
    ) -> Result<(), WeightsError> {
        self.encoder = weights::apply(self.encoder.clone(), weights)?;
        let plain = self.device.clone().inner();
        self.adam = Adam::restored(self.rates.adam, steps, moments, &plain);
        Ok(())
    }

    /// One pass over as many images as there are; the mean loss.
    ///
    /// # Shapes
    /// - `pixels`: `[n, image_size, image_size]`; the loss ziz draws latents instead
    pub fn epoch(&mut self, epoch: u64, pixels: &[f32]) -> f64 {
        let size = self.architecture.image_size;
        let area = size * size;
        let mut order = self.seed.stream(&format!("encoder shuffle {epoch}"));
        let order = shuffled(pixels.len() / area, &mut order);
        let mut latent = self.seed.stream(&format!("encoder latent {epoch}"));
        let (mut sum, mut steps) = (0.0, 0.0);
        for batch in order.chunks(self.rates.batch_size) {
            let loss = if self.rates.loss == EncoderLoss::Ziz {
                let length = self.architecture.latent_size;
                let drawn: Vec<f32> = (0..batch.len() * length)
                    .map(|_| latent.normal() as f32)
                    .collect();
                self.ziz(latents(&drawn, length, &self.device))
            } else {
                let mut real = Vec::with_capacity(batch.len() * area);
                for &item in batch {
                    real.extend_from_slice(&pixels[item * area..(item + 1) * area]);
                }
                self.izi(images(&real, size, &self.device))
            };
            let gradients = loss.backward();
            self.encoder = self.adam.step(self.encoder.clone(), &gradients);
            sum += scalar(loss);
            steps += 1.0;
        }
        sum / steps
    }

    fn ziz(&mut self, z: Tensor<2>) -> Tensor<1> {
        let found = self.encoder.by_batch(self.generator.draw(z.clone()));
        (z - found).square().mean()
    }

    fn izi(&mut self, x: Tensor<4>) -> Tensor<1> {
        let again = self.generator.draw(self.encoder.by_batch(x.clone()));
        let loss = (x.clone() - again.clone()).square().mean();
        match self.rates.loss {
            EncoderLoss::IziF { kappa } => {
                let real = self.discriminator.features(x);
                let found = self.discriminator.features(again);
                loss + (real - found).square().mean() * kappa
            }
            EncoderLoss::Izi | EncoderLoss::Ziz => loss,
        }
    }
}
