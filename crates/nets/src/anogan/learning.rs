//! Nets learn what they are given, a search finds what is there, and broken numbers end no
//! process.

use retrial_seed::Seed;

use super::small::{LATENT, adam, architecture, drawn, fresh, gan_rates, pictures, trained};
use super::*;
use crate::weights;

const SIZE: usize = 28;

#[test]
fn every_variant_of_the_gan_trains_with_finite_losses() {
    let pixels = pictures(8, SIZE);
    for normalisation in [
        Normalisation::Batch,
        Normalisation::None,
        Normalisation::Spectral,
    ] {
        for loss in [GanLoss::CrossEntropy { real_label: 0.9 }, GanLoss::Hinge] {
            for start in [Initialisation::Torch, Initialisation::Dcgan] {
                let rates = GanRates {
                    loss,
                    instance_noise: 0.1,
                    ..gan_rates()
                };
                let architecture = architecture(SIZE, normalisation);
                let device = crate::testing::device();
                let training = GanTraining::new(architecture, rates, start, Seed(1), &device);
                let mut training = training.expect("a known size");
                let before = training.state().weights;
                let mut losses = EpochLosses::default();
                for epoch in 1..=3 {
                    losses = training.epoch(epoch, &pixels);
                }
                let all = [
                    losses.discriminator,
                    losses.generator,
                    losses.real,
                    losses.fake,
                ];
                let what = format!("{normalisation:?} {loss:?} {start:?}: {losses:?}");
                assert!(all.iter().all(|value| value.is_finite()), "{what}");
                assert!((0.0..=1.0).contains(&losses.real), "{what}");
                assert!((0.0..=1.0).contains(&losses.fake), "{what}");
                let after = training.state().weights;
                // Within both margins the hinge loss pulls the last bias both ways alike.
                let idle =
                    |name: &str| loss == GanLoss::Hinge && name == "discriminator.critic_bias";
                let still: Vec<&String> = before
                    .iter()
                    .filter(|(name, _)| !idle(name))
                    .filter(|(name, array)| after[*name] == **array)
                    .map(|(name, _)| name)
                    .collect();
                assert!(still.is_empty(), "{what}: {still:?} did not move");
                let has = |part: &str| before.keys().any(|name| name.ends_with(part));
                assert_eq!(
                    has("0.singular"),
                    normalisation == Normalisation::Spectral,
                    "{what}"
                );
                let biased = before.contains_key("discriminator.layers.0.bias");
                assert_eq!(biased, normalisation != Normalisation::Batch, "{what}");
            }
        }
    }
}

#[test]
fn weights_start_as_the_sources_say() {
    let wide = Architecture {
        width: 16,
        ..architecture(SIZE, Normalisation::Batch)
    };
    let kernel = |start| {
        let device = crate::testing::device();
        let training = GanTraining::new(wide, gan_rates(), start, Seed(1), &device);
        let weights = training.expect("a known size").state().weights;
        weights["discriminator.layers.1.kernel"].values.clone()
    };
    let sd = |values: &[f32]| {
        let sum: f64 = values.iter().map(|&v| f64::from(v).powi(2)).sum();
        (sum / values.len() as f64).sqrt()
    };
    // 4 · 4 · 16 products a sum: uniform in ±1/16, whose deviation is 1/(16 √3).
    let torch = kernel(Initialisation::Torch);
    assert!(torch.iter().all(|v| v.abs() <= 1.0 / 16.0));
    assert!((sd(&torch) * 16.0 * 3.0_f64.sqrt() - 1.0).abs() < 0.03);
    assert!((sd(&kernel(Initialisation::Dcgan)) / 0.02 - 1.0).abs() < 0.03);
}

#[test]
fn an_encoder_learns_eight_images_by_heart() {
    let gan = trained(architecture(SIZE, Normalisation::Batch));
    let (generator, discriminator) = (gan.generator().frozen(), gan.discriminator().frozen());
    // Images that the generator can draw, so that the loss has no floor.
    let pixels = gan.draw(&drawn(8, "faces"));
    let rates = EncoderRates {
        loss: EncoderLoss::Izi,
        batch_size: 8,
        adam: adam(1e-2),
    };
    let mut training = EncoderTraining::new(
        architecture(SIZE, Normalisation::Batch),
        rates,
        (&generator, &discriminator),
        Seed(3),
        &crate::testing::device(),
    )
    .expect("a known size");
    // Apart from what the training says of itself: images against G(E(x)).
    let apart = |training: &EncoderTraining| {
        let all = (&training.frozen(), &generator, &discriminator);
        let x = images(&pixels, SIZE, &crate::testing::device());
        compare(all, x, Difference::Squared)
            .residual
            .iter()
            .sum::<f64>()
    };
    let before = apart(&training);
    let losses: Vec<f64> = (1..=80).map(|at| training.epoch(at, &pixels)).collect();
    assert!(losses[79] < losses[0] / 2.0, "{} {}", losses[0], losses[79]);
    let after = apart(&training);
    assert!(after < before / 2.0, "{before} {after}");
}

