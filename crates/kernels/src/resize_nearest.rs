//! A coarse map laid over a finer one, each pixel taking the nearest: the top-down path of a feature
//! pyramid.
//!
//! # Source
//! Lin et al. 2017, arXiv:1612.03144, section 3; the nearest pixel is that of PyTorch,
//! `floor(i · size / finer size)` in `f32`.

use std::ops::Range;

use crate::dispatch::pass;
use crate::error::{KernelError, check_length};
use crate::rows::{for_rows, share};

/// The sizes of both maps, channels last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResizeNearest {
    /// Items.
    pub batch: usize,
    /// Rows and columns of the coarse map.
    pub size: (usize, usize),
    /// Rows and columns of the finer map.
    pub out_size: (usize, usize),
    /// Channels of both.
    pub channels: usize,
}

impl ResizeNearest {
    /// Elements of the coarse map, of the finer one, and the nearest row and column to each.
    fn checked(&self) -> Result<Checked, KernelError> {
        let named = [
            ("batch", self.batch),
            ("height", self.size.0),
            ("width", self.size.1),
            ("out_height", self.out_size.0),
            ("out_width", self.out_size.1),
            ("channels", self.channels),
        ];
        if let Some(&(dimension, _)) = named.iter().find(|(_, value)| *value == 0) {
            return Err(KernelError::Zero { dimension });
        }
        let len = |(height, width): (usize, usize)| {
            let factors = [height, width, self.channels];
            let product = factors
                .iter()
                .try_fold(self.batch, |a, &b| a.checked_mul(b));
            product
                .filter(|&len| len < 1 << 48)
                .ok_or(KernelError::TooLarge {
                    batch: self.batch,
                    height,
                    width,
                })
        };
        Ok(Checked {
            len: len(self.size)?,
            out_len: len(self.out_size)?,
            rows: nearest(self.size.0, self.out_size.0),
            columns: nearest(self.size.1, self.out_size.1),
        })
    }
}

struct Checked {
    len: usize,
    out_len: usize,
    rows: Vec<usize>,
    columns: Vec<usize>,
}

/// The nearest of `size` pixels to each of `out_size`.
fn nearest(size: usize, out_size: usize) -> Vec<usize> {
    let step = size as f32 / out_size as f32;
    let one = |i: usize| ((i as f32 * step) as usize).min(size - 1);
    (0..out_size).map(one).collect()
}

/// `y = lateral + nearest(top)`.
///
/// # Shapes
/// - `top`: `[batch, size.0, size.1, channels]`
/// - `lateral`, `y`: `[batch, out_size.0, out_size.1, channels]`
///
/// # Errors
/// A dimension of zero, slices of other lengths.
pub fn add_nearest(
    resize: &ResizeNearest,
    top: &[f32],
    lateral: &[f32],
    y: &mut [f32],
) -> Result<(), KernelError> {
    let checked = resize.checked()?;
    check_length("top", checked.len, top.len())?;
    check_length("lateral", checked.out_len, lateral.len())?;
    check_length("y", checked.out_len, y.len())?;
    let channels = resize.channels;
    let ((height, width), out_height) = (resize.size, resize.out_size.0);
    let row_len = resize.out_size.1 * channels;
    for_rows(y, row_len, share(checked.out_len), |rows, chunk| {
        for (row, y) in rows.zip(chunk.chunks_exact_mut(row_len)) {
            let (item, out_y) = (row / out_height, row % out_height);
            let from = (item * height + checked.rows[out_y]) * width * channels;
            let top = &top[from..][..width * channels];
            let lateral = &lateral[row * row_len..][..row_len];
            add_row(top, lateral, &checked.columns, y);
        }
    });
    Ok(())
}

/// The gradient of [`add_nearest`] by `top`: the sum over the pixels that took each.
///
/// The gradient by `lateral` is `dy` itself. Sums have the same order for any number of threads.
///
/// # Errors
/// As [`add_nearest`].
pub fn nearest_gradient(
    resize: &ResizeNearest,
    dy: &[f32],
    dtop: &mut [f32],
) -> Result<(), KernelError> {
    let checked = resize.checked()?;
    check_length("dy", checked.out_len, dy.len())?;
    check_length("dtop", checked.len, dtop.len())?;
    let channels = resize.channels;
    let ((height, width), (out_height, out_width)) = (resize.size, resize.out_size);
    let row_len = width * channels;
    for_rows(dtop, row_len, share(checked.out_len), |rows, chunk| {
        for (row, dtop) in rows.zip(chunk.chunks_exact_mut(row_len)) {
            dtop.fill(0.0);
            let takers = takers(&checked.rows, row % height);
            for out_y in takers {
                let from = (row / height * out_height + out_y) * out_width * channels;
                let dy = &dy[from..][..out_width * channels];
                collect_row(dy, &checked.columns, channels, dtop);
            }
        }
    });
    Ok(())
}

