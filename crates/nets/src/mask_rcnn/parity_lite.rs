//! EfficientNet-Lite0 against the code of PyPI's `efficientnet-lite-pytorch` 0.1.0 with PyTorch 2.15:
//! the maps of every stage and gradients, by running moments and by those of the batch.
//!
//! Weights and pictures follow a formula, so that no file is needed; the numbers are those that
//! `benches/peers/efficientnet_lite0.py` prints, computed there in 64 bits. The weights of the wheel
//! are compared in the study.

#![cfg(test)]

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::backbone::BackboneNet;
use super::given::{EFFICIENTNET, drawn};
use super::torch::{TorchError, from_named, to_named};
use super::*;
use crate::fit::gradients::each;
use crate::weights::{self, NamedArray, Weights, values};

const BACKBONE: Backbone = Backbone {
    family: Family::EfficientnetLite0,
    width: 64,
    normalisation: Normalisation::Running,
};
const IMAGES: [usize; 4] = [2, 64, 96, 3];
/// Smaller ones, whose gradients are compared.
///
/// A rectifier has no gradient at 0 and 6. One of a million activations that is nearer to them than
/// 32 bits tell turns the gradients of all layers before it by up to a hundredth, PyTorch's own
/// among them. So pictures were searched that keep away from them; by the moments of the batch
/// there are none for the whole net, and its first stage and its last block are looked at apart.
const SMALL: [usize; 4] = [2, 32, 64, 3];
const PLACES: usize = 6;

