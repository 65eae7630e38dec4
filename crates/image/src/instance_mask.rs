//! The pixels of one object in a picture, and their run lengths.

use thiserror::Error;

/// The pixels of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceMask {
    height: usize,
    width: usize,
    inside: Vec<bool>,
}

/// The pixels of one object as run lengths: column by column from the top, background first.
///
/// This is COCO's run-length encoding before it is written as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLengths {
    height: usize,
    width: usize,
    counts: Vec<u32>,
}

/// Why a mask could not be built.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaskError {
    /// The number of pixels does not fit the stated size.
    #[error("a mask of {height} rows and {width} columns has {} pixels, got {got}", width * height)]
    SizeMismatch {
        /// Stated rows.
        height: usize,
        /// Stated columns.
        width: usize,
        /// Pixels given or covered by the runs.
        got: usize,
    },
}

impl InstanceMask {
    /// A mask from its pixels, row by row.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`] when `inside` does not hold `height * width` values.
    pub fn new(height: usize, width: usize, inside: Vec<bool>) -> Result<Self, MaskError> {
        if inside.len() != height * width {
            return Err(MaskError::SizeMismatch {
                height,
                width,
                got: inside.len(),
            });
        }
        Ok(Self {
            height,
            width,
            inside,
        })
    }

    /// A mask without a pixel inside.
    #[must_use]
    pub fn empty(height: usize, width: usize) -> Self {
        Self {
            height,
            width,
            inside: vec![false; height * width],
        }
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// All pixels, row by row.
    #[must_use]
    pub fn inside(&self) -> &[bool] {
        &self.inside
    }

    /// All pixels, row by row, to be changed.
    pub fn inside_mut(&mut self) -> &mut [bool] {
        &mut self.inside
    }

    /// Number of pixels inside.
    #[must_use]
    pub fn area(&self) -> usize {
        self.inside.iter().filter(|&&inside| inside).count()
    }

    /// The smallest box `[x0, y0, x1, y1]` around the pixels inside, corner convention.
    #[must_use]
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let mut bounds: Option<[usize; 4]> = None;
        for (i, _) in self
            .inside
            .iter()
            .enumerate()
            .filter(|(_, inside)| **inside)
        {
            let (x, y) = (i % self.width, i / self.width);
            let b = bounds.get_or_insert([x, y, x + 1, y + 1]);
            *b = [b[0].min(x), b[1].min(y), b[2].max(x + 1), b[3].max(y + 1)];
        }
        bounds.map(|b| b.map(|value| value as f64))
    }

    /// The same pixels as run lengths.
    #[must_use]
    pub fn runs(&self) -> RunLengths {
        let mut counts = Vec::new();
        let (mut current, mut count) = (false, 0_u32);
        for x in 0..self.width {
            for y in 0..self.height {
                let inside = self.inside[y * self.width + x];
                if inside != current {
                    counts.push(count);
                    (current, count) = (inside, 0);
                }
                count += 1;
            }
        }
        counts.push(count);
        RunLengths {
            height: self.height,
            width: self.width,
            counts,
        }
    }
}

impl RunLengths {
    /// Run lengths, checked to cover the picture.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`] when they cover more or fewer pixels.
    pub fn new(height: usize, width: usize, counts: Vec<u32>) -> Result<Self, MaskError> {
        let covered: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        if covered != (height * width) as u64 {
            return Err(MaskError::SizeMismatch {
                height,
                width,
                got: usize::try_from(covered).unwrap_or(usize::MAX),
            });
        }
        Ok(Self {
            height,
            width,
            counts,
        })
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The runs: background, object, background, …
    #[must_use]
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Number of pixels inside.
    #[must_use]
    pub fn area(&self) -> u64 {
        let inside = self.counts.iter().skip(1).step_by(2);
        inside.map(|&count| u64::from(count)).sum()
    }

    /// The same pixels, row by row.
    #[must_use]
    pub fn mask(&self) -> InstanceMask {
        let mut mask = InstanceMask::empty(self.height, self.width);
        let mut at = 0;
        for (i, &count) in self.counts.iter().enumerate() {
            let end = at + count as usize;
            if i % 2 == 1 {
                for pixel in at..end {
                    let (x, y) = (pixel / self.height, pixel % self.height);
                    mask.inside[y * self.width + x] = true;
                }
            }
            at = end;
        }
        mask
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn cross() -> InstanceMask {
        let text = [".#..", "###.", ".#.."];
        let inside = text.iter().flat_map(|row| row.chars().map(|c| c == '#'));
        InstanceMask::new(3, 4, inside.collect()).unwrap()
    }

    #[test]
    fn runs_go_down_the_columns_and_background_comes_first() {
        assert_eq!(cross().runs().counts(), [1, 1, 1, 3, 1, 1, 4]);
        let full = InstanceMask::new(2, 1, vec![true; 2]).unwrap();
        assert_eq!(full.runs().counts(), [0, 2]);
    }

    #[test]
    fn a_mask_comes_back_from_its_runs() {
        assert_eq!(cross().runs().mask(), cross());
        assert_eq!(cross().runs().area(), cross().area() as u64);
        let none = InstanceMask::empty(2, 3);
        assert_eq!(none.runs().mask(), none);
    }

    #[test]
    fn bounds_are_corners() {
        assert_eq!(cross().bounds(), Some([0.0, 0.0, 3.0, 3.0]));
        assert_eq!(InstanceMask::empty(2, 3).bounds(), None);
    }

    #[test]
    fn sizes_that_do_not_fit() {
        assert!(InstanceMask::new(2, 2, vec![true; 3]).is_err());
        assert!(RunLengths::new(2, 2, vec![1, 2]).is_err());
    }
}
