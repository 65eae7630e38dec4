//! The head that divides a device into parts: centres as heat maps, box sizes by regression.
//!
//! # Source
//! Liu et al. 2021, section on the partition of devices (pose estimation of part centres, then
//! regression of part boxes); heat maps of one hot place as He et al. 2017, arXiv:1703.06870,
//! section 5.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData, activation};
use retrial_seed::Stream;

use super::architecture::Architecture;
use super::layer::{Biased, Dense, LINEAR, RELU};
use super::loss::{cross_entropy, smooth_l1};
use super::mask_head::{Doubling, MASK_OUT, picked};
use super::masks_alone::RegionFeatures;
use super::start::Start;
use super::training::TrainingError;
use crate::adam::{AdamRates, Learner};
use crate::weights::{Weights, WeightsError, values};

/// Sizes of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartsArchitecture {
    /// Channels of its convolutions.
    pub channels: usize,
    /// Number of 3 × 3 convolutions.
    pub convolutions: usize,
    /// Most parts of a class.
    pub parts: usize,
}

/// Where a part lies in its region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartPlace {
    /// `[x, y]` of the centre, as shares of the region.
    pub centre: [f32; 2],
    /// `[width, height]`, as shares of the region.
    pub size: [f32; 2],
}

/// Convolutions, a doubling, a map for every part of every class, and a size for each.
#[derive(Module, Debug)]
struct PartsHead {
    convolutions: Vec<Biased>,
    doubling: Doubling,
    centres: Biased,
    inner: Dense,
    sizes: Dense,
}

/// A parts head in training, or trained.
#[derive(Debug)]
pub struct PartsTraining {
    parts: usize,
    device: Device,
    head: Learner<PartsHead>,
}

/// Weight of the loss of sizes beside that of centres.
const SIZES: f64 = 10.0;
/// Units between the features and the sizes.
const INNER: usize = 64;
const CELLS: usize = MASK_OUT * MASK_OUT;

impl PartsHead {
    fn new(
        architecture: &Architecture,
        parts: PartsArchitecture,
        side: usize,
        start: &mut Start<'_>,
    ) -> Self {
        let channels = parts.channels;
        let outputs = (architecture.classes - 1) * parts.parts;
        let mut read = architecture.pyramid_channels;
        let mut convolutions = Vec::new();
        for _ in 0..parts.convolutions {
            let kernel = start.kaiming([3, 3, read, channels], 9 * channels);
            convolutions.push(Biased::from(kernel, start));
            read = channels;
        }
        let doubling = Doubling::new(channels, read, start);
        let centres = start.normal([1, 1, channels, outputs], 0.01);
        let inner = start.kaiming([side * side * read, INNER], side * side * read);
        let sizes = start.normal([INNER, 2 * outputs], 0.01);
        Self {
            convolutions,
            doubling,
            centres: Biased::from(centres, start),
            inner: Dense::from(inner, start),
            sizes: Dense::from(sizes, start),
        }
    }

    /// Logits of cells `[region · output, 28 · 28]` and sizes `[region · output, 2]`; an output is a
    /// part of a class.
    fn forward(&self, pooled: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
        let mut x = pooled;
        for layer in &self.convolutions {
            x = layer.forward(x, RELU);
        }
        let [regions, height, width, channels] = x.dims();
        let rows = x.clone().reshape([regions, height * width * channels]);
        let sizes = self.sizes.forward(self.inner.forward(rows, RELU), LINEAR);
        let maps = self.centres.forward(self.doubling.forward(x), LINEAR);
        let outputs = maps.dims()[3];
        let maps = maps
            .permute([0, 3, 1, 2])
            .reshape([regions * outputs, CELLS]);
        (maps, sizes.reshape([regions * outputs, 2]))
    }
}

impl PartsTraining {
    /// A fresh head for features of `side × side`; `device` without automatic differentiation.
    #[must_use]
    pub fn new(
        architecture: &Architecture,
        parts: PartsArchitecture,
        rates: AdamRates,
        stream: &mut Stream,
        device: &Device,
    ) -> Self {
        let device = device.clone().autodiff();
        let start = &mut Start {
            stream,
            device: &device,
        };
        let side = super::mask_head::MASK_SIDE;
        Self {
            parts: parts.parts,
            head: Learner::new(PartsHead::new(architecture, parts, side, start), rates),
            device,
        }
    }

