//! Fields in millimetres.

use super::plane::SpecimenPlane;
use crate::field::Field;
use crate::status::Status;

/// How pixels become millimetres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PixelMap {
    /// The same everywhere: the camera looks straight at the specimen and does not distort.
    Scale {
        /// Size of a pixel on the specimen, mm.
        mm_per_px: f64,
    },
    /// A calibrated camera.
    Plane(SpecimenPlane),
}

impl PixelMap {
    /// The place on the specimen that the pixel shows, mm.
    ///
    /// With [`PixelMap::Scale`] the origin is the centre of the top-left pixel and `Y` points
    /// down; with a plane the axes are the target's.
    #[must_use]
    pub fn position_mm(&self, pixel: [f64; 2]) -> Option<[f64; 2]> {
        match self {
            Self::Scale { mm_per_px } => Some(pixel.map(|v| mm_per_px * v)),
            Self::Plane(plane) => plane.position_mm(pixel),
        }
    }

    /// The displacement in mm of the material point seen at `pixel` that moved by `(u, v)` px.
    ///
    /// # Source
    /// Atkinson & Becker 2020, doi:10.3390/rs12182906, Eq. (24) to (26): both places go to the
    /// specimen's plane, and their difference is the displacement.
    #[must_use]
    pub fn displacement_mm(&self, pixel: [f64; 2], [u, v]: [f64; 2]) -> Option<[f64; 2]> {
        let before = self.position_mm(pixel)?;
        let after = self.position_mm([pixel[0] + u, pixel[1] + v])?;
        Some([after[0] - before[0], after[1] - before[1]])
    }

    /// The gradient of the place by the pixel, mm/px: `[[∂X/∂x, ∂X/∂y], [∂Y/∂x, ∂Y/∂y]]`.
    ///
    /// It carries uncertainties of a few hundredths of a pixel over to millimetres. By central
    /// differences of one pixel, over which distortion is straight to better than 1e-6.
    #[must_use]
    pub fn gradient_mm_per_px(&self, [x, y]: [f64; 2]) -> Option<[[f64; 2]; 2]> {
        let right = self.position_mm([x + 0.5, y])?;
        let left = self.position_mm([x - 0.5, y])?;
        let below = self.position_mm([x, y + 0.5])?;
        let above = self.position_mm([x, y - 0.5])?;
        Some([
            [right[0] - left[0], below[0] - above[0]],
            [right[1] - left[1], below[1] - above[1]],
        ])
    }
}

/// The displacements of a field in mm, in its order; `None` where the point did not converge or
/// its place has no counterpart on the specimen. The other points are not affected.
#[must_use]
pub fn field_mm(map: &PixelMap, field: &Field) -> Vec<Option<[f64; 2]>> {
    let displacement = |point: &crate::field::PointResult| {
        let measured = point.status == Status::Converged;
        let pixel = [point.x as f64, point.y as f64];
        measured.then(|| map.displacement_mm(pixel, [point.u(), point.v()]))?
    };
    field.points.iter().map(displacement).collect()
}
