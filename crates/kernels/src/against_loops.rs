//! The three convolutions against loops in `f64`, against one another, and against themselves in
//! other batches and on other numbers of threads.

use crate::convolution::Convolution;
use crate::convolve::{forward, forward_onto, input_gradient};
use crate::dispatch::Dispatch;
use crate::epilogue::{Activation, Epilogue};
use crate::error::KernelError;
use crate::gradients::weight_gradient_for;
use crate::panels::{pack, pack_for, pack_transposed, pack_transposed_for};
use crate::weight_gradient;

/// Batch, height, width, in channels, out channels, kernel, stride, padding.
const SHAPES: &[[usize; 8]] = &[
    [1, 1, 1, 1, 1, 1, 1, 0],
    [2, 5, 7, 3, 4, 1, 1, 0],
    [2, 9, 8, 20, 17, 3, 1, 1],
    [3, 9, 7, 5, 33, 3, 2, 1],
    [2, 8, 8, 1, 64, 4, 2, 1],
    [2, 11, 9, 1, 16, 4, 2, 1],
    [5, 8, 8, 64, 100, 4, 2, 1],
    [33, 4, 4, 70, 40, 4, 1, 0],
    [2, 15, 13, 3, 12, 7, 2, 3],
    [3, 8, 8, 130, 31, 4, 2, 1],
    [2, 6, 5, 6, 7, 2, 3, 0],
    [1, 7, 7, 5, 5, 1, 2, 0],
    [2, 3, 3, 4, 6, 5, 2, 4],
    [2, 4, 3, 5, 3, 3, 1, 5],
    [1, 40, 37, 8, 48, 5, 1, 2],
];

fn shape(values: &[usize; 8]) -> Convolution {
    let &[
        batch,
        height,
        width,
        in_channels,
        out_channels,
        kernel,
        stride,
        padding,
    ] = values;
    Convolution {
        batch,
        height,
        width,
        in_channels,
        out_channels,
        kernel,
        stride,
        padding,
    }
}

