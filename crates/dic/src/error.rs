//! Why a correlation could not begin. What goes wrong at one point is a [`Status`](crate::Status).

use thiserror::Error;

/// Why a correlation could not begin.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum DicError {
    /// The subset has no centre pixel, or is too small to hold a gradient.
    #[error("subset size must be odd and at least 3 px, got {size_px} px")]
    SubsetSize {
        /// The size given.
        size_px: usize,
    },
    /// The grid would never advance.
    #[error("step must be at least 1 px, got 0 px")]
    ZeroStep,
    /// No subset fits into the picture.
    #[error("a subset of {size_px} px does not fit into an image of {width} × {height} px")]
    SubsetExceedsImage {
        /// The size given.
        size_px: usize,
        /// Columns of the reference image.
        width: usize,
        /// Rows of the reference image.
        height: usize,
    },
    /// The grid rule leaves no point although a subset would fit.
    #[error(
        "no point is left: a grid of step {step_px} px and subsets of {size_px} px on {width} × {height} px with {mask_px} px in the mask"
    )]
    NoPoint {
        /// Full width of the subset.
        size_px: usize,
        /// Spacing of the grid.
        step_px: usize,
        /// Columns of the reference image.
        width: usize,
        /// Rows of the reference image.
        height: usize,
        /// Pixels that take part.
        mask_px: usize,
    },
    /// The subset around a chosen point leaves the picture.
    #[error(
        "a subset of {size_px} px around the point x = {x}, y = {y} leaves the image of {width} × {height} px"
    )]
    PointOutside {
        /// Column of the point.
        x: usize,
        /// Row of the point.
        y: usize,
        /// Full width of the subset.
        size_px: usize,
        /// Columns of the reference image.
        width: usize,
        /// Rows of the reference image.
        height: usize,
    },
    /// A bookmark of another series.
    #[error("the bookmark belongs to a series of other points or of another strategy")]
    Bookmark,
    /// No point was chosen.
    #[error("no point is given")]
    EmptyPoints,
    /// Two pictures of a pair differ in size.
    #[error(
        "the reference has {width} × {height} px, the deformed image {got_width} × {got_height} px"
    )]
    ImageSize {
        /// Columns of the reference image.
        width: usize,
        /// Rows of the reference image.
        height: usize,
        /// Columns of the deformed image.
        got_width: usize,
        /// Rows of the deformed image.
        got_height: usize,
    },
    /// The mask belongs to another picture.
    #[error("the reference has {width} × {height} px, the mask {got_width} × {got_height} px")]
    MaskSize {
        /// Columns of the reference image.
        width: usize,
        /// Rows of the reference image.
        height: usize,
        /// Columns of the mask.
        got_width: usize,
        /// Rows of the mask.
        got_height: usize,
    },
    /// No pixel takes part.
    #[error("none of the {width} × {height} px of the mask takes part")]
    EmptyMask {
        /// Columns of the mask.
        width: usize,
        /// Rows of the mask.
        height: usize,
    },
    /// A grey value is not a number or infinite.
    #[error("the pixel at x = {x}, y = {y} has the grey value {value}")]
    NonFinitePixel {
        /// Column.
        x: usize,
        /// Row.
        y: usize,
        /// The value found.
        value: f32,
    },
    /// A setting that must be a positive finite number is not.
    #[error("{setting} must be a positive finite number, got {value}")]
    NotPositive {
        /// The name of the setting.
        setting: &'static str,
        /// The value given.
        value: f64,
    },
    /// A threshold on the correlation coefficient that cannot be met or compared.
    #[error("min_zncc must lie in -1..=1, got {value}")]
    MinZncc {
        /// The value given.
        value: f64,
    },
    /// A share of the pixels of a subset that is none.
    #[error("least_share must lie in 0..=1, got {value}")]
    SubsetShare {
        /// The value given.
        value: f64,
    },
    /// The window of the Gaussian filter has no centre pixel.
    #[error("the window of the Gaussian filter must be odd and at most 99 px, got {window_px} px")]
    FilterWindow {
        /// The window given.
        window_px: usize,
    },
    /// No iteration is allowed.
    #[error("iteration limit must be at least 1, got 0")]
    ZeroIterations,
    /// A field given as initial guess has another number of points.
    #[error("the reference has {expected} points, the field given as initial guess {got}")]
    GuessSize {
        /// Points of the reference.
        expected: usize,
        /// Points of the field.
        got: usize,
    },
    /// The window of a strain has no centre point, is too small to hold a slope, or larger than any
    /// field needs.
    #[error(
        "a strain window must hold an odd number of points, at least 3 and at most 501 a side, got {points}"
    )]
    StrainWindow {
        /// Points along a side.
        points: usize,
    },
    /// No window of a strain can hold as many points as it asks for.
    #[error(
        "a strain window of {points} × {points} points needs {least} of them, and the field of {columns} × {rows} places \
         holds at most {most} in one: ask for a smaller window or a finer step"
    )]
    StrainWindowExceedsField {
        /// Points along a side of the window.
        points: usize,
        /// Points that it needs.
        least: usize,
        /// Columns of the field.
        columns: usize,
        /// Rows of the field.
        rows: usize,
        /// The most points that a window of the field can hold.
        most: usize,
    },
    /// A share of a window's points that cannot be asked for.
    #[error("least_share must be above 0 and at most 1, got {value}")]
    LeastShare {
        /// The value given.
        value: f64,
    },
    /// Uncertainties belong to another field.
    #[error("the field has {expected} points, the uncertainties given {got}")]
    UncertaintySize {
        /// Points of the field.
        expected: usize,
        /// Uncertainties given.
        got: usize,
    },
}

/// Refuses zero, negative and non-finite values.
pub(crate) fn check_positive(setting: &'static str, value: f64) -> Result<(), DicError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(DicError::NotPositive { setting, value })
    }
}
