//! Intervals by resampling items: how much a statistic would change with other items of the same
//! kinds. They say nothing about other trainings; that is what several seeds are for.
//!
//! # Source
//! Efron 1979, doi:10.1214/aos/1176344552; percentile interval: Efron & Tibshirani 1993,
//! doi:10.1201/9780429246593, chapter 13. Items are drawn within each class, so that every draw
//! has the class sizes of the original.

use retrial_seed::Stream;

use crate::error::DetectError;
use crate::ranking::{check_classes, check_fraction};

/// How an interval is made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Resampling {
    /// Number of draws; two thousand fix a 95 % bound well enough for two digits.
    pub draws: usize,
    /// Share of the draws inside the interval, such as 0.95.
    pub confidence: f64,
}

impl Resampling {
    /// The same resampling with this number of draws.
    #[must_use]
    pub fn with_draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// The same resampling with this share of the draws inside the interval.
    #[must_use]
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }
}

impl Default for Resampling {
    fn default() -> Self {
        Self {
            draws: 2_000,
            confidence: 0.95,
        }
    }
}

/// A statistic of all items and the percentile interval of its draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The statistic of the items themselves.
    pub estimate: f64,
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
}

impl Interval {
    /// Whether `value` lies inside; for a difference, whether it is compatible with zero.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

/// The interval of `statistic`, such as [`auroc`](crate::roc::auroc).
///
/// # Shapes
/// - `scores`, `labels`: `[item]`; `true` is anomalous
///
/// # Errors
/// [`DetectError::LengthMismatch`], [`DetectError::NotFinite`], [`DetectError::OneClass`];
/// [`DetectError::TooFew`] for no draw, [`DetectError::NotAFraction`] for the confidence; those of
/// `statistic`.
pub fn interval(
    scores: &[f64],
    labels: &[bool],
    resampling: Resampling,
    stream: &mut Stream,
    statistic: impl Fn(&[f64], &[bool]) -> Result<f64, DetectError>,
) -> Result<Interval, DetectError> {
    resample([scores], labels, resampling, stream, |[scores], labels| {
        statistic(scores, labels)
    })
}

/// The interval of `statistic(first) − statistic(second)`, every draw taking the same items of
/// both lists, so that what is hard about an item does not widen it.
///
/// # Errors
/// As [`interval`].
pub fn paired_difference(
    first: &[f64],
    second: &[f64],
    labels: &[bool],
    resampling: Resampling,
    stream: &mut Stream,
    statistic: impl Fn(&[f64], &[bool]) -> Result<f64, DetectError>,
) -> Result<Interval, DetectError> {
    let lists = [first, second];
    resample(
        lists,
        labels,
        resampling,
        stream,
        |[first, second], labels| Ok(statistic(first, labels)? - statistic(second, labels)?),
    )
}

fn resample<const LISTS: usize>(
    lists: [&[f64]; LISTS],
    labels: &[bool],
    resampling: Resampling,
    stream: &mut Stream,
    statistic: impl Fn([&[f64]; LISTS], &[bool]) -> Result<f64, DetectError>,
) -> Result<Interval, DetectError> {
    let Resampling { draws, confidence } = resampling;
    check_fraction("confidence", confidence)?;
    if draws == 0 {
        return Err(DetectError::TooFew {
            what: "a bootstrap interval",
            needed: 1,
            got: 0,
        });
    }
    for scores in lists {
        check_classes(scores, labels)?;
    }
    let (anomalous, normal): (Vec<usize>, Vec<usize>) =
        (0..labels.len()).partition(|&item| labels[item]);
    let estimate = statistic(lists, labels)?;
    // The classes keep their sizes, so the labels of a draw are those of every draw.
    let drawn_labels: Vec<bool> = (0..labels.len()).map(|i| i < anomalous.len()).collect();
    let mut drawn = vec![Vec::with_capacity(labels.len()); LISTS];
    let mut values = Vec::with_capacity(draws);
    for _ in 0..draws {
        drawn.iter_mut().for_each(Vec::clear);
        for class in [&anomalous, &normal] {
            for _ in 0..class.len() {
                let item = class[stream.below(class.len() as u64) as usize];
                for (drawn, scores) in drawn.iter_mut().zip(lists) {
                    drawn.push(scores[item]);
                }
            }
        }
        let view = std::array::from_fn(|list| drawn[list].as_slice());
        values.push(statistic(view, &drawn_labels)?);
    }
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Ok(Interval {
        estimate,
        lower: quantile(&values, tail),
        upper: quantile(&values, 1.0 - tail),
    })
}

/// The `q`-quantile of sorted values by linear interpolation (type 7, as NumPy's default).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;
    use crate::ranking::examples;
    use crate::roc::auroc;

