//! From pixels to millimetres: camera calibration with a flat target, lens distortion, and the
//! displacement of a flat specimen.
//!
//! [`calibrate`] finds the [`Camera`] and where it stood from points of a flat target seen in
//! several positions; [`SpecimenPlane`] maps pixels to the plane of one of them; [`PixelMap`]
//! turns a field into millimetres.
//!
//! # Source
//! Zhang 2000, "A flexible new technique for camera calibration", doi:10.1109/34.888718; the
//! distortion is that of Brown 1971, "Close-range camera calibration"; the specimen's plane that of
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, section 2.1.

mod camera;
mod closed_form;
mod error;
mod estimate;
mod homography;
mod matrix;
mod millimetres;
mod model;
mod plane;
mod pose;
mod refine;
mod strain;

pub use camera::Camera;
pub use error::CalibrationError;
pub use estimate::{Calibration, Spread, ViewResult, calibrate};
pub use millimetres::{PixelMap, field_mm};
pub use model::{CalibrationPoint, CameraModel};
pub use plane::SpecimenPlane;
pub use pose::Pose;
pub use strain::specimen_strain;
