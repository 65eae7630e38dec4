//! The head that draws the mask of a region, and the function that makes its last weights from
//! those of the box head.
//!
//! # Source
//! He et al. 2017, arXiv:1703.06870, figure 4 (right); Hu et al. 2018, arXiv:1711.10370,
//! sections 3.2 and 3.3.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData, activation};

use super::architecture::{
    Architecture, MaskArchitecture, MaskPredictor, Perceptron, Transfer, TransferActivation,
    TransferForm, TransferGradient, TransferSource,
};
use super::box_head::BoxHead;
use super::layer::{Biased, Dense, LINEAR, RELU, beside_ones};
use super::start::Start;
use crate::detection_ops::affine_activate;
use crate::ops::{self, Geometry};

/// Side of a region's features.
pub(crate) const MASK_SIDE: usize = 14;
/// Side of a mask.
pub const MASK_OUT: usize = 2 * MASK_SIDE;
/// Units of the perceptron beside a transfer.
const PERCEPTRON: usize = 128;
/// Slope of the leaky rectifier between the layers of a transfer.
const LEAKY: f64 = 0.1;

/// Convolutions, a doubling and a predictor.
#[derive(Module, Debug)]
pub struct MaskHead {
    convolutions: Vec<Biased>,
    doubling: Doubling,
    /// Per class, or of all classes: `[1, 1, channel, output]`.
    predictor: Option<Biased>,
    transfer: Option<TransferFunction>,
}

/// A transposed 2 × 2 convolution of stride 2.
#[derive(Module, Debug)]
pub(crate) struct Doubling {
    /// `[2, 2, written, read]`: the kernel of the convolution whose adjoint this is.
    kernel: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
}

/// Makes mask weights of class weights.
#[derive(Module, Debug)]
pub(crate) struct TransferFunction {
    layers: Vec<Dense>,
    /// `[1, channel]`: what all classes share, in the residual form.
    shared: Option<Param<Tensor<2>>>,
    perceptron: Option<MaskPerceptron>,
}

#[derive(Module, Debug)]
struct MaskPerceptron {
    inner: Dense,
    outer: Dense,
}

impl MaskHead {
    pub(crate) fn new(
        architecture: &Architecture,
        masks: MaskArchitecture,
        start: &mut Start<'_>,
    ) -> Self {
        let channels = masks.channels;
        let mut read = architecture.pyramid_channels;
        let mut convolutions = Vec::new();
        for _ in 0..masks.convolutions {
            let kernel = start.kaiming([3, 3, read, channels], 9 * channels);
            convolutions.push(Biased::from(kernel, start));
            read = channels;
        }
        let doubling = Doubling::new(channels, read, start);
        let mut predictor = |outputs: usize| {
            let kernel = start.normal([1, 1, channels, outputs], 0.001);
            Biased::from(kernel, start)
        };
        let (predictor, transfer) = match masks.predictor {
            MaskPredictor::PerClass => (Some(predictor(architecture.classes)), None),
            MaskPredictor::Agnostic => (Some(predictor(1)), None),
            MaskPredictor::Transfer(transfer) => {
                let inner = architecture.fc_dim;
                let function = TransferFunction::new(transfer, inner, channels, start);
                (None, Some(function))
            }
        };
        Self {
            convolutions,
            doubling,
            predictor,
            transfer,
        }
    }

    /// What the convolutions make of a region, `[region, 14, 14, channel]`.
    fn convolved(&self, pooled: Tensor<4>) -> Tensor<4> {
        let mut x = pooled;
        for layer in &self.convolutions {
            x = layer.forward(x, RELU);
        }
        x
    }

    /// Mask logits of regions for the class of each, `[region, 28, 28]`.
    ///
    /// # Shapes
    /// - `pooled`: `[region, 14, 14, channel]`; `classes`: one a region, none of them background
    pub(crate) fn forward(
        &self,
        pooled: Tensor<4>,
        classes: &[usize],
        masks: MaskArchitecture,
        boxes: &BoxHead,
    ) -> Tensor<3> {
        let convolved = self.convolved(pooled);
        let features = self.doubling.forward(convolved.clone());
        let [regions, height, width, channels] = features.dims();
        match (masks.predictor, &self.predictor, &self.transfer) {
            (MaskPredictor::Transfer(transfer), _, Some(function)) => {
                let weights = function.weights(transfer, boxes);
                let own = picked(weights, &classes.iter().map(|c| c - 1).collect::<Vec<_>>());
                let own = own.reshape([regions, 1, 1, channels]);
                let logits = (features * own)
                    .sum_dim(3)
                    .reshape([regions, height, width]);
                match &function.perceptron {
                    Some(perceptron) => logits + perceptron.forward(convolved),
                    None => logits,
                }
            }
            (MaskPredictor::PerClass, Some(predictor), _) => {
                let all = predictor.forward(features, LINEAR);
                let outputs = all.dims()[3];
                // Regions first, then classes: row `region · outputs + class`.
                let all = all.permute([0, 3, 1, 2]);
                let rows = all.reshape([regions * outputs, height * width]);
                let place = |(region, class): (usize, &usize)| region * outputs + class;
                let own: Vec<usize> = classes.iter().enumerate().map(place).collect();
                picked(rows, &own).reshape([regions, height, width])
            }
            (_, Some(predictor), _) => predictor
                .forward(features, LINEAR)
                .reshape([regions, height, width]),
            _ => unreachable!("a head is built with what its predictor needs"),
        }
    }

