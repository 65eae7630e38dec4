//! What a convolution does to positions, and what is done to a value behind it.

/// A square convolution with zero padding, and its adjoint.
///
/// `height`, `width` and `in_channels` are those of the side that the convolution reads; the
/// adjoint (a transposed convolution) writes that side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Height of the wide side, px.
    pub height: usize,
    /// Width of the wide side, px.
    pub width: usize,
    /// Channels of the wide side.
    pub in_channels: usize,
    /// Channels of the narrow side.
    pub out_channels: usize,
    /// Width of the kernel, px.
    pub kernel: usize,
    /// Distance of neighbouring positions, px.
    pub stride: usize,
    /// Zeros at each border, px.
    pub padding: usize,
}

impl Geometry {
    /// Height of the narrow side.
    #[must_use]
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Width of the narrow side.
    #[must_use]
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }
}

/// A function applied to every value behind a convolution or a normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// The value itself.
    Identity,
    /// `x` above zero, `slope · x` below; slope 0 is the rectified linear unit.
    LeakyRelu(f32),
    /// Hyperbolic tangent.
    Tanh,
}
