//! What a caller of a kernel can get wrong.

use thiserror::Error;

/// Why a kernel refused its arguments. Nothing was written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelError {
    /// A dimension that must be at least one is zero.
    #[error("{dimension} must be at least 1, got 0")]
    Zero {
        /// The name of the dimension.
        dimension: &'static str,
    },
    /// The kernel does not fit into the padded input.
    #[error("a kernel of {kernel} does not fit into {size} pixels padded by {padding}")]
    KernelExceedsInput {
        /// Edge of the kernel.
        kernel: usize,
        /// Height or width of the input.
        size: usize,
        /// Zeros on each side.
        padding: usize,
    },
    /// The number of elements does not fit into a machine word.
    #[error("the tensors of {batch} × {height} × {width} pixels are too large to address")]
    TooLarge {
        /// Items.
        batch: usize,
        /// Rows of the input.
        height: usize,
        /// Columns of the input.
        width: usize,
    },
    /// A slice has another length than the shape asks for.
    #[error("{tensor} must have {expected} elements, got {got}")]
    Length {
        /// The name of the argument.
        tensor: &'static str,
        /// The length that the shape asks for.
        expected: usize,
        /// The length given.
        got: usize,
    },
    /// A slice does not consist of whole rows.
    #[error("{tensor} must be a multiple of {unit} elements, got {got}")]
    Multiple {
        /// The name of the argument.
        tensor: &'static str,
        /// Elements of a row.
        unit: usize,
        /// The length given.
        got: usize,
    },
    /// Weights packed for one shape were given with another.
    #[error("weights packed for {packed:?} cannot serve {asked:?} [kernel, stride, in, out]")]
    Packed {
        /// Kernel, stride (of transposed weights, else 0), in and out channels of the packed weights.
        packed: [usize; 4],
        /// The same of the convolution.
        asked: [usize; 4],
    },
    /// A pooling window is larger than its places can tell, or may lie wholly outside the input.
    #[error(
        "windows of {kernel} padded by {padding}: at most 16, and the padding at most half of it"
    )]
    Window {
        /// Edge of the window.
        kernel: usize,
        /// Pixels beyond the input on each side.
        padding: usize,
    },
    /// A box belongs to no image of the batch.
    #[error("box {index} is of image {image}, the batch has {images}")]
    RoiImage {
        /// The number of the box.
        index: usize,
        /// The number of its image.
        image: usize,
        /// Images in the batch.
        images: usize,
    },
    /// A corner of a box is not finite or absurdly far from the map.
    #[error("the corners of box {index} must be finite and less than a million pixels away")]
    RoiCorners {
        /// The number of the box.
        index: usize,
    },
}

/// An error unless `got == expected`.
pub(crate) fn check_length(
    tensor: &'static str,
    expected: usize,
    got: usize,
) -> Result<(), KernelError> {
    if expected == got {
        Ok(())
    } else {
        Err(KernelError::Length {
            tensor,
            expected,
            got,
        })
    }
}

/// The number of rows of `unit` elements, at least one of which must be given.
pub(crate) fn check_rows(
    tensor: &'static str,
    unit: usize,
    got: usize,
) -> Result<usize, KernelError> {
    if unit == 0 {
        return Err(KernelError::Zero {
            dimension: "channels",
        });
    }
    if got == 0 || !got.is_multiple_of(unit) {
        return Err(KernelError::Multiple { tensor, unit, got });
    }
    Ok(got / unit)
}
