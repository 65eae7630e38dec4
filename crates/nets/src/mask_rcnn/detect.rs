//! Detection: boxes, classes, confidences and masks of images.
//!
//! # Source
//! He et al. 2017, arXiv:1703.06870, section 3.1 (inference); order and thresholds as torchvision's.

use burn::tensor::{Device, Tensor, activation};
use retrial_image::InstanceMask;
use retrial_instances::boxes::{Corners, clip, remove_small};
use retrial_instances::coder::BoxCoder;
use retrial_instances::nms::batched_nms;
use retrial_instances::paste::{PasteError, SquareMask};

use super::architecture::{Architecture, Normalisation};
use super::box_head::{BOX_SIDE, Judged};
use super::mask_head::{MASK_OUT, MASK_SIDE};
use super::net::{Batch, MaskRcnn, Picture, pooled};
use super::propose::{ProposalRule, proposals};
use crate::weights::values;

/// Which boxes are detections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectionRule {
    /// Proposals.
    pub proposals: ProposalRule,
    /// Confidences must be above this.
    pub confidence: f32,
    /// Overlap above which the less confident of two boxes of a class is dropped.
    pub nms: f64,
    /// Detections of an image.
    pub most: usize,
}

/// One object found.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// `[x0, y0, x1, y1]`, px of the image given.
    pub corners: Corners,
    /// Its class, from 1.
    pub class: usize,
    /// Probability of the class, in `0..=1`.
    pub confidence: f32,
    /// Probability of the object at 28 × 28 places of its box, row by row; empty without a mask
    /// head.
    pub mask: Vec<f32>,
}

/// Boxes below this side are no detections, px.
const LEAST_SIDE: f32 = 1e-2;

impl Detection {
    /// The object's pixels in an image of `height × width`: probability of `threshold` and more.
    ///
    /// # Errors
    /// [`PasteError`] when the detection has no mask.
    pub fn pixels(
        &self,
        height: usize,
        width: usize,
        threshold: f32,
    ) -> Result<InstanceMask, PasteError> {
        SquareMask::new(MASK_OUT, &self.mask)?.mask(&self.corners, height, width, threshold)
    }
}

impl MaskRcnn {
    /// The objects of every picture, most confident first.
    ///
    /// `device` without automatic differentiation; weights must lie there.
    #[must_use]
    pub fn detect(
        &self,
        architecture: &Architecture,
        pictures: &[&Picture],
        rule: &DetectionRule,
        device: &Device,
    ) -> Vec<Vec<Detection>> {
        let mut net = self.clone();
        let batch = Batch::new(pictures, device);
        let levels = net.levels(batch.images.clone(), Normalisation::Running);
        let proposed = self.proposals_of(architecture, &batch, &levels, rule.proposals);
        let mut found = self.boxes_of(architecture, &batch, &levels, &proposed, rule);
        self.add_masks(architecture, &levels, &mut found);
        found
    }

    /// Proposals of every image of a batch.
    pub(crate) fn proposals_of(
        &self,
        architecture: &Architecture,
        batch: &Batch,
        levels: &[Tensor<4>],
        rule: ProposalRule,
    ) -> Vec<Vec<Corners>> {
        let anchors = batch.anchors(architecture, levels);
        let proposed = self.proposals.forward(levels);
        proposed_boxes(
            &values(proposed.objectness),
            &values(proposed.deltas),
            &anchors,
            &batch.sizes,
            rule,
        )
    }

    fn boxes_of(
        &self,
        architecture: &Architecture,
        batch: &Batch,
        levels: &[Tensor<4>],
        proposed: &[Vec<Corners>],
        rule: &DetectionRule,
    ) -> Vec<Vec<Detection>> {
        let regions = numbered(proposed);
        if regions.is_empty() {
            return vec![Vec::new(); proposed.len()];
        }
        let features = pooled(architecture, levels, &regions, BOX_SIDE);
        let Judged { logits, deltas } = self.boxes.judge(self.boxes.represent(features));
        let probabilities = values(activation::softmax(logits, 1));
        let deltas = values(deltas);
        let classes = architecture.classes;
        let mut first = 0;
        let of_image = |(own, &size): (&Vec<Corners>, &[usize; 2])| {
            let range = first..first + own.len();
            first = range.end;
            detections(
                own,
                &probabilities[range.start * classes..range.end * classes],
                &deltas[range.start * classes * 4..range.end * classes * 4],
                size,
                rule,
            )
        };
        proposed.iter().zip(&batch.sizes).map(of_image).collect()
    }

