//! The backbone: a classifier's net without its head, as maps at four strides.

use burn::module::Module;
use burn::tensor::Tensor;

use super::architecture::{Backbone, Family, Normalisation};
use super::layer::Normalised;
use super::stage::Stage;
use super::start::Start;
use super::{lite, lite_stages, resnet};

/// A net that gives the maps of its four stages.
#[derive(Module, Debug)]
pub(crate) struct BackboneNet {
    stem: Normalised,
    stages: Vec<Stage>,
    #[module(skip)]
    family: Family,
}

impl BackboneNet {
    pub(crate) fn new(backbone: Backbone, start: &mut Start<'_>) -> Self {
        let (stem, stages) = match backbone.family {
            Family::EfficientnetLite0 => lite::drawn(start),
            _ => resnet::drawn(backbone, start),
        };
        Self {
            stem,
            stages,
            family: backbone.family,
        }
    }

    /// The backbone with constant weights in the stem (`parts` ≥ 1) and the first `parts − 1` stages.
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
        let lite = self.family == Family::EfficientnetLite0;
        let mut x = match lite {
            true => lite::stem(&mut self.stem, images, normalisation),
            false => resnet::stem(&mut self.stem, images, normalisation),
        };
        let mut maps = Vec::new();
        for (index, stage) in self.stages.iter_mut().enumerate() {
            for (place, block) in stage.blocks.iter_mut().enumerate() {
                x = match lite {
                    true => lite::block(block, x, lite_stages::stride(index, place), normalisation),
                    false => resnet::block(block, x, resnet::stride(index, place), normalisation),
                };
            }
            maps.push(x.clone());
        }
        maps
    }
}
