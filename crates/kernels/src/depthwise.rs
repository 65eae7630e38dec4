//! Convolutions of each channel by itself, with a kernel of its own, and their gradients.
//!
//! Sums take their terms in the order of the taps, so that an item has the same bits in any batch, for
//! any number of threads and on any instruction set.

use std::ops::Range;

use crate::activation::{activate_in_place, repeat};
use crate::convolution::Convolution;
use crate::dispatch::pass;
use crate::epilogue::Epilogue;
use crate::error::{KernelError, check_length};
use crate::gather::inside;
use crate::rows::{for_rows, in_order, share};

/// Values of the output gradient that are summed in `f32`.
const CHUNK: usize = 1 << 15;

/// A convolution with a square kernel of each channel by itself, zero padding, channels last.
///
/// `y[n, oy, ox, c] = Σ x[n, oy·stride + ky − padding[0], ox·stride + kx − padding[0], c] w[ky, kx, c]`
///
/// # Shapes
/// - input: `[batch, height, width, channels]`
/// - output: `[batch, out_height, out_width, channels]`
/// - weights: `[kernel, kernel, channels]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depthwise {
    /// Items.
    pub batch: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the input and the output.
    pub channels: usize,
    /// Edge of the kernel.
    pub kernel: usize,
    /// Input pixels from one output pixel to the next.
    pub stride: usize,
    /// Zeros before the first and after the last pixel of each axis.
    pub padding: [usize; 2],
}

impl Depthwise {
    /// Rows of the output.
    #[must_use]
    pub fn out_height(&self) -> usize {
        self.out_size(self.height)
    }

    /// Columns of the output.
    #[must_use]
    pub fn out_width(&self) -> usize {
        self.out_size(self.width)
    }

    /// Elements of the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.height * self.width * self.channels
    }

    /// Elements of the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.out_height() * self.out_width() * self.channels
    }

    /// Elements of the weights.
    #[must_use]
    pub fn weights_len(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    fn out_size(&self, size: usize) -> usize {
        let padded = size + self.padding[0] + self.padding[1];
        padded
            .checked_sub(self.kernel)
            .map_or(0, |slack| slack / self.stride + 1)
    }

    /// An error unless the shape is one.
    fn check(&self) -> Result<(), KernelError> {
        let [before, after] = self.padding;
        let larger = Convolution {
            batch: self.batch,
            height: self.height,
            width: self.width,
            in_channels: self.channels,
            out_channels: self.channels,
            kernel: self.kernel,
            stride: self.stride,
            padding: before.max(after),
        };
        larger.checked()?;
        let too_small = |size: &usize| size + before + after < self.kernel;
        match [self.height, self.width].into_iter().find(too_small) {
            None => Ok(()),
            Some(size) => Err(KernelError::KernelExceedsInput {
                kernel: self.kernel,
                size,
                padding: before.min(after),
            }),
        }
    }

    /// The input pixels that output pixel `at` of an axis reads, and the tap of each.
    fn reads(&self, at: usize, size: usize) -> Vec<Read> {
        let origin = (at * self.stride) as isize - self.padding[0] as isize;
        let pixel = |tap: usize| Read {
            pixel: (origin + tap as isize) as usize,
            tap,
        };
        inside(origin, self.kernel, size).map(pixel).collect()
    }

    /// The output pixels, of `count`, that read pixel `at` of an axis, and the tap of each.
    fn readers(&self, at: usize, count: usize) -> Vec<Read> {
        let one = |tap: usize| {
            let offset = (at + self.padding[0]).checked_sub(tap)?;
            let pixel = offset / self.stride;
            let is_reader = offset.is_multiple_of(self.stride) && pixel < count;
            is_reader.then_some(Read { pixel, tap })
        };
        (0..self.kernel).filter_map(one).collect()
    }
}

/// A pixel of one axis and the tap that it is multiplied with.
#[derive(Clone, Copy, Debug)]
struct Read {
    pixel: usize,
    tap: usize,
}

/// Convolves `input` and writes the output.
///
/// # Errors
/// A shape that is none, slices of other lengths.
pub fn depthwise_forward(
    shape: &Depthwise,
    input: &[f32],
    weights: &[f32],
    epilogue: Epilogue<'_>,
    output: &mut [f32],
) -> Result<(), KernelError> {
    shape.check()?;
    check_length("input", shape.input_len(), input.len())?;
    check_length("weights", shape.weights_len(), weights.len())?;
    check_length("output", shape.output_len(), output.len())?;
    if let Some(bias) = epilogue.bias {
        check_length("bias", shape.channels, bias.len())?;
    }
    let bias = epilogue.bias.map(repeat);
    let (rows, columns) = (shape.out_height(), shape.out_width());
    let gather = Gather {
        ys: (0..rows).map(|y| shape.reads(y, shape.height)).collect(),
        xs: (0..columns).map(|x| shape.reads(x, shape.width)).collect(),
        source: (shape.height, shape.width),
        channels: shape.channels,
        kernel: shape.kernel,
    };
    gather.run(input, weights, output, |row| {
        if let Some(bias) = &bias {
            add_bias(bias, row);
        }
        activate_in_place(row, epilogue.activation);
    });
    Ok(())
}

