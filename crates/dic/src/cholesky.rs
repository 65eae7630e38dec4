//! Cholesky factor of the Hessian of one subset, with a test of its condition.

use crate::shape::PARAMETERS;

/// Smallest pivot of the Hessian scaled to a unit diagonal that still counts as regular; image
/// kernels in `f32` leave about `1e-7` of noise in it.
const SMALLEST_PIVOT: f64 = 1e-6;

/// The lower factor of a symmetric positive definite matrix scaled to a unit diagonal.
#[derive(Clone, Debug)]
pub(crate) struct Cholesky {
    n: usize,
    lower: [[f64; PARAMETERS]; PARAMETERS],
    /// `1 / sqrt(diagonal)` of the matrix as given.
    scale: [f64; PARAMETERS],
}

impl Cholesky {
    /// Factors the leading `n × n` block of `matrix`, or returns `None` when it is close to
    /// singular.
    pub(crate) fn new(n: usize, matrix: &[[f64; PARAMETERS]; PARAMETERS]) -> Option<Self> {
        let mut scale = [0.0; PARAMETERS];
        for i in 0..n {
            let diagonal = matrix[i][i];
            if !diagonal.is_finite() || diagonal <= 0.0 {
                return None;
            }
            scale[i] = 1.0 / diagonal.sqrt();
        }
        let mut lower = [[0.0; PARAMETERS]; PARAMETERS];
        for i in 0..n {
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
                let rest = matrix[i][j] * scale[i] * scale[j] - known;
                if i == j {
                    if rest.is_nan() || rest <= SMALLEST_PIVOT {
                        return None;
                    }
                    lower[i][i] = rest.sqrt();
                } else {
                    lower[i][j] = rest / lower[j][j];
                }
            }
        }
        Some(Self { n, lower, scale })
    }

    /// Solves `matrix x = b` in place for the first `n` entries of `b`.
    pub(crate) fn solve(&self, b: &mut [f64; PARAMETERS]) {
        for i in 0..self.n {
            let known: f64 = (0..i).map(|k| self.lower[i][k] * b[k]).sum();
            b[i] = (b[i] * self.scale[i] - known) / self.lower[i][i];
        }
        for i in (0..self.n).rev() {
            let known: f64 = (i + 1..self.n).map(|k| self.lower[k][i] * b[k]).sum();
            b[i] = (b[i] - known) / self.lower[i][i];
        }
        for (value, scale) in b.iter_mut().zip(self.scale).take(self.n) {
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
