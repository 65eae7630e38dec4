//! The evaluation of a set of pictures, and the numbers that are usually told of it.

use rayon::prelude::*;

use super::accumulate::{Curve, curves, recalls};
use super::error::EvaluationError;
use super::items::{ImageCase, check};
use super::matching::{Candidates, Scope};
use super::settings::{AreaRange, Settings};

/// Precision and recall of every class at every threshold, range of area and limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    settings: Settings,
    /// `[classes, areas]`, each `[limits, thresholds]`, none where no object counts.
    curves: Vec<Vec<Option<Vec<Curve>>>>,
}

/// COCO's twelve numbers, in `0..=1`; `None` where no object counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Average precision, the mean over all thresholds and classes.
    pub ap: Option<f64>,
    /// At an overlap of 0.5.
    pub ap50: Option<f64>,
    /// At an overlap of 0.75.
    pub ap75: Option<f64>,
    /// Of small objects.
    pub ap_small: Option<f64>,
    /// Of medium objects.
    pub ap_medium: Option<f64>,
    /// Of large objects.
    pub ap_large: Option<f64>,
    /// Average recall with 1 detection a class and picture.
    pub ar_1: Option<f64>,
    /// With 10.
    pub ar_10: Option<f64>,
    /// With 100.
    pub ar_100: Option<f64>,
    /// With 100, of small objects.
    pub ar_small: Option<f64>,
    /// With 100, of medium objects.
    pub ar_medium: Option<f64>,
    /// With 100, of large objects.
    pub ar_large: Option<f64>,
    /// The first numbers class by class.
    pub classes: Vec<ClassSummary>,
}

/// The usual numbers of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassSummary {
    /// Average precision over all thresholds.
    pub ap: Option<f64>,
    /// At an overlap of 0.5.
    pub ap50: Option<f64>,
    /// At an overlap of 0.75.
    pub ap75: Option<f64>,
    /// Average recall over all thresholds, 100 detections.
    pub ar_100: Option<f64>,
    /// Share of the objects that are found at an overlap of 0.5, 100 detections.
    pub found_50: Option<f64>,
}

/// A point of a precision-recall curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Share of the objects that are found.
    pub recall: f64,
    /// The best precision at this recall or a larger one; zero where it is not reached.
    pub precision: f64,
    /// Confidence from which on this recall is reached; zero where it is not.
    pub confidence: f64,
}

/// Evaluates detections of the classes `0..classes`.
///
/// # Errors
/// [`EvaluationError`] when an item or a setting makes no sense.
pub fn evaluate(
    cases: &[ImageCase],
    classes: usize,
    settings: &Settings,
) -> Result<Evaluation, EvaluationError> {
    settings.check()?;
    check(cases, classes, settings.region)?;
    let curves = (0..classes)
        .into_par_iter()
        .map(|class| of_class(cases, class, settings))
        .collect();
    Ok(Evaluation {
        settings: settings.clone(),
        curves,
    })
}

fn of_class(cases: &[ImageCase], class: usize, settings: &Settings) -> Vec<Option<Vec<Curve>>> {
    let candidates = candidates(cases, class, settings);
    let (thresholds, limits) = (&settings.thresholds, &settings.limits);
    let areas = settings.areas.iter();
    areas
        .map(|range| curves(&candidates, |c| of_size(c, range), thresholds, limits))
        .collect()
}

pub(super) fn candidates(
    cases: &[ImageCase],
    class: usize,
    settings: &Settings,
) -> Vec<Candidates> {
    let images = cases.iter().enumerate();
    images
        .filter_map(|(image, case)| Candidates::gather(image, case, class, settings))
        .collect()
}

fn of_size(candidates: &Candidates, range: &AreaRange) -> Scope {
    let truths = candidates.crowd.iter().zip(&candidates.truth_areas);
    let detections = candidates.detection_areas.iter();
    Scope {
        ignored: truths
            .map(|(&crowd, &area)| crowd || range.excludes(area))
            .collect(),
        stray: detections.map(|&area| range.excludes(area)).collect(),
    }
}

/// Indices of COCO's ranges of area in [`Settings::coco`].
const ALL: usize = 0;
const SMALL: usize = 1;
const MEDIUM: usize = 2;
const LARGE: usize = 3;

