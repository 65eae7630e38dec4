//! A score belongs to its image: what else is in the batch, and when the others stop, is nothing
//! to it, unless the moments of the batch are asked for.

use std::ops::Range;

use retrial_seed::Seed;

use super::small::{LATENT, architecture, drawn, pictures, trained};
use super::*;
use crate::weights::{self, Weights};

/// Latents, R and D.
type Found = (Vec<f32>, Vec<f64>, Vec<f64>);

fn rates(method: SearchMethod) -> SearchRates {
    SearchRates {
        discrimination_weight: 0.1,
        iterations: 5,
        method,
        tolerance: 0.0,
    }
}

const METHODS: [SearchMethod; 2] = [
    SearchMethod::Adam {
        learning_rate: 0.05,
    },
    SearchMethod::Lbfgs,
];

/// Searches some of the items in one batch.
fn search(
    nets: &mut SearchNets,
    rates: SearchRates,
    (pixels, size): (&[f32], usize),
    items: Range<usize>,
) -> (Found, u64) {
    let area = size * size;
    let images = nets.images(&pixels[items.start * area..items.end * area], size);
    let features = nets.features(images.clone());
    let starts = items.flat_map(|item| latent_starts(Seed(5), item, 1, LATENT));
    let mut state = SearchState::new(rates, starts.collect(), LATENT);
    while !state.is_done() {
        state.iterate(nets, &images, &features);
    }
    let losses = nets.losses(state.latents(), &images, &features);
    let found = (
        state.latents().to_vec(),
        losses.residual,
        losses.discrimination,
    );
    (found, state.evaluations())
}

fn one_by_one(
    nets: &mut SearchNets,
    rates: SearchRates,
    (pixels, size): (&[f32], usize),
    count: usize,
) -> (Found, Vec<u64>) {
    let (mut all, mut evaluations) = (Found::default(), Vec::new());
    for item in 0..count {
        let (found, needed) = search(nets, rates, (pixels, size), item..item + 1);
        all.0.extend(found.0);
        all.1.extend(found.1);
        all.2.extend(found.2);
        evaluations.push(needed);
    }
    (all, evaluations)
}

#[test]
fn a_batch_of_one_and_a_batch_of_64_agree_bit_for_bit() {
    let narrow = architecture(64, Normalisation::Batch);
    let wide = Architecture {
        width: 16,
        ..architecture(28, Normalisation::Batch)
    };
    for architecture in [narrow, wide] {
        let training = trained(architecture);
        let size = architecture.image_size;
        let pixels = pictures(64, size);
        let device = crate::testing::device();
        let mut nets = SearchNets::running(training.generator(), training.discriminator(), &device);
        for method in METHODS {
            let (together, _) = search(&mut nets, rates(method), (&pixels, size), 0..64);
            let (alone, _) = one_by_one(&mut nets, rates(method), (&pixels, size), 64);
            assert!(together == alone, "{method:?} at {size} px");
            let moved = latent_starts(Seed(5), 0, 1, LATENT);
            assert_ne!(together.0[..LATENT], moved, "the search moved the latent");
        }
    }
}

#[test]
fn the_moments_of_the_batch_couple_its_images() {
    let training = trained(architecture(28, Normalisation::Batch));
    let device = crate::testing::device();
    let pixels = pictures(4, 28);
    let mut nets = SearchNets::batch(training.generator(), training.discriminator(), &device);
    let adam = rates(METHODS[0]);
    let (together, _) = search(&mut nets, adam, (&pixels, 28), 0..4);
    let (alone, _) = one_by_one(&mut nets, adam, (&pixels, 28), 4);
    let apart = |a: &[f64], b: &[f64]| {
        let pairs = a.iter().zip(b);
        pairs.fold(0.0_f64, |most, (a, b)| most.max((a / b - 1.0).abs()))
    };
    assert!(apart(&together.1, &alone.1) > 1e-4, "R");
    assert!(apart(&together.2, &alone.2) > 1e-4, "D");
}

