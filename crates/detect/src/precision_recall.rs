//! Precision against recall: how many of the flagged items are anomalous at what share found.
//!
//! # Source
//! Davis & Goadrich 2006, doi:10.1145/1143844.1143874: points are not to be joined by straight
//! lines, so the average precision is a sum of steps. Values in the tests are from scikit-learn
//! 1.9.1.

use crate::error::DetectError;
use crate::ranking::steps;

/// One point of the curve: every item whose score is at least `threshold` is flagged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionRecall {
    /// Lowest flagged score.
    pub threshold: f64,
    /// Anomalous share of the flagged items.
    pub precision: f64,
    /// Flagged share of the anomalous items.
    pub recall: f64,
    /// Harmonic mean of precision and recall, `2 TP / (2 TP + FP + FN)`.
    pub f1: f64,
}

/// The points of the curve, one a distinct score, from the largest down. The customary end at
/// recall 0 and precision 1 is no threshold's and not among them.
///
/// # Shapes
/// - `scores`, `labels`: `[item]`; `true` is anomalous
///
/// # Errors
/// [`DetectError::LengthMismatch`], [`DetectError::NotFinite`], [`DetectError::OneClass`].
pub fn curve(scores: &[f64], labels: &[bool]) -> Result<Vec<PrecisionRecall>, DetectError> {
    let (steps, counts) = steps(scores, labels)?;
    let anomalous = counts.anomalous as f64;
    let points = steps.iter().map(|step| {
        let found = step.true_positives as f64;
        let flagged = (step.true_positives + step.false_positives) as f64;
        PrecisionRecall {
            threshold: step.threshold,
            precision: found / flagged,
            recall: found / anomalous,
            // TP + FP = flagged and TP + FN = anomalous.
            f1: 2.0 * found / (flagged + anomalous),
        }
    });
    Ok(points.collect())
}

/// Average precision, `Σ (R_n − R_{n−1}) P_n` over the points of the curve.
///
/// The value of a detector that knows nothing is the share of anomalous items.
///
/// # Errors
/// As [`curve`].
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Result<f64, DetectError> {
    let mut recall = 0.0;
    let steps = curve(scores, labels)?.into_iter().map(|point| {
        let step = (point.recall - recall) * point.precision;
        recall = point.recall;
        step
    });
    Ok(steps.sum())
}

/// The point with the largest F1, that with the largest threshold among equals.
///
/// It is chosen with the labels of the items that it judges: an upper bound for a detector, never
/// a threshold to work with.
///
/// # Errors
/// As [`curve`].
pub fn best_f1(scores: &[f64], labels: &[bool]) -> Result<PrecisionRecall, DetectError> {
    let points = curve(scores, labels)?;
    let best = points
        .into_iter()
        .reduce(|best, point| if point.f1 > best.f1 { point } else { best });
    Ok(best.expect("two classes have a score each"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::examples;

    #[test]
    fn the_curve_agrees_with_scikit_learn() {
        // precision_recall_curve(y, s), from the largest threshold down.
        let precision = [
            1.0,
            0.666_666_666_666_666_6,
            0.75,
            0.6,
            0.5,
            0.555_555_555_555_555_6,
            0.5,
            0.545_454_545_454_545_4,
            0.5,
        ];
        let sixths = [1, 2, 3, 3, 4, 5, 5, 6, 6];
        let thresholds = [0.9, 0.8, 0.7, 0.65, 0.4, 0.35, 0.2, 0.15, 0.1];
        let (scores, labels) = examples::small();
        let points = curve(&scores, &labels).expect("both classes");
        assert_eq!(points.len(), precision.len());
        for (i, point) in points.iter().enumerate() {
            assert_eq!(point.threshold, thresholds[i]);
            assert!((point.precision - precision[i]).abs() < 1e-15, "{point:?}");
            assert!((point.recall - f64::from(sixths[i]) / 6.0).abs() < 1e-15);
        }
    }

    #[test]
    fn average_precision_agrees_with_scikit_learn() {
        // average_precision_score(y, s)
        let (scores, labels) = examples::small();
        let small = average_precision(&scores, &labels).expect("both classes");
        assert!((small - 0.669_612_794_612_794_6).abs() < 1e-14, "{small}");
        let (scores, labels) = examples::large();
        let large = average_precision(&scores, &labels).expect("both classes");
        assert!((large - 0.561_480_489_250_871_4).abs() < 1e-14, "{large}");
    }

    #[test]
    fn best_f1_agrees_with_scikit_learn() {
        // max of f1_score(y, s >= t) over all t in s
        let (scores, labels) = examples::small();
        let best = best_f1(&scores, &labels).expect("both classes");
        assert!((best.f1 - 0.705_882_352_941_176_3).abs() < 1e-14);
        assert_eq!((best.threshold, best.recall), (0.15, 1.0));
        let (scores, labels) = examples::large();
        let best = best_f1(&scores, &labels).expect("both classes");
        assert!((best.f1 - 0.539_170_506_912_442_4).abs() < 1e-14);
    }

    #[test]
    fn constant_scores_have_the_share_of_the_anomalous() {
        let labels = [true, false, false, false];
        assert_eq!(average_precision(&[1.0; 4], &labels), Ok(0.25));
        assert!(average_precision(&[1.0; 4], &[true; 4]).is_err());
    }
}
