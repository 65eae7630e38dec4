//! Values that weights start from, drawn from a stream of ours.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use retrial_seed::Stream;

/// Draws the starting values of one net.
pub(crate) struct Start<'s> {
    pub(crate) stream: &'s mut Stream,
    pub(crate) device: &'s Device,
}

impl Start<'_> {
    /// Normal with variance 2 / `fan`.
    ///
    /// # Source
    /// He et al. 2015, arXiv:1502.01852, Eq. (10).
    pub(crate) fn kaiming<const D: usize>(
        &mut self,
        shape: [usize; D],
        fan: usize,
    ) -> Param<Tensor<D>> {
        self.normal(shape, (2.0 / fan as f64).sqrt())
    }

    /// Uniform in ±√(3 / fan-in): Detectron2's start of lateral connections and dense layers.
    pub(crate) fn uniform<const D: usize>(
        &mut self,
        shape: [usize; D],
        fan_in: usize,
    ) -> Param<Tensor<D>> {
        let bound = (3.0 / fan_in as f64).sqrt();
        self.param(shape, |stream| (2.0 * stream.uniform() - 1.0) * bound)
    }

    /// Normal with standard deviation `sd`.
    pub(crate) fn normal<const D: usize>(
        &mut self,
        shape: [usize; D],
        sd: f64,
    ) -> Param<Tensor<D>> {
        self.param(shape, |stream| sd * stream.normal())
    }

    /// The same value everywhere.
    pub(crate) fn constant<const D: usize>(
        &mut self,
        shape: [usize; D],
        value: f64,
    ) -> Param<Tensor<D>> {
        self.param(shape, |_| value)
    }

    /// Scale 1 and shift 0, `[2, channels]`.
    pub(crate) fn affine(&mut self, channels: usize) -> Param<Tensor<2>> {
        self.pair(channels, 1.0, 0.0)
    }

    /// Running mean 0 and variance 1, `[2, channels]`; not trained.
    pub(crate) fn running(&mut self, channels: usize) -> Param<Tensor<2>> {
        self.pair(channels, 0.0, 1.0).set_require_grad(false)
    }

    fn pair(&mut self, channels: usize, first: f64, second: f64) -> Param<Tensor<2>> {
        let mut drawn = 0;
        self.param([2, channels], move |_| {
            drawn += 1;
            if drawn <= channels { first } else { second }
        })
    }

    fn param<const D: usize>(
        &mut self,
        shape: [usize; D],
        mut draw: impl FnMut(&mut Stream) -> f64,
    ) -> Param<Tensor<D>> {
        let length = shape.iter().product();
        let values: Vec<f32> = (0..length).map(|_| draw(self.stream) as f32).collect();
        let data = TensorData::new(values, shape);
        Param::from_tensor(Tensor::from_data(data, self.device))
    }
}
