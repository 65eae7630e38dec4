//! The operations in terms of burn's own, for any backend, and as what ours are tested against.

use burn::backend::ops::ConvOptions;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata as _, get_or_init_device_settings};
use burn::tensor::{FloatDType, IndexingUpdateOp, Shape, Slice, TensorData};

use super::samples::{Reads, reads};
use super::{DepthwiseGeometry, Regions};
use crate::ops::portable::{line, rows};

#[expect(clippy::needless_pass_by_value, reason = "the form of the trait")]
pub(super) fn affine_activate<B: Backend>(
    values: FloatTensor<B>,
    affine: FloatTensor<B>,
    slope: f32,
) -> FloatTensor<B> {
    let shape = values.shape();
    let before = scaled::<B>(rows::<B>(values), &affine);
    let below = B::float_mul_scalar(before.clone(), slope.into());
    let positive = positive::<B>(before.clone());
    B::float_reshape(B::float_mask_where(below, positive, before), shape)
}

#[expect(clippy::needless_pass_by_value, reason = "the form of the trait")]
pub(super) fn affine_activate_gradient<B: Backend>(
    gradient: FloatTensor<B>,
    values: FloatTensor<B>,
    affine: FloatTensor<B>,
    slope: f32,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let shape = values.shape();
    let (gradient, values) = (rows::<B>(gradient), rows::<B>(values));
    let positive = positive::<B>(scaled::<B>(values.clone(), &affine));
    let below = B::float_mul_scalar(gradient.clone(), slope.into());
    let gradient = B::float_mask_where(below, positive, gradient);
    let by_shift = B::float_sum_dim(gradient.clone(), 0);
    let by_scale = B::float_sum_dim(B::float_mul(gradient.clone(), values), 0);
    let by_values = B::float_mul(gradient, line::<B>(&affine, 0));
    (
        B::float_reshape(by_values, shape),
        B::float_cat(vec![by_scale, by_shift], 0),
    )
}

pub(super) fn pool_regions<B: Backend>(
    features: FloatTensor<B>,
    regions: &Regions,
) -> FloatTensor<B> {
    let [_, height, width, channels] = features.shape().dims();
    let reads = reads(regions, height, width);
    let device = burn::backend::TensorMetadata::device(&features);
    let features = rows::<B>(features);
    let shape = Shape::new([reads.cells, channels]);
    let mut sum = B::float_zeros(shape, &device, FloatDType::F32);
    for k in 0..reads.depth() {
        let read = B::float_select(features.clone(), 0, reads.rows::<B>(k, &device));
        let read = B::float_mul(read, reads.weights::<B>(k, &device));
        sum = B::float_add(sum, read);
    }
    let side = regions.side;
    let shape = Shape::new([regions.boxes.len(), side, side, channels]);
    B::float_reshape(sum, shape)
}

pub(super) fn pool_regions_gradient<B: Backend>(
    gradient: FloatTensor<B>,
    regions: &Regions,
    [n, height, width, channels]: [usize; 4],
) -> FloatTensor<B> {
    let reads = reads(regions, height, width);
    let device = burn::backend::TensorMetadata::device(&gradient);
    let gradient = rows::<B>(gradient);
    let shape = Shape::new([n * height * width, channels]);
    let mut sum = B::float_zeros(shape, &device, FloatDType::F32);
    for k in 0..reads.depth() {
        let part = B::float_mul(gradient.clone(), reads.weights::<B>(k, &device));
        let rows = reads.rows::<B>(k, &device);
        sum = B::float_select_assign(sum, 0, rows, part, IndexingUpdateOp::Add);
    }
    B::float_reshape(sum, Shape::new([n, height, width, channels]))
}

pub(super) fn depthwise<B: Backend>(
    values: FloatTensor<B>,
    kernels: FloatTensor<B>,
    geometry: DepthwiseGeometry,
) -> FloatTensor<B> {
    let options = grouped(geometry, kernels.shape()[3]);
    let padded = B::float_permute(padded::<B>(values, geometry), &[0, 3, 1, 2]);
    let kernels = B::float_permute(kernels, &[3, 2, 0, 1]);
    let out = B::conv2d(padded, kernels, None, options);
    B::float_permute(out, &[0, 2, 3, 1])
}

pub(super) fn depthwise_values_gradient<B: Backend>(
    gradient: FloatTensor<B>,
    kernels: FloatTensor<B>,
    geometry: DepthwiseGeometry,
    [n, height, width, channels]: [usize; 4],
) -> FloatTensor<B> {
    let [before, after] = geometry.padding;
    let (rows, columns) = (height + before + after, width + before + after);
    let device = burn::backend::TensorMetadata::device(&gradient);
    // burn reads nothing but the shape of the values.
    let shape = Shape::new([n, channels, rows, columns]);
    let like = B::float_zeros(shape, &device, FloatDType::F32);
    let padded = B::conv2d_x_backward(
        like,
        B::float_permute(kernels, &[3, 2, 0, 1]),
        B::float_permute(gradient, &[0, 3, 1, 2]),
        grouped(geometry, channels),
    );
    let padded = B::float_permute(padded, &[0, 2, 3, 1]);
    B::float_slice(padded, &middle([height, width], before))
}

