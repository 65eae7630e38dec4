//! The end of a residual block: the sum of two branches and the activation behind it.

use crate::activation::{activate_in_place, for_pieces};
use crate::dispatch::pass;
use crate::epilogue::Activation;
use crate::error::{KernelError, check_length};

/// Values of a piece of a pass.
const PIECE: usize = 1 << 13;

/// `y = activation(a + b)`.
///
/// For rectifiers the gradient by `a`, and by `b` as well, is that of the activation:
/// [`leaky_relu_gradient`](crate::leaky_relu_gradient) of `y`.
///
/// # Errors
/// Slices of different lengths.
pub fn add_activate(
    a: &[f32],
    b: &[f32],
    activation: Activation,
    y: &mut [f32],
) -> Result<(), KernelError> {
    check_length("b", a.len(), b.len())?;
    check_length("y", a.len(), y.len())?;
    for_pieces(y, PIECE, |piece, y| {
        let range = piece * PIECE..piece * PIECE + y.len();
        add(&a[range.clone()], &b[range], y);
        activate_in_place(y, activation);
    });
    Ok(())
}

/// `dx = dy` where the activated value `y` lies between 0 and 6, else 0.
///
/// # Errors
/// Slices of different lengths.
pub fn relu6_gradient(dy: &[f32], y: &[f32], dx: &mut [f32]) -> Result<(), KernelError> {
    check_length("y", dy.len(), y.len())?;
    check_length("dx", dy.len(), dx.len())?;
    for_pieces(dx, PIECE, |piece, dx| {
        let range = piece * PIECE..piece * PIECE + dx.len();
        relu6_piece(&dy[range.clone()], &y[range], dx);
    });
    Ok(())
}

pass! {
    fn add(a: &[f32], b: &[f32], y: &mut [f32]) {
        for ((a, b), y) in a.iter().zip(b).zip(y) {
            *y = a + b;
        }
    }
}

pass! {
    fn relu6_piece(dy: &[f32], y: &[f32], dx: &mut [f32]) {
        for ((dy, y), dx) in dy.iter().zip(y).zip(dx) {
            *dx = if *y > 0.0 && *y < 6.0 { *dy } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaky_relu_gradient;

    #[test]
    fn two_branches_and_their_gradient() {
        let count = 70_003;
        let a: Vec<f32> = (0..count).map(|i| (i % 19) as f32 - 9.0).collect();
        let b: Vec<f32> = (0..count).map(|i| (i % 7) as f32 - 3.0).collect();
        let dy: Vec<f32> = (0..count).map(|i| (i % 5) as f32 + 1.0).collect();
        let (mut y, mut dx) = (vec![f32::NAN; count], vec![f32::NAN; count]);
        add_activate(&a, &b, Activation::LeakyRelu(0.0), &mut y).expect("lengths");
        leaky_relu_gradient(&dy, &y, 0.0, &mut dx).expect("lengths");
        for i in 0..count {
            let sum = a[i] + b[i];
            assert_eq!(y[i], sum.max(0.0));
            assert_eq!(dx[i], if sum > 0.0 { dy[i] } else { 0.0 });
        }
        add_activate(&a, &b, Activation::Relu6, &mut y).expect("lengths");
        relu6_gradient(&dy, &y, &mut dx).expect("lengths");
        for i in 0..count {
            let sum = a[i] + b[i];
            assert_eq!(y[i], sum.clamp(0.0, 6.0));
            assert_eq!(dx[i], if sum > 0.0 && sum < 6.0 { dy[i] } else { 0.0 });
        }
        assert!(add_activate(&a[1..], &b, Activation::Relu6, &mut y).is_err());
        assert!(relu6_gradient(&dy, &y[1..], &mut dx).is_err());
    }
}
