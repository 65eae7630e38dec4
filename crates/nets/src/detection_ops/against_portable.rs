//! The CPU's operations against the portable ones, and their gradients against differences.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
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

#[expect(
    clippy::needless_pass_by_value,
    reason = "results are compared where they are made"
)]
fn near(ours: FlexTensor, portable: FlexTensor, what: &str) {
    let numbers = |tensor: &FlexTensor| -> Vec<f32> {
        let data = tensor.to_contiguous().into_data();
        data.try_to_vec().expect("f32 values")
    };
    let (ours, portable) = (numbers(&ours), numbers(&portable));
    assert_eq!(ours.len(), portable.len(), "{what}");
    let largest = portable.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    assert!(largest > 0.0, "{what} is nothing");
    for (i, (a, b)) in ours.iter().zip(&portable).enumerate() {
        assert!(
            (a - b).abs() <= 1e-5 * largest,
            "{what}, value {i}: {a} {b}"
        );
    }
}

/// Regions inside, across borders and outside of two images of 12 × 16 px, in half its scale.
fn regions(samples: Option<usize>, aligned: bool) -> Regions {
    let boxes: Arc<[(usize, [f32; 4])]> = Arc::new([
        (0, [2.0, 3.0, 17.5, 20.0]),
        (1, [-9.0, -4.0, 6.0, 9.0]),
        (1, [20.0, 11.0, 45.0, 40.0]),
        (0, [7.0, 7.0, 7.2, 7.1]),
        (0, [-90.0, -90.0, -80.0, -80.0]),
    ]);
    Regions {
        boxes,
        side: 3,
        scale: 0.5,
        samples,
        aligned,
    }
}

const MAP: [usize; 4] = [2, 12, 16, 5];

#[test]
fn pooled_regions_and_their_gradients() {
    for (samples, aligned) in [
        (Some(2), false),
        (None, false),
        (Some(1), true),
        (None, true),
    ] {
        let what = format!("samples {samples:?}, aligned {aligned}");
        let regions = regions(samples, aligned);
        let features = primitive("features", &MAP);
        near(
            Flex::pool_regions(features.clone(), regions.clone()),
            portable::pool_regions::<Flex>(features, &regions),
            &what,
        );
        let gradient = primitive("gradient", &[5, 3, 3, 5]);
        near(
            Flex::pool_regions_gradient(gradient.clone(), regions.clone(), MAP),
            portable::pool_regions_gradient::<Flex>(gradient, &regions, MAP),
            &format!("gradient, {what}"),
        );
    }
}

#[test]
fn affine_maps_and_their_gradients() {
    for slope in [0.0, 0.1, 1.0] {
        let what = format!("slope {slope}");
        let (values, affine) = (primitive("values", &MAP), primitive("affine", &[2, 5]));
        near(
            Flex::affine_activate(values.clone(), affine.clone(), slope),
            portable::affine_activate::<Flex>(values.clone(), affine.clone(), slope),
            &what,
        );
        let gradient = primitive("gradient", &MAP);
        let ours =
            Flex::affine_activate_gradient(gradient.clone(), values.clone(), affine.clone(), slope);
        let portable = portable::affine_activate_gradient::<Flex>(gradient, values, affine, slope);
        near(ours.0, portable.0, &format!("gradient by values, {what}"));
        near(ours.1, portable.1, &format!("gradient by the map, {what}"));
    }
}

#[test]
fn convolutions_of_each_channel_and_their_gradients() {
    // Kernel, stride, height, width, channels.
    for [side, stride, height, width, channels] in [
        [3, 1, 6, 7, 5],
        [3, 2, 8, 10, 33],
        [5, 1, 7, 6, 40],
        [5, 2, 12, 8, 3],
        [1, 1, 2, 3, 4],
    ] {
        let geometry = DepthwiseGeometry::same(side, stride);
        let what = format!("{side} × {side}, stride {stride}");
        let dims = [2, height, width, channels];
        let values = || primitive("values", &dims);
        let kernels = || primitive("kernels", &[side, side, 1, channels]);
        let ours = Flex::depthwise(values(), kernels(), geometry);
        let out = [2, height / stride, width / stride, channels];
        assert_eq!(ours.layout().shape().dims(), out, "{what}");
        let portable = portable::depthwise::<Flex>(values(), kernels(), geometry);
        near(ours, portable, &what);
        let gradient = || primitive("gradient", &out);
        near(
            Flex::depthwise_values_gradient(gradient(), kernels(), geometry, dims),
            portable::depthwise_values_gradient::<Flex>(gradient(), kernels(), geometry, dims),
            &format!("gradient by values, {what}"),
        );
        near(
            Flex::depthwise_kernels_gradient(gradient(), values(), geometry, side),
            portable::depthwise_kernels_gradient::<Flex>(gradient(), values(), geometry, side),
            &format!("gradient by kernels, {what}"),
        );
    }
}

