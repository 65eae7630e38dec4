//! Where the rows of a subset come to lie in the deformed image.
//!
//! Positions count columns and rows of a padded [`Plane`], so that those in the picture are
//! positive.

use crate::plane::{MARGIN, Plane};
use crate::shape::{Parameters, displacement};
use crate::spline_row::Piece;

/// Numbers this large have no fraction: what is added to one is rounded to a whole number.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// A shape function with its centre.
pub(crate) struct Warp<'a> {
    origin: (f64, f64),
    p: &'a Parameters,
}

/// The warped position along one row, a polynomial of `dx`. Eq. (14)
#[derive(Clone, Copy)]
pub(crate) struct Along {
    /// Coefficients of `1`, `dx` and `dx²`; the last is zero below the second order.
    x: [f64; 3],
    y: [f64; 3],
}

/// Between what positions a plane has values: half a pixel around its picture.
pub(crate) struct Limits {
    least: f64,
    most: (f64, f64),
}

impl<'a> Warp<'a> {
    /// The warp `p` of a subset about a pixel of the reference.
    #[inline(always)]
    pub(crate) fn new(centre: (usize, usize), p: &'a Parameters) -> Self {
        let margin = MARGIN as f64;
        let [u, v] = displacement(p);
        let origin = (centre.0 as f64 + margin + u, centre.1 as f64 + margin + v);
        Self { origin, p }
    }

    /// The row `dy` below the centre.
    #[inline(always)]
    pub(crate) fn along_row<const ORDER: usize>(&self, dy: i32) -> Along {
        let [_, u_x, u_y, u_xx, u_xy, u_yy, _, v_x, v_y, v_xx, v_xy, v_yy] = *self.p;
        let dy = f64::from(dy);
        let (x, y) = self.origin;
        if ORDER < 2 {
            return Along {
                x: [x + u_y * dy, 1.0 + u_x, 0.0],
                y: [y + dy + v_y * dy, v_x, 0.0],
            };
        }
        Along {
            x: [
                x + u_y * dy + 0.5 * u_yy * dy * dy,
                1.0 + u_x + u_xy * dy,
                0.5 * u_xx,
            ],
            y: [
                y + dy + v_y * dy + 0.5 * v_yy * dy * dy,
                v_x + v_xy * dy,
                0.5 * v_xx,
            ],
        }
    }
}

impl Along {
    #[inline(always)]
    pub(crate) fn position<const ORDER: usize>(&self, dx: i32) -> (f64, f64) {
        let dx = f64::from(dx);
        let ([x0, x1, x2], [y0, y1, y2]) = (self.x, self.y);
        if ORDER < 2 {
            return (x0 + dx * x1, y0 + dx * y1);
        }
        (x0 + dx * (x1 + dx * x2), y0 + dx * (y1 + dx * y2))
    }

    /// Column and row of the pixel before the position of `dx`, and the fractions from there on.
    #[inline(always)]
    pub(crate) fn piece_at<const ORDER: usize>(
        &self,
        dx: i32,
        (x, y): (f64, f64),
    ) -> (usize, usize, Piece) {
        let ((column, whole_x), (line, whole_y)) = (floor(x), floor(y));
        let (mut slope_x, mut slope_y) = (self.x[1] - 1.0, self.y[1]);
        if ORDER == 2 {
            let lead = 2.0 * f64::from(dx);
            slope_x += lead * self.x[2];
            slope_y += lead * self.y[2];
        }
        let piece = Piece {
            x: (x - whole_x) as f32,
            y: (y - whole_y) as f32,
            slope_x: slope_x as f32,
            slope_y: slope_y as f32,
            bend_x: self.x[2] as f32,
            bend_y: self.y[2] as f32,
        };
        (column, line, piece)
    }
}

/// The floor of a positive number below 2³¹, twice; that of a whole number may be one less.
#[inline(always)]
fn floor(value: f64) -> (usize, f64) {
    let rounded = (value - 0.5) + WHOLE;
    (rounded.to_bits() as u32 as usize, rounded - WHOLE)
}

impl Limits {
    #[inline(always)]
    pub(crate) fn of(plane: &Plane) -> Self {
        let margin = MARGIN as f64;
        Self {
            least: margin - 0.5,
            most: (
                margin + plane.width as f64 - 0.5,
                margin + plane.height as f64 - 0.5,
            ),
        }
    }

    #[inline(always)]
    pub(crate) fn hold(&self, (x, y): (f64, f64)) -> bool {
        (self.least..=self.most.0).contains(&x) && (self.least..=self.most.1).contains(&y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_leaves_a_fraction() {
        for value in [3.5, 3.500_001, 4.0, 4.25, 5.0, 100.999_999, 65_535.75] {
            let (whole, same) = floor(value);
            assert_eq!(whole as f64, same, "{value}");
            assert!((0.0..=1.0).contains(&(value - same)), "{value} {same}");
        }
    }
}
