//! Why items could not be evaluated.

use thiserror::Error;

/// Why items could not be evaluated. Items of a picture are counted truths first.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A class beyond those stated.
    #[error("image {image}, item {item}: class {class} is not among {classes} classes")]
    UnknownClass {
        /// Index of the picture.
        image: usize,
        /// Index of the item, truths first.
        item: usize,
        /// Its class.
        class: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A corner, an area or a confidence that is no number.
    #[error("image {image}, item {item}: its box, area or confidence is not finite")]
    NotFinite {
        /// Index of the picture.
        image: usize,
        /// Index of the item, truths first.
        item: usize,
    },
    /// Masks are to be compared and one is absent.
    #[error("image {image}, item {item}: no mask")]
    NoMask {
        /// Index of the picture.
        image: usize,
        /// Index of the item, truths first.
        item: usize,
    },
    /// Masks of one picture differ in size.
    #[error("image {image}, item {item}: the mask is {got:?}, others are {expected:?}")]
    MaskSize {
        /// Index of the picture.
        image: usize,
        /// Index of the item, truths first.
        item: usize,
        /// Height and width of the masks before.
        expected: [usize; 2],
        /// Height and width of this mask.
        got: [usize; 2],
    },
    /// No threshold, no area range or no limit; or limits that do not ascend.
    #[error(
        "{thresholds} thresholds, {areas} area ranges and the limits {limits:?}: \
         each needs one at least, and limits ascend"
    )]
    Settings {
        /// Number of overlap thresholds.
        thresholds: usize,
        /// Number of area ranges.
        areas: usize,
        /// Limits of detections.
        limits: Vec<usize>,
    },
}
