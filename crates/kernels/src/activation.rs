//! Pointwise functions of whole tensors, and their gradients.

use rayon::prelude::*;

use crate::dispatch::pass;
use crate::epilogue::{Activation, leaky_relu, relu6, tanh};
use crate::error::{KernelError, check_length, check_rows};
use crate::rows::SHORT;

/// Values of a piece of a pass.
const PIECE: usize = 1 << 14;

/// `y = activation(scale[c] · x + shift[c])`.
///
/// # Shapes
/// - `x`, `y`: `[…, channels]`
/// - `scale`, `shift`: `[channels]`
///
/// # Errors
/// Slices of other lengths.
pub fn scale_shift_activate(
    x: &[f32],
    scale: &[f32],
    shift: &[f32],
    activation: Activation,
    y: &mut [f32],
) -> Result<(), KernelError> {
    check_rows("x", scale.len(), x.len())?;
    check_length("shift", scale.len(), shift.len())?;
    check_length("y", x.len(), y.len())?;
    let (scale, shift) = (repeat(scale), repeat(shift));
    let unit = PIECE.div_ceil(scale.len()) * scale.len();
    for_pieces(y, unit, |piece, y| {
        let x = &x[piece * unit..][..y.len()];
        match activation {
            Activation::Identity => scale_shift(x, &scale, &shift, y),
            Activation::LeakyRelu(slope) => scale_shift_leaky(x, &scale, &shift, slope, y),
            Activation::Relu6 => {
                scale_shift(x, &scale, &shift, y);
                relu6_in_place(y);
            }
            Activation::Tanh => {
                scale_shift(x, &scale, &shift, y);
                tanh_in_place(y);
            }
        }
    });
    Ok(())
}

/// `dx = dy` where the activated value `y` is positive, else `slope · dy`.
///
/// For a slope of zero or more, the sign of `y` tells that of the value before the activation.
///
/// # Errors
/// Slices of different lengths.
pub fn leaky_relu_gradient(
    dy: &[f32],
    y: &[f32],
    slope: f32,
    dx: &mut [f32],
) -> Result<(), KernelError> {
    check_length("y", dy.len(), y.len())?;
    check_length("dx", dy.len(), dx.len())?;
    for_pieces(dx, PIECE, |piece, dx| {
        let range = piece * PIECE..piece * PIECE + dx.len();
        leaky_gradient_piece(&dy[range.clone()], &y[range], slope, dx);
    });
    Ok(())
}

/// `dx = dy · (1 − y²)` with the activated value `y`.
///
/// # Errors
/// Slices of different lengths.
pub fn tanh_gradient(dy: &[f32], y: &[f32], dx: &mut [f32]) -> Result<(), KernelError> {
    check_length("y", dy.len(), y.len())?;
    check_length("dx", dy.len(), dx.len())?;
    for_pieces(dx, PIECE, |piece, dx| {
        let range = piece * PIECE..piece * PIECE + dx.len();
        tanh_gradient_piece(&dy[range.clone()], &y[range], dx);
    });
    Ok(())
}

/// Runs `work` on pieces of `unit` values, with the number of each.
pub(crate) fn for_pieces(
    out: &mut [f32],
    unit: usize,
    work: impl Fn(usize, &mut [f32]) + Sync + Send,
) {
    if out.len() < SHORT {
        let pieces = out.chunks_mut(unit).enumerate();
        pieces.for_each(|(piece, out)| work(piece, out));
    } else {
        let pieces = out.par_chunks_mut(unit).enumerate();
        pieces.for_each(|(piece, out)| work(piece, out));
    }
}

/// The values of all channels, again and again until they fill some vectors, so that loops over
/// them are long enough for tensors of few channels.
pub(crate) fn repeat(channels: &[f32]) -> Vec<f32> {
    channels.repeat(64_usize.div_ceil(channels.len()))
}

pub(crate) fn activate_in_place(values: &mut [f32], activation: Activation) {
    match activation {
        Activation::Identity => {}
        Activation::LeakyRelu(slope) => leaky_in_place(values, slope),
        Activation::Relu6 => relu6_in_place(values),
        Activation::Tanh => tanh_in_place(values),
    }
}

pass! {
    pub(crate) fn tanh_in_place(values: &mut [f32]) {
        for value in values {
            *value = tanh(*value);
        }
    }
}

pass! {
    fn relu6_in_place(values: &mut [f32]) {
        for value in values {
            *value = relu6(*value);
        }
    }
}

pass! {
    fn leaky_in_place(values: &mut [f32], slope: f32) {
        for value in values {
            *value = leaky_relu(*value, slope);
        }
    }
}

pass! {
    fn scale_shift(x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks(scale.len()).zip(y.chunks_mut(scale.len())) {
            for (((x, y), scale), shift) in x.iter().zip(y).zip(scale).zip(shift) {
                *y = x * scale + shift;
            }
        }
    }
}

pass! {
    fn scale_shift_leaky(x: &[f32], scale: &[f32], shift: &[f32], slope: f32, y: &mut [f32]) {
        for (x, y) in x.chunks(scale.len()).zip(y.chunks_mut(scale.len())) {
            for (((x, y), scale), shift) in x.iter().zip(y).zip(scale).zip(shift) {
                *y = leaky_relu(x * scale + shift, slope);
            }
        }
    }
}

pass! {
    fn leaky_gradient_piece(dy: &[f32], y: &[f32], slope: f32, dx: &mut [f32]) {
        for ((dy, y), dx) in dy.iter().zip(y).zip(dx) {
            *dx = if *y > 0.0 { *dy } else { dy * slope };
        }
    }
}

pass! {
    fn tanh_gradient_piece(dy: &[f32], y: &[f32], dx: &mut [f32]) {
        for ((dy, y), dx) in dy.iter().zip(y).zip(dx) {
            *dx = dy * (1.0 - y * y);
        }
    }
}