#[test]
fn zeros_stand_where_tensorflow_has_them() {
    let zeros = |kernel, stride| DepthwiseGeometry::same(kernel, stride).padding;
    assert_eq!([zeros(3, 1), zeros(5, 1)], [[1, 1], [2, 2]]);
    assert_eq!([zeros(3, 2), zeros(5, 2)], [[0, 1], [1, 2]]);
}

#[test]
fn rectifiers_up_to_six() {
    let values = || {
        let spread = drawn("values", &MAP).try_to_vec::<f32>().expect("f32");
        let spread: Vec<f32> = spread.iter().map(|value| 5.0 * value).collect();
        FlexTensor::from_data(TensorData::new(spread, MAP))
    };
    let behind = || Flex::relu6(values());
    near(behind(), portable::relu6::<Flex>(values()), "values");
    let gradient = || primitive("gradient", &MAP);
    near(
        Flex::relu6_gradient(gradient(), behind()),
        portable::relu6_gradient::<Flex>(gradient(), behind()),
        "gradient",
    );
}

/// `Σ weight · f(x)` must change by its gradient where one value of `x` changes.
#[track_caller]
fn gradient_is_a_difference<const D: usize>(
    shape: [usize; D],
    f: impl Fn(Tensor<D>) -> Tensor<4>,
    places: &[usize],
) {
    let device = crate::testing::device().autodiff();
    let start = drawn("start", &shape)
        .try_to_vec::<f32>()
        .expect("f32 values");
    let tensor = |values: Vec<f32>| Tensor::<D>::from_data(TensorData::new(values, shape), &device);
    let loss = |x: Tensor<D>| {
        let y = f(x);
        let dims = y.dims();
        let weight = Tensor::<4>::from_data(drawn("weight", &dims), &device);
        (y * weight).sum()
    };
    let x = tensor(start.clone()).require_grad();
    let gradients = loss(x.clone()).backward();
    let gradient = values(x.grad(&gradients).expect("a gradient"));
    for &place in places {
        let moved = |by: f32| {
            let mut values = start.clone();
            values[place] += by;
            f64::from(crate::weights::values(loss(tensor(values)).detach())[0])
        };
        let difference = (moved(5e-3) - moved(-5e-3)) / 1e-2;
        let found = f64::from(gradient[place]);
        let tolerance = 2e-2 * difference.abs().max(0.05);
        assert!(
            (found - difference).abs() < tolerance,
            "{place}: {found} {difference}"
        );
    }
}

#[test]
fn gradients_are_those_of_the_sum() {
    let pooled = |x: Tensor<4>| pool_regions(x, regions(Some(2), false));
    gradient_is_a_difference(MAP, pooled, &[0, 300, 777, 1200, 1919]);
    let affine = || {
        let device = crate::testing::device().autodiff();
        Tensor::<2>::from_data(drawn("affine", &[2, 5]), &device)
    };
    gradient_is_a_difference(MAP, |x| affine_activate(x, affine(), 0.1), &[3, 500, 1001]);
    let inside = || {
        let device = crate::testing::device().autodiff();
        Tensor::<4>::from_data(drawn("values", &MAP), &device)
    };
    gradient_is_a_difference([2, 5], |m| affine_activate(inside(), m, 1.0), &[0, 4, 5, 9]);
    gradient_is_a_difference(MAP, |x| relu6(x * 3.0), &[0, 300, 777, 1200]);
    let geometry = DepthwiseGeometry::same(3, 2);
    let kernels = || {
        let device = crate::testing::device().autodiff();
        Tensor::<4>::from_data(drawn("kernels", &[3, 3, 1, 5]), &device)
    };
    let each = |x: Tensor<4>| depthwise(x, kernels(), geometry);
    gradient_is_a_difference(MAP, each, &[0, 300, 777, 1919]);
    let by_kernels = |k: Tensor<4>| depthwise(inside(), k, geometry);
    gradient_is_a_difference([3, 3, 1, 5], by_kernels, &[0, 7, 22, 44]);
}
