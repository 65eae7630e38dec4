//! How much an area under the ROC curve would change with other items, without resampling.
//!
//! # Source
//! DeLong, DeLong & Clarke-Pearson 1988, doi:10.2307/2531595; by midranks in O(n log n): Sun & Xu
//! 2014, doi:10.1109/LSP.2014.2337313. The interval of one area is made on the
//! logit scale by the delta method (Oehlert 1992, doi:10.2307/2684406), so it stays in `0..=1`.
//!
//! Ties count one half. Both laws hold for many items; with fewer than some tens of a class a
//! bootstrap is no better, and an exact interval is not known.

use crate::error::{StatisticsError, check_values};
use crate::interval::{Confidence, Interval};
use crate::normal::{normal_below, normal_quantile};
use crate::ranks::doubled_ranks;

/// An area under the ROC curve and its variance over items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// The area, `0..=1`.
    pub area: f64,
    /// Its variance. It is zero where every item lies like all of its class, as when the classes
    /// do not overlap.
    pub variance: f64,
}

impl Area {
    /// The interval of the area.
    ///
    /// # Errors
    /// [`StatisticsError::NoSpread`] where the variance is zero: the items then say nothing of it.
    pub fn interval(&self, confidence: Confidence) -> Result<Interval, StatisticsError> {
        if self.variance == 0.0 {
            return Err(StatisticsError::NoSpread {
                what: "an area under the curve of classes that do not overlap",
                lacks: "its interval",
            });
        }
        let odds = self.area / (1.0 - self.area);
        let half = normal_quantile(confidence.probability()) * self.variance.sqrt()
            / (self.area * (1.0 - self.area));
        let back = |logit: f64| 1.0 / (1.0 + (-logit).exp() / odds);
        Ok(confidence.between(back(-half), back(half)))
    }
}

/// Two areas of the same items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedAreas {
    /// That of the first scores.
    pub first: Area,
    /// That of the second scores.
    pub second: Area,
    /// Their covariance over items.
    pub covariance: f64,
    /// Variance of the first less the second.
    pub variance_of_difference: f64,
}

impl PairedAreas {
    /// The first area less the second.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.first.area - self.second.area
    }

    /// The two-sided p-value of equal areas. Where every item has the same place in both orders,
    /// the areas are equal and it is 1.
    ///
    /// # Errors
    /// [`StatisticsError::NoSpread`] where the areas differ without variance.
    pub fn p(&self) -> Result<f64, StatisticsError> {
        let z = self.difference().abs() / self.error()?;
        Ok(if self.difference() == 0.0 {
            1.0
        } else {
            2.0 * normal_below(-z)
        })
    }

    /// The interval of the difference; without width where both orders are the same.
    ///
    /// # Errors
    /// [`StatisticsError::NoSpread`] where the areas differ without variance.
    pub fn interval(&self, confidence: Confidence) -> Result<Interval, StatisticsError> {
        let half = normal_quantile(confidence.probability()) * self.error()?;
        let centre = self.difference();
        Ok(confidence.between(centre - half, centre + half))
    }

    fn error(&self) -> Result<f64, StatisticsError> {
        if self.variance_of_difference == 0.0 && self.difference() != 0.0 {
            return Err(StatisticsError::NoSpread {
                what: "a difference of areas of classes that do not overlap",
                lacks: "its interval",
            });
        }
        Ok(self.variance_of_difference.sqrt())
    }
}

/// The area of scores and its variance; larger scores are to be positive.
///
/// # Shapes
/// - `scores`, `positive`: `[item]`, two or more items of each class
///
/// # Errors
/// [`StatisticsError::LengthMismatch`], [`StatisticsError::NotFinite`],
/// [`StatisticsError::OneClass`]; [`StatisticsError::TooFew`] for one item of a class.
pub fn delong(scores: &[f64], positive: &[bool]) -> Result<Area, StatisticsError> {
    check_items(scores, positive)?;
    Ok(Placements::of(scores, positive).area())
}

