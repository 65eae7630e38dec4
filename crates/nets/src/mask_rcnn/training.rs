//! Training of a detector.
//!
//! # Source
//! He et al. 2017, arXiv:1703.06870, section 3; normalisation of the losses as torchvision's.

use burn::tensor::{Device, Tensor, TensorData};
use retrial_image::InstanceMask;
use retrial_instances::boxes::Corners;
use retrial_instances::coder::BoxCoder;
use retrial_seed::Seed;

use super::architecture::Architecture;
use super::box_head::{BOX_SIDE, Judged};
use super::detect::{numbered, proposed_boxes};
use super::loss::{binary_cross_entropy, cross_entropy, smooth_l1};
use super::mask_head::{MASK_OUT, MASK_SIDE, picked};
use super::net::{Batch, MaskRcnn, Picture, pooled};
use super::proposal::Proposed;
use super::sampling::{Drawn, LossRules, SampledAnchors, SampledRegions, Truth, mask_of};
use crate::detection_ops::{Regions, pool_regions};
use crate::fit::{NamedLosses, Share, Supervised, TrainingError, part};
use crate::weights::values;

/// What a detector learns.
#[derive(Clone, Debug)]
pub struct DetectorTask {
    /// That of the net.
    pub architecture: Architecture,
    /// Which boxes the losses look at.
    pub rules: LossRules,
    /// Its streams `draw <iteration> 0` choose the boxes.
    pub seed: Seed,
}

/// The five losses of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Losses {
    /// Cross entropy of the classes of regions.
    pub classes: f64,
    /// Smooth absolute error of the boxes of regions.
    pub boxes: f64,
    /// Binary cross entropy of masks.
    pub masks: f64,
    /// Binary cross entropy of anchors.
    pub objectness: f64,
    /// Smooth absolute error of the boxes of anchors.
    pub proposals: f64,
}

/// The losses as tensors.
struct LossTensors {
    classes: Tensor<1>,
    boxes: Tensor<1>,
    masks: Tensor<1>,
    objectness: Tensor<1>,
    proposals: Tensor<1>,
}

/// What one worker sees of the draws of a step: its own pictures, and how much there is of all.
struct Seen<'d> {
    truths: &'d [&'d Truth],
    anchors: &'d [SampledAnchors],
    regions: &'d [SampledRegions],
    all_anchors: usize,
    all_regions: usize,
    all_masks: usize,
}

impl Losses {
    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.classes + self.boxes + self.masks + self.objectness + self.proposals
    }
}

impl NamedLosses for Losses {
    const NAMES: &'static [&'static str] =
        &["classes", "boxes", "masks", "objectness", "proposals"];

    fn values(&self) -> Vec<f64> {
        let Self {
            classes,
            boxes,
            masks,
            objectness,
            proposals,
        } = *self;
        vec![classes, boxes, masks, objectness, proposals]
    }

    fn of(values: &[f64]) -> Self {
        let value = |place: usize| values.get(place).copied().unwrap_or_default();
        Self {
            classes: value(0),
            boxes: value(1),
            masks: value(2),
            objectness: value(3),
            proposals: value(4),
        }
    }
}

impl LossTensors {
    /// The values, checked, and the sum.
    fn read(self, iteration: u64) -> Result<(Losses, Tensor<1>), TrainingError> {
        let terms = [
            ("region classes", &self.classes),
            ("region boxes", &self.boxes),
            ("masks", &self.masks),
            ("objectness", &self.objectness),
            ("proposal boxes", &self.proposals),
        ];
        let mut read = [0.0; 5];
        for (slot, (term, tensor)) in read.iter_mut().zip(terms) {
            *slot = finite(tensor, term, iteration)?;
        }
        let all = self.classes + self.boxes + self.masks + self.objectness + self.proposals;
        Ok((Losses::of(&read), all))
    }
}

/// The value of a loss.
pub(super) fn finite(
    loss: &Tensor<1>,
    term: &'static str,
    iteration: u64,
) -> Result<f64, TrainingError> {
    let value = f64::from(values(loss.clone().detach())[0]);
    if value.is_finite() {
        return Ok(value);
    }
    Err(TrainingError::NotFinite {
        term,
        value,
        iteration,
    })
}

