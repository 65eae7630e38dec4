//! Grey values as a few levels, the form in which co-occurrences are counted.

use crate::SimilarityError;

/// A picture whose pixels are levels in `0..levels`, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    height: usize,
    width: usize,
    levels: usize,
    pixels: Vec<u8>,
}

impl Levels {
    /// A picture of levels that is given as such.
    ///
    /// # Errors
    /// [`SimilarityError::Levels`] for fewer than 2 or more than 256 levels,
    /// [`SimilarityError::Size`] when the pixels do not fit, [`SimilarityError::LevelTooHigh`]
    /// when one is not below `levels`.
    pub fn new(
        height: usize,
        width: usize,
        levels: usize,
        pixels: Vec<u8>,
    ) -> Result<Self, SimilarityError> {
        check(height, width, levels, pixels.len())?;
        if let Some(at) = pixels
            .iter()
            .position(|&pixel| usize::from(pixel) >= levels)
        {
            return Err(SimilarityError::LevelTooHigh {
                at,
                level: pixels[at],
                levels,
            });
        }
        Ok(Self {
            height,
            width,
            levels,
            pixels,
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

    /// Number of levels.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// The level of each pixel, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

/// 8-bit grey values as levels: `⌊value · levels / 256⌋`.
///
/// With 256 levels nothing changes; with 32 each level takes eight neighbouring values.
///
/// # Errors
/// As [`Levels::new`].
pub fn quantise_u8(
    height: usize,
    width: usize,
    pixels: &[u8],
    levels: usize,
) -> Result<Levels, SimilarityError> {
    check(height, width, levels, pixels.len())?;
    // At most 255 · 256, which 16 bits hold.
    let level = |&value: &u8| ((u16::from(value) * levels as u16) >> 8) as u8;
    Ok(Levels {
        height,
        width,
        levels,
        pixels: pixels.iter().map(level).collect(),
    })
}

/// Values as levels: equal steps over `range = [low, high]`, of which `high` is the first value
/// above the last level; values outside fall into the outer levels.
///
/// # Errors
/// As [`Levels::new`]; [`SimilarityError::Range`] when `range` is empty or not finite,
/// [`SimilarityError::NotANumber`] for a value that has no level.
pub fn quantise_f32(
    height: usize,
    width: usize,
    pixels: &[f32],
    levels: usize,
    range: [f32; 2],
) -> Result<Levels, SimilarityError> {
    check(height, width, levels, pixels.len())?;
    let [low, high] = range.map(f64::from);
    if !(low < high && low.is_finite() && high.is_finite()) {
        return Err(SimilarityError::Range { low, high });
    }
    if let Some(at) = pixels.iter().position(|value| value.is_nan()) {
        return Err(SimilarityError::NotANumber { at });
    }
    let factor = levels as f64 / (high - low);
    let last = (levels - 1) as f64;
    let level = |&value: &f32| ((f64::from(value) - low) * factor).clamp(0.0, last) as u8;
    Ok(Levels {
        height,
        width,
        levels,
        pixels: pixels.iter().map(level).collect(),
    })
}

/// Counts are `u32` and sums of their squares `u64`, so a picture may not be larger than this.
const MOST_PIXELS: usize = 1 << 30;

fn check(height: usize, width: usize, levels: usize, got: usize) -> Result<(), SimilarityError> {
    if !(2..=256).contains(&levels) {
        return Err(SimilarityError::Levels { got: levels });
    }
    let fits = height.checked_mul(width) == Some(got);
    if !fits || got == 0 || got > MOST_PIXELS {
        return Err(SimilarityError::Size { height, width, got });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn eight_bits_fall_into_equal_steps() {
        let all: Vec<u8> = (0..=255).collect();
        for levels in [2, 7, 32, 255, 256] {
            let got = quantise_u8(16, 16, &all, levels).unwrap();
            let want: Vec<u8> = (0..256_usize).map(|v| (v * levels / 256) as u8).collect();
            assert_eq!(got.pixels(), want, "{levels} levels");
        }
    }

    #[test]
    fn a_range_is_cut_into_equal_steps() {
        let got = quantise_f32(1, 6, &[-5.0, 0.0, 2.4, 2.5, 9.9, 99.0], 4, [0.0, 10.0]).unwrap();
        assert_eq!(got.pixels(), [0, 0, 0, 1, 3, 3]);
        let got = quantise_f32(1, 3, &[100.0, 299.0, 300.0], 2, [100.0, 500.0]).unwrap();
        assert_eq!(got.pixels(), [0, 0, 1]);
    }

    #[test]
    fn what_has_no_level() {
        let nan = quantise_f32(1, 2, &[0.0, f32::NAN], 4, [0.0, 1.0]);
        assert_eq!(nan, Err(SimilarityError::NotANumber { at: 1 }));
        assert!(quantise_f32(1, 1, &[0.0], 4, [1.0, 1.0]).is_err());
        assert!(quantise_u8(1, 1, &[0], 257).is_err());
        assert!(quantise_u8(0, 0, &[], 8).is_err());
        assert!(quantise_u8(2, 2, &[0; 3], 8).is_err());
        let high = Levels::new(1, 2, 4, vec![3, 4]).unwrap_err();
        assert_eq!(
            high.to_string(),
            "pixel 1 has level 4, which is not below the 4 levels"
        );
    }
}
