//! Mean and variance of each channel.

use crate::activation::repeat;
use crate::dispatch::pass;
use crate::error::{KernelError, check_rows};
use crate::rows::in_order;

/// Values of a chunk, which is read twice and should stay in the first-level cache.
pub(crate) const CHUNK: usize = 1 << 13;

/// Mean and biased variance (divided by the count) of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// `[channels]`
    pub mean: Vec<f64>,
    /// `[channels]`, divided by the count.
    pub variance: Vec<f64>,
    /// Values of each channel.
    pub count: usize,
}

/// Mean and biased variance of each channel, with the same bits for any number of threads.
///
/// Chunks of fixed size are summed around their own means, and combined in `f64` in order
/// (Chan, Golub & LeVeque 1983, doi:10.1080/00031305.1983.10483115, Eq. (2.1)).
///
/// # Shapes
/// - `x`: `[…, channels]`
///
/// # Errors
/// [`KernelError::Multiple`] unless `x` consists of whole rows, at least one.
pub fn channel_moments(x: &[f32], channels: usize) -> Result<Moments, KernelError> {
    let count = check_rows("x", channels, x.len())?;
    let unit = chunk_len(channels);
    let parts = in_order(x.len().div_ceil(unit), x.len(), |chunk| {
        let start = chunk * unit;
        let end = x.len().min(start + unit);
        chunk_moments(&x[start..end], channels)
    });
    let mut mean = vec![0.0; channels];
    let mut squares = vec![0.0; channels];
    let mut so_far = 0.0;
    for (number, means, residuals) in parts {
        let total = so_far + number;
        for c in 0..channels {
            let delta = means[c] - mean[c];
            mean[c] += delta * (number / total);
            squares[c] += residuals[c] + delta * delta * (so_far * number / total);
        }
        so_far = total;
    }
    for value in &mut squares {
        *value /= so_far;
    }
    Ok(Moments {
        mean,
        variance: squares,
        count,
    })
}

/// The fixed length of a chunk: whole rows, and whole periods of repeated channels.
pub(crate) fn chunk_len(channels: usize) -> usize {
    let period = channels * 64_usize.div_ceil(channels);
    (CHUNK / period).max(1) * period
}

/// Count, means and sums of squares around the means.
fn chunk_moments(x: &[f32], channels: usize) -> (f64, Vec<f64>, Vec<f64>) {
    let period = channels * 64_usize.div_ceil(channels);
    let number = (x.len() / channels) as f64;
    let mut sums = vec![0.0; period];
    add_values(x, &mut sums);
    let mean: Vec<f64> = fold(&sums, channels)
        .iter()
        .map(|sum| sum / number)
        .collect();
    // Squares around the mean rounded to f32; the rounding is taken out again below.
    let centre: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
    let mut squares = vec![0.0; period];
    add_squares(x, &repeat(&centre), &mut squares);
    let residuals = fold(&squares, channels)
        .iter()
        .zip(mean.iter().zip(&centre))
        .map(|(sum, (mean, &centre))| (sum - number * (mean - f64::from(centre)).powi(2)).max(0.0))
        .collect();
    (number, mean, residuals)
}

/// Adds up the repetitions of each channel.
pub(crate) fn fold(repeated: &[f32], channels: usize) -> Vec<f64> {
    let mut sums = vec![0.0; channels];
    for part in repeated.chunks_exact(channels) {
        for (sum, value) in sums.iter_mut().zip(part) {
            *sum += f64::from(*value);
        }
    }
    sums
}

pass! {
    fn add_values(x: &[f32], sums: &mut [f32]) {
        for row in x.chunks(sums.len()) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

pass! {
    fn add_squares(x: &[f32], centre: &[f32], sums: &mut [f32]) {
        for row in x.chunks(sums.len()) {
            for ((sum, x), centre) in sums.iter_mut().zip(row).zip(centre) {
                let difference = x - centre;
                *sum += difference * difference;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_values_far_from_zero() {
        for channels in [1, 3, 64, 100, 300] {
            let count = 4001;
            let value = |i: usize, c: usize| 1000.0 * (c + 1) as f32 + ((i * 37 + c) % 11) as f32;
            let x: Vec<f32> = (0..count)
                .flat_map(|i| (0..channels).map(move |c| value(i, c)))
                .collect();
            let moments = channel_moments(&x, channels).expect("whole rows");
            for c in 0..channels {
                let values = || (0..count).map(|i| f64::from(value(i, c)));
                let mean = values().sum::<f64>() / count as f64;
                let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / count as f64;
                let scale = mean.abs().max(1.0);
                assert!(
                    (moments.mean[c] - mean).abs() < 1e-6 * scale,
                    "{channels} {c}"
                );
                let error = (moments.variance[c] - variance).abs();
                assert!(error < 1e-3 * variance, "{channels} {c} {error}");
            }
        }
    }

    #[test]
    fn rows_must_be_whole() {
        assert!(matches!(
            channel_moments(&[0.0; 7], 2),
            Err(KernelError::Multiple {
                got: 7,
                unit: 2,
                ..
            })
        ));
        assert!(channel_moments(&[], 2).is_err());
        assert!(channel_moments(&[1.0], 0).is_err());
    }
}
