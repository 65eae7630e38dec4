//! Where a flat target stands before the camera.

use super::matrix::{Matrix3, Vector3, apply, multiply, norm, symmetric_eigen, transpose};

/// A target's position: the point `X` of the target lies at `rotation · X + translation` before
/// the camera, whose `z` axis points into the scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Rotation from the target's axes to the camera's, row by row.
    pub rotation: [[f64; 3]; 3],
    /// The target's origin in the camera's axes, mm.
    pub translation_mm: [f64; 3],
}

impl Pose {
    /// The point `(X, Y, Z)` mm of the target in the camera's axes, mm.
    #[must_use]
    pub fn to_camera(&self, point_mm: [f64; 3]) -> [f64; 3] {
        let turned = apply(&self.rotation, point_mm);
        std::array::from_fn(|i| turned[i] + self.translation_mm[i])
    }

    /// The target's normal, its third axis, in the camera's axes.
    #[must_use]
    pub fn normal(&self) -> [f64; 3] {
        self.rotation.map(|row| row[2])
    }
}

/// The rotation about `turn` by its length in radians.
///
/// # Source
/// Rodrigues 1840; `exp([turn]×)`.
pub(super) fn rotation(turn: Vector3) -> Matrix3 {
    let angle = norm(turn);
    // sin(a) / a and (1 − cos a) / a², by their series where the quotients lose digits.
    let (first, second) = if angle < 1e-4 {
        (1.0 - angle * angle / 6.0, 0.5 - angle * angle / 24.0)
    } else {
        (angle.sin() / angle, (1.0 - angle.cos()) / (angle * angle))
    };
    let [x, y, z] = turn;
    let skew = [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]];
    let square = multiply(&skew, &skew);
    std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            f64::from(u8::from(i == j)) + first * skew[i][j] + second * square[i][j]
        })
    })
}

/// The rotation nearest to `m`, `m (mᵀ m)^(−1/2)`, or `None` where `m` is singular or reflects.
pub(super) fn nearest_rotation(m: &Matrix3) -> Option<Matrix3> {
    let (values, vectors) = symmetric_eigen(multiply(&transpose(m), m));
    if values[0].is_nan() || values[0] <= 1e-12 * values[2] {
        return None;
    }
    let root: Matrix3 = std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            (0..3)
                .map(|k| vectors[k][i] * vectors[k][j] / values[k].sqrt())
                .sum()
        })
    });
    let rotation = multiply(m, &root);
    let upright = super::matrix::dot(super::matrix::cross(rotation[0], rotation[1]), rotation[2]);
    (upright > 0.0).then_some(rotation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_about_z_takes_x_to_y() {
        let quarter = rotation([0.0, 0.0, std::f64::consts::FRAC_PI_2]);
        let turned = apply(&quarter, [1.0, 0.0, 0.0]);
        assert!((turned[1] - 1.0).abs() < 1e-15 && turned[0].abs() < 1e-15);
    }

    #[test]
    fn small_and_large_turns_meet() {
        for scale in [0.999_9e-4, 1.000_1e-4] {
            let turn = [0.6 * scale, -0.8 * scale, 0.0];
            let [[a, _, c], _, [_, g, _]] = rotation(turn);
            assert!((a - (1.0 - 0.32 * scale * scale)).abs() < 1e-16);
            assert!((c + 0.8 * scale).abs() < 1e-12 && (g - 0.6 * scale).abs() < 1e-12);
        }
    }

    #[test]
    fn a_disturbed_rotation_is_found_again() {
        let exact = rotation([0.3, -0.5, 0.9]);
        let scaled = exact.map(|row| row.map(|v| 1.7 * v));
        let found = nearest_rotation(&scaled).expect("regular");
        for (a, b) in found.iter().flatten().zip(exact.iter().flatten()) {
            assert!((a - b).abs() < 1e-14);
        }
        assert!(nearest_rotation(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0; 3]]).is_none());
        let mirrored = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]];
        assert!(nearest_rotation(&mirrored).is_none());
    }
}
