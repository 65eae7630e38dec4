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
    gradient(dy, y, dx, |dy, y, dx| {
        leaky_gradient_piece(dy, y, slope, dx)
    })
}

/// `dx = dy` where the activated value `y` lies between 0 and 6, else 0.
///
/// # Errors
/// Slices of different lengths.
pub fn relu6_gradient(dy: &[f32], y: &[f32], dx: &mut [f32]) -> Result<(), KernelError> {
    gradient(dy, y, dx, relu6_gradient_piece)
}

/// `dx = dy · (1 − y²)` with the activated value `y`.
///
/// # Errors
/// Slices of different lengths.
pub fn tanh_gradient(dy: &[f32], y: &[f32], dx: &mut [f32]) -> Result<(), KernelError> {
    gradient(dy, y, dx, tanh_gradient_piece)
}

/// `dx` by `piece` of as many values of `dy` and of the activated `y`.
fn gradient(
    dy: &[f32],
    y: &[f32],
    dx: &mut [f32],
    piece: impl Fn(&[f32], &[f32], &mut [f32]) + Sync + Send,
) -> Result<(), KernelError> {
    check_length("y", dy.len(), y.len())?;
    check_length("dx", dy.len(), dx.len())?;
    for_pieces(dx, PIECE, |number, dx| {
        let range = number * PIECE..number * PIECE + dx.len();
        piece(&dy[range.clone()], &y[range], dx);
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
    fn relu6_gradient_piece(dy: &[f32], y: &[f32], dx: &mut [f32]) {
        for ((dy, y), dx) in dy.iter().zip(y).zip(dx) {
            *dx = if *y > 0.0 && *y < 6.0 { *dy } else { 0.0 };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_of_rectifiers() {
        let count = 70_003;
        let x: Vec<f32> = (0..count).map(|i| (i % 23) as f32 - 9.0).collect();
        let dy: Vec<f32> = (0..count).map(|i| (i % 5) as f32 + 1.0).collect();
        let (mut y, mut dx) = (x.clone(), vec![f32::NAN; count]);
        activate_in_place(&mut y, Activation::LeakyRelu(0.0));
        leaky_relu_gradient(&dy, &y, 0.0, &mut dx).expect("lengths");
        for i in 0..count {
            assert_eq!(y[i], x[i].max(0.0));
            assert_eq!(dx[i], if x[i] > 0.0 { dy[i] } else { 0.0 });
        }
        y.copy_from_slice(&x);
        activate_in_place(&mut y, Activation::Relu6);
        relu6_gradient(&dy, &y, &mut dx).expect("lengths");
        for i in 0..count {
            let is_between = x[i] > 0.0 && x[i] < 6.0;
            assert_eq!(y[i], x[i].clamp(0.0, 6.0));
            assert_eq!(dx[i], if is_between { dy[i] } else { 0.0 });
        }
        assert!(relu6_gradient(&dy, &y[1..], &mut dx).is_err());
    }
}
