//! One step of Adam over a whole tensor.
//!
//! # Source
//! Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1, with epsilon added after the correction of the
//! second moment.

use rayon::prelude::*;

use crate::dispatch::pass;
use crate::error::{KernelError, check_length};
use crate::rows::SHORT;

/// Values of a piece of the pass.
const PIECE: usize = 1 << 13;

/// The settings of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta_1: f64,
    /// Decay of the second moment.
    pub beta_2: f64,
    /// Added to the root of the corrected second moment.
    pub epsilon: f64,
}

/// The settings multiplied out for one step.
#[derive(Clone, Copy)]
struct Factors {
    beta_1: f32,
    rest_1: f32,
    beta_2: f32,
    rest_2: f32,
    step_size: f32,
    inv_root_correction: f32,
    epsilon: f32,
}

/// Updates parameters and both moments in one pass; `step` counts from 1.
///
/// # Errors
/// [`KernelError::Zero`] for step 0; slices of different lengths.
pub fn adam_step(
    adam: &Adam,
    step: u64,
    parameters: &mut [f32],
    gradient: &[f32],
    first_moment: &mut [f32],
    second_moment: &mut [f32],
) -> Result<(), KernelError> {
    if step == 0 {
        return Err(KernelError::Zero { dimension: "step" });
    }
    check_length("gradient", parameters.len(), gradient.len())?;
    check_length("first_moment", parameters.len(), first_moment.len())?;
    check_length("second_moment", parameters.len(), second_moment.len())?;
    let corrected = |beta: f64| 1.0 - beta.powf(step as f64);
    let factors = Factors {
        beta_1: adam.beta_1 as f32,
        rest_1: (1.0 - adam.beta_1) as f32,
        beta_2: adam.beta_2 as f32,
        rest_2: (1.0 - adam.beta_2) as f32,
        step_size: (adam.learning_rate / corrected(adam.beta_1)) as f32,
        inv_root_correction: (1.0 / corrected(adam.beta_2).sqrt()) as f32,
        epsilon: adam.epsilon as f32,
    };
    if parameters.len() < SHORT {
        update(factors, parameters, gradient, first_moment, second_moment);
    } else {
        parameters
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks(PIECE))
            .zip(first_moment.par_chunks_mut(PIECE))
            .zip(second_moment.par_chunks_mut(PIECE))
            .for_each(|(((p, g), m), v)| update(factors, p, g, m, v));
    }
    Ok(())
}

pass! {
    fn update(f: Factors, parameters: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let values = parameters.iter_mut().zip(gradient).zip(first).zip(second);
        for (((p, g), m), v) in values {
            *m = f.beta_1 * *m + f.rest_1 * g;
            *v = f.beta_2 * *v + f.rest_2 * (g * g);
            *p -= f.step_size * *m / (v.sqrt() * f.inv_root_correction + f.epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAM: Adam = Adam {
        learning_rate: 0.01,
        beta_1: 0.5,
        beta_2: 0.999,
        epsilon: 1e-8,
    };

    /// The formulas of Algorithm 1 in `f64`, step by step.
    #[test]
    fn ten_steps_of_the_published_algorithm() {
        let count = 70_001;
        let gradient = |t: u64, i: usize| ((t * 31 + i as u64 * 7) % 23) as f32 / 11.0 - 1.0;
        let mut p: Vec<f32> = (0..count).map(|i| (i % 13) as f32 / 13.0).collect();
        let mut expected: Vec<[f64; 3]> = p.iter().map(|&p| [f64::from(p), 0.0, 0.0]).collect();
        let (mut m, mut v) = (vec![0.0; count], vec![0.0; count]);
        for t in 1..=10 {
            let g: Vec<f32> = (0..count).map(|i| gradient(t, i)).collect();
            adam_step(&ADAM, t, &mut p, &g, &mut m, &mut v).expect("equal lengths");
            for ([p, m, v], g) in expected.iter_mut().zip(&g) {
                let g = f64::from(*g);
                *m = ADAM.beta_1 * *m + (1.0 - ADAM.beta_1) * g;
                *v = ADAM.beta_2 * *v + (1.0 - ADAM.beta_2) * g * g;
                let corrected_m = *m / (1.0 - ADAM.beta_1.powf(t as f64));
                let corrected_v = *v / (1.0 - ADAM.beta_2.powf(t as f64));
                *p -= ADAM.learning_rate * corrected_m / (corrected_v.sqrt() + ADAM.epsilon);
            }
        }
        for (p, [expected, ..]) in p.iter().zip(&expected) {
            assert!((f64::from(*p) - expected).abs() < 1e-6, "{p} {expected}");
        }
    }

    #[test]
    fn a_step_needs_a_number_and_equal_lengths() {
        let step = |t, len| {
            let (mut p, mut m, mut v) = ([0.0; 3], [0.0; 3], [0.0; 3]);
            adam_step(&ADAM, t, &mut p, &vec![0.0; len], &mut m, &mut v)
        };
        assert_eq!(step(0, 3), Err(KernelError::Zero { dimension: "step" }));
        assert!(matches!(
            step(1, 2),
            Err(KernelError::Length { got: 2, .. })
        ));
        assert_eq!(step(1, 3), Ok(()));
    }
}
