//! GANomaly: an encoder, a decoder and a second encoder trained as one net against a
//! discriminator. An image scores by how far the two latents lie apart.
//!
//! # Source
//! Akcay et al. 2018, arXiv:1805.06725, Eq. (1)–(5), weights 1, 50 and 1.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use retrial_seed::Seed;

use super::architecture::{Architecture, ArchitectureError};
use super::discriminator::Discriminator;
use super::encoder::{Encoder, FrozenEncoder};
use super::encoding::Difference;
use super::generator::{FrozenGenerator, Generator};
use super::images;
use super::loss::GanLoss;
use super::start::{Initialisation, Start};
use super::training::{EpochLosses, TrainingState, scalar, shuffled};
use crate::adam::{Adam, AdamRates};
use crate::weights::{self, Weights, WeightsError};

/// Rates and weights of a training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GanomalyRates {
    /// Images a step.
    pub batch_size: usize,
    /// The optimiser of both sides.
    pub adam: AdamRates,
    /// Weights of the feature, image and latent losses.
    pub weights: [f64; 3],
}

/// Encoder, decoder, encoder.
#[derive(Module, Debug)]
struct Autoencoder {
    encoder: Encoder,
    decoder: Generator,
    second: Encoder,
}

/// GANomaly in training.
#[derive(Debug)]
pub struct GanomalyTraining {
    architecture: Architecture,
    rates: GanomalyRates,
    seed: Seed,
    device: Device,
    net: Autoencoder,
    discriminator: Discriminator,
    net_adam: Adam,
    discriminator_adam: Adam,
}

/// A trained GANomaly with constant weights.
#[derive(Clone, Debug)]
pub struct Ganomaly {
    encoder: FrozenEncoder,
    decoder: FrozenGenerator,
    second: FrozenEncoder,
}

impl Ganomaly {
    /// Sums over every image of the differences of x and x̂ and of `|z − ẑ|`, and the images x̂.
    ///
    /// # Shapes
    /// - `x`: `[n, height, width, 1]`
    #[must_use]
    pub fn score(&self, x: Tensor<4>, difference: Difference) -> (Vec<f64>, Vec<f64>, Vec<f32>) {
        let z = self.encoder.encode(x.clone());
        let again = self.decoder.draw(z.clone());
        let found = self.second.encode(again.clone());
        let n = x.dims()[0];
        let apart = (x - again.clone()).flatten::<2>(1, 3);
        let image = difference.of(apart).sum_dim(1);
        let latent = (z - found).abs().sum_dim(1);
        let doubles = |sums: Tensor<2>| {
            let sums = weights::values(sums.reshape([n]));
            sums.into_iter().map(f64::from).collect()
        };
        (doubles(image), doubles(latent), weights::values(again))
    }
}

impl GanomalyTraining {
    /// Fresh nets; `device` without automatic differentiation.
    ///
    /// # Errors
    /// [`ArchitectureError`] for an image size that no net has.
    pub fn new(
        architecture: Architecture,
        rates: GanomalyRates,
        seed: Seed,
        device: &Device,
    ) -> Result<Self, ArchitectureError> {
        let device = device.clone().autodiff();
        let mut stream = seed.stream("init ganomaly");
        let mut start = Start {
            initialisation: Initialisation::Torch,
            stream: &mut stream,
            device: &device,
        };
        let net = Autoencoder {
            encoder: Encoder::new(&architecture, &mut start)?,
            decoder: Generator::new(&architecture, &mut start)?,
            second: Encoder::new(&architecture, &mut start)?,
        };
        let discriminator = Discriminator::new(&architecture, &mut start)?;
        Ok(Self {
            architecture,
            rates,
            seed,
            device,
            net,
            discriminator,
            net_adam: Adam::new(rates.adam),
            discriminator_adam: Adam::new(rates.adam),
        })
    }

    /// The nets as they stand.
    #[must_use]
    pub fn frozen(&self) -> Ganomaly {
        Ganomaly {
            encoder: self.net.encoder.frozen(),
            decoder: self.net.decoder.frozen(),
            second: self.net.second.frozen(),
        }
    }

    /// What has to be kept.
    #[must_use]
    pub fn state(&self) -> TrainingState {
        let both = |net: Weights, discriminator: Weights| {
            weights::prefixed(net, "net.")
                .chain(weights::prefixed(discriminator, "discriminator."))
                .collect()
        };
        TrainingState {
            weights: both(
                weights::collect(&self.net),
                weights::collect(&self.discriminator),
            ),
            moments: both(self.net_adam.state(), self.discriminator_adam.state()),
            steps: self.net_adam.steps(),
        }
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`WeightsError`] when it is of other nets.
    pub fn restore(&mut self, state: &TrainingState) -> Result<(), WeightsError> {
        let part = |all: &Weights, prefix| weights::part(all, prefix);
        self.net = weights::apply(self.net.clone(), &part(&state.weights, "net."))?;
        self.discriminator = weights::apply(
            self.discriminator.clone(),
            &part(&state.weights, "discriminator."),
        )?;
        let plain = self.device.clone().inner();
        let adam = |prefix| {
            let moments = part(&state.moments, prefix);
            Adam::restored(self.rates.adam, state.steps, &moments, &plain)
        };
        let (net, discriminator) = (adam("net."), adam("discriminator."));
        self.net_adam = net;
        self.discriminator_adam = discriminator;
        Ok(())
    }

    /// One pass over all images in a drawn order.
    ///
    /// # Shapes
    /// - `pixels`: `[n, image_size, image_size]`
    pub fn epoch(&mut self, epoch: u64, pixels: &[f32]) -> EpochLosses {
        let size = self.architecture.image_size;
        let area = size * size;
        let mut stream = self.seed.stream(&format!("ganomaly shuffle {epoch}"));
        let order = shuffled(pixels.len() / area, &mut stream);
        let (mut sum, mut steps) = (EpochLosses::default(), 0.0);
        for batch in order.chunks(self.rates.batch_size) {
            let mut real = Vec::with_capacity(batch.len() * area);
            for &item in batch {
                real.extend_from_slice(&pixels[item * area..(item + 1) * area]);
            }
            let (net, discriminator) = self.step(&images(&real, size, &self.device));
            sum.generator += net;
            sum.discriminator += discriminator;
            steps += 1.0;
        }
        EpochLosses {
            generator: sum.generator / steps,
            discriminator: sum.discriminator / steps,
            ..EpochLosses::default()
        }
    }

    fn step(&mut self, real: &Tensor<4>) -> (f64, f64) {
        let z = self.net.encoder.by_batch(real.clone());
        let again = self.net.decoder.by_batch(z.clone());
        let found = self.net.second.by_batch(again.clone());
        let mut judge = self.discriminator.clone().no_grad();
        let (_, features) = judge.by_batch(real.clone());
        let (_, imitated) = judge.by_batch(again.clone());
        let [feature, image, latent] = self.rates.weights;
        let loss = (features - imitated).square().mean() * feature
            + (real.clone() - again.clone()).abs().mean() * image
            + (z - found).square().mean() * latent;
        let gradients = loss.backward();
        self.net = self.net_adam.step(self.net.clone(), &gradients);
        let (real, _) = self.discriminator.by_batch(real.clone());
        let (fake, _) = self.discriminator.by_batch(again.detach());
        let entropy = GanLoss::CrossEntropy { real_label: 1.0 };
        let judged = entropy.of_discriminator(real, fake);
        let gradients = judged.backward();
        self.discriminator = self
            .discriminator_adam
            .step(self.discriminator.clone(), &gradients);
        (scalar(loss), scalar(judged))
    }
}
