//! The mean of values that cannot leave a range, such as an accuracy.
//!
//! Student's interval of such a mean may reach beyond the range. On the logit scale it cannot.
//!
//! # Source
//! Delta method: Oehlert 1992, doi:10.2307/2684406. With `y = (x − low) / (high − low)`,
//! `m` its mean and `e` Student's half-width of it, the interval is
//! `expit(logit(m) ∓ e / (m (1 − m)))`, carried back to the range.
//!
//! The mean of the values is transformed, not each value. So the interval is one of their mean,
//! holds it, and takes values at the ends of the range.

use crate::error::{StatisticsError, check_ends, check_values};
use crate::interval::{Confidence, Interval};
use crate::summary::{half_width, mean, standard_deviation};

/// An interval within a range, and what it was made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BoundedInterval {
    /// Student's interval on the logit scale.
    Logit(Interval),
    /// All values are equal, at an end or not. Their spread was not seen, so this interval has no
    /// width. Where the values are shares of counts, [`clopper_pearson`](crate::clopper_pearson)
    /// says more.
    Equal(Interval),
}

impl BoundedInterval {
    /// The interval.
    #[must_use]
    pub fn interval(self) -> Interval {
        match self {
            Self::Logit(interval) | Self::Equal(interval) => interval,
        }
    }
}

/// The interval of the mean of values in `low..=high`.
///
/// # Shapes
/// - `values`: `[seed]`, two or more, each in `low..=high`
///
/// # Errors
/// [`StatisticsError::TooFew`], [`StatisticsError::NotFinite`]; [`StatisticsError::OutOfRange`]
/// for a value outside the range and for ends that are not in order.
pub fn logit_t_interval(
    values: &[f64],
    (low, high): (f64, f64),
    confidence: Confidence,
) -> Result<BoundedInterval, StatisticsError> {
    check_values("an interval of bounded values", values, 2)?;
    check_ends(low, high)?;
    if let Some(&value) = values.iter().find(|value| !(low..=high).contains(*value)) {
        return Err(StatisticsError::OutOfRange {
            what: "a bounded value",
            range: "within the range of its metric",
            value,
        });
    }
    if values.iter().all(|value| *value == values[0]) {
        let interval = confidence.between(values[0], values[0]);
        return Ok(BoundedInterval::Equal(interval));
    }
    let width = high - low;
    let shares: Vec<f64> = values.iter().map(|value| (value - low) / width).collect();
    let centre = mean(&shares);
    let spread = standard_deviation(&shares);
    let half = half_width(shares.len(), spread, confidence.probability());
    let half = half / (centre * (1.0 - centre));
    let odds = centre / (1.0 - centre);
    // expit(logit(m) + x) = m eˣ / (1 − m + m eˣ)
    let back = |logit: f64| low + width / (1.0 + (-logit).exp() / odds);
    let interval = confidence.between(back(-half), back(half));
    Ok(BoundedInterval::Logit(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(values: &[f64], range: (f64, f64)) -> BoundedInterval {
        let confidence = Confidence::two_sided(0.95).expect("a level");
        logit_t_interval(values, range, confidence).expect("values in range")
    }

    #[test]
    fn the_interval_stays_in_the_range_and_holds_the_mean() {
        for values in [
            &[0.99, 1.0, 0.97][..],
            &[0.0, 1.0],
            &[0.0, 0.0, 0.02],
            &[0.3, 0.5, 0.4, 0.6],
        ] {
            let of = interval(values, (0.0, 1.0)).interval();
            assert!(
                of.lies_within(0.0, 1.0) && of.contains(mean(values)),
                "{of:?}"
            );
        }
    }

    #[test]
    fn a_shift_and_a_scale_of_the_range_carry_over() {
        let plain = interval(&[0.3, 0.5, 0.4], (0.0, 1.0)).interval();
        let moved = interval(&[-0.4, 0.0, -0.2], (-1.0, 1.0)).interval();
        assert!((moved.low - (2.0 * plain.low - 1.0)).abs() < 1e-12);
        assert!((moved.high - (2.0 * plain.high - 1.0)).abs() < 1e-12);
    }

    #[test]
    fn the_other_side_of_the_range_is_a_mirror() {
        let high = interval(&[0.99, 0.97, 0.96], (0.0, 1.0)).interval();
        let low = interval(&[0.01, 0.03, 0.04], (0.0, 1.0)).interval();
        assert!((high.low - (1.0 - low.high)).abs() < 1e-12);
        assert!((high.high - (1.0 - low.low)).abs() < 1e-12);
    }

    #[test]
    fn equal_values_say_so() {
        for value in [0.0, 0.4, 1.0] {
            let of = interval(&[value; 3], (0.0, 1.0));
            assert!(
                matches!(of, BoundedInterval::Equal(of) if of.low == value && of.high == value)
            );
        }
    }

    #[test]
    fn a_value_outside_is_refused() {
        let confidence = Confidence::two_sided(0.95).expect("a level");
        let none = logit_t_interval(&[0.5, 1.2], (0.0, 1.0), confidence);
        assert_eq!(
            none.expect_err("outside").to_string(),
            "a bounded value must be within the range of its metric, got 1.2"
        );
        assert!(logit_t_interval(&[0.5, 0.6], (1.0, 0.0), confidence).is_err());
    }
}
