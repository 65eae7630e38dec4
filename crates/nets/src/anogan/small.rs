//! Small nets, pictures and rates that the tests of this module share.

use retrial_seed::Seed;

use super::*;
use crate::adam::AdamRates;

/// Length of the latents.
pub(super) const LATENT: usize = 4;

pub(super) fn architecture(image_size: usize, normalisation: Normalisation) -> Architecture {
    Architecture {
        image_size,
        width: 2,
        latent_size: LATENT,
        normalisation,
    }
}

pub(super) fn adam(learning_rate: f64) -> AdamRates {
    AdamRates {
        learning_rate,
        beta1: 0.5,
        beta2: 0.999,
    }
}

pub(super) fn gan_rates() -> GanRates {
    GanRates {
        batch_size: 4,
        generator: adam(1e-3),
        discriminator: adam(4e-4),
        loss: GanLoss::CrossEntropy { real_label: 1.0 },
        instance_noise: 0.0,
    }
}

pub(super) fn fresh(architecture: Architecture, rates: GanRates) -> GanTraining {
    let device = crate::testing::device();
    GanTraining::new(
        architecture,
        rates,
        Initialisation::Torch,
        Seed(11),
        &device,
    )
    .expect("a known size")
}

/// A GAN after a few epochs, whose running moments are those of no single batch.
pub(super) fn trained(architecture: Architecture) -> GanTraining {
    let mut training = fresh(architecture, gan_rates());
    let pixels = pictures(12, architecture.image_size);
    for epoch in 1..=4 {
        training.epoch(epoch, &pixels);
    }
    training
}

/// Discs of different size and place, in −1..1.
pub(super) fn pictures(count: usize, size: usize) -> Vec<f32> {
    let mut stream = Seed(7).stream("pictures");
    let mut pixels = Vec::with_capacity(count * size * size);
    for _ in 0..count {
        let side = size as f64;
        let mut within = |low: f64, high: f64| side * (low + (high - low) * stream.uniform());
        let (x, y) = (within(0.3, 0.7), within(0.3, 0.7));
        let radius = within(0.1, 0.3);
        for row in 0..size {
            for column in 0..size {
                let distance = (row as f64 - y).hypot(column as f64 - x);
                pixels.push((radius - distance).clamp(-1.0, 1.0) as f32);
            }
        }
    }
    pixels
}

/// Normal latents, one after the other.
pub(super) fn drawn(count: usize, stream: &str) -> Vec<f32> {
    let mut stream = Seed(13).stream(stream);
    (0..count * LATENT)
        .map(|_| stream.normal() as f32)
        .collect()
}