    /// One step; the loss before it. Regions without a known part are of no use.
    ///
    /// # Shapes
    /// - `classes`: one a region, from 1; `places`: one list a region, by the number of the part
    ///
    /// # Errors
    /// [`TrainingError::NotFinite`]; the weights are as before then.
    pub fn step(
        &mut self,
        iteration: u64,
        features: &RegionFeatures,
        classes: &[usize],
        places: &[Vec<Option<PartPlace>>],
    ) -> Result<f64, TrainingError> {
        let (maps, sizes) = self.head.module.forward(features.tensor(&self.device));
        let outputs = maps.dims()[0] / classes.len();
        let (mut rows, mut cells, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for (region, (&class, own)) in classes.iter().zip(places).enumerate() {
            for (part, place) in own.iter().take(self.parts).enumerate() {
                if let Some(place) = place {
                    rows.push(region * outputs + (class - 1) * self.parts + part);
                    cells.push(cell(place.centre));
                    expected.extend(place.size);
                }
            }
        }
        if rows.is_empty() {
            return Ok(0.0);
        }
        let centres = cross_entropy(picked(maps, &rows), &cells);
        let count = rows.len();
        let expected = TensorData::new(expected, [count, 2]);
        let expected = Tensor::from_data(expected, &self.device);
        let sizes = smooth_l1(picked(sizes, &rows), expected) / count as f64;
        let loss = centres + sizes * SIZES;
        let value = f64::from(values(loss.clone().detach())[0]);
        if !value.is_finite() {
            return Err(TrainingError::NotFinite {
                term: "parts",
                value,
                iteration,
            });
        }
        self.head.learn(&loss.backward());
        Ok(value)
    }

    /// Where the parts of regions with known classes are: the most probable cell and its size.
    #[must_use]
    pub fn places(&self, features: &RegionFeatures, classes: &[usize]) -> Vec<Vec<PartPlace>> {
        if features.is_empty() {
            return Vec::new();
        }
        let head = self.head.module.clone().valid();
        let (maps, sizes) = head.forward(features.tensor(&self.device.clone().inner()));
        let outputs = maps.dims()[0] / classes.len();
        let (maps, sizes) = (values(activation::softmax(maps, 1)), values(sizes));
        let one = |row: usize| {
            let map = &maps[row * CELLS..(row + 1) * CELLS];
            let best = map.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            let best = best.map_or(0, |(cell, _)| cell);
            let middle = |cell: usize| (cell as f32 + 0.5) / MASK_OUT as f32;
            PartPlace {
                centre: [middle(best % MASK_OUT), middle(best / MASK_OUT)],
                size: [sizes[2 * row].max(0.0), sizes[2 * row + 1].max(0.0)],
            }
        };
        let of_region = |(region, &class): (usize, &usize)| {
            let first = region * outputs + (class - 1) * self.parts;
            (first..first + self.parts).map(one).collect()
        };
        classes.iter().enumerate().map(of_region).collect()
    }

    /// The weights of the head.
    #[must_use]
    pub fn weights(&self) -> Weights {
        self.head.weights()
    }

    /// Moments and number of steps of the optimiser.
    #[must_use]
    pub fn moments(&self) -> (Weights, u32) {
        self.head.moments()
    }

    /// Goes on from what [`PartsTraining::weights`] and [`PartsTraining::moments`] gave.
    ///
    /// # Errors
    /// [`WeightsError`] when the weights are of another head.
    pub fn restore(
        &mut self,
        weights: &Weights,
        moments: (&Weights, u32),
    ) -> Result<(), WeightsError> {
        let plain = self.device.clone().inner();
        self.head.restore(weights, moments, &plain)
    }
}

/// The cell of a place in a region, row by row.
fn cell([x, y]: [f32; 2]) -> usize {
    let along = |share: f32| ((share * MASK_OUT as f32) as usize).min(MASK_OUT - 1);
    along(y.max(0.0)) * MASK_OUT + along(x.max(0.0))
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;
    use crate::mask_rcnn::{Backbone, Family, Normalisation};

    fn training() -> PartsTraining {
        let architecture = Architecture {
            backbone: Backbone {
                family: Family::Resnet18,
                width: 4,
                normalisation: Normalisation::Running,
            },
            pyramid_channels: 4,
            fc_dim: 8,
            classes: 3,
            anchor_sides: [8.0, 16.0, 32.0, 64.0, 128.0],
            anchor_ratios: vec![1.0],
            canonical_side: 64.0,
            masks: None,
        };
        let parts = PartsArchitecture {
            channels: 8,
            convolutions: 1,
            parts: 2,
        };
        let rates = AdamRates {
            learning_rate: 0.01,
            beta1: 0.9,
            beta2: 0.999,
        };
        let mut stream = Seed(3).stream("parts");
        PartsTraining::new(
            &architecture,
            parts,
            rates,
            &mut stream,
            &crate::testing::device(),
        )
    }

    fn features(regions: usize) -> RegionFeatures {
        let mut stream = Seed(4).stream("features");
        let length = regions * 14 * 14 * 4;
        RegionFeatures {
            channels: 4,
            values: (0..length).map(|_| stream.normal() as f32).collect(),
        }
    }

    #[test]
    fn one_batch_is_learnt_by_heart() {
        let (mut training, features) = (training(), features(2));
        let place = |x: f32, y: f32, w: f32| {
            Some(PartPlace {
                centre: [x, y],
                size: [w, 0.25],
            })
        };
        let places = vec![
            vec![place(0.2, 0.3, 0.5), place(0.8, 0.7, 0.1)],
            vec![place(0.5, 0.1, 0.3), None],
        ];
        let classes = [1, 2];
        let mut loss = f64::MAX;
        for iteration in 0..150 {
            loss = training
                .step(iteration, &features, &classes, &places)
                .expect("finite");
        }
        assert!(loss < 0.3, "{loss}");
        let found = training.places(&features, &classes);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
        for (found, expected) in found.iter().flatten().zip(places.iter().flatten()) {
            let Some(expected) = expected else { continue };
            for axis in 0..2 {
                assert!(
                    (found.centre[axis] - expected.centre[axis]).abs() < 0.04,
                    "{found:?}"
                );
                assert!(
                    (found.size[axis] - expected.size[axis]).abs() < 0.1,
                    "{found:?}"
                );
            }
        }
    }

    #[test]
    fn regions_without_parts_change_nothing() {
        let mut training = training();
        let before = training.weights();
        let loss = training.step(0, &features(1), &[1], &[vec![None, None]]);
        assert_eq!(loss, Ok(0.0));
        assert_eq!(training.weights(), before);
    }
}