/// The places of a rising list that hold `value`.
fn takers(rising: &[usize], value: usize) -> Range<usize> {
    rising.partition_point(|&at| at < value)..rising.partition_point(|&at| at <= value)
}

pass! {
    fn add_row(top: &[f32], lateral: &[f32], columns: &[usize], y: &mut [f32]) {
        let channels = y.len() / columns.len();
        let pixels = y.chunks_exact_mut(channels).zip(lateral.chunks_exact(channels));
        for ((y, lateral), column) in pixels.zip(columns) {
            let top = &top[column * channels..][..channels];
            for ((y, lateral), top) in y.iter_mut().zip(lateral).zip(top) {
                *y = lateral + top;
            }
        }
    }
}

pass! {
    fn collect_row(dy: &[f32], columns: &[usize], channels: usize, dtop: &mut [f32]) {
        for (dy, column) in dy.chunks_exact(channels).zip(columns) {
            let dtop = &mut dtop[column * channels..][..channels];
            for (dtop, dy) in dtop.iter_mut().zip(dy) {
                *dtop += dy;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `torch.nn.functional.interpolate(torch.arange(n.), size=m)` gave, version 2.15.
    #[test]
    fn nearest_pixels_of_pytorch() {
        assert_eq!(nearest(3, 5), [0, 0, 1, 1, 2]);
        assert_eq!(nearest(2, 5), [0, 0, 0, 1, 1]);
        assert_eq!(nearest(5, 10), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
        assert_eq!(nearest(5, 3), [0, 1, 3]);
        assert_eq!(nearest(1, 2), [0, 0]);
    }

    #[test]
    fn a_sum_and_its_gradient() {
        for (size, out_size) in [((3, 2), (5, 4)), ((8, 10), (16, 20)), ((4, 5), (2, 3))] {
            let resize = ResizeNearest {
                batch: 2,
                size,
                out_size,
                channels: 130,
            };
            let len = |(height, width): (usize, usize)| 2 * height * width * 130;
            // Whole numbers have exact sums in any order.
            let top: Vec<f32> = (0..len(size)).map(|i| (i * 31 % 101) as f32).collect();
            let lateral: Vec<f32> = (0..len(out_size)).map(|i| (i * 17 % 97) as f32).collect();
            let mut y = vec![f32::NAN; lateral.len()];
            add_nearest(&resize, &top, &lateral, &mut y).expect("lengths");
            let mut dtop = vec![f32::NAN; top.len()];
            nearest_gradient(&resize, &lateral, &mut dtop).expect("lengths");
            let mut expected = vec![0.0; top.len()];
            for i in 0..y.len() {
                let (c, pixel) = (i % 130, i / 130);
                let (x, row) = (pixel % out_size.1, pixel / out_size.1);
                let (at_y, item) = (row % out_size.0, row / out_size.0);
                let from_y = at_y * size.0 / out_size.0;
                let from_x = x * size.1 / out_size.1;
                let from = ((item * size.0 + from_y) * size.1 + from_x) * 130 + c;
                assert_eq!(y[i], lateral[i] + top[from]);
                expected[from] += lateral[i];
            }
            assert_eq!(dtop, expected);
        }
    }

    #[test]
    fn sizes_that_are_none() {
        let resize = ResizeNearest {
            batch: 1,
            size: (1, 1),
            out_size: (2, 2),
            channels: 1,
        };
        let (top, lateral) = ([1.0], [2.0; 4]);
        let mut y = [0.0; 4];
        assert_eq!(add_nearest(&resize, &top, &lateral, &mut y), Ok(()));
        assert_eq!(y, [3.0; 4]);
        assert!(add_nearest(&resize, &top, &lateral[1..], &mut y).is_err());
        assert!(nearest_gradient(&resize, &lateral, &mut [0.0; 2]).is_err());
        let none = ResizeNearest {
            channels: 0,
            ..resize
        };
        assert!(add_nearest(&none, &[], &[], &mut []).is_err());
    }
}