#[test]
fn a_latent_is_found_again_and_sooner_by_lbfgs() {
    let gan = trained(architecture(SIZE, Normalisation::Batch));
    let count = 4;
    let pixels = gan.draw(&drawn(count, "hidden"));
    let device = crate::testing::device();
    let mut nets = SearchNets::running(gan.generator(), gan.discriminator(), &device);
    let images = nets.images(&pixels, SIZE);
    let features = nets.features(images.clone());
    let starts: Vec<f32> = (0..count)
        .flat_map(|item| latent_starts(Seed(9), item, 1, LATENT))
        .collect();
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    let first = sum(&nets.losses(&starts, &images, &features).residual);
    // Total residual after every evaluation of the whole batch.
    let mut residuals = |method| {
        let rates = SearchRates {
            discrimination_weight: 0.0,
            iterations: 200,
            method,
            tolerance: 0.0,
        };
        let mut state = SearchState::new(rates, starts.clone(), LATENT);
        let mut residuals = Vec::new();
        while !state.is_done() {
            state.iterate(&mut nets, &images, &features);
            let losses = nets.losses(state.latents(), &images, &features);
            residuals.push(sum(&losses.residual));
        }
        residuals
    };
    let adam = residuals(SearchMethod::Adam {
        learning_rate: 0.05,
    });
    let lbfgs = residuals(SearchMethod::Lbfgs);
    assert!(adam[199] < 0.2 * first, "{} of {first}", adam[199]);
    let needed = |residuals: &[f64]| residuals.iter().position(|r| *r < 0.2 * first);
    let (by_adam, by_lbfgs) = (needed(&adam), needed(&lbfgs));
    assert!(
        by_lbfgs.is_some() && by_lbfgs < by_adam,
        "{by_lbfgs:?} and {by_adam:?} evaluations"
    );
}

#[test]
fn numbers_that_are_none_end_in_a_loss_and_no_panic() {
    let mut pixels = pictures(4, SIZE);
    pixels[10] = f32::NAN;
    let batch = architecture(SIZE, Normalisation::Batch);
    let device = crate::testing::device();
    for normalisation in [
        Normalisation::Batch,
        Normalisation::None,
        Normalisation::Spectral,
    ] {
        let mut training = fresh(architecture(SIZE, normalisation), gan_rates());
        training.epoch(1, &pixels);
        assert!(training.epoch(2, &pixels).discriminator.is_nan());
    }
    let gan = trained(batch);
    let (generator, discriminator) = (gan.generator().frozen(), gan.discriminator().frozen());
    let rates = EncoderRates {
        loss: EncoderLoss::IziF { kappa: 1.0 },
        batch_size: 4,
        adam: adam(1e-3),
    };
    let nets = (&generator, &discriminator);
    let mut encoder =
        EncoderTraining::new(batch, rates, nets, Seed(0), &device).expect("a known size");
    assert!(encoder.epoch(1, &pixels).is_nan());
    let rates = GanomalyRates {
        batch_size: 4,
        adam: adam(1e-3),
        weights: [1.0, 50.0, 1.0],
    };
    let mut ganomaly = GanomalyTraining::new(batch, rates, Seed(0), &device).expect("a known size");
    assert!(ganomaly.epoch(1, &pixels).generator.is_nan());

    let mut nets = SearchNets::running(gan.generator(), gan.discriminator(), &device);
    let images = nets.images(&pixels, SIZE);
    let features = nets.features(images.clone());
    for method in [
        SearchMethod::Adam { learning_rate: 0.1 },
        SearchMethod::Lbfgs,
    ] {
        let rates = SearchRates {
            discrimination_weight: 0.1,
            iterations: 40,
            method,
            tolerance: 0.01,
        };
        let mut state = SearchState::new(rates, drawn(4, "start"), LATENT);
        while !state.is_done() {
            state.iterate(&mut nets, &images, &features);
        }
        let losses = nets.losses(state.latents(), &images, &features);
        assert!(losses.residual[0].is_nan(), "{method:?}");
        let others = &losses.residual[1..];
        assert!(others.iter().all(|r| r.is_finite()), "{method:?}");
    }
}

#[test]
fn a_far_too_large_rate_ends_in_no_panic() {
    let rates = GanRates {
        generator: adam(1e30),
        discriminator: adam(1e30),
        ..gan_rates()
    };
    let mut training = fresh(architecture(SIZE, Normalisation::None), rates);
    let pixels = pictures(8, SIZE);
    let losses: Vec<EpochLosses> = (1..=3).map(|at| training.epoch(at, &pixels)).collect();
    assert!(!losses[2].discriminator.is_finite(), "{losses:?}");
    let drawn = training.draw(&drawn(2, "z"));
    assert_eq!(drawn.len(), 2 * SIZE * SIZE);
}

#[test]
fn a_net_draws_the_same_in_pieces_and_at_once() {
    let gan = trained(architecture(SIZE, Normalisation::Batch));
    // More than one piece of 64.
    let z = drawn(70, "many");
    let together = gan.draw(&z);
    let alone: Vec<f32> = z.chunks(LATENT).flat_map(|z| gan.draw(z)).collect();
    assert!(together == alone);
    let device = crate::testing::device();
    let all = gan.generator().frozen().draw(latents(&z, LATENT, &device));
    assert!(weights::values(all) == together);
    assert!(together.iter().all(|v| v.abs() <= 1.0));
}
