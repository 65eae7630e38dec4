//! EfficientNet-Lite0 as a backbone: inverted bottlenecks with convolutions of each channel by itself.
//!
//! Lite differs from EfficientNet-B0 in that it has no squeeze-and-excitation and that its
//! rectifiers end at six. Padding is TensorFlow's "same" for sides that are multiples of 32, which
//! those of every batch are; the classifier's last convolution is not part of the backbone.
//!
//! # Source
//! Tan & Le 2019, arXiv:1905.11946, table 1; Sandler et al. 2018, arXiv:1801.04381, section 3.

use burn::tensor::Tensor;

use super::architecture::Normalisation;
use super::layer::{LINEAR, Normalised, convolve_inside};
use super::lite_stages::STAGES;
use super::stage::{Block, COLOURS, Stage};
use super::start::Start;
use crate::detection_ops::{DepthwiseGeometry, depthwise, relu6};

/// Added to variances before their root is taken.
const EPSILON: f32 = 1e-3;
/// Channels of the stem.
const STEM: usize = 32;
/// Stem and stages with drawn weights. A block is 1 × 1, a convolution of each channel, and 1 × 1;
/// the first is not there where nothing is expanded.
pub(super) fn drawn(start: &mut Start<'_>) -> (Normalised, Vec<Stage>) {
    let stem = Normalised::new(3, (COLOURS, STEM), start);
    let mut read = STEM;
    let mut stages = Vec::new();
    for rows in STAGES {
        let mut blocks = Vec::new();
        for row in rows {
            for _ in 0..row.blocks {
                let inner = row.expansion * read;
                let mut layers = Vec::new();
                if row.expansion > 1 {
                    layers.push(Normalised::new(1, (read, inner), start));
                }
                layers.push(Normalised::depthwise(row.kernel, inner, start));
                layers.push(Normalised::new(1, (inner, row.channels), start));
                blocks.push(Block {
                    layers,
                    shortcut: None,
                });
                read = row.channels;
            }
        }
        stages.push(Stage { blocks });
    }
    (stem, stages)
}

/// The stem: stride 2.
pub(super) fn stem(
    stem: &mut Normalised,
    images: Tensor<4>,
    normalisation: Normalisation,
) -> Tensor<4> {
    // The one zero of "same" stands behind rows and columns.
    let values = convolve_inside(behind_zero(images), stem.kernel(), 2);
    relu6(stem.normalised(values, LINEAR, EPSILON, normalisation))
}

pub(super) fn block(
    block: &mut Block,
    x: Tensor<4>,
    stride: usize,
    normalisation: Normalisation,
) -> Tensor<4> {
    let last = block.layers.len() - 1;
    let mut y = x.clone();
    for (index, layer) in block.layers.iter_mut().enumerate() {
        let kernel = layer.kernel();
        let values = match index + 1 == last {
            true => {
                let geometry = DepthwiseGeometry::same(kernel.dims()[0], stride);
                depthwise(y, kernel, geometry)
            }
            false => convolve_inside(y, kernel, 1),
        };
        let values = layer.normalised(values, LINEAR, EPSILON, normalisation);
        y = match index == last {
            true => values,
            false => relu6(values),
        };
    }
    match y.dims() == x.dims() {
        true => y + x,
        false => y,
    }
}

/// A row and a column of zeros behind the others.
fn behind_zero(x: Tensor<4>) -> Tensor<4> {
    let [n, height, width, channels] = x.dims();
    let device = x.device();
    let column = Tensor::zeros([n, height, 1, channels], &device);
    let row = Tensor::zeros([n, 1, width + 1, channels], &device);
    Tensor::cat(vec![Tensor::cat(vec![x, column], 2), row], 1)
}
