//! Dense `f32` kernels of convolutional nets on the CPU, channels last.
//!
//! Not a tensor library: slices in, slices out, shapes given by the caller. Activations are
//! `[batch, height, width, channel]`, weights `[kernel_y, kernel_x, in_channel, out_channel]`.
//! Work is divided over the current rayon pool by outputs, so that results have the same bits for
//! any number of threads; convolutions also give an item the same bits in any batch.
//!
#![doc = include_str!("../README.md")]

mod activation;
mod adam;
mod aligned;
mod batch_norm;
mod convolution;
mod convolve;
mod depthwise;
mod dispatch;
mod epilogue;
mod error;
mod gather;
mod gradients;
mod join;
mod lanes;
mod max_pool;
mod moments;
mod panels;
mod product;
mod resize_nearest;
mod roi_align;
mod rows;
mod scatter;
mod tile;

pub use activation::{leaky_relu_gradient, scale_shift_activate, tanh_gradient};
pub use adam::{Adam, adam_step};
pub use batch_norm::{
    BatchNorm, batch_norm_constant_gradient, batch_norm_input_gradient,
    batch_norm_parameter_gradients,
};
pub use convolution::Convolution;
pub use convolve::{forward, forward_onto, input_gradient};
pub use depthwise::{
    Depthwise, depthwise_forward, depthwise_input_gradient, depthwise_weight_gradient,
};
pub use epilogue::{Activation, Epilogue};
pub use error::KernelError;
pub use gradients::weight_gradient;
pub use join::{add_activate, relu6_gradient};
pub use max_pool::{MaxPool, max_pool, max_pool_gradient};
pub use moments::{Moments, channel_moments};
pub use panels::{Packed, PackedTransposed, pack, pack_transposed};
pub use resize_nearest::{ResizeNearest, add_nearest, nearest_gradient};
pub use roi_align::{Roi, RoiAlign, roi_align, roi_align_gradient};

#[cfg(test)]
mod against_formulas;
#[cfg(test)]
mod against_loops;
