//! The shape of a convolution.

use crate::error::KernelError;

/// A two-dimensional convolution with a square kernel and zero padding, channels last.
///
/// `y[n, oy, ox, co] = Σ x[n, oy·stride + ky − padding, ox·stride + kx − padding, ci] w[ky, kx, ci, co]`
///
/// A transposed convolution is the [`input_gradient`](crate::input_gradient) of the convolution
/// whose input has the size of its output.
///
/// # Shapes
/// - input: `[batch, height, width, in_channels]`
/// - output: `[batch, out_height, out_width, out_channels]`
/// - weights: `[kernel, kernel, in_channels, out_channels]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Items.
    pub batch: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Edge of the kernel.
    pub kernel: usize,
    /// Input pixels from one output pixel to the next.
    pub stride: usize,
    /// Zeros around the input on each side.
    pub padding: usize,
}

impl Convolution {
    /// The shape itself, once it is known to be one.
    ///
    /// # Errors
    /// [`KernelError::Zero`], [`KernelError::KernelExceedsInput`], [`KernelError::TooLarge`].
    pub fn checked(self) -> Result<Self, KernelError> {
        let named = [
            ("batch", self.batch),
            ("height", self.height),
            ("width", self.width),
            ("in_channels", self.in_channels),
            ("out_channels", self.out_channels),
            ("kernel", self.kernel),
            ("stride", self.stride),
        ];
        if let Some(&(dimension, _)) = named.iter().find(|(_, value)| *value == 0) {
            return Err(KernelError::Zero { dimension });
        }
        // With padding and stride at most 2^16 and every product below 2^48, no index overflows.
        let product = |factors: &[usize]| {
            let limit = 1_usize << (usize::BITS - 16).min(48);
            factors
                .iter()
                .try_fold(1_usize, |product, &factor| product.checked_mul(factor))
                .filter(|&product| product < limit)
        };
        let small = [self.kernel, self.stride, self.padding];
        let fits = small.iter().all(|&value| value < 1 << 16)
            && [self.height, self.width].iter().all(|&size| size < 1 << 30)
            && product(&[self.batch, self.height, self.width, self.in_channels]).is_some()
            && product(&[
                self.kernel,
                self.kernel,
                self.in_channels,
                self.out_channels,
            ])
            .is_some()
            && product(&[
                self.batch,
                self.height + 2 * self.padding,
                self.width + 2 * self.padding,
                self.out_channels,
            ])
            .is_some();
        if !fits {
            return Err(KernelError::TooLarge {
                batch: self.batch,
                height: self.height,
                width: self.width,
            });
        }
        for size in [self.height, self.width] {
            if size + 2 * self.padding < self.kernel {
                return Err(KernelError::KernelExceedsInput {
                    kernel: self.kernel,
                    size,
                    padding: self.padding,
                });
            }
        }
        Ok(self)
    }

    /// Rows of the output.
    #[must_use]
    pub fn out_height(&self) -> usize {
        self.out_size(self.height)
    }

    /// Columns of the output.
    #[must_use]
    pub fn out_width(&self) -> usize {
        self.out_size(self.width)
    }

    /// Elements of the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.height * self.width * self.in_channels
    }

    /// Elements of the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.out_height() * self.out_width() * self.out_channels
    }

    /// Elements of the weights.
    #[must_use]
    pub fn weights_len(&self) -> usize {
        self.kernel * self.kernel * self.in_channels * self.out_channels
    }

    /// Multiply-adds of one primitive, taps outside the image included.
    #[must_use]
    pub fn multiply_adds(&self) -> usize {
        self.batch * self.out_height() * self.out_width() * self.weights_len()
    }

    fn out_size(&self, size: usize) -> usize {
        let padded = size + 2 * self.padding;
        padded
            .checked_sub(self.kernel)
            .map_or(0, |slack| slack / self.stride + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Convolution = Convolution {
        batch: 2,
        height: 9,
        width: 8,
        in_channels: 3,
        out_channels: 5,
        kernel: 4,
        stride: 2,
        padding: 1,
    };

    #[test]
    fn sizes_of_the_output() {
        let shape = SHAPE.checked().expect("a shape");
        assert_eq!((shape.out_height(), shape.out_width()), (4, 4));
        assert_eq!(shape.input_len(), 432);
        assert_eq!(shape.output_len(), 160);
        assert_eq!(shape.weights_len(), 240);
    }

    #[test]
    fn shapes_that_are_none() {
        let zero = Convolution { stride: 0, ..SHAPE }.checked();
        assert_eq!(
            zero,
            Err(KernelError::Zero {
                dimension: "stride"
            })
        );
        let exceeds = Convolution {
            kernel: 11,
            ..SHAPE
        }
        .checked();
        assert_eq!(
            exceeds,
            Err(KernelError::KernelExceedsInput {
                kernel: 11,
                size: 8,
                padding: 1
            })
        );
        let large = Convolution {
            batch: usize::MAX / 2,
            ..SHAPE
        }
        .checked();
        assert!(matches!(large, Err(KernelError::TooLarge { .. })));
    }
}
