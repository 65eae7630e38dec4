//! The stages `boxes` and `end_to_end`: the detector, without or with its mask head.

use std::sync::Arc;

use retrial_core::declare::{Pairs, ParamGroup as _};
use retrial_core::plan::StageInput;
use retrial_net_study::training::{self, Layout, Trained};
use retrial_net_study::{device, stage_tree};
use retrial_nets::device::Device;
use retrial_nets::fit::{Plan, Rule, TrainingError};
use retrial_nets::mask_rcnn::{
    Architecture, DetectorTask, Losses, MaskRcnn, Picture, TransferGradient, Truth,
};
use retrial_nets::weights::{self, Weights};
use retrial_runner::{Built, Context, TrialError, Work, stage};
use retrial_seed::Seed;
use retrial_store::Tree;

use super::items::{Item, TrainingSet};
use super::mask_annotations::MaskAnnotations;
use super::params::{
    AnnotatedMasks, Augmentation, BackboneParams, MaskNet, Reach, Regions, Training,
};
use super::pretrain::Pretrained;
use super::settings;

const LAYOUT: Layout = Layout {
    losses: &[
        "losses/classes",
        "losses/boxes",
        "losses/masks",
        "losses/objectness",
        "losses/proposals",
    ],
    unit: "steps",
};

/// What the stages read.
#[derive(Clone, Copy)]
pub(super) struct Input<'p> {
    pub(super) backbone: &'p BackboneParams,
    pub(super) regions: &'p Regions,
    pub(super) training: &'p Training,
    pub(super) augmentation: &'p Augmentation,
    /// What the stage `end_to_end` reads beside it; none of the stage `boxes`.
    pub(super) end_to_end: Option<EndToEnd<'p>>,
}

/// What is read of a mask head that is trained with the boxes.
#[derive(Clone, Copy)]
pub(super) struct EndToEnd<'p> {
    pub(super) net: MaskNet<'p>,
    pub(super) reach: &'p Reach,
    pub(super) annotated: &'p AnnotatedMasks,
}

/// A trained detector.
pub(super) struct Detector {
    /// The id of the stage.
    pub(super) id: String,
    pub(super) architecture: Architecture,
    pub(super) net: MaskRcnn,
    pub(super) losses: Vec<Losses>,
    /// CPU time of a step; none where the stage was found ready.
    pub(super) seconds_per_iteration: Option<f64>,
    /// Number of trained numbers.
    pub(super) weights: usize,
}

impl Input<'_> {
    fn name(&self) -> &'static str {
        match self.end_to_end {
            Some(_) => "end_to_end",
            None => "boxes",
        }
    }

    fn pairs(&self) -> Pairs {
        let mut pairs = [
            self.backbone.pairs(),
            self.regions.pairs(),
            self.training.pairs(),
            self.augmentation.pairs(),
        ]
        .concat();
        if let Some(EndToEnd {
            net,
            reach,
            annotated,
        }) = self.end_to_end
        {
            pairs.extend(net.head.pairs());
            pairs.extend(net.predictor.pairs());
            pairs.extend(reach.pairs());
            pairs.extend(net.transferred.pairs());
            pairs.extend(annotated.pairs());
        }
        pairs
    }

    fn architecture(&self, classes: usize) -> Architecture {
        let masks = self.end_to_end.map(|end_to_end| {
            let gradient = match end_to_end.reach.transfer_gradient {
                true => TransferGradient::Passed,
                false => TransferGradient::Stopped,
            };
            settings::mask_head(end_to_end.net, gradient)
        });
        settings::architecture(self.backbone, self.regions, classes, masks)
    }
}

pub(super) fn train(
    context: &mut Context,
    input: Input<'_>,
    items: &Arc<TrainingSet>,
    pretrained: &Pretrained,
) -> Result<Detector, TrialError> {
    let architecture = input.architecture(items.frame.classes.len());
    let what = StageInput {
        name: input.name(),
        params: input.pairs(),
        inputs: &[&pretrained.id],
        data: vec![items.digest.clone()],
        seed: Some(context.seed().0),
    };
    // The time is no part of what the stage leaves, which must repeat bit by bit.
    let mut seconds = None;
    let backbone = &pretrained.backbone;
    let Built { id, tree } = stage(context, &what, |work| {
        build(work, input, items, backbone, &architecture, &mut seconds)
    })?;
    let weights = stage_tree::weights(&tree, "weights")?;
    let device = device::open(context.device())?;
    let net = drawn(&architecture, context.seed(), &device)?;
    let trained = weights
        .iter()
        .filter(|(name, _)| !name.ends_with(".running"));
    Ok(Detector {
        id,
        seconds_per_iteration: seconds,
        weights: trained.map(|(_, array)| array.values.len()).sum(),
        losses: LAYOUT.losses(&tree)?,
        net: weights::apply(net, &weights).map_err(TrialError::of)?,
        architecture,
    })
}

