//! The CPU's operations against burn's own, and their gradients against differences.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps as _;
use burn::tensor::{Tensor, TensorData};
use retrial_seed::Seed;

use super::*;
use crate::weights::values;

fn drawn(name: &str, shape: &[usize]) -> TensorData {
    let mut stream = Seed(1).stream(name);
    let length = shape.iter().product();
    let values: Vec<f32> = (0..length).map(|_| stream.normal() as f32).collect();
    TensorData::new(values, shape.to_vec())
}

fn primitive(name: &str, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(drawn(name, shape))
}

fn numbers(tensor: &FlexTensor) -> Vec<f32> {
    let data = tensor.to_contiguous().into_data();
    data.try_to_vec().expect("f32 values")
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "results are compared where they are made"
)]
fn near(ours: FlexTensor, burns: FlexTensor, what: &str) {
    let (ours, burns) = (numbers(&ours), numbers(&burns));
    assert_eq!(ours.len(), burns.len(), "{what}");
    let largest = burns.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    for (i, (a, b)) in ours.iter().zip(&burns).enumerate() {
        assert!(
            (a - b).abs() <= 1e-5 * largest,
            "{what}, value {i}: {a} {b}"
        );
    }
}

const GEOMETRIES: [Geometry; 5] = [
    geometry(64, 1, 6, 4, 2, 1),
    geometry(8, 20, 33, 4, 2, 1),
    geometry(7, 5, 16, 3, 1, 1),
    geometry(9, 3, 4, 3, 2, 1),
    geometry(1, 20, 40, 1, 1, 0),
];

