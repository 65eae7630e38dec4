//! The operations in terms of burn's own, for any backend, and as what ours are tested against.

use burn::backend::ops::{ConvOptions, ConvTransposeOptions};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata as _, get_or_init_device_settings};
use burn::tensor::{Shape, Slice};

use super::{Activation, AdamStep, EPSILON, Geometry};

pub(super) fn convolve<B: Backend>(
    wide: FloatTensor<B>,
    kernel: FloatTensor<B>,
    geometry: Geometry,
) -> FloatTensor<B> {
    let narrow = B::conv2d(
        channels_first::<B>(wide),
        out_in::<B>(kernel),
        None,
        options(geometry),
    );
    channels_last::<B>(narrow)
}

pub(super) fn convolve_adjoint<B: Backend>(
    narrow: FloatTensor<B>,
    kernel: FloatTensor<B>,
    geometry: Geometry,
) -> FloatTensor<B> {
    let lost = |size: usize, out: usize| {
        let Geometry {
            kernel,
            stride,
            padding,
            ..
        } = geometry;
        size + 2 * padding - ((out - 1) * stride + kernel)
    };
    let options = ConvTransposeOptions::new(
        [geometry.stride; 2],
        [geometry.padding; 2],
        [
            lost(geometry.height, geometry.out_height()),
            lost(geometry.width, geometry.out_width()),
        ],
        [1, 1],
        1,
    );
    // burn's transposed kernels are [channels read, channels written, y, x]: those of the
    // convolution, whose output side is read here.
    let wide = B::conv_transpose2d(
        channels_first::<B>(narrow),
        out_in::<B>(kernel),
        None,
        options,
    );
    channels_last::<B>(wide)
}

pub(super) fn kernel_gradient<B: Backend>(
    wide: FloatTensor<B>,
    narrow: FloatTensor<B>,
    geometry: Geometry,
) -> FloatTensor<B> {
    let Geometry {
        kernel,
        in_channels,
        out_channels,
        ..
    } = geometry;
    // burn reads nothing but the shape of the kernel.
    let shape = Shape::new([out_channels, in_channels, kernel, kernel]);
    let device = burn::backend::TensorMetadata::device(&wide);
    let like = B::float_zeros(shape, &device, burn::tensor::FloatDType::F32);
    let gradient = B::conv2d_weight_backward(
        channels_first::<B>(wide),
        like,
        channels_first::<B>(narrow),
        options(geometry),
    );
    B::float_permute(gradient, &[2, 3, 1, 0])
}

pub(super) fn shift_activate<B: Backend>(
    values: FloatTensor<B>,
    bias: FloatTensor<B>,
    activation: Activation,
) -> FloatTensor<B> {
    let channels = bias.shape()[0];
    let bias = B::float_reshape(bias, Shape::new([1, 1, 1, channels]));
    let shifted = B::float_add(values, bias);
    match activation {
        Activation::Identity => shifted,
        Activation::LeakyRelu(slope) => leaky::<B>(shifted, slope),
        Activation::Tanh => B::float_tanh(shifted),
    }
}

pub(super) fn activation_gradient<B: Backend>(
    gradient: FloatTensor<B>,
    behind: FloatTensor<B>,
    activation: Activation,
) -> FloatTensor<B> {
    match activation {
        Activation::Identity => gradient,
        // A leaky rectifier keeps the sign, so that the sign behind it is the sign before it.
        Activation::LeakyRelu(slope) => masked::<B>(gradient, behind, slope),
        Activation::Tanh => {
            let square = B::float_mul(behind.clone(), behind);
            let derivative = B::float_add_scalar(B::float_neg(square), 1.0.into());
            B::float_mul(gradient, derivative)
        }
    }
}

pub(super) fn channel_moments<B: Backend>(values: FloatTensor<B>) -> FloatTensor<B> {
    let rows = rows::<B>(values);
    let mean = B::float_mean_dim(rows.clone(), 0);
    let centred = B::float_sub(rows, mean.clone());
    let variance = B::float_mean_dim(B::float_mul(centred.clone(), centred), 0);
    B::float_cat(vec![mean, variance], 0)
}

#[expect(clippy::needless_pass_by_value, reason = "the form of the trait")]
pub(super) fn normalise<B: Backend>(
    values: FloatTensor<B>,
    moments: FloatTensor<B>,
    affine: FloatTensor<B>,
    slope: f32,
) -> FloatTensor<B> {
    let shape = values.shape();
    let (normal, _) = standardised::<B>(values, &moments);
    let scaled = B::float_add(
        B::float_mul(normal, line::<B>(&affine, 0)),
        line::<B>(&affine, 1),
    );
    B::float_reshape(leaky::<B>(scaled, slope), shape)
}

