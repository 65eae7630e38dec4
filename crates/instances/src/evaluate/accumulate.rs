//! Precision and recall of one class over all pictures.

use super::matching::{Candidates, Outcome, Scope};
use super::settings::evenly;

/// Precision at 101 recalls, and the recall that is reached.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curve {
    /// Precision at recalls 0, 0.01, …, 1; zero beyond the recall that is reached.
    pub(super) precision: Vec<f64>,
    /// Confidence from which on that recall is reached; zero beyond.
    pub(super) confidence: Vec<f64>,
    pub(super) recall: f64,
}

/// Recalls at which precision is read.
pub(super) fn recalls() -> Vec<f64> {
    evenly(0.0, 1.0, 101)
}

/// One curve a limit and threshold, or none at all where no object counts.
///
/// # Shapes
/// - returns `[limits, thresholds]`
pub(super) fn curves(
    candidates: &[Candidates],
    scope: impl Fn(&Candidates) -> Scope,
    thresholds: &[f64],
    limits: &[usize],
) -> Option<Vec<Curve>> {
    let scopes: Vec<Scope> = candidates.iter().map(scope).collect();
    let counts = |scope: &Scope| scope.ignored.iter().filter(|&&ignored| !ignored).count();
    let objects: usize = scopes.iter().map(counts).sum();
    if objects == 0 {
        return None;
    }
    let outcomes: Vec<Vec<Outcome>> = candidates
        .iter()
        .zip(&scopes)
        .map(|(candidates, scope)| candidates.outcomes(scope, thresholds))
        .collect();
    let mut curves = Vec::with_capacity(limits.len() * thresholds.len());
    for &limit in limits {
        let order = surest_first(candidates, limit);
        for threshold in 0..thresholds.len() {
            let ranked = order.iter().map(|&(confidence, case, detection)| {
                let own = &outcomes[case];
                let first = threshold * candidates[case].detections.len();
                (confidence, own[first + detection])
            });
            curves.push(curve(ranked, objects));
        }
    }
    Some(curves)
}

/// The detections of all pictures by descending confidence: confidence, picture, detection.
fn surest_first(candidates: &[Candidates], limit: usize) -> Vec<(f32, usize, usize)> {
    let mut order: Vec<(f32, usize, usize)> = candidates
        .iter()
        .enumerate()
        .flat_map(|(case, candidates)| {
            let confidences = candidates.confidences.iter().take(limit);
            confidences
                .enumerate()
                .map(move |(detection, &confidence)| (confidence, case, detection))
        })
        .collect();
    // Zero has no sign here, and equals keep their order.
    order.sort_by(|a, b| (b.0 + 0.0).total_cmp(&(a.0 + 0.0)));
    order
}

fn curve(ranked: impl Iterator<Item = (f32, Outcome)>, objects: usize) -> Curve {
    let (mut found, mut wrong) = (0.0, 0.0);
    // Recall, precision and confidence after each detection.
    let mut steps: Vec<[f64; 3]> = Vec::new();
    for (confidence, outcome) in ranked {
        match outcome {
            Outcome::Found => found += 1.0,
            Outcome::Wrong => wrong += 1.0,
            Outcome::Ignored => {}
        }
        let precision = found / (found + wrong + f64::EPSILON);
        steps.push([found / objects as f64, precision, f64::from(confidence)]);
    }
    let recall = steps.last().map_or(0.0, |step| step[0]);
    // Precision may not rise again as recall falls.
    let mut best = 0.0_f64;
    for step in steps.iter_mut().rev() {
        best = best.max(step[1]);
        step[1] = best;
    }
    let mut curve = Curve {
        precision: Vec::with_capacity(101),
        confidence: Vec::with_capacity(101),
        recall,
    };
    for least in recalls() {
        let reached = steps.partition_point(|step| step[0] < least);
        let [_, precision, confidence] = steps.get(reached).copied().unwrap_or_default();
        curve.precision.push(precision);
        curve.confidence.push(confidence);
    }
    curve
}
