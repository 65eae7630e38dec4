//! Values that weights start from, drawn from a stream of ours.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use retrial_seed::Stream;

retrial_words::words! {
    /// How weights start.
    pub enum Initialisation {
        /// Uniform in ±1/√fan-in: PyTorch's default, which the published program uses.
        Torch = "torch",
        /// Normal with standard deviation 0.02, scales of normalisations normal around 1.
        ///
        /// # Source
        /// Radford et al. 2016, arXiv:1511.06434, section 4.
        Dcgan = "dcgan",
    }
}

/// Draws the starting values of one net.
pub(crate) struct Start<'s> {
    pub(crate) initialisation: Initialisation,
    pub(crate) stream: &'s mut Stream,
    pub(crate) device: &'s Device,
}

impl Start<'_> {
    /// A kernel or matrix whose outputs sum `fan_in` products.
    pub(crate) fn kernel<const D: usize>(
        &mut self,
        shape: [usize; D],
        fan_in: usize,
    ) -> Param<Tensor<D>> {
        let draw: Box<dyn FnMut(&mut Stream) -> f64> = match self.initialisation {
            Initialisation::Torch => {
                let bound = 1.0 / (fan_in as f64).sqrt();
                Box::new(move |stream| (2.0 * stream.uniform() - 1.0) * bound)
            }
            Initialisation::Dcgan => Box::new(|stream| 0.02 * stream.normal()),
        };
        self.param(shape, draw)
    }

    /// A bias beside such a kernel.
    pub(crate) fn bias(&mut self, length: usize, fan_in: usize) -> Param<Tensor<1>> {
        match self.initialisation {
            Initialisation::Torch => self.kernel([length], fan_in),
            Initialisation::Dcgan => self.param([length], |_| 0.0),
        }
    }

    /// Scale and shift of a normalisation, `[2, channels]`.
    pub(crate) fn affine(&mut self, channels: usize) -> Param<Tensor<2>> {
        let spread = match self.initialisation {
            Initialisation::Torch => 0.0,
            Initialisation::Dcgan => 0.02,
        };
        let mut drawn = 0;
        self.param([2, channels], move |stream| {
            drawn += 1;
            if drawn <= channels {
                1.0 + spread * stream.normal()
            } else {
                0.0
            }
        })
    }

    /// Running mean 0 and variance 1, `[2, channels]`; not trained.
    pub(crate) fn running(&mut self, channels: usize) -> Param<Tensor<2>> {
        let mut drawn = 0;
        let param = self.param([2, channels], move |_| {
            drawn += 1;
            if drawn <= channels { 0.0 } else { 1.0 }
        });
        param.set_require_grad(false)
    }

    fn param<const D: usize>(
        &mut self,
        shape: [usize; D],
        mut draw: impl FnMut(&mut Stream) -> f64,
    ) -> Param<Tensor<D>> {
        let length = shape.iter().product();
        let values: Vec<f32> = (0..length).map(|_| draw(self.stream) as f32).collect();
        Param::from_tensor(Tensor::from_data(
            TensorData::new(values, shape),
            self.device,
        ))
    }
}