impl Supervised for MaskRcnn {
    type Task = DetectorTask;
    type Batch = Vec<(Picture, Truth)>;
    /// Proposals of a worker's pictures.
    type Word = Vec<Vec<Corners>>;
    type Losses = Losses;

    fn items(batch: &Self::Batch) -> usize {
        batch.len()
    }

    fn losses(
        &mut self,
        share: &Share<Self>,
    ) -> Result<(Losses, Option<Tensor<1>>), TrainingError> {
        let DetectorTask {
            architecture,
            rules,
            seed,
        } = &*share.task;
        let pictures: Vec<&Picture> = share.batch.iter().map(|(picture, _)| picture).collect();
        let truths: Vec<&Truth> = share.batch.iter().map(|(_, truth)| truth).collect();
        let size = Batch::size(&pictures);
        let batch = Batch::padded(&pictures[share.items.clone()], size, &share.device);
        let levels = self.levels(batch.images.clone(), architecture.backbone.normalisation);
        let anchors = batch.anchors(architecture, &levels);
        let proposed = self.proposals.forward(&levels);
        let own = proposed_boxes(
            &values(proposed.objectness.clone().detach()),
            &values(proposed.deltas.clone().detach()),
            &anchors,
            &batch.sizes,
            rules.proposals,
        );
        // Every worker draws for the whole batch, so that all draw the same.
        let (proposals, anchors) = (share.meeting.all(&own).concat(), anchors.concat());
        let mut stream = seed.stream(&format!("draw {} 0", share.iteration));
        let drawn = Drawn::new(&truths, &anchors, proposals, rules, &mut stream);
        let masked = drawn.regions.iter().zip(&truths);
        let seen = Seen {
            all_anchors: drawn.anchors.iter().map(SampledAnchors::len).sum(),
            all_regions: drawn.regions.iter().map(|r| r.boxes.len()).sum(),
            all_masks: masked.map(|(regions, truth)| regions.masks(truth)).sum(),
            truths: &truths[share.items.clone()],
            anchors: &drawn.anchors[share.items.clone()],
            regions: &drawn.regions[share.items.clone()],
        };
        let [objectness, proposals] = seen.proposal_losses(proposed, &anchors);
        let [classes, boxes] = self.region_losses(architecture, &levels, &seen);
        let masks = self.mask_loss(architecture, &levels, &seen);
        let tensors = LossTensors {
            masks: masks.unwrap_or_else(|| classes.zeros_like().detach()),
            classes,
            boxes,
            objectness,
            proposals,
        };
        let (losses, sum) = tensors.read(share.iteration)?;
        Ok((losses, Some(sum)))
    }
}

impl Seen<'_> {
    /// Losses of objectness and of boxes of sampled anchors.
    fn proposal_losses(&self, proposed: Proposed, anchors: &[Corners]) -> [Tensor<1>; 2] {
        let device = proposed.objectness.device();
        let (mut looked_at, mut labels) = (Vec::new(), Vec::new());
        let (mut rows, mut expected) = (Vec::new(), Vec::new());
        for (image, (own, truth)) in self.anchors.iter().zip(self.truths).enumerate() {
            let first = image * anchors.len();
            for &(anchor, object) in &own.objects {
                rows.push(first + anchor);
                let to = &truth.boxes[object];
                expected.extend(BoxCoder::PROPOSALS.encode(&anchors[anchor], to));
            }
            let sampled = &own.sampled;
            for (places, label) in [(&sampled.positive, 1.0), (&sampled.negative, 0.0)] {
                looked_at.extend(places.iter().map(|place| first + place));
                labels.extend(places.iter().map(|_| label));
            }
        }
        let all = self.truths.len() * anchors.len();
        let count = looked_at.len();
        parts(count, self.all_anchors, &device, || {
            let logits = picked(proposed.objectness.reshape([all, 1]), &looked_at);
            let labels = Tensor::from_data(TensorData::new(labels, [count, 1]), &device);
            let deltas = picked(proposed.deltas.reshape([all, 4]), &rows);
            let boxes = smooth_l1(deltas, quads(expected, &device)) / count as f64;
            [binary_cross_entropy(logits, labels), boxes]
        })
    }
}

impl MaskRcnn {
    /// The net with constant weights in the stem and the first stages of its backbone: 0 none, 5 all.
    #[must_use]
    pub fn frozen(mut self, parts: usize) -> Self {
        self.body = self.body.frozen(parts);
        self
    }