impl Evaluation {
    /// What was evaluated.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.curves.len()
    }

    /// Curves of one class and range of area at one limit, one a threshold.
    fn curves(&self, class: usize, area: usize, limit: usize) -> Option<&[Curve]> {
        let curves = self.curves.get(class)?.get(area)?.as_deref()?;
        curves.chunks(self.settings.thresholds.len()).nth(limit)
    }

    /// Average precision of one class, over all thresholds or at one; all arguments are indices
    /// into the settings.
    #[must_use]
    pub fn class_precision(
        &self,
        class: usize,
        threshold: Option<usize>,
        area: usize,
        limit: usize,
    ) -> Option<f64> {
        let curves = self.chosen(class, threshold, area, limit)?;
        let values = curves
            .iter()
            .flat_map(|curve| curve.precision.iter().copied());
        mean(values)
    }

    /// Recall of one class, the mean over all thresholds or at one; all arguments are indices
    /// into the settings.
    #[must_use]
    pub fn class_recall(
        &self,
        class: usize,
        threshold: Option<usize>,
        area: usize,
        limit: usize,
    ) -> Option<f64> {
        let curves = self.chosen(class, threshold, area, limit)?;
        mean(curves.iter().map(|curve| curve.recall))
    }

    fn chosen(
        &self,
        class: usize,
        threshold: Option<usize>,
        area: usize,
        limit: usize,
    ) -> Option<&[Curve]> {
        let curves = self.curves(class, area, limit)?;
        match threshold {
            Some(index) => curves.get(index..=index),
            None => Some(curves),
        }
    }

    /// [`Self::class_precision`], the mean over the classes that have objects.
    #[must_use]
    pub fn precision(&self, threshold: Option<usize>, area: usize, limit: usize) -> Option<f64> {
        let classes = 0..self.classes();
        mean(classes.filter_map(|class| self.class_precision(class, threshold, area, limit)))
    }

    /// [`Self::class_recall`], the mean over the classes that have objects.
    #[must_use]
    pub fn recall(&self, threshold: Option<usize>, area: usize, limit: usize) -> Option<f64> {
        let classes = 0..self.classes();
        mean(classes.filter_map(|class| self.class_recall(class, threshold, area, limit)))
    }

    /// The precision-recall curve of one class, 101 points; empty where no object counts.
    #[must_use]
    pub fn curve(
        &self,
        class: usize,
        threshold: usize,
        area: usize,
        limit: usize,
    ) -> Vec<CurvePoint> {
        let Some([curve]) = self.chosen(class, Some(threshold), area, limit) else {
            return Vec::new();
        };
        let values = curve.precision.iter().zip(&curve.confidence);
        let points = recalls().into_iter().zip(values);
        points
            .map(|(recall, (&precision, &confidence))| CurvePoint {
                recall,
                precision,
                confidence,
            })
            .collect()
    }

    /// COCO's twelve numbers.
    ///
    /// Ranges of area and limits are those of [`Settings::coco`] by index; with other settings the
    /// numbers of absent ones are `None`, and overlaps of 0.5 and 0.75 are found by value.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let last = self.settings.limits.len() - 1;
        let (half, strict) = (self.threshold(0.5), self.threshold(0.75));
        let class = |class| ClassSummary {
            ap: self.class_precision(class, None, ALL, last),
            ap50: half.and_then(|t| self.class_precision(class, Some(t), ALL, last)),
            ap75: strict.and_then(|t| self.class_precision(class, Some(t), ALL, last)),
            ar_100: self.class_recall(class, None, ALL, last),
            found_50: half.and_then(|t| self.class_recall(class, Some(t), ALL, last)),
        };
        let limited = |count: usize| {
            let index = self
                .settings
                .limits
                .iter()
                .position(|&limit| limit == count);
            index.and_then(|limit| self.recall(None, ALL, limit))
        };
        Summary {
            ap: self.precision(None, ALL, last),
            ap50: half.and_then(|t| self.precision(Some(t), ALL, last)),
            ap75: strict.and_then(|t| self.precision(Some(t), ALL, last)),
            ap_small: self.precision(None, SMALL, last),
            ap_medium: self.precision(None, MEDIUM, last),
            ap_large: self.precision(None, LARGE, last),
            ar_1: limited(1),
            ar_10: limited(10),
            ar_100: limited(100),
            ar_small: self.recall(None, SMALL, last),
            ar_medium: self.recall(None, MEDIUM, last),
            ar_large: self.recall(None, LARGE, last),
            classes: (0..self.classes()).map(class).collect(),
        }
    }

    /// Index of an overlap threshold.
    #[must_use]
    pub fn threshold(&self, overlap: f64) -> Option<usize> {
        let thresholds = &self.settings.thresholds;
        thresholds.iter().position(|t| (t - overlap).abs() < 1e-9)
    }
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}
