//! The passes over memory against their formulas in `f64`.

use crate::activation::{leaky_relu_gradient, scale_shift_activate, tanh_gradient};
use crate::batch_norm::{
    BatchNorm, batch_norm_constant_gradient, batch_norm_input_gradient,
    batch_norm_parameter_gradients,
};
use crate::epilogue::Activation;
use crate::moments::channel_moments;

/// Values without pattern in `-1..1`.
pub(crate) fn noise(count: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919 + seed * 104_729 + i * i % 8191) % 2003) as f32;
    (0..count).map(|i| value(i) / 1001.5 - 1.0).collect()
}

fn leaky(x: f64, slope: f64) -> f64 {
    if x > 0.0 { x } else { slope * x }
}

/// Long enough for several threads, with a tail in every kind of piece.
const ROWS: usize = 30_011;

#[test]
fn scale_shift_and_activation() {
    for channels in [1, 3, 20, 64] {
        let x = noise(ROWS * channels, 1);
        let (scale, shift) = (noise(channels, 2), noise(channels, 3));
        for activation in [
            Activation::Identity,
            Activation::LeakyRelu(0.2),
            Activation::Relu6,
            Activation::Tanh,
        ] {
            let mut y = vec![f32::NAN; x.len()];
            scale_shift_activate(&x, &scale, &shift, activation, &mut y).expect("lengths");
            for (i, (y, x)) in y.iter().zip(&x).enumerate() {
                let c = i % channels;
                let sum = f64::from(*x) * f64::from(scale[c]) + f64::from(shift[c]);
                let expected = match activation {
                    Activation::Identity => sum,
                    Activation::LeakyRelu(_) => leaky(sum, 0.2),
                    Activation::Relu6 => sum.clamp(0.0, 6.0),
                    Activation::Tanh => sum.tanh(),
                };
                assert!((f64::from(*y) - expected).abs() < 1e-6, "{channels} {i}");
            }
        }
    }
}

#[test]
fn gradients_of_activations() {
    let (x, dy) = (noise(100_003, 4), noise(100_003, 5));
    let mut dx = vec![f32::NAN; x.len()];
    let y: Vec<f32> = x
        .iter()
        .map(|&x| Activation::LeakyRelu(0.2).of(x))
        .collect();
    leaky_relu_gradient(&dy, &y, 0.2, &mut dx).expect("lengths");
    for ((dx, x), dy) in dx.iter().zip(&x).zip(&dy) {
        assert_eq!(*dx, if *x > 0.0 { *dy } else { 0.2 * dy });
    }
    let y: Vec<f32> = x.iter().map(|&x| Activation::Tanh.of(x)).collect();
    tanh_gradient(&dy, &y, &mut dx).expect("lengths");
    for ((dx, x), dy) in dx.iter().zip(&x).zip(&dy) {
        let expected = f64::from(*dy) / f64::from(*x).cosh().powi(2);
        assert!((f64::from(*dx) - expected).abs() < 1e-6, "{x}");
    }
    assert!(leaky_relu_gradient(&dy, &y[1..], 0.2, &mut dx).is_err());
    assert!(tanh_gradient(&dy, &y, &mut dx[1..]).is_err());
}

/// The loss `Σ dy · leaky(norm(x))` in `f64`, with the moments of `x` or given ones.
fn loss(x: &[f64], dy: &[f32], norm: &BatchNorm<'_>, constant: bool) -> f64 {
    let channels = norm.gamma.len();
    let count = (x.len() / channels) as f64;
    (0..channels)
        .map(|c| {
            let values = || x.iter().skip(c).step_by(channels).copied();
            let (mean, inv_std) = if constant {
                (f64::from(norm.mean[c]), f64::from(norm.inv_std[c]))
            } else {
                let mean = values().sum::<f64>() / count;
                let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
                (mean, 1.0 / (variance + 1e-5).sqrt())
            };
            let gradients = dy.iter().skip(c).step_by(channels);
            let terms = values().zip(gradients).map(|(x, dy)| {
                let normed = (x - mean) * inv_std;
                let before = normed * f64::from(norm.gamma[c]) + f64::from(norm.beta[c]);
                f64::from(*dy) * leaky(before, f64::from(norm.slope))
            });
            terms.sum::<f64>()
        })
        .sum()
}

