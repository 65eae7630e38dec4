//! Training of generator and discriminator against each other.

use burn::module::Module as _;
use burn::tensor::{Device, Tensor};
use retrial_seed::{Seed, Stream};

use super::architecture::{Architecture, ArchitectureError};
use super::discriminator::Discriminator;
use super::generator::Generator;
use super::loss::GanLoss;
use super::start::{Initialisation, Start};
use super::{images, latents};
use crate::adam::{Adam, AdamRates};
use crate::weights::{self, Weights, WeightsError};

/// Rates and losses of a training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GanRates {
    /// Images a step.
    pub batch_size: usize,
    /// The generator's optimiser.
    pub generator: AdamRates,
    /// The discriminator's optimiser.
    pub discriminator: AdamRates,
    /// Losses.
    pub loss: GanLoss,
    /// Standard deviation of normal noise on every image that the discriminator sees.
    ///
    /// # Source
    /// Sønderby et al. 2017, arXiv:1610.04490, section 3.
    pub instance_noise: f64,
}

/// Mean losses of an epoch, and what the discriminator thinks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EpochLosses {
    /// Discriminator's loss.
    pub discriminator: f64,
    /// Generator's loss.
    pub generator: f64,
    /// Mean probability given to real images.
    pub real: f64,
    /// Mean probability given to generated images, before the discriminator's step.
    pub fake: f64,
}

/// A generator and a discriminator in training.
#[derive(Debug)]
pub struct GanTraining {
    architecture: Architecture,
    rates: GanRates,
    seed: Seed,
    device: Device,
    generator: Generator,
    discriminator: Discriminator,
    generator_adam: Adam,
    discriminator_adam: Adam,
}

/// All that a training needs to go on: weights, moments and the number of steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingState {
    /// Weights by name, `generator.…` and `discriminator.…`, running statistics included.
    pub weights: Weights,
    /// Moments of both optimisers.
    pub moments: Weights,
    /// Steps of each optimiser.
    pub steps: u32,
}

impl GanTraining {
    /// Fresh nets; `device` without automatic differentiation.
    ///
    /// Streams of `seed`: `init generator`, `init discriminator`, and for every epoch
    /// `shuffle <epoch>`, `latent <epoch>` and `noise <epoch>`, so that no position has to be kept.
    ///
    /// # Errors
    /// [`ArchitectureError`] for an image size that no net has.
    pub fn new(
        architecture: Architecture,
        rates: GanRates,
        initialisation: Initialisation,
        seed: Seed,
        device: &Device,
    ) -> Result<Self, ArchitectureError> {
        let device = device.clone().autodiff();
        let generator = Generator::new(
            &architecture,
            &mut Start {
                initialisation,
                stream: &mut seed.stream("init generator"),
                device: &device,
            },
        )?;
        let discriminator = Discriminator::new(
            &architecture,
            &mut Start {
                initialisation,
                stream: &mut seed.stream("init discriminator"),
                device: &device,
            },
        )?;
        Ok(Self {
            architecture,
            rates,
            seed,
            device,
            generator,
            discriminator,
            generator_adam: Adam::new(rates.generator),
            discriminator_adam: Adam::new(rates.discriminator),
        })
    }

    /// The generator.
    #[must_use]
    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    /// The discriminator.
    #[must_use]
    pub fn discriminator(&self) -> &Discriminator {
        &self.discriminator
    }

    /// Images of latents by the generator's running statistics.
    ///
    /// # Shapes
    /// - `latents`: `[n, latent]`, one after the other; result: `[n, size, size]`
    #[must_use]
    pub fn draw(&self, latents: &[f32]) -> Vec<f32> {
        let length = self.architecture.latent_size;
        let device = self.device.clone().inner();
        let generator = self.generator.frozen();
        // In pieces, so that memory stays bounded.
        let piece = |z: &[f32]| weights::values(generator.draw(super::latents(z, length, &device)));
        latents.chunks(64 * length).flat_map(piece).collect()
    }

    /// The device, with automatic differentiation.
    #[cfg(test)]
    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// What has to be kept.
    #[must_use]
    pub fn state(&self) -> TrainingState {
        let both = |generator: Weights, discriminator: Weights| {
            weights::prefixed(generator, "generator.")
                .chain(weights::prefixed(discriminator, "discriminator."))
                .collect()
        };
        TrainingState {
            weights: both(
                weights::collect(&self.generator),
                weights::collect(&self.discriminator),
            ),
            moments: both(self.generator_adam.state(), self.discriminator_adam.state()),
            steps: self.generator_adam.steps(),
        }
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`WeightsError`] when it is of other nets.
    pub fn restore(&mut self, state: &TrainingState) -> Result<(), WeightsError> {
        let generator = weights::part(&state.weights, "generator.");
        let discriminator = weights::part(&state.weights, "discriminator.");
        self.generator = weights::apply(self.generator.clone(), &generator)?;
        self.discriminator = weights::apply(self.discriminator.clone(), &discriminator)?;
        let plain = self.device.clone().inner();
        let adam = |rates, prefix| {
            let moments = weights::part(&state.moments, prefix);
            Adam::restored(rates, state.steps, &moments, &plain)
        };
        self.generator_adam = adam(self.rates.generator, "generator.");
        self.discriminator_adam = adam(self.rates.discriminator, "discriminator.");
        Ok(())
    }

