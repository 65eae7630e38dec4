//! Stochastic gradient descent with momentum, whose velocities can be written down and read back
//! exactly, and gradients by name, so that several devices can share a step.
//!
//! # Source
//! Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", in
//! the form of PyTorch's `torch.optim.SGD`: `v ← m v + g + d w`, `w ← w − r v`.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::weights::{NamedArray, Path, Weights, values};

/// Rates of [`Sgd`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdRates {
    /// Decay of the velocity.
    pub momentum: f64,
    /// Share of a weight added to its gradient.
    pub weight_decay: f64,
    /// Largest Euclidean norm of all gradients together; larger ones are scaled down.
    pub clip_norm: Option<f64>,
}

/// Gradients of a module by the names of its weights.
#[derive(Clone, Debug, Default)]
pub struct NamedGradients(BTreeMap<String, Tensor<1>>);

/// The optimiser of one module.
#[derive(Clone, Debug)]
pub struct Sgd {
    rates: SgdRates,
    velocities: BTreeMap<String, Tensor<1>>,
}

impl NamedGradients {
    /// The gradients of the weights of `module` that have one.
    #[must_use]
    pub fn of<M: Module>(module: &M, gradients: &Gradients) -> Self {
        let mut collector = Collect {
            path: Path::default(),
            gradients,
            named: BTreeMap::new(),
        };
        module.visit(&mut collector);
        Self(collector.named)
    }

    /// The sum of gradients, on the devices of the first.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        for (name, gradient) in other.0 {
            let sum = match self.0.remove(&name) {
                Some(own) => {
                    let device = own.device();
                    own + gradient.to_device(&device)
                }
                None => gradient,
            };
            self.0.insert(name, sum);
        }
        self
    }

    /// Every gradient times `factor`.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let scaled = |(name, gradient): (String, Tensor<1>)| (name, gradient * factor);
        Self(self.0.into_iter().map(scaled).collect())
    }

    /// The Euclidean norm of all together, summed in `f64` in the order of names.
    #[must_use]
    pub fn norm(&self) -> f64 {
        let square = |gradient: &Tensor<1>| {
            let values = values(gradient.clone());
            values
                .iter()
                .map(|&v| f64::from(v) * f64::from(v))
                .sum::<f64>()
        };
        self.0.values().map(square).sum::<f64>().sqrt()
    }

    /// The values of one gradient.
    #[must_use]
    pub fn values_of(&self, name: &str) -> Option<Vec<f32>> {
        self.0.get(name).map(|gradient| values(gradient.clone()))
    }
}

impl Sgd {
    /// An optimiser at rest.
    #[must_use]
    pub fn new(rates: SgdRates) -> Self {
        Self {
            rates,
            velocities: BTreeMap::new(),
        }
    }

    /// The module one step down its gradients; weights without gradient stay as they are.
    #[must_use]
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: NamedGradients,
        learning_rate: f64,
    ) -> M {
        let scale = match self.rates.clip_norm {
            Some(largest) => (largest / gradients.norm().max(1e-12)).min(1.0),
            None => 1.0,
        };
        module.map(&mut Update {
            path: Path::default(),
            velocities: &mut self.velocities,
            gradients: gradients.0,
            rates: self.rates,
            learning_rate,
            scale,
        })
    }

    /// The velocities by the names of their weights.
    #[must_use]
    pub fn state(&self) -> Weights {
        let array = |(name, tensor): (&String, &Tensor<1>)| {
            let array = NamedArray {
                shape: tensor.dims().to_vec(),
                values: values(tensor.clone()),
            };
            (name.clone(), array)
        };
        self.velocities.iter().map(array).collect()
    }

    /// The optimiser as [`Sgd::state`] left it.
    #[must_use]
    pub fn restored(rates: SgdRates, state: &Weights, device: &Device) -> Self {
        let tensor = |(name, array): (&String, &NamedArray)| {
            let data = TensorData::new(array.values.clone(), [array.values.len()]);
            (name.clone(), Tensor::<1>::from_data(data, device))
        };
        Self {
            rates,
            velocities: state.iter().map(tensor).collect(),
        }
    }
}

