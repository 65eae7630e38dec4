//! The flat specimen before a calibrated camera.

use super::camera::Camera;
use super::matrix::{apply, dot, transpose};
use super::pose::Pose;

/// The plane of a flat specimen, seen by a calibrated camera: pixels to millimetres and back.
///
/// Its axes are those of the target whose position gave the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpecimenPlane {
    camera: Camera,
    pose: Pose,
}

impl SpecimenPlane {
    /// The plane `plate_thickness_mm` behind a target that stood at `target`, as seen from the
    /// camera: a target printed on a plate that is laid on the specimen has its points that far
    /// in front of it. Negative where the specimen was in front.
    ///
    /// # Source
    /// Atkinson & Becker 2020, doi:10.3390/rs12182906, Eq. (6), `T_spec = T − R (0, 0, ρ)ᵀ`. The
    /// sign there is that of a target whose third axis points to the camera; here the side of the
    /// camera decides.
    #[must_use]
    pub fn new(camera: Camera, target: Pose, plate_thickness_mm: f64) -> Self {
        let normal = target.normal();
        let away = dot(normal, target.translation_mm).signum();
        let translation_mm = std::array::from_fn(|i| {
            target.translation_mm[i] + away * plate_thickness_mm * normal[i]
        });
        Self {
            camera,
            pose: Pose {
                translation_mm,
                ..target
            },
        }
    }

    /// The camera.
    #[must_use]
    pub fn camera(&self) -> &Camera {
        &self.camera
    }

    /// Where the specimen's plane lies.
    #[must_use]
    pub fn pose(&self) -> &Pose {
        &self.pose
    }

    /// How far from the camera the plane lies, mm.
    #[must_use]
    pub fn distance_mm(&self) -> f64 {
        dot(self.pose.normal(), self.pose.translation_mm).abs()
    }

    /// The place `(X, Y)` mm on the specimen that the pixel shows; `None` where the lens's
    /// distortion cannot be undone or the pixel looks past the plane.
    #[must_use]
    pub fn position_mm(&self, pixel: [f64; 2]) -> Option<[f64; 2]> {
        let [x, y] = self.camera.normalised(pixel)?;
        let ray = [x, y, 1.0];
        let (normal, origin) = (self.pose.normal(), self.pose.translation_mm);
        let depth = dot(normal, origin) / dot(normal, ray);
        if !(depth.is_finite() && depth > 0.0) {
            return None;
        }
        let from_origin = std::array::from_fn(|i| depth * ray[i] - origin[i]);
        let [world_x, world_y, _] = apply(&transpose(&self.pose.rotation), from_origin);
        Some([world_x, world_y])
    }

    /// The pixel that shows the place `(X, Y)` mm; `None` behind the camera.
    #[must_use]
    pub fn pixel(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        self.camera.project(self.pose.to_camera([x, y, 0.0]))
    }
}
