//! The search for the latent whose image comes nearest to a given one, and the score it ends with.
//!
//! # Source
//! Schlegl et al. 2017, arXiv:1703.05921, Eq. (3)–(7): residual loss `R = Σ |x − G(z)|`,
//! discrimination loss `D = Σ |f(x) − f(G(z))|`, score `(1 − λ) R + λ D`.

use burn::module::Module as _;
use burn::tensor::{Device, Tensor};
use retrial_seed::Seed;

use super::discriminator::{Discriminator, FrozenDiscriminator};
use super::generator::{FrozenGenerator, Generator};
use super::lbfgs::Lbfgs;
use super::{images, latents};
use crate::weights::values;

/// The nets of a search: constants, whose gradients are never computed.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a search has one of them, and its nets weigh far more"
)]
pub enum SearchNets {
    /// Normalisation by the running moments: every image is scored by itself.
    Running {
        /// Generator.
        generator: FrozenGenerator,
        /// Discriminator.
        discriminator: FrozenDiscriminator,
        /// Device with automatic differentiation.
        device: Device,
    },
    /// Normalisation by the moments of the batch, as the published program does: a score depends
    /// on the images it is computed with.
    Batch {
        /// Generator.
        generator: Box<Generator>,
        /// Discriminator.
        discriminator: Box<Discriminator>,
        /// Device with automatic differentiation.
        device: Device,
    },
}

/// Both losses of a batch of images, and what was asked for besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// R of every image.
    pub residual: Vec<f64>,
    /// D of every image; empty where it was not needed.
    pub discrimination: Vec<f64>,
    /// Gradient of `(1 − λ) R + λ D` with respect to the latents.
    pub gradient: Vec<f32>,
}

impl SearchNets {
    /// Nets that normalise by their running moments. `device` is one without differentiation.
    #[must_use]
    pub fn running(generator: &Generator, discriminator: &Discriminator, device: &Device) -> Self {
        Self::Running {
            generator: generator.frozen().differentiable(),
            discriminator: discriminator.frozen().differentiable(),
            device: device.clone().autodiff(),
        }
    }

    /// Nets that normalise by the moments of each batch.
    #[must_use]
    pub fn batch(generator: &Generator, discriminator: &Discriminator, device: &Device) -> Self {
        Self::Batch {
            generator: Box::new(generator.valid().train().no_grad()),
            discriminator: Box::new(discriminator.valid().train().no_grad()),
            device: device.clone().autodiff(),
        }
    }

    /// Images with a side of `size` on the search's device.
    #[must_use]
    pub fn images(&self, pixels: &[f32], size: usize) -> Tensor<4> {
        let (Self::Running { device, .. } | Self::Batch { device, .. }) = self;
        images(pixels, size, device)
    }

    /// Features f(x) of a batch.
    pub fn features(&mut self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Running { discriminator, .. } => discriminator.features(images),
            Self::Batch { discriminator, .. } => discriminator.by_batch(images).1,
        }
    }

    /// The pixels of G(z), one image after the other.
    #[must_use]
    pub fn draw(&mut self, z: &[f32], latent_size: usize) -> Vec<f32> {
        values(self.generated(self.latents(z, latent_size)))
    }

    fn latents(&self, z: &[f32], latent_size: usize) -> Tensor<2> {
        let (Self::Running { device, .. } | Self::Batch { device, .. }) = self;
        latents(z, latent_size, device)
    }

    fn generated(&mut self, z: Tensor<2>) -> Tensor<4> {
        match self {
            Self::Running { generator, .. } => generator.draw(z),
            Self::Batch { generator, .. } => generator.by_batch(z),
        }
    }

    /// Both losses at the latents `z`, without gradient.
    pub fn losses(&mut self, z: &[f32], images: &Tensor<4>, features: &Tensor<2>) -> Evaluation {
        let z = self.latents(z, z.len() / images.dims()[0]);
        let generated = self.generated(z);
        let residual = residual(images, generated.clone());
        let discrimination = discrimination(features, self.features(generated));
        Evaluation {
            residual: doubles(residual),
            discrimination: doubles(discrimination),
            gradient: Vec::new(),
        }
    }

    /// Losses and gradient at the latents `z`, for a weight λ of the discrimination loss; a part whose weight is zero
    /// is left out.
    pub fn evaluate(
        &mut self,
        z: &[f32],
        images: &Tensor<4>,
        features: &Tensor<2>,
        weight: f64,
    ) -> Evaluation {
        let z = self.latents(z, z.len() / images.dims()[0]).require_grad();
        let generated = self.generated(z.clone());
        let residual = residual(images, generated.clone());
        let mut evaluation = Evaluation {
            residual: doubles(residual.clone().detach()),
            ..Evaluation::default()
        };
        let mut loss = residual.sum() * (1.0 - weight);
        if weight > 0.0 {
            let part = discrimination(features, self.features(generated));
            evaluation.discrimination = doubles(part.clone().detach());
            loss = loss + part.sum() * weight;
        }
        let gradients = loss.backward();
        if let Some(gradient) = z.grad(&gradients) {
            evaluation.gradient = values(gradient);
        }
        evaluation
    }
}

