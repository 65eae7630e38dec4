//! The ratio of two means.
//!
//! # Source
//! Fieller 1954, doi:10.1111/j.2517-6161.1954.tb00159.x: `ρ` belongs to the set where
//! `(x̄ − ρ ȳ)² ≤ t² (vₓ − 2 ρ vₓᵧ + ρ² vᵧ)`, with the variances and the covariance of both means.
//! The set is exact for normal values. It has no end where the second mean may be zero.

use crate::error::{StatisticsError, check_values};
use crate::interval::{Confidence, Interval};
use crate::summary::{mean, t_quantile};

/// The ratios that agree with the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RatioSet {
    /// Those between two ends, of which one may be infinite.
    Between(Interval),
    /// Those up to `low` and those from `high`: the second mean may be zero.
    Outside {
        /// End of the lower part.
        low: f64,
        /// Begin of the upper part.
        high: f64,
    },
    /// Every ratio: both means may be zero.
    All,
}

impl RatioSet {
    /// Whether `ratio` belongs to the set.
    #[must_use]
    pub fn contains(&self, ratio: f64) -> bool {
        match *self {
            Self::Between(interval) => interval.contains(ratio),
            Self::Outside { low, high } => ratio <= low || high <= ratio,
            Self::All => true,
        }
    }
}

/// A ratio of means and what agrees with the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// First mean over second.
    pub estimate: f64,
    /// The ratios that agree with the values.
    pub set: RatioSet,
}

/// The mean of the first values of pairs over that of the second, with n − 1 degrees of freedom.
///
/// # Shapes
/// - `pairs`: `[seed]`, two or more
///
/// # Errors
/// [`StatisticsError::TooFew`], [`StatisticsError::NotFinite`]; [`StatisticsError::NoSpread`]
/// where all second values are zero.
pub fn paired_ratio(
    pairs: &[(f64, f64)],
    confidence: Confidence,
) -> Result<Ratio, StatisticsError> {
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    check_values("the first of a paired ratio", &first, 2)?;
    check_values("the second of a paired ratio", &second, 2)?;
    let n = first.len() as f64;
    let scale = n * (n - 1.0);
    let sums = Moments {
        first: mean(&first),
        second: mean(&second),
        first_variance: cross(&first, &first) / scale,
        second_variance: cross(&second, &second) / scale,
        covariance: cross(&first, &second) / scale,
    };
    sums.ratio(t_quantile(confidence.probability(), n - 1.0), confidence)
}

/// The mean of `first` over that of `second`, of values that do not pair and have one variance,
/// with n + m − 2 degrees of freedom.
///
/// # Shapes
/// - `first`: `[n]`, two or more
/// - `second`: `[m]`, two or more
///
/// # Errors
/// As [`paired_ratio`].
pub fn ratio(
    first: &[f64],
    second: &[f64],
    confidence: Confidence,
) -> Result<Ratio, StatisticsError> {
    check_values("the first of a ratio", first, 2)?;
    check_values("the second of a ratio", second, 2)?;
    let (n, m) = (first.len() as f64, second.len() as f64);
    let freedom = n + m - 2.0;
    let pooled = (cross(first, first) + cross(second, second)) / freedom;
    let sums = Moments {
        first: mean(first),
        second: mean(second),
        first_variance: pooled / n,
        second_variance: pooled / m,
        covariance: 0.0,
    };
    sums.ratio(t_quantile(confidence.probability(), freedom), confidence)
}

/// Two means with their variances and covariance.
struct Moments {
    first: f64,
    second: f64,
    first_variance: f64,
    second_variance: f64,
    covariance: f64,
}

