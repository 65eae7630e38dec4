//! Gradients of batch normalisation with the activation behind it.
//!
//! # Source
//! Ioffe & Szegedy 2015, arXiv:1502.03167, Algorithm 1 and the gradients of section 3.

use crate::activation::{for_pieces, repeat};
use crate::dispatch::pass;
use crate::error::{KernelError, check_length, check_rows};
use crate::moments::{chunk_len, fold};
use crate::rows::in_order;

/// A normalisation `gamma (x − mean) inv_std + beta` and the leaky rectifier behind it.
///
/// All slices are `[channels]`.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// Of each channel, over the batch or running.
    pub mean: &'a [f32],
    /// `1 / sqrt(variance + epsilon)`.
    pub inv_std: &'a [f32],
    /// Scale after the normalisation.
    pub gamma: &'a [f32],
    /// Shift after the normalisation.
    pub beta: &'a [f32],
    /// Of the rectifier: 0 for ReLU, 1 for none.
    pub slope: f32,
}

impl BatchNorm<'_> {
    fn check(&self, x: &[f32]) -> Result<usize, KernelError> {
        let channels = self.mean.len();
        check_length("inv_std", channels, self.inv_std.len())?;
        check_length("gamma", channels, self.gamma.len())?;
        check_length("beta", channels, self.beta.len())?;
        check_rows("x", channels, x.len())
    }

    /// `gamma · inv_std` and `beta − mean · gamma · inv_std`: what a forward pass and the sign of
    /// its result must be computed with, so that both see the same rounding.
    #[must_use]
    pub fn scale_and_shift(&self) -> (Vec<f32>, Vec<f32>) {
        let scale: Vec<f32> = self
            .gamma
            .iter()
            .zip(self.inv_std)
            .map(|(gamma, inv_std)| gamma * inv_std)
            .collect();
        let shift = self
            .beta
            .iter()
            .zip(self.mean.iter().zip(&scale))
            .map(|(beta, (mean, scale))| beta - mean * scale)
            .collect();
        (scale, shift)
    }
}

/// The gradients `(dgamma, dbeta)`, given `dy` behind the rectifier and `x` before the norm.
///
/// Chunks of fixed size are summed in `f32` and combined in `f64` in order, for any number of
/// threads.
///
/// # Errors
/// Slices of other lengths.
pub fn batch_norm_parameter_gradients(
    dy: &[f32],
    x: &[f32],
    norm: BatchNorm<'_>,
) -> Result<(Vec<f32>, Vec<f32>), KernelError> {
    norm.check(x)?;
    check_length("dy", x.len(), dy.len())?;
    let channels = norm.mean.len();
    let (scale, shift) = norm.scale_and_shift();
    let (scale, shift, mean) = (repeat(&scale), repeat(&shift), repeat(norm.mean));
    let unit = chunk_len(channels);
    let parts = in_order(x.len().div_ceil(unit), x.len(), |chunk| {
        let range = chunk * unit..x.len().min(chunk * unit + unit);
        let mut sums = vec![0.0; scale.len()];
        let mut products = vec![0.0; scale.len()];
        add_gradients(
            &dy[range.clone()],
            &x[range],
            &scale,
            &shift,
            &mean,
            norm.slope,
            &mut sums,
            &mut products,
        );
        (fold(&sums, channels), fold(&products, channels))
    });
    let mut total = vec![0.0; channels];
    let mut total_products = vec![0.0; channels];
    for (sums, products) in parts {
        for c in 0..channels {
            total[c] += sums[c];
            total_products[c] += products[c];
        }
    }
    let dgamma = total_products
        .iter()
        .zip(norm.inv_std)
        .map(|(&sum, &inv_std)| (sum * f64::from(inv_std)) as f32)
        .collect();
    let dbeta = total.iter().map(|&sum| sum as f32).collect();
    Ok((dgamma, dbeta))
}

