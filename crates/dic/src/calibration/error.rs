//! Why no camera came out of a calibration.

use thiserror::Error;

/// Why no camera came out of a calibration. Views and points count from zero.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum CalibrationError {
    /// More radial terms than there are.
    #[error("a camera has at most 3 radial terms, got {got}")]
    RadialTerms {
        /// The number given.
        got: usize,
    },
    /// Too few positions of the target.
    #[error("{needed} positions of the target are needed at least, got {got}")]
    TooFewViews {
        /// The smallest number.
        needed: usize,
        /// Positions given.
        got: usize,
    },
    /// Too few points of the target were seen.
    #[error("view {view} has too few points: {needed} are needed at least, got {got}")]
    TooFewPoints {
        /// The view.
        view: usize,
        /// The smallest number.
        needed: usize,
        /// Points given.
        got: usize,
    },
    /// Fewer coordinates than unknowns.
    #[error("{coordinates} image coordinates in all cannot fix {unknowns} unknowns")]
    Underdetermined {
        /// Image coordinates of all views.
        coordinates: usize,
        /// Unknowns of the camera and of all positions.
        unknowns: usize,
    },
    /// A coordinate is not a number or infinite.
    #[error("point {point} of view {view} has the coordinate {value}")]
    NonFinite {
        /// The view.
        view: usize,
        /// The point within it.
        point: usize,
        /// The value found.
        value: f64,
    },
    /// The points of a view lie on a line or fall together.
    #[error("the points of view {view} lie on a line, so that they fix no plane")]
    Collinear {
        /// The view.
        view: usize,
    },
    /// The target was never tilted enough.
    #[error(
        "{views} positions of the target do not fix the camera: its planes are too nearly parallel; tilt the target between pictures, about two axes"
    )]
    ParallelPlanes {
        /// Positions given.
        views: usize,
    },
    /// The focal length stays uncertain.
    #[error(
        "the focal length is known to ±{spread_px:.0} px of {focal_length_px:.0} px only; tilt the target more between pictures"
    )]
    UncertainFocalLength {
        /// The focal length found, px.
        focal_length_px: f64,
        /// Its standard uncertainty, px.
        spread_px: f64,
    },
    /// The refinement found no minimum.
    #[error(
        "no minimum was found in {iterations} iterations; the reprojection error is {rms_px} px"
    )]
    NoMinimum {
        /// Iterations made.
        iterations: usize,
        /// Root of the mean squared distance reached, px.
        rms_px: f64,
    },
}
