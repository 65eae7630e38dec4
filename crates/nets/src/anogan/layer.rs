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

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use retrial_seed::Seed;

    use super::*;
    use crate::anogan::start::Initialisation;
    use crate::weights::values;

    #[test]
    fn running_moments_fold_into_factor_and_summand() {
        let device = crate::testing::device().autodiff();
        let pair = |values: [f32; 4]| {
            let data = TensorData::new(values.to_vec(), [2, 2]);
            Param::from_tensor(Tensor::from_data(data, &device))
        };
        let norm = Norm {
            affine: pair([1.5, -0.5, 0.25, 2.0]),
            running: pair([0.3, -4.0, 0.04, 9.0]),
        };
        let (factor, summand) = norm.folded();
        // γ (x − μ) / √(σ² + 1e-5) + β = factor · x + summand.
        for (channel, (scale, shift, mean, variance)) in
            [(1.5, 0.25, 0.3, 0.04), (-0.5, 2.0, -4.0, 9.0_f64)]
                .into_iter()
                .enumerate()
        {
            let expected = scale / (variance + 1e-5).sqrt();
            let found = f64::from(values(factor.clone())[channel]);
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
            let expected = shift - mean * expected;
            let found = f64::from(values(summand.clone())[channel]);
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
        }
    }

    /// Largest singular value of a kernel as a matrix `[n, written]`, by the power iteration on
    /// `WᵀW` in double precision.
    fn largest_singular(kernel: &Tensor<4>) -> f64 {
        let written = kernel.dims()[3];
        let rows = values(kernel.clone());
        let mut right = vec![1.0_f64; written];
        let mut value = 0.0;
        for _ in 0..5000 {
            let mut next = vec![0.0; written];
            for row in rows.chunks(written) {
                let left: f64 = row.iter().zip(&right).map(|(w, v)| f64::from(*w) * v).sum();
                for (sum, w) in next.iter_mut().zip(row) {
                    *sum += f64::from(*w) * left;
                }
            }
            let length = next.iter().map(|v| v * v).sum::<f64>().sqrt();
            value = length.sqrt();
            right = next.iter().map(|v| v / length).collect();
        }
        value
    }

    #[test]
    fn the_largest_singular_value_becomes_one() {
        let device = crate::testing::device().autodiff();
        let mut stream = Seed(4).stream("layer");
        let mut start = Start {
            initialisation: Initialisation::Torch,
            stream: &mut stream,
            device: &device,
        };
        let mut layer = Halving::new((3, 8), Normalisation::Spectral, &mut start);
        let before = largest_singular(&layer.frozen().kernel);
        assert!(before > 1.02, "{before}: there is nothing to do");
        for _ in 0..100 {
            layer.by_batch(Tensor::ones([1, 4, 4, 3], &device), 0.1);
        }
        let after = largest_singular(&layer.frozen().kernel);
        assert!((after - 1.0).abs() < 1e-2, "{after}");
        // The kernel in training is the frozen one: a bias of zero and a linear activation.
        let wide = Tensor::ones([1, 4, 4, 3], &device);
        let trained = values(layer.by_batch(wide.clone(), 1.0));
        let frozen = values(layer.frozen().halve(wide, 1.0));
        assert_eq!((trained.len(), frozen.len()), (2 * 2 * 8, 2 * 2 * 8));
        for (a, b) in trained.iter().zip(&frozen) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }
}