/// The gradient by `x` when mean and variance were those of `x`:
/// `dx = gamma inv_std (g − (dbeta + x̂ dgamma) / n)` with `g = dy · mask`.
///
/// # Errors
/// Slices of other lengths.
pub fn batch_norm_input_gradient(
    dy: &[f32],
    x: &[f32],
    norm: BatchNorm<'_>,
    dgamma: &[f32],
    dbeta: &[f32],
    dx: &mut [f32],
) -> Result<(), KernelError> {
    let count = norm.check(x)?;
    check_length("dgamma", norm.mean.len(), dgamma.len())?;
    check_length("dbeta", norm.mean.len(), dbeta.len())?;
    // dx = scale g − slope_x x − constant, with everything that x is not in multiplied out.
    let (scale, _) = norm.scale_and_shift();
    let per_item = |c: usize| f64::from(scale[c]) / count as f64;
    let by_x: Vec<f64> = (0..scale.len())
        .map(|c| per_item(c) * f64::from(dgamma[c]) * f64::from(norm.inv_std[c]))
        .collect();
    let constant: Vec<f32> = (0..scale.len())
        .map(|c| (per_item(c) * f64::from(dbeta[c])) as f32)
        .collect();
    let by_x: Vec<f32> = by_x.iter().map(|&value| value as f32).collect();
    input_gradient(dy, x, norm, &by_x, &constant, dx)
}

/// The gradient by `x` when mean and variance are constants: `dx = gamma inv_std dy · mask`.
///
/// # Errors
/// Slices of other lengths.
pub fn batch_norm_constant_gradient(
    dy: &[f32],
    x: &[f32],
    norm: BatchNorm<'_>,
    dx: &mut [f32],
) -> Result<(), KernelError> {
    norm.check(x)?;
    let zeros = vec![0.0; norm.mean.len()];
    input_gradient(dy, x, norm, &zeros, &zeros, dx)
}

/// `dx = scale dy mask − by_x (x − mean) − constant`.
fn input_gradient(
    dy: &[f32],
    x: &[f32],
    norm: BatchNorm<'_>,
    by_x: &[f32],
    constant: &[f32],
    dx: &mut [f32],
) -> Result<(), KernelError> {
    check_length("dy", x.len(), dy.len())?;
    check_length("dx", x.len(), dx.len())?;
    let (scale, shift) = norm.scale_and_shift();
    let (scale, shift, mean) = (repeat(&scale), repeat(&shift), repeat(norm.mean));
    let (by_x, constant) = (repeat(by_x), repeat(constant));
    let unit = chunk_len(norm.mean.len());
    for_pieces(dx, unit, |piece, dx| {
        let range = piece * unit..piece * unit + dx.len();
        write_gradient(
            &dy[range.clone()],
            &x[range],
            &scale,
            &shift,
            &mean,
            &by_x,
            &constant,
            norm.slope,
            dx,
        );
    });
    Ok(())
}

pass! {
    #[expect(clippy::too_many_arguments, reason = "one for each operand of the loop")]
    fn add_gradients(
        dy: &[f32],
        x: &[f32],
        scale: &[f32],
        shift: &[f32],
        mean: &[f32],
        slope: f32,
        sums: &mut [f32],
        products: &mut [f32],
    ) {
        let period = scale.len();
        let (shift, mean) = (&shift[..period], &mean[..period]);
        let (sums, products) = (&mut sums[..period], &mut products[..period]);
        for (dy, x) in dy.chunks(period).zip(x.chunks(period)) {
            let n = dy.len().min(x.len()).min(period);
            let (dy, x) = (&dy[..n], &x[..n]);
            for i in 0..n {
                let g = if x[i] * scale[i] + shift[i] > 0.0 { dy[i] } else { dy[i] * slope };
                sums[i] += g;
                products[i] += g * (x[i] - mean[i]);
            }
        }
    }
}

pass! {
    #[expect(clippy::too_many_arguments, reason = "one for each operand of the loop")]
    fn write_gradient(
        dy: &[f32],
        x: &[f32],
        scale: &[f32],
        shift: &[f32],
        mean: &[f32],
        by_x: &[f32],
        constant: &[f32],
        slope: f32,
        dx: &mut [f32],
    ) {
        let period = scale.len();
        let (shift, mean) = (&shift[..period], &mean[..period]);
        let (by_x, constant) = (&by_x[..period], &constant[..period]);
        let rows = dy.chunks(period).zip(x.chunks(period));
        for ((dy, x), dx) in rows.zip(dx.chunks_mut(period)) {
            let n = dx.len().min(period);
            let (dy, x) = (&dy[..n], &x[..n]);
            for i in 0..n {
                let g = if x[i] * scale[i] + shift[i] > 0.0 { dy[i] } else { dy[i] * slope };
                dx[i] = scale[i] * g - by_x[i] * (x[i] - mean[i]) - constant[i];
            }
        }
    }
}
