//! A halving or doubling layer: a 4 × 4 convolution of stride 2 or its adjoint, and what stands
//! behind it.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};

use super::architecture::Normalisation;
use super::start::Start;
use crate::ops::{self, Activation, EPSILON, Geometry};

/// Width of every kernel.
pub(crate) const KERNEL: usize = 4;
const STRIDE: usize = 2;
const PADDING: usize = 1;
/// Share of a new batch in the running moments; PyTorch's default.
const MOMENTUM: f64 = 0.1;

/// The geometry between a wide side of `height × width` and the narrow side of half that.
pub(crate) fn halving(height: usize, width: usize, kernel: &Tensor<4>) -> Geometry {
    let [_, _, in_channels, out_channels] = kernel.dims();
    Geometry {
        height,
        width,
        in_channels,
        out_channels,
        kernel: KERNEL,
        stride: STRIDE,
        padding: PADDING,
    }
}

/// Batch normalisation of channels-last values.
///
/// # Source
/// Ioffe & Szegedy 2015, arXiv:1502.03167.
#[derive(Module, Debug)]
pub(crate) struct Norm {
    /// Scale and shift, `[2, channel]`.
    affine: Param<Tensor<2>>,
    /// Running mean and unbiased variance, `[2, channel]`.
    running: Param<Tensor<2>>,
}

impl Norm {
    pub(crate) fn new(channels: usize, start: &mut Start<'_>) -> Self {
        Self {
            affine: start.affine(channels),
            running: start.running(channels),
        }
    }

    /// Normalises by the moments of the batch, which enter the running ones, and activates.
    pub(crate) fn by_batch(&mut self, values: Tensor<4>, slope: f32) -> Tensor<4> {
        let moments = ops::channel_moments(values.clone());
        let [n, height, width, _] = values.dims();
        self.remember(&moments, n * height * width);
        ops::normalise(values, moments, self.affine.val(), slope)
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

    /// Normalisation by the running moments as factor and summand of every channel.
    ///
    /// # Shapes
    /// - result: `[channel]`, `[channel]`
    pub(crate) fn folded(&self) -> (Tensor<1>, Tensor<1>) {
        let line = |pair: &Tensor<2>, index: usize| {
            let channels = pair.dims()[1];
            pair.clone().narrow(0, index, 1).reshape([channels])
        };
        let (affine, running) = (self.affine.val(), self.running.val());
        let deviation = (line(&running, 1) + EPSILON).sqrt();
        let factor = line(&affine, 0) / deviation;
        let summand = line(&affine, 1) - line(&running, 0) * factor.clone();
        (factor, summand)
    }
}

/// A doubling layer of the generator.
#[derive(Module, Debug)]
pub(crate) struct Doubling {
    /// `[4, 4, written, read]`: the kernel of the convolution whose adjoint this is.
    kernel: Param<Tensor<4>>,
    norm: Norm,
}

impl Doubling {
    pub(crate) fn new(read: usize, written: usize, start: &mut Start<'_>) -> Self {
        Self {
            // PyTorch counts the fan-in of a transposed convolution on the side it writes.
            kernel: start.kernel([KERNEL, KERNEL, written, read], written * KERNEL * KERNEL),
            norm: Norm::new(written, start),
        }
    }

    pub(crate) fn by_batch(&mut self, narrow: Tensor<4>, slope: f32) -> Tensor<4> {
        let kernel = self.kernel.val();
        let [_, height, width, _] = narrow.dims();
        let geometry = halving(2 * height, 2 * width, &kernel);
        let wide = ops::convolve_adjoint(narrow, kernel, geometry);
        self.norm.by_batch(wide, slope)
    }

    pub(crate) fn frozen(&self) -> FrozenLayer {
        let (factor, summand) = self.norm.folded();
        let channels = factor.dims()[0];
        FrozenLayer {
            kernel: self.kernel.val() * factor.reshape([1, 1, channels, 1]),
            bias: summand,
        }
    }
}

/// A halving layer of a net that reads images.
#[derive(Module, Debug)]
pub(crate) struct Halving {
    /// `[4, 4, read, written]`.
    kernel: Param<Tensor<4>>,
    norm: Option<Norm>,
    bias: Option<Param<Tensor<1>>>,
    /// Left singular vector of the kernel as a matrix `[16 · read, written]`.
    singular: Option<Param<Tensor<1>>>,
}

impl Halving {
    pub(crate) fn new(
        (read, written): (usize, usize),
        normalisation: Normalisation,
        start: &mut Start<'_>,
    ) -> Self {
        let fan_in = read * KERNEL * KERNEL;
        let kernel = start.kernel([KERNEL, KERNEL, read, written], fan_in);
        let (mut norm, mut bias, mut singular) = (None, None, None);
        match normalisation {
            Normalisation::Batch => norm = Some(Norm::new(written, start)),
            Normalisation::None => bias = Some(start.bias(written, fan_in)),
            Normalisation::Spectral => {
                bias = Some(start.bias(written, fan_in));
                let vector = start.kernel([fan_in], 1);
                singular = Some(vector.set_require_grad(false));
            }
        }
        Self {
            kernel,
            norm,
            bias,
            singular,
        }
    }

