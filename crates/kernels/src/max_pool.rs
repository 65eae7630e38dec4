//! The largest value of each window, and the gradient to where it came from.

use std::ops::Range;

use rayon::prelude::*;

use crate::convolution::Convolution;
use crate::dispatch::pass;
use crate::error::{KernelError, check_length};
use crate::gather::inside;
use crate::rows::{SHORT, for_rows, share};

/// A pooling of each channel by itself, over square windows; the padding is never the largest.
///
/// With kernel 1 it keeps every `stride`-th pixel.
///
/// # Shapes
/// - input: `[batch, height, width, channels]`
/// - output, places: `[batch, out_height, out_width, channels]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// Items.
    pub batch: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the input and the output.
    pub channels: usize,
    /// Edge of the window, at most 16.
    pub kernel: usize,
    /// Input pixels from one output pixel to the next.
    pub stride: usize,
    /// Pixels that windows reach beyond the input on each side, at most half the kernel.
    pub padding: usize,
}

impl MaxPool {
    /// Rows of the output.
    #[must_use]
    pub fn out_height(&self) -> usize {
        self.windows().out_height()
    }

    /// Columns of the output.
    #[must_use]
    pub fn out_width(&self) -> usize {
        self.windows().out_width()
    }

    /// Elements of the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.windows().input_len()
    }

    /// Elements of the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.windows().output_len()
    }

    /// The convolution that reads the same windows.
    fn windows(&self) -> Convolution {
        Convolution {
            batch: self.batch,
            height: self.height,
            width: self.width,
            in_channels: self.channels,
            out_channels: self.channels,
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
        }
    }

    fn check(&self) -> Result<(), KernelError> {
        self.windows().checked()?;
        if self.kernel > 16 || 2 * self.padding > self.kernel {
            return Err(KernelError::Window {
                kernel: self.kernel,
                padding: self.padding,
            });
        }
        Ok(())
    }

    /// The input rows or columns of window `at`, and the first tap of them.
    fn window(&self, at: usize, size: usize) -> (Range<usize>, usize) {
        let origin = (at * self.stride) as isize - self.padding as isize;
        let taps = inside(origin, self.kernel, size);
        let start = (origin + taps.start as isize) as usize;
        (start..start + taps.len(), taps.start)
    }

    /// The windows of `count` that hold pixel `at` of an axis.
    fn holders(&self, at: usize, count: usize) -> Range<usize> {
        let padded = at + self.padding;
        let first = (padded + 1).saturating_sub(self.kernel);
        first.div_ceil(self.stride)..(padded / self.stride + 1).min(count)
    }
}

/// Writes the largest values, and into `places` which tap of the window each is: its row in the
/// window times `kernel`, plus its column.
///
/// The first of equal values counts; a window with a NaN gives NaN.
///
/// # Errors
/// A shape that is none, slices of other lengths.
pub fn max_pool(
    pool: &MaxPool,
    x: &[f32],
    y: &mut [f32],
    places: &mut [u8],
) -> Result<(), KernelError> {
    pool.check()?;
    check_length("x", pool.input_len(), x.len())?;
    check_length("y", pool.output_len(), y.len())?;
    check_length("places", pool.output_len(), places.len())?;
    let row_len = pool.out_width() * pool.channels;
    if x.len() < SHORT {
        y.chunks_exact_mut(row_len)
            .zip(places.chunks_exact_mut(row_len))
            .enumerate()
            .for_each(|(row, (y, places))| pool_row(pool, x, row, y, places));
    } else {
        y.par_chunks_exact_mut(row_len)
            .zip(places.par_chunks_exact_mut(row_len))
            .enumerate()
            .with_min_len(4)
            .for_each(|(row, (y, places))| pool_row(pool, x, row, y, places));
    }
    Ok(())
}