    /// Losses of the classes and of the boxes of sampled regions.
    fn region_losses(
        &self,
        architecture: &Architecture,
        levels: &[Tensor<4>],
        seen: &Seen<'_>,
    ) -> [Tensor<1>; 2] {
        let boxes: Vec<Vec<Corners>> = seen.regions.iter().map(|d| d.boxes.clone()).collect();
        let regions = numbered(&boxes);
        let labels: Vec<usize> = seen
            .regions
            .iter()
            .flat_map(|d| d.classes.clone())
            .collect();
        let (mut rows, mut expected) = (Vec::new(), Vec::new());
        let mut row = 0;
        for (sampled, truth) in seen.regions.iter().zip(seen.truths) {
            for (corners, class, object) in sampled.each() {
                if let Some(object) = object {
                    rows.push(row * architecture.classes + class);
                    let to = &truth.boxes[object];
                    expected.extend(BoxCoder::BOX_HEAD.encode(&corners, to));
                }
                row += 1;
            }
        }
        let count = labels.len();
        parts(count, seen.all_regions, &levels[0].device(), || {
            let features = pooled(architecture, levels, &regions, BOX_SIDE);
            let Judged { logits, deltas } = self.boxes.judge(self.boxes.represent(features));
            let deltas = deltas.reshape([count * architecture.classes, 4]);
            let boxes = smooth_l1(picked(deltas, &rows), quads(expected, &logits.device()));
            [cross_entropy(logits, &labels), boxes / count as f64]
        })
    }

    /// None when no region of an object with a mask was sampled, or there is no mask head.
    fn mask_loss(
        &self,
        architecture: &Architecture,
        levels: &[Tensor<4>],
        seen: &Seen<'_>,
    ) -> Option<Tensor<1>> {
        let (head, masks) = (self.masks.as_ref()?, architecture.masks?);
        let (mut regions, mut classes, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for (image, (sampled, truth)) in seen.regions.iter().zip(seen.truths).enumerate() {
            for (corners, class, object) in sampled.each() {
                if let Some(mask) = mask_of(truth, object) {
                    regions.push((image, corners));
                    classes.push(class);
                    expected.push((mask, corners));
                }
            }
        }
        if regions.is_empty() {
            return None;
        }
        let features = pooled(architecture, levels, &regions, MASK_SIDE);
        let logits = head.forward(features, &classes, masks, &self.boxes);
        let device = logits.device();
        let expected = TensorData::new(mask_targets(&expected), logits.dims());
        let loss = binary_cross_entropy(logits, Tensor::from_data(expected, &device));
        Some(part(loss, regions.len(), seen.all_masks))
    }
}

/// Masks seen through boxes, `[box, 28, 28]`, as shares of each cell.
///
/// # Source
/// torchvision's `project_masks_on_boxes`: RoIAlign of the mask itself.
#[must_use]
pub fn mask_targets(masks: &[(&InstanceMask, Corners)]) -> Vec<f32> {
    let device = Device::flex();
    let of_one = |(mask, corners): &(&InstanceMask, Corners)| {
        let inside = mask
            .inside()
            .iter()
            .map(|&inside| f32::from(u8::from(inside)));
        let shape = [1, mask.height(), mask.width(), 1];
        let image = Tensor::<4>::from_data(TensorData::new(inside.collect(), shape), &device);
        let regions = Regions {
            boxes: [(0, *corners)].into(),
            side: MASK_OUT,
            scale: 1.0,
            samples: None,
            aligned: false,
        };
        values(pool_regions(image, regions))
    };
    masks.iter().flat_map(of_one).collect()
}

/// Two means over `own` rows as their parts of the means over `all`; nothing of none.
fn parts(
    own: usize,
    all: usize,
    device: &Device,
    means: impl FnOnce() -> [Tensor<1>; 2],
) -> [Tensor<1>; 2] {
    if own == 0 && all > 0 {
        return [Tensor::zeros([1], device), Tensor::zeros([1], device)];
    }
    means().map(|mean| part(mean, own, all))
}

/// Rows of four.
fn quads(numbers: Vec<f32>, device: &Device) -> Tensor<2> {
    let count = numbers.len() / 4;
    Tensor::from_data(TensorData::new(numbers, [count, 4]), device)
}
