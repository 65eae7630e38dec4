//! Principal components of normal items, and what they cannot express of an item.
//!
//! # Source
//! Pearson 1901, doi:10.1080/14786440109462720. The components are found by the block Krylov
//! method (Musco & Musco 2015, arXiv:1504.05477, algorithm 2), here with restarts until they
//! satisfy their equation; neither the covariance matrix nor the Gram matrix is ever formed.

use rayon::prelude::*;
use retrial_seed::{Seed, Stream};

use super::eigen::decompose;
use super::mean;
use crate::error::DetectError;
use crate::items::{Items, Norm};

/// Vectors beyond those asked for: they let the last components converge as fast as the first.
const SPARE: usize = 8;
/// Vectors of a Krylov space before a restart, as far as three to six blocks allow: the small
/// eigenproblem grows with the cube of their number.
const MOST_VECTORS: usize = 240;
/// Restarts before giving up.
const MOST_RESTARTS: usize = 40;
/// Largest residual of a component, relative to the largest variance.
const TOLERANCE: f64 = 1e-9;
/// Shares of a length, or of the largest variance, below which there is only rounding.
const ROUNDING: f64 = 1e-12;
/// Columns that are summed together, so that a block of sums stays in the cache.
const COLUMNS: usize = 256;

/// Mean and principal components of some items.
#[derive(Clone, Debug, PartialEq)]
pub struct Components {
    mean: Vec<f64>,
    /// `[component, value]`, of unit length and orthogonal
    directions: Vec<Vec<f64>>,
    variances: Vec<f64>,
}

/// The first `count` principal components of the normal items; fewer where the items span fewer.
///
/// The result does not depend on the number of cores. Meant for tens of components: the time for
/// hundreds grows with the cube of their number.
///
/// # Errors
/// [`DetectError::OutOfRange`] where `count` is zero or more than the items can have,
/// [`DetectError::NotConverged`] where the components are not found to 10⁻⁹.
pub fn principal_components(normal: Items<'_>, count: usize) -> Result<Components, DetectError> {
    let (n, length) = (normal.len(), normal.item_length());
    let most = (n - 1).min(length);
    if count == 0 || count > most {
        return Err(DetectError::OutOfRange {
            what: "number of principal components",
            most,
            got: count,
        });
    }
    let mean = mean(normal);
    // The start decides nothing but the rounding; it is fixed, so that results repeat.
    let mut stream = Seed(0).stream("principal components");
    let width = (count + SPARE).min(length);
    let mut start: Vec<Vec<f64>> = (0..width).map(|_| draw(length, &mut stream)).collect();
    // Equal items differ from their mean by rounding only, which has no direction.
    let rounding = ROUNDING * ROUNDING * dot(&mean, &mean);
    let mut residual = f64::INFINITY;
    for _ in 0..MOST_RESTARTS {
        let mut ritz = solve_in_krylov_space(normal, &mean, start);
        residual = ritz.residual(count, rounding);
        if residual <= TOLERANCE {
            let largest = ritz.values.first().copied().unwrap_or(0.0);
            let floor = rounding.max(ROUNDING * largest);
            let wanted = ritz.values.iter().take(count);
            let kept = wanted.take_while(|variance| **variance > floor).count();
            ritz.values.truncate(kept);
            ritz.vectors.truncate(kept);
            return Ok(Components {
                mean,
                directions: ritz.vectors,
                variances: ritz.values,
            });
        }
        ritz.vectors.truncate(width);
        start = ritz.vectors;
    }
    Err(DetectError::NotConverged {
        residual,
        tolerance: TOLERANCE,
    })
}

impl Components {
    /// Variance along every component (with n − 1), from the largest down.
    #[must_use]
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// The length of what the components cannot express of every item: `‖x − x̂‖` with the
    /// projection `x̂ = mean + Σ ((x − mean) · v) v`.
    ///
    /// # Errors
    /// [`DetectError::ItemLength`] for items of another length than the fitted ones.
    pub fn residuals(&self, items: Items<'_>, norm: Norm) -> Result<Vec<f64>, DetectError> {
        self.check(items)?;
        Ok(items.map(|item| {
            let rest = self.rest(item);
            match norm {
                Norm::L1 => rest.iter().map(|value| value.abs()).sum(),
                Norm::L2 => length(&rest),
            }
        }))
    }

    /// The projection `x̂` of every item, one after the other.
    ///
    /// # Errors
    /// As [`Components::residuals`].
    pub fn projections(&self, items: Items<'_>) -> Result<Vec<f32>, DetectError> {
        self.check(items)?;
        let of_item = |item: &[f32]| -> Vec<f32> {
            let rest = self.rest(item);
            let pairs = item.iter().zip(rest);
            pairs.map(|(&x, r)| (f64::from(x) - r) as f32).collect()
        };
        Ok(items.map(of_item).concat())
    }

