//! What is compared: annotated objects and detections of one picture.

use retrial_image::RunLengths;

use super::error::EvaluationError;
use super::settings::Region;
use crate::boxes::Corners;

/// An annotated object.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Its class, counted from 0 without the background.
    pub class: usize,
    /// The box around it.
    pub corners: Corners,
    /// Its pixels; needed when masks are compared.
    pub mask: Option<RunLengths>,
    /// Its area in pixels, which decides whether it is small; COCO takes that of the mask for
    /// boxes too.
    pub area: f64,
    /// Whether it is a group of objects: it may be found many times and counts neither way.
    pub crowd: bool,
}

/// A detected object.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// Its class, counted from 0 without the background.
    pub class: usize,
    /// How sure the net is; larger is surer.
    pub confidence: f32,
    /// The box around it.
    pub corners: Corners,
    /// Its pixels; needed when masks are compared.
    pub mask: Option<RunLengths>,
}

/// The objects of one picture and what was detected in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageCase {
    /// Annotated objects.
    pub truths: Vec<Truth>,
    /// Detections in any order; of equal confidence the earlier counts first.
    pub detections: Vec<Detection>,
}

/// That all items can be compared.
pub(super) fn check(
    cases: &[ImageCase],
    classes: usize,
    region: Region,
) -> Result<(), EvaluationError> {
    for (image, case) in cases.iter().enumerate() {
        let mut size = None;
        let truths = case.truths.iter().map(|t| (t.class, &t.corners, &t.mask));
        let detections = case
            .detections
            .iter()
            .map(|d| (d.class, &d.corners, &d.mask));
        for (item, (class, corners, mask)) in truths.chain(detections).enumerate() {
            if class >= classes {
                return Err(EvaluationError::UnknownClass {
                    image,
                    item,
                    class,
                    classes,
                });
            }
            if !corners.iter().all(|value| value.is_finite()) {
                return Err(EvaluationError::NotFinite { image, item });
            }
            if region == Region::Mask {
                let Some(mask) = mask else {
                    return Err(EvaluationError::NoMask { image, item });
                };
                let got = [mask.height(), mask.width()];
                let expected = *size.get_or_insert(got);
                if got != expected {
                    return Err(EvaluationError::MaskSize {
                        image,
                        item,
                        expected,
                        got,
                    });
                }
            }
        }
        let numbers = case.truths.iter().map(|t| t.area);
        let confidences = case.detections.iter().map(|d| f64::from(d.confidence));
        if let Some(item) = numbers.chain(confidences).position(f64::is_nan) {
            return Err(EvaluationError::NotFinite { image, item });
        }
    }
    Ok(())
}
