//! Grey images and pixel masks.

use thiserror::Error;

/// A grey picture of `width × height` pixels, row by row, in the grey levels of its source.
///
/// An 8-bit source gives values in `0..=255`, a 16-bit source `0..=65535`; nothing is rescaled.
#[derive(Clone, Debug, PartialEq)]
pub struct GrayImage {
    width: usize,
    height: usize,
    pixels: Vec<f32>,
}

/// A pixel mask of `width × height`; `true` marks a pixel that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    inside: Vec<bool>,
}

/// Why an image or a mask could not be built.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// The number of values does not fit the stated size.
    #[error("an image of {width} × {height} px needs {} values, got {got}", width * height)]
    SizeMismatch {
        /// Stated columns.
        width: usize,
        /// Stated rows.
        height: usize,
        /// Values given.
        got: usize,
    },
    /// A size of zero.
    #[error("an image of {width} × {height} px has no pixel")]
    Empty {
        /// Stated columns.
        width: usize,
        /// Stated rows.
        height: usize,
    },
}

impl GrayImage {
    /// An image from its pixels, row by row.
    ///
    /// # Errors
    /// [`ImageError::Empty`] for a size of zero, [`ImageError::SizeMismatch`] when `pixels` does
    /// not hold `width * height` values.
    pub fn new(width: usize, height: usize, pixels: Vec<f32>) -> Result<Self, ImageError> {
        check_size(width, height, pixels.len())?;
        Ok(Self {
            width,
            height,
            pixels,
        })
    }

    /// An image whose pixel `(x, y)` is `value(x, y)`.
    ///
    /// # Errors
    /// [`ImageError::Empty`] for a size of zero.
    pub fn from_fn(
        width: usize,
        height: usize,
        mut value: impl FnMut(usize, usize) -> f32,
    ) -> Result<Self, ImageError> {
        let mut pixels = Vec::with_capacity(width.saturating_mul(height));
        for y in 0..height {
            for x in 0..width {
                pixels.push(value(x, y));
            }
        }
        Self::new(width, height, pixels)
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// The pixels, row by row, without the image around them.
    #[must_use]
    pub fn into_pixels(self) -> Vec<f32> {
        self.pixels
    }

    /// Row `y`, from left to right.
    ///
    /// # Panics
    /// When `y` is not below [`height`](Self::height), as a slice index would.
    #[must_use]
    pub fn row(&self, y: usize) -> &[f32] {
        &self.pixels[y * self.width..(y + 1) * self.width]
    }

    /// The pixel at column `x`, row `y`, or `None` outside the picture.
    #[must_use]
    pub fn get(&self, x: usize, y: usize) -> Option<f32> {
        (x < self.width && y < self.height).then(|| self.pixels[y * self.width + x])
    }
}

impl Mask {
    /// A mask from its values, row by row.
    ///
    /// # Errors
    /// As [`GrayImage::new`].
    pub fn new(width: usize, height: usize, inside: Vec<bool>) -> Result<Self, ImageError> {
        check_size(width, height, inside.len())?;
        Ok(Self {
            width,
            height,
            inside,
        })
    }

    /// A mask in which every pixel of an image that size takes part.
    ///
    /// # Errors
    /// [`ImageError::Empty`] for a size of zero.
    pub fn full(width: usize, height: usize) -> Result<Self, ImageError> {
        Self::new(width, height, vec![true; width.saturating_mul(height)])
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Whether the pixel at column `x`, row `y` takes part; `false` outside the mask.
    #[must_use]
    pub fn contains(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.inside[y * self.width + x]
    }

    /// The number of pixels that take part.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inside.iter().filter(|&&inside| inside).count()
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &[bool] {
        &self.inside
    }
}

fn check_size(width: usize, height: usize, got: usize) -> Result<(), ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Empty { width, height });
    }
    if width.checked_mul(height) != Some(got) {
        return Err(ImageError::SizeMismatch { width, height, got });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_stored_row_by_row() {
        let image = GrayImage::from_fn(3, 2, |x, y| (10 * y + x) as f32).expect("a valid size");
        assert_eq!(image.pixels(), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
        assert_eq!(image.get(2, 1), Some(12.0));
        assert_eq!(image.get(3, 1), None);
        assert_eq!(image.row(1), [10.0, 11.0, 12.0]);
    }

    #[test]
    fn a_wrong_number_of_values_names_both_numbers() {
        let error = GrayImage::new(3, 2, vec![0.0; 5]).expect_err("5 values for 6 pixels");
        assert_eq!(
            error.to_string(),
            "an image of 3 × 2 px needs 6 values, got 5"
        );
        assert_eq!(
            Mask::full(0, 2),
            Err(ImageError::Empty {
                width: 0,
                height: 2
            })
        );
    }
}