    fn check(&self, items: Items<'_>) -> Result<(), DetectError> {
        let (expected, got) = (self.mean.len(), items.item_length());
        if expected == got {
            return Ok(());
        }
        Err(DetectError::ItemLength { expected, got })
    }

    /// What the components cannot express of an item: `x − x̂`.
    fn rest(&self, item: &[f32]) -> Vec<f64> {
        let mut rest = centred(item, &self.mean);
        let shares: Vec<f64> = self.directions.iter().map(|v| dot(v, &rest)).collect();
        for (share, direction) in shares.iter().zip(&self.directions) {
            add(&mut rest, -share, direction);
        }
        rest
    }
}

/// Approximate eigenvalues and eigenvectors of the covariance, and the images of the vectors.
struct Ritz {
    values: Vec<f64>,
    vectors: Vec<Vec<f64>>,
    images: Vec<Vec<f64>>,
}

impl Ritz {
    /// The largest `‖C v − λ v‖ / λ₁` of the first `count` pairs; zero where λ₁ is but `rounding`.
    fn residual(&self, count: usize, rounding: f64) -> f64 {
        let largest = self.values.first().copied().unwrap_or(0.0);
        if largest <= rounding {
            return 0.0;
        }
        let pairs = self.values.iter().zip(&self.vectors).zip(&self.images);
        pairs
            .take(count)
            .map(|((&value, vector), image)| {
                let mut rest = image.clone();
                add(&mut rest, -value, vector);
                length(&rest) / largest
            })
            .fold(0.0, f64::max)
    }
}

/// The Rayleigh–Ritz pairs of the space spanned by `start`, `C start`, `C² start`, …
fn solve_in_krylov_space(normal: Items<'_>, mean: &[f64], start: Vec<Vec<f64>>) -> Ritz {
    let width = start.len();
    let (mut basis, mut images): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    let mut block = start;
    for _ in 0..(MOST_VECTORS / width).clamp(3, 6) {
        let before = basis.len();
        for vector in block {
            basis.extend(new_direction(vector, &basis));
        }
        images.extend(times_covariance(normal, mean, &basis[before..]));
        // An empty block: the space holds its own image, and the pairs are exact.
        if basis.len() == before {
            break;
        }
        block = images[before..].to_vec();
    }
    let projected: Vec<Vec<f64>> = basis
        .iter()
        .map(|a| images.iter().map(|b| dot(a, b)).collect())
        .collect();
    let mut eigen = decompose(symmetric(&projected));
    eigen.values.truncate(width);
    eigen.vectors.truncate(width);
    let combine = |rows: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let of = |weights: &Vec<f64>| {
            let mut sum = vec![0.0; mean.len()];
            for (weight, row) in weights.iter().zip(rows) {
                add(&mut sum, *weight, row);
            }
            sum
        };
        eigen.vectors.iter().map(of).collect()
    };
    Ritz {
        vectors: combine(&basis),
        images: combine(&images),
        values: eigen.values,
    }
}

/// The part of `vector` that is orthogonal to `basis`, of unit length; `None` where there is
/// none but rounding.
fn new_direction(mut vector: Vec<f64>, basis: &[Vec<f64>]) -> Option<Vec<f64>> {
    let before = length(&vector);
    // Twice is enough (Kahan, as told by Parlett 1998, doi:10.1137/1.9781611971163).
    for _ in 0..2 {
        for direction in basis {
            let share = dot(direction, &vector);
            add(&mut vector, -share, direction);
        }
    }
    let after = length(&vector);
    if after <= ROUNDING * before {
        return None;
    }
    vector.iter_mut().for_each(|value| *value /= after);
    Some(vector)
}

/// The covariance of the items times each of `vectors`: `Xᵀ (X v) / (n − 1)`.
fn times_covariance(normal: Items<'_>, mean: &[f64], vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let shares: Vec<Vec<f64>> = normal.map(|item| {
        let item = centred(item, mean);
        vectors.iter().map(|vector| dot(vector, &item)).collect()
    });
    let columns: Vec<usize> = (0..mean.len()).step_by(COLUMNS).collect();
    // A block of columns at a time and the items in order: no core shares a sum with another.
    let blocks: Vec<Vec<Vec<f64>>> = columns
        .par_iter()
        .map(|&first| {
            let end = (first + COLUMNS).min(mean.len());
            let mut sums = vec![vec![0.0; end - first]; vectors.len()];
            for (item, shares) in normal.iter().zip(&shares) {
                let item = centred(&item[first..end], &mean[first..end]);
                for (sum, share) in sums.iter_mut().zip(shares) {
                    add(sum, *share, &item);
                }
            }
            sums
        })
        .collect();
    let n = (normal.len() - 1) as f64;
    (0..vectors.len())
        .map(|vector| {
            let sums = blocks.iter().flat_map(|block| &block[vector]);
            sums.map(|sum| sum / n).collect()
        })
        .collect()
}

