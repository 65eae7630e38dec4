//! From points of a flat target to a camera and the target's positions.

use super::camera::Camera;
use super::closed_form::{intrinsics, pose};
use super::error::CalibrationError;
use super::homography::homography;
use super::model::{CalibrationPoint, CameraModel};
use super::pose::Pose;
use super::refine::{SHARED, Unknowns, refine};

/// Smallest number of points of a view: they fix a homography.
const FEWEST_POINTS: usize = 4;

/// Largest relative standard uncertainty of a focal length that is still an answer.
const LARGEST_SPREAD: f64 = 0.1;

/// A calibrated camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The camera.
    pub camera: Camera,
    /// Standard uncertainty of every parameter of the camera.
    pub spread: Spread,
    /// What was found of every view, in their order.
    pub views: Vec<ViewResult>,
    /// Root of the mean squared distance between points and their reprojection, px, over all
    /// points.
    pub rms_px: f64,
    /// Iterations of the refinement.
    pub iterations: usize,
}

/// Standard uncertainties, each in the unit of its parameter of [`Camera`]; zero where the
/// parameter was not estimated.
///
/// From the Hessian at the minimum and the remaining distances, as if errors of all coordinates
/// were independent and equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread(pub Camera);

/// One position of the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewResult {
    /// Where the target stood.
    pub pose: Pose,
    /// Root of the mean squared distance between points and their reprojection, px.
    pub rms_px: f64,
    /// Points.
    pub points: usize,
}

impl CameraModel {
    /// Two radial terms and nothing else, as the published code's calibration has by default.
    #[must_use]
    pub fn published() -> Self {
        Self {
            radial_terms: 2,
            tangential: false,
            skew: false,
        }
    }

    /// The parameters that are estimated, in the order of [`SHARED`].
    pub(super) fn active(self) -> [bool; SHARED] {
        let radial = |term| self.radial_terms >= term;
        [
            true,
            true,
            self.skew,
            true,
            true,
            radial(1),
            radial(2),
            radial(3),
            self.tangential,
            self.tangential,
        ]
    }
}

impl Default for CameraModel {
    fn default() -> Self {
        Self {
            radial_terms: 2,
            tangential: true,
            skew: false,
        }
    }
}

/// Calibrates a camera from several `views` of a flat target, each in another position.
///
/// First Zhang's closed form, then Levenberg–Marquardt on the distances between the points and
/// their reprojection, in px². A view may hold a part of the target's points.
///
/// # Source
/// Zhang 2000, doi:10.1109/34.888718, sections 3.1 to 3.3.
///
/// # Errors
/// The variant of [`CalibrationError`] that names what is missing.
pub fn calibrate(
    views: &[Vec<CalibrationPoint>],
    model: CameraModel,
) -> Result<Calibration, CalibrationError> {
    check(views, model)?;
    let homographies = views
        .iter()
        .enumerate()
        .map(|(view, points)| homography(points).ok_or(CalibrationError::Collinear { view }))
        .collect::<Result<Vec<_>, _>>()?;
    let parallel = CalibrationError::ParallelPlanes { views: views.len() };
    let camera = intrinsics(&homographies, views, model.skew).ok_or_else(|| parallel.clone())?;
    let poses = homographies.iter().map(|h| pose(&camera, h));
    let poses: Vec<Pose> = poses
        .collect::<Option<_>>()
        .ok_or_else(|| parallel.clone())?;
    let found = refine(views, Unknowns { camera, poses }, model)?;
    let spread = found.spread.ok_or(parallel)?;
    let Unknowns { camera, poses } = found.unknowns;
    for (focal_length_px, spread_px) in [(camera.fx, spread.fx), (camera.fy, spread.fy)] {
        let known = spread_px <= LARGEST_SPREAD * focal_length_px;
        if !known || focal_length_px <= 0.0 {
            return Err(CalibrationError::UncertainFocalLength {
                focal_length_px,
                spread_px,
            });
        }
    }
    let results = poses.iter().zip(views).zip(&found.squares);
    Ok(Calibration {
        camera,
        spread: Spread(spread),
        views: results
            .map(|((&pose, points), &squares)| ViewResult {
                pose,
                rms_px: (squares / points.len() as f64).sqrt(),
                points: points.len(),
            })
            .collect(),
        rms_px: found.rms_px,
        iterations: found.iterations,
    })
}

fn check(views: &[Vec<CalibrationPoint>], model: CameraModel) -> Result<(), CalibrationError> {
    if model.radial_terms > 3 {
        return Err(CalibrationError::RadialTerms {
            got: model.radial_terms,
        });
    }
    // Every view gives two equations for five intrinsic parameters, or four without skew.
    let needed = if model.skew { 3 } else { 2 };
    if views.len() < needed {
        return Err(CalibrationError::TooFewViews {
            needed,
            got: views.len(),
        });
    }
    for (view, points) in views.iter().enumerate() {
        if points.len() < FEWEST_POINTS {
            return Err(CalibrationError::TooFewPoints {
                view,
                needed: FEWEST_POINTS,
                got: points.len(),
            });
        }
        for (point, place) in points.iter().enumerate() {
            let values = [place.world_mm, place.image_px];
            if let Some(&value) = values.iter().flatten().find(|value| !value.is_finite()) {
                return Err(CalibrationError::NonFinite { view, point, value });
            }
        }
    }
    let coordinates = 2 * views.iter().map(Vec::len).sum::<usize>();
    let unknowns = model.active().iter().filter(|active| **active).count() + 6 * views.len();
    if coordinates <= unknowns {
        return Err(CalibrationError::Underdetermined {
            coordinates,
            unknowns,
        });
    }
    Ok(())
}