struct Collect<'u> {
    path: Path,
    gradients: &'u Gradients,
    named: BTreeMap<String, Tensor<1>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        if let Some(gradient) = tensor.grad(self.gradients) {
            let length = gradient.shape().num_elements();
            let gradient: Tensor<1> = gradient.reshape([length]);
            self.named.insert(self.path.name(), gradient);
        }
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }
}

struct Update<'u> {
    path: Path,
    velocities: &'u mut BTreeMap<String, Tensor<1>>,
    gradients: BTreeMap<String, Tensor<1>>,
    rates: SgdRates,
    learning_rate: f64,
    scale: f64,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        let Some(gradient) = self.gradients.remove(&name) else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let shape = tensor.shape();
        let weights: Tensor<1> = tensor.inner().reshape([shape.num_elements()]);
        let gradient = match self.scale {
            1.0 => gradient,
            scale => gradient * scale,
        };
        let gradient = match self.rates.weight_decay {
            0.0 => gradient,
            decay => gradient + weights.clone() * decay,
        };
        let velocity = match self.velocities.remove(&name) {
            Some(old) => old * self.rates.momentum + gradient,
            None => gradient,
        };
        let weights = weights - velocity.clone() * self.learning_rate;
        self.velocities.insert(name, velocity);
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
    use crate::weights::collect;

    const RATES: SgdRates = SgdRates {
        momentum: 0.9,
        weight_decay: 0.1,
        clip_norm: None,
    };

    fn linear() -> Linear {
        LinearConfig::new(3, 2).init(&crate::testing::device().autodiff())
    }

    fn gradients(module: &Linear) -> NamedGradients {
        let ones = Tensor::<2>::ones([1, 3], &crate::testing::device().autodiff());
        let loss: Tensor<1> = module.forward(ones).square().sum();
        NamedGradients::of(module, &loss.backward())
    }

    #[test]
    fn two_steps_by_hand() {
        let module = linear();
        let before = collect(&module)["weight"].values[0];
        let mut sgd = Sgd::new(RATES);
        let first = gradients(&module).values_of("weight").expect("a gradient")[0] + 0.1 * before;
        let module = sgd.step(module.clone(), gradients(&module), 0.01);
        let between = collect(&module)["weight"].values[0];
        assert!((between - (before - 0.01 * first)).abs() < 1e-6);
        let second = gradients(&module).values_of("weight").expect("a gradient")[0] + 0.1 * between;
        let module = sgd.step(module.clone(), gradients(&module), 0.01);
        let after = collect(&module)["weight"].values[0];
        assert!((after - (between - 0.01 * (0.9 * first + second))).abs() < 1e-6);
    }

    #[test]
    fn a_large_gradient_is_scaled_to_the_norm_allowed() {
        let clipped = SgdRates {
            momentum: 0.0,
            weight_decay: 0.0,
            clip_norm: Some(1e-3),
        };
        let module = linear();
        let before = collect(&module);
        let after = Sgd::new(clipped).step(module.clone(), gradients(&module), 1.0);
        let mut square = 0.0;
        for (name, array) in collect(&after) {
            let old = &before[&name].values;
            let change = array.values.iter().zip(old).map(|(a, b)| f64::from(a - b));
            square += change.map(|d| d * d).sum::<f64>();
        }
        assert!((square.sqrt() - 1e-3).abs() < 1e-6, "{}", square.sqrt());
    }

    #[test]
    fn velocities_written_down_give_the_same_next_step() {
        let mut sgd = Sgd::new(RATES);
        let module = linear();
        let module = sgd.step(module.clone(), gradients(&module), 0.01);
        let mut again = Sgd::restored(RATES, &sgd.state(), &crate::testing::device());
        let straight = sgd.step(module.clone(), gradients(&module), 0.01);
        let resumed = again.step(module.clone(), gradients(&module), 0.01);
        assert_eq!(collect(&resumed), collect(&straight));
        let forgotten = Sgd::new(RATES).step(module.clone(), gradients(&module), 0.01);
        assert_ne!(collect(&forgotten), collect(&straight));
    }

    #[test]
    fn gradients_of_two_halves_add_up() {
        let module = linear();
        let whole = gradients(&module);
        let sum = gradients(&module)
            .times(0.5)
            .plus(gradients(&module).times(0.5));
        assert!((whole.norm() - sum.norm()).abs() < 1e-6 * whole.norm());
    }
}
