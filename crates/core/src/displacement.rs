//! Imposed displacement fields: the exact truth of a generated or published image series.
//!
//! A field maps a position of the *reference* image to the displacement `(u, v)` of the material
//! point there. `x` counts columns to the right, `y` rows downwards, and an integer is the centre
//! of a pixel.

use serde::{Deserialize, Serialize};

/// An exact displacement field, in pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Displacement {
    /// The same `(u, v)` everywhere.
    Translation {
        /// Displacement to the right, px.
        u: f64,
        /// Displacement downwards, px.
        v: f64,
    },
    /// `u = u0 + ux (x − cx) + uy (y − cy)`, `v = v0 + vx (x − cx) + vy (y − cy)`.
    Affine {
        /// Displacement to the right at the centre, px.
        u0: f64,
        /// Displacement downwards at the centre, px.
        v0: f64,
        /// ∂u/∂x.
        ux: f64,
        /// ∂u/∂y.
        uy: f64,
        /// ∂v/∂x.
        vx: f64,
        /// ∂v/∂y.
        vy: f64,
        /// Column of the centre, px.
        cx: f64,
        /// Row of the centre, px.
        cy: f64,
    },
    /// A rotation by `angle_deg` about `(cx, cy)`; positive turns `x` towards `y`, clockwise on
    /// the screen.
    Rotation {
        /// Angle in degrees.
        angle_deg: f64,
        /// Column of the centre, px.
        cx: f64,
        /// Row of the centre, px.
        cy: f64,
    },
    /// `u = au sin(2π x / period_px + phase)`, `v = av sin(2π y / period_px + phase)`.
    Sinusoid {
        /// Amplitude of `u`, px.
        au: f64,
        /// Amplitude of `v`, px.
        av: f64,
        /// Wave length, px.
        period_px: f64,
        /// Phase at the origin, radians.
        phase: f64,
    },
    /// The "star" wave of the DIC Challenge 2.0: `u = 0`,
    /// `v = amplitude cos(2π (y − cy) / T)` with `T = period_left + period_slope x`.
    Star {
        /// Amplitude of `v`, px.
        amplitude: f64,
        /// Row of the crest, px.
        cy: f64,
        /// Wave length at the left edge, px.
        period_left: f64,
        /// Growth of the wave length with `x`, px/px.
        period_slope: f64,
    },
    /// `(u, v)` at and below row `y0`, nothing above: a discontinuity along a row.
    Step {
        /// Displacement to the right at and below `y0`, px.
        u: f64,
        /// Displacement downwards at and below `y0`, px.
        v: f64,
        /// First displaced row, px.
        y0: f64,
    },
    /// Two halves parted by a straight crack through `(cx, cy)` along `t = (cos a, sin a)`: the half
    /// on the side of `n = (−sin a, cos a)` moves by `opening n + sliding t`, the other one stays.
    Crack {
        /// Direction `a` of the crack in degrees; `0` lies along a row, positive turns `x` towards `y`.
        angle_deg: f64,
        /// Column of a point of the crack, px.
        cx: f64,
        /// Row of that point, px.
        cy: f64,
        /// Width of the gap, px; below zero the halves overlap.
        opening: f64,
        /// Displacement along the crack, px.
        sliding: f64,
    },
}

