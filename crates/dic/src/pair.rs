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

use crate::plane::Plane;
use crate::shape::Parameters;
use crate::spline::Spline;
use crate::subset::SubsetRow;

/// How much of a sum of squares may come from a wrong offset before it is repeated with the right
/// one, as a multiple of the energy of the subset: `f32` would lose its contrast.
pub(crate) const LARGEST_OFFSET: f64 = 100.0;

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