/// The gradient of [`max_pool`] by its input: each gradient goes to the pixel that was the largest.
///
/// A pixel adds up its windows in their order, for any number of threads.
///
/// # Errors
/// A shape that is none, slices of other lengths.
pub fn max_pool_gradient(
    pool: &MaxPool,
    dy: &[f32],
    places: &[u8],
    dx: &mut [f32],
) -> Result<(), KernelError> {
    pool.check()?;
    check_length("dy", pool.output_len(), dy.len())?;
    check_length("places", pool.output_len(), places.len())?;
    check_length("dx", pool.input_len(), dx.len())?;
    let row_len = pool.width * pool.channels;
    for_rows(dx, row_len, share(pool.input_len()), |rows, chunk| {
        for (row, dx) in rows.zip(chunk.chunks_exact_mut(row_len)) {
            return_row(pool, dy, places, row, dx);
        }
    });
    Ok(())
}

pass! {
    /// Row `row` of the output, counted through the batch.
    fn pool_row(pool: &MaxPool, x: &[f32], row: usize, y: &mut [f32], places: &mut [u8]) {
        let (item, out_y) = (row / pool.out_height(), row % pool.out_height());
        let (ys, first_y) = pool.window(out_y, pool.height);
        let channels = pool.channels;
        let pixels = y.chunks_exact_mut(channels).zip(places.chunks_exact_mut(channels));
        for (out_x, (y, places)) in pixels.enumerate() {
            let (xs, first_x) = pool.window(out_x, pool.width);
            let window = Window { ys: ys.clone(), xs, first: (first_y, first_x) };
            let map = &x[item * pool.height * pool.width * channels..];
            let mut c = 0;
            while c + 16 <= channels {
                pool_channels::<16>(pool, &window, map, c, y, places);
                c += 16;
            }
            while c < channels {
                pool_channels::<1>(pool, &window, map, c, y, places);
                c += 1;
            }
        }
    }
}

/// The rows and columns of the input in a window, and the row and column of the first in it.
struct Window {
    ys: Range<usize>,
    xs: Range<usize>,
    first: (usize, usize),
}

/// `N` channels from `c` of a pixel, compared in registers.
#[inline(always)]
fn pool_channels<const N: usize>(
    pool: &MaxPool,
    window: &Window,
    map: &[f32],
    c: usize,
    y: &mut [f32],
    places: &mut [u8],
) {
    let (first_y, first_x) = window.first;
    let mut best = [f32::NEG_INFINITY; N];
    // As wide as the values, so that both are chosen by the same mask.
    let mut taps = [(first_y * pool.kernel + first_x) as u32; N];
    for (tap_y, in_y) in window.ys.clone().enumerate() {
        for (tap_x, in_x) in window.xs.clone().enumerate() {
            let tap = ((first_y + tap_y) * pool.kernel + first_x + tap_x) as u32;
            let from = (in_y * pool.width + in_x) * pool.channels + c;
            for ((x, best), place) in map[from..][..N].iter().zip(&mut best).zip(&mut taps) {
                let is_larger = *x > *best || x.is_nan();
                *best = if is_larger { *x } else { *best };
                *place = if is_larger { tap } else { *place };
            }
        }
    }
    y[c..][..N].copy_from_slice(&best);
    for (place, tap) in places[c..][..N].iter_mut().zip(taps) {
        *place = tap as u8;
    }
}

