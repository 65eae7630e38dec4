//! Training of the mask head alone, on features of regions that a trained detector gives once.
//!
//! # Source
//! Hu et al. 2018, arXiv:1711.10370, section 3.3 (stage-wise training).

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::architecture::{Architecture, MaskArchitecture, Normalisation};
use super::box_head::BoxHead;
use super::loss::binary_cross_entropy;
use super::mask_head::{MASK_OUT, MASK_SIDE, MaskHead};
use super::net::{Batch, MaskRcnn, Picture, pooled};
use super::training::TrainingError;
use crate::adam::{AdamRates, Learner};
use crate::weights::{self, Weights, WeightsError, values};
use retrial_instances::boxes::Corners;
use retrial_seed::Stream;

/// Features of regions as a mask head reads them.
///
/// # Shapes
/// - `values`: `[region, 14, 14, channel]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegionFeatures {
    /// Number of channels.
    pub channels: usize,
    /// All values.
    pub values: Vec<f32>,
}

/// A mask head in training beside a box head that stays as it is.
#[derive(Debug)]
pub struct MaskTraining {
    masks: MaskArchitecture,
    device: Device,
    boxes: BoxHead,
    head: Learner<MaskHead>,
}

impl RegionFeatures {
    /// Number of regions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.length()).unwrap_or(0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The regions of these numbers, in this order.
    #[must_use]
    pub fn picked(&self, numbers: &[usize]) -> Self {
        let length = self.length();
        let one = |&i: &usize| self.values[i * length..(i + 1) * length].iter().copied();
        Self {
            channels: self.channels,
            values: numbers.iter().flat_map(one).collect(),
        }
    }

    /// Adds regions of the same channels.
    pub fn extend(&mut self, other: &Self) {
        self.channels = other.channels;
        self.values.extend_from_slice(&other.values);
    }

    fn length(&self) -> usize {
        MASK_SIDE * MASK_SIDE * self.channels
    }

    pub(crate) fn tensor(&self, device: &Device) -> Tensor<4> {
        let shape = [self.len(), MASK_SIDE, MASK_SIDE, self.channels];
        Tensor::from_data(TensorData::new(self.values.clone(), shape), device)
    }
}

impl MaskRcnn {
    /// Features of regions of one picture, by running moments.
    #[must_use]
    pub fn region_features(
        &self,
        architecture: &Architecture,
        picture: &Picture,
        regions: &[Corners],
        device: &Device,
    ) -> RegionFeatures {
        let mut net = self.clone();
        let batch = Batch::new(&[picture], device);
        let levels = net.levels(batch.images, Normalisation::Running);
        let regions: Vec<(usize, Corners)> = regions.iter().map(|&corners| (0, corners)).collect();
        RegionFeatures {
            channels: architecture.pyramid_channels,
            values: values(pooled(architecture, &levels, &regions, MASK_SIDE)),
        }
    }

    /// Probabilities of masks of regions with known classes, `[region, 28, 28]`; none without a
    /// mask head.
    #[must_use]
    pub fn masks_of(
        &self,
        architecture: &Architecture,
        features: &RegionFeatures,
        classes: &[usize],
        device: &Device,
    ) -> Option<Vec<f32>> {
        let (head, masks) = (self.masks.as_ref()?, architecture.masks?);
        if features.is_empty() {
            return Some(Vec::new());
        }
        let logits = head.forward(features.tensor(device), classes, masks, &self.boxes);
        Some(values(activation::sigmoid(logits)))
    }

    /// The net with another mask head: the weights whose names begin with `masks.`.
    ///
    /// # Errors
    /// [`WeightsError`] when they are of another head.
    pub fn with_masks(
        mut self,
        architecture: &Architecture,
        weights: &Weights,
        stream: &mut Stream,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let start = &mut super::start::Start { stream, device };
        let head = architecture
            .masks
            .map(|masks| MaskHead::new(architecture, masks, start));
        self.masks = match head {
            Some(head) => Some(weights::apply(head, weights)?),
            None => None,
        };
        Ok(self)
    }
}

impl MaskTraining {
    /// A fresh mask head beside the box head of `net`; none if `architecture` has no mask head.
    #[must_use]
    pub fn new(
        architecture: &Architecture,
        net: &MaskRcnn,
        rates: AdamRates,
        stream: &mut Stream,
        device: &Device,
    ) -> Option<Self> {
        let masks = architecture.masks?;
        let device = device.clone().autodiff();
        let start = &mut super::start::Start {
            stream,
            device: &device,
        };
        Some(Self {
            head: Learner::new(MaskHead::new(architecture, masks, start), rates),
            boxes: net.boxes.clone().train().no_grad(),
            masks,
            device,
        })
    }

    /// One step; the loss before it.
    ///
    /// # Shapes
    /// - `classes`: one a region; `expected`: `[region, 28, 28]`, shares of cells
    ///
    /// # Errors
    /// [`TrainingError::NotFinite`]; the weights are as before then.
    pub fn step(
        &mut self,
        iteration: u64,
        features: &RegionFeatures,
        classes: &[usize],
        expected: &[f32],
    ) -> Result<f64, TrainingError> {
        let pooled = features.tensor(&self.device);
        let logits = self
            .head
            .module
            .forward(pooled, classes, self.masks, &self.boxes);
        let shape = [classes.len(), MASK_OUT, MASK_OUT];
        let expected = TensorData::new(expected.to_vec(), shape);
        let loss = binary_cross_entropy(logits, Tensor::from_data(expected, &self.device));
        let value = f64::from(values(loss.clone().detach())[0]);
        if !value.is_finite() {
            return Err(TrainingError::NotFinite {
                term: "masks",
                value,
                iteration,
            });
        }
        self.head.learn(&loss.backward());
        Ok(value)
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

    /// Goes on from what [`MaskTraining::weights`] and [`MaskTraining::moments`] gave.
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
