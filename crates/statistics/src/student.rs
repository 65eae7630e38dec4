//! The mean of values of unknown spread: Student's interval, test and equivalence test.
//!
//! # Source
//! Student 1908, doi:10.1093/biomet/6.1.1; two one-sided tests: Schuirmann 1987,
//! doi:10.1007/BF01068419. Both are exact for independent values of one normal distribution.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use crate::error::{StatisticsError, check_ends, check_number, check_values};
use crate::interval::{Confidence, Interval};
use crate::summary::{half_width, mean, standard_deviation};

/// What a test looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// The mean lies above the bound.
    Greater,
    /// The mean lies below the bound.
    Less,
    /// The mean lies on either side.
    TwoSided,
}

/// A t test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TTest {
    /// `(mean − bound) / (sd / √n)`.
    pub t: f64,
    /// Degrees of freedom, n − 1.
    pub freedom: usize,
    /// The p-value, `0..=1`.
    pub p: f64,
}

/// Two one-sided t tests that a mean lies between two bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equivalence {
    /// Test that the mean lies above the lower bound.
    pub above_low: TTest,
    /// Test that the mean lies below the upper bound.
    pub below_high: TTest,
}

impl Equivalence {
    /// The p-value of both together: the larger one.
    #[must_use]
    pub fn p(&self) -> f64 {
        self.above_low.p.max(self.below_high.p)
    }
}

/// Student's interval of the mean: `mean ∓ t(probability; n − 1) · sd / √n`.
///
/// Equal values give an interval without width.
///
/// # Shapes
/// - `values`: `[seed]`, two or more; of paired values their differences
///
/// # Errors
/// [`StatisticsError::TooFew`], [`StatisticsError::NotFinite`].
pub fn t_interval(values: &[f64], confidence: Confidence) -> Result<Interval, StatisticsError> {
    check_values("Student's interval", values, 2)?;
    let centre = mean(values);
    let half = half_width(
        values.len(),
        standard_deviation(values),
        confidence.probability(),
    );
    Ok(confidence.between(centre - half, centre + half))
}

/// Student's test of the mean against `bound`.
///
/// Equal values have no spread: then `t` is 0 where they equal the bound, else infinite.
///
/// # Shapes
/// - `values`: `[seed]`, two or more; of paired values their differences
///
/// # Errors
/// [`StatisticsError::TooFew`], [`StatisticsError::NotFinite`], [`StatisticsError::OutOfRange`].
pub fn t_test(
    values: &[f64],
    bound: f64,
    alternative: Alternative,
) -> Result<TTest, StatisticsError> {
    check_values("Student's test", values, 2)?;
    check_number("the bound of a test", bound)?;
    let freedom = values.len() - 1;
    let off = centred(values) - bound;
    let error = standard_deviation(values) / (values.len() as f64).sqrt();
    let t = if off == 0.0 { 0.0 } else { off / error };
    let p = match alternative {
        Alternative::Greater => t_above(t, freedom),
        Alternative::Less => t_above(-t, freedom),
        Alternative::TwoSided => 2.0 * t_above(t.abs(), freedom),
    };
    Ok(TTest { t, freedom, p })
}

/// Tests that the mean lies between `low` and `high`.
///
/// Its p-value is at most 0.05 exactly where the one-sided bounds of level 0.95 lie between both.
///
/// # Shapes
/// - `values`: `[seed]`, two or more
///
/// # Errors
/// [`StatisticsError::TooFew`], [`StatisticsError::NotFinite`]; [`StatisticsError::OutOfRange`]
/// for ends that are not in order.
pub fn equivalence(values: &[f64], low: f64, high: f64) -> Result<Equivalence, StatisticsError> {
    check_ends(low, high)?;
    Ok(Equivalence {
        above_low: t_test(values, low, Alternative::Greater)?,
        below_high: t_test(values, high, Alternative::Less)?,
    })
}

/// The mean, of equal values without the rounding of their sum.
fn centred(values: &[f64]) -> f64 {
    if values.iter().all(|value| *value == values[0]) {
        values[0]
    } else {
        mean(values)
    }
}

/// The probability that Student's t lies above `t`.
pub(crate) fn t_above(t: f64, freedom: usize) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    StudentsT::new(0.0, 1.0, freedom as f64).map_or(f64::NAN, |law| law.sf(t))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::summarise;

    const VALUES: [f64; 5] = [0.61, 0.58, 0.66, 0.63, 0.6];

    fn confidence(level: f64) -> Confidence {
        Confidence::two_sided(level).expect("a level")
    }

    /// Numbers of reports hang on the bits.
    #[test]
    fn the_interval_has_the_bits_of_the_summary() {
        let interval = t_interval(&VALUES, confidence(0.95)).expect("five values");
        let summary = summarise(&VALUES).expect("five values");
        assert_eq!((interval.low, interval.high), summary.ci95);
        let bounds = t_interval(&VALUES, Confidence::one_sided(0.95).expect("a level"));
        let half = half_width(5, summary.sd, 0.95);
        assert_eq!(
            bounds.expect("five values").low.to_bits(),
            (summary.mean - half).to_bits()
        );
    }

    #[test]
    fn an_interval_ends_where_its_test_has_the_level() {
        for level in [0.5, 0.9, 0.95, 0.999] {
            let interval = t_interval(&VALUES, confidence(level)).expect("five values");
            for end in [interval.low, interval.high] {
                let test = t_test(&VALUES, end, Alternative::TwoSided).expect("five values");
                assert!((test.p - (1.0 - level)).abs() < 1e-9, "{level}: {}", test.p);
            }
        }
    }

    #[test]
    fn an_equivalence_test_agrees_with_its_bounds() {
        let bounds = Confidence::one_sided(0.95).expect("a level");
        let bounds = t_interval(&VALUES, bounds).expect("five values");
        let p = |by: f64| {
            let test = equivalence(&VALUES, bounds.low - by, bounds.high + by);
            test.expect("five values").p()
        };
        assert!((p(0.0) - 0.05).abs() < 1e-9);
        assert!(p(0.01) < 0.05 && p(-0.01) > 0.05);
    }

    #[test]
    fn equal_values_leave_no_doubt() {
        let p = |bound, alternative| {
            let test = t_test(&[0.1; 3], bound, alternative);
            test.expect("three values").p
        };
        assert_eq!(p(0.1, Alternative::TwoSided), 1.0);
        assert_eq!(p(0.1, Alternative::Greater), 0.5);
        assert_eq!(p(0.0, Alternative::Greater), 0.0);
        assert_eq!(p(0.0, Alternative::Less), 1.0);
    }

    #[test]
    fn values_that_say_nothing_are_refused() {
        let told = |values: &[f64]| {
            let none = t_interval(values, confidence(0.95));
            none.expect_err("bad values").to_string()
        };
        assert_eq!(
            told(&[1.0]),
            "Student's interval needs at least 2 values, got 1"
        );
        assert_eq!(
            told(&[1.0, f64::NAN]),
            "Student's interval has NaN at index 1, not a finite number"
        );
        assert!(equivalence(&VALUES, 1.0, 1.0).is_err());
    }
}