impl Moments {
    /// The solutions of `a ρ² − 2 b ρ + c ≤ 0`.
    fn ratio(&self, t: f64, confidence: Confidence) -> Result<Ratio, StatisticsError> {
        let a = self.second * self.second - t * t * self.second_variance;
        let b = self.first * self.second - t * t * self.covariance;
        let c = self.first * self.first - t * t * self.first_variance;
        let estimate = self.first / self.second;
        if self.second == 0.0 && self.second_variance == 0.0 {
            return Err(StatisticsError::NoSpread {
                what: "a second mean of zero",
                lacks: "a ratio",
            });
        }
        let discriminant = b * b - a * c;
        let set = if a == 0.0 {
            match b {
                b if b > 0.0 => RatioSet::Between(confidence.between(c / (2.0 * b), f64::INFINITY)),
                b if b < 0.0 => {
                    RatioSet::Between(confidence.between(f64::NEG_INFINITY, c / (2.0 * b)))
                }
                _ => RatioSet::All,
            }
        } else if a < 0.0 && discriminant <= 0.0 {
            RatioSet::All
        } else {
            // Without a difference of nearly equal numbers.
            let sum = b + discriminant.max(0.0).sqrt().copysign(b);
            let ends = [sum / a, if sum == 0.0 { 0.0 } else { c / sum }];
            let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            if a > 0.0 {
                RatioSet::Between(confidence.between(low, high))
            } else {
                RatioSet::Outside { low, high }
            }
        };
        Ok(Ratio { estimate, set })
    }
}

/// The sum of products of deviations from the means.
fn cross(first: &[f64], second: &[f64]) -> f64 {
    let (centre, other) = (mean(first), mean(second));
    let products = first
        .iter()
        .zip(second)
        .map(|(a, b)| (a - centre) * (b - other));
    products.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confidence() -> Confidence {
        Confidence::two_sided(0.95).expect("a level")
    }

    fn set(pairs: &[(f64, f64)]) -> RatioSet {
        paired_ratio(pairs, confidence()).expect("pairs").set
    }

    const CLEAR: [(f64, f64); 4] = [(2.1, 1.0), (1.9, 0.9), (2.4, 1.2), (2.0, 1.1)];

    #[test]
    fn a_clear_second_mean_gives_two_ends() {
        let found = paired_ratio(&CLEAR, confidence()).expect("pairs");
        assert!((found.estimate - 2.0).abs() < 1e-12);
        assert!(matches!(found.set, RatioSet::Between(set) if set.lies_within(1.5, 2.5)));
    }

    #[test]
    fn a_second_mean_that_may_be_zero_leaves_no_ends() {
        // The second mean is 0.05 with a spread of 1.
        let outside = set(&[(5.0, 1.1), (5.1, -1.0), (5.2, 0.9), (4.9, -0.8)]);
        let RatioSet::Outside { low, high } = outside else {
            panic!("{outside:?}");
        };
        assert!(low < 0.0 && high > 0.0 && !outside.contains(0.0) && outside.contains(1e9));
        let all = set(&[(1.0, 1.1), (-1.1, -1.0), (0.2, 0.9), (0.1, -0.8)]);
        assert_eq!(all, RatioSet::All);
    }

    #[test]
    fn zero_over_zero_is_refused() {
        assert!(paired_ratio(&[(1.0, 0.0), (2.0, 0.0)], confidence()).is_err());
        assert!(paired_ratio(&[(1.0, 1.0)], confidence()).is_err());
        let zero = set(&[(0.0, 1.0), (0.0, 1.0), (0.0, 1.0)]);
        assert!(zero.contains(0.0) && !zero.contains(1e-9), "{zero:?}");
    }

    #[test]
    fn the_scale_of_the_first_carries_over() {
        let scaled: Vec<(f64, f64)> = CLEAR.iter().map(|(a, b)| (-3.0 * a, *b)).collect();
        let (RatioSet::Between(one), RatioSet::Between(other)) = (set(&CLEAR), set(&scaled)) else {
            panic!("both have ends");
        };
        assert!((other.low + 3.0 * one.high).abs() < 1e-12);
        assert!((other.high + 3.0 * one.low).abs() < 1e-12);
    }

    /// The inverse ratio has the inverse ends.
    #[test]
    fn first_and_second_may_change_places() {
        let turned: Vec<(f64, f64)> = CLEAR.iter().map(|(a, b)| (*b, *a)).collect();
        let (RatioSet::Between(one), RatioSet::Between(other)) = (set(&CLEAR), set(&turned)) else {
            panic!("both have ends");
        };
        assert!((other.low - 1.0 / one.high).abs() < 1e-12);
        assert!((other.high - 1.0 / one.low).abs() < 1e-12);
    }
}