/// The gradient of [`depthwise_forward`] by its input.
///
/// # Errors
/// A shape that is none, slices of other lengths.
pub fn depthwise_input_gradient(
    shape: &Depthwise,
    output_gradient: &[f32],
    weights: &[f32],
    input_gradient: &mut [f32],
) -> Result<(), KernelError> {
    shape.check()?;
    check_length("output_gradient", shape.output_len(), output_gradient.len())?;
    check_length("weights", shape.weights_len(), weights.len())?;
    check_length("input_gradient", shape.input_len(), input_gradient.len())?;
    let (rows, columns) = (shape.out_height(), shape.out_width());
    let gather = Gather {
        ys: (0..shape.height).map(|y| shape.readers(y, rows)).collect(),
        xs: (0..shape.width)
            .map(|x| shape.readers(x, columns))
            .collect(),
        source: (rows, columns),
        channels: shape.channels,
        kernel: shape.kernel,
    };
    gather.run(output_gradient, weights, input_gradient, |_| {});
    Ok(())
}

/// The gradient of [`depthwise_forward`] by its weights, summed over the batch.
///
/// Chunks of fixed size are summed in `f32` and combined in `f64` in order, for any number of
/// threads.
///
/// # Errors
/// A shape that is none, slices of other lengths.
pub fn depthwise_weight_gradient(
    shape: &Depthwise,
    input: &[f32],
    output_gradient: &[f32],
    weights_gradient: &mut [f32],
) -> Result<(), KernelError> {
    shape.check()?;
    check_length("input", shape.input_len(), input.len())?;
    check_length("output_gradient", shape.output_len(), output_gradient.len())?;
    check_length(
        "weights_gradient",
        shape.weights_len(),
        weights_gradient.len(),
    )?;
    let rows = shape.batch * shape.out_height();
    let each = (CHUNK / (shape.out_width() * shape.channels)).max(1);
    let spans: Vec<(Range<usize>, usize)> = (0..shape.kernel)
        .map(|tap| {
            let is_inside = |x: &usize| {
                let at = (x * shape.stride + tap).checked_sub(shape.padding[0]);
                at.is_some_and(|at| at < shape.width)
            };
            let start = (0..shape.out_width()).find(is_inside).unwrap_or(0);
            let end = (0..shape.out_width())
                .rfind(is_inside)
                .map_or(start, |x| x + 1);
            let first = (start * shape.stride + tap).saturating_sub(shape.padding[0]);
            (start..end, first)
        })
        .collect();
    let parts = in_order(rows.div_ceil(each), output_gradient.len(), |chunk| {
        let mut sums = vec![0.0; shape.weights_len()];
        for row in chunk * each..rows.min(chunk * each + each) {
            for read in shape.reads(row % shape.out_height(), shape.height) {
                let x_len = shape.width * shape.channels;
                let y_len = shape.out_width() * shape.channels;
                let from = (row / shape.out_height() * shape.height + read.pixel) * x_len;
                let x = &input[from..][..x_len];
                let dy = &output_gradient[row * y_len..][..y_len];
                let sums_len = shape.kernel * shape.channels;
                let sums = &mut sums[read.tap * sums_len..][..sums_len];
                add_products(shape, &spans, x, dy, sums);
            }
        }
        sums
    });
    let mut total = vec![0.0_f64; shape.weights_len()];
    for part in parts {
        for (total, part) in total.iter_mut().zip(part) {
            *total += f64::from(part);
        }
    }
    for (to, total) in weights_gradient.iter_mut().zip(total) {
        *to = total as f32;
    }
    Ok(())
}

/// Sums at pixels of a destination over pixels of a source.
struct Gather {
    /// What each row of the destination reads.
    ys: Vec<Vec<Read>>,
    /// What each column of the destination reads.
    xs: Vec<Vec<Read>>,
    /// Rows and columns of the source.
    source: (usize, usize),
    channels: usize,
    kernel: usize,
}

