//! The CPU's operations against the portable ones, and their gradients against differences.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Tensor, TensorData};
use retrial_core::seed::Seed;

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
}