/// Values without pattern in `-1..1`.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Calls `f` with the indices of input, weight and output of every product of the convolution.
fn for_products(s: &Convolution, mut f: impl FnMut(usize, usize, usize)) {
    for n in 0..s.batch {
        for oy in 0..s.out_height() {
            for ox in 0..s.out_width() {
                for ky in 0..s.kernel {
                    for kx in 0..s.kernel {
                        let (y, x) = (oy * s.stride + ky, ox * s.stride + kx);
                        let inside = (s.padding..s.height + s.padding).contains(&y)
                            && (s.padding..s.width + s.padding).contains(&x);
                        if !inside {
                            continue;
                        }
                        let pixel = (n * s.height + y - s.padding) * s.width + x - s.padding;
                        let out = (n * s.out_height() + oy) * s.out_width() + ox;
                        for ci in 0..s.in_channels {
                            for co in 0..s.out_channels {
                                let weight = (ky * s.kernel + kx) * s.in_channels + ci;
                                f(
                                    pixel * s.in_channels + ci,
                                    weight * s.out_channels + co,
                                    out * s.out_channels + co,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

struct Case {
    shape: Convolution,
    x: Vec<f32>,
    w: Vec<f32>,
    dy: Vec<f32>,
}

fn case(values: &[usize; 8]) -> Case {
    let shape = shape(values).checked().expect("a shape");
    Case {
        shape,
        x: noise(shape.input_len(), 1),
        w: noise(shape.weights_len(), 2),
        dy: noise(shape.output_len(), 3),
    }
}

#[track_caller]
fn assert_near(got: &[f32], expected: &[f64], scale: f64, what: &str) {
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(*got) - expected).abs();
        assert!(error < 1e-6 * scale, "{what} [{i}]: {got} {expected}");
    }
}

/// The size that a sum of so many products of noise has, and more.
fn scale(terms: usize) -> f64 {
    2.0 * (terms as f64).sqrt() + 2.0
}

#[test]
fn all_instruction_sets_compute_the_sums() {
    for values in SHAPES {
        let Case { shape: s, x, w, dy } = case(values);
        let mut expected_y = vec![0.0; dy.len()];
        let mut expected_dx = vec![0.0; x.len()];
        let mut expected_dw = vec![0.0; w.len()];
        for_products(&s, |i, k, o| {
            expected_y[o] += f64::from(x[i]) * f64::from(w[k]);
            expected_dx[i] += f64::from(dy[o]) * f64::from(w[k]);
            expected_dw[k] += f64::from(x[i]) * f64::from(dy[o]);
        });
        let taps = s.kernel * s.kernel;
        for dispatch in Dispatch::available() {
            let what = |name: &str| format!("{name} {dispatch:?} {values:?}");
            let packed = pack_for(dispatch, &s, &w).expect("weights of this shape");
            let mut y = vec![f32::NAN; dy.len()];
            forward(&s, &x, &packed, Epilogue::default(), &mut y).expect("lengths of this shape");
            let terms = taps * s.in_channels;
            assert_near(&y, &expected_y, scale(terms), &what("forward"));

            let packed = pack_transposed_for(dispatch, &s, &w).expect("weights of this shape");
            let mut dx = vec![f32::NAN; x.len()];
            input_gradient(&s, &dy, &packed, Epilogue::default(), &mut dx)
                .expect("lengths of this shape");
            let terms = taps * s.out_channels;
            assert_near(&dx, &expected_dx, scale(terms), &what("input gradient"));

            let mut dw = vec![f32::NAN; w.len()];
            weight_gradient_for(dispatch, &s, &x, &dy, &mut dw).expect("lengths of this shape");
            let terms = s.batch * s.out_height() * s.out_width();
            assert_near(&dw, &expected_dw, scale(terms), &what("weight gradient"));
        }
    }
}

#[test]
fn the_three_are_adjoint() {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    for values in [[6, 32, 32, 64, 128, 4, 2, 1], [6, 19, 18, 40, 70, 3, 2, 1]] {
        let Case { shape: s, x, w, dy } = case(&values);
        let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
        let mut dw = vec![0.0; w.len()];
        let packed = pack(&s, &w).expect("weights of this shape");
        forward(&s, &x, &packed, Epilogue::default(), &mut y).expect("lengths");
        let packed = pack_transposed(&s, &w).expect("weights of this shape");
        input_gradient(&s, &dy, &packed, Epilogue::default(), &mut dx).expect("lengths");
        weight_gradient(&s, &x, &dy, &mut dw).expect("lengths");
        let products = [dot(&y, &dy), dot(&x, &dx), dot(&w, &dw)];
        let allowed = 1e-6 * (dot(&y, &y) * dot(&dy, &dy)).sqrt();
        assert!((products[0] - products[1]).abs() < allowed, "{products:?}");
        assert!((products[0] - products[2]).abs() < allowed, "{products:?}");
    }
}

#[test]
fn the_epilogue_comes_after_the_sum() {
    for values in [[2, 6, 6, 40, 19, 4, 2, 1], [2, 6, 6, 3, 20, 4, 2, 1]] {
        let Case { shape: s, x, w, dy } = case(&values);
        // Sums on both sides of 6.
        let w: Vec<f32> = w.iter().map(|w| 2.0 * w).collect();
        for activation in [
            Activation::Identity,
            Activation::LeakyRelu(0.2),
            Activation::LeakyRelu(0.0),
            Activation::Relu6,
            Activation::Tanh,
        ] {
            let expect = |plain: &[f32], bias: &[f32]| -> Vec<f64> {
                let value = |(i, v): (usize, &f32)| f64::from(*v) + f64::from(bias[i % bias.len()]);
                let activate = |v: f64| match activation {
                    Activation::Identity => v,
                    Activation::LeakyRelu(slope) => v.max(0.0) + f64::from(slope) * v.min(0.0),
                    Activation::Relu6 => v.clamp(0.0, 6.0),
                    Activation::Tanh => v.tanh(),
                };
                plain.iter().enumerate().map(value).map(activate).collect()
            };
            let bias = noise(s.out_channels, 7);
            let packed = pack(&s, &w).expect("weights of this shape");
            let (mut plain, mut y) = (vec![0.0; dy.len()], vec![0.0; dy.len()]);
            let epilogue = Epilogue {
                bias: Some(&bias),
                activation,
            };
            forward(&s, &x, &packed, Epilogue::default(), &mut plain).expect("lengths");
            forward(&s, &x, &packed, epilogue, &mut y).expect("lengths");
            assert_near(&y, &expect(&plain, &bias), 10.0, "forward");

            let bias = noise(s.in_channels, 8);
            let packed = pack_transposed(&s, &w).expect("weights of this shape");
            let (mut plain, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            let epilogue = Epilogue {
                bias: Some(&bias),
                activation,
            };
            input_gradient(&s, &dy, &packed, Epilogue::default(), &mut plain).expect("lengths");
            input_gradient(&s, &dy, &packed, epilogue, &mut dx).expect("lengths");
            assert_near(&dx, &expect(&plain, &bias), 10.0, "input gradient");
        }
    }
}

#[test]
fn a_residual_is_added_before_bias_and_activation() {
    for values in [[2, 6, 6, 40, 19, 3, 2, 1], [2, 7, 5, 300, 33, 1, 1, 0]] {
        let Case { shape: s, x, w, dy } = case(&values);
        let bias = noise(s.out_channels, 7);
        for dispatch in Dispatch::available() {
            let packed = pack_for(dispatch, &s, &w).expect("weights of this shape");
            let mut plain = vec![0.0; dy.len()];
            forward(&s, &x, &packed, Epilogue::default(), &mut plain).expect("lengths");
            let expected: Vec<f64> = plain
                .iter()
                .zip(&dy)
                .enumerate()
                .map(|(i, (y, dy))| {
                    f64::from(*y) + f64::from(*dy) + f64::from(bias[i % bias.len()])
                })
                .map(|sum| sum.max(0.0))
                .collect();
            let epilogue = Epilogue {
                bias: Some(&bias),
                activation: Activation::LeakyRelu(0.0),
            };
            let mut y = dy.clone();
            forward_onto(&s, &x, &packed, epilogue, &mut y).expect("lengths");
            assert_near(&y, &expected, 10.0, "onto");
        }
    }
}

#[test]
fn bits_depend_on_neither_threads_nor_batch() {
    let bits = |values: &[f32]| -> Vec<u32> { values.iter().map(|v| v.to_bits()).collect() };
    for values in [
        [37, 8, 8, 64, 48, 4, 2, 1],
        [19, 16, 16, 1, 64, 4, 2, 1],
        [23, 4, 4, 96, 20, 4, 1, 0],
        [7, 13, 11, 30, 60, 3, 1, 1],
    ] {
        let Case { shape: s, x, w, dy } = case(&values);
        let on = |threads: usize, s: &Convolution, x: &[f32], dy: &[f32]| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads can be started").install(|| {
                let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
                let mut dw = vec![0.0; w.len()];
                let packed = pack(s, &w).expect("weights of this shape");
                forward(s, x, &packed, Epilogue::default(), &mut y).expect("lengths");
                let packed = pack_transposed(s, &w).expect("weights of this shape");
                input_gradient(s, dy, &packed, Epilogue::default(), &mut dx).expect("lengths");
                weight_gradient(s, x, dy, &mut dw).expect("lengths");
                [bits(&y), bits(&dx), bits(&dw)]
            })
        };
        let all = on(1, &s, &x, &dy);
        for threads in [2, 3, 5] {
            assert!(on(threads, &s, &x, &dy) == all, "{values:?} {threads}");
        }
        let single = Convolution { batch: 1, ..s };
        let (input_len, output_len) = (single.input_len(), single.output_len());
        for item in [0, s.batch / 2, s.batch - 1] {
            let x = &x[item * input_len..][..input_len];
            let dy = &dy[item * output_len..][..output_len];
            let [y, dx, _] = on(2, &single, x, dy);
            assert!(y == all[0][item * output_len..][..output_len], "{values:?}");
            assert!(dx == all[1][item * input_len..][..input_len], "{values:?}");
        }
    }
}

#[test]
fn wrong_lengths_are_errors() {
    let Case { shape: s, x, w, dy } = case(&[2, 8, 8, 3, 4, 4, 2, 1]);
    let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
    let none = Epilogue::default();
    assert!(matches!(
        pack(&s, &w[1..]),
        Err(KernelError::Length {
            tensor: "weights",
            expected: 192,
            got: 191
        })
    ));
    assert!(pack_transposed(&s, &w[1..]).is_err());
    let packed = pack(&s, &w).expect("weights of this shape");
    let transposed = pack_transposed(&s, &w).expect("weights of this shape");
    assert!(forward(&s, &x[1..], &packed, none, &mut y).is_err());
    assert!(forward(&s, &x, &packed, none, &mut y[1..]).is_err());
    assert!(input_gradient(&s, &dy[1..], &transposed, none, &mut dx).is_err());
    assert!(input_gradient(&s, &dy, &transposed, none, &mut dx[1..]).is_err());
    assert!(weight_gradient(&s, &x[1..], &dy, &mut dw).is_err());
    assert!(weight_gradient(&s, &x, &dy[1..], &mut dw).is_err());
    assert!(weight_gradient(&s, &x, &dy, &mut dw[1..]).is_err());
    let bias = Epilogue {
        bias: Some(&[0.0; 9]),
        activation: Activation::Identity,
    };
    assert!(forward(&s, &x, &packed, bias, &mut y).is_err());
    assert!(input_gradient(&s, &dy, &transposed, bias, &mut dx).is_err());
    let other = Convolution {
        in_channels: 4,
        out_channels: 3,
        ..s
    };
    assert!(matches!(
        forward(&other, &noise(512, 1), &packed, none, &mut [0.0; 96]),
        Err(KernelError::Packed {
            packed: [4, 0, 3, 4],
            asked: [4, 0, 4, 3]
        })
    ));
}
