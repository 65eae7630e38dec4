//! Cholesky factor of the Hessian of one subset, with a test of its condition.

use crate::shape::PARAMETERS;

/// Smallest pivot of the Hessian scaled to a unit diagonal that still counts as regular; image
/// kernels in `f32` leave about `1e-7` of noise in it.
const SMALLEST_PIVOT: f64 = 1e-6;

/// Entries of the lower triangle of the largest matrix.
const TRIANGLE: usize = PARAMETERS * (PARAMETERS + 1) / 2;

/// The lower factor of a symmetric positive definite matrix scaled to a unit diagonal.
#[derive(Clone, Debug)]
pub(crate) struct Cholesky {
    n: usize,
    /// Row by row; the reciprocals of its diagonal in place of that.
    lower: [f64; TRIANGLE],
    /// `1 / sqrt(diagonal)` of the matrix as given.
    scale: [f64; PARAMETERS],
}

/// Where row `i` of the lower triangle begins.
const fn row(i: usize) -> usize {
    i * (i + 1) / 2
}

impl Cholesky {
    /// Factors the leading `n × n` block of `matrix`, of which the lower triangle is read, or returns
    /// `None` when it is close to singular.
    pub(crate) fn new(n: usize, matrix: &[[f64; PARAMETERS]; PARAMETERS]) -> Option<Self> {
        Self::fill(n, matrix)
    }

    /// [`Cholesky::new`] of a whole matrix of `N` rows, at most [`PARAMETERS`].
    pub(crate) fn of<const N: usize>(matrix: &[[f64; N]; N]) -> Option<Self> {
        Self::fill(N, matrix)
    }

    #[inline(always)]
    fn fill<const N: usize>(n: usize, matrix: &[[f64; N]; N]) -> Option<Self> {
        let mut out = Self {
            n,
            lower: [0.0; TRIANGLE],
            scale: [0.0; PARAMETERS],
        };
        for (i, (row, scale)) in matrix.iter().zip(&mut out.scale).enumerate().take(n) {
            let diagonal = row[i];
            if !diagonal.is_finite() || diagonal <= 0.0 {
                return None;
            }
            *scale = 1.0 / diagonal.sqrt();
        }
        let lower = &mut out.lower;
        for i in 0..n {
            for j in 0..=i {
                let mut rest = matrix[i][j] * out.scale[i] * out.scale[j];
                for k in 0..j {
                    rest -= lower[row(i) + k] * lower[row(j) + k];
                }
                if i == j {
                    if rest.is_nan() || rest <= SMALLEST_PIVOT {
                        return None;
                    }
                    lower[row(i) + i] = 1.0 / rest.sqrt();
                } else {
                    lower[row(i) + j] = rest * lower[row(j) + j];
                }
            }
        }
        Some(out)
    }

    /// Solves `matrix x = b` in place for the first `n` entries of `b`.
    pub(crate) fn solve(&self, b: &mut [f64; PARAMETERS]) {
        match self.n {
            2 => self.solve_of::<2>(b),
            6 => self.solve_of::<6>(b),
            n => self.substitute(n, b),
        }
    }

    fn solve_of<const N: usize>(&self, b: &mut [f64; PARAMETERS]) {
        self.substitute(N, b);
    }

    #[inline(always)]
    fn substitute(&self, n: usize, b: &mut [f64; PARAMETERS]) {
        let lower = &self.lower;
        for i in 0..n {
            let mut rest = b[i] * self.scale[i];
            for k in 0..i {
                rest -= lower[row(i) + k] * b[k];
            }
            b[i] = rest * lower[row(i) + i];
        }
        // Column by column, so that no sum waits for the one before.
        for i in (0..n).rev() {
            b[i] *= lower[row(i) + i];
            for k in 0..i {
                b[k] -= lower[row(i) + k] * b[i];
            }
        }
        for (value, scale) in b.iter_mut().zip(self.scale).take(n) {
            *value *= scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_satisfies_its_equations() {
        let mut m = [[0.0; PARAMETERS]; PARAMETERS];
        for (i, row) in m.iter_mut().enumerate().take(6) {
            for (j, value) in row.iter_mut().enumerate().take(6) {
                let size = 10_f64.powi(i as i32 + j as i32);
                *value = size * if i == j { 2.0 } else { 0.3 };
            }
        }
        let factor = Cholesky::new(6, &m).expect("positive definite");
        let x = [1.0, -0.1, 0.03, 0.002, -1e-4, 2e-5];
        let mut b = [0.0; PARAMETERS];
        for i in 0..6 {
            b[i] = (0..6).map(|j| m[i][j] * x[j]).sum();
        }
        factor.solve(&mut b);
        for (got, expected) in b.iter().zip(x) {
            assert!((got / expected - 1.0).abs() < 1e-9, "{got} {expected}");
        }
    }

    #[test]
    fn a_singular_matrix_is_refused() {
        let mut m = [[0.0; PARAMETERS]; PARAMETERS];
        m[0] = [4.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        m[1] = [2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert!(Cholesky::new(2, &m).is_none());
        assert!(Cholesky::new(1, &m).is_some());
        m[0][0] = f64::NAN;
        assert!(Cholesky::new(1, &m).is_none());
    }
}
