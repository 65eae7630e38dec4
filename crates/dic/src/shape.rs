//! Shape functions of order 0, 1 and 2: warping, composition, convergence norm.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, Eq. (14), (21), (22), (23), the last as
//! corrected by its authors; Gao et al. 2015, doi:10.1016/j.optlaseng.2014.05.013 for the
//! composition of second order.

use crate::settings::ShapeOrder;

/// Number of parameters of every order; those of higher order stay zero.
pub const PARAMETERS: usize = 12;

/// `[u, u_x, u_y, u_xx, u_xy, u_yy, v, v_x, v_y, v_xx, v_xy, v_yy]` in px and powers of px.
pub type Parameters = [f64; PARAMETERS];

/// The parameters of a displacement that is the same everywhere, px.
#[must_use]
pub fn translation(u: f64, v: f64) -> Parameters {
    affine([u, 0.0, 0.0], [v, 0.0, 0.0])
}

/// The parameters `[u, u_x, u_y]` and `[v, v_x, v_y]` of order 1.
pub(crate) fn affine([u, u_x, u_y]: [f64; 3], [v, v_x, v_y]: [f64; 3]) -> Parameters {
    [u, u_x, u_y, 0.0, 0.0, 0.0, v, v_x, v_y, 0.0, 0.0, 0.0]
}

/// The displacement `[u, v]` at the centre.
#[inline(always)]
pub(crate) fn displacement(p: &Parameters) -> [f64; 2] {
    let [u, _, _, _, _, _, v, ..] = *p;
    [u, v]
}

/// `F = I + ∇u` at the centre: `[1 + u_x, u_y]`, `[v_x, 1 + v_y]`.
#[inline(always)]
pub(crate) fn deformation_gradient(p: &Parameters) -> [[f64; 2]; 2] {
    let [_, u_x, u_y, _, _, _, _, v_x, v_y, ..] = *p;
    [[1.0 + u_x, u_y], [v_x, 1.0 + v_y]]
}

/// Indices of the monomials 1, x, y, x²/2, xy, y²/2 used by each order, first for `u` and then for `v`.
pub(crate) fn active(order: ShapeOrder) -> &'static [usize] {
    match order {
        ShapeOrder::Zero => &[0, 6],
        ShapeOrder::One => &[0, 1, 2, 6, 7, 8],
        ShapeOrder::Two => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    }
}

/// The displacement `(u, v)` at `(dx, dy)` from the centre of a subset. Eq. (14)
#[must_use]
pub fn displacement_at(p: &Parameters, dx: f64, dy: f64) -> (f64, f64) {
    let value = |q: &[f64]| {
        q[0] + q[1] * dx + q[2] * dy + 0.5 * q[3] * dx * dx + q[4] * dx * dy + 0.5 * q[5] * dy * dy
    };
    (value(&p[..6]), value(&p[6..]))
}

/// The parameters of the same displacement field about `(dx, dy)` in place of the centre.
pub(crate) fn recentred(p: &Parameters, dx: f64, dy: f64) -> Parameters {
    let mut out = *p;
    let (u, v) = displacement_at(p, dx, dy);
    for (offset, value) in [(0, u), (6, v)] {
        out[offset] = value;
        out[offset + 1] += p[offset + 3] * dx + p[offset + 4] * dy;
        out[offset + 2] += p[offset + 4] * dx + p[offset + 5] * dy;
    }
    out
}

