//! Scores in order: what the curves and the rank statistics share.

use crate::error::DetectError;

/// Counts of flagged items when everything from `threshold` upwards is flagged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) threshold: f64,
    pub(crate) true_positives: usize,
    pub(crate) false_positives: usize,
}

/// The numbers of anomalous and of normal items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) anomalous: usize,
    pub(crate) normal: usize,
}

/// Checks that `values` are finite numbers.
pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<(), DetectError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(DetectError::NotFinite {
            what,
            index,
            value: values[index],
        }),
        None => Ok(()),
    }
}

/// Checks that `value` lies strictly between 0 and 1.
pub(crate) fn check_fraction(what: &'static str, value: f64) -> Result<(), DetectError> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(DetectError::NotAFraction { what, value })
    }
}

/// Checks that there is one finite score a label.
pub(crate) fn check_scores(scores: &[f64], labels: &[bool]) -> Result<Counts, DetectError> {
    if scores.len() != labels.len() {
        return Err(DetectError::LengthMismatch {
            what: "scores",
            expected: labels.len(),
            got: scores.len(),
        });
    }
    check_finite("scores", scores)?;
    let anomalous = labels.iter().filter(|&&label| label).count();
    Ok(Counts {
        anomalous,
        normal: labels.len() - anomalous,
    })
}

/// As [`check_scores`], and both classes are there.
pub(crate) fn check_classes(scores: &[f64], labels: &[bool]) -> Result<Counts, DetectError> {
    let counts = check_scores(scores, labels)?;
    let Counts { anomalous, normal } = counts;
    if anomalous == 0 || normal == 0 {
        return Err(DetectError::OneClass { anomalous, normal });
    }
    Ok(counts)
}

/// One step a distinct score, from the largest score down.
pub(crate) fn steps(scores: &[f64], labels: &[bool]) -> Result<(Vec<Step>, Counts), DetectError> {
    let counts = check_classes(scores, labels)?;
    let order = ascending(scores);
    let mut steps: Vec<Step> = Vec::new();
    let (mut true_positives, mut false_positives) = (0, 0);
    for &item in order.iter().rev() {
        if labels[item] {
            true_positives += 1;
        } else {
            false_positives += 1;
        }
        let step = Step {
            threshold: scores[item],
            true_positives,
            false_positives,
        };
        match steps.last_mut() {
            Some(last) if last.threshold == step.threshold => *last = step,
            _ => steps.push(step),
        }
    }
    Ok((steps, counts))
}

/// Indices from the smallest to the largest of finite values; equal ones keep their order.
fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}

/// Scores and labels with literal results of scikit-learn 1.9.1.
#[cfg(test)]
pub(crate) mod examples {
    /// Twelve items with ties within and between the classes.
    pub(crate) fn small() -> ([f64; 12], [bool; 12]) {
        let labels = [0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1].map(|label| label == 1);
        let scores = [
            0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.2, 0.9, 0.7, 0.65, 0.8, 0.15,
        ];
        (scores, labels)
    }

    /// 500 items on a formula, with many ties:
    /// `y = [(i * 7919) % 10 < 3 for i in range(500)]`,
    /// `s = [((i * i * 31 + 17 * i) % 97) / 10 + (2.0 if y[i] else 0.0) for i in range(500)]`.
    pub(crate) fn large() -> (Vec<f64>, Vec<bool>) {
        let labels: Vec<bool> = (0..500).map(|i| (i * 7919) % 10 < 3).collect();
        let score = |i: u32| f64::from((i * i * 31 + 17 * i) % 97) / 10.0;
        let scores = (0..500)
            .zip(&labels)
            .map(|(i, &label)| score(i) + if label { 2.0 } else { 0.0 })
            .collect();
        (scores, labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_scores_are_named() {
        let labels = [true, false, true];
        let message = |scores: &[f64], labels: &[bool]| {
            let error = check_classes(scores, labels).expect_err("bad scores");
            error.to_string()
        };
        assert_eq!(
            message(&[0.0, f64::NAN, 1.0], &labels),
            "scores holds NaN at index 1, not a finite number"
        );
        assert_eq!(
            message(&[0.0, 1.0], &labels),
            "scores has 2 values for 3 items"
        );
        assert_eq!(
            message(&[0.0, 1.0], &[true, true]),
            "both classes are needed, got 2 anomalous and 0 normal items"
        );
    }
}
