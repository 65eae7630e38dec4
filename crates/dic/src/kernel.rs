//! What the inner loops of matching take and give: a pair of subsets, the moments of its reference
//! side, and its products with the interpolated deformed subset.
//!
//! The residual image is never formed. With `f' = f − f̄` and `g' = g − c`, where any constant `c`
//! near the mean serves, Eq. (19) needs only `Σ g'`, `Σ g'²`, `Σ f' g'` and `Σ J g'` of the
//! deformed image; `Σ J` and `Σ J f'` belong to the reference.
//!
//! Values are `f32`; sums leave `f32` after a few rows and are `f64` from there.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, Eq. (14), (19), (20).

use crate::column_sums::ColumnSums;
use crate::lanes::Vector;
use crate::moments::moments_of;
use crate::plane::Plane;
use crate::products::{products_at_pixels, products_of};
use crate::settings::{ShapeOrder, SplineDegree};
use crate::shape::{PARAMETERS, Parameters, displacement};
use crate::spline::Spline;
use crate::subset::SubsetRow;

/// Rows whose sums stay in `f32`.
pub(crate) const BLOCK_ROWS: usize = 16;

/// Monomials `dx^k dy^m` of the shape function in the order of the parameters.
pub(crate) const MONOMIALS: [(usize, usize, f64); 6] = [
    (0, 0, 1.0),
    (1, 0, 1.0),
    (0, 1, 1.0),
    (2, 0, 0.5),
    (1, 1, 1.0),
    (0, 2, 0.5),
];

/// A subset of the reference image and the image it is matched with.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) reference: &'a Plane,
    pub(crate) gradient_x: &'a Plane,
    pub(crate) gradient_y: &'a Plane,
    /// The spline through `deformed_pixels`.
    pub(crate) deformed: &'a Spline,
    pub(crate) deformed_pixels: &'a Plane,
    pub(crate) rows: &'a [SubsetRow],
    /// Column and row of the centre.
    pub(crate) centre: (usize, usize),
    /// The mean grey value of the whole reference picture.
    pub(crate) offset: f32,
}

impl Pair<'_> {
    /// Where the first pixel of a row of the subset lies in the planes of the reference.
    #[inline(always)]
    pub(crate) fn row_start(&self, row: &SubsetRow) -> usize {
        let (x, y) = self.centre;
        let column = (x as i32 + row.first) as usize;
        let line = (y as i32 + row.dy) as usize;
        self.reference.index(column, line)
    }
}

/// Grey values that are subtracted from the pixels of either subset before they are multiplied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offsets {
    /// `f̄`.
    pub(crate) reference: f32,
    /// `c`, near the mean of the deformed subset.
    pub(crate) deformed: f32,
}

/// What a reference subset contributes to every iteration.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    /// `f̄`.
    pub(crate) mean: f64,
    /// `Σ f'²`.
    pub(crate) energy: f64,
    /// `Σ J` for each parameter.
    pub(crate) sum_j: Parameters,
    /// `Σ J f'`.
    pub(crate) sum_jf: Parameters,
    /// `Σ f_x² dx^k dy^m`, and the same of `f_x f_y` and `f_y²`, by `k` and `m`.
    pub(crate) squares: [[[f64; 5]; 5]; 3],
}

impl Moments {
    /// `Σ J_i J_j` for two parameters. Eq. (20)
    #[inline]
    pub(crate) fn hessian(&self, i: usize, j: usize) -> f64 {
        let ((k, m, factor_i), (l, n, factor_j)) = (MONOMIALS[i % 6], MONOMIALS[j % 6]);
        factor_i * factor_j * self.squares[i / 6 + j / 6][k + l][m + n]
    }
}

/// What the deformed subset contributes to one iteration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Products {
    /// `Σ g'`.
    pub(crate) sum_g: f64,
    /// `Σ g'²`.
    pub(crate) sum_gg: f64,
    /// `Σ f' g'`.
    pub(crate) sum_fg: f64,
    /// `Σ J g'`.
    pub(crate) sum_jg: Parameters,
}

/// The moments of the reference subset, from the sums of its columns if those are kept and it is a
/// square.
#[inline(always)]
pub(crate) fn moments<V: Vector>(
    pair: &Pair<'_>,
    order: ShapeOrder,
    column_sums: Option<&mut ColumnSums>,
) -> Moments {
    match order {
        ShapeOrder::Zero => moments_by::<V, 0, 1, 1>(pair, column_sums),
        ShapeOrder::One => moments_by::<V, 1, 2, 3>(pair, column_sums),
        ShapeOrder::Two => moments_by::<V, 2, 3, 5>(pair, column_sums),
    }
}

#[inline(always)]
fn moments_by<V: Vector, const ORDER: usize, const POWERS: usize, const SQUARES: usize>(
    pair: &Pair<'_>,
    column_sums: Option<&mut ColumnSums>,
) -> Moments {
    if let Some(column_sums) = column_sums
        && let Some(found) = column_sums.moments::<V, ORDER, POWERS, SQUARES>(pair)
    {
        return found;
    }
    moments_of::<V, ORDER, POWERS, SQUARES>(pair)
}

/// The products at parameters `p`, or `None` when a pixel falls outside the picture.
#[inline(always)]
pub(crate) fn products<V: Vector>(
    pair: &Pair<'_>,
    order: ShapeOrder,
    offsets: Offsets,
    p: &Parameters,
) -> Option<Products> {
    use ShapeOrder::{One, Two, Zero};
    use SplineDegree::{Five, Three};
    if let Some(shift) = whole_pixels(p) {
        return match order {
            Zero => products_at_pixels::<V, 0>(pair, offsets, shift),
            One => products_at_pixels::<V, 1>(pair, offsets, shift),
            Two => products_at_pixels::<V, 2>(pair, offsets, shift),
        };
    }
    match (pair.deformed.degree, order) {
        (Three, Zero) => products_of::<V, 4, 0>(pair, offsets, p),
        (Three, One) => products_of::<V, 4, 1>(pair, offsets, p),
        (Three, Two) => products_of::<V, 4, 2>(pair, offsets, p),
        (Five, Zero) => products_of::<V, 6, 0>(pair, offsets, p),
        (Five, One) => products_of::<V, 6, 1>(pair, offsets, p),
        (Five, Two) => products_of::<V, 6, 2>(pair, offsets, p),
    }
}

/// The displacement, if the parameters say nothing but a displacement by whole pixels: there the
/// spline is the picture itself.
fn whole_pixels(p: &Parameters) -> Option<(i32, i32)> {
    let is_rigid = (0..PARAMETERS).all(|i| i % 6 == 0 || p[i] == 0.0);
    let whole = |shift: f64| shift == shift.round() && shift.abs() < 1e6;
    let [u, v] = displacement(p);
    (is_rigid && whole(u) && whole(v)).then_some((u as i32, v as i32))
}
