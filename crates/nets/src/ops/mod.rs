//! The heavy operations of the nets, channels last, behind burn's extension mechanism.
//!
//! Activations are `[batch, height, width, channel]`, kernels `[kernel_y, kernel_x, in, out]`.
//! Every operation has a body in terms of burn's own ([`portable`]), which graphics cards use;
//! the CPU backend `flex` runs ours (`retrial-kernels`), and automatic differentiation gets
//! backward passes that compute only what is asked for ([`differentiated`]).

#[cfg(test)]
mod against_burn;
pub(crate) mod cpu;
mod differentiated;
mod flex;
mod geometry;
pub(crate) mod portable;
pub(crate) mod reduce;

pub use geometry::{Activation, Geometry};

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

/// The operations, on the primitives of a backend.
///
/// Shapes: `wide` is `[n, height, width, in]`, `narrow` `[n, out_height, out_width, out]`,
/// `kernel` `[k, k, in, out]`.
#[backend_extension(
    Flex,
    Autodiff,
    Cube: cfg(any(feature = "cuda", feature = "wgpu")),
)]
pub trait LayerOps: Backend {
    /// Convolution: wide to narrow.
    fn convolve(
        wide: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        portable::convolve::<Self>(wide, kernel, geometry)
    }

    /// Adjoint of the convolution (transposed convolution): narrow to wide.
    fn convolve_adjoint(
        narrow: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        portable::convolve_adjoint::<Self>(narrow, kernel, geometry)
    }

    /// Gradient of `Σ narrow · convolve(wide, kernel)` with respect to the kernel.
    fn kernel_gradient(
        wide: FloatTensor<Self>,
        narrow: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        portable::kernel_gradient::<Self>(wide, narrow, geometry)
    }

    /// [`LayerOps::convolve`] with a kernel that stays the same over many calls.
    ///
    /// Not differentiated: it belongs to backward passes.
    fn convolve_constant(
        wide: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        Self::convolve(wide, kernel, geometry)
    }

    /// [`LayerOps::convolve_adjoint`] with a kernel that stays the same over many calls.
    ///
    /// Not differentiated: it belongs to backward passes.
    fn convolve_adjoint_constant(
        narrow: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        Self::convolve_adjoint(narrow, kernel, geometry)
    }

    /// Convolution, bias and activation in one pass; differentiable in `wide` only.
    fn convolve_activate(
        wide: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let values = Self::convolve(wide, kernel, geometry);
        portable::shift_activate::<Self>(values, bias, activation)
    }

    /// Transposed convolution, bias and activation in one pass; differentiable in `narrow` only.
    fn convolve_adjoint_activate(
        narrow: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let values = Self::convolve_adjoint(narrow, kernel, geometry);
        portable::shift_activate::<Self>(values, bias, activation)
    }

    /// Gradient through an activation, from the values behind it.
    fn activation_gradient(
        gradient: FloatTensor<Self>,
        behind: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        portable::activation_gradient::<Self>(gradient, behind, activation)
    }

    /// Mean and biased variance of every channel (the last axis), `[2, channel]`.
    ///
    /// Not differentiated: [`LayerOps::normalise`] knows that they belong to its input.
    fn channel_moments(values: FloatTensor<Self>) -> FloatTensor<Self> {
        portable::channel_moments::<Self>(values)
    }

    /// Batch normalisation with the moments of `values` themselves, and an activation.
    ///
    /// `affine` is `[2, channel]`: scale and shift.
    fn normalise(
        values: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self> {
        portable::normalise::<Self>(values, moments, affine, slope)
    }

    /// Gradients of [`LayerOps::normalise`] with respect to `values` and `affine`.
    fn normalise_gradient(
        gradient: FloatTensor<Self>,
        values: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        portable::normalise_gradient::<Self>(gradient, values, moments, affine, slope)
    }

    /// One step of Adam: weights, first and second moment after it.
    fn adam(
        weights: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        portable::adam::<Self>(weights, gradient, first, second, step)
    }
}

/// Numbers of one step of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Number of the step, from 1.
    pub step: u32,
}

#[cfg(any(feature = "cuda", feature = "wgpu"))]
impl LayerOps for burn::backend::Cube {}

