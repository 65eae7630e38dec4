//! Convolutions and dense layers with what stands behind them.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::architecture::Normalisation;
use super::start::Start;
use crate::detection_ops::affine_activate;
use crate::ops::{self, EPSILON, Geometry};

/// Share of a new batch in the running moments; PyTorch's default.
const MOMENTUM: f64 = 0.1;
/// Slope of the rectifier.
pub(crate) const RELU: f32 = 0.0;
/// Slope of no activation at all.
pub(crate) const LINEAR: f32 = 1.0;

/// A convolution and the batch normalisation behind it.
#[derive(Module, Debug)]
pub(crate) struct Normalised {
    /// `[y, x, in, out]`.
    kernel: Param<Tensor<4>>,
    /// Scale and shift, `[2, out]`.
    affine: Param<Tensor<2>>,
    /// Running mean and unbiased variance, `[2, out]`.
    running: Param<Tensor<2>>,
}

/// A convolution with a bias.
#[derive(Module, Debug)]
pub(crate) struct Biased {
    /// `[y, x, in, out]`.
    kernel: Param<Tensor<4>>,
    /// `[out]`.
    bias: Param<Tensor<1>>,
}

/// A dense layer.
#[derive(Module, Debug)]
pub(crate) struct Dense {
    /// `[in, out]`.
    matrix: Param<Tensor<2>>,
    /// `[out]`.
    bias: Param<Tensor<1>>,
}

impl Normalised {
    pub(crate) fn new(
        kernel: usize,
        (read, written): (usize, usize),
        start: &mut Start<'_>,
    ) -> Self {
        Self {
            kernel: start.kaiming([kernel, kernel, read, written], kernel * kernel * written),
            affine: start.affine(written),
            running: start.running(written),
        }
    }

    /// A convolution of each channel by itself.
    pub(crate) fn depthwise(kernel: usize, channels: usize, start: &mut Start<'_>) -> Self {
        Self {
            kernel: start.kaiming([kernel, kernel, 1, channels], kernel * kernel),
            affine: start.affine(channels),
            running: start.running(channels),
        }
    }

    /// The kernel, `[y, x, in, out]`.
    pub(crate) fn kernel(&self) -> Tensor<4> {
        self.kernel.val()
    }

    /// `x` convolved with zeros around it so that stride 1 keeps its size, normalised, activated.
    ///
    /// # Shapes
    /// - `x`: `[n, height, width, in]`
    pub(crate) fn forward(
        &mut self,
        x: Tensor<4>,
        stride: usize,
        slope: f32,
        normalisation: Normalisation,
    ) -> Tensor<4> {
        let values = convolve(x, self.kernel.val(), stride);
        self.normalised(values, slope, EPSILON, normalisation)
    }

    /// What stands behind the convolution: normalisation, with `epsilon` added to variances, and
    /// activation.
    pub(crate) fn normalised(
        &mut self,
        values: Tensor<4>,
        slope: f32,
        epsilon: f32,
        normalisation: Normalisation,
    ) -> Tensor<4> {
        match normalisation {
            Normalisation::Running => affine_activate(values, self.folded(epsilon), slope),
            Normalisation::Batch => {
                let moments = ops::channel_moments(values.clone());
                let [n, height, width, _] = values.dims();
                self.remember(&moments, n * height * width);
                ops::normalise(values, raised(moments, epsilon), self.affine.val(), slope)
            }
        }
    }

    /// Normalisation by the running moments as factor and summand of every channel, `[2, out]`.
    fn folded(&self, epsilon: f32) -> Tensor<2> {
        let (affine, running) = (self.affine.val(), self.running.val());
        let line = |pair: &Tensor<2>, index: usize| pair.clone().narrow(0, index, 1);
        let factor = line(&affine, 0) / (line(&running, 1) + epsilon).sqrt();
        let summand = line(&affine, 1) - line(&running, 0) * factor.clone();
        Tensor::cat(vec![factor, summand], 0)
    }

    fn remember(&mut self, moments: &Tensor<2>, count: usize) {
        let count = count as f64;
        let mean = moments.clone().narrow(0, 0, 1);
        let variance = moments.clone().narrow(0, 1, 1) * (count / (count - 1.0).max(1.0));
        let new = Tensor::cat(vec![mean, variance], 0).detach();
        self.running = self
            .running
            .clone()
            .map(|old| old.detach() * (1.0 - MOMENTUM) + new * MOMENTUM)
            .set_require_grad(false);
    }
}

impl Biased {
    pub(crate) fn from(kernel: Param<Tensor<4>>, start: &mut Start<'_>) -> Self {
        let written = kernel.val().dims()[3];
        Self {
            kernel,
            bias: start.constant([written], 0.0),
        }
    }

    /// As [`Normalised::forward`], with the bias in place of a normalisation.
    pub(crate) fn forward(&self, x: Tensor<4>, slope: f32) -> Tensor<4> {
        let values = convolve(x, self.kernel.val(), 1);
        affine_activate(values, beside_ones(self.bias.val()), slope)
    }
}

impl Dense {
    pub(crate) fn from(matrix: Param<Tensor<2>>, start: &mut Start<'_>) -> Self {
        let written = matrix.val().dims()[1];
        Self {
            matrix,
            bias: start.constant([written], 0.0),
        }
    }

    /// # Shapes
    /// - `rows`: `[n, in]`, result: `[n, out]`
    pub(crate) fn forward(&self, rows: Tensor<2>, slope: f32) -> Tensor<2> {
        let product = ops::multiply(rows, self.matrix.val());
        let [n, written] = product.dims();
        let values = product.reshape([n, 1, 1, written]);
        affine_activate(values, beside_ones(self.bias.val()), slope).reshape([n, written])
    }

    /// `[in, out]`.
    pub(crate) fn matrix(&self) -> Tensor<2> {
        self.matrix.val()
    }
}

/// Moments whose variances make up for an epsilon other than that of [`ops::normalise`].
fn raised(moments: Tensor<2>, epsilon: f32) -> Tensor<2> {
    if epsilon == EPSILON {
        return moments;
    }
    let mean = moments.clone().narrow(0, 0, 1);
    let variance = moments.narrow(0, 1, 1) + (epsilon - EPSILON);
    Tensor::cat(vec![mean, variance], 0)
}

/// A bias as factor 1 and summand, `[2, channels]`.
pub(crate) fn beside_ones(bias: Tensor<1>) -> Tensor<2> {
    let channels = bias.dims()[0];
    let summand = bias.reshape([1, channels]);
    Tensor::cat(vec![summand.ones_like().detach(), summand], 0)
}

/// A convolution whose padding is half of its kernel.
pub(crate) fn convolve(x: Tensor<4>, kernel: Tensor<4>, stride: usize) -> Tensor<4> {
    let padding = kernel.dims()[0] / 2;
    padded_convolve(x, kernel, stride, padding)
}

/// A convolution without padding.
pub(crate) fn convolve_inside(x: Tensor<4>, kernel: Tensor<4>, stride: usize) -> Tensor<4> {
    padded_convolve(x, kernel, stride, 0)
}

fn padded_convolve(x: Tensor<4>, kernel: Tensor<4>, stride: usize, padding: usize) -> Tensor<4> {
    let ([_, height, width, in_channels], [size, _, _, out_channels]) = (x.dims(), kernel.dims());
    let geometry = Geometry {
        height,
        width,
        in_channels,
        out_channels,
        kernel: size,
        stride,
        padding,
    };
    ops::convolve(x, kernel, geometry)
}
