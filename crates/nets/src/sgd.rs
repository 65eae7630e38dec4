//! Stochastic gradient descent with momentum, behind burn's trait of optimisers.
//!
//! # Source
//! Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", in
//! the form of PyTorch's `torch.optim.SGD`: `v ← m v + g + d w`, `w ← w − r v`.

use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// Rates of the descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdRates {
    /// Decay of the velocity.
    pub momentum: f64,
    /// Share of a weight added to its gradient.
    pub weight_decay: f64,
    /// Largest Euclidean norm of all gradients together; larger ones are scaled down.
    pub clip_norm: Option<f64>,
}

/// What a velocity is called in burn's record.
pub(crate) const VELOCITY: &str = "velocity";

/// The velocity of a weight.
#[derive(Clone, Debug)]
pub struct Velocity(Tensor<1>);

/// `clip_norm` is about all weights together, and left to [`fit`](crate::fit::fit).
impl Optimizer for SgdRates {
    type State<const D: usize> = Velocity;

    fn step<const D: usize>(
        &self,
        learning_rate: f64,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        velocity: Option<Velocity>,
    ) -> (Tensor<D>, Option<Velocity>) {
        let shape = weights.shape();
        let length = shape.num_elements();
        let weights: Tensor<1> = weights.reshape([length]);
        let gradient: Tensor<1> = gradient.reshape([length]);
        let gradient = match self.weight_decay {
            0.0 => gradient,
            decay => gradient + weights.clone() * decay,
        };
        let velocity = match velocity {
            Some(old) => old.0 * self.momentum + gradient,
            None => gradient,
        };
        let weights = weights - velocity.clone() * learning_rate;
        (weights.reshape(shape), Some(Velocity(velocity)))
    }

    fn to_device<const D: usize>(velocity: Velocity, device: &Device) -> Velocity {
        Velocity(velocity.0.to_device(device))
    }
}

impl RecordState for Velocity {
    fn state_flatten(&self, prefix: &str, sink: &mut StateSink) {
        sink.push_tensor(prefix, VELOCITY, self.0.clone().into_data());
    }

    /// On the CPU, which is always there; the first step takes it to the device of its weight.
    fn state_unflatten(prefix: &str, source: &mut StateSource, _: &Device) -> Option<Self> {
        let data = source.take_tensor(prefix, VELOCITY)?;
        Some(Self(Tensor::from_data(data, &Device::flex())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::values;

    #[test]
    fn two_steps_by_hand() {
        let rates = SgdRates {
            momentum: 0.9,
            weight_decay: 0.1,
            clip_norm: None,
        };
        let one = |value: f32| Tensor::<2>::from_data([[value]], &crate::testing::device());
        let (weights, velocity) = rates.step(0.01, one(1.0), one(0.5), None);
        // v = 0.5 + 0.1 · 1, w = 1 − 0.01 · 0.6.
        assert!((values(weights.clone())[0] - 0.994).abs() < 1e-6);
        let (weights, _) = rates.step(0.01, weights, one(0.5), velocity);
        // v = 0.9 · 0.6 + 0.5 + 0.1 · 0.994, w = 0.994 − 0.01 · 1.1394.
        assert!((values(weights)[0] - 0.982_606).abs() < 1e-6);
    }
}
