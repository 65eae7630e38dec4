//! The operations that a detector needs beside convolutions, channels last, behind burn's
//! extension mechanism as those of [`crate::ops`].

#[cfg(test)]
mod against_portable;
mod differentiated;
mod flex;
mod portable;
mod samples;

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

/// Regions of feature maps to be pooled to squares.
///
/// # Source
/// He et al. 2017, arXiv:1703.06870, section 3 (RoIAlign); pixel model as torchvision's.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// Image of the batch and box `[x0, y0, x1, y1]` in px of the image, one after the other.
    pub boxes: Arc<[(usize, [f32; 4])]>,
    /// Side of a pooled square.
    pub side: usize,
    /// Feature positions a pixel of the image.
    pub scale: f32,
    /// Samples along each axis of a cell; as many as feature positions fall on it if not given.
    pub samples: Option<usize>,
    /// Whether boxes are shifted by half a feature position, as Detectron2 does.
    pub aligned: bool,
}

/// Where a convolution of each channel by itself reads: its stride and the zeros around its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthwiseGeometry {
    /// Distance of neighbouring positions, px.
    pub stride: usize,
    /// Zeros before the first and behind the last row and column, px.
    pub padding: [usize; 2],
}

impl DepthwiseGeometry {
    /// TensorFlow's padding "same" on an axis whose length is a multiple of the stride: the odd
    /// zero stands behind.
    ///
    /// # Source
    /// tf.nn, "Notes on padding": `max(kernel − stride, 0)` zeros in all.
    #[must_use]
    pub fn same(kernel: usize, stride: usize) -> Self {
        let zeros = kernel.saturating_sub(stride);
        Self {
            stride,
            padding: [zeros / 2, zeros - zeros / 2],
        }
    }
}

/// The operations, on the primitives of a backend.
#[backend_extension(
    Flex,
    Autodiff,
    Cube: cfg(any(feature = "cuda", feature = "wgpu")),
)]
pub trait DetectionOps: Backend {
    /// `activate(scale · x + shift)` for every channel; `affine` is `[2, channel]`.
    ///
    /// The activation is the identity above zero and `slope · y` below.
    fn affine_activate(
        values: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self> {
        portable::affine_activate::<Self>(values, affine, slope)
    }

    /// Gradients of [`DetectionOps::affine_activate`] with respect to `values` and `affine`.
    fn affine_activate_gradient(
        gradient: FloatTensor<Self>,
        values: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        portable::affine_activate_gradient::<Self>(gradient, values, affine, slope)
    }

    /// Features `[n, height, width, channel]` of regions as `[region, side, side, channel]`.
    fn pool_regions(features: FloatTensor<Self>, regions: Regions) -> FloatTensor<Self> {
        portable::pool_regions::<Self>(features, &regions)
    }

    /// Gradient of [`DetectionOps::pool_regions`] with respect to features of shape `dims`.
    fn pool_regions_gradient(
        gradient: FloatTensor<Self>,
        regions: Regions,
        dims: [usize; 4],
    ) -> FloatTensor<Self> {
        portable::pool_regions_gradient::<Self>(gradient, &regions, dims)
    }

    /// Each channel of `[n, height, width, channel]` convolved with its own kernel, those of
    /// `[y, x, 1, channel]`.
    fn depthwise(
        values: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
        geometry: DepthwiseGeometry,
    ) -> FloatTensor<Self> {
        portable::depthwise::<Self>(values, kernels, geometry)
    }

    /// Gradient of [`DetectionOps::depthwise`] with respect to values of shape `dims`.
    fn depthwise_values_gradient(
        gradient: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
        geometry: DepthwiseGeometry,
        dims: [usize; 4],
    ) -> FloatTensor<Self> {
        portable::depthwise_values_gradient::<Self>(gradient, kernels, geometry, dims)
    }

    /// Gradient of [`DetectionOps::depthwise`] with respect to kernels of `side` rows.
    fn depthwise_kernels_gradient(
        gradient: FloatTensor<Self>,
        values: FloatTensor<Self>,
        geometry: DepthwiseGeometry,
        side: usize,
    ) -> FloatTensor<Self> {
        portable::depthwise_kernels_gradient::<Self>(gradient, values, geometry, side)
    }

    /// `min(max(x, 0), 6)`.
    ///
    /// # Source
    /// Howard et al. 2017, arXiv:1704.04861, and Sandler et al. 2018, arXiv:1801.04381.
    fn relu6(values: FloatTensor<Self>) -> FloatTensor<Self> {
        portable::relu6::<Self>(values)
    }

    /// Gradient of [`DetectionOps::relu6`], from the values behind it.
    fn relu6_gradient(gradient: FloatTensor<Self>, behind: FloatTensor<Self>) -> FloatTensor<Self> {
        portable::relu6_gradient::<Self>(gradient, behind)
    }
}

#[cfg(any(feature = "cuda", feature = "wgpu"))]
impl DetectionOps for burn::backend::Cube {}

/// [`DetectionOps::affine_activate`] of tensors.
#[must_use]
pub fn affine_activate(values: Tensor<4>, affine: Tensor<2>, slope: f32) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as DetectionOps>::affine_activate(
        values.into_dispatch(),
        affine.into_dispatch(),
        slope,
    ))
}

/// [`DetectionOps::pool_regions`] of a tensor.
#[must_use]
pub fn pool_regions(features: Tensor<4>, regions: Regions) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as DetectionOps>::pool_regions(
        features.into_dispatch(),
        regions,
    ))
}

/// [`DetectionOps::depthwise`] of tensors.
#[must_use]
pub fn depthwise(values: Tensor<4>, kernels: Tensor<4>, geometry: DepthwiseGeometry) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as DetectionOps>::depthwise(
        values.into_dispatch(),
        kernels.into_dispatch(),
        geometry,
    ))
}

/// [`DetectionOps::relu6`] of a tensor.
#[must_use]
pub fn relu6(values: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as DetectionOps>::relu6(values.into_dispatch()))
}