fn drawn(architecture: &Architecture, seed: Seed, device: &Device) -> Result<MaskRcnn, TrialError> {
    let mut stream = seed.stream("init detector");
    MaskRcnn::new(architecture, &mut stream, device).map_err(TrialError::of)
}

fn build(
    work: &Work,
    input: Input<'_>,
    items: &Arc<TrainingSet>,
    backbone: &Weights,
    architecture: &Architecture,
    seconds: &mut Option<f64>,
) -> Result<Tree, TrialError> {
    let params = input.training.clone();
    let device = device::open(&work.device)?;
    let net = drawn(architecture, work.seed, &device)?;
    let mut all = weights::collect(&net);
    all.extend(backbone.clone());
    let net = weights::apply(net, &all).map_err(TrialError::of)?;
    let batches = Batches {
        items: items.pictures.len(),
        batch: params.batch_size,
        seed: work.seed,
    };
    let annotations = match input.end_to_end {
        Some(end_to_end) => MaskAnnotations::new(end_to_end.annotated, items, work.seed),
        None => MaskAnnotations::none(items),
    };
    let frozen = net.frozen(params.freeze_at);
    let plan = Plan {
        task: DetectorTask {
            architecture: architecture.clone(),
            rules: settings::loss_rules(&params),
            seed: work.seed,
        },
        steps: params.iterations as u64,
        batches: Arc::new(batches.seen(items, input.augmentation, annotations)),
        devices: vec![device],
        rule: Rule::Sgd(
            settings::sgd(&params),
            Arc::new(move |iteration| settings::learning_rate(&params, iteration)),
        ),
    };
    let explain = |error: &TrainingError| {
        let TrainingError::NotFinite { iteration, .. } = error;
        let chosen = batches.of(*iteration).into_iter();
        let names: Vec<&str> = chosen
            .map(|place| items.pictures[place].name.as_str())
            .collect();
        let names = names.join(", ");
        format!("{error}, with the pictures {names}; a smaller learning_rate or clip_norm may help")
    };
    let Trained {
        tree,
        seconds_per_step,
        ..
    } = training::train(work, &LAYOUT, frozen, plan, explain)?;
    *seconds = seconds_per_step;
    Ok(tree)
}

/// What the losses know of a changed picture.
fn truth(item: &Item, annotations: &MaskAnnotations, place: usize) -> Truth {
    let objects = item.objects.iter().filter(|object| !object.crowd);
    let mut truth = Truth::default();
    for object in objects {
        truth.boxes.push(object.corners);
        truth.classes.push(object.class);
        let is_annotated = object.outlined && annotations.include(place, object.class);
        truth.masks.push(is_annotated.then(|| object.mask.clone()));
    }
    truth
}

/// Which pictures a step sees: passes over all of them, each in an order of its own.
#[derive(Clone, Copy)]
struct Batches {
    items: usize,
    batch: usize,
    seed: Seed,
}

impl Batches {
    fn of(&self, iteration: u64) -> Vec<usize> {
        let first = iteration * self.batch as u64;
        let mut chosen = Vec::with_capacity(self.batch);
        let mut order: Option<(u64, Vec<usize>)> = None;
        for place in first..first + self.batch as u64 {
            let (pass, at) = (place / self.items as u64, place % self.items as u64);
            if order.as_ref().is_none_or(|(own, _)| *own != pass) {
                let mut numbers: Vec<usize> = (0..self.items).collect();
                self.seed
                    .stream(&format!("shuffle {pass}"))
                    .shuffle(&mut numbers);
                order = Some((pass, numbers));
            }
            if let Some((_, numbers)) = &order {
                chosen.push(numbers[at as usize]);
            }
        }
        chosen
    }

    /// Changed pictures of every step, with what the losses know of them.
    fn seen(
        self,
        items: &Arc<TrainingSet>,
        augmentation: &Augmentation,
        annotations: MaskAnnotations,
    ) -> impl Fn(u64) -> Vec<(Picture, Truth)> + use<> {
        let (items, augmentation) = (Arc::clone(items), augmentation.clone());
        move |iteration| {
            let mut stream = self.seed.stream(&format!("augment {iteration}"));
            let size = (items.frame.height, items.frame.width);
            let one = |place: usize| {
                let changed = augmentation.apply(&items.pictures[place], size, &mut stream);
                let picture = items.frame.picture(&changed.gray);
                (picture, truth(&changed, &annotations, place))
            };
            self.of(iteration).into_iter().map(one).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pass_shows_every_picture_once() {
        let batches = Batches {
            items: 10,
            batch: 4,
            seed: Seed(1),
        };
        let seen: Vec<usize> = (0..5).flat_map(|iteration| batches.of(iteration)).collect();
        for pass in seen.chunks(10) {
            let mut sorted = pass.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(seen[..10], seen[10..]);
        assert_eq!(batches.of(2), batches.of(2), "and depends on nothing else");
    }
}