/// R of every image, `[n]`.
fn residual(images: &Tensor<4>, generated: Tensor<4>) -> Tensor<1> {
    let n = images.dims()[0];
    let difference = (images.clone() - generated).abs().flatten::<2>(1, 3);
    difference.sum_dim(1).reshape([n])
}

/// D of every image, `[n]`.
fn discrimination(features: &Tensor<2>, generated: Tensor<2>) -> Tensor<1> {
    let n = features.dims()[0];
    (features.clone() - generated).abs().sum_dim(1).reshape([n])
}

fn doubles(tensor: Tensor<1>) -> Vec<f64> {
    values(tensor).into_iter().map(f64::from).collect()
}

/// How latents are moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SearchMethod {
    /// Adam on every latent, as published.
    Adam {
        /// Learning rate.
        learning_rate: f64,
    },
    /// Limited-memory BFGS with backtracking, every latent by itself.
    Lbfgs,
}

/// `(1 − λ) R + λ D`.
///
/// # Source
/// Schlegl et al. 2017, arXiv:1703.05921, Eq. (7).
#[must_use]
pub fn weighted_loss(weight: f64, residual: f64, discrimination: f64) -> f64 {
    (1.0 - weight) * residual + weight * discrimination
}

/// How long latents are moved, and by what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchRates {
    /// Weight λ of the discrimination loss, in 0..=1.
    pub discrimination_weight: f64,
    /// Most evaluations of a latent.
    pub iterations: u64,
    /// How latents are moved.
    pub method: SearchMethod,
    /// A latent stops when its loss fell by less than this share in [`PATIENCE`] evaluations;
    /// zero never stops.
    pub tolerance: f64,
}

/// Evaluations over which [`SearchRates::tolerance`] is judged.
pub const PATIENCE: u64 = 25;

/// Starting latents: normal, each from a stream of its own, so that an image's start does not
/// depend on which other images are searched.
#[must_use]
pub fn latent_starts(seed: Seed, item: usize, restarts: usize, latent_size: usize) -> Vec<f32> {
    let of_restart = |restart: usize| {
        let mut stream = seed.stream(&format!("search {item} {restart}"));
        (0..latent_size).map(move |_| stream.normal() as f32)
    };
    (0..restarts).flat_map(of_restart).collect()
}

/// A batch of latents being searched.
#[derive(Clone, Debug)]
pub struct SearchState {
    rates: SearchRates,
    latent_size: usize,
    iteration: u64,
    latents: Vec<f32>,
    movers: Movers,
    /// Loss of every latent where its patience began, and when.
    marks: Vec<(f64, u64)>,
    active: Vec<usize>,
    evaluations: u64,
}

#[derive(Clone, Debug)]
enum Movers {
    Adam { first: Vec<f32>, second: Vec<f32> },
    Lbfgs(Vec<Lbfgs>),
}

impl SearchState {
    /// A search that begins at `latents`, one after the other.
    #[must_use]
    pub fn new(rates: SearchRates, latents: Vec<f32>, latent_size: usize) -> Self {
        let count = latents.len() / latent_size;
        let movers = match rates.method {
            SearchMethod::Adam { .. } => Movers::Adam {
                first: vec![0.0; latents.len()],
                second: vec![0.0; latents.len()],
            },
            SearchMethod::Lbfgs => {
                Movers::Lbfgs(latents.chunks(latent_size).map(Lbfgs::new).collect())
            }
        };
        Self {
            rates,
            latent_size,
            iteration: 0,
            latents,
            movers,
            marks: vec![(f64::INFINITY, 0); count],
            active: (0..count).collect(),
            evaluations: 0,
        }
    }

    /// Goes on from [`SearchState::kept`]: an Adam search without tolerance.
    #[must_use]
    pub fn restored(
        rates: SearchRates,
        latent_size: usize,
        iteration: u64,
        [latents, first, second]: [Vec<f32>; 3],
    ) -> Self {
        let mut state = Self::new(rates, latents, latent_size);
        state.iteration = iteration;
        state.evaluations = iteration * state.active.len() as u64;
        state.movers = Movers::Adam { first, second };
        state
    }

    /// Latents and moments, of an Adam search in which no latent stops early.
    #[must_use]
    pub fn kept(&self) -> Option<[&[f32]; 3]> {
        match &self.movers {
            Movers::Adam { first, second } if self.rates.tolerance == 0.0 => {
                Some([&self.latents, first, second])
            }
            _ => None,
        }
    }

    /// The latents, one after the other.
    #[must_use]
    pub fn latents(&self) -> &[f32] {
        &self.latents
    }

    /// Iterations so far.
    #[must_use]
    pub fn iteration(&self) -> u64 {
        self.iteration
    }

