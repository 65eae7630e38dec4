//! Eigenvalues and eigenvectors of small symmetric matrices.
//!
//! # Source
//! The cyclic method of Jacobi 1846, doi:10.1515/crll.1846.30.51, with the rotation of Golub &
//! Van Loan 2013, Matrix Computations, algorithm 8.5.1.

/// Sweeps after which nothing changes any more; ten are usual.
const MOST_SWEEPS: usize = 60;

/// Eigenvalues, from the largest down, and their eigenvectors of unit length.
#[derive(Clone, Debug)]
pub(super) struct Eigen {
    pub(super) values: Vec<f64>,
    /// `[eigenvalue, entry]`
    pub(super) vectors: Vec<Vec<f64>>,
}

/// The decomposition of the symmetric `matrix`, `[row, column]`.
pub(super) fn decompose(mut matrix: Vec<Vec<f64>>) -> Eigen {
    let n = matrix.len();
    let mut vectors: Vec<Vec<f64>> = (0..n).map(|i| unit(n, i)).collect();
    let norm: f64 = matrix.iter().flatten().map(|v| v * v).sum();
    for _ in 0..MOST_SWEEPS {
        let off: f64 = (0..n)
            .flat_map(|p| (p + 1..n).map(move |q| (p, q)))
            .map(|(p, q)| matrix[p][q] * matrix[p][q])
            .sum();
        if off <= norm * f64::EPSILON * f64::EPSILON {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut matrix, &mut vectors, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| matrix[b][b].total_cmp(&matrix[a][a]));
    Eigen {
        values: order.iter().map(|&i| matrix[i][i]).collect(),
        vectors: order.iter().map(|&i| vectors[i].clone()).collect(),
    }
}

/// Turns rows and columns `p` and `q` so that their common entry becomes zero.
fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    let common = matrix[p][q];
    if common == 0.0 {
        return;
    }
    // Algorithm 8.5.1: the smaller root of t² + 2 τ t − 1 = 0.
    let tau = (matrix[q][q] - matrix[p][p]) / (2.0 * common);
    let t = tau.signum() / (tau.abs() + tau.hypot(1.0));
    let cos = 1.0 / t.hypot(1.0);
    let sin = t * cos;
    for row in matrix.iter_mut() {
        let (a, b) = (row[p], row[q]);
        row[p] = cos * a - sin * b;
        row[q] = sin * a + cos * b;
    }
    for rows in [matrix, vectors] {
        let (upper, lower) = rows.split_at_mut(q);
        for (a, b) in upper[p].iter_mut().zip(&mut lower[0]) {
            (*a, *b) = (cos * *a - sin * *b, sin * *a + cos * *b);
        }
    }
}

fn unit(n: usize, i: usize) -> Vec<f64> {
    let mut vector = vec![0.0; n];
    vector[i] = 1.0;
    vector
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;

    /// The second difference of n points has the eigenvalues 2 − 2 cos(k π / (n + 1)).
    #[test]
    fn a_matrix_with_known_eigenvalues() {
        let n = 12;
        let entry = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let matrix = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect());
        let eigen = decompose(matrix.collect());
        for (k, value) in (1..=n).rev().zip(&eigen.values) {
            let angle = k as f64 * std::f64::consts::PI / (n + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-14);
        }
    }

    #[test]
    fn every_pair_solves_its_equation() {
        let n = 30;
        let mut stream = Seed(5).stream("matrix");
        let draws: Vec<f64> = (0..n * n).map(|_| stream.normal()).collect();
        let entry = |i: usize, j: usize| draws[i.min(j) * n + i.max(j)];
        let rows = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect());
        let matrix: Vec<Vec<f64>> = rows.collect();
        let eigen = decompose(matrix.clone());
        assert_eq!((eigen.values.len(), eigen.vectors.len()), (n, n));
        for (value, vector) in eigen.values.iter().zip(&eigen.vectors) {
            assert_eq!(vector.len(), n);
            for (row, entry) in matrix.iter().zip(vector) {
                let product: f64 = row.iter().zip(vector).map(|(a, b)| a * b).sum();
                assert!((product - value * entry).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn equal_eigenvalues() {
        let eigen = decompose(vec![unit(3, 0), unit(3, 1), unit(3, 2)]);
        assert_eq!(eigen.values, [1.0; 3]);
        assert_eq!(decompose(Vec::new()).values.len(), 0);
    }
}
