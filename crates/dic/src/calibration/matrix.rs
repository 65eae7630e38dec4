//! Small dense matrices: what a calibration needs of them.

pub(super) type Vector3 = [f64; 3];
pub(super) type Matrix3 = [[f64; 3]; 3];

/// Largest number of Jacobi sweeps; small matrices need fewer than ten.
const SWEEPS: usize = 60;

pub(super) fn dot(a: Vector3, b: Vector3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vector3, b: Vector3) -> Vector3 {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

pub(super) fn norm(a: Vector3) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn apply(m: &Matrix3, v: Vector3) -> Vector3 {
    [dot(m[0], v), dot(m[1], v), dot(m[2], v)]
}

pub(super) fn transpose<const N: usize>(m: &[[f64; N]; N]) -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
}

pub(super) fn multiply<const N: usize>(a: &[[f64; N]; N], b: &[[f64; N]; N]) -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..N).map(|k| a[i][k] * b[k][j]).sum()))
}

/// Adds `a bᵀ`.
pub(super) fn add_product<const N: usize, const M: usize>(
    sums: &mut [[f64; M]; N],
    a: &[f64; N],
    b: &[f64; M],
) {
    for (row, a) in sums.iter_mut().zip(a) {
        for (sum, b) in row.iter_mut().zip(b) {
            *sum += a * b;
        }
    }
}

/// The inverse, or `None` where the determinant vanishes.
pub(super) fn inverse(m: &Matrix3) -> Option<Matrix3> {
    let rows = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
    let determinant = dot(m[0], rows[0]);
    if !determinant.is_normal() {
        return None;
    }
    Some(transpose(&rows.map(|row| row.map(|v| v / determinant))))
}

/// Eigenvalues of a symmetric matrix in ascending order, with unit eigenvectors as rows, by
/// cyclic Jacobi rotations.
pub(super) fn symmetric_eigen<const N: usize>(mut a: [[f64; N]; N]) -> ([f64; N], [[f64; N]; N]) {
    let mut v: [[f64; N]; N] =
        std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    for _ in 0..SWEEPS {
        let mut largest = 0.0_f64;
        for p in 0..N {
            for q in p + 1..N {
                let small = f64::EPSILON * (a[p][p] * a[q][q]).abs().sqrt() * 1e-3;
                if a[p][q].abs() <= small || a[p][q] == 0.0 {
                    continue;
                }
                largest = largest.max(a[p][q].abs());
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for row in &mut a {
                    let (left, right) = (row[p], row[q]);
                    row[p] = c * left - s * right;
                    row[q] = s * left + c * right;
                }
                for k in 0..N {
                    let (above, below) = (a[p][k], a[q][k]);
                    a[p][k] = c * above - s * below;
                    a[q][k] = s * above + c * below;
                    let (first, second) = (v[p][k], v[q][k]);
                    v[p][k] = c * first - s * second;
                    v[q][k] = s * first + c * second;
                }
            }
        }
        if largest == 0.0 {
            break;
        }
    }
    let mut order: [usize; N] = std::array::from_fn(|i| i);
    order.sort_by(|&i, &j| a[i][i].total_cmp(&a[j][j]));
    (order.map(|i| a[i][i]), order.map(|i| v[i]))
}

/// The inverse of a symmetric positive definite matrix, or `None` where a pivot of the matrix
/// scaled to a unit diagonal is not above `smallest_pivot`.
pub(super) fn positive_inverse<const N: usize>(
    a: &[[f64; N]; N],
    smallest_pivot: f64,
) -> Option<[[f64; N]; N]> {
    let mut scale = [0.0; N];
    for i in 0..N {
        if !(a[i][i].is_finite() && a[i][i] > 0.0) {
            return None;
        }
        scale[i] = 1.0 / a[i][i].sqrt();
    }
    let mut lower = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = a[i][j] * scale[i] * scale[j] - known;
            lower[i][j] = if i != j {
                rest / lower[j][j]
            } else if rest > smallest_pivot {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    let mut out = [[0.0; N]; N];
    for column in 0..N {
        let mut b = [0.0; N];
        b[column] = 1.0;
        for i in 0..N {
            let known: f64 = (0..i).map(|k| lower[i][k] * b[k]).sum();
            b[i] = (b[i] - known) / lower[i][i];
        }
        for i in (0..N).rev() {
            let known: f64 = (i + 1..N).map(|k| lower[k][i] * b[k]).sum();
            b[i] = (b[i] - known) / lower[i][i];
        }
        for (i, row) in out.iter_mut().enumerate() {
            row[column] = b[i] * scale[i] * scale[column];
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_are_scaled_by_their_values() {
        let a = [
            [4.0, 1.0, -2.0, 0.5],
            [1.0, 3.0, 0.0, 1.0],
            [-2.0, 0.0, 5.0, -1.0],
            [0.5, 1.0, -1.0, 1.0],
        ];
        let (values, vectors) = symmetric_eigen(a);
        assert!(values.is_sorted());
        // Trace of the matrix.
        assert!((values.iter().sum::<f64>() - 13.0).abs() < 1e-12);
        for (value, vector) in values.iter().zip(vectors) {
            for i in 0..4 {
                let image: f64 = (0..4).map(|j| a[i][j] * vector[j]).sum();
                assert!((image - value * vector[i]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn inverses_undo() {
        let a = [[4.0, 1.0, -2.0], [1.0, 3.0, 0.0], [-2.0, 0.0, 5.0]];
        for back in [inverse(&a), positive_inverse(&a, 1e-12)] {
            let product = multiply(&a, &back.expect("regular"));
            for (i, row) in product.iter().enumerate() {
                for (j, value) in row.iter().enumerate() {
                    assert!((value - f64::from(u8::from(i == j))).abs() < 1e-14);
                }
            }
        }
        let flat = [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 0.0, 1.0]];
        assert_eq!(inverse(&flat), None);
        assert_eq!(positive_inverse(&[[1.0, 1.0], [1.0, 1.0]], 1e-12), None);
    }
}
