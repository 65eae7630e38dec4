//! A grey picture with room around it, so that kernels read whole vectors without asking where
//! the picture ends.

use rayon::prelude::*;
use retrial_image::GrayImage;

use crate::lanes::WIDEST;
use crate::subset::SubsetRow;

/// Columns and rows of padding to the left, above and below; at least the reach of a quintic
/// spline for positions within half a pixel of the picture, and one more tap where a vector lies on
/// two pieces.
pub(crate) const MARGIN: usize = 4;

/// Columns of padding to the right: the margin and one vector of the widest kernel.
const RIGHT_MARGIN: usize = MARGIN + WIDEST;

/// `f32` values of `width × height` pixels inside a padded buffer.
///
/// Pixel `(x, y)` is `data[(y + MARGIN) * stride + x + MARGIN]`.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) stride: usize,
    pub(crate) data: Vec<f32>,
}

impl Plane {
    /// A plane of zeros.
    pub(crate) fn zeros(width: usize, height: usize) -> Self {
        let stride = width + MARGIN + RIGHT_MARGIN;
        Self {
            width,
            height,
            stride,
            data: zeros(stride * (height + 2 * MARGIN)),
        }
    }

    /// A plane with the pixels of an image inside and zeros around them.
    pub(crate) fn from_image(image: &GrayImage) -> Self {
        let mut plane = Self::zeros(image.width(), image.height());
        plane.fill_rows(64, |top, rows| {
            for (y, row) in rows.iter_mut().enumerate() {
                row.copy_from_slice(image.row(top + y));
            }
        });
        plane
    }

    /// Fills the rows of the picture, so many at a time and those side by side: `fill` gets the number of the
    /// first one, and the rows without padding.
    pub(crate) fn fill_rows(
        &mut self,
        together: usize,
        fill: impl Fn(usize, &mut [&mut [f32]]) + Sync,
    ) {
        let (stride, width) = (self.stride, self.width);
        let inside = MARGIN * stride..(MARGIN + self.height) * stride;
        self.data[inside]
            .par_chunks_mut(together * stride)
            .enumerate()
            .for_each(|(block, rows)| {
                let rows = rows.chunks_exact_mut(stride);
                let mut rows: Vec<&mut [f32]> =
                    rows.map(|row| &mut row[MARGIN..MARGIN + width]).collect();
                fill(block * together, &mut rows);
            });
    }

    /// A plane with these pixels inside and zeros around them.
    #[cfg(test)]
    pub(crate) fn from_pixels(width: usize, height: usize, pixels: &[f32]) -> Self {
        let mut plane = Self::zeros(width, height);
        for (y, row) in pixels.chunks_exact(width).enumerate() {
            plane.row_mut(y).copy_from_slice(row);
        }
        plane
    }

    /// Row `y` of the picture, without padding.
    pub(crate) fn row(&self, y: usize) -> &[f32] {
        let start = self.index(0, y);
        &self.data[start..start + self.width]
    }

    /// Row `y` of the picture, without padding.
    pub(crate) fn row_mut(&mut self, y: usize) -> &mut [f32] {
        let start = self.index(0, y);
        &mut self.data[start..start + self.width]
    }

    /// The pixels of a subset around a centre, in the middle of zeros that end `reach` columns and rows from it.
    pub(crate) fn subset(&self, (x, y): (usize, usize), rows: &[SubsetRow], reach: usize) -> Self {
        let side = 2 * reach + 1;
        let mut patch = Self::zeros(side, side);
        let at = |place: usize, shift: i32| (place as i32 + shift) as usize;
        for row in rows {
            let source = &self.row(at(y, row.dy))[at(x, row.first)..=at(x, row.last)];
            let line = patch.row_mut(at(reach, row.dy));
            line[at(reach, row.first)..=at(reach, row.last)].copy_from_slice(source);
        }
        patch
    }

    /// Sets the outer pixels of the picture, so many from every border, to zero.
    pub(crate) fn clear_rim(&mut self, rim: usize) {
        let (width, height) = (self.width, self.height);
        let rim = rim.min(width).min(height);
        for y in 0..height {
            let row = self.row_mut(y);
            if y < rim || y + rim >= height {
                row.fill(0.0);
            } else {
                row[..rim].fill(0.0);
                row[width - rim..].fill(0.0);
            }
        }
    }

    /// Where pixel `(x, y)` lies in `data`.
    pub(crate) fn index(&self, x: usize, y: usize) -> usize {
        (y + MARGIN) * self.stride + x + MARGIN
    }

    /// Continues the picture into the padding by reflection about its border pixels.
    pub(crate) fn mirror_into_padding(&mut self) {
        let (width, height) = (self.width as isize, self.height as isize);
        for y in 0..self.height {
            let start = y * self.stride + MARGIN * self.stride;
            for column in (0..MARGIN).chain(MARGIN + self.width..2 * MARGIN + self.width) {
                let source = mirrored(column as isize - MARGIN as isize, width);
                self.data[start + column] = self.data[start + MARGIN + source];
            }
        }
        for row in (0..MARGIN).chain(MARGIN + self.height..2 * MARGIN + self.height) {
            let source = mirrored(row as isize - MARGIN as isize, height) + MARGIN;
            let from = source * self.stride;
            self.data
                .copy_within(from..from + self.stride, row * self.stride);
        }
    }
}

/// So many zeros, or up to fifteen more, written side by side: to touch fresh memory for the first time
/// is what takes the time.
fn zeros(count: usize) -> Vec<f32> {
    let chunks = (0..count.div_ceil(16)).into_par_iter();
    let zeros: Vec<[f32; 16]> = chunks.with_min_len(4096).map(|_| [0.0; 16]).collect();
    zeros.into_flattened()
}

/// Index `i` reflected into `0..n` without repeating the border sample.
pub(crate) fn mirrored(i: isize, n: isize) -> usize {
    if n == 1 {
        return 0;
    }
    let period = 2 * (n - 1);
    let inside = i.rem_euclid(period);
    inside.min(period - inside) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflection_does_not_repeat_the_border() {
        let picture: Vec<usize> = (-4..8).map(|i| mirrored(i, 4)).collect();
        assert_eq!(picture, [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(mirrored(-3, 1), 0);
    }

    #[test]
    fn padding_continues_the_picture() {
        let mut plane = Plane::from_pixels(3, 2, &[0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
        plane.mirror_into_padding();
        let at = |x: usize, y: usize| plane.data[y * plane.stride + x];
        assert_eq!(at(MARGIN - 1, MARGIN), 1.0);
        assert_eq!(at(MARGIN + 3, MARGIN), 1.0);
        assert_eq!(at(MARGIN + 1, MARGIN - 1), 11.0);
        assert_eq!(at(MARGIN - 2, MARGIN + 2), 2.0);
    }
}