impl Displacement {
    /// The displacement `(u, v)` in px of the material point at `(x, y)` px of the reference.
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        match *self {
            Self::Translation { u, v } => (u, v),
            Self::Affine {
                u0,
                v0,
                ux,
                uy,
                vx,
                vy,
                cx,
                cy,
            } => {
                let (dx, dy) = (x - cx, y - cy);
                (u0 + ux * dx + uy * dy, v0 + vx * dx + vy * dy)
            }
            Self::Rotation { angle_deg, cx, cy } => {
                let (sin, cos) = angle_deg.to_radians().sin_cos();
                let (dx, dy) = (x - cx, y - cy);
                (cos * dx - sin * dy - dx, sin * dx + cos * dy - dy)
            }
            Self::Sinusoid {
                au,
                av,
                period_px,
                phase,
            } => {
                let wave = |t: f64| (std::f64::consts::TAU * t / period_px + phase).sin();
                (au * wave(x), av * wave(y))
            }
            Self::Star {
                amplitude,
                cy,
                period_left,
                period_slope,
            } => {
                let period = period_left + period_slope * x;
                (
                    0.0,
                    amplitude * (std::f64::consts::TAU * (y - cy) / period).cos(),
                )
            }
            Self::Step { .. } | Self::Crack { .. } => match self.jump() {
                Some(jump) if jump.side(x, y) >= 0.0 => jump.shift,
                _ => (0.0, 0.0),
            },
        }
    }

    /// The line along which the field is torn, if it is.
    #[must_use]
    pub fn jump(&self) -> Option<Jump> {
        match *self {
            Self::Step { u, v, y0 } => Some(Jump {
                place: (0.0, y0),
                normal: (0.0, 1.0),
                shift: (u, v),
            }),
            Self::Crack {
                angle_deg,
                cx,
                cy,
                opening,
                sliding,
            } => {
                let (sin, cos) = angle_deg.to_radians().sin_cos();
                Some(Jump {
                    place: (cx, cy),
                    normal: (-sin, cos),
                    shift: (sliding * cos - opening * sin, sliding * sin + opening * cos),
                })
            }
            _ => None,
        }
    }

    /// The position in the reference image of the material point found at `(x, y)` of the
    /// deformed image: `X` of `X + u(X) = x`.
    ///
    /// Solved for it where the field is linear by parts, otherwise by fixed-point iteration, which
    /// is exact to 1e-12 px where the displacement gradient stays below one. In the gap of a
    /// [`Jump`] no material is found; the position is that of the half that stays, continued.
    /// Where halves overlap, the one that moves lies on top.
    #[must_use]
    pub fn reference_position(&self, x: f64, y: f64) -> (f64, f64) {
        match *self {
            Self::Affine {
                u0,
                v0,
                ux,
                uy,
                vx,
                vy,
                cx,
                cy,
            } => {
                let (a, d) = (1.0 + ux, 1.0 + vy);
                let determinant = a * d - uy * vx;
                let (dx, dy) = (x - cx - u0, y - cy - v0);
                return (
                    cx + (d * dx - uy * dy) / determinant,
                    cy + (a * dy - vx * dx) / determinant,
                );
            }
            Self::Rotation { angle_deg, cx, cy } => {
                let (sin, cos) = angle_deg.to_radians().sin_cos();
                let (dx, dy) = (x - cx, y - cy);
                return (cx + cos * dx + sin * dy, cy + cos * dy - sin * dx);
            }
            Self::Step { .. } | Self::Crack { .. } => {
                let Some(jump) = self.jump() else {
                    return (x, y);
                };
                let (mx, my) = (x - jump.shift.0, y - jump.shift.1);
                return match jump.side(mx, my) >= 0.0 {
                    true => (mx, my),
                    false => (x, y),
                };
            }
            Self::Translation { .. } | Self::Sinusoid { .. } | Self::Star { .. } => {}
        }
        let (mut rx, mut ry) = (x, y);
        for _ in 0..200 {
            let (u, v) = self.at(rx, ry);
            let (nx, ny) = (x - u, y - v);
            let change = (nx - rx).abs().max((ny - ry).abs());
            (rx, ry) = (nx, ny);
            if change < 1e-13 {
                break;
            }
        }
        (rx, ry)
    }
}

/// A straight tear of a field: what lies on the side of `normal` is shifted, the rest stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jump {
    /// A point of the line in the reference, px.
    pub place: (f64, f64),
    /// Unit normal, towards the half that moves.
    pub normal: (f64, f64),
    /// Displacement of that half, px.
    pub shift: (f64, f64),
}

