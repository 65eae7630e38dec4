//! Matrix products on the tiles of the convolutions.

use crate::convolution::Convolution;
use crate::epilogue::Epilogue;
use crate::error::{KernelError, check_length};
use crate::panels::{Packed, pack};
use crate::product::forward;

/// The right factor `[inner, columns]` of a matrix product.
#[derive(Clone, Debug)]
pub struct PackedMatrix {
    weights: Packed,
    inner: usize,
    columns: usize,
}

/// A product of matrices is a convolution with one tap of images of one row.
fn as_convolution(rows: usize, inner: usize, columns: usize) -> Convolution {
    Convolution {
        batch: 1,
        height: rows,
        width: 1,
        in_channels: inner,
        out_channels: columns,
        kernel: 1,
        stride: 1,
        padding: 0,
    }
}

impl PackedMatrix {
    /// Orders the matrix `values`, `[inner, columns]`.
    ///
    /// # Errors
    /// A dimension of zero, a wrong number of values.
    pub fn new(inner: usize, columns: usize, values: &[f32]) -> Result<Self, KernelError> {
        let shape = as_convolution(1, inner, columns).checked()?;
        check_length("values", inner * columns, values.len())?;
        Ok(Self {
            weights: pack(&shape, values)?,
            inner,
            columns,
        })
    }
}

/// `c = a b`, then the epilogue.
///
/// # Shapes
/// - `a`: `[rows, inner]`
/// - `b`: `[inner, columns]`
/// - `c`: `[rows, columns]`, written
/// - `epilogue.bias`: `[columns]`
///
/// # Errors
/// A dimension of zero, slices of other lengths.
pub fn matmul(
    rows: usize,
    a: &[f32],
    b: &PackedMatrix,
    epilogue: Epilogue<'_>,
    c: &mut [f32],
) -> Result<(), KernelError> {
    let shape = as_convolution(rows, b.inner, b.columns);
    forward(&shape, a, &b.weights, epilogue, c)
}