const fn geometry(
    size: usize,
    in_channels: usize,
    out_channels: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> Geometry {
    Geometry {
        height: size,
        width: size,
        in_channels,
        out_channels,
        kernel,
        stride,
        padding,
    }
}

#[test]
fn convolutions_are_those_of_burn() {
    for g in GEOMETRIES {
        let (k, n) = (g.kernel, 3);
        let wide = || primitive("wide", &[n, g.height, g.width, g.in_channels]);
        let narrow = || {
            primitive(
                "narrow",
                &[n, g.out_height(), g.out_width(), g.out_channels],
            )
        };
        let kernel = || primitive("kernel", &[k, k, g.in_channels, g.out_channels]);
        let what = format!("{g:?}");
        near(
            Flex::convolve(wide(), kernel(), g),
            portable::convolve::<Flex>(wide(), kernel(), g),
            &what,
        );
        near(
            Flex::convolve_adjoint(narrow(), kernel(), g),
            portable::convolve_adjoint::<Flex>(narrow(), kernel(), g),
            &what,
        );
        near(
            Flex::kernel_gradient(wide(), narrow(), g),
            portable::kernel_gradient::<Flex>(wide(), narrow(), g),
            &what,
        );
    }
}

#[test]
fn folded_layers_are_those_of_burn() {
    let g = GEOMETRIES[1];
    let wide = || primitive("wide", &[3, g.height, g.width, g.in_channels]);
    let narrow = || {
        primitive(
            "narrow",
            &[3, g.out_height(), g.out_width(), g.out_channels],
        )
    };
    let kernel = primitive("kernel", &[4, 4, g.in_channels, g.out_channels]);
    for activation in [
        Activation::Identity,
        Activation::LeakyRelu(0.1),
        Activation::LeakyRelu(0.0),
        Activation::Tanh,
    ] {
        let bias = || primitive("bias", &[g.out_channels]);
        let burns = portable::convolve::<Flex>(wide(), kernel.clone(), g);
        let burns = portable::shift_activate::<Flex>(burns, bias(), activation);
        // Twice: the second call finds the packed kernel.
        for _ in 0..2 {
            let ours = Flex::convolve_activate(wide(), kernel.clone(), bias(), g, activation);
            near(ours, burns.clone(), "halving");
        }
        let gradient = || {
            primitive(
                "gradient",
                &[3, g.out_height(), g.out_width(), g.out_channels],
            )
        };
        near(
            Flex::activation_gradient(gradient(), burns.clone(), activation),
            portable::activation_gradient::<Flex>(gradient(), burns, activation),
            "activation",
        );
        let bias = || primitive("bias", &[g.in_channels]);
        let burns = portable::convolve_adjoint::<Flex>(narrow(), kernel.clone(), g);
        let burns = portable::shift_activate::<Flex>(burns, bias(), activation);
        for _ in 0..2 {
            let ours =
                Flex::convolve_adjoint_activate(narrow(), kernel.clone(), bias(), g, activation);
            near(ours, burns.clone(), "doubling");
        }
    }
}

#[test]
fn a_written_kernel_is_packed_again() {
    let g = GEOMETRIES[1];
    let wide = primitive("wide", &[1, g.height, g.width, g.in_channels]);
    let mut kernel = primitive("kernel", &[4, 4, g.in_channels, g.out_channels]);
    let before = numbers(&Flex::convolve_constant(wide.clone(), kernel.clone(), g));
    kernel.storage_mut::<f32>().fill(0.0);
    let after = numbers(&Flex::convolve_constant(wide, kernel, g));
    assert!(before.iter().any(|v| *v != 0.0) && after.iter().all(|v| *v == 0.0));
}

#[test]
fn normalisation_is_that_of_burn() {
    let shape = [5, 4, 3, 18];
    let values = || primitive("values", &shape);
    let affine = || primitive("affine", &[2, 18]);
    let moments = Flex::channel_moments(values());
    near(
        moments.clone(),
        portable::channel_moments::<Flex>(values()),
        "moments",
    );
    near(
        Flex::normalise(values(), moments.clone(), affine(), 0.1),
        portable::normalise::<Flex>(values(), moments.clone(), affine(), 0.1),
        "normalised",
    );
    let gradient = || primitive("gradient", &shape);
    let ours = Flex::normalise_gradient(gradient(), values(), moments.clone(), affine(), 0.1);
    let burns = portable::normalise_gradient::<Flex>(gradient(), values(), moments, affine(), 0.1);
    near(ours.0, burns.0, "gradient of the values");
    near(ours.1, burns.1, "gradient of scale and shift");
}

#[test]
fn adam_is_that_of_burns_operations() {
    let step = AdamStep {
        learning_rate: 1e-3,
        beta1: 0.5,
        beta2: 0.999,
        epsilon: 1e-8,
        step: 3,
    };
    let weights = || primitive("weights", &[100]);
    let gradient = || primitive("gradient", &[100]);
    let first = || primitive("first", &[100]);
    let second = || Flex::float_abs(primitive("second", &[100]));
    let ours = Flex::adam(weights(), gradient(), first(), second(), step);
    let burns = portable::adam::<Flex>(weights(), gradient(), first(), second(), step);
    near(ours.0, burns.0, "weights");
    near(ours.1, burns.1, "first moment");
    near(ours.2, burns.2, "second moment");
}

/// The gradient of every operation against that of burn's own chain of operations.
#[test]
fn backward_passes_are_those_of_burn() {
    let device = crate::testing::device().autodiff();
    let g = geometry(6, 3, 5, 4, 2, 1);
    let leaf = |name: &str, shape: [usize; 4]| {
        Tensor::<4>::from_data(drawn(name, &shape), &device).require_grad()
    };
    let wide = leaf("wide", [2, 6, 6, 3]);
    let kernel = leaf("kernel", [4, 4, 3, 5]);
    let affine = Tensor::<2>::from_data(drawn("affine", &[2, 5]), &device).require_grad();
    let ours = {
        let narrow = convolve(wide.clone(), kernel.clone(), g);
        let moments = channel_moments(narrow.clone());
        let normal = normalise(narrow, moments, affine.clone(), 0.1);
        convolve_adjoint(normal, kernel.clone(), g)
            .powf_scalar(3.0)
            .sum()
    };
    let burns = {
        let first = |t: Tensor<4>| t.permute([0, 3, 1, 2]);
        let out_in = kernel.clone().permute([3, 2, 0, 1]);
        let options = burn::tensor::ops::ConvOptions::new([2, 2], [1, 1], [1, 1], 1);
        let narrow =
            burn::tensor::module::conv2d(first(wide.clone()), out_in.clone(), None, options);
        let mean = narrow.clone().mean_dims(&[0, 2, 3]);
        let centred = narrow - mean;
        let variance = centred.clone().square().mean_dims(&[0, 2, 3]);
        let line = |i| affine.clone().narrow(0, i, 1).reshape([1, 5, 1, 1]);
        let normal = centred / (variance + EPSILON).sqrt() * line(0) + line(1);
        let normal = burn::tensor::activation::leaky_relu(normal, 0.1);
        let options =
            burn::tensor::ops::ConvTransposeOptions::new([2, 2], [1, 1], [0, 0], [1, 1], 1);
        burn::tensor::module::conv_transpose2d(normal, out_in, None, options)
            .powf_scalar(3.0)
            .sum()
    };
    let (ours, burns) = (ours.backward(), burns.backward());
    let close = |a: Vec<f32>, b: Vec<f32>, what: &str| {
        let largest = b.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        for (a, b) in a.iter().zip(&b) {
            assert!((a - b).abs() <= 2e-4 * largest, "{what}: {a} {b}");
        }
    };
    let of = |leaf: &Tensor<4>, gradients| values(leaf.grad(gradients).expect("tracked"));
    close(of(&wide, &ours), of(&wide, &burns), "images");
    close(of(&kernel, &ours), of(&kernel, &burns), "kernel");
    let of = |gradients| values(affine.grad(gradients).expect("tracked"));
    close(of(&ours), of(&burns), "affine");
}
