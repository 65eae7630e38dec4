//! One step of gradient descent with momentum over a whole tensor.
//!
//! # Source
//! Sutskever et al. 2013, Eq. (1) and (2), in the form of PyTorch: the velocity is not multiplied
//! by the rate, so that changing the rate takes effect at once.

use rayon::prelude::*;

use crate::dispatch::pass;
use crate::error::{KernelError, check_length};
use crate::rows::SHORT;

/// Values of a piece of the pass.
const PIECE: usize = 1 << 13;

/// The settings of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Step size.
    pub learning_rate: f32,
    /// Share of the velocity that is kept.
    pub momentum: f32,
    /// Share of the weights that is added to the gradient.
    pub weight_decay: f32,
    /// Factor of the gradient before anything else, for clipping; 1 for none.
    pub scale: f32,
}

/// `v = momentum · v + scale · g + weight_decay · w`, then `w = w − learning_rate · v`.
///
/// A velocity of zeros is that before the first step.
///
/// # Errors
/// Slices of different lengths.
pub fn sgd_step(
    sgd: &Sgd,
    weights: &mut [f32],
    gradient: &[f32],
    velocity: &mut [f32],
) -> Result<(), KernelError> {
    check_length("gradient", weights.len(), gradient.len())?;
    check_length("velocity", weights.len(), velocity.len())?;
    if weights.len() < SHORT {
        update(sgd, weights, gradient, velocity);
    } else {
        weights
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks(PIECE))
            .zip(velocity.par_chunks_mut(PIECE))
            .for_each(|((w, g), v)| update(sgd, w, g, v));
    }
    Ok(())
}

pass! {
    fn update(sgd: &Sgd, weights: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        let Sgd { learning_rate, momentum, weight_decay, scale } = *sgd;
        for ((w, g), v) in weights.iter_mut().zip(gradient).zip(velocity) {
            *v = momentum * *v + (scale * g + weight_decay * *w);
            *w -= learning_rate * *v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=0.01)` of PyTorch 2.15 with `w = 1` and
    /// the gradients 1, -0.5, 2, three steps.
    #[test]
    fn three_steps_of_pytorch() {
        let sgd = Sgd {
            learning_rate: 0.1,
            momentum: 0.9,
            weight_decay: 0.01,
            scale: 0.5,
        };
        let count = 70_001;
        let (mut w, mut v) = (vec![1.0; count], vec![0.0; count]);
        for (gradient, expected) in [(1.0, 0.899), (-0.5, 0.857_201), (2.0, 0.618_724_7)] {
            let gradient = vec![2.0 * gradient; count];
            sgd_step(&sgd, &mut w, &gradient, &mut v).expect("equal lengths");
            let is_near = |w: &f32| (w - expected).abs() < 1e-6;
            assert!(w.iter().all(is_near), "{} {expected}", w[0]);
        }
        assert!(sgd_step(&sgd, &mut w[1..], &v.clone(), &mut v).is_err());
    }
}