#[test]
fn latents_that_stop_early_leave_the_others_alone() {
    let training = trained(architecture(28, Normalisation::Batch));
    let device = crate::testing::device();
    // Images that are within reach, so that losses fall for a while.
    let pixels = training.draw(&drawn(6, "hidden"));
    let mut nets = SearchNets::running(training.generator(), training.discriminator(), &device);
    for method in METHODS {
        let rates = SearchRates {
            iterations: 150,
            tolerance: 0.02,
            ..rates(method)
        };
        let (together, evaluations) = search(&mut nets, rates, (&pixels, 28), 0..6);
        let (alone, each) = one_by_one(&mut nets, rates, (&pixels, 28), 6);
        assert!(together == alone, "{method:?}");
        assert_eq!(evaluations, each.iter().sum::<u64>(), "{method:?}");
        assert!(each.iter().any(|&own| own < 150), "{method:?}: {each:?}");
        let apart = each.iter().any(|own| *own != each[0]);
        assert!(apart, "{method:?}: all stop together: {each:?}");
    }
}

#[test]
fn a_search_that_is_written_down_goes_on_bit_for_bit() {
    let training = trained(architecture(28, Normalisation::Batch));
    let device = crate::testing::device();
    let mut nets = SearchNets::running(training.generator(), training.discriminator(), &device);
    let images = nets.images(&pictures(3, 28), 28);
    let features = nets.features(images.clone());
    let rates = SearchRates {
        iterations: 10,
        ..rates(METHODS[0])
    };
    let mut straight = SearchState::new(rates, drawn(3, "start"), LATENT);
    let mut first = straight.clone();
    while !straight.is_done() {
        straight.iterate(&mut nets, &images, &features);
    }
    for _ in 0..4 {
        first.iterate(&mut nets, &images, &features);
    }
    let kept = first.kept().expect("Adam without tolerance");
    let mut second = SearchState::restored(rates, LATENT, 4, kept.map(<[f32]>::to_vec));
    while !second.is_done() {
        second.iterate(&mut nets, &images, &features);
    }
    assert_eq!(second.kept(), straight.kept());
    assert_eq!(second.evaluations(), straight.evaluations());
    let lbfgs = SearchState::new(
        SearchRates {
            method: SearchMethod::Lbfgs,
            ..rates
        },
        drawn(3, "start"),
        LATENT,
    );
    assert_eq!(lbfgs.kept(), None, "its memory is not written down");
}

/// Weights whose running moments are exactly those of the batch seen again and again: the
/// variance is kept unbiased, while a batch is normalised by the biased one.
fn settled(mut weights: Weights, images: usize, size: usize) -> Weights {
    let mut changed = 0;
    for (name, array) in &mut weights {
        if name.ends_with("running") {
            let channels = array.shape[1];
            // Side times channels is the same in every layer of a net of width 2.
            let side = size / channels;
            let count = (images * side * side) as f32;
            for variance in &mut array.values[channels..] {
                *variance *= (count - 1.0) / count;
            }
            changed += 1;
        }
    }
    assert_eq!(changed, 3, "normalisations");
    weights
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b);
    pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

#[test]
fn frozen_nets_are_those_of_the_batch_where_the_moments_are() {
    // Share of the old moments after 300 batches: 0.9³⁰⁰ ≈ 2e-14.
    let training = trained(architecture(32, Normalisation::Batch));
    let (plain, device) = (crate::testing::device(), training.device());
    let z = drawn(6, "z");
    let mut generator = training.generator().clone();
    for _ in 0..300 {
        generator.by_batch(latents(&z, LATENT, device));
    }
    let by_batch = weights::values(generator.by_batch(latents(&z, LATENT, device)));
    let settled_weights = settled(weights::collect(&generator), 6, 32);
    let unsettled = generator.frozen();
    let generator = weights::apply(generator, &settled_weights).expect("the same net");
    let draw = |net: &FrozenGenerator| weights::values(net.draw(latents(&z, LATENT, &plain)));
    let frozen = draw(&generator.frozen());
    let apart = largest_difference(&frozen, &by_batch);
    assert!(apart < 1e-5, "{apart}");
    assert!(largest_difference(&draw(&unsettled), &by_batch) > 1e-5);

    let pixels = pictures(6, 32);
    let mut discriminator = training.discriminator().clone();
    for _ in 0..300 {
        discriminator.by_batch(images(&pixels, 32, device));
    }
    let (_, features) = discriminator.by_batch(images(&pixels, 32, device));
    let settled_weights = settled(weights::collect(&discriminator), 6, 32);
    let discriminator = weights::apply(discriminator, &settled_weights).expect("the same net");
    let frozen = discriminator.frozen().features(images(&pixels, 32, &plain));
    let apart = largest_difference(&weights::values(frozen), &weights::values(features));
    assert!(apart < 1e-4, "{apart}");
}
