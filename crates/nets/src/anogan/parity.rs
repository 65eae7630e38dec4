//! Against PyTorch, value by value: two training steps and a search of a narrow copy of the
//! published nets. The tensors are made by PyTorch 2 with one thread and seed 3; biases in front
//! of a batch normalisation are left out, because their gradient is rounding noise.

#![cfg(test)]

use retrial_seed::Seed;

use super::training::{GanRates, GanTraining};
use super::*;
use crate::adam::AdamRates;
use crate::testing::mirrored;
use crate::weights::{self, Weights, safetensors};

fn tensors() -> Weights {
    let bytes = mirrored("parity_anogan/anogan_c4.safetensors");
    safetensors::read(&bytes).expect("the file is whole")
}

fn rates(learning_rate: f64) -> AdamRates {
    AdamRates {
        learning_rate,
        beta1: 0.0,
        beta2: 0.9,
    }
}

/// The training with PyTorch's weights under `prefix`.
fn training(torch: &Weights, prefix: &str) -> GanTraining {
    let architecture = Architecture {
        image_size: 64,
        width: 4,
        latent_size: 20,
        normalisation: Normalisation::Batch,
    };
    let rates = GanRates {
        batch_size: 6,
        generator: rates(1e-4),
        discriminator: rates(4e-4),
        loss: GanLoss::CrossEntropy { real_label: 1.0 },
        instance_noise: 0.0,
    };
    let mut training = GanTraining::new(
        architecture,
        rates,
        Initialisation::Torch,
        Seed(0),
        &crate::testing::device(),
    )
    .expect("a known size");
    let mut state = training.state();
    let generator = torch::generator_from(&weights::part(torch, &format!("{prefix}g.")));
    let discriminator = torch::discriminator_from(&weights::part(torch, &format!("{prefix}d.")));
    state.weights = weights::prefixed(generator.expect("complete"), "generator.")
        .chain(weights::prefixed(
            discriminator.expect("complete"),
            "discriminator.",
        ))
        .collect();
    training.restore(&state).expect("the same nets");
    training
}

/// Largest difference over the largest value.
fn difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let apart = ours.iter().zip(theirs);
    apart.fold(0.0_f32, |m, (a, b)| m.max((a - b).abs())) / largest
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn two_training_steps_are_those_of_pytorch() {
    let torch = tensors();
    let mut training = training(&torch, "init.");
    let x = images(&torch["x"].values, 64, training.device());
    let z = |name: &str| latents(&torch[name].values, 20, training.device());
    let (z1, z2) = (z("z1"), z("z2"));
    let fake = training.generator().clone().by_batch(z1.clone());
    assert!(difference(&weights::values(fake), &torch["s1.fake"].values) < 1e-5);
    let (logits, features) = training.discriminator().clone().by_batch(x.clone());
    assert!(difference(&weights::values(logits), &torch["s1.logit_real"].values) < 1e-5);
    let sum = |values: &[f32]| values.iter().map(|v| f64::from(v.abs())).sum::<f64>();
    let (ours, theirs) = (
        sum(&weights::values(features)),
        sum(&torch["s1.feat_real"].values),
    );
    assert!((ours / theirs - 1.0).abs() < 1e-6, "{ours} {theirs}");
    for step in 1..=2 {
        let losses = training.step(
            x.clone(),
            [z1.clone(), z2.clone()],
            &mut Seed(0).stream("none"),
        );
        let near = |ours: f64, name: &str| {
            let theirs = f64::from(torch[&format!("s{step}.{name}")].values[0]);
            assert!(
                (ours / theirs - 1.0).abs() < 1e-4,
                "step {step}, {name}: {ours} {theirs}"
            );
        };
        near(losses.discriminator, "d_loss");
        near(losses.generator, "g_loss");
        if step == 1 {
            // With β₁ = 0 the first moment is the gradient.
            let moments = training.state().moments;
            gradients_agree(&moments, &torch);
        }
    }
}

