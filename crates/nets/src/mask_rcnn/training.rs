//! Training of a detector.
//!
//! # Source
//! He et al. 2017, arXiv:1703.06870, section 3; sampling and normalisation of the losses as
//! torchvision's.

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};
use retrial_image::InstanceMask;
use retrial_instances::boxes::{Corners, overlaps};
use retrial_instances::coder::BoxCoder;
use retrial_instances::matcher::{Match, MatchRule};
use retrial_instances::sampler::Balance;
use retrial_seed::{Seed, Stream};
use thiserror::Error;

use super::architecture::Architecture;
use super::box_head::{BOX_SIDE, Judged};
use super::detect::{numbered, proposed_boxes};
use super::loss::{binary_cross_entropy, cross_entropy, smooth_l1};
use super::mask_head::{MASK_OUT, MASK_SIDE, picked};
use super::net::{Batch, MaskRcnn, Picture, pooled};
use super::proposal::Proposed;
use super::propose::ProposalRule;
use crate::detection_ops::{Regions, pool_regions};
use crate::sgd::{NamedGradients, Sgd, SgdRates};
use crate::weights::{self, Weights, WeightsError, values};

/// What is known about a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// Boxes of the objects, px.
    pub boxes: Vec<Corners>,
    /// Their classes, from 1.
    pub classes: Vec<usize>,
    /// Their masks, in the size of the picture, where they have one.
    pub masks: Vec<Option<InstanceMask>>,
}

/// Which boxes the losses look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossRules {
    /// Proposals of a training image.
    pub proposals: ProposalRule,
    /// What an anchor answers for.
    pub anchor_match: MatchRule,
    /// Anchors sampled.
    pub anchor_balance: Balance,
    /// What a proposal answers for.
    pub region_match: MatchRule,
    /// Proposals sampled.
    pub region_balance: Balance,
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

/// A step that led nowhere.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum TrainingError {
    /// A loss is infinite or no number.
    #[error("the loss of {term} is {value} in iteration {iteration}")]
    NotFinite {
        /// Which loss.
        term: &'static str,
        /// Its value.
        value: f64,
        /// Number of the step.
        iteration: u64,
    },
}

/// A detector in training.
#[derive(Debug)]
pub struct DetectorTraining {
    architecture: Architecture,
    rules: LossRules,
    seed: Seed,
    devices: Vec<Device>,
    net: MaskRcnn,
    rates: SgdRates,
    sgd: Sgd,
}

/// All that a training needs to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DetectorState {
    /// Weights by name, running statistics included.
    pub weights: Weights,
    /// Velocities by the names of their weights.
    pub velocities: Weights,
}

/// The losses as tensors.
struct LossTensors {
    classes: Tensor<1>,
    boxes: Tensor<1>,
    masks: Tensor<1>,
    objectness: Tensor<1>,
    proposals: Tensor<1>,
}

/// Regions sampled from the proposals of an image.
struct SampledRegions {
    boxes: Vec<Corners>,
    classes: Vec<usize>,
    /// The object that a region answers for.
    objects: Vec<Option<usize>>,
}

impl DetectorTraining {
    /// A training of `net` on devices without automatic differentiation; the first one keeps the
    /// weights, and a step is divided among all.
    ///
    /// The streams `draw <iteration> <device>` of `seed` choose the regions.
    ///
    /// # Panics
    /// When `devices` is empty.
    #[must_use]
    pub fn new(
        architecture: Architecture,
        net: MaskRcnn,
        rules: LossRules,
        rates: SgdRates,
        seed: Seed,
        devices: &[Device],
    ) -> Self {
        let net = net.to_device(&devices[0]).train();
        Self {
            net,
            devices: devices.iter().map(|d| d.clone().autodiff()).collect(),
            architecture,
            rules,
            seed,
            rates,
            sgd: Sgd::new(rates),
        }
    }

    /// Keeps the stem and the first stages of the backbone as they are: 0 none, 5 all.
    pub fn freeze(&mut self, parts: usize) {
        self.net.body = self.net.body.clone().frozen(parts);
    }

    /// The net without automatic differentiation.
    #[must_use]
    pub fn net(&self) -> MaskRcnn {
        self.net.clone().valid()
    }

    /// What has to be kept.
    #[must_use]
    pub fn state(&self) -> DetectorState {
        DetectorState {
            weights: weights::collect(&self.net),
            velocities: self.sgd.state(),
        }
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`WeightsError`] when it is of another net.
    pub fn restore(&mut self, state: &DetectorState) -> Result<(), WeightsError> {
        self.net = weights::apply(self.net.clone(), &state.weights)?;
        let plain = self.devices[0].clone().inner();
        self.sgd = Sgd::restored(self.rates, &state.velocities, &plain);
        Ok(())
    }

