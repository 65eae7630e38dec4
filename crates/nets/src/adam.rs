//! The optimiser Adam, with moments that can be written down and read back exactly.
//!
//! burn-optim's own keeps its moments under random ids; here they carry the names of the weights,
//! so that a training goes on from a checkpoint bit by bit.
//!
//! # Source
//! Kingma & Ba 2015, arXiv:1412.6980, algorithm 1, in the form of PyTorch's `torch.optim.Adam`.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

use crate::ops::{self, AdamStep};
use crate::weights::{NamedArray, Path, Weights, WeightsError, apply, collect, values};

/// Rates of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamRates {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
}

/// A module and the optimiser that trains it.
#[derive(Clone, Debug)]
pub(crate) struct Learner<M> {
    pub(crate) module: M,
    rates: AdamRates,
    adam: Adam,
}

impl<M: Module> Learner<M> {
    pub(crate) fn new(module: M, rates: AdamRates) -> Self {
        Self {
            module,
            rates,
            adam: Adam::new(rates),
        }
    }

    /// One step down a loss.
    pub(crate) fn learn(&mut self, gradients: &Gradients) {
        self.module = self.adam.step(self.module.clone(), gradients);
    }

    pub(crate) fn weights(&self) -> Weights {
        collect(&self.module)
    }

    /// Moments and number of steps.
    pub(crate) fn moments(&self) -> (Weights, u32) {
        (self.adam.state(), self.adam.steps())
    }

    /// Goes on from weights and moments; `device` without automatic differentiation.
    pub(crate) fn restore(
        &mut self,
        weights: &Weights,
        (moments, steps): (&Weights, u32),
        device: &burn::tensor::Device,
    ) -> Result<(), WeightsError> {
        self.module = apply(self.module.clone(), weights)?;
        self.adam = Adam::restored(self.rates, steps, moments, device);
        Ok(())
    }
}

/// The optimiser of one module.
#[derive(Clone, Debug)]
pub struct Adam {
    rates: AdamRates,
    steps: u32,
    moments: BTreeMap<String, Moments>,
}

#[derive(Clone, Debug)]
struct Moments {
    first: Tensor<1>,
    second: Tensor<1>,
}

const EPSILON: f64 = 1e-8;

impl Adam {
    /// An optimiser that has seen nothing.
    #[must_use]
    pub fn new(rates: AdamRates) -> Self {
        Self {
            rates,
            steps: 0,
            moments: BTreeMap::new(),
        }
    }

    /// The module one step down its gradients; weights without gradient stay as they are.
    #[must_use]
    pub fn step<M: Module>(&mut self, module: M, gradients: &Gradients) -> M {
        self.steps += 1;
        let AdamRates {
            learning_rate,
            beta1,
            beta2,
        } = self.rates;
        let step = AdamStep {
            learning_rate,
            beta1,
            beta2,
            epsilon: EPSILON,
            step: self.steps,
        };
        module.map(&mut Update {
            path: Path::default(),
            moments: &mut self.moments,
            gradients,
            step,
        })
    }

    /// Number of steps so far, to be kept beside [`Adam::state`].
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The moments as arrays `first.<name>` and `second.<name>`.
    #[must_use]
    pub fn state(&self) -> Weights {
        let array = |tensor: &Tensor<1>| NamedArray {
            shape: tensor.dims().to_vec(),
            values: values(tensor.clone()),
        };
        let of_one = |(name, moments): (&String, &Moments)| {
            [
                (format!("first.{name}"), array(&moments.first)),
                (format!("second.{name}"), array(&moments.second)),
            ]
        };
        self.moments.iter().flat_map(of_one).collect()
    }

    /// The optimiser as [`Adam::state`] and [`Adam::steps`] left it; `like` says on what device.
    #[must_use]
    pub fn restored(
        rates: AdamRates,
        steps: u32,
        state: &Weights,
        device: &burn::tensor::Device,
    ) -> Self {
        let tensor = |array: &NamedArray| {
            let data = TensorData::new(array.values.clone(), [array.values.len()]);
            Tensor::<1>::from_data(data, device)
        };
        let of_one = |(name, first): (&String, &NamedArray)| {
            let name = name.strip_prefix("first.")?;
            let second = state.get(&format!("second.{name}"))?;
            let moments = Moments {
                first: tensor(first),
                second: tensor(second),
            };
            Some((name.to_owned(), moments))
        };
        Self {
            rates,
            steps,
            moments: state.iter().filter_map(of_one).collect(),
        }
    }
}

struct Update<'u> {
    path: Path,
    moments: &'u mut BTreeMap<String, Moments>,
    gradients: &'u Gradients,
    step: AdamStep,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(gradient) = tensor.grad(self.gradients) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let shape = tensor.shape();
        let length = shape.num_elements();
        let weights: Tensor<1> = tensor.inner().reshape([length]);
        let gradient: Tensor<1> = gradient.reshape([length]);
        let name = self.path.name();
        let old = self.moments.remove(&name).unwrap_or_else(|| Moments {
            first: gradient.zeros_like(),
            second: gradient.zeros_like(),
        });
        let (weights, first, second) =
            ops::adam(weights, gradient, old.first, old.second, self.step);
        self.moments.insert(name, Moments { first, second });
        let tensor = Tensor::from_inner(weights.reshape(shape)).require_grad();
        Param::from_mapped_value(id, tensor, mapper)
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    const RATES: AdamRates = AdamRates {
        learning_rate: 0.1,
        beta1: 0.5,
        beta2: 0.9,
    };

    fn linear() -> Linear {
        LinearConfig::new(3, 2).init(&crate::testing::device().autodiff())
    }

    fn loss(module: &Linear) -> Tensor<1> {
        let ones = Tensor::<2>::ones([1, 3], &crate::testing::device().autodiff());
        module.forward(ones).square().sum()
    }

    #[test]
    fn a_weight_without_gradient_stays() {
        let (module, other) = (linear(), linear());
        let gradients = loss(&module).backward();
        let mut adam = Adam::new(RATES);
        let before = collect(&other);
        let other = adam.step(other, &gradients);
        assert_eq!(collect(&other), before);
        assert!(adam.state().is_empty(), "and has no moments");
        let before = collect(&module);
        let module = adam.step(module, &gradients);
        assert_ne!(collect(&module), before);
        assert_eq!(adam.steps(), 2);
    }

    #[test]
    fn moments_written_down_give_the_same_next_step() {
        let mut adam = Adam::new(RATES);
        let module = linear();
        let module = adam.step(module.clone(), &loss(&module).backward());
        let (steps, state) = (adam.steps(), adam.state());
        let gradients = loss(&module).backward();
        let straight = adam.step(module.clone(), &gradients);
        let mut again = Adam::restored(RATES, steps, &state, &crate::testing::device());
        let resumed = again.step(module.clone(), &gradients);
        assert_eq!(collect(&resumed), collect(&straight));
        assert_eq!(again.state(), adam.state());
        let forgotten = Adam::new(RATES).step(module, &gradients);
        assert_ne!(collect(&forgotten), collect(&straight));
    }
}