    fn mean_of_anomalous(scores: &[f64], labels: &[bool]) -> Result<f64, DetectError> {
        let picked = scores.iter().zip(labels).filter(|(_, label)| **label);
        let (sum, n) = picked.fold((0.0, 0), |(sum, n), (score, _)| (sum + score, n + 1));
        Ok(sum / f64::from(n))
    }

    /// The bootstrap distribution of a mean has the standard error `sd / √n` (with n, not n − 1),
    /// so for many items the interval is ± 1.96 of it.
    #[test]
    fn the_interval_of_a_mean_is_the_normal_one() {
        let mut values = Seed(1).stream("values");
        let scores: Vec<f64> = (0..800).map(|_| values.normal()).collect();
        let labels: Vec<bool> = (0..800).map(|i| i % 2 == 0).collect();
        let resampling = Resampling {
            draws: 4_000,
            confidence: 0.95,
        };
        let mut stream = Seed(1).stream("bootstrap");
        let got = interval(&scores, &labels, resampling, &mut stream, mean_of_anomalous);
        let got = got.expect("good scores");
        let own: Vec<f64> = scores.iter().copied().step_by(2).collect();
        let mean = own.iter().sum::<f64>() / 400.0;
        let sd = (own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 400.0).sqrt();
        let half = 1.96 * sd / 20.0;
        assert!((got.estimate - mean).abs() < 1e-12);
        assert!((got.lower - (mean - half)).abs() < 0.08 * half, "{got:?}");
        assert!((got.upper - (mean + half)).abs() < 0.08 * half, "{got:?}");
    }

    #[test]
    fn a_list_does_not_differ_from_itself() {
        let (scores, labels) = examples::large();
        let doubled: Vec<f64> = scores.iter().map(|score| 2.0 * score).collect();
        let mut stream = Seed(2).stream("bootstrap");
        let resampling = Resampling::default();
        let got = paired_difference(&scores, &doubled, &labels, resampling, &mut stream, auroc);
        let zero = Interval {
            estimate: 0.0,
            lower: 0.0,
            upper: 0.0,
        };
        assert_eq!(got, Ok(zero));
    }

    #[test]
    fn pairing_narrows_the_interval() {
        let (scores, labels) = examples::large();
        let mut noise = Seed(3).stream("noise");
        let noisy: Vec<f64> = scores.iter().map(|s| s + 0.5 * noise.normal()).collect();
        let resampling = Resampling::default();
        let mut stream = Seed(3).stream("bootstrap");
        let alone = interval(&scores, &labels, resampling, &mut stream, auroc).expect("good");
        let paired = paired_difference(&scores, &noisy, &labels, resampling, &mut stream, auroc)
            .expect("good");
        assert!(alone.contains(alone.estimate) && !alone.contains(0.5));
        assert!(paired.upper - paired.lower < 0.5 * (alone.upper - alone.lower));
    }

    #[test]
    fn the_same_stream_gives_the_same_interval() {
        let (scores, labels) = examples::small();
        let once = |seed| {
            let mut stream = Seed(seed).stream("bootstrap");
            interval(&scores, &labels, Resampling::default(), &mut stream, auroc)
        };
        assert_eq!(once(4), once(4));
        let none = Resampling {
            draws: 0,
            confidence: 0.95,
        };
        let mut stream = Seed(4).stream("bootstrap");
        assert!(interval(&scores, &labels, none, &mut stream, auroc).is_err());
    }
}