    /// One step down the losses of a batch.
    ///
    /// # Errors
    /// [`TrainingError::NotFinite`]; the weights are as before then.
    pub fn step(
        &mut self,
        iteration: u64,
        learning_rate: f64,
        batch: &[(&Picture, &Truth)],
    ) -> Result<Losses, TrainingError> {
        let (losses, gradients) = self.gradients(iteration, batch)?;
        self.net = self.sgd.step(self.net.clone(), gradients, learning_rate);
        Ok(losses)
    }

    /// The losses of a batch and their gradients, each device taking its share of the images.
    pub(crate) fn gradients(
        &mut self,
        iteration: u64,
        batch: &[(&Picture, &Truth)],
    ) -> Result<(Losses, NamedGradients), TrainingError> {
        let share = batch.len().div_ceil(self.devices.len()).max(1);
        let mut total = Losses::default();
        let mut sum = NamedGradients::default();
        let mut statistics = None;
        for (place, part) in batch.chunks(share).enumerate() {
            let mut stream = self.seed.stream(&format!("draw {iteration} {place}"));
            let device = self.devices[place].clone();
            let mut net = match place {
                0 => self.net.clone(),
                _ => self.net.clone().to_device(&device),
            };
            let weight = part.len() as f64 / batch.len() as f64;
            let tensors = net.losses(&self.architecture, &self.rules, part, &mut stream, &device);
            let (losses, all) = tensors.read(iteration)?;
            total = total.plus(losses, weight);
            let gradients = NamedGradients::of(&net, &all.backward());
            sum = match place {
                0 if batch.len() == part.len() => gradients,
                _ => sum.plus(gradients.times(weight)),
            };
            // Running moments are those of the first device, as in other programs.
            statistics.get_or_insert(net.body);
        }
        if let Some(body) = statistics {
            self.net.body = body;
        }
        Ok((total, sum))
    }
}

impl Losses {
    fn plus(self, other: Self, weight: f64) -> Self {
        Self {
            classes: self.classes + weight * other.classes,
            boxes: self.boxes + weight * other.boxes,
            masks: self.masks + weight * other.masks,
            objectness: self.objectness + weight * other.objectness,
            proposals: self.proposals + weight * other.proposals,
        }
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.classes + self.boxes + self.masks + self.objectness + self.proposals
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
            let value = f64::from(values(tensor.clone().detach())[0]);
            if !value.is_finite() {
                return Err(TrainingError::NotFinite {
                    term,
                    value,
                    iteration,
                });
            }
            *slot = value;
        }
        let [classes, boxes, masks, objectness, proposals] = read;
        let losses = Losses {
            classes,
            boxes,
            masks,
            objectness,
            proposals,
        };
        let all = self.classes + self.boxes + self.masks + self.objectness + self.proposals;
        Ok((losses, all))
    }
}

impl MaskRcnn {
    fn losses(
        &mut self,
        architecture: &Architecture,
        rules: &LossRules,
        items: &[(&Picture, &Truth)],
        stream: &mut Stream,
        device: &Device,
    ) -> LossTensors {
        let pictures: Vec<&Picture> = items.iter().map(|(picture, _)| *picture).collect();
        let truths: Vec<&Truth> = items.iter().map(|(_, truth)| *truth).collect();
        let batch = Batch::new(&pictures, device);
        let normalisation = architecture.backbone.normalisation;
        let levels = self.levels(batch.images.clone(), normalisation);
        let anchors = batch.anchors(architecture, &levels);
        let proposed = self.proposals.forward(&levels);
        let proposals_of_images = proposed_boxes(
            &values(proposed.objectness.clone().detach()),
            &values(proposed.deltas.clone().detach()),
            &anchors,
            &batch.sizes,
            rules.proposals,
        );
        let (objectness, proposals) =
            proposal_losses(proposed, &anchors.concat(), &truths, rules, stream);
        let sampled: Vec<SampledRegions> = proposals_of_images
            .into_iter()
            .zip(&truths)
            .map(|(proposals, truth)| sample_regions(proposals, truth, rules, stream))
            .collect();
        let (classes, boxes) = self.region_losses(architecture, &levels, &sampled, &truths);
        let masks = self.mask_loss(architecture, &levels, &sampled, &truths);
        LossTensors {
            masks: masks.unwrap_or_else(|| classes.zeros_like().detach()),
            classes,
            boxes,
            objectness,
            proposals,
        }
    }