impl Gather {
    fn run(
        &self,
        source: &[f32],
        weights: &[f32],
        destination: &mut [f32],
        finish: impl Fn(&mut [f32]) + Sync,
    ) {
        let row_len = self.xs.len() * self.channels;
        let item_len = self.source.0 * self.source.1 * self.channels;
        let pieces = share(destination.len());
        for_rows(destination, row_len, pieces, |rows, chunk| {
            for (row, out) in rows.zip(chunk.chunks_exact_mut(row_len)) {
                let item = &source[row / self.ys.len() * item_len..][..item_len];
                sum_row(self, &self.ys[row % self.ys.len()], item, weights, out);
                finish(out);
            }
        });
    }
}

pass! {
    fn sum_row(gather: &Gather, ys: &[Read], source: &[f32], weights: &[f32], out: &mut [f32]) {
        let channels = gather.channels;
        for (out, xs) in out.chunks_exact_mut(channels).zip(&gather.xs) {
            let mut c = 0;
            while c + 32 <= channels {
                sum_channels::<32>(gather, ys, xs, source, weights, c, out);
                c += 32;
            }
            while c + 8 <= channels {
                sum_channels::<8>(gather, ys, xs, source, weights, c, out);
                c += 8;
            }
            while c < channels {
                sum_channels::<1>(gather, ys, xs, source, weights, c, out);
                c += 1;
            }
        }
    }
}

/// `N` channels from `c` of a pixel, summed in registers.
#[inline(always)]
fn sum_channels<const N: usize>(
    gather: &Gather,
    ys: &[Read],
    xs: &[Read],
    source: &[f32],
    weights: &[f32],
    c: usize,
    out: &mut [f32],
) {
    let mut sums = [0.0_f32; N];
    for y in ys {
        for x in xs {
            let from = (y.pixel * gather.source.1 + x.pixel) * gather.channels + c;
            let tap = (y.tap * gather.kernel + x.tap) * gather.channels + c;
            let (values, weights) = (&source[from..][..N], &weights[tap..][..N]);
            for ((sum, value), weight) in sums.iter_mut().zip(values).zip(weights) {
                *sum += value * weight;
            }
        }
    }
    out[c..][..N].copy_from_slice(&sums);
}

pass! {
    fn add_bias(bias: &[f32], row: &mut [f32]) {
        for row in row.chunks_mut(bias.len()) {
            for (value, bias) in row.iter_mut().zip(bias) {
                *value += bias;
            }
        }
    }
}

pass! {
    /// Adds the products of a row of the input and one of the output gradient to a row of taps.
    fn add_products(
        shape: &Depthwise,
        spans: &[(Range<usize>, usize)],
        x: &[f32],
        dy: &[f32],
        sums: &mut [f32],
    ) {
        let channels = shape.channels;
        for ((span, first), sums) in spans.iter().zip(sums.chunks_exact_mut(channels)) {
            let mut c = 0;
            while c + 32 <= channels {
                add_channels::<32>(shape, span, *first, x, dy, c, sums);
                c += 32;
            }
            while c + 8 <= channels {
                add_channels::<8>(shape, span, *first, x, dy, c, sums);
                c += 8;
            }
            while c < channels {
                add_channels::<1>(shape, span, *first, x, dy, c, sums);
                c += 1;
            }
        }
    }
}

