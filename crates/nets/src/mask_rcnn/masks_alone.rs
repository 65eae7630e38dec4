//! Training of the mask head alone, on features of regions that a trained detector gives once.
//!
//! # Source
//! Hu et al. 2018, arXiv:1711.10370, section 3.3 (stage-wise training).

use std::ops::Range;

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::architecture::{Architecture, MaskArchitecture, Normalisation};
use super::box_head::BoxHead;
use super::loss::binary_cross_entropy;
use super::mask_head::{MASK_OUT, MASK_SIDE, MaskHead};
use super::net::{Batch, MaskRcnn, Picture, pooled};
use super::training::finite;
use crate::fit::{Share, Supervised, TrainingError};
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

/// What a mask head learns: masks beside a box head that stays as it is.
#[derive(Debug)]
pub struct MaskTask {
    masks: MaskArchitecture,
    boxes: BoxHead,
}

/// Regions with their masks.
///
/// # Shapes
/// - `classes`: one a region; `expected`: `[region, 28, 28]`, shares of cells
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MaskedRegions {
    /// Features of the regions.
    pub features: RegionFeatures,
    /// Their classes.
    pub classes: Vec<usize>,
    /// Their masks.
    pub expected: Vec<f32>,
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

    /// The regions of these places.
    pub(crate) fn tensor(&self, places: Range<usize>, device: &Device) -> Tensor<4> {
        let length = self.length();
        let values = &self.values[places.start * length..places.end * length];
        let shape = [places.len(), MASK_SIDE, MASK_SIDE, self.channels];
        Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
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
        let logits = head.forward(
            features.tensor(0..features.len(), device),
            classes,
            masks,
            &self.boxes,
        );
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

impl MaskTask {
    /// A fresh mask head and what it learns beside the box head of `net`; none if `architecture` has no mask head.
    #[must_use]
    pub fn new(
        architecture: &Architecture,
        net: &MaskRcnn,
        stream: &mut Stream,
        device: &Device,
    ) -> Option<(MaskHead, Self)> {
        let masks = architecture.masks?;
        let start = &mut super::start::Start { stream, device };
        let task = Self {
            boxes: net.boxes.clone().train().no_grad(),
            masks,
        };
        Some((MaskHead::new(architecture, masks, start), task))
    }
}

impl Supervised for MaskHead {
    type Task = MaskTask;
    type Batch = MaskedRegions;
    type Word = ();
    type Losses = f64;

    fn items(batch: &MaskedRegions) -> usize {
        batch.classes.len()
    }

    fn losses(&mut self, share: &Share<Self>) -> Result<(f64, Option<Tensor<1>>), TrainingError> {
        let (batch, items) = (&*share.batch, share.items.clone());
        let pooled = batch.features.tensor(items.clone(), &share.device);
        let MaskTask { masks, boxes } = &*share.task;
        let boxes = boxes.clone().fork(&share.device);
        let logits = self.forward(pooled, &batch.classes[items.clone()], *masks, &boxes);
        let area = MASK_OUT * MASK_OUT;
        let expected = batch.expected[items.start * area..items.end * area].to_vec();
        let expected = TensorData::new(expected, [items.len(), MASK_OUT, MASK_OUT]);
        let expected = Tensor::from_data(expected, &share.device);
        let loss = share.part(binary_cross_entropy(logits, expected));
        let value = finite(&loss, "masks", share.iteration)?;
        Ok((value, Some(loss)))
    }
}