    fn region_losses(
        &self,
        architecture: &Architecture,
        levels: &[Tensor<4>],
        sampled: &[SampledRegions],
        truths: &[&Truth],
    ) -> (Tensor<1>, Tensor<1>) {
        let boxes: Vec<Vec<Corners>> = sampled.iter().map(|d| d.boxes.clone()).collect();
        let regions = numbered(&boxes);
        let features = pooled(architecture, levels, &regions, BOX_SIDE);
        let Judged { logits, deltas } = self.boxes.judge(self.boxes.represent(features));
        let labels: Vec<usize> = sampled.iter().flat_map(|d| d.classes.clone()).collect();
        let (mut rows, mut expected) = (Vec::new(), Vec::new());
        let mut row = 0;
        for (sampled, truth) in sampled.iter().zip(truths) {
            for ((corners, &class), object) in sampled
                .boxes
                .iter()
                .zip(&sampled.classes)
                .zip(&sampled.objects)
            {
                if let Some(object) = *object {
                    rows.push(row * architecture.classes + class);
                    let to = &truth.boxes[object];
                    expected.extend(BoxCoder::BOX_HEAD.encode(corners, to));
                }
                row += 1;
            }
        }
        let count = labels.len();
        let deltas = deltas.reshape([count * architecture.classes, 4]);
        let boxes = smooth_l1(picked(deltas, &rows), quads(expected, &logits.device()));
        (cross_entropy(logits, &labels), boxes / count as f64)
    }

    /// None when no region of an object with a mask was sampled, or there is no mask head.
    fn mask_loss(
        &self,
        architecture: &Architecture,
        levels: &[Tensor<4>],
        sampled: &[SampledRegions],
        truths: &[&Truth],
    ) -> Option<Tensor<1>> {
        let (head, masks) = (self.masks.as_ref()?, architecture.masks?);
        let (mut regions, mut classes, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for (image, (sampled, truth)) in sampled.iter().zip(truths).enumerate() {
            for ((&corners, &class), object) in sampled
                .boxes
                .iter()
                .zip(&sampled.classes)
                .zip(&sampled.objects)
            {
                let mask = object.and_then(|object| truth.masks.get(object)?.as_ref());
                if let Some(mask) = mask {
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
        Some(binary_cross_entropy(
            logits,
            Tensor::from_data(expected, &device),
        ))
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

/// Losses of objectness and of boxes of sampled anchors.
fn proposal_losses(
    proposed: Proposed,
    anchors: &[Corners],
    truths: &[&Truth],
    rules: &LossRules,
    stream: &mut Stream,
) -> (Tensor<1>, Tensor<1>) {
    let device = proposed.objectness.device();
    let (mut looked_at, mut labels) = (Vec::new(), Vec::new());
    let (mut rows, mut expected) = (Vec::new(), Vec::new());
    for (image, truth) in truths.iter().enumerate() {
        let matches = rules.anchor_match.assign(&overlaps(&truth.boxes, anchors));
        let sampled = rules.anchor_balance.draw(&matches, stream);
        let first = image * anchors.len();
        for &anchor in &sampled.positive {
            if let Match::Object(object) = matches[anchor] {
                rows.push(first + anchor);
                let to = &truth.boxes[object];
                expected.extend(BoxCoder::PROPOSALS.encode(&anchors[anchor], to));
            }
        }
        for (places, label) in [(&sampled.positive, 1.0), (&sampled.negative, 0.0)] {
            looked_at.extend(places.iter().map(|place| first + place));
            labels.extend(places.iter().map(|_| label));
        }
    }
    let all = truths.len() * anchors.len();
    let count = looked_at.len();
    let logits = picked(proposed.objectness.reshape([all, 1]), &looked_at);
    let labels = Tensor::from_data(TensorData::new(labels, [count, 1]), &device);
    let deltas = picked(proposed.deltas.reshape([all, 4]), &rows);
    let boxes = smooth_l1(deltas, quads(expected, &device)) / count as f64;
    (binary_cross_entropy(logits, labels), boxes)
}

/// Regions of an image for the heads, its objects themselves among the candidates.
fn sample_regions(
    mut candidates: Vec<Corners>,
    truth: &Truth,
    rules: &LossRules,
    stream: &mut Stream,
) -> SampledRegions {
    candidates.extend(&truth.boxes);
    let matches = rules
        .region_match
        .assign(&overlaps(&truth.boxes, &candidates));
    let sampled = rules.region_balance.draw(&matches, stream);
    let mut places = [sampled.positive, sampled.negative].concat();
    places.sort_unstable();
    let object = |&place: &usize| match matches[place] {
        Match::Object(object) => Some(object),
        Match::Background | Match::Ignored => None,
    };
    let objects: Vec<Option<usize>> = places.iter().map(object).collect();
    SampledRegions {
        boxes: places.iter().map(|&place| candidates[place]).collect(),
        classes: objects
            .iter()
            .map(|object| object.map_or(0, |object| truth.classes[object]))
            .collect(),
        objects,
    }
}

/// Rows of four.
fn quads(numbers: Vec<f32>, device: &Device) -> Tensor<2> {
    let count = numbers.len() / 4;
    Tensor::from_data(TensorData::new(numbers, [count, 4]), device)
}
