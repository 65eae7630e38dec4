//! Decisions at one threshold, counted.
//!
//! # Source
//! Fawcett 2006, doi:10.1016/j.patrec.2005.10.010, section 2. Values in the tests are from
//! scikit-learn 1.9.1.

use crate::error::DetectError;
use crate::ranking::{check_finite, check_scores};

/// How many items of which class were flagged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Anomalous and flagged.
    pub true_positives: usize,
    /// Normal and flagged.
    pub false_positives: usize,
    /// Normal and not flagged.
    pub true_negatives: usize,
    /// Anomalous and not flagged.
    pub false_negatives: usize,
}

/// Counts the decisions "anomalous when the score is at least `threshold`".
///
/// One class alone is allowed, as held-out normal items are; rates without an item are NaN.
///
/// # Shapes
/// - `scores`, `labels`: `[item]`; `true` is anomalous
///
/// # Errors
/// [`DetectError::LengthMismatch`]; [`DetectError::NotFinite`] for a score or the threshold.
pub fn at_threshold(
    scores: &[f64],
    labels: &[bool],
    threshold: f64,
) -> Result<Confusion, DetectError> {
    check_scores(scores, labels)?;
    check_finite("threshold", &[threshold])?;
    let mut confusion = Confusion::default();
    for (&score, &anomalous) in scores.iter().zip(labels) {
        let count = match (anomalous, score >= threshold) {
            (true, true) => &mut confusion.true_positives,
            (false, true) => &mut confusion.false_positives,
            (false, false) => &mut confusion.true_negatives,
            (true, false) => &mut confusion.false_negatives,
        };
        *count += 1;
    }
    Ok(confusion)
}

impl Confusion {
    /// Share of right decisions.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let right = self.true_positives + self.true_negatives;
        share(right, self.false_positives + self.false_negatives)
    }

    /// Anomalous share of the flagged items; NaN where nothing is flagged.
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.true_positives, self.false_positives)
    }

    /// Flagged share of the anomalous items.
    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.true_positives, self.false_negatives)
    }

    /// Flagged share of the normal items.
    #[must_use]
    pub fn false_positive_rate(&self) -> f64 {
        share(self.false_positives, self.true_negatives)
    }

    /// `2 TP / (2 TP + FP + FN)`, the harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> f64 {
        share(
            2 * self.true_positives,
            self.false_positives + self.false_negatives,
        )
    }
}

/// `part / (part + rest)`; NaN for nothing of nothing.
fn share(part: usize, rest: usize) -> f64 {
    part as f64 / (part + rest) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::examples;

    #[test]
    fn counts_and_rates_agree_with_scikit_learn() {
        // confusion_matrix, accuracy_score, precision_score, recall_score, f1_score of s >= t
        let (scores, labels) = examples::small();
        let at = |threshold| at_threshold(&scores, &labels, threshold).expect("good scores");
        let low = at(0.4);
        let counts = Confusion {
            true_positives: 4,
            false_positives: 4,
            true_negatives: 2,
            false_negatives: 2,
        };
        assert_eq!(low, counts);
        assert_eq!((low.accuracy(), low.precision()), (0.5, 0.5));
        assert!((low.recall() - 0.666_666_666_666_666_6).abs() < 1e-15);
        assert!((low.f1() - 0.571_428_571_428_571_4).abs() < 1e-15);
        assert!((low.false_positive_rate() - 4.0 / 6.0).abs() < 1e-15);
        let high = at(0.7);
        assert_eq!(
            (high.precision(), high.recall(), high.f1()),
            (0.75, 0.5, 0.6)
        );
        assert!((high.accuracy() - 0.666_666_666_666_666_6).abs() < 1e-15);
    }

    #[test]
    fn one_class_has_the_rates_of_its_own() {
        let normal = at_threshold(&[1.0, 2.0, 3.0, 4.0], &[false; 4], 4.0).expect("good scores");
        assert_eq!(normal.false_positive_rate(), 0.25);
        assert!(normal.recall().is_nan());
        assert!(at_threshold(&[1.0], &[false], f64::NAN).is_err());
    }
}
