//! The receiver operating characteristic: what share of the anomalous items is found at what
//! share of false alarms.
//!
//! # Source
//! Fawcett 2006, doi:10.1016/j.patrec.2005.10.010; the area as a rank statistic: Hanley & McNeil
//! 1982, doi:10.1148/radiology.143.1.7063747. Values in the tests are from scikit-learn 1.9.1.

use retrial_statistics::doubled_ranks;

use crate::error::DetectError;
use crate::ranking::{check_classes, check_fraction, steps};

/// One point of the curve: every item whose score is at least `threshold` is flagged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Lowest flagged score; infinite where nothing is flagged.
    pub threshold: f64,
    /// Flagged share of the normal items.
    pub false_positive_rate: f64,
    /// Flagged share of the anomalous items.
    pub true_positive_rate: f64,
}

/// The points of the curve: `(0, 0)`, then one a distinct score, from the largest down.
///
/// # Shapes
/// - `scores`, `labels`: `[item]`; `true` is anomalous
///
/// # Errors
/// [`DetectError::LengthMismatch`], [`DetectError::NotFinite`], [`DetectError::OneClass`].
pub fn curve(scores: &[f64], labels: &[bool]) -> Result<Vec<RocPoint>, DetectError> {
    let (steps, counts) = steps(scores, labels)?;
    let nothing_flagged = RocPoint {
        threshold: f64::INFINITY,
        false_positive_rate: 0.0,
        true_positive_rate: 0.0,
    };
    let points = steps.iter().map(|step| RocPoint {
        threshold: step.threshold,
        false_positive_rate: step.false_positives as f64 / counts.normal as f64,
        true_positive_rate: step.true_positives as f64 / counts.anomalous as f64,
    });
    Ok(std::iter::once(nothing_flagged).chain(points).collect())
}

/// The area under the curve, `0..=1`: the probability that an anomalous item scores higher than a
/// normal one, a tie counting one half.
///
/// # Errors
/// As [`curve`].
pub fn auroc(scores: &[f64], labels: &[bool]) -> Result<f64, DetectError> {
    let counts = check_classes(scores, labels)?;
    let (anomalous, normal) = (counts.anomalous as u64, counts.normal as u64);
    let rank_sum: u64 = doubled_ranks(scores)
        .iter()
        .zip(labels)
        .filter_map(|(rank, &label)| label.then_some(rank))
        .sum();
    // Hanley & McNeil: U = (rank sum − n (n + 1) / 2), here doubled; area = U / (n m).
    let doubled = rank_sum - anomalous * (anomalous + 1);
    Ok(doubled as f64 / (2 * anomalous * normal) as f64)
}

/// The largest share of anomalous items that a threshold can find while it flags at most the
/// share `most` of the normal items. Only thresholds that exist count; nothing is interpolated.
///
/// # Errors
/// As [`curve`]; [`DetectError::NotAFraction`] for `most`.
pub fn true_positive_rate_at(
    scores: &[f64],
    labels: &[bool],
    most: f64,
) -> Result<f64, DetectError> {
    check_fraction("false-positive rate", most)?;
    let points = curve(scores, labels)?;
    let reached = points
        .iter()
        .take_while(|point| point.false_positive_rate <= most);
    Ok(reached.last().map_or(0.0, |point| point.true_positive_rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::examples;

    #[test]
    fn the_curve_agrees_with_scikit_learn() {
        // roc_curve(y, s, drop_intermediate=False), in sixths.
        let expected = [
            (f64::INFINITY, 0, 0),
            (0.9, 0, 1),
            (0.8, 1, 2),
            (0.7, 1, 3),
            (0.65, 2, 3),
            (0.4, 4, 4),
            (0.35, 4, 5),
            (0.2, 5, 5),
            (0.15, 5, 6),
            (0.1, 6, 6),
        ]
        .map(|(threshold, false_positives, true_positives)| RocPoint {
            threshold,
            false_positive_rate: f64::from(false_positives) / 6.0,
            true_positive_rate: f64::from(true_positives) / 6.0,
        });
        let (scores, labels) = examples::small();
        assert_eq!(curve(&scores, &labels), Ok(expected.to_vec()));
    }

    #[test]
    fn the_area_agrees_with_scikit_learn() {
        // roc_auc_score(y, s)
        let (scores, labels) = examples::small();
        assert_eq!(auroc(&scores, &labels), Ok(0.625));
        let (scores, labels) = examples::large();
        let area = auroc(&scores, &labels).expect("both classes");
        assert!((area - 0.696_380_952_380_952_3).abs() < 1e-15, "{area}");
    }

    #[test]
    fn the_area_is_that_of_the_trapezoids() {
        let (scores, labels) = examples::large();
        let points = curve(&scores, &labels).expect("both classes");
        let trapezoids: f64 = points
            .windows(2)
            .map(|pair| {
                let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
                width * (pair[1].true_positive_rate + pair[0].true_positive_rate) / 2.0
            })
            .sum();
        let area = auroc(&scores, &labels).expect("both classes");
        assert!((area - trapezoids).abs() < 1e-12);
    }

    #[test]
    fn perfect_reversed_and_constant_scores() {
        let labels = [false, false, true, true];
        assert_eq!(auroc(&[1.0, 2.0, 3.0, 4.0], &labels), Ok(1.0));
        assert_eq!(auroc(&[4.0, 3.0, 2.0, 1.0], &labels), Ok(0.0));
        assert_eq!(auroc(&[5.0; 4], &labels), Ok(0.5));
        assert_eq!(true_positive_rate_at(&[5.0; 4], &labels, 0.5), Ok(0.0));
    }

    #[test]
    fn the_rate_at_few_false_alarms_agrees_with_scikit_learn() {
        // max(tpr[fpr <= x]) of roc_curve(y, s, drop_intermediate=False)
        let (scores, labels) = examples::large();
        let rate = |most| true_positive_rate_at(&scores, &labels, most);
        assert_eq!(rate(0.1), Ok(0.28));
        assert_eq!(rate(0.01), Ok(32.0 / 150.0));
        let error = rate(1.0).expect_err("no fraction");
        assert_eq!(
            error.to_string(),
            "false-positive rate must lie strictly between 0 and 1, got 1"
        );
    }
}
