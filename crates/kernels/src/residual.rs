//! The distance of items by absolute differences, and its gradient.

use rayon::prelude::*;

use crate::activation::for_pieces;
use crate::dispatch::pass;
use crate::error::{KernelError, check_length, check_rows};
use crate::rows::SHORT;

/// Values of a piece of the pass.
const PIECE: usize = 1 << 14;

/// `Σ |x − y|` of each item.
///
/// # Shapes
/// - `x`, `y`: `[items, item_len]`
///
/// # Errors
/// Slices of different lengths or not of whole items.
pub fn l1_residual_per_item(
    x: &[f32],
    y: &[f32],
    item_len: usize,
) -> Result<Vec<f64>, KernelError> {
    check_rows("x", item_len, x.len())?;
    check_length("y", x.len(), y.len())?;
    let sum = |(x, y): (&[f32], &[f32])| sum_of_distances(x, y);
    if x.len() < SHORT {
        return Ok(x
            .chunks(item_len)
            .zip(y.chunks(item_len))
            .map(sum)
            .collect());
    }
    Ok(x.par_chunks(item_len)
        .zip(y.par_chunks(item_len))
        .map(sum)
        .collect())
}

/// The gradient of `weight · Σ |x − y|` by `y`: `weight · sign(y − x)`, 0 where they are equal.
///
/// # Errors
/// Slices of different lengths.
pub fn l1_residual_gradient(
    x: &[f32],
    y: &[f32],
    weight: f32,
    dy: &mut [f32],
) -> Result<(), KernelError> {
    check_length("y", x.len(), y.len())?;
    check_length("dy", x.len(), dy.len())?;
    for_pieces(dy, PIECE, |piece, dy| {
        let range = piece * PIECE..piece * PIECE + dy.len();
        write_signs(&x[range.clone()], &y[range], weight, dy);
    });
    Ok(())
}

pass! {
    /// Sums of 512 distances in `f32` by lanes, those sums in `f64`.
    fn sum_of_distances(x: &[f32], y: &[f32]) -> f64 {
        let mut total = 0.0;
        for (x, y) in x.chunks(512).zip(y.chunks(512)) {
            let mut lanes = [0.0_f32; 32];
            for (x, y) in x.chunks(32).zip(y.chunks(32)) {
                for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
                    *lane += (x - y).abs();
                }
            }
            total += lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>();
        }
        total
    }
}

pass! {
    fn write_signs(x: &[f32], y: &[f32], weight: f32, dy: &mut [f32]) {
        for ((x, y), dy) in x.iter().zip(y).zip(dy) {
            let above = if y > x { weight } else { 0.0 };
            let below = if y < x { weight } else { 0.0 };
            *dy = above - below;
        }
    }
}