/// What is added to a variance before its root is taken; PyTorch's default.
pub const EPSILON: f32 = 1e-5;

/// [`LayerOps::convolve`] of tensors.
#[must_use]
pub fn convolve(wide: Tensor<4>, kernel: Tensor<4>, geometry: Geometry) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as LayerOps>::convolve(
        wide.into_dispatch(),
        kernel.into_dispatch(),
        geometry,
    ))
}

/// [`LayerOps::convolve_adjoint`] of tensors.
#[must_use]
pub fn convolve_adjoint(narrow: Tensor<4>, kernel: Tensor<4>, geometry: Geometry) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as LayerOps>::convolve_adjoint(
        narrow.into_dispatch(),
        kernel.into_dispatch(),
        geometry,
    ))
}

/// [`LayerOps::convolve_activate`] of tensors.
#[must_use]
pub fn convolve_activate(
    wide: Tensor<4>,
    kernel: Tensor<4>,
    bias: Tensor<1>,
    geometry: Geometry,
    activation: Activation,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as LayerOps>::convolve_activate(
        wide.into_dispatch(),
        kernel.into_dispatch(),
        bias.into_dispatch(),
        geometry,
        activation,
    ))
}

/// [`LayerOps::convolve_adjoint_activate`] of tensors.
#[must_use]
pub fn convolve_adjoint_activate(
    narrow: Tensor<4>,
    kernel: Tensor<4>,
    bias: Tensor<1>,
    geometry: Geometry,
    activation: Activation,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as LayerOps>::convolve_adjoint_activate(
        narrow.into_dispatch(),
        kernel.into_dispatch(),
        bias.into_dispatch(),
        geometry,
        activation,
    ))
}

/// [`LayerOps::channel_moments`] of a tensor.
#[must_use]
pub fn channel_moments(values: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as LayerOps>::channel_moments(
        values.into_dispatch(),
    ))
}

/// [`LayerOps::normalise`] of tensors.
#[must_use]
pub fn normalise(
    values: Tensor<4>,
    moments: Tensor<2>,
    affine: Tensor<2>,
    slope: f32,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as LayerOps>::normalise(
        values.into_dispatch(),
        moments.into_dispatch(),
        affine.into_dispatch(),
        slope,
    ))
}

/// [`LayerOps::adam`] of tensors.
#[must_use]
pub fn adam(
    weights: Tensor<1>,
    gradient: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
    step: AdamStep,
) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
    let (weights, first, second) = <Dispatch as LayerOps>::adam(
        weights.into_dispatch(),
        gradient.into_dispatch(),
        first.into_dispatch(),
        second.into_dispatch(),
        step,
    );
    (
        Tensor::from_dispatch(weights),
        Tensor::from_dispatch(first),
        Tensor::from_dispatch(second),
    )
}

/// A matrix product in which the bits of a row do not depend on the other rows.
///
/// # Shapes
/// - `rows`: `[n, k]`, `matrix`: `[k, m]`, result: `[n, m]`
#[must_use]
pub fn multiply(rows: Tensor<2>, matrix: Tensor<2>) -> Tensor<2> {
    let ([n, inner], [_, outer]) = (rows.dims(), matrix.dims());
    let product = convolve(
        rows.reshape([n, 1, 1, inner]),
        matrix.reshape([1, 1, inner, outer]),
        point(inner, outer),
    );
    product.reshape([n, outer])
}

/// [`multiply`] with a bias and an activation; differentiable in `rows` only.
#[must_use]
pub fn multiply_activate(
    rows: Tensor<2>,
    matrix: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    let ([n, inner], [_, outer]) = (rows.dims(), matrix.dims());
    let product = convolve_activate(
        rows.reshape([n, 1, 1, inner]),
        matrix.reshape([1, 1, inner, outer]),
        bias,
        point(inner, outer),
        activation,
    );
    product.reshape([n, outer])
}

/// A matrix as a convolution of single positions.
fn point(in_channels: usize, out_channels: usize) -> Geometry {
    Geometry {
        height: 1,
        width: 1,
        in_channels,
        out_channels,
        kernel: 1,
        stride: 1,
        padding: 0,
    }
}
