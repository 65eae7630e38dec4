//! Shares of counts: so many of so many.
//!
//! # Source
//! Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404; Wilson 1927, doi:10.2307/2276774.

use statrs::function::beta::beta_reg;

use crate::error::StatisticsError;
use crate::interval::{Confidence, Interval};
use crate::normal::normal_quantile;
use crate::root::root;

/// The exact interval of a probability, of which `successes` in `trials` were seen.
///
/// It holds the probability at least as often as its level says, for any probability and number.
/// Its lower end is 0 for no success, its upper end 1 for no failure.
///
/// # Errors
/// [`StatisticsError::TooFew`] for no trial, [`StatisticsError::OutOfRange`] for more successes
/// than trials.
pub fn clopper_pearson(
    successes: u32,
    trials: u32,
    confidence: Confidence,
) -> Result<Interval, StatisticsError> {
    check_counts(successes, trials)?;
    let (k, n) = (f64::from(successes), f64::from(trials));
    let tail = confidence.tail();
    // P(X ≥ k; p) = I_p(k, n − k + 1) rises with p.
    let low = match successes {
        0 => 0.0,
        _ => root((0.0, 1.0), |p| beta_reg(k, n - k + 1.0, p) - tail),
    };
    // P(X ≤ k; p) = I_{1−p}(n − k, k + 1) falls with p.
    let high = match trials - successes {
        0 => 1.0,
        _ => 1.0 - root((0.0, 1.0), |q| beta_reg(n - k, k + 1.0, q) - tail),
    };
    Ok(confidence.between(low, high))
}

/// Wilson's interval: shorter than the exact one, and of its level on average only.
///
/// # Errors
/// As [`clopper_pearson`].
pub fn wilson(
    successes: u32,
    trials: u32,
    confidence: Confidence,
) -> Result<Interval, StatisticsError> {
    check_counts(successes, trials)?;
    let (k, n) = (f64::from(successes), f64::from(trials));
    let z = normal_quantile(confidence.probability());
    let share = k / n;
    let divisor = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / divisor;
    let half = (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt() * z / divisor;
    // At the ends of the range both terms are equal but for their rounding.
    let low = if successes == 0 { 0.0 } else { centre - half };
    let high = if successes == trials {
        1.0
    } else {
        centre + half
    };
    Ok(confidence.between(low, high))
}

fn check_counts(successes: u32, trials: u32) -> Result<(), StatisticsError> {
    if trials == 0 {
        return Err(StatisticsError::TooFew {
            what: "a share of counts",
            needed: 1,
            got: 0,
        });
    }
    if successes > trials {
        return Err(StatisticsError::OutOfRange {
            what: "the number of successes",
            range: "at most that of trials",
            value: f64::from(successes),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(level: f64) -> Confidence {
        Confidence::two_sided(level).expect("a level")
    }

    #[test]
    fn the_exact_interval_of_none_and_of_all() {
        // 1 − (α / 2)^(1 / n)
        let none = clopper_pearson(0, 10, both(0.95)).expect("counts");
        assert_eq!(none.low, 0.0);
        assert!((none.high - (1.0 - 0.025_f64.powf(0.1))).abs() < 1e-12);
        let all = clopper_pearson(10, 10, both(0.95)).expect("counts");
        assert_eq!(all.high, 1.0);
        assert!((all.low - 0.025_f64.powf(0.1)).abs() < 1e-12);
        let wilson = wilson(10, 10, both(0.95)).expect("counts");
        assert!(wilson.high == 1.0 && wilson.low > all.low);
    }

    #[test]
    fn more_successes_raise_both_ends() {
        for make in [clopper_pearson, wilson] {
            let ends = |k| make(k, 25, both(0.9)).expect("counts");
            for k in 0..25 {
                let (one, more) = (ends(k), ends(k + 1));
                assert!(one.low < more.low && one.high < more.high, "{k}");
                // Failures are the mirror of successes.
                let mirror = ends(25 - k);
                assert!((one.low - (1.0 - mirror.high)).abs() < 1e-12, "{k}");
            }
        }
    }

    /// Summed over all outcomes: the exact interval holds the probability often enough.
    #[test]
    fn the_exact_interval_has_its_level() {
        let n = 12_u32;
        for step in 1..40 {
            let p = f64::from(step) / 40.0;
            let mut binomial = (1.0 - p).powi(n as i32);
            let mut covered = 0.0;
            for k in 0..=n {
                if clopper_pearson(k, n, both(0.9))
                    .expect("counts")
                    .contains(p)
                {
                    covered += binomial;
                }
                binomial *= f64::from(n - k) / f64::from(k + 1) * p / (1.0 - p);
            }
            assert!(covered >= 0.9, "{p}: {covered}");
        }
    }

    #[test]
    fn counts_that_cannot_be() {
        let told = |k, n| wilson(k, n, both(0.9)).expect_err("no counts").to_string();
        assert_eq!(
            told(0, 0),
            "a share of counts needs at least 1 values, got 0"
        );
        assert_eq!(
            told(3, 2),
            "the number of successes must be at most that of trials, got 3"
        );
    }
}
