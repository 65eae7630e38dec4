//! When to stop adding seeds: intervals that may be looked at again and again.
//!
//! A test at 0.05 that is repeated after every seed errs far more often than once in twenty. Here
//! the error is spent over planned looks, so that all intervals of all looks hold together.
//!
//! # Source
//! Spending by the function `α ln(1 + (e − 1) n / n_last)` of Pocock's type: Lan & DeMets 1983,
//! doi:10.1093/biomet/70.3.659. Repeated confidence intervals: Jennison & Turnbull 1989,
//! doi:10.1111/j.2517-6161.1989.tb01433.x.
//!
//! We differ: a look has the exact quantile of Student's t for the error that it spends, whatever
//! the looks before it were. By Bonferroni's inequality the level holds for normal values of
//! unknown spread from two seeds on. The usual boundaries count on a known spread or many values.
//!
//! # What it costs
//! Looks resemble one another, which the inequality does not use. Intervals are longer than those
//! of one look at the same number of seeds, and they miss seldomer than allowed:
//!
//! | looks | length at the last look, error 0.05, of one look's |
//! | --- | --- |
//! | 3, 4, … 10 | 1.75 |
//! | 3, 5, 10 | 1.26 |
//! | 5, 10, 20 | 1.22 |
//! | 3, 10 | 1.14 |
//!
//! So few looks, each at twice the seeds of the last, are to be preferred.

use crate::error::{StatisticsError, check_fraction};
use crate::interval::{Confidence, Interval, Sides};
use crate::student::t_interval;

/// The numbers of seeds at which is looked, and the error that each look spends.
#[derive(Clone, Debug, PartialEq)]
pub struct Looks {
    counts: Vec<usize>,
    spent: Vec<f64>,
}

