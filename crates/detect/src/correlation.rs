//! How far two lists of numbers go together.
//!
//! # Source
//! Pearson 1895, doi:10.1098/rspl.1895.0041; Spearman 1904, doi:10.2307/1412159, with shared ranks
//! for equal values. Values in the tests are from SciPy 1.17.1.

use crate::error::DetectError;
use crate::ranking::{check_finite, doubled_ranks};

/// Pearson's correlation coefficient, `-1..=1`: how well a straight line fits.
///
/// # Errors
/// [`DetectError::LengthMismatch`], [`DetectError::NotFinite`]; [`DetectError::TooFew`] below two
/// pairs; [`DetectError::Constant`] where one list does not vary.
pub fn pearson(first: &[f64], second: &[f64]) -> Result<f64, DetectError> {
    check_pairs(first, second)?;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (first_mean, second_mean) = (mean(first), mean(second));
    let (mut product, mut first_square, mut second_square) = (0.0, 0.0, 0.0);
    for (a, b) in first.iter().zip(second) {
        let (a, b) = (a - first_mean, b - second_mean);
        product += a * b;
        first_square += a * a;
        second_square += b * b;
    }
    Ok((product / (first_square.sqrt() * second_square.sqrt())).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation coefficient, `-1..=1`: how well any rising curve fits.
///
/// # Errors
/// As [`pearson`].
pub fn spearman(first: &[f64], second: &[f64]) -> Result<f64, DetectError> {
    check_pairs(first, second)?;
    let ranks = |values| -> Vec<f64> {
        let ranks = doubled_ranks(values);
        ranks.into_iter().map(|rank| rank as f64).collect()
    };
    pearson(&ranks(first), &ranks(second))
}

fn check_pairs(first: &[f64], second: &[f64]) -> Result<(), DetectError> {
    if first.len() != second.len() {
        return Err(DetectError::LengthMismatch {
            what: "the second list",
            expected: first.len(),
            got: second.len(),
        });
    }
    if first.len() < 2 {
        return Err(DetectError::TooFew {
            what: "a correlation",
            needed: 2,
            got: first.len(),
        });
    }
    for (what, values) in [("the first list", first), ("the second list", second)] {
        check_finite(what, values)?;
        if values.iter().all(|value| *value == values[0]) {
            return Err(DetectError::Constant { what });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: [f64; 6] = [1.0, 2.5, 2.5, 4.0, -1.0, 7.0];
    const SECOND: [f64; 6] = [2.0, 1.0, 3.5, 3.5, 0.0, 20.0];

    #[test]
    fn both_agree_with_scipy() {
        // scipy.stats.pearsonr, scipy.stats.spearmanr
        let pearson = pearson(&FIRST, &SECOND).expect("six pairs");
        assert!((pearson - 0.859_912_016_503_181_8).abs() < 1e-14);
        let spearman = spearman(&FIRST, &SECOND).expect("six pairs");
        assert!((spearman - 0.867_647_058_823_529_4).abs() < 1e-14);
    }

    #[test]
    fn lines_and_curves() {
        let cubes = FIRST.map(|v| v * v * v);
        let negative = FIRST.map(|v| 3.0 - 2.0 * v);
        assert_eq!(spearman(&FIRST, &cubes), Ok(1.0));
        assert!(pearson(&FIRST, &cubes).expect("six pairs") < 0.99);
        assert!((pearson(&FIRST, &negative).expect("six pairs") + 1.0).abs() < 1e-15);
    }

    #[test]
    fn bad_pairs() {
        let message = |second: &[f64]| pearson(&[1.0, 2.0], second).map_err(|e| e.to_string());
        assert_eq!(
            message(&[3.0, 3.0]),
            Err("the second list is constant, so it has no correlation".to_owned())
        );
        assert!(message(&[3.0]).is_err() && message(&[3.0, f64::INFINITY]).is_err());
        assert!(pearson(&[], &[]).is_err());
    }
}
