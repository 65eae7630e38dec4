//! The optimiser Adam, by itself for a step of several updates, and behind burn's trait of optimisers.
//!
//! burn-optim's own computes in another order. Its moments can be written down and read back exactly, under the names of
//! weights, so that a training goes on from a checkpoint bit by bit.
//!
//! # Source
//! Kingma & Ba 2015, arXiv:1412.6980, algorithm 1, in the form of PyTorch's `torch.optim.Adam`.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use burn_pack::Scalar;

use crate::ops::{self, AdamStep};
use crate::weights::{NamedArray, Path, Weights, values};

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

/// The moments of a weight, and the number of steps that it was learnt in.
#[derive(Clone, Debug)]
pub struct Remembered {
    moments: Moments,
    steps: u32,
}

const EPSILON: f64 = 1e-8;

/// What the number of steps and the moments are called in burn's record.
pub(crate) const STEPS: &str = "steps";
pub(crate) const FIRST: &str = "first";
pub(crate) const SECOND: &str = "second";

impl AdamRates {
    /// What `ops::adam` needs to know of a step, from 1.
    fn of_step(self, step: u32) -> AdamStep {
        let Self {
            learning_rate,
            beta1,
            beta2,
        } = self;
        AdamStep {
            learning_rate,
            beta1,
            beta2,
            epsilon: EPSILON,
            step,
        }
    }
}

/// A weight one step down its gradient, and its moments.
fn moved<const D: usize>(
    weights: Tensor<D>,
    gradient: Tensor<D>,
    old: Option<Moments>,
    step: AdamStep,
) -> (Tensor<D>, Moments) {
    let shape = weights.shape();
    let length = shape.num_elements();
    let weights: Tensor<1> = weights.reshape([length]);
    let gradient: Tensor<1> = gradient.reshape([length]);
    let old = old.unwrap_or_else(|| Moments {
        first: gradient.zeros_like(),
        second: gradient.zeros_like(),
    });
    let (weights, first, second) = ops::adam(weights, gradient, old.first, old.second, step);
    (weights.reshape(shape), Moments { first, second })
}

impl Optimizer for AdamRates {
    type State<const D: usize> = Remembered;

    fn step<const D: usize>(
        &self,
        learning_rate: f64,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        old: Option<Remembered>,
    ) -> (Tensor<D>, Option<Remembered>) {
        let (old, before) = old.map_or((None, 0), |old| (Some(old.moments), old.steps));
        let steps = before + 1;
        let step = AdamStep {
            learning_rate,
            ..self.of_step(steps)
        };
        let (weights, moments) = moved(weights, gradient, old, step);
        (weights, Some(Remembered { moments, steps }))
    }

    fn to_device<const D: usize>(state: Remembered, device: &Device) -> Remembered {
        let Moments { first, second } = state.moments;
        let moments = Moments {
            first: first.to_device(device),
            second: second.to_device(device),
        };
        Remembered { moments, ..state }
    }
}

impl RecordState for Remembered {
    fn state_flatten(&self, prefix: &str, sink: &mut StateSink) {
        sink.push_tensor(prefix, FIRST, self.moments.first.clone().into_data());
        sink.push_tensor(prefix, SECOND, self.moments.second.clone().into_data());
        sink.push_scalar(prefix, STEPS, Scalar::from(self.steps));
    }

    /// On the CPU, which is always there; the first step takes it to the device of its weight.
    fn state_unflatten(prefix: &str, source: &mut StateSource, _: &Device) -> Option<Self> {
        let mut tensor = |leaf: &str| {
            let data = source.take_tensor(prefix, leaf)?;
            Some(Tensor::from_data(data, &Device::flex()))
        };
        let moments = Moments {
            first: tensor(FIRST)?,
            second: tensor(SECOND)?,
        };
        let steps = source.take_scalar(prefix, STEPS)?;
        let steps = u32::try_from(steps).ok()?;
        Some(Self { moments, steps })
    }
}

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
        module.map(&mut Update {
            path: Path::default(),
            moments: &mut self.moments,
            gradients,
            step: self.rates.of_step(self.steps),
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
    pub fn restored(rates: AdamRates, steps: u32, state: &Weights, device: &Device) -> Self {
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
        let name = self.path.name();
        let old = self.moments.remove(&name);
        let (weights, moments) = moved(tensor.inner(), gradient, old, self.step);
        self.moments.insert(name, moments);
        let tensor = Tensor::from_inner(weights).require_grad();
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
    use crate::weights::collect;

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
