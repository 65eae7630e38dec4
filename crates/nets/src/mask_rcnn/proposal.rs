//! The head that proposes regions.
//!
//! # Source
//! Ren et al. 2015, arXiv:1506.01497, section 3.1.

use burn::module::Module;
use burn::tensor::Tensor;

use super::layer::{Biased, LINEAR, RELU};
use super::start::Start;

/// Objectness and box deltas of the anchors at every position.
#[derive(Module, Debug)]
pub(crate) struct ProposalHead {
    shared: Biased,
    objectness: Biased,
    deltas: Biased,
}

/// What the head says about all anchors of a batch, level by level, row by row.
///
/// # Shapes
/// - `objectness`: `[n, anchor]`, logits
/// - `deltas`: `[n, anchor, 4]`
#[derive(Clone, Debug)]
pub(crate) struct Proposed {
    pub(crate) objectness: Tensor<2>,
    pub(crate) deltas: Tensor<3>,
}

impl ProposalHead {
    pub(crate) fn new(channels: usize, anchors: usize, start: &mut Start<'_>) -> Self {
        let shared = start.normal([3, 3, channels, channels], 0.01);
        let objectness = start.normal([1, 1, channels, anchors], 0.01);
        let deltas = start.normal([1, 1, channels, 4 * anchors], 0.01);
        Self {
            shared: Biased::from(shared, start),
            objectness: Biased::from(objectness, start),
            deltas: Biased::from(deltas, start),
        }
    }

    pub(crate) fn forward(&self, levels: &[Tensor<4>]) -> Proposed {
        let (mut objectness, mut deltas) = (Vec::new(), Vec::new());
        for level in levels {
            let shared = self.shared.forward(level.clone(), RELU);
            let logits = self.objectness.forward(shared.clone(), LINEAR);
            let [n, height, width, anchors] = logits.dims();
            let count = height * width * anchors;
            // Channels last, so that the anchors of a position are neighbours already.
            objectness.push(logits.reshape([n, count]));
            deltas.push(self.deltas.forward(shared, LINEAR).reshape([n, count, 4]));
        }
        Proposed {
            objectness: Tensor::cat(objectness, 1),
            deltas: Tensor::cat(deltas, 1),
        }
    }
}
