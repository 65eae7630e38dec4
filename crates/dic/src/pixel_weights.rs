//! The weight that each pixel of a subset has in the displacement of its centre.
//!
//! Where the texture is the same everywhere, matching a subset is a least-squares fit of the shape
//! function to the displacements of its pixels, and the displacement of the centre is a weighted
//! mean of them: a box for orders 0 and 1, a Savitzky-Golay kernel for order 2.
//!
//! # Source
//! Schreier & Sutton 2002, doi:10.1007/BF02411077; Bornert et al. 2009,
//! doi:10.1007/s11340-008-9204-7.

use crate::cholesky::Cholesky;
use crate::settings::{ShapeOrder, SubsetShape};
use crate::shape::PARAMETERS;
use crate::subset::{pixel_count, subset_rows};

/// Weights of the `size × size` pixels of a subset, row by row; they add up to 1. Pixels outside a
/// circle have none.
pub(crate) fn pixel_weights(size: usize, shape: SubsetShape, order: ShapeOrder) -> Vec<f64> {
    let half = ((size - 1) / 2) as i32;
    let rows = subset_rows(size, shape);
    let scale = f64::from(half.max(1));
    let terms = |dx: i32, dy: i32| {
        let (x, y) = (f64::from(dx) / scale, f64::from(dy) / scale);
        [1.0, x, y, x * x, x * y, y * y]
    };
    let count = match order {
        ShapeOrder::Zero => 1,
        ShapeOrder::One => 3,
        ShapeOrder::Two => 6,
    };
    let pixels = || {
        rows.iter()
            .flat_map(|row| (row.first..=row.last).map(move |dx| (dx, row.dy)))
    };
    let mut normal = [[0.0; PARAMETERS]; PARAMETERS];
    for (dx, dy) in pixels() {
        let term = terms(dx, dy);
        for i in 0..count {
            for j in 0..count {
                normal[i][j] += term[i] * term[j];
            }
        }
    }
    let mut first = [0.0; PARAMETERS];
    first[0] = 1.0;
    match Cholesky::new(count, &normal) {
        Some(factor) => factor.solve(&mut first),
        // A subset of 3 px cannot hold a quadratic; its mean stands in.
        None => first[0] /= normal[0][0],
    }
    let mut weights = vec![0.0; size * size];
    for (dx, dy) in pixels() {
        let value: f64 = first.iter().zip(terms(dx, dy)).map(|(a, b)| a * b).sum();
        weights[(dy + half) as usize * size + (dx + half) as usize] = value;
    }
    weights
}

/// Variance of the centre over that of a pixel.
pub(crate) fn centre_variance(size: usize, shape: SubsetShape, order: ShapeOrder) -> f64 {
    let weights = pixel_weights(size, shape, order);
    weights.iter().map(|w| w * w).sum()
}

/// By how much the noise of the centre exceeds that of a mean over as many pixels, as a factor of
/// the standard deviation.
pub(crate) fn noise_spread(size: usize, shape: SubsetShape, order: ShapeOrder) -> f64 {
    let pixels = pixel_count(&subset_rows(size, shape)) as f64;
    (pixels * centre_variance(size, shape, order)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_zero_and_one_take_the_mean() {
        for order in [ShapeOrder::Zero, ShapeOrder::One] {
            let weights = pixel_weights(11, SubsetShape::Square, order);
            assert_eq!(weights.len(), 121);
            for weight in weights {
                assert!((weight - 1.0 / 121.0).abs() < 1e-15);
            }
        }
    }

    /// Summed over columns, the kernel of order 2 is the quadratic Savitzky-Golay smoother: for five
    /// points −3, 12, 17, 12, −3 over 35.
    #[test]
    fn order_two_smooths_as_savitzky_and_golay() {
        let weights = pixel_weights(5, SubsetShape::Square, ShapeOrder::Two);
        assert_eq!(weights.len(), 25);
        for (row, expected) in weights.chunks(5).zip([-3.0, 12.0, 17.0, 12.0, -3.0]) {
            assert!((row.iter().sum::<f64>() - expected / 35.0).abs() < 1e-14);
        }
        let circle = pixel_weights(9, SubsetShape::Circle, ShapeOrder::Two);
        assert!((circle.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(circle[0], 0.0);
    }
}
