//! A pinhole camera with lens distortion.
//!
//! # Source
//! Brown 1971, "Close-range camera calibration", Photogrammetric Engineering 37 (8), 855–866;
//! Zhang 2000, doi:10.1109/34.888718, Eq. (1) and (11). Tangential terms in the order of
//! Heikkilä & Silvén 1997, doi:10.1109/CVPR.1997.609468.

/// Newton steps of [`Camera::normalised`]; it converges quadratically.
const NEWTON_STEPS: usize = 50;

/// A pinhole camera: the direction `(x, y, 1)` is first distorted,
///
/// `x' = x (1 + k1 r² + k2 r⁴ + k3 r⁶) + 2 p1 x y + p2 (r² + 2 x²)`,
/// `y' = y (1 + k1 r² + k2 r⁴ + k3 r⁶) + p1 (r² + 2 y²) + 2 p2 x y`, `r² = x² + y²`,
///
/// and then seen at the pixel `(fx x' + skew y' + cx, fy y' + cy)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Focal length along `x`, px.
    pub fx: f64,
    /// Focal length along `y`, px.
    pub fy: f64,
    /// Skew of the axes, px.
    pub skew: f64,
    /// Column of the principal point, px.
    pub cx: f64,
    /// Row of the principal point, px.
    pub cy: f64,
    /// Radial distortion `k1, k2, k3`, without unit.
    pub radial: [f64; 3],
    /// Tangential distortion `p1, p2`, without unit.
    pub tangential: [f64; 2],
}

impl Camera {
    /// The pixel at which a point `(x, y, z)` of the camera's axes is seen; `None` where it lies
    /// in or behind the plane of the lens.
    #[must_use]
    pub fn project(&self, [x, y, z]: [f64; 3]) -> Option<[f64; 2]> {
        (z > 0.0).then(|| self.pixel(self.distorted([x / z, y / z])))
    }

    /// The direction `(x, y, 1)` in which the pixel looks, without distortion.
    ///
    /// `None` where the distortion cannot be undone: beyond the radius at which it folds back.
    #[must_use]
    pub fn normalised(&self, pixel: [f64; 2]) -> Option<[f64; 2]> {
        let y = (pixel[1] - self.cy) / self.fy;
        let target = [(pixel[0] - self.cx - self.skew * y) / self.fx, y];
        let miss = |at: [f64; 2]| {
            let [x, y] = self.distorted(at);
            [x - target[0], y - target[1]]
        };
        // From the principal point outwards: the solution before the fold is the real one.
        let mut at = target.map(|v| v * 0.5);
        let mut rest = miss(at);
        for _ in 0..NEWTON_STEPS {
            let [[a, b], [c, d]] = self.distortion_gradient(at);
            let determinant = a * d - b * c;
            if determinant.is_nan() || determinant <= 0.0 {
                return None;
            }
            let step = [
                (d * rest[0] - b * rest[1]) / determinant,
                (a * rest[1] - c * rest[0]) / determinant,
            ];
            let mut share = 1.0;
            loop {
                let next = [at[0] - share * step[0], at[1] - share * step[1]];
                let left = miss(next);
                let [[a, b], [c, d]] = self.distortion_gradient(next);
                let nearer = left[0].hypot(left[1]) <= rest[0].hypot(rest[1]);
                if nearer && a * d - b * c > 0.0 {
                    (at, rest) = (next, left);
                    break;
                }
                share *= 0.5;
                if share < 1e-6 {
                    break;
                }
            }
            if share * step[0].hypot(step[1]) < 1e-15 || share < 1e-6 {
                break;
            }
        }
        // 1e-9 of the focal length, a millionth of a pixel.
        (rest[0].hypot(rest[1]) < 1e-9).then_some(at)
    }

    /// How many times the area around a direction is larger with the distortion than without; not positive where the
    /// distortion folds back.
    #[must_use]
    pub fn area_gain(&self, direction: [f64; 2]) -> f64 {
        let [[a, b], [c, d]] = self.distortion_gradient(direction);
        a * d - b * c
    }

