//! Which detection has found which object, in one picture and class.

use super::items::{Detection, ImageCase, Truth};
use super::overlap::Shape;
use super::settings::Settings;
use crate::nms::descending;

/// Truths and detections of one class in one picture, and how they overlap.
pub(super) struct Candidates {
    /// Index of the picture.
    pub(super) image: usize,
    /// Indices of the truths in their picture.
    pub(super) truths: Vec<usize>,
    pub(super) crowd: Vec<bool>,
    pub(super) truth_areas: Vec<f64>,
    /// Indices of the detections in their picture, by descending confidence.
    pub(super) detections: Vec<usize>,
    pub(super) confidences: Vec<f32>,
    pub(super) detection_areas: Vec<f64>,
    /// `[detections, truths]`
    overlaps: Vec<f64>,
}

/// Which truths and detections count.
pub(super) struct Scope {
    /// Truths that count neither way.
    pub(super) ignored: Vec<bool>,
    /// Detections that count neither way unless they find an object that counts.
    pub(super) stray: Vec<bool>,
}

/// What became of a detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Found,
    Wrong,
    Ignored,
}

impl Candidates {
    /// `None` when the class has neither a truth nor a detection there.
    pub(super) fn gather(
        image: usize,
        case: &ImageCase,
        class: usize,
        settings: &Settings,
    ) -> Option<Self> {
        let truths: Vec<usize> = (0..case.truths.len())
            .filter(|&i| case.truths[i].class == class)
            .collect();
        let unsorted: Vec<usize> = (0..case.detections.len())
            .filter(|&i| case.detections[i].class == class)
            .collect();
        if truths.is_empty() && unsorted.is_empty() {
            return None;
        }
        let confidence = |&i: &usize| case.detections[i].confidence;
        let all: Vec<f32> = unsorted.iter().map(confidence).collect();
        let mut detections: Vec<usize> = descending(&all)
            .into_iter()
            .map(|place| unsorted[place as usize])
            .collect();
        detections.truncate(settings.largest_limit());

        let region = settings.region;
        let found: Vec<Shape> = detections
            .iter()
            .map(|&i| Shape::of_detection(&case.detections[i], region))
            .collect();
        let objects: Vec<(&Truth, Shape)> = truths
            .iter()
            .map(|&i| (&case.truths[i], Shape::of_truth(&case.truths[i], region)))
            .collect();
        let mut overlaps = Vec::with_capacity(found.len() * objects.len());
        for shape in &found {
            overlaps.extend(objects.iter().map(|(truth, object)| {
                if truth.crowd {
                    shape.within_crowd(object)
                } else {
                    shape.iou(object)
                }
            }));
        }
        let of = |i: &usize| -> &Detection { &case.detections[*i] };
        Some(Self {
            image,
            crowd: objects.iter().map(|(truth, _)| truth.crowd).collect(),
            truth_areas: objects.iter().map(|(truth, _)| truth.area).collect(),
            confidences: detections.iter().map(|i| of(i).confidence).collect(),
            detection_areas: found.iter().map(Shape::area).collect(),
            truths,
            detections,
            overlaps,
        })
    }

    /// What becomes of every detection at every threshold.
    ///
    /// The surest detection chooses first, and takes the object that it overlaps most; of equal
    /// overlaps the last. Only where no object that counts is left may it take an ignored one, and
    /// a crowd can be taken again and again.
    ///
    /// # Shapes
    /// - returns `[thresholds, detections]`
    pub(super) fn outcomes(&self, scope: &Scope, thresholds: &[f64]) -> Vec<Outcome> {
        let n = self.truths.len();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&truth| scope.ignored[truth]);
        let counting = scope.ignored.iter().filter(|&&ignored| !ignored).count();
        let mut outcomes = Vec::with_capacity(thresholds.len() * self.detections.len());
        for &threshold in thresholds {
            // An overlap of one is enough for any threshold.
            let least = threshold.min(1.0 - 1e-10);
            let mut taken = vec![false; n];
            for (detection, &stray) in scope.stray.iter().enumerate() {
                let row = &self.overlaps[detection * n..(detection + 1) * n];
                let free = |&truth: &usize| !taken[truth] || self.crowd[truth];
                let best = |truths: &[usize]| {
                    let close = truths.iter().copied().filter(|&truth| row[truth] >= least);
                    // `max_by` keeps the last of equals.
                    close
                        .filter(free)
                        .max_by(|&a, &b| row[a].total_cmp(&row[b]))
                };
                let own = best(&order[..counting]).or_else(|| best(&order[counting..]));
                if let Some(truth) = own {
                    taken[truth] = true;
                }
                outcomes.push(match own {
                    Some(truth) if scope.ignored[truth] => Outcome::Ignored,
                    Some(_) => Outcome::Found,
                    None if stray => Outcome::Ignored,
                    None => Outcome::Wrong,
                });
            }
        }
        outcomes
    }
}
