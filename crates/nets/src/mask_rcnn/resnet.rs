//! Residual nets as a backbone.
//!
//! # Source
//! He et al. 2016, arXiv:1512.03385; the stride of a bottleneck stands in its 3 × 3 convolution,
//! as in torchvision.

use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Tensor, activation};

use super::architecture::{Backbone, Normalisation};
use super::layer::{LINEAR, Normalised, RELU};
use super::stage::{Block, COLOURS, Stage};
use super::start::Start;

/// Stem and stages with drawn weights. A block is two 3 × 3 convolutions, or 1 × 1, 3 × 3 and 1 × 1.
pub(super) fn drawn(backbone: Backbone, start: &mut Start<'_>) -> (Normalised, Vec<Stage>) {
    let stem = Normalised::new(7, (COLOURS, backbone.width), start);
    let expansion = backbone.family.expansion();
    let mut read = backbone.width;
    let mut stages = Vec::new();
    for (index, count) in backbone.family.blocks().into_iter().enumerate() {
        let inner = backbone.width << index;
        let written = inner * expansion;
        let mut blocks = Vec::new();
        for block in 0..count {
            let layers = match expansion {
                1 => vec![(3, (read, inner)), (3, (inner, inner))],
                _ => vec![
                    (1, (read, inner)),
                    (3, (inner, inner)),
                    (1, (inner, written)),
                ],
            };
            let layers = layers.into_iter();
            blocks.push(Block {
                layers: layers
                    .map(|(kernel, channels)| Normalised::new(kernel, channels, start))
                    .collect(),
                shortcut: (stride(index, block) != 1 || read != written)
                    .then(|| Normalised::new(1, (read, written), start)),
            });
            read = written;
        }
        stages.push(Stage { blocks });
    }
    (stem, stages)
}

/// The stem: stride 4.
pub(super) fn stem(
    stem: &mut Normalised,
    images: Tensor<4>,
    normalisation: Normalisation,
) -> Tensor<4> {
    pooled(stem.forward(images, 2, RELU, normalisation))
}

pub(super) fn block(
    block: &mut Block,
    x: Tensor<4>,
    stride: usize,
    normalisation: Normalisation,
) -> Tensor<4> {
    let last = block.layers.len() - 1;
    // The stride stands in the first of two layers and in the middle one of three.
    let strided = last - 1;
    let mut y = x.clone();
    for (index, layer) in block.layers.iter_mut().enumerate() {
        let stride = if index == strided { stride } else { 1 };
        let slope = if index == last { LINEAR } else { RELU };
        y = layer.forward(y, stride, slope, normalisation);
    }
    let past = match &mut block.shortcut {
        Some(layer) => layer.forward(x, stride, LINEAR, normalisation),
        None => x,
    };
    activation::relu(y + past)
}

pub(super) fn stride(stage: usize, block: usize) -> usize {
    if stage > 0 && block == 0 { 2 } else { 1 }
}

/// The largest of 3 × 3 at every second position.
fn pooled(x: Tensor<4>) -> Tensor<4> {
    let x = x.permute([0, 3, 1, 2]);
    let options = MaxPoolOptions::new([3; 2])
        .with_stride([2; 2])
        .with_padding([1; 2]);
    max_pool2d(x, options).permute([0, 2, 3, 1])
}