#[test]
fn gradients_of_batch_norm_are_differences_of_its_loss() {
    for channels in [1, 3, 20, 64] {
        let rows = 37;
        let x = noise(rows * channels, 6);
        let dy = noise(rows * channels, 7);
        let gamma: Vec<f32> = noise(channels, 8).iter().map(|g| g + 1.5).collect();
        let beta = noise(channels, 9);
        let moments = channel_moments(&x, channels).expect("whole rows");
        let mean: Vec<f32> = moments.mean.iter().map(|&m| m as f32).collect();
        let inv_std = |v: &f64| (1.0 / (v + 1e-5).sqrt()) as f32;
        let inv_std: Vec<f32> = moments.variance.iter().map(inv_std).collect();
        let norm = BatchNorm {
            mean: &mean,
            inv_std: &inv_std,
            gamma: &gamma,
            beta: &beta,
            slope: 0.2,
        };
        let mut wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        let (dgamma, dbeta) = batch_norm_parameter_gradients(&dy, &x, norm).expect("lengths");
        for c in 0..channels {
            let difference = |change: &dyn Fn(f32) -> (Vec<f32>, Vec<f32>)| {
                let [(gamma_a, beta_a), (gamma_b, beta_b)] = [change(-1.0), change(1.0)];
                let at = |gamma: &[f32], beta: &[f32]| {
                    let norm = BatchNorm {
                        gamma,
                        beta,
                        ..norm
                    };
                    loss(&wide, &dy, &norm, false)
                };
                at(&gamma_b, &beta_b) - at(&gamma_a, &beta_a)
            };
            let step = 1.0 / 4096.0;
            let by_gamma = difference(&|sign| {
                let mut gamma = gamma.clone();
                gamma[c] += sign * step;
                (gamma, beta.clone())
            });
            let by_beta = difference(&|sign| {
                let mut beta = beta.clone();
                beta[c] += sign * step;
                (gamma.clone(), beta)
            });
            let per_step = |difference: f64| difference / (2.0 * f64::from(step));
            // A value whose sign flips within the step bends the difference a little.
            assert!((per_step(by_gamma) - f64::from(dgamma[c])).abs() < 5e-3);
            assert!((per_step(by_beta) - f64::from(dbeta[c])).abs() < 5e-3);
        }
        let (mut dx, mut dx_constant) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        batch_norm_input_gradient(&dy, &x, norm, &dgamma, &dbeta, &mut dx).expect("lengths");
        batch_norm_constant_gradient(&dy, &x, norm, &mut dx_constant).expect("lengths");
        for i in (0..x.len()).step_by(x.len() / 30 + 1) {
            for (constant, dx) in [(false, &dx), (true, &dx_constant)] {
                let step = 1e-6;
                let at = |wide: &mut Vec<f64>, step: f64| {
                    wide[i] += step;
                    let loss = loss(wide, &dy, &norm, constant);
                    wide[i] -= step;
                    loss
                };
                let slope = (at(&mut wide, step) - at(&mut wide, -step)) / (2.0 * step);
                let error = (slope - f64::from(dx[i])).abs();
                assert!(error < 1e-4, "{channels} {i} {constant} {slope} {}", dx[i]);
            }
        }
    }
}

#[test]
fn passes_have_the_same_bits_on_any_number_of_threads() {
    let (x, dy) = (noise(ROWS * 20, 1), noise(ROWS * 20, 2));
    let channels = noise(20, 3);
    let norm = BatchNorm {
        mean: &channels,
        inv_std: &channels,
        gamma: &channels,
        beta: &channels,
        slope: 0.0,
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads can be started").install(|| {
            let moments = channel_moments(&x, 20).expect("whole rows");
            let sums = batch_norm_parameter_gradients(&dy, &x, norm).expect("lengths");
            (moments, sums)
        })
    };
    let one = on(1);
    assert!(one == on(2) && one == on(3));
}
