//! First estimates of camera and positions from homographies alone.
//!
//! # Source
//! Zhang 2000, doi:10.1109/34.888718, section 3.1 and appendix B. Pixels are moved and scaled
//! first, as for the homographies, because the equations are badly scaled in pixels.

use super::camera::Camera;
use super::homography::normalised;
use super::matrix::{
    Matrix3, Vector3, add_product, apply, cross, inverse, multiply, norm, symmetric_eigen,
    transpose,
};
use super::model::CalibrationPoint;
use super::pose::{Pose, nearest_rotation};

/// Smallest ratio of the second smallest to the largest eigenvalue of the equations.
const SMALLEST_RATIO: f64 = 1e-12;

/// A camera without distortion; `None` where the planes are too nearly parallel.
pub(super) fn intrinsics(
    homographies: &[Matrix3],
    views: &[Vec<CalibrationPoint>],
    skewed: bool,
) -> Option<Camera> {
    let pixels: Vec<[f64; 2]> = views.iter().flatten().map(|point| point.image_px).collect();
    let (to_unit, _) = normalised(pixels.iter().copied())?;
    let columns: Vec<(Vector3, Vector3)> = homographies
        .iter()
        .map(|h| {
            let scaled = transpose(&multiply(&to_unit, h));
            // The scale of a homography is arbitrary.
            let size = 1.0 / (norm(scaled[0]) * norm(scaled[1])).sqrt();
            (scaled[0].map(|v| size * v), scaled[1].map(|v| size * v))
        })
        .collect();
    let inner = general(&columns, skewed).or_else(|| centred(&columns))?;
    let pixel = multiply(&inverse(&to_unit)?, &inner);
    Some(Camera {
        fx: pixel[0][0],
        fy: pixel[1][1],
        skew: if skewed { pixel[0][1] } else { 0.0 },
        cx: pixel[0][2],
        cy: pixel[1][2],
        radial: [0.0; 3],
        tangential: [0.0; 2],
    })
}

/// All of the camera matrix, by Eq. (8) and (9) and appendix B.
fn general(columns: &[(Vector3, Vector3)], skewed: bool) -> Option<Matrix3> {
    // Eq. (7): hᵢᵀ B hⱼ = vᵢⱼᵀ b, b = (B11, B12, B22, B13, B23, B33).
    let equation = |a: Vector3, b: Vector3| {
        [
            a[0] * b[0],
            a[0] * b[1] + a[1] * b[0],
            a[1] * b[1],
            a[2] * b[0] + a[0] * b[2],
            a[2] * b[1] + a[1] * b[2],
            a[2] * b[2],
        ]
    };
    let mut rows: Vec<[f64; 6]> = Vec::new();
    for &(h1, h2) in columns {
        let (v11, v22) = (equation(h1, h1), equation(h2, h2));
        rows.push(equation(h1, h2));
        rows.push(std::array::from_fn(|i| v11[i] - v22[i]));
    }
    if !skewed {
        rows.push([0.0, 1e3, 0.0, 0.0, 0.0, 0.0]);
    }
    let mut squares = [[0.0; 6]; 6];
    for row in rows {
        add_product(&mut squares, &row, &row);
    }
    let (values, vectors) = symmetric_eigen(squares);
    let largest = if skewed { values[5] } else { values[4] };
    if values[1].is_nan() || values[1] <= SMALLEST_RATIO * largest {
        return None;
    }
    let [b11, b12, b22, b13, b23, b33] = vectors[0];
    // Appendix B.
    let determinant = b11 * b22 - b12 * b12;
    let v0 = (b12 * b13 - b11 * b23) / determinant;
    let scale = b33 - (b13 * b13 + v0 * (b12 * b13 - b11 * b23)) / b11;
    let (alpha, beta) = (scale / b11, scale * b11 / determinant);
    if !(alpha > 0.0 && beta > 0.0) {
        return None;
    }
    let (alpha, beta) = (alpha.sqrt(), beta.sqrt());
    let gamma = -b12 * alpha * alpha * beta / scale;
    let u0 = gamma * v0 / beta - b13 * alpha * alpha / scale;
    let matrix = [[alpha, gamma, u0], [0.0, beta, v0], [0.0, 0.0, 1.0]];
    matrix
        .iter()
        .flatten()
        .all(|v| v.is_finite())
        .then_some(matrix)
}

/// The focal lengths alone, with the principal point in the middle of all points: for planes that
/// are tilted about one axis, or little and with noise.
fn centred(columns: &[(Vector3, Vector3)]) -> Option<Matrix3> {
    let (mut aa, mut ab, mut bb, mut ac, mut bc) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for &(h1, h2) in columns {
        for [a, b, c] in [
            [h1[0] * h2[0], h1[1] * h2[1], h1[2] * h2[2]],
            std::array::from_fn(|i| h1[i] * h1[i] - h2[i] * h2[i]),
        ] {
            aa += a * a;
            ab += a * b;
            bb += b * b;
            ac -= a * c;
            bc -= b * c;
        }
    }
    let determinant = aa * bb - ab * ab;
    let (a, b) = (
        (bb * ac - ab * bc) / determinant,
        (aa * bc - ab * ac) / determinant,
    );
    let usable = a > 1e-9 && b > 1e-9 && determinant > SMALLEST_RATIO * aa * bb;
    usable.then(|| {
        [
            [1.0 / a.sqrt(), 0.0, 0.0],
            [0.0, 1.0 / b.sqrt(), 0.0],
            [0.0, 0.0, 1.0],
        ]
    })
}

/// Where the target stands: Zhang 2000, section 3.1, the target before the camera.
pub(super) fn pose(camera: &Camera, homography: &Matrix3) -> Option<Pose> {
    let matrix = [
        [camera.fx, camera.skew, camera.cx],
        [0.0, camera.fy, camera.cy],
        [0.0, 0.0, 1.0],
    ];
    let back = inverse(&matrix)?;
    let [h1, h2, h3] = transpose(homography).map(|column| apply(&back, column));
    let mut scale = 2.0 / (norm(h1) + norm(h2));
    if scale * h3[2] < 0.0 {
        scale = -scale;
    }
    let (r1, r2) = (h1.map(|v| scale * v), h2.map(|v| scale * v));
    let rotation = nearest_rotation(&transpose(&[r1, r2, cross(r1, r2)]))?;
    Some(Pose {
        rotation,
        translation_mm: h3.map(|v| scale * v),
    })
}
