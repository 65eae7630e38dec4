//! Imposed displacement fields: the exact truth of a generated or published image series.
//!
//! A field maps a position of the *reference* image to the displacement `(u, v)` of the material
//! point there; see [`crate::image`] for the coordinates.

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
            Self::Step { u, v, y0 } => {
                if y >= y0 {
                    (u, v)
                } else {
                    (0.0, 0.0)
                }
            }
        }
    }

    /// The position in the reference image of the material point found at `(x, y)` of the
    /// deformed image, by fixed-point iteration of `X = x − u(X)`.
    ///
    /// Exact to 1e-12 px where the displacement gradient stays below one, which every field used
    /// to render a series must satisfy.
    #[must_use]
    pub fn reference_position(&self, x: f64, y: f64) -> (f64, f64) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