fn symmetric(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let entry = |i: usize, j: usize| f64::midpoint(matrix[i][j], matrix[j][i]);
    let n = matrix.len();
    (0..n)
        .map(|i| (0..n).map(|j| entry(i, j)).collect())
        .collect()
}

fn draw(length: usize, stream: &mut Stream) -> Vec<f64> {
    (0..length).map(|_| stream.normal()).collect()
}

fn centred(item: &[f32], mean: &[f64]) -> Vec<f64> {
    let pairs = item.iter().zip(mean);
    pairs
        .map(|(&value, mean)| f64::from(value) - mean)
        .collect()
}

/// `sum += factor * row`.
fn add(sum: &mut [f64], factor: f64, row: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += factor * value;
    }
}

fn length(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

/// Eight independent sums, for vector registers.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_whole, a_rest) = a.as_chunks::<8>();
    let (b_whole, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a_whole.iter().zip(b_whole) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    rest + lanes.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::examples::{self, assert_close};

    #[test]
    fn residuals_agree_with_scikit_learn() {
        // P = PCA(k, svd_solver="full").fit(X); R = Y - P.inverse_transform(P.transform(Y))
        let (normal, items) = (examples::normal(), examples::items());
        let normal = Items::new(&normal, 6).expect("nine items");
        let items = Items::new(&items, 6).expect("four items");
        let two = principal_components(normal, 2).expect("two of six");
        assert_close(
            two.variances(),
            &[99.520_540_101_440_22, 80.298_914_340_300_07],
        );
        let l1 = [
            28.984_189_446_971_32,
            33.287_655_516_576_294,
            35.124_845_833_683_246,
            34.054_592_235_114_28,
        ];
        assert_close(&two.residuals(items, Norm::L1).expect("equal lengths"), &l1);
        let l2 = [
            12.942_035_470_917_874,
            14.376_475_410_227_775,
            14.843_735_752_711_256,
            14.172_743_112_026_849,
        ];
        assert_close(&two.residuals(items, Norm::L2).expect("equal lengths"), &l2);
        let five = principal_components(normal, 5).expect("five of six");
        let l2 = [
            11.040_869_544_647_654,
            9.228_376_045_088_025,
            10.542_489_099_299_711,
            3.662_255_760_521_635_5,
        ];
        assert_close(
            &five.residuals(items, Norm::L2).expect("equal lengths"),
            &l2,
        );
    }

    /// Items on a plane through their mean: what lies on it has no residual.
    #[test]
    fn items_of_lower_rank_have_fewer_components() {
        let mut stream = Seed(1).stream("plane");
        let (a, b) = (draw(40, &mut stream), draw(40, &mut stream));
        let mut point = || {
            let (s, t) = (stream.normal(), stream.normal());
            let values = a.iter().zip(&b).map(|(a, b)| (s * a + t * b) as f32);
            values.collect::<Vec<f32>>()
        };
        let values: Vec<f32> = (0..30).flat_map(|_| point()).collect();
        let normal = Items::new(&values, 40).expect("thirty items");
        let three = principal_components(normal, 3).expect("three of 29");
        assert_eq!(three.variances().len(), 2);
        let rest = three.residuals(normal, Norm::L2).expect("equal lengths");
        assert!(rest.iter().all(|rest| *rest < 1e-5), "{rest:?}");
    }

    #[test]
    fn equal_items_leave_the_distance_to_the_mean() {
        // Nine tenths divided by nine need not be a tenth in floating point.
        let values = [0.1; 27];
        let normal = Items::new(&values, 3).expect("nine items");
        let components = principal_components(normal, 2).expect("two of three");
        assert!(components.variances().is_empty());
        let other = [0.1, 0.1, 2.1];
        let other = Items::new(&other, 3).expect("one item");
        let rest = components
            .residuals(other, Norm::L2)
            .expect("equal lengths");
        assert!((rest[0] - 2.0).abs() < 1e-6, "{rest:?}");
    }

    #[test]
    fn a_number_that_the_items_cannot_have() {
        let values = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0];
        let normal = Items::new(&values, 2).expect("three items");
        for got in [0, 3] {
            let error = principal_components(normal, got).expect_err("0 or 3 of 2");
            assert_eq!(
                error.to_string(),
                format!("number of principal components must be 1 to 2, got {got}")
            );
        }
    }
}
