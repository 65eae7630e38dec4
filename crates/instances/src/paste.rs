//! Small square masks of a mask head, brought back to their place in the picture.
//!
//! # Source
//! He et al. 2017, arXiv:1703.06870, section 3.1. As torchvision does it: a frame of one zero
//! pixel is put around the mask, the box grows with it and is cut to whole pixels, and the mask
//! is stretched over the box, bilinear with pixel centres at halves.

use retrial_image::InstanceMask;
use thiserror::Error;

use crate::boxes::Corners;

/// Why a mask could not be pasted.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PasteError {
    /// The mask is not a square of the stated side.
    #[error("a square mask of side {side} has {} values, got {got}", side * side)]
    NotSquare {
        /// Stated side.
        side: usize,
        /// Values given.
        got: usize,
    },
    /// The box is not finite, or too large to be cut to whole pixels.
    #[error("a mask has no place in the box {corners:?}")]
    NoBox {
        /// The box.
        corners: Corners,
    },
}

/// Beyond this a corner is no place in a picture.
const FAR: f32 = 1e7;

/// A square mask of probabilities, row by row.
#[derive(Clone, Copy, Debug)]
pub struct SquareMask<'a> {
    values: &'a [f32],
    side: usize,
}

impl<'a> SquareMask<'a> {
    /// A mask of `side` rows and columns.
    ///
    /// # Errors
    /// [`PasteError::NotSquare`] when `values` does not hold that many, or none.
    pub fn new(side: usize, values: &'a [f32]) -> Result<Self, PasteError> {
        if side == 0 || values.len() != side * side {
            return Err(PasteError::NotSquare {
                side,
                got: values.len(),
            });
        }
        Ok(Self { values, side })
    }

    /// Probabilities in a picture of `height` by `width`, row by row; zero outside the box.
    ///
    /// # Errors
    /// [`PasteError::NoBox`] when the box is not finite or absurdly large.
    pub fn probabilities(
        &self,
        corners: &Corners,
        height: usize,
        width: usize,
    ) -> Result<Vec<f32>, PasteError> {
        let mut picture = vec![0.0; height * width];
        self.visit(corners, height, width, |pixel, value| {
            picture[pixel] = value;
        })?;
        Ok(picture)
    }

    /// The pixels with a probability above `threshold`.
    ///
    /// # Errors
    /// [`PasteError::NoBox`] when the box is not finite or absurdly large.
    pub fn mask(
        &self,
        corners: &Corners,
        height: usize,
        width: usize,
        threshold: f32,
    ) -> Result<InstanceMask, PasteError> {
        let mut mask = InstanceMask::empty(height, width);
        let inside = mask.inside_mut();
        self.visit(corners, height, width, |pixel, value| {
            inside[pixel] = value > threshold;
        })?;
        Ok(mask)
    }

    fn visit(
        &self,
        corners: &Corners,
        height: usize,
        width: usize,
        mut set: impl FnMut(usize, f32),
    ) -> Result<(), PasteError> {
        let [x0, y0, x1, y1] = self.grown(corners)?;
        let columns = Axis::new(x0, x1, width, self.side + 2);
        let rows = Axis::new(y0, y1, height, self.side + 2);
        for (y, down) in rows.taps() {
            for (x, across) in columns.taps() {
                let row = |y: usize| {
                    across.weights[0] * self.framed(y, across.from[0])
                        + across.weights[1] * self.framed(y, across.from[1])
                };
                let value =
                    down.weights[0] * row(down.from[0]) + down.weights[1] * row(down.from[1]);
                set(y * width + x, value);
            }
        }
        Ok(())
    }

    /// A value of the mask with its frame of zeros.
    fn framed(&self, y: usize, x: usize) -> f32 {
        let inside = 1..=self.side;
        if inside.contains(&y) && inside.contains(&x) {
            self.values[(y - 1) * self.side + x - 1]
        } else {
            0.0
        }
    }

    /// The box grown by the frame, cut to whole pixels.
    fn grown(&self, corners: &Corners) -> Result<[i64; 4], PasteError> {
        if !corners.iter().all(|value| value.abs() < FAR) {
            return Err(PasteError::NoBox { corners: *corners });
        }
        let scale = ((self.side + 2) as f64 / self.side as f64) as f32;
        let [x0, y0, x1, y1] = *corners;
        let (x, y) = ((x1 + x0) * 0.5, (y1 + y0) * 0.5);
        let (half_width, half_height) = ((x1 - x0) * 0.5 * scale, (y1 - y0) * 0.5 * scale);
        Ok([
            x - half_width,
            y - half_height,
            x + half_width,
            y + half_height,
        ]
        .map(|value| value as i64))
    }
}

/// One direction of the stretched mask: pixels `start..end` of the picture see it.
struct Axis {
    first: i64,
    start: i64,
    end: i64,
    scale: f32,
    source: usize,
}

/// Where a pixel of the picture takes its value from.
#[derive(Clone, Copy)]
struct Tap {
    from: [usize; 2],
    weights: [f32; 2],
}

impl Axis {
    /// Both end pixels belong to the box, so it is one longer than its difference.
    fn new(first: i64, last: i64, picture: usize, source: usize) -> Self {
        let length = (last - first + 1).max(1);
        Self {
            first,
            start: first.max(0),
            end: (last + 1).min(picture as i64),
            scale: source as f32 / length as f32,
            source,
        }
    }

    fn taps(&self) -> impl Iterator<Item = (usize, Tap)> + '_ {
        (self.start..self.end).map(|pixel| {
            let at = (pixel - self.first) as f32 + 0.5;
            let at = (self.scale * at - 0.5).max(0.0);
            let low = (at as usize).min(self.source - 1);
            let rest = at - low as f32;
            let tap = Tap {
                from: [low, (low + 1).min(self.source - 1)],
                weights: [1.0 - rest, rest],
            };
            (pixel as usize, tap)
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_full_mask_fills_its_box() {
        let values = [1.0; 28 * 28];
        let square = SquareMask::new(28, &values).unwrap();
        let mask = square.mask(&[10.0, 5.0, 38.0, 33.0], 40, 50, 0.5).unwrap();
        let bounds = mask.bounds().unwrap();
        for (got, expected) in bounds.iter().zip([10.0, 5.0, 38.0, 33.0]) {
            assert!((got - expected).abs() <= 1.0, "{bounds:?}");
        }
    }

    #[test]
    fn outside_the_picture_is_cut_off() {
        let values = [1.0; 4];
        let square = SquareMask::new(2, &values).unwrap();
        let mask = square.mask(&[-9.0, -9.0, 60.0, 60.0], 8, 8, 0.5).unwrap();
        assert_eq!(mask.area(), 64);
        let mask = square.mask(&[90.0, 0.0, 95.0, 5.0], 8, 8, 0.5).unwrap();
        assert_eq!(mask.area(), 0);
    }

    #[test]
    fn what_cannot_be_pasted() {
        assert!(SquareMask::new(3, &[0.0; 8]).is_err());
        assert!(SquareMask::new(0, &[]).is_err());
        let square = SquareMask::new(1, &[1.0]).unwrap();
        assert!(square.mask(&[0.0, 0.0, f32::NAN, 1.0], 4, 4, 0.5).is_err());
        assert!(square.mask(&[0.0, 0.0, 1e30, 1.0], 4, 4, 0.5).is_err());
    }
}