    /// Mask logits of regions for every class, `[region, 28, 28, class]`, of a per-class predictor.
    #[cfg(test)]
    pub(crate) fn all_classes(&self, pooled: Tensor<4>) -> Option<Tensor<4>> {
        let predictor = self.predictor.as_ref()?;
        let features = self.doubling.forward(self.convolved(pooled));
        Some(predictor.forward(features, LINEAR))
    }
}

impl Doubling {
    pub(crate) fn new(written: usize, read: usize, start: &mut Start<'_>) -> Self {
        Self {
            kernel: start.kaiming([2, 2, written, read], 4 * written),
            bias: start.constant([written], 0.0),
        }
    }

    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let kernel = self.kernel.val();
        let ([_, height, width, _], [_, _, written, read]) = (x.dims(), kernel.dims());
        let geometry = Geometry {
            height: 2 * height,
            width: 2 * width,
            in_channels: written,
            out_channels: read,
            kernel: 2,
            stride: 2,
            padding: 0,
        };
        let values = ops::convolve_adjoint(x, kernel, geometry);
        affine_activate(values, beside_ones(self.bias.val()), RELU)
    }
}

impl TransferFunction {
    fn new(transfer: Transfer, inner: usize, channels: usize, start: &mut Start<'_>) -> Self {
        let mut read = match transfer.from {
            TransferSource::Class => inner,
            TransferSource::Box => 4 * inner,
            TransferSource::Both => 5 * inner,
        };
        let mut layers = Vec::new();
        for layer in 0..transfer.layers {
            let last = layer + 1 == transfer.layers;
            let matrix = match transfer.form {
                TransferForm::Residual if last => start.constant([read, channels], 0.0),
                _ => start.kaiming([read, channels], read),
            };
            layers.push(Dense::from(matrix, start));
            read = channels;
        }
        let shared = match transfer.form {
            TransferForm::Plain => None,
            TransferForm::Residual => Some(start.normal([1, channels], 0.001)),
        };
        let perceptron = match transfer.perceptron {
            Perceptron::Absent => None,
            Perceptron::Added => Some(MaskPerceptron::new(channels, start)),
        };
        Self {
            layers,
            shared,
            perceptron,
        }
    }

    /// The mask weights of every class but the background, `[class − 1, channel]`.
    pub(crate) fn weights(&self, transfer: Transfer, boxes: &BoxHead) -> Tensor<2> {
        let (class, regression) = boxes.class_weights();
        let embedding = match transfer.from {
            TransferSource::Class => class,
            TransferSource::Box => regression,
            TransferSource::Both => Tensor::cat(vec![class, regression], 1),
        };
        let mut x = match transfer.gradient {
            TransferGradient::Stopped => embedding.detach(),
            TransferGradient::Passed => embedding,
        };
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x, LINEAR);
            if index + 1 < self.layers.len() {
                x = match transfer.activation {
                    TransferActivation::Relu => activation::relu(x),
                    TransferActivation::LeakyRelu => activation::leaky_relu(x, LEAKY),
                };
            }
        }
        match &self.shared {
            Some(shared) => x + shared.val(),
            None => x,
        }
    }
}

impl MaskPerceptron {
    fn new(read: usize, start: &mut Start<'_>) -> Self {
        let length = MASK_SIDE * MASK_SIDE * read;
        let inner = start.kaiming([length, PERCEPTRON], length);
        let outer = start.normal([PERCEPTRON, MASK_OUT * MASK_OUT], 0.001);
        Self {
            inner: Dense::from(inner, start),
            outer: Dense::from(outer, start),
        }
    }

    /// One map for any class, `[region, 28, 28]`, of what the head's convolutions give.
    fn forward(&self, inner: Tensor<4>) -> Tensor<3> {
        let [regions, height, width, channels] = inner.dims();
        let rows = inner.reshape([regions, height * width * channels]);
        let map = self.outer.forward(self.inner.forward(rows, RELU), LINEAR);
        map.reshape([regions, MASK_OUT, MASK_OUT])
    }
}

/// The rows of a matrix by their numbers.
pub(crate) fn picked(rows: Tensor<2>, numbers: &[usize]) -> Tensor<2> {
    let device = rows.device();
    let numbers: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
    let length = numbers.len();
    let data = TensorData::new(numbers, [length]);
    rows.select(0, Tensor::from_data(data, &device))
}
