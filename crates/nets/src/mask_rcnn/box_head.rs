//! The head that classifies regions and refines their boxes.
//!
//! # Source
//! Girshick 2015, arXiv:1504.08083, section 2; two dense layers as in Lin et al. 2017,
//! arXiv:1612.03144.

use burn::module::Module;
use burn::tensor::Tensor;

use super::architecture::Architecture;
use super::layer::{Dense, LINEAR, RELU};
use super::start::Start;

/// Side of a region's features.
pub(crate) const BOX_SIDE: usize = 7;

/// Two dense layers, a classifier and a box regression for every class.
#[derive(Module, Debug)]
pub(crate) struct BoxHead {
    first: Dense,
    second: Dense,
    /// `[features, class]`.
    classifier: Dense,
    /// `[features, class × 4]`.
    regression: Dense,
}

/// What the head says about regions.
///
/// # Shapes
/// - `logits`: `[region, class]`
/// - `deltas`: `[region, class × 4]`
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) logits: Tensor<2>,
    pub(crate) deltas: Tensor<2>,
}

impl BoxHead {
    pub(crate) fn new(architecture: &Architecture, start: &mut Start<'_>) -> Self {
        let read = BOX_SIDE * BOX_SIDE * architecture.pyramid_channels;
        let (inner, classes) = (architecture.fc_dim, architecture.classes);
        let first = start.uniform([read, inner], read);
        let second = start.uniform([inner, inner], inner);
        let classifier = start.normal([inner, classes], 0.01);
        let regression = start.normal([inner, 4 * classes], 0.001);
        Self {
            first: Dense::from(first, start),
            second: Dense::from(second, start),
            classifier: Dense::from(classifier, start),
            regression: Dense::from(regression, start),
        }
    }

    /// # Shapes
    /// - `pooled`: `[region, 7, 7, channel]`, result: `[region, features]`
    pub(crate) fn represent(&self, pooled: Tensor<4>) -> Tensor<2> {
        let [regions, height, width, channels] = pooled.dims();
        let rows = pooled.reshape([regions, height * width * channels]);
        self.second.forward(self.first.forward(rows, RELU), RELU)
    }

    pub(crate) fn judge(&self, features: Tensor<2>) -> Judged {
        Judged {
            logits: self.classifier.forward(features.clone(), LINEAR),
            deltas: self.regression.forward(features, LINEAR),
        }
    }

    /// Weights that describe each class but the background: `[class − 1, features]` of the
    /// classifier, `[class − 1, 4 · features]` of the regression.
    pub(crate) fn class_weights(&self) -> (Tensor<2>, Tensor<2>) {
        let classifier = self.classifier.matrix().transpose();
        let [classes, inner] = classifier.dims();
        let regression = self.regression.matrix().transpose();
        let regression = regression.reshape([classes, 4 * inner]);
        (
            classifier.narrow(0, 1, classes - 1),
            regression.narrow(0, 1, classes - 1),
        )
    }
}