impl Jump {
    /// Signed distance of a position of the reference from the line, px; the half from `0` on
    /// moves.
    #[must_use]
    pub fn side(&self, x: f64, y: f64) -> f64 {
        (x - self.place.0) * self.normal.0 + (y - self.place.1) * self.normal.1
    }

    /// Whether `(x, y)` of the deformed image lies in the gap between the halves.
    #[must_use]
    pub fn is_gap(&self, x: f64, y: f64) -> bool {
        self.side(x, y) >= 0.0 && self.side(x - self.shift.0, y - self.shift.1) < 0.0
    }

    /// Distance of `(x, y)` of the deformed image from the nearer edge of the two halves, px.
    #[must_use]
    pub fn edge_distance(&self, x: f64, y: f64) -> f64 {
        let moved = self.side(x - self.shift.0, y - self.shift.1);
        self.side(x, y).abs().min(moved.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_linear_fields_are_inverted() {
        let fields = [
            Displacement::Rotation {
                angle_deg: 170.0,
                cx: 40.0,
                cy: 60.0,
            },
            Displacement::Affine {
                u0: 3.0,
                v0: -2.0,
                ux: 1.26,
                uy: 0.4,
                vx: -0.3,
                vy: -0.5,
                cx: 50.0,
                cy: 20.0,
            },
        ];
        for field in &fields {
            for (x, y) in [(0.0, 0.0), (100.0, 20.0), (-30.5, 333.3)] {
                let (u, v) = field.at(x, y);
                let (rx, ry) = field.reference_position(x + u, y + v);
                assert!((rx - x).hypot(ry - y) < 1e-10, "{field:?} {rx} {ry}");
            }
        }
    }

    #[test]
    fn a_crack_opens_and_slides_along_its_line() {
        let crack = Displacement::Crack {
            angle_deg: 30.0,
            cx: 10.0,
            cy: 20.0,
            opening: 2.0,
            sliding: 1.0,
        };
        let jump = crack.jump().expect("it is torn");
        // The normal of a line at 30° is (−1/2, √3/2).
        let root = 3.0_f64.sqrt() / 2.0;
        let (u, v) = crack.at(10.0, 21.0);
        assert!((u - (root - 1.0)).abs() < 1e-12 && (v - (0.5 + 2.0 * root)).abs() < 1e-12);
        assert_eq!(crack.at(10.0, 19.0), (0.0, 0.0));
        // From the line on there are 2 px of gap along the normal, then the moved half.
        for (distance, gap) in [(-0.01, false), (0.01, true), (1.99, true), (2.01, false)] {
            let (x, y) = (10.0 - 0.5 * distance, 20.0 + root * distance);
            assert_eq!(jump.is_gap(x, y), gap, "{distance}");
        }
        let (u, v) = crack.at(5.0, 40.0);
        let (rx, ry) = crack.reference_position(5.0 + u, 40.0 + v);
        assert!((rx - 5.0).hypot(ry - 40.0) < 1e-12);
    }

    #[test]
    fn a_rotation_keeps_distances() {
        let field = Displacement::Rotation {
            angle_deg: 90.0,
            cx: 10.0,
            cy: 10.0,
        };
        let (u, v) = field.at(15.0, 10.0);
        assert!((15.0 + u - 10.0).abs() < 1e-12 && (10.0 + v - 15.0).abs() < 1e-12);
    }

    #[test]
    fn reference_position_inverts_the_field() {
        let field = Displacement::Star {
            amplitude: 0.5,
            cy: 250.0,
            period_left: 10.0,
            period_slope: 0.0725,
        };
        for (x, y) in [(100.0, 20.0), (1999.0, 333.3), (640.5, 250.0)] {
            let (u, v) = field.at(x, y);
            let (rx, ry) = field.reference_position(x + u, y + v);
            assert!((rx - x).abs() < 1e-9 && (ry - y).abs() < 1e-9, "{rx} {ry}");
        }
    }
}
