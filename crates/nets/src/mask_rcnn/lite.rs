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
use super::backbone::{Block, COLOURS, Stage};
use super::layer::{LINEAR, Normalised, convolve_inside};
use super::start::Start;
use crate::detection_ops::{DepthwiseGeometry, depthwise, relu6};

/// Added to variances before their root is taken.
const EPSILON: f32 = 1e-3;
/// Channels of the stem.
const STEM: usize = 32;
/// Channels of the four stages.
pub(super) const CHANNELS: [usize; 4] = [24, 40, 112, 320];

/// Blocks of one size.
struct Row {
    blocks: usize,
    kernel: usize,
    /// Of the first block.
    stride: usize,
    /// Inner channels over those read.
    expansion: usize,
    channels: usize,
}

const fn row(
    blocks: usize,
    kernel: usize,
    stride: usize,
    expansion: usize,
    channels: usize,
) -> Row {
    Row {
        blocks,
        kernel,
        stride,
        expansion,
        channels,
    }
}

/// The rows of the four stages.
const STAGES: [&[Row]; 4] = [
    &[row(1, 3, 1, 1, 16), row(2, 3, 2, 6, 24)],
    &[row(2, 5, 2, 6, 40)],
    &[row(3, 3, 2, 6, 80), row(3, 5, 1, 6, 112)],
    &[row(4, 5, 2, 6, 192), row(1, 3, 1, 6, 320)],
];

/// Blocks of the four stages.
pub(super) fn blocks() -> [usize; 4] {
    STAGES.map(|rows| rows.iter().map(|row| row.blocks).sum())
}

/// Distance of the positions of a block's output, in positions of its input.
pub(super) fn stride(stage: usize, block: usize) -> usize {
    let mut first = 0;
    for row in STAGES[stage] {
        if block == first {
            return row.stride;
        }
        first += row.blocks;
    }
    1
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_add_up_to_those_of_the_pyramid() {
        let mut total = 2;
        for (stage, count) in blocks().into_iter().enumerate() {
            total *= (0..count)
                .map(|block| stride(stage, block))
                .product::<usize>();
            assert_eq!(total, 4 << stage);
            let last = STAGES[stage].last().expect("rows");
            assert_eq!(last.channels, CHANNELS[stage]);
        }
        assert_eq!(blocks(), [3, 2, 6, 5]);
    }
}