/// Convergence norm in px: how far an update moves the rim of a subset of half-width `zeta`.
///
/// # Source
/// Eq. (23) with the quadratic terms as `½ u_xx ζ²`, `u_xy ζ²`, `½ u_yy ζ²`: the printed equation
/// is not the displacement its text describes.
pub(crate) fn convergence_norm(dp: &Parameters, zeta: f64) -> f64 {
    let square = zeta * zeta;
    let weights = [1.0, zeta, zeta, 0.5 * square, square, 0.5 * square];
    dp.iter()
        .zip(weights.iter().cycle())
        .map(|(d, w)| (d * w).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// `W(p) ∘ W(dp)⁻¹`, or `None` when `W(dp)` cannot be inverted. Eq. (21)
pub(crate) fn compose_inverse(
    order: ShapeOrder,
    p: &Parameters,
    dp: &Parameters,
) -> Option<Parameters> {
    match order {
        ShapeOrder::Zero => {
            let ([u, v], [du, dv]) = (displacement(p), displacement(dp));
            Some(translation(u - du, v - dv))
        }
        ShapeOrder::One => affine_compose_inverse(p, dp),
        ShapeOrder::Two => {
            let inverse_of = transposed(&warp_matrix(dp));
            let rows = warp_matrix(p);
            let along_x = solve(inverse_of, rows[3])?;
            let along_y = solve(inverse_of, rows[4])?;
            Some(parameters_from(&along_x, &along_y))
        }
    }
}

/// `W(outer) ∘ W(inner)`, where `outer` is centred on the image of the centre under `inner`;
/// terms above second order are dropped.
pub(crate) fn compose(outer: &Parameters, inner: &Parameters) -> Parameters {
    let [_, u_x, u_y, u_xx, u_xy, u_yy, _, v_x, v_y, v_xx, v_xy, v_yy] = *inner;
    let inner_matrix = warp_matrix(&[
        0.0, u_x, u_y, u_xx, u_xy, u_yy, 0.0, v_x, v_y, v_xx, v_xy, v_yy,
    ]);
    let outer_matrix = warp_matrix(outer);
    let row = |i: usize| {
        let mut out = [0.0; 6];
        for (value, column) in out.iter_mut().zip(0..6) {
            *value = (0..6)
                .map(|k| outer_matrix[i][k] * inner_matrix[k][column])
                .sum();
        }
        out
    };
    moved_by(&parameters_from(&row(3), &row(4)), displacement(inner))
}

/// The same field with a displacement added.
pub(crate) fn moved_by(p: &Parameters, [du, dv]: [f64; 2]) -> Parameters {
    let [u, u_x, u_y, u_xx, u_xy, u_yy, v, v_x, v_y, v_xx, v_xy, v_yy] = *p;
    [
        u + du,
        u_x,
        u_y,
        u_xx,
        u_xy,
        u_yy,
        v + dv,
        v_x,
        v_y,
        v_xx,
        v_xy,
        v_yy,
    ]
}

/// Eq. (22) for order 1: the 3 × 3 matrices multiplied out.
fn affine_compose_inverse(p: &Parameters, dp: &Parameters) -> Option<Parameters> {
    let [[a, b], [c, d]] = deformation_gradient(dp);
    let determinant = a * d - b * c;
    if !determinant.is_finite() || determinant.abs() < 1e-9 {
        return None;
    }
    // The inverse of W(dp): position = N (position − t).
    let n = [
        d / determinant,
        -b / determinant,
        -c / determinant,
        a / determinant,
    ];
    let m = deformation_gradient(p);
    let [along_x, along_y] = m.map(|[x, y]| [x * n[0] + y * n[2], x * n[1] + y * n[3]]);
    let ([u, v], [du, dv]) = (displacement(p), displacement(dp));
    Some(affine(
        [
            u - along_x[0] * du - along_x[1] * dv,
            along_x[0] - 1.0,
            along_x[1],
        ],
        [
            v - along_y[0] * du - along_y[1] * dv,
            along_y[0],
            along_y[1] - 1.0,
        ],
    ))
}

/// The matrix that maps `(x², xy, y², x, y, 1)` to the same monomials of the warped position,
/// terms above second order dropped.
fn warp_matrix(p: &Parameters) -> [[f64; 6]; 6] {
    // Coefficients of the warped x and y in the order of the monomials.
    let [u, u_x, u_y, u_xx, u_xy, u_yy, v, v_x, v_y, v_xx, v_xy, v_yy] = *p;
    let x = [0.5 * u_xx, u_xy, 0.5 * u_yy, 1.0 + u_x, u_y, u];
    let y = [0.5 * v_xx, v_xy, 0.5 * v_yy, v_x, 1.0 + v_y, v];
    [
        truncated_product(&x, &x),
        truncated_product(&x, &y),
        truncated_product(&y, &y),
        x,
        y,
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
    ]
}

/// The product of two polynomials in `(x², xy, y², x, y, 1)` without its terms above second order.
fn truncated_product(a: &[f64; 6], b: &[f64; 6]) -> [f64; 6] {
    [
        a[3] * b[3] + a[0] * b[5] + a[5] * b[0],
        a[3] * b[4] + a[4] * b[3] + a[1] * b[5] + a[5] * b[1],
        a[4] * b[4] + a[2] * b[5] + a[5] * b[2],
        a[3] * b[5] + a[5] * b[3],
        a[4] * b[5] + a[5] * b[4],
        a[5] * b[5],
    ]
}

/// The parameters whose warped position has these polynomial coefficients.
fn parameters_from(x: &[f64; 6], y: &[f64; 6]) -> Parameters {
    [
        x[5],
        x[3] - 1.0,
        x[4],
        2.0 * x[0],
        x[1],
        2.0 * x[2],
        y[5],
        y[3],
        y[4] - 1.0,
        2.0 * y[0],
        y[1],
        2.0 * y[2],
    ]
}

fn transposed(m: &[[f64; 6]; 6]) -> [[f64; 6]; 6] {
    let mut out = [[0.0; 6]; 6];
    for (i, row) in m.iter().enumerate() {
        for (j, &value) in row.iter().enumerate() {
            out[j][i] = value;
        }
    }
    out
}

/// Solves `m x = b` by elimination with row pivoting.
fn solve(mut m: [[f64; 6]; 6], mut b: [f64; 6]) -> Option<[f64; 6]> {
    for k in 0..6 {
        let pivot = (k..6).max_by(|&i, &j| m[i][k].abs().total_cmp(&m[j][k].abs()))?;
        if !m[pivot][k].is_finite() || m[pivot][k].abs() < 1e-9 {
            return None;
        }
        m.swap(k, pivot);
        b.swap(k, pivot);
        for i in k + 1..6 {
            let factor = m[i][k] / m[k][k];
            let upper = m[k];
            for (value, above) in m[i].iter_mut().zip(upper).skip(k) {
                *value -= factor * above;
            }
            b[i] -= factor * b[k];
        }
    }
    for k in (0..6).rev() {
        let known: f64 = (k + 1..6).map(|j| m[k][j] * b[j]).sum();
        b[k] = (b[k] - known) / m[k][k];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: Parameters = [
        0.7, 0.02, -0.01, 1e-4, -2e-4, 3e-4, -0.4, 0.015, -0.03, 2e-4, 1e-4, -1e-4,
    ];

    fn warp(p: &Parameters, x: f64, y: f64) -> (f64, f64) {
        let (u, v) = displacement_at(p, x, y);
        (x + u, y + v)
    }

    fn masked(p: &Parameters, order: ShapeOrder) -> Parameters {
        let mut out = [0.0; PARAMETERS];
        for &i in active(order) {
            out[i] = p[i];
        }
        out
    }

    #[test]
    fn composing_with_the_inverse_of_itself_gives_the_identity() {
        for order in [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two] {
            let p = masked(&P, order);
            let out = compose_inverse(order, &p, &p).expect("invertible");
            assert!(
                out.iter().all(|value| value.abs() < 1e-12),
                "{order:?} {out:?}"
            );
        }
    }

    #[test]
    fn an_affine_update_maps_warped_positions_to_warped_positions() {
        let p = masked(&P, ShapeOrder::One);
        let dp = [
            0.1, 0.01, 0.02, 0.0, 0.0, 0.0, -0.2, -0.03, 0.01, 0.0, 0.0, 0.0,
        ];
        for order in [ShapeOrder::One, ShapeOrder::Two] {
            let out = compose_inverse(order, &p, &dp).expect("invertible");
            let (x, y) = warp(&dp, 7.0, -5.0);
            let (got, expected) = (warp(&out, x, y), warp(&p, 7.0, -5.0));
            assert!((got.0 - expected.0).abs() < 1e-12 && (got.1 - expected.1).abs() < 1e-12);
        }
    }

    #[test]
    fn composition_applies_one_warp_after_the_other() {
        let inner = masked(&P, ShapeOrder::One);
        let outer = [
            0.3, -0.02, 0.01, 2e-4, 0.0, 1e-4, 0.2, 0.01, 0.03, 0.0, 1e-4, 0.0,
        ];
        let out = compose(&outer, &inner);
        let (x, y) = warp(&inner, 4.0, -3.0);
        let [du, dv] = displacement(&inner);
        let (u, v) = displacement_at(&outer, x - du, y - dv);
        let (got_x, got_y) = warp(&out, 4.0, -3.0);
        assert!((got_x - x - u).abs() < 1e-12 && (got_y - y - v).abs() < 1e-12);
    }

    #[test]
    fn recentring_does_not_move_the_field() {
        let moved = recentred(&P, 2.0, -1.5);
        let (a, b) = (
            displacement_at(&P, 5.0, 4.0),
            displacement_at(&moved, 3.0, 5.5),
        );
        assert!((a.0 - b.0).abs() < 1e-12 && (a.1 - b.1).abs() < 1e-12);
    }

    #[test]
    fn a_singular_update_has_no_inverse() {
        let mut dp = [0.0; PARAMETERS];
        dp[1] = -1.0;
        for order in [ShapeOrder::One, ShapeOrder::Two] {
            assert_eq!(compose_inverse(order, &P, &dp), None);
        }
    }

    #[test]
    fn the_convergence_norm_is_a_displacement_at_the_rim() {
        let mut dp = [0.0; PARAMETERS];
        dp[1] = 1e-3;
        assert!((convergence_norm(&dp, 20.0) - 0.02).abs() < 1e-15);
        dp[1] = 0.0;
        dp[9] = 1e-4;
        assert!((convergence_norm(&dp, 20.0) - 0.02).abs() < 1e-15);
    }
}