    pub(crate) fn by_batch(&mut self, wide: Tensor<4>, slope: f32) -> Tensor<4> {
        let kernel = self.turn_singular();
        let [_, height, width, _] = wide.dims();
        let geometry = halving(height, width, &kernel);
        let narrow = ops::convolve(wide, kernel, geometry);
        if let Some(norm) = &mut self.norm {
            return norm.by_batch(narrow, slope);
        }
        let narrow = match &self.bias {
            Some(bias) => {
                let bias = bias.val();
                let channels = bias.dims()[0];
                narrow + bias.reshape([1, 1, 1, channels])
            }
            None => narrow,
        };
        activation::leaky_relu(narrow, f64::from(slope))
    }

    /// Takes over the statistics of a copy that saw a batch.
    pub(crate) fn take_statistics(&mut self, copy: &Self) {
        if let (Some(norm), Some(other)) = (&mut self.norm, &copy.norm) {
            norm.running = other.running.clone();
        }
        self.singular = copy.singular.clone();
    }

    /// The kernel in use, after one step of the power iteration where it is normalised by it.
    fn turn_singular(&mut self) -> Tensor<4> {
        let kernel = self.kernel.val();
        let Some(singular) = &self.singular else {
            return kernel;
        };
        let left = singular.val().detach();
        let (left, right) = power_step(&kernel.clone().detach(), left);
        self.singular = self
            .singular
            .clone()
            .map(|param| param.map(|_| left.clone()).set_require_grad(false));
        divided_by_singular(kernel, left, right)
    }

    pub(crate) fn frozen(&self) -> FrozenLayer {
        let kernel = self.kernel.val();
        if let Some(norm) = &self.norm {
            let (factor, summand) = norm.folded();
            let channels = factor.dims()[0];
            return FrozenLayer {
                kernel: kernel * factor.reshape([1, 1, 1, channels]),
                bias: summand,
            };
        }
        let kernel = match &self.singular {
            Some(singular) => {
                let left = singular.val();
                let right = unit(
                    matrix(&kernel)
                        .transpose()
                        .matmul(left.clone().unsqueeze_dim(1)),
                );
                divided_by_singular(kernel, left, right)
            }
            None => kernel,
        };
        let channels = kernel.dims()[3];
        let bias = match &self.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([channels], &kernel.device()),
        };
        FrozenLayer { kernel, bias }
    }
}

/// A kernel `[y, x, in, out]` as a matrix `[y · x · in, out]`.
fn matrix(kernel: &Tensor<4>) -> Tensor<2> {
    let [y, x, read, written] = kernel.dims();
    kernel.clone().reshape([y * x * read, written])
}

/// One step of the power iteration: the new left and right singular vectors.
fn power_step(kernel: &Tensor<4>, left: Tensor<1>) -> (Tensor<1>, Tensor<1>) {
    let matrix = matrix(kernel);
    let right = unit(matrix.clone().transpose().matmul(left.unsqueeze_dim(1)));
    let left = unit(matrix.matmul(right.clone().unsqueeze_dim(1)));
    (left, right)
}

/// A column as a vector of length one.
fn unit(column: Tensor<2>) -> Tensor<1> {
    let length = column.dims()[0];
    let norm = column.clone().square().sum().sqrt() + 1e-12;
    column.reshape([length]) / norm
}

/// `W / σ` with `σ = uᵀ W v`, differentiated through `W` only.
fn divided_by_singular(kernel: Tensor<4>, left: Tensor<1>, right: Tensor<1>) -> Tensor<4> {
    let left: Tensor<2> = left.unsqueeze_dim(0);
    let value = left.matmul(matrix(&kernel)).matmul(right.unsqueeze_dim(1));
    kernel / value.reshape([1, 1, 1, 1])
}

/// A layer whose normalisation was worked into its kernel.
#[derive(Clone, Debug)]
pub(crate) struct FrozenLayer {
    kernel: Tensor<4>,
    bias: Tensor<1>,
}

impl FrozenLayer {
    pub(crate) fn new(kernel: Tensor<4>, bias: Tensor<1>) -> Self {
        Self { kernel, bias }
    }

    /// The layer with weights that automatic differentiation treats as constants.
    pub(crate) fn differentiable(&self) -> Self {
        Self {
            kernel: Tensor::from_inner(self.kernel.clone()),
            bias: Tensor::from_inner(self.bias.clone()),
        }
    }

    pub(crate) fn halve(&self, wide: Tensor<4>, slope: f32) -> Tensor<4> {
        let [_, height, width, _] = wide.dims();
        let kernel = self.kernel.clone();
        let geometry = halving(height, width, &kernel);
        let activation = Activation::LeakyRelu(slope);
        ops::convolve_activate(wide, kernel, self.bias.clone(), geometry, activation)
    }

    pub(crate) fn double(&self, narrow: Tensor<4>, activation: Activation) -> Tensor<4> {
        let [_, height, width, _] = narrow.dims();
        let kernel = self.kernel.clone();
        let geometry = halving(2 * height, 2 * width, &kernel);
        ops::convolve_adjoint_activate(narrow, kernel, self.bias.clone(), geometry, activation)
    }
}