    /// The pixel at which the same camera without distortion would see what `pixel` sees.
    #[must_use]
    pub fn undistorted(&self, pixel: [f64; 2]) -> Option<[f64; 2]> {
        self.normalised(pixel).map(|at| self.pixel(at))
    }

    /// The pixel of a distorted direction.
    fn pixel(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.fx * x + self.skew * y + self.cx, self.fy * y + self.cy]
    }

    /// Zhang 2000, Eq. (11), with the tangential terms.
    pub(super) fn distorted(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let r2 = x * x + y * y;
        let ([k1, k2, k3], [p1, p2]) = (self.radial, self.tangential);
        let stretch = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
        [
            x * stretch + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
            y * stretch + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
        ]
    }

    /// The gradient of [`distorted`](Self::distorted): `[[∂x'/∂x, ∂x'/∂y], [∂y'/∂x, ∂y'/∂y]]`.
    pub(super) fn distortion_gradient(&self, [x, y]: [f64; 2]) -> [[f64; 2]; 2] {
        let r2 = x * x + y * y;
        let ([k1, k2, k3], [p1, p2]) = (self.radial, self.tangential);
        let stretch = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
        let growth = k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3);
        let mixed = 2.0 * x * y * growth + 2.0 * p1 * x + 2.0 * p2 * y;
        [
            [
                stretch + 2.0 * x * x * growth + 2.0 * p1 * y + 6.0 * p2 * x,
                mixed,
            ],
            [
                mixed,
                stretch + 2.0 * y * y * growth + 6.0 * p1 * y + 2.0 * p2 * x,
            ],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAMERA: Camera = Camera {
        fx: 2400.0,
        fy: 2390.0,
        skew: 0.8,
        cx: 1210.0,
        cy: 1015.0,
        radial: [-0.21, 0.18, -0.05],
        tangential: [8e-4, -6e-4],
    };

    #[test]
    fn undistortion_undoes_projection() {
        for i in 0..40 {
            let (x, y) = (
                0.5 * (0.9 * f64::from(i)).sin(),
                0.4 * (1.7 * f64::from(i)).cos(),
            );
            let pixel = CAMERA.project([3.0 * x, 3.0 * y, 3.0]).expect("in front");
            let [a, b] = CAMERA.normalised(pixel).expect("before the fold");
            assert!((a - x).abs() < 1e-12 && (b - y).abs() < 1e-12, "{x} {y}");
        }
        assert_eq!(CAMERA.project([0.0, 0.0, 0.0]), None);
    }

    /// x' = x (1 − r² / 2) has its largest value 0.5443 at r² = 2 / 3.
    #[test]
    fn nothing_is_seen_beyond_the_fold() {
        let camera = Camera {
            fx: 1000.0,
            fy: 1000.0,
            skew: 0.0,
            cx: 0.0,
            cy: 0.0,
            radial: [-0.5, 0.0, 0.0],
            tangential: [0.0; 2],
        };
        assert_eq!(camera.normalised([545.0, 0.0]), None);
        let [x, _] = camera.normalised([544.0, 0.0]).expect("before the fold");
        assert!((x * (1.0 - 0.5 * x * x) - 0.544).abs() < 1e-9 && x < 0.8165);
        assert_eq!(camera.normalised([f64::NAN, 0.0]), None);
    }

    #[test]
    fn the_gradient_is_that_of_the_distortion() {
        let (at, h) = ([0.31, -0.22], 1e-6);
        let gradient = CAMERA.distortion_gradient(at);
        for axis in 0..2 {
            let (mut ahead, mut behind) = (at, at);
            ahead[axis] += h;
            behind[axis] -= h;
            let (a, b) = (CAMERA.distorted(ahead), CAMERA.distorted(behind));
            for i in 0..2 {
                let difference = (a[i] - b[i]) / (2.0 * h);
                assert!((difference - gradient[i][axis]).abs() < 1e-9);
            }
        }
    }
}