impl Looks {
    /// Looks at these numbers of values, of which all intervals together miss with probability
    /// `error` at most; of one-sided bounds the lower ones together and the upper ones together.
    ///
    /// # Shapes
    /// - `counts`: `[look]`, rising, each two or more
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] for no look, [`StatisticsError::OutOfRange`] for the error and
    /// for numbers that are below two or do not rise.
    pub fn new(counts: Vec<usize>, error: f64) -> Result<Self, StatisticsError> {
        check_fraction("the error of all looks", error)?;
        let Some(&last) = counts.last() else {
            return Err(StatisticsError::TooFew {
                what: "a plan of looks",
                needed: 1,
                got: 0,
            });
        };
        let mut before = 1;
        for &count in &counts {
            if count <= before {
                return Err(StatisticsError::OutOfRange {
                    what: "the number of values at a look",
                    range: "2 or more and above that of the look before",
                    value: count as f64,
                });
            }
            before = count;
        }
        // Also of a share of one it is the error itself, bit for bit.
        let spent_by = |count: usize| {
            let share = count as f64 / last as f64;
            error * ((std::f64::consts::E - 1.0) * share).ln_1p()
        };
        let mut sum = 0.0;
        let spent = counts.iter().map(|&count| {
            let own = spent_by(count) - sum;
            sum += own;
            own
        });
        let spent = spent.collect();
        Ok(Self { counts, spent })
    }

    /// The numbers of values at which is looked.
    #[must_use]
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// The confidence of the look at `count` values: that of an interval of one look alone whose
    /// error is what this look spends.
    ///
    /// # Errors
    /// [`StatisticsError::NoLook`] where none is planned at this number.
    pub fn confidence(&self, count: usize, sides: Sides) -> Result<Confidence, StatisticsError> {
        let look = self.counts.iter().position(|own| *own == count);
        let Some(look) = look else {
            return Err(StatisticsError::NoLook {
                looks: self.counts.clone(),
                got: count,
            });
        };
        Confidence::new(1.0 - self.spent[look], sides)
    }

    /// The interval of the mean at the look at these values. It may decide at any look, and what
    /// it decides may stop the looks.
    ///
    /// # Shapes
    /// - `values`: `[seed]`, the first so many of the plan, in its order
    ///
    /// # Errors
    /// [`StatisticsError::NoLook`], [`StatisticsError::NotFinite`].
    pub fn interval(&self, values: &[f64], sides: Sides) -> Result<Interval, StatisticsError> {
        t_interval(values, self.confidence(values.len(), sides)?)
    }
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;

    fn looks(counts: &[usize]) -> Looks {
        Looks::new(counts.to_vec(), 0.05).expect("a plan")
    }

    #[test]
    fn the_cost_is_as_documented() {
        let one = Confidence::two_sided(0.95).expect("a level");
        for (counts, factor) in [
            (&[3, 4, 5, 6, 7, 8, 9, 10][..], 1.75),
            (&[3, 5, 10], 1.26),
            (&[5, 10, 20], 1.22),
            (&[3, 10], 1.14),
        ] {
            let last = counts[counts.len() - 1];
            let values: Vec<f64> = (0..last).map(|value| value as f64).collect();
            let width = |of: Interval| of.high - of.low;
            let many = looks(counts).interval(&values, Sides::Two).expect("a look");
            let many = width(many) / width(t_interval(&values, one).expect("values"));
            assert!((many - factor).abs() < 0.006, "{counts:?}: {many}");
        }
    }

    /// How often an interval of some look misses a mean of zero, in 8,000 repetitions.
    fn missed(counts: &[usize], interval: impl Fn(&[f64]) -> Interval) -> f64 {
        let mut stream = Seed(11).stream("looks");
        let last = counts[counts.len() - 1];
        let misses = (0..8_000).filter(|_| {
            let values: Vec<f64> = (0..last).map(|_| stream.normal()).collect();
            let mut intervals = counts.iter().map(|count| interval(&values[..*count]));
            intervals.any(|of| !of.contains(0.0))
        });
        misses.count() as f64 / 8_000.0
    }

    /// Four standard deviations of a share of 0.05 in 8,000.
    const TOLERANCE: f64 = 0.0098;

    #[test]
    fn all_looks_together_have_the_level() {
        for counts in [&[3, 4, 5, 6, 7, 8, 9, 10][..], &[2, 3, 5], &[5, 10, 20]] {
            let looks = looks(counts);
            let share = missed(counts, |values| {
                looks.interval(values, Sides::Two).expect("a look")
            });
            assert!(share < 0.05 + TOLERANCE, "{counts:?}: {share}");
            assert!(share > 0.015, "{counts:?}: {share}");
        }
    }

    /// The reason for all this.
    #[test]
    fn intervals_of_one_look_miss_more_often_when_repeated() {
        let confidence = Confidence::two_sided(0.95).expect("a level");
        let counts = [3, 4, 5, 6, 7, 8, 9, 10];
        let share = missed(&counts, |values| {
            t_interval(values, confidence).expect("values")
        });
        assert!(share > 0.1, "{share}");
    }

    #[test]
    fn one_look_is_the_usual_interval() {
        let values = [0.3, 0.5, 0.4, 0.45];
        let one = looks(&[4]).interval(&values, Sides::Two).expect("a look");
        let usual = t_interval(&values, Confidence::two_sided(0.95).expect("a level"));
        let usual = usual.expect("values");
        assert!((one.low - usual.low).abs() < 1e-12 && (one.high - usual.high).abs() < 1e-12);
    }

    #[test]
    fn looks_spend_the_error() {
        let of = looks(&[3, 4, 6, 9]);
        let spent: f64 = of.spent.iter().sum();
        assert!((spent - 0.05).abs() < 1e-15);
        assert!(of.spent.iter().all(|own| *own > 0.0));
        // α ln(1 + (e − 1) / 3)
        assert!((of.spent[0] - 0.05 * 0.452_832_425_263_940_9).abs() < 1e-12);
        let sum: f64 = (of.counts().iter())
            .map(|count| 1.0 - of.confidence(*count, Sides::One).expect("a look").level())
            .sum();
        assert!((sum - 0.05).abs() < 1e-12);
    }

    #[test]
    fn a_plan_that_cannot_be() {
        let told = |counts: &[usize]| {
            let none = Looks::new(counts.to_vec(), 0.05);
            none.expect_err("no plan").to_string()
        };
        assert_eq!(
            told(&[3, 3]),
            "the number of values at a look must be 2 or more and above that of the look before, got 3"
        );
        assert!(told(&[1, 2]).contains("got 1"));
        assert_eq!(told(&[]), "a plan of looks needs at least 1 values, got 0");
        let none = looks(&[3, 5]).confidence(4, Sides::Two);
        assert_eq!(
            none.expect_err("no look").to_string(),
            "no look is planned at 4 values; looks are planned at [3, 5]"
        );
    }
}
