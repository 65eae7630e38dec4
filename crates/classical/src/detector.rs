//! Regions found by k-means and maximum entropy, named by a machine that learned from masks.

use retrial_image::{GrayImage, InstanceMask};
use retrial_seed::Stream;

use crate::ClassicalError;
use crate::descriptor::{DESCRIPTORS, describe};
use crate::segment::{SegmentSettings, segment};
use crate::svm::{Classifier, SvmSettings, fit_classifier};

/// One object of a training picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its pixels.
    pub mask: InstanceMask,
    /// Its class.
    pub class: usize,
}

/// A picture whose objects are known.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingPicture {
    /// Grey values, or temperatures.
    pub picture: GrayImage,
    /// Its objects.
    pub instances: Vec<Instance>,
}

/// How regions are found and named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectorSettings {
    /// How pictures are cut into regions.
    pub segment: SegmentSettings,
    /// How the machines are fitted.
    pub svm: SvmSettings,
    /// A region found in a training picture is a further sample of the class of an object that it
    /// overlaps at least so much (intersection over union of masks).
    pub same_above: f64,
    /// A region that overlaps no object more than this is a sample of the background.
    pub background_below: f64,
}

impl Default for DetectorSettings {
    fn default() -> Self {
        Self {
            segment: SegmentSettings::default(),
            svm: SvmSettings::default(),
            same_above: 0.5,
            background_below: 0.3,
        }
    }
}

/// A fitted detector.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    segment: SegmentSettings,
    classifier: Classifier,
}

/// One object found.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// Its pixels.
    pub mask: InstanceMask,
    /// The box around them, corner convention.
    pub bounds: [f64; 4],
    /// Its class.
    pub class: usize,
    /// Confidence in the class, above 0 and at most 1.
    pub confidence: f64,
}

/// The classifier's number for what is no object; a class `c` has `c + 1`.
const BACKGROUND: usize = 0;

/// Learns from the masks of objects and from the regions that the segmentation finds itself.
///
/// # Errors
/// [`ClassicalError::TooFew`] without an object, [`ClassicalError::MaskSize`], and what
/// [`segment`] and [`fit_classifier`] refuse.
pub fn fit_detector(
    training: &[TrainingPicture],
    settings: &DetectorSettings,
    stream: &mut Stream,
) -> Result<Detector, ClassicalError> {
    let (mut rows, mut classes) = (Vec::new(), Vec::new());
    let mut add = |picture: &GrayImage, mask: &InstanceMask, class: usize| {
        if let Some(row) = describe(picture, mask)? {
            rows.extend(row);
            classes.push(class);
        }
        Ok(())
    };
    let mut objects = 0;
    for TrainingPicture { picture, instances } in training {
        for instance in instances {
            add(picture, &instance.mask, instance.class + 1)?;
            objects += 1;
        }
        for region in segment(picture, &settings.segment, stream)? {
            let overlaps = instances
                .iter()
                .map(|instance| (overlap(&region.mask, &instance.mask), instance.class + 1));
            let (most, class) =
                overlaps.fold(
                    (0.0, BACKGROUND),
                    |best, next| {
                        if next.0 > best.0 { next } else { best }
                    },
                );
            if most >= settings.same_above && class != BACKGROUND {
                add(picture, &region.mask, class)?;
            } else if most <= settings.background_below {
                add(picture, &region.mask, BACKGROUND)?;
            }
        }
    }
    if objects == 0 {
        return Err(ClassicalError::TooFew {
            what: "objects to learn from",
            least: 1,
            got: 0,
        });
    }
    Ok(Detector {
        segment: settings.segment,
        classifier: fit_classifier(&rows, DESCRIPTORS, &classes, &settings.svm)?,
    })
}

/// Objects in a picture, the most certain first; what looks like background is left out.
///
/// # Errors
/// As [`segment`].
pub fn detect(
    detector: &Detector,
    picture: &GrayImage,
    stream: &mut Stream,
) -> Result<Vec<Detection>, ClassicalError> {
    let mut found = Vec::new();
    for region in segment(picture, &detector.segment, stream)? {
        let Some(row) = describe(picture, &region.mask)? else {
            continue;
        };
        let (class, confidence) = detector.classifier.classify(&row)?;
        if class != BACKGROUND {
            found.push(Detection {
                mask: region.mask,
                bounds: region.bounds,
                class: class - 1,
                confidence,
            });
        }
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    Ok(found)
}

/// Intersection over union of two masks of one picture.
fn overlap(a: &InstanceMask, b: &InstanceMask) -> f64 {
    let both = a
        .inside()
        .iter()
        .zip(b.inside())
        .filter(|(a, b)| **a && **b);
    let both = both.count();
    let either = a.area() + b.area() - both;
    if either == 0 {
        return 0.0;
    }
    both as f64 / either as f64
}
