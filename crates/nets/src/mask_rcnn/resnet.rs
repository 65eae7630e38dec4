//! The body: a residual net without its classifier.
//!
//! # Source
//! He et al. 2016, arXiv:1512.03385; the stride of a bottleneck stands in its 3 × 3 convolution,
//! as in torchvision.

use burn::module::Module;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Tensor, activation};

use super::architecture::{Backbone, Normalisation};
use super::layer::{LINEAR, Normalised, RELU};
use super::start::Start;

/// A residual net that gives the maps of its four stages.
#[derive(Module, Debug)]
pub(crate) struct Body {
    stem: Normalised,
    stages: Vec<Stage>,
}

#[derive(Module, Debug)]
struct Stage {
    blocks: Vec<Block>,
}

/// Two 3 × 3 convolutions, or 1 × 1, 3 × 3 and 1 × 1, and a way past them.
#[derive(Module, Debug)]
struct Block {
    layers: Vec<Normalised>,
    shortcut: Option<Normalised>,
}

/// Colours of an image.
pub(crate) const COLOURS: usize = 3;

impl Body {
    pub(crate) fn new(backbone: Backbone, start: &mut Start<'_>) -> Self {
        let stem = Normalised::new(7, (COLOURS, backbone.width), start);
        let expansion = backbone.family.expansion();
        let mut read = backbone.width;
        let mut stages = Vec::new();
        for (index, count) in backbone.family.blocks().into_iter().enumerate() {
            let inner = backbone.width << index;
            let written = inner * expansion;
            let mut blocks = Vec::new();
            for block in 0..count {
                let stride = stride(index, block);
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
                    shortcut: (stride != 1 || read != written)
                        .then(|| Normalised::new(1, (read, written), start)),
                });
                read = written;
            }
            stages.push(Stage { blocks });
        }
        Self { stem, stages }
    }

    /// The body with constant weights in the stem (`parts` ≥ 1) and the first `parts − 1` stages.
    pub(crate) fn frozen(mut self, parts: usize) -> Self {
        if parts > 0 {
            self.stem = self.stem.no_grad();
        }
        let stages = self.stages.into_iter().enumerate();
        self.stages = stages
            .map(|(index, stage)| {
                if index + 1 < parts {
                    stage.no_grad()
                } else {
                    stage
                }
            })
            .collect();
        self
    }

    /// The maps at strides 4, 8, 16 and 32.
    ///
    /// # Shapes
    /// - `images`: `[n, height, width, 3]`
    pub(crate) fn forward(
        &mut self,
        images: Tensor<4>,
        normalisation: Normalisation,
    ) -> Vec<Tensor<4>> {
        let stem = self.stem.forward(images, 2, RELU, normalisation);
        let mut x = pooled(stem);
        let mut maps = Vec::new();
        for (index, stage) in self.stages.iter_mut().enumerate() {
            for (place, block) in stage.blocks.iter_mut().enumerate() {
                x = block.forward(x, stride(index, place), normalisation);
            }
            maps.push(x.clone());
        }
        maps
    }
}

impl Block {
    fn forward(&mut self, x: Tensor<4>, stride: usize, normalisation: Normalisation) -> Tensor<4> {
        let last = self.layers.len() - 1;
        // The stride stands in the first of two layers and in the middle one of three.
        let strided = last - 1;
        let mut y = x.clone();
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let stride = if index == strided { stride } else { 1 };
            let slope = if index == last { LINEAR } else { RELU };
            y = layer.forward(y, stride, slope, normalisation);
        }
        let past = match &mut self.shortcut {
            Some(layer) => layer.forward(x, stride, LINEAR, normalisation),
            None => x,
        };
        activation::relu(y + past)
    }
}

fn stride(stage: usize, block: usize) -> usize {
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
