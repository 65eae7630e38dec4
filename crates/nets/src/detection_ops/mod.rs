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
