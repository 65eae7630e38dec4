//! What a calibration is told: points of a target, and which parameters of the camera are unknown.

/// A point of the target and where one picture shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationPoint {
    /// Place on the target's plane, mm.
    pub world_mm: [f64; 2],
    /// Place in the picture, px, zero-based pixel centres.
    pub image_px: [f64; 2],
}

/// Which of a camera's parameters are estimated; the others stay zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameraModel {
    /// Radial terms, `0..=3`.
    pub radial_terms: usize,
    /// Whether `p1` and `p2` are estimated.
    pub tangential: bool,
    /// Whether the axes may be skewed.
    pub skew: bool,
}