pass! {
    /// Row `row` of the input's gradient, counted through the batch.
    fn return_row(pool: &MaxPool, dy: &[f32], places: &[u8], row: usize, dx: &mut [f32]) {
        let (item, in_y) = (row / pool.height, row % pool.height);
        let (out_height, out_width) = (pool.out_height(), pool.out_width());
        let channels = pool.channels;
        for (in_x, dx) in dx.chunks_exact_mut(channels).enumerate() {
            dx.fill(0.0);
            for out_y in pool.holders(in_y, out_height) {
                for out_x in pool.holders(in_x, out_width) {
                    let tap_y = in_y + pool.padding - out_y * pool.stride;
                    let tap_x = in_x + pool.padding - out_x * pool.stride;
                    let tap = (tap_y * pool.kernel + tap_x) as u8;
                    let from = ((item * out_height + out_y) * out_width + out_x) * channels;
                    let terms = dy[from..][..channels].iter().zip(&places[from..][..channels]);
                    for (dx, (dy, place)) in dx.iter_mut().zip(terms) {
                        *dx += if *place == tap { *dy } else { 0.0 };
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of few levels, so that many are equal.
    fn levels(count: usize) -> Vec<f32> {
        (0..count)
            .map(|i| ((i * 7919 + i * i) % 13) as f32 - 6.0)
            .collect()
    }

    /// The pixel of the input with the largest value of each window, found by the definition.
    fn winners(pool: &MaxPool, x: &[f32]) -> Vec<usize> {
        let mut all = Vec::new();
        for item in 0..pool.batch {
            for (out_y, out_x, c) in (0..pool.out_height()).flat_map(|y| {
                (0..pool.out_width()).flat_map(move |x| (0..pool.channels).map(move |c| (y, x, c)))
            }) {
                let mut best: Option<usize> = None;
                for tap in 0..pool.kernel * pool.kernel {
                    let y = (out_y * pool.stride + tap / pool.kernel).wrapping_sub(pool.padding);
                    let at_x = (out_x * pool.stride + tap % pool.kernel).wrapping_sub(pool.padding);
                    if y < pool.height && at_x < pool.width {
                        let i = ((item * pool.height + y) * pool.width + at_x) * pool.channels + c;
                        if best.is_none_or(|best| x[i] > x[best]) {
                            best = Some(i);
                        }
                    }
                }
                all.push(best.expect("a window reaches the image"));
            }
        }
        all
    }

    #[test]
    fn the_largest_of_each_window_and_its_gradient() {
        for [batch, height, width, channels, kernel, stride, padding] in [
            [2, 9, 8, 5, 3, 2, 1],
            [1, 1, 1, 1, 1, 1, 0],
            [3, 70, 31, 16, 3, 2, 1],
            [2, 7, 5, 3, 1, 2, 0],
            [1, 6, 6, 20, 2, 2, 0],
            [1, 11, 10, 4, 4, 3, 2],
            [1, 9, 9, 2, 2, 4, 1],
        ] {
            let pool = MaxPool {
                batch,
                height,
                width,
                channels,
                kernel,
                stride,
                padding,
            };
            let x = levels(pool.input_len());
            let winners = winners(&pool, &x);
            let mut y = vec![f32::NAN; pool.output_len()];
            let mut places = vec![0; y.len()];
            max_pool(&pool, &x, &mut y, &mut places).expect("lengths");
            let expected: Vec<f32> = winners.iter().map(|&i| x[i]).collect();
            assert_eq!(y, expected);
            // Whole numbers have exact sums in any order.
            let dy: Vec<f32> = (0..y.len()).map(|i| (i % 17) as f32 - 4.0).collect();
            let mut dx = vec![f32::NAN; x.len()];
            max_pool_gradient(&pool, &dy, &places, &mut dx).expect("lengths");
            let mut expected = vec![0.0; x.len()];
            for (i, dy) in winners.iter().zip(&dy) {
                expected[*i] += dy;
            }
            assert_eq!(dx, expected);
        }
    }

    #[test]
    fn windows_that_are_none() {
        let pool = MaxPool {
            batch: 1,
            height: 4,
            width: 4,
            channels: 1,
            kernel: 3,
            stride: 2,
            padding: 1,
        };
        let run = |pool: MaxPool, x: &[f32]| max_pool(&pool, x, &mut [0.0; 4], &mut [0; 4]);
        let mut x = [0.0; 16];
        assert_eq!(run(pool, &x), Ok(()));
        assert!(run(pool, &x[1..]).is_err());
        let wide = MaxPool { padding: 2, ..pool };
        let window = KernelError::Window {
            kernel: 3,
            padding: 2,
        };
        assert_eq!(run(wide, &x), Err(window));
        x[5] = f32::NAN;
        let mut y = [0.0; 4];
        max_pool(&pool, &x, &mut y, &mut [0; 4]).expect("lengths");
        assert!(y.iter().all(|y| y.is_nan()), "{y:?}");
    }
}