/// The areas of two kinds of scores of the same items.
///
/// # Shapes
/// - `first`, `second`, `positive`: `[item]`, two or more items of each class
///
/// # Errors
/// As [`delong`].
pub fn paired_delong(
    first: &[f64],
    second: &[f64],
    positive: &[bool],
) -> Result<PairedAreas, StatisticsError> {
    check_items(first, positive)?;
    check_items(second, positive)?;
    let first = Placements::of(first, positive);
    let second = Placements::of(second, positive);
    let difference = first.less(&second);
    Ok(PairedAreas {
        first: first.area(),
        second: second.area(),
        covariance: first.covariance(&second),
        variance_of_difference: difference.covariance(&difference),
    })
}

fn check_items(scores: &[f64], positive: &[bool]) -> Result<(), StatisticsError> {
    check_values("scores", scores, 0)?;
    if scores.len() != positive.len() {
        return Err(StatisticsError::LengthMismatch {
            what: "a list of scores",
            expected: positive.len(),
            got: scores.len(),
        });
    }
    let of_positive = positive.iter().filter(|own| **own).count();
    let of_negative = positive.len() - of_positive;
    match of_positive.min(of_negative) {
        0 => Err(StatisticsError::OneClass {
            positive: of_positive,
            negative: of_negative,
        }),
        1 => Err(StatisticsError::TooFew {
            what: "the smaller class",
            needed: 2,
            got: 1,
        }),
        _ => Ok(()),
    }
}

/// For every item, twice the number of the other class on its wrong or right side, ties as one:
/// whole numbers, so that equal places have no spread.
struct Placements {
    /// Of each positive item: negative ones below it.
    positive: Vec<i64>,
    /// Of each negative item: positive ones above it.
    negative: Vec<i64>,
}

impl Placements {
    fn of(scores: &[f64], positive: &[bool]) -> Self {
        let class = |wanted: bool| -> Vec<f64> {
            let own = scores
                .iter()
                .zip(positive)
                .filter(|(_, own)| **own == wanted);
            own.map(|(score, _)| *score).collect()
        };
        let all = doubled_ranks(scores);
        // An item's rank among all less that among its class counts the other class below it.
        let below = |wanted: bool| -> Vec<i64> {
            let own = doubled_ranks(&class(wanted));
            let all = all.iter().zip(positive).filter(|(_, own)| **own == wanted);
            let both = all.map(|(rank, _)| *rank).zip(own);
            both.map(|(all, own)| all as i64 - own as i64).collect()
        };
        let of_positive = below(true);
        let most = 2 * of_positive.len() as i64;
        let of_negative = below(false).into_iter().map(|below| most - below);
        Self {
            negative: of_negative.collect(),
            positive: of_positive,
        }
    }