    /// One pass over all images in a drawn order; the last batch may be smaller.
    ///
    /// # Shapes
    /// - `pixels`: `[n, image_size, image_size]`, row by row
    pub fn epoch(&mut self, epoch: u64, pixels: &[f32]) -> EpochLosses {
        let area = self.architecture.image_size * self.architecture.image_size;
        let order = shuffled(
            pixels.len() / area,
            &mut self.seed.stream(&format!("shuffle {epoch}")),
        );
        let mut latent = self.seed.stream(&format!("latent {epoch}"));
        let mut noise = self.seed.stream(&format!("noise {epoch}"));
        let mut sum = EpochLosses::default();
        let mut steps = 0.0;
        for batch in order.chunks(self.rates.batch_size) {
            let mut real = Vec::with_capacity(batch.len() * area);
            for &item in batch {
                real.extend_from_slice(&pixels[item * area..(item + 1) * area]);
            }
            let real = images(&real, self.architecture.image_size, &self.device);
            let drawn = [(); 2].map(|()| self.drawn(batch.len(), &mut latent));
            let losses = self.step(real, drawn, &mut noise);
            sum.discriminator += losses.discriminator;
            sum.generator += losses.generator;
            sum.real += losses.real;
            sum.fake += losses.fake;
            steps += 1.0;
        }
        EpochLosses {
            discriminator: sum.discriminator / steps,
            generator: sum.generator / steps,
            real: sum.real / steps,
            fake: sum.fake / steps,
        }
    }

    /// One step of the discriminator, then one of the generator, each with latents of its own.
    pub(super) fn step(
        &mut self,
        real: Tensor<4>,
        [first, second]: [Tensor<2>; 2],
        noise: &mut Stream,
    ) -> EpochLosses {
        let n = real.dims()[0];
        let loss = self.rates.loss;
        // The discriminator's half: the generator's gradient is not asked for.
        let fake = self.generator.by_batch(first).detach();
        let real = self.disturbed(real, noise);
        let fake = self.disturbed(fake, noise);
        let (real, _) = self.discriminator.by_batch(real);
        let (fake, _) = self.discriminator.by_batch(fake);
        let probability = |logits: &Tensor<1>| {
            let values = weights::values(logits.clone().detach());
            let each = values.iter().map(|&x| 1.0 / (1.0 + f64::from(-x).exp()));
            each.sum::<f64>() / n as f64
        };
        let (real_probability, fake_probability) = (probability(&real), probability(&fake));
        let discriminator_loss = loss.of_discriminator(real, fake);
        let gradients = discriminator_loss.backward();
        self.discriminator = self
            .discriminator_adam
            .step(self.discriminator.clone(), &gradients);
        // The generator's half: the discriminator's weights are constants.
        let fake = self.generator.by_batch(second);
        let fake = self.disturbed(fake, noise);
        let mut judge = self.discriminator.clone().no_grad();
        let (logits, _) = judge.by_batch(fake);
        self.discriminator.take_statistics(&judge);
        let generator_loss = loss.of_generator(logits);
        let gradients = generator_loss.backward();
        self.generator = self.generator_adam.step(self.generator.clone(), &gradients);
        EpochLosses {
            discriminator: scalar(discriminator_loss),
            generator: scalar(generator_loss),
            real: real_probability,
            fake: fake_probability,
        }
    }

    fn drawn(&self, n: usize, stream: &mut Stream) -> Tensor<2> {
        let length = self.architecture.latent_size;
        let values: Vec<f32> = (0..n * length).map(|_| stream.normal() as f32).collect();
        latents(&values, length, &self.device)
    }

    fn disturbed(&self, values: Tensor<4>, stream: &mut Stream) -> Tensor<4> {
        let sd = self.rates.instance_noise;
        if sd == 0.0 {
            return values;
        }
        let length = values.shape().num_elements();
        let noise: Vec<f32> = (0..length).map(|_| (sd * stream.normal()) as f32).collect();
        let noise = images(&noise, self.architecture.image_size, &self.device);
        values + noise
    }
}

/// The numbers below `n` in a drawn order.
#[must_use]
pub fn shuffled(n: usize, stream: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    stream.shuffle(&mut order);
    order
}

/// A tensor of one value.
pub(crate) fn scalar(tensor: Tensor<1>) -> f64 {
    f64::from(weights::values(tensor.detach())[0])
}