/// Root mean square of the maps of each stage, and values of them.
type Maps = [[f64; PLACES + 1]; 4];
/// Norms of gradients by the package's names.
type Norms = [(&'static str, f64)];

const RUNNING: Maps = [
    [
        3.5209231e+00,
        4.9140624e+00,
        2.2207802e+00,
        3.2568917e+00,
        6.1668595e-01,
        9.7734548e-01,
        4.3850030e+00,
    ],
    [
        3.9085402e+00,
        -3.7091033e+00,
        1.7491974e+00,
        1.5666017e+00,
        1.7366319e+00,
        -2.0675793e-01,
        -3.1852893e+00,
    ],
    [
        4.5031067e+00,
        -6.3890361e+00,
        -3.0750931e+00,
        4.8349360e+00,
        -4.2578382e+00,
        2.7683549e+00,
        1.0694308e+00,
    ],
    [
        2.8921242e+00,
        -4.9042946e+00,
        -1.4673219e+00,
        3.1966246e+00,
        1.3065764e+00,
        -5.5671168e+00,
        -2.7942239e+00,
    ],
];
const RUNNING_NORMS: &Norms = &[
    ("_conv_stem.weight", 9.145758e-01),
    ("_bn0.weight", 1.708356e-01),
    ("_bn0.bias", 1.942287e-01),
    ("_blocks.0._depthwise_conv.weight", 6.439959e-01),
    ("_blocks.0._project_conv.weight", 9.462287e-01),
    ("_blocks.1._expand_conv.weight", 8.243060e-01),
    ("_blocks.1._depthwise_conv.weight", 5.498845e-01),
    ("_blocks.1._bn1.weight", 1.985221e-01),
    ("_blocks.3._depthwise_conv.weight", 9.636808e-01),
    ("_blocks.7._bn0.bias", 1.273477e-02),
    ("_blocks.11._depthwise_conv.weight", 1.214707e-01),
    ("_blocks.13._bn2.weight", 1.498215e-02),
    ("_blocks.15._project_conv.weight", 7.644058e-01),
];
const BATCH: Maps = [
    [
        1.5110728e+00,
        -4.1407113e-01,
        7.0275987e-01,
        -2.0926545e+00,
        -5.1766690e-01,
        3.5487116e-02,
        -7.7935171e-01,
    ],
    [
        1.5467680e+00,
        2.1170845e+00,
        -2.5272411e+00,
        3.8648841e+00,
        -1.1251391e+00,
        -2.1435434e+00,
        1.6052356e-01,
    ],
    [
        1.8132079e+00,
        2.9439585e+00,
        -3.3943161e+00,
        -2.3826956e+00,
        -1.1232597e+00,
        -5.7415346e-01,
        -3.1526080e+00,
    ],
    [
        1.0671861e+00,
        4.3557488e-02,
        1.6943186e+00,
        -1.3143728e+00,
        -9.2077899e-01,
        -1.9655229e-01,
        -1.3020963e+00,
    ],
];
/// Of the maps of the first stage alone.
const FIRST_BATCH_NORMS: &Norms = &[
    ("_conv_stem.weight", 1.015129e-01),
    ("_bn0.weight", 3.919282e-03),
    ("_bn0.bias", 1.612416e-02),
    ("_blocks.0._depthwise_conv.weight", 7.132089e-02),
    ("_blocks.0._project_conv.weight", 8.944148e-02),
    ("_blocks.1._expand_conv.weight", 6.111704e-02),
    ("_blocks.1._depthwise_conv.weight", 3.526126e-02),
    ("_blocks.1._bn1.weight", 1.457019e-02),
];
/// Of the maps of all stages.
const LAST_BATCH_NORMS: &Norms = &[
    ("_blocks.15._bn1.bias", 8.232186e-03),
    ("_blocks.15._project_conv.weight", 2.547746e-01),
];
/// Running mean and variance of four channels of `_blocks.5._bn1` behind the batch.
const REMEMBERED: [[f64; 4]; 2] = [
    [1.1294667e-01, -6.5276095e-02, 2.4759803e-01, 1.3903663e-01],
    [1.1266177e+00, 1.1900370e+00, 1.1615291e+00, 1.0488235e+00],
];

/// Share by which norms of gradients may differ.
const NORM_TOLERANCE: f64 = 1e-4;

/// Values from −1 to 1.
fn noise(name: &str, length: usize) -> impl Iterator<Item = f64> {
    let seed = name
        .bytes()
        .fold(0, |seed, byte| (31 * seed + u64::from(byte)) % 65521);
    (0..length as u64).map(move |i| {
        let value = (7919 * i + 131 * seed + i * i % 8191) % 2003;
        value as f64 / 1001.5 - 1.0
    })
}

fn formula(name: &str, shape: &[usize]) -> Vec<f32> {
    let scaled = |from: f64, by: f64| move |value: f64| (from + by * value) as f32;
    let scaled: Box<dyn Fn(f64) -> f32> = match shape {
        &[_, a, y, x] => Box::new(scaled(0.0, (6.0 / (a * y * x) as f64).sqrt())),
        _ if name.ends_with("running_mean") => Box::new(scaled(0.0, 0.2)),
        _ if name.ends_with("bias") => Box::new(scaled(0.0, 0.3)),
        _ => Box::new(scaled(1.0, 0.5)),
    };
    noise(name, shape.iter().product()).map(scaled).collect()
}

/// The weights by the package's names.
fn torch_weights() -> Weights {
    let device = crate::testing::device();
    let like = weights::prefixed(weights::collect(&drawn(BACKBONE, &device)), "body.");
    let mut torch = to_named(&like.collect(), EFFICIENTNET);
    for (name, array) in &mut torch {
        array.values = formula(name, &array.shape);
    }
    torch
}

fn near(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!(
        (ours - theirs).abs() <= tolerance,
        "{what}: {ours} {theirs}"
    );
}

fn formula_body(device: &Device) -> BackboneNet {
    let given = given_body(&torch_weights(), BACKBONE, device).expect("all weights");
    let own = weights::part(&given, "body.");
    weights::apply(drawn(BACKBONE, device), &own).expect("of this body")
}

fn pictures(name: &str, sides: [usize; 4], device: &Device) -> Tensor<4> {
    let values: Vec<f32> = noise(name, sides.iter().product())
        .map(|value| (1.5 * value) as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, sides), device)
}

fn maps_are_the_packages(normalisation: Normalisation, maps: &Maps) {
    let device = crate::testing::device();
    let mut body = formula_body(&device);
    let found = body.forward(pictures("images", IMAGES, &device), normalisation);
    for (stage, map) in found.into_iter().enumerate() {
        let dims = map.dims();
        let channels = BACKBONE.channels()[stage];
        assert_eq!(dims, [2, 16 >> stage, 24 >> stage, channels]);
        let all = values(map.clone().detach());
        let square: f64 = all.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        let root = (square / all.len() as f64).sqrt();
        let theirs = maps[stage];
        near(root, theirs[0], 1e-4 * theirs[0], "root mean square");
        for (k, theirs) in theirs[1..].iter().enumerate() {
            let place = (k * all.len() / PLACES + 37 * k) % all.len();
            let what = format!("stage {stage}, value {place}");
            near(f64::from(all[place]), *theirs, 1e-4 * root, &what);
        }
    }
    if normalisation == Normalisation::Batch {
        // The sixth block is the first of the third stage.
        let arrays = weights::collect(&body);
        let remembered = &arrays["stages.2.blocks.0.layers.1.running"];
        for (own, theirs) in remembered.values.chunks(240).zip(REMEMBERED) {
            for (own, theirs) in own.iter().zip(theirs) {
                near(f64::from(*own), theirs, 1e-4, "running moments");
            }
        }
    }
}

fn gradients_are_the_packages(
    normalisation: Normalisation,
    (images, sides): (&str, [usize; 4]),
    stages: usize,
    norms: &Norms,
) {
    let device = crate::testing::device().autodiff();
    let mut body = formula_body(&device);
    let found = body.forward(pictures(images, sides, &device), normalisation);
    let mut loss = Tensor::<1>::zeros([1], &device);
    for (stage, map) in found.into_iter().take(stages).enumerate() {
        let dims = map.dims();
        let count = dims.iter().product();
        let weight: Vec<f32> = noise(&format!("tap {stage}"), count)
            .map(|value| value as f32)
            .collect();
        let weight = Tensor::<4>::from_data(TensorData::new(weight, dims), &device);
        loss = loss + (map * weight).mean();
    }
    let gradients = GradientsParams::from_grads(loss.backward(), &body);
    let gradients = each(&body, &gradients, |values| values);
    let arrays = weights::collect(&body);
    let named = |(name, array): (&String, &NamedArray)| {
        let values = gradients.get(name)?.clone();
        let shape = array.shape.clone();
        Some((format!("body.{name}"), NamedArray { shape, values }))
    };
    let theirs = to_named(&arrays.iter().filter_map(named).collect(), EFFICIENTNET);
    for (name, norm) in norms {
        let own = theirs.get(*name).unwrap_or_else(|| panic!("no {name}"));
        let square: f64 = own.values.iter().map(|&v| f64::from(v).powi(2)).sum();
        near(square.sqrt(), *norm, NORM_TOLERANCE * norm, name);
    }
}

#[test]
fn maps_and_gradients_by_running_moments() {
    maps_are_the_packages(Normalisation::Running, &RUNNING);
    let images = ("images 112", SMALL);
    gradients_are_the_packages(Normalisation::Running, images, 4, RUNNING_NORMS);
}

#[test]
fn maps_and_gradients_by_the_moments_of_the_batch() {
    maps_are_the_packages(Normalisation::Batch, &BATCH);
    let images = ("images 4", SMALL);
    gradients_are_the_packages(Normalisation::Batch, images, 1, FIRST_BATCH_NORMS);
    let images = ("images", IMAGES);
    gradients_are_the_packages(Normalisation::Batch, images, 4, LAST_BATCH_NORMS);
}

#[test]
fn features_are_those_maps() {
    let device = crate::testing::device();
    let given = given_body(&torch_weights(), BACKBONE, &device).expect("all weights");
    let images: Vec<f32> = noise("images", IMAGES.iter().product())
        .map(|value| (1.5 * value) as f32)
        .collect();
    let [_, height, width, _] = IMAGES;
    let pictures: Vec<Picture> = images
        .chunks(images.len() / 2)
        .map(|values| Picture {
            height,
            width,
            values: values.to_vec(),
        })
        .collect();
    let pictures: Vec<&Picture> = pictures.iter().collect();
    let maps = body_features(&given, BACKBONE, &pictures, &device).expect("of this body");
    assert_eq!(maps.len(), RUNNING.len());
    for (map, theirs) in maps.iter().zip(RUNNING) {
        near(f64::from(map.values[0]), theirs[1], 1e-3, "first value");
    }
}

#[test]
fn weights_of_another_net_are_refused_by_name() {
    let device = crate::testing::device();
    let torch = torch_weights();
    let refused = |torch: &Weights| given_body(torch, BACKBONE, &device).expect_err("refused");
    let mut other = torch.clone();
    other.remove("_blocks.4._project_conv.weight");
    let name = "_blocks.4._project_conv.weight".to_owned();
    assert_eq!(refused(&other), TorchError::Missing { name });
    let mut other = torch.clone();
    let kernel = other.get_mut("_conv_stem.weight").expect("a stem");
    kernel.shape = vec![32, 1, 3, 9];
    assert_eq!(
        refused(&other),
        TorchError::Shape {
            name: "_conv_stem.weight".to_owned(),
            found: vec![32, 1, 3, 9],
            expected: vec![32, 3, 3, 3],
        }
    );
    let mut other = torch.clone();
    other.insert(
        "_blocks.16._bn2.bias".to_owned(),
        torch["_bn0.bias"].clone(),
    );
    let name = "_blocks.16._bn2.bias".to_owned();
    assert_eq!(refused(&other), TorchError::Unknown { name });
    // The classifier's own arrays are passed over.
    let mut with_head = torch.clone();
    with_head.insert("_fc.bias".to_owned(), torch["_bn0.bias"].clone());
    assert!(given_body(&with_head, BACKBONE, &device).is_ok());
    let residual = Backbone {
        family: Family::Resnet18,
        ..BACKBONE
    };
    let error = given_body(&torch, residual, &device).expect_err("another family");
    assert!(matches!(error, TorchError::Missing { .. }));
}

#[test]
fn weights_go_to_the_package_and_back() {
    let device = crate::testing::device();
    let torch = torch_weights();
    let ours = given_body(&torch, BACKBONE, &device).expect("all weights");
    assert_eq!(to_named(&ours, EFFICIENTNET), torch);
    let back = from_named(&torch, &ours, EFFICIENTNET);
    assert_eq!(back.expect("all weights"), ours);
}