/// # Source
/// Ioffe & Szegedy 2015, arXiv:1502.03167, section 3: the gradients of the training form.
#[expect(clippy::needless_pass_by_value, reason = "the form of the trait")]
pub(super) fn normalise_gradient<B: Backend>(
    gradient: FloatTensor<B>,
    values: FloatTensor<B>,
    moments: FloatTensor<B>,
    affine: FloatTensor<B>,
    slope: f32,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let shape = values.shape();
    let (normal, inverse_sd) = standardised::<B>(values, &moments);
    let scale = line::<B>(&affine, 0);
    let before = B::float_add(
        B::float_mul(normal.clone(), scale.clone()),
        line::<B>(&affine, 1),
    );
    let gradient = masked::<B>(rows::<B>(gradient), before, slope);
    let count = gradient.shape()[0] as f64;
    let shift_gradient = B::float_sum_dim(gradient.clone(), 0);
    let scale_gradient = B::float_sum_dim(B::float_mul(gradient.clone(), normal.clone()), 0);
    let mean = |sum: &FloatTensor<B>| B::float_mul_scalar(sum.clone(), (1.0 / count).into());
    let along = B::float_mul(normal, mean(&scale_gradient));
    let rest = B::float_sub(B::float_sub(gradient, mean(&shift_gradient)), along);
    let values_gradient = B::float_mul(rest, B::float_mul(scale, inverse_sd));
    (
        B::float_reshape(values_gradient, shape),
        B::float_cat(vec![scale_gradient, shift_gradient], 0),
    )
}

pub(super) fn adam<B: Backend>(
    weights: FloatTensor<B>,
    gradient: FloatTensor<B>,
    first: FloatTensor<B>,
    second: FloatTensor<B>,
    step: AdamStep,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let scaled = |values: FloatTensor<B>, factor: f64| B::float_mul_scalar(values, factor.into());
    let correction = |beta: f64| 1.0 - beta.powf(f64::from(step.step));
    let square = B::float_mul(gradient.clone(), gradient.clone());
    let first = B::float_add(
        scaled(first, step.beta1),
        scaled(gradient, 1.0 - step.beta1),
    );
    let second = B::float_add(scaled(second, step.beta2), scaled(square, 1.0 - step.beta2));
    let root = scaled(
        B::float_sqrt(second.clone()),
        1.0 / correction(step.beta2).sqrt(),
    );
    let root = B::float_add_scalar(root, step.epsilon.into());
    let rate = step.learning_rate / correction(step.beta1);
    let change = B::float_div(scaled(first.clone(), rate), root);
    (B::float_sub(weights, change), first, second)
}

/// `(x − mean) / sd` as rows of channels, and `1 / sd`.
fn standardised<B: Backend>(
    values: FloatTensor<B>,
    moments: &FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let mean = line::<B>(moments, 0);
    let variance = B::float_add_scalar(line::<B>(moments, 1), EPSILON.into());
    let inverse_sd = B::float_recip(B::float_sqrt(variance));
    let centred = B::float_sub(rows::<B>(values), mean);
    (B::float_mul(centred, inverse_sd.clone()), inverse_sd)
}

fn leaky<B: Backend>(values: FloatTensor<B>, slope: f32) -> FloatTensor<B> {
    masked::<B>(values.clone(), values, slope)
}

/// `values` where `sign` is positive, `slope · values` elsewhere.
fn masked<B: Backend>(values: FloatTensor<B>, sign: FloatTensor<B>, slope: f32) -> FloatTensor<B> {
    let device = burn::backend::TensorMetadata::device(&sign);
    let dtype = get_or_init_device_settings::<B>(&device).bool_dtype;
    let positive = B::float_greater_elem(sign, 0.0.into(), dtype);
    let below = B::float_mul_scalar(values.clone(), slope.into());
    B::float_mask_where(below, positive, values)
}

/// All axes but the last in one: `[rows, channel]`.
pub(crate) fn rows<B: Backend>(values: FloatTensor<B>) -> FloatTensor<B> {
    let shape = values.shape();
    let channels = shape[shape.num_dims() - 1];
    let count = shape.num_elements() / channels;
    B::float_reshape(values, Shape::new([count, channels]))
}

/// Row `index` of a `[2, channel]` tensor, `[1, channel]`.
pub(crate) fn line<B: Backend>(pair: &FloatTensor<B>, index: usize) -> FloatTensor<B> {
    let index = index as isize;
    let slices = [Slice::new(index, Some(index + 1), 1), Slice::full()];
    B::float_slice(pair.clone(), &slices)
}

fn options(geometry: Geometry) -> ConvOptions<2> {
    ConvOptions::new([geometry.stride; 2], [geometry.padding; 2], [1, 1], 1)
}

fn channels_first<B: Backend>(values: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(values, &[0, 3, 1, 2])
}

fn channels_last<B: Backend>(values: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(values, &[0, 2, 3, 1])
}

/// `[y, x, in, out]` to burn's `[out, in, y, x]`.
fn out_in<B: Backend>(kernel: FloatTensor<B>) -> FloatTensor<B> {
    B::float_permute(kernel, &[3, 2, 0, 1])
}
