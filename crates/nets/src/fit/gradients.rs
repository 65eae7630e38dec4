//! The gradients of a module together: their norm, and a bound on it.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::weights::{Path, values};

/// What is made of every gradient, by the names of weights.
pub(crate) fn each<M: Module, T>(
    module: &M,
    gradients: &GradientsParams,
    make: impl FnMut(Vec<f32>) -> T,
) -> BTreeMap<String, T> {
    let mut each = Each {
        path: Path::default(),
        gradients,
        make,
        made: BTreeMap::new(),
    };
    module.visit(&mut each);
    each.made
}

/// The gradients, scaled down where the Euclidean norm of all of them together is above `largest`. The norm is summed in
/// `f64` in the order of names.
pub(super) fn clipped<M: Module>(
    module: &M,
    mut gradients: GradientsParams,
    largest: f64,
) -> GradientsParams {
    let square = |values: Vec<f32>| -> f64 {
        let squares = values.iter().map(|&v| f64::from(v) * f64::from(v));
        squares.sum()
    };
    let squares = each(module, &gradients, square);
    let norm = squares.values().sum::<f64>().sqrt();
    let scale = (largest / norm.max(1e-12)).min(1.0);
    if scale < 1.0 {
        module.visit(&mut Scaled(&mut gradients, scale));
    }
    gradients
}

struct Each<'g, F, T> {
    path: Path,
    gradients: &'g GradientsParams,
    make: F,
    made: BTreeMap<String, T>,
}

impl<F: FnMut(Vec<f32>) -> T, T> ModuleVisitor for Each<'_, F, T> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let made = (self.make)(values(gradient));
            self.made.insert(self.path.name(), made);
        }
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }
}

struct Scaled<'g>(&'g mut GradientsParams, f64);

impl ModuleVisitor for Scaled<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.0.remove::<D>(param.id) {
            self.0.register(param.id, gradient * self.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    fn square((_, values): (String, Vec<f32>)) -> f64 {
        values.iter().map(|&v| f64::from(v) * f64::from(v)).sum()
    }

    fn norm(module: &Linear, gradients: &GradientsParams) -> f64 {
        let all = each(module, gradients, |values| values);
        all.into_iter().map(square).sum::<f64>().sqrt()
    }

    #[test]
    fn large_gradients_are_scaled_to_the_norm_allowed_and_small_ones_stay() {
        let device = crate::testing::device().autodiff();
        let module = LinearConfig::new(3, 2).init(&device);
        let gradients = || {
            let ones = Tensor::<2>::ones([1, 3], &device);
            let loss: Tensor<1> = module.forward(ones).square().sum();
            GradientsParams::from_grads(loss.backward(), &module)
        };
        let before = norm(&module, &gradients());
        let scaled = norm(&module, &clipped(&module, gradients(), 0.5 * before));
        assert!((scaled - 0.5 * before).abs() < 1e-6 * before, "{scaled}");
        let values = |gradients| each(&module, &gradients, |values| values);
        let kept = clipped(&module, gradients(), 2.0 * before);
        assert_eq!(values(kept), values(gradients()));
        assert_eq!(values(gradients()).len(), 2, "of kernel and bias");
    }
}
