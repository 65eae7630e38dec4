//! The generator: latents to images.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::architecture::{Architecture, ArchitectureError};
use super::layer::{Doubling, FrozenLayer, KERNEL, Norm, halving};
use super::start::Start;
use crate::ops::{self, Activation};

/// A generator of images in −1..1.
///
/// A latent is projected to `size × size × channels`, doubled to the image's size with half the
/// channels each time, and ends in a hyperbolic tangent. There is no bias before a normalisation:
/// it would cancel there.
///
/// # Source
/// Radford et al. 2016, arXiv:1511.06434, figure 1; widths as published for MNIST.
#[derive(Module, Debug)]
pub struct Generator {
    /// `[latent, size · size · channel]`.
    project: Param<Tensor<2>>,
    norm: Norm,
    layers: Vec<Doubling>,
    /// `[4, 4, 1, channel]`.
    last: Param<Tensor<4>>,
    last_bias: Param<Tensor<1>>,
    size: usize,
}

impl Generator {
    pub(crate) fn new(
        architecture: &Architecture,
        start: &mut Start<'_>,
    ) -> Result<Self, ArchitectureError> {
        let (size, channels) = architecture.inner()?;
        let project = start.kernel(
            [architecture.latent_size, size * size * channels],
            channels * size * size,
        );
        let norm = Norm::new(channels, start);
        let mut levels = architecture.channels()?;
        levels.reverse();
        let inner = levels.iter().take(levels.len() - 1);
        let layers = inner
            .map(|&(written, read)| Doubling::new(read, written, start))
            .collect();
        let width = architecture.width;
        Ok(Self {
            project,
            norm,
            layers,
            last: start.kernel([KERNEL, KERNEL, 1, width], KERNEL * KERNEL),
            last_bias: start.bias(1, KERNEL * KERNEL),
            size,
        })
    }

    /// Images by the statistics of the batch, which enter the running ones.
    ///
    /// # Shapes
    /// - `latents`: `[n, latent]`
    /// - result: `[n, height, width, 1]`
    pub fn by_batch(&mut self, latents: Tensor<2>) -> Tensor<4> {
        let projected = self.projected(latents);
        let mut values = self.norm.by_batch(projected, 0.0);
        for layer in &mut self.layers {
            values = layer.by_batch(values, 0.0);
        }
        let kernel = self.last.val();
        let [_, height, width, _] = values.dims();
        let geometry = halving(2 * height, 2 * width, &kernel);
        let image = ops::convolve_adjoint(values, kernel, geometry);
        (image + self.last_bias.val().reshape([1, 1, 1, 1])).tanh()
    }

    fn projected(&self, latents: Tensor<2>) -> Tensor<4> {
        let n = latents.dims()[0];
        let flat = ops::multiply(latents, self.project.val());
        let channels = flat.dims()[1] / (self.size * self.size);
        flat.reshape([n, self.size, self.size, channels])
    }

    /// The generator by its running statistics, folded into the kernels.
    #[must_use]
    pub fn frozen(&self) -> FrozenGenerator {
        let plain = self.valid();
        let (factor, summand) = plain.norm.folded();
        let channels = factor.dims()[0];
        let positions = self.size * self.size;
        let project = plain.project.val();
        let latent = project.dims()[0];
        let project =
            project.reshape([latent, positions, channels]) * factor.reshape([1, 1, channels]);
        let bias: Tensor<2> = summand.unsqueeze_dim(0);
        FrozenGenerator {
            project: project.reshape([latent, positions * channels]),
            bias: bias
                .repeat_dim(0, positions)
                .reshape([positions * channels]),
            layers: plain.layers.iter().map(Doubling::frozen).collect(),
            last: FrozenLayer::new(plain.last.val(), plain.last_bias.val()),
            size: self.size,
        }
    }
}

/// A generator with constant weights.
#[derive(Clone, Debug)]
pub struct FrozenGenerator {
    project: Tensor<2>,
    bias: Tensor<1>,
    layers: Vec<FrozenLayer>,
    last: FrozenLayer,
    size: usize,
}

impl FrozenGenerator {
    /// Images, each independent of the others.
    ///
    /// # Shapes
    /// - `latents`: `[n, latent]`
    /// - result: `[n, height, width, 1]`, in −1..1
    #[must_use]
    pub fn draw(&self, latents: Tensor<2>) -> Tensor<4> {
        let n = latents.dims()[0];
        let flat = ops::multiply_activate(
            latents,
            self.project.clone(),
            self.bias.clone(),
            Activation::LeakyRelu(0.0),
        );
        let channels = flat.dims()[1] / (self.size * self.size);
        let mut values = flat.reshape([n, self.size, self.size, channels]);
        for layer in &self.layers {
            values = layer.double(values, Activation::LeakyRelu(0.0));
        }
        self.last.double(values, Activation::Tanh)
    }

    /// Length of a latent.
    #[must_use]
    pub fn latent_size(&self) -> usize {
        self.project.dims()[0]
    }

    /// The generator with weights that automatic differentiation treats as constants.
    #[must_use]
    pub(crate) fn differentiable(&self) -> Self {
        Self {
            project: Tensor::from_inner(self.project.clone()),
            bias: Tensor::from_inner(self.bias.clone()),
            layers: self
                .layers
                .iter()
                .map(FrozenLayer::differentiable)
                .collect(),
            last: self.last.differentiable(),
            size: self.size,
        }
    }
}
