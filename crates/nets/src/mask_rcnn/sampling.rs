//! What the losses of a detector look at: anchors and regions drawn from the pictures of a batch.
//!
//! # Source
//! He et al. 2017, arXiv:1703.06870, section 3; sampling as torchvision's.

use retrial_image::InstanceMask;
use retrial_instances::boxes::{Corners, overlaps};
use retrial_instances::matcher::{Match, MatchRule};
use retrial_instances::sampler::{Balance, Sampled};
use retrial_seed::Stream;

use super::propose::ProposalRule;

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

/// What was drawn from the pictures of a batch, one entry a picture.
pub(crate) struct Drawn {
    pub(crate) anchors: Vec<SampledAnchors>,
    pub(crate) regions: Vec<SampledRegions>,
}

/// Anchors sampled from those of an image.
pub(crate) struct SampledAnchors {
    /// Those that answer for an object, and for which.
    pub(crate) objects: Vec<(usize, usize)>,
    pub(crate) sampled: Sampled,
}

/// Regions sampled from the proposals of an image.
pub(crate) struct SampledRegions {
    pub(crate) boxes: Vec<Corners>,
    pub(crate) classes: Vec<usize>,
    /// The object that a region answers for.
    pub(crate) objects: Vec<Option<usize>>,
}

impl Drawn {
    /// Anchors of all images first, then their regions.
    pub(crate) fn new(
        truths: &[&Truth],
        anchors: &[Corners],
        proposals: Vec<Vec<Corners>>,
        rules: &LossRules,
        stream: &mut Stream,
    ) -> Self {
        let of_image = |truth: &&Truth| SampledAnchors::draw(truth, anchors, rules, stream);
        let anchors = truths.iter().map(of_image).collect();
        let of_image = |(candidates, truth): (Vec<Corners>, &&Truth)| {
            SampledRegions::draw(candidates, truth, rules, stream)
        };
        let regions = proposals.into_iter().zip(truths).map(of_image).collect();
        Self { anchors, regions }
    }
}

impl SampledAnchors {
    fn draw(truth: &Truth, anchors: &[Corners], rules: &LossRules, stream: &mut Stream) -> Self {
        let matches = rules.anchor_match.assign(&overlaps(&truth.boxes, anchors));
        let sampled = rules.anchor_balance.draw(&matches, stream);
        let object = |&anchor: &usize| match matches[anchor] {
            Match::Object(object) => Some((anchor, object)),
            Match::Background | Match::Ignored => None,
        };
        Self {
            objects: sampled.positive.iter().filter_map(object).collect(),
            sampled,
        }
    }

    /// Number of anchors.
    pub(crate) fn len(&self) -> usize {
        self.sampled.positive.len() + self.sampled.negative.len()
    }
}

impl SampledRegions {
    /// The objects themselves are among the candidates.
    fn draw(
        mut candidates: Vec<Corners>,
        truth: &Truth,
        rules: &LossRules,
        stream: &mut Stream,
    ) -> Self {
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
        Self {
            boxes: places.iter().map(|&place| candidates[place]).collect(),
            classes: objects
                .iter()
                .map(|object| object.map_or(0, |object| truth.classes[object]))
                .collect(),
            objects,
        }
    }

    /// Box, class and object of every region.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Corners, usize, Option<usize>)> + '_ {
        let of_place = |place: usize| (self.boxes[place], self.classes[place], self.objects[place]);
        (0..self.boxes.len()).map(of_place)
    }

    /// Number of regions of an object with a mask.
    pub(crate) fn masks(&self, truth: &Truth) -> usize {
        self.each()
            .filter(|(_, _, object)| mask_of(truth, *object).is_some())
            .count()
    }
}

/// The mask of an object, where it has one.
pub(crate) fn mask_of(truth: &Truth, object: Option<usize>) -> Option<&InstanceMask> {
    truth.masks.get(object?)?.as_ref()
}