/// `N` channels from `c` of a tap, summed in registers.
#[inline(always)]
fn add_channels<const N: usize>(
    shape: &Depthwise,
    span: &Range<usize>,
    first: usize,
    x: &[f32],
    dy: &[f32],
    c: usize,
    sums: &mut [f32],
) {
    let mut local = [0.0_f32; N];
    local.copy_from_slice(&sums[c..][..N]);
    for (i, at) in span.clone().enumerate() {
        let from = (first + i * shape.stride) * shape.channels + c;
        let (x, dy) = (&x[from..][..N], &dy[at * shape.channels + c..][..N]);
        for ((sum, x), dy) in local.iter_mut().zip(x).zip(dy) {
            *sum += x * dy;
        }
    }
    sums[c..][..N].copy_from_slice(&local);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::against_formulas::noise;
    use crate::epilogue::Activation;

    const SHAPES: [([usize; 6], [usize; 2]); 8] = [
        ([2, 2, 3, 96, 5, 1], [2, 2]),
        ([2, 4, 6, 144, 5, 2], [1, 2]),
        ([1, 1, 1, 1, 1, 1], [0, 0]),
        ([2, 9, 8, 5, 3, 1], [1, 1]),
        ([3, 40, 41, 43, 3, 2], [0, 1]),
        ([2, 12, 13, 32, 5, 2], [1, 2]),
        ([1, 7, 6, 100, 5, 1], [2, 2]),
        ([2, 3, 2, 9, 4, 3], [3, 0]),
    ];

    fn shape(
        &([batch, height, width, channels, kernel, stride], padding): &([usize; 6], [usize; 2]),
    ) -> Depthwise {
        Depthwise {
            batch,
            height,
            width,
            channels,
            kernel,
            stride,
            padding,
        }
    }

    /// Calls `f` with the indices of input, weight and output of every product.
    fn for_products(s: &Depthwise, mut f: impl FnMut(usize, usize, usize)) {
        for o in 0..s.output_len() {
            let (c, pixel) = (o % s.channels, o / s.channels);
            let (ox, row) = (pixel % s.out_width(), pixel / s.out_width());
            let (oy, item) = (row % s.out_height(), row / s.out_height());
            for k in 0..s.kernel * s.kernel {
                let y = (oy * s.stride + k / s.kernel).wrapping_sub(s.padding[0]);
                let x = (ox * s.stride + k % s.kernel).wrapping_sub(s.padding[0]);
                if y < s.height && x < s.width {
                    let i = ((item * s.height + y) * s.width + x) * s.channels + c;
                    f(i, k * s.channels + c, o);
                }
            }
        }
    }

    #[track_caller]
    fn assert_near(got: &[f32], expected: &[f64], allowed: f64) {
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            let error = (f64::from(*got) - expected).abs();
            assert!(error < allowed, "[{i}]: {got} {expected}");
        }
    }

    #[test]
    fn sums_and_both_gradients() {
        for values in &SHAPES {
            let s = shape(values);
            let (x, w) = (noise(s.input_len(), 1), noise(s.weights_len(), 2));
            let dy = noise(s.output_len(), 3);
            let mut expected = [vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; w.len()]];
            for_products(&s, |i, k, o| {
                expected[0][o] += f64::from(x[i]) * f64::from(w[k]);
                expected[1][i] += f64::from(dy[o]) * f64::from(w[k]);
                expected[2][k] += f64::from(x[i]) * f64::from(dy[o]);
            });
            let mut y = vec![f32::NAN; dy.len()];
            depthwise_forward(&s, &x, &w, Epilogue::default(), &mut y).expect("lengths");
            assert_near(&y, &expected[0], 1e-5);
            let bias = noise(s.channels, 4);
            let epilogue = Epilogue {
                bias: Some(&bias),
                activation: Activation::Relu6,
            };
            let finished: Vec<f64> = expected[0]
                .iter()
                .enumerate()
                .map(|(i, y)| (y + f64::from(bias[i % s.channels])).clamp(0.0, 6.0))
                .collect();
            depthwise_forward(&s, &x, &w, epilogue, &mut y).expect("lengths");
            assert_near(&y, &finished, 1e-5);
            let mut dx = vec![f32::NAN; x.len()];
            depthwise_input_gradient(&s, &dy, &w, &mut dx).expect("lengths");
            assert_near(&dx, &expected[1], 1e-5);
            let mut dw = vec![f32::NAN; w.len()];
            depthwise_weight_gradient(&s, &x, &dy, &mut dw).expect("lengths");
            assert_near(
                &dw,
                &expected[2],
                2e-5 * (dy.len() as f64 / s.channels as f64).sqrt(),
            );
        }
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        let s = shape(&SHAPES[4]);
        let (x, w) = (noise(s.input_len(), 1), noise(s.weights_len(), 2));
        let dy = noise(s.output_len(), 3);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads can be started").install(|| {
                let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
                depthwise_forward(&s, &x, &w, Epilogue::default(), &mut y).expect("lengths");
                depthwise_input_gradient(&s, &dy, &w, &mut dx).expect("lengths");
                depthwise_weight_gradient(&s, &x, &dy, &mut dw).expect("lengths");
                (y, dx, dw)
            })
        };
        let one = on(1);
        assert!(one == on(2) && one == on(3));
    }

    #[test]
    fn shapes_that_are_none() {
        let s = shape(&SHAPES[3]);
        let (x, w) = (noise(s.input_len(), 1), noise(s.weights_len(), 2));
        let mut y = vec![0.0; s.output_len()];
        let run = |s: &Depthwise, w: &[f32], y: &mut [f32]| {
            depthwise_forward(s, &x, w, Epilogue::default(), y)
        };
        assert_eq!(run(&s, &w, &mut y), Ok(()));
        assert!(run(&s, &w[1..], &mut y).is_err());
        assert!(run(&Depthwise { stride: 0, ..s }, &w, &mut y).is_err());
        assert!(depthwise_input_gradient(&s, &y[1..], &w, &mut [0.0; 9]).is_err());
        assert!(depthwise_weight_gradient(&s, &x, &y, &mut [0.0; 9]).is_err());
    }
}