    fn less(&self, other: &Self) -> Self {
        let less = |a: &[i64], b: &[i64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self {
            positive: less(&self.positive, &other.positive),
            negative: less(&self.negative, &other.negative),
        }
    }

    fn area(&self) -> Area {
        let pairs = 2.0 * self.positive.len() as f64 * self.negative.len() as f64;
        Area {
            area: self.positive.iter().sum::<i64>() as f64 / pairs,
            variance: self.covariance(self),
        }
    }

    fn covariance(&self, other: &Self) -> f64 {
        let of = |own: &[i64], others: &[i64], opposite: usize| {
            let n = own.len() as i64;
            let deviations = |values: &[i64]| -> Vec<f64> {
                let sum: i64 = values.iter().sum();
                values
                    .iter()
                    .map(|value| (value * n - sum) as f64)
                    .collect()
            };
            let products = deviations(own)
                .into_iter()
                .zip(deviations(others))
                .map(|(a, b)| a * b);
            let sum: f64 = products.sum();
            // Deviations are n times, placements twice the opposite class as large as shares.
            let n = n as f64;
            let scale = n * 2.0 * opposite as f64;
            sum / (scale * scale) / (n - 1.0) / n
        };
        let (m, n) = (self.positive.len(), self.negative.len());
        of(&self.positive, &other.positive, n) + of(&self.negative, &other.negative, m)
    }
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;

    fn drawn(n: usize) -> (Vec<f64>, Vec<f64>, Vec<bool>) {
        let mut stream = Seed(5).stream("scores");
        let positive: Vec<bool> = (0..n).map(|item| item % 3 == 0).collect();
        let mut scores = || -> Vec<f64> {
            let of = |own: &bool| (f64::from(u8::from(*own)) + stream.normal()) * 4.0;
            positive.iter().map(of).map(f64::round).collect()
        };
        (scores(), scores(), positive)
    }

    #[test]
    fn any_rising_function_of_scores_gives_the_same() {
        let (scores, _, positive) = drawn(90);
        let bent: Vec<f64> = scores.iter().map(|score| (score / 4.0).exp()).collect();
        assert_eq!(delong(&scores, &positive), delong(&bent, &positive));
    }

    #[test]
    fn the_other_class_gives_the_mirror() {
        let (scores, _, positive) = drawn(90);
        let turned: Vec<bool> = positive.iter().map(|own| !own).collect();
        let one = delong(&scores, &positive).expect("two classes");
        let other = delong(&scores, &turned).expect("two classes");
        assert!((one.area - (1.0 - other.area)).abs() < 1e-15);
        assert!((one.variance - other.variance).abs() < 1e-15);
    }

    #[test]
    fn a_paired_variance_is_that_of_its_parts() {
        let (first, second, positive) = drawn(90);
        let both = paired_delong(&first, &second, &positive).expect("two classes");
        assert_eq!(both.first, delong(&first, &positive).expect("two classes"));
        let parts = both.first.variance + both.second.variance - 2.0 * both.covariance;
        assert!((both.variance_of_difference - parts).abs() < 1e-15);
    }

    #[test]
    fn the_same_order_differs_in_nothing() {
        let (scores, _, positive) = drawn(90);
        let bent: Vec<f64> = scores.iter().map(|score| score.powi(3)).collect();
        let both = paired_delong(&scores, &bent, &positive).expect("two classes");
        assert_eq!((both.variance_of_difference, both.p()), (0.0, Ok(1.0)));
        let confidence = Confidence::two_sided(0.95).expect("a level");
        let interval = both.interval(confidence).expect("equal areas");
        assert_eq!((interval.low, interval.high), (0.0, 0.0));
    }

    #[test]
    fn classes_that_do_not_overlap_have_no_interval() {
        let positive = [false, false, false, true, true];
        let scores = [1.0, 2.0, 3.0, 4.0, 5.0];
        let perfect = delong(&scores, &positive).expect("two classes");
        assert_eq!((perfect.area, perfect.variance), (1.0, 0.0));
        let confidence = Confidence::two_sided(0.95).expect("a level");
        assert!(perfect.interval(confidence).is_err());
        let turned = scores.map(|score| -score);
        let both = paired_delong(&scores, &turned, &positive).expect("two classes");
        assert_eq!(both.difference(), 1.0);
        assert!(both.p().is_err() && both.interval(confidence).is_err());
    }

    #[test]
    fn scores_of_one_class_are_refused() {
        let told = |scores: &[f64], positive: &[bool]| {
            delong(scores, positive).expect_err("bad items").to_string()
        };
        assert_eq!(
            told(&[1.0, 2.0], &[true, true]),
            "both classes are needed, got 2 positive and 0 negative items"
        );
        assert_eq!(
            told(&[1.0, 2.0, 3.0], &[true, false, false]),
            "the smaller class needs at least 2 values, got 1"
        );
        assert_eq!(
            told(&[1.0], &[true, false]),
            "a list of scores has 1 values, 2 are needed"
        );
    }
}