    fn add_masks(
        &self,
        architecture: &Architecture,
        levels: &[Tensor<4>],
        found: &mut [Vec<Detection>],
    ) {
        let (Some(head), Some(masks)) = (&self.masks, architecture.masks) else {
            return;
        };
        let of_image = |(image, own): (usize, &Vec<Detection>)| {
            let region = |detection: &Detection| (image, detection.corners);
            own.iter().map(region).collect::<Vec<_>>()
        };
        let regions: Vec<_> = found.iter().enumerate().flat_map(of_image).collect();
        if regions.is_empty() {
            return;
        }
        let classes: Vec<usize> = found.iter().flatten().map(|d| d.class).collect();
        let features = pooled(architecture, levels, &regions, MASK_SIDE);
        let logits = head.forward(features, &classes, masks, &self.boxes);
        let drawn = values(activation::sigmoid(logits));
        let each = drawn.chunks(MASK_OUT * MASK_OUT);
        for (detection, mask) in found.iter_mut().flatten().zip(each) {
            detection.mask = mask.to_vec();
        }
    }
}

/// Proposals of every image from the values of the proposal head.
pub(crate) fn proposed_boxes(
    objectness: &[f32],
    deltas: &[f32],
    anchors: &[Vec<Corners>],
    sizes: &[[usize; 2]],
    rule: ProposalRule,
) -> Vec<Vec<Corners>> {
    let count: usize = anchors.iter().map(Vec::len).sum();
    let of_image = |(image, &size): (usize, &[usize; 2])| {
        let range = image * count..(image + 1) * count;
        let deltas = &deltas[4 * range.start..4 * range.end];
        proposals(&objectness[range], deltas, anchors, size, rule)
    };
    sizes.iter().enumerate().map(of_image).collect()
}

/// Boxes of all images in one list, each with the number of its image.
pub(crate) fn numbered(boxes: &[Vec<Corners>]) -> Vec<(usize, Corners)> {
    let of_image = |(image, own): (usize, &Vec<Corners>)| {
        own.iter()
            .map(|&corners| (image, corners))
            .collect::<Vec<_>>()
    };
    boxes.iter().enumerate().flat_map(of_image).collect()
}

/// The detections of one image without masks, most confident first.
///
/// # Shapes
/// - `probabilities`: `[proposal × class]`; `deltas`: `[proposal × class × 4]`
fn detections(
    proposals: &[Corners],
    probabilities: &[f32],
    deltas: &[f32],
    [height, width]: [usize; 2],
    rule: &DetectionRule,
) -> Vec<Detection> {
    let classes = probabilities
        .len()
        .checked_div(proposals.len())
        .unwrap_or(0);
    let (mut boxes, mut confidences, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for (row, proposal) in proposals.iter().enumerate() {
        for class in 1..classes {
            let at = row * classes + class;
            if probabilities[at] <= rule.confidence {
                continue;
            }
            let delta = [0, 1, 2, 3].map(|axis| deltas[4 * at + axis]);
            let decoded = BoxCoder::BOX_HEAD.decode(proposal, &delta);
            boxes.push(clip(&decoded, height, width));
            confidences.push(probabilities[at]);
            kinds.push(class);
        }
    }
    let large = remove_small(&boxes, LEAST_SIDE);
    let boxes: Vec<Corners> = large.iter().map(|&i| boxes[i]).collect();
    let confidences: Vec<f32> = large.iter().map(|&i| confidences[i]).collect();
    let kinds: Vec<usize> = large.iter().map(|&i| kinds[i]).collect();
    let kept = batched_nms(&boxes, &confidences, &kinds, rule.nms);
    let detection = |i: usize| Detection {
        corners: boxes[i],
        class: kinds[i],
        confidence: confidences[i],
        mask: Vec::new(),
    };
    kept.into_iter().take(rule.most).map(detection).collect()
}