fn gradients_agree(moments: &Weights, torch: &Weights) {
    let mut checked = 0;
    for (net, prefix, layers) in [("g", "net", 5), ("d", "feat", 4)] {
        for layer in 0..layers {
            for (place, ours) in [(3 * layer, "kernel"), (3 * layer + 1, "affine")] {
                let name = format!("s1.grad.{net}.{prefix}.{place}.weight");
                let Some(theirs) = torch.get(&name) else {
                    continue;
                };
                let own = own_name(net, layer, layers, ours);
                let own = &moments[&own].values;
                let length = theirs.values.len();
                // Sorted, because the layouts differ; a scale stands before its shift.
                let sorted = |values: &[f32]| {
                    let mut values = values.to_vec();
                    values.sort_by(f32::total_cmp);
                    values
                };
                let apart = difference(&sorted(&own[..length]), &sorted(&theirs.values));
                assert!(apart < 2e-4, "{name}: {apart}");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 17, "five and four kernels, four and four scales");
}

fn own_name(net: &str, layer: usize, layers: usize, part: &str) -> String {
    let name = match (net, layer, part) {
        ("g", 0, "kernel") => "generator.project".to_owned(),
        ("g", 0, _) => "generator.norm.affine".to_owned(),
        ("g", _, "kernel") if layer + 1 == layers => "generator.last".to_owned(),
        ("g", _, "kernel") => format!("generator.layers.{}.kernel", layer - 1),
        ("g", _, _) => format!("generator.layers.{}.norm.affine", layer - 1),
        (_, _, "kernel") => format!("discriminator.layers.{layer}.kernel"),
        _ => format!("discriminator.layers.{layer}.norm.affine"),
    };
    match name.split_once('.') {
        Some((net, rest)) => format!("{net}.first.{rest}"),
        None => name,
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn searches_are_those_of_pytorch() {
    let torch = tensors();
    let training = training(&torch, "s2.");
    let device = crate::testing::device();
    for (word, mut nets, tolerance) in [
        (
            "eval",
            SearchNets::running(training.generator(), training.discriminator(), &device),
            1e-4,
        ),
        (
            "train",
            SearchNets::batch(training.generator(), training.discriminator(), &device),
            1e-4,
        ),
    ] {
        let rates = SearchRates {
            discrimination_weight: 0.1,
            iterations: 5,
            method: SearchMethod::Adam {
                learning_rate: 1e-2,
            },
            tolerance: 0.0,
        };
        let x = nets.images(&torch["x"].values, 64);
        let features = nets.features(x.clone());
        let mut state = SearchState::new(rates, torch["z1"].values.clone(), 20);
        while !state.is_done() {
            state.iterate(&mut nets, &x, &features);
        }
        let losses = nets.losses(state.latents(), &x, &features);
        let near = |ours: &[f64], name: &str| {
            let ours: Vec<f32> = ours.iter().map(|&v| v as f32).collect();
            let apart = difference(&ours, &torch[&format!("search.{word}.{name}")].values);
            assert!(apart < tolerance, "{word} {name}: {apart}");
        };
        near(&losses.residual, "r");
        near(&losses.discrimination, "d");
        let z: Vec<f64> = state.latents().iter().map(|&v| f64::from(v)).collect();
        near(&z, "z");
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn weights_go_to_pytorch_and_back() {
    let torch = tensors();
    let generator = torch::generator_from(&weights::part(&torch, "s2.g.")).expect("complete");
    let out = torch::generator_to(&generator, 4).expect("complete");
    assert_eq!(torch::generator_from(&out), Ok(generator));
    let discriminator = torch::discriminator_from(&weights::part(&torch, "s2.d."));
    let discriminator = discriminator.expect("complete");
    let out = torch::discriminator_to(&discriminator, 4).expect("complete");
    assert_eq!(torch::discriminator_from(&out), Ok(discriminator));
    let original = &torch["s2.d.feat.3.weight"];
    assert_eq!(&out["feat.3.weight"], original);
    let bytes = safetensors::write(&out).expect("consistent");
    assert_eq!(safetensors::read(&bytes).expect("whole"), out);
}