pub(super) fn depthwise_kernels_gradient<B: Backend>(
    gradient: FloatTensor<B>,
    values: FloatTensor<B>,
    geometry: DepthwiseGeometry,
    side: usize,
) -> FloatTensor<B> {
    let channels = values.shape()[3];
    let device = burn::backend::TensorMetadata::device(&values);
    // burn reads nothing but the shape of the kernels.
    let shape = Shape::new([channels, 1, side, side]);
    let like = B::float_zeros(shape, &device, FloatDType::F32);
    let kernels = B::conv2d_weight_backward(
        B::float_permute(padded::<B>(values, geometry), &[0, 3, 1, 2]),
        like,
        B::float_permute(gradient, &[0, 3, 1, 2]),
        grouped(geometry, channels),
    );
    B::float_permute(kernels, &[2, 3, 1, 0])
}

pub(super) fn relu6<B: Backend>(values: FloatTensor<B>) -> FloatTensor<B> {
    B::float_clamp(values, 0.0.into(), 6.0.into())
}

pub(super) fn relu6_gradient<B: Backend>(
    gradient: FloatTensor<B>,
    behind: FloatTensor<B>,
) -> FloatTensor<B> {
    let device = burn::backend::TensorMetadata::device(&behind);
    let dtype = get_or_init_device_settings::<B>(&device).bool_dtype;
    let zero = B::float_mul_scalar(gradient.clone(), 0.0.into());
    let above = B::float_greater_elem(behind.clone(), 0.0.into(), dtype);
    let below = B::float_lower_elem(behind, 6.0.into(), dtype);
    let gradient = B::float_mask_where(zero.clone(), above, gradient);
    B::float_mask_where(zero, below, gradient)
}

/// A convolution of each channel by itself, of values that have their zeros already.
fn grouped(geometry: DepthwiseGeometry, channels: usize) -> ConvOptions<2> {
    ConvOptions::new([geometry.stride; 2], [0; 2], [1; 2], channels)
}

/// The values with zeros around them.
fn padded<B: Backend>(values: FloatTensor<B>, geometry: DepthwiseGeometry) -> FloatTensor<B> {
    let [n, height, width, channels] = values.shape().dims();
    let [before, after] = geometry.padding;
    let device = burn::backend::TensorMetadata::device(&values);
    let shape = Shape::new([n, height + before + after, width + before + after, channels]);
    let zeros = B::float_zeros(shape, &device, FloatDType::F32);
    B::float_slice_assign(zeros, &middle([height, width], before), values)
}

/// The rows and columns of `[n, height, width, channel]` behind so many others.
fn middle(sides: [usize; 2], before: usize) -> [Slice; 4] {
    let axis = |length: usize| {
        let first = before as isize;
        Slice::new(first, Some(first + length as isize), 1)
    };
    [Slice::full(), axis(sides[0]), axis(sides[1]), Slice::full()]
}

impl Reads {
    fn depth(&self) -> usize {
        self.rows.len().checked_div(self.cells).unwrap_or(0)
    }

    fn rows<B: Backend>(
        &self,
        k: usize,
        device: &burn::backend::tensor::Device<B>,
    ) -> burn::backend::tensor::IntTensor<B> {
        let part = self.rows[k * self.cells..(k + 1) * self.cells].to_vec();
        let dtype = get_or_init_device_settings::<B>(device).int_dtype;
        let data = TensorData::new(part, [self.cells]).convert_dtype(dtype.into());
        B::int_from_data(data, device)
    }

    fn weights<B: Backend>(
        &self,
        k: usize,
        device: &burn::backend::tensor::Device<B>,
    ) -> FloatTensor<B> {
        let part = self.weights[k * self.cells..(k + 1) * self.cells].to_vec();
        B::float_from_data(TensorData::new(part, [self.cells, 1]), device)
    }
}

/// `scale · x + shift` of rows of channels.
fn scaled<B: Backend>(rows: FloatTensor<B>, affine: &FloatTensor<B>) -> FloatTensor<B> {
    let scaled = B::float_mul(rows, line::<B>(affine, 0));
    B::float_add(scaled, line::<B>(affine, 1))
}

fn positive<B: Backend>(values: FloatTensor<B>) -> burn::backend::tensor::BoolTensor<B> {
    let device = burn::backend::TensorMetadata::device(&values);
    let dtype = get_or_init_device_settings::<B>(&device).bool_dtype;
    B::float_greater_elem(values, 0.0.into(), dtype)
}