    /// Evaluations of single images so far.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Whether every latent stopped or the iterations are used up.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.active.is_empty() || self.iteration >= self.rates.iterations
    }

    /// Evaluates every active latent once and moves it.
    ///
    /// `images` and `features` belong to all latents of the batch, in their order.
    pub fn iterate(&mut self, nets: &mut SearchNets, images: &Tensor<4>, features: &Tensor<2>) {
        let all = self.active.len() == images.dims()[0];
        let evaluation = if all {
            let z = self.trials(&self.active);
            nets.evaluate(&z, images, features, self.rates.discrimination_weight)
        } else {
            let chosen: Vec<i64> = self.active.iter().map(|&i| i as i64).collect();
            let chosen = Tensor::<1, burn::tensor::Int>::from_data(
                burn::tensor::TensorData::new(chosen.clone(), [chosen.len()]),
                &images.device(),
            );
            let z = self.trials(&self.active);
            nets.evaluate(
                &z,
                &images.clone().select(0, chosen.clone()),
                &features.clone().select(0, chosen),
                self.rates.discrimination_weight,
            )
        };
        self.iteration += 1;
        self.evaluations += self.active.len() as u64;
        let weight = self.rates.discrimination_weight;
        let loss = |at: usize| {
            let discrimination = evaluation.discrimination.get(at).copied().unwrap_or(0.0);
            weighted_loss(weight, evaluation.residual[at], discrimination)
        };
        for (at, &latent) in self.active.clone().iter().enumerate() {
            let range = at * self.latent_size..(at + 1) * self.latent_size;
            self.advance(latent, loss(at), &evaluation.gradient[range]);
        }
        self.retire((0..self.active.len()).map(loss).collect());
    }

    /// Where the latents are to be evaluated.
    fn trials(&self, active: &[usize]) -> Vec<f32> {
        let of_latent = |&latent: &usize| match &self.movers {
            Movers::Adam { .. } => {
                self.latents[latent * self.latent_size..(latent + 1) * self.latent_size].to_vec()
            }
            Movers::Lbfgs(movers) => movers[latent].trial(),
        };
        active.iter().flat_map(of_latent).collect()
    }

    fn advance(&mut self, latent: usize, loss: f64, gradient: &[f32]) {
        let range = latent * self.latent_size..(latent + 1) * self.latent_size;
        let own = &mut self.latents[range.clone()];
        match (&mut self.movers, self.rates.method) {
            (Movers::Adam { first, second }, SearchMethod::Adam { learning_rate }) => adam(
                own,
                gradient,
                (&mut first[range.clone()], &mut second[range]),
                learning_rate,
                self.iteration,
            ),
            (Movers::Lbfgs(movers), _) => {
                movers[latent].observe(loss, gradient);
                own.copy_from_slice(&movers[latent].best());
            }
            (Movers::Adam { .. }, SearchMethod::Lbfgs) => {}
        }
    }

    /// Drops the latents whose loss no longer falls.
    fn retire(&mut self, losses: Vec<f64>) {
        if self.rates.tolerance == 0.0 {
            return;
        }
        let mut still = Vec::with_capacity(self.active.len());
        for (&latent, loss) in self.active.iter().zip(losses) {
            let (mark, since) = self.marks[latent];
            if loss < mark * (1.0 - self.rates.tolerance) || mark.is_infinite() {
                self.marks[latent] = (loss, self.iteration);
            } else if self.iteration - since >= PATIENCE {
                continue;
            }
            still.push(latent);
        }
        self.active = still;
    }
}

/// One step of Adam with β (0.9, 0.999), PyTorch's defaults, which the published search uses.
fn adam(
    latent: &mut [f32],
    gradient: &[f32],
    (first, second): (&mut [f32], &mut [f32]),
    learning_rate: f64,
    step: u64,
) {
    const BETA: (f64, f64) = (0.9, 0.999);
    let power = step as f64;
    let rate = learning_rate / (1.0 - BETA.0.powf(power));
    let root = (1.0 - BETA.1.powf(power)).sqrt();
    for (((z, &g), m), v) in latent.iter_mut().zip(gradient).zip(first).zip(second) {
        let g = f64::from(g);
        *m = (BETA.0 * f64::from(*m) + (1.0 - BETA.0) * g) as f32;
        *v = (BETA.1 * f64::from(*v) + (1.0 - BETA.1) * g * g) as f32;
        let change = rate * f64::from(*m) / (f64::from(*v).sqrt() / root + 1e-8);
        *z = (f64::from(*z) - change) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adam_moves_by_the_learning_rate_at_first() {
        let (mut z, mut first, mut second) = ([1.0, -2.0], [0.0; 2], [0.0; 2]);
        adam(&mut z, &[3.0, -0.5], (&mut first, &mut second), 0.01, 1);
        // By hand: the first step of Adam is the learning rate against the gradient's sign.
        assert!(
            (z[0] - 0.99).abs() < 1e-6 && (z[1] + 1.99).abs() < 1e-6,
            "{z:?}"
        );
    }

    #[test]
    fn a_start_belongs_to_its_item() {
        let starts = latent_starts(Seed(3), 7, 2, 5);
        assert_eq!(starts.len(), 10);
        assert_eq!(starts[..5], latent_starts(Seed(3), 7, 1, 5)[..]);
        assert_ne!(starts[..5], latent_starts(Seed(3), 8, 1, 5)[..]);
    }
}
