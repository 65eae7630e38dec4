//! The stages `boxes` and `end_to_end`: the detector, without or with its mask head.

use std::sync::Arc;

use retrial_core::declare::StageParams;
use retrial_net_study::training::{self, Layout};
use retrial_net_study::{device, stage_tree};
use retrial_nets::device::Device;
use retrial_nets::fit::{Plan, Rule, TrainingError};
use retrial_nets::mask_rcnn::{
    Architecture, DetectorTask, Losses, MaskRcnn, Picture, TransferGradient, Truth,
};
use retrial_nets::weights;
use retrial_runner::{Built, Context, Reads, TrialError, Work, stage};
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

/// What both stages read of the params.
pub(super) type Params<'p> = (
    &'p BackboneParams,
    &'p Regions,
    &'p Training,
    &'p Augmentation,
);

/// What the stage `end_to_end` reads beside it.
pub(super) type MaskParams<'p> = (MaskNet<'p>, &'p Reach, &'p AnnotatedMasks);

/// What one of the two stages reads of the params.
trait Both<'p>: StageParams {
    fn both(&self) -> (Params<'p>, Option<MaskParams<'p>>);
}

impl<'p> Both<'p> for Params<'p> {
    fn both(&self) -> (Params<'p>, Option<MaskParams<'p>>) {
        (*self, None)
    }
}

impl<'p> Both<'p> for (Params<'p>, MaskParams<'p>) {
    fn both(&self) -> (Params<'p>, Option<MaskParams<'p>>) {
        (self.0, Some(self.1))
    }
}

type Input<'r, P> = Reads<P, &'r Built<Pretrained>, &'r Arc<TrainingSet>>;

/// A trained detector.
pub(super) struct Detector {
    pub(super) architecture: Architecture,
    pub(super) net: MaskRcnn,
    pub(super) losses: Vec<Losses>,
    /// Number of trained numbers.
    pub(super) weights: usize,
}

pub(super) fn train(
    context: &mut Context,
    params: Params<'_>,
    masks: Option<MaskParams<'_>>,
    data: &Arc<TrainingSet>,
    stages: &Built<Pretrained>,
) -> Result<Built<Detector>, TrialError> {
    let seed = Some(context.seed().0);
    match masks {
        None => {
            let reads = Reads {
                params,
                stages,
                data,
            };
            stage(context, "boxes", seed, &reads, build, open)
        }
        Some(masks) => {
            let params = (params, masks);
            let reads = Reads {
                params,
                stages,
                data,
            };
            stage(context, "end_to_end", seed, &reads, build, open)
        }
    }
}

fn open<'p, P: Both<'p>>(
    work: &Work,
    input: &Input<'_, P>,
    tree: &Tree,
) -> Result<Detector, TrialError> {
    let architecture = architecture(input);
    let weights = stage_tree::weights(tree, "weights")?;
    // One device is enough for what needs no training.
    let net = drawn(&architecture, work.seed, &device::open(&work.device)?)?;
    let trained = weights
        .iter()
        .filter(|(name, _)| !name.ends_with(".running"));
    Ok(Detector {
        weights: trained.map(|(_, array)| array.values.len()).sum(),
        losses: LAYOUT.losses(tree)?,
        net: weights::apply(net, &weights).map_err(TrialError::of)?,
        architecture,
    })
}

fn architecture<'p, P: Both<'p>>(input: &Input<'_, P>) -> Architecture {
    let ((backbone, regions, ..), masks) = input.params.both();
    let masks = masks.map(|(net, reach, _)| {
        let gradient = match reach.transfer_gradient {
            true => TransferGradient::Passed,
            false => TransferGradient::Stopped,
        };
        settings::mask_head(net, gradient)
    });
    settings::architecture(backbone, regions, input.data.frame.classes.len(), masks)
}

fn drawn(architecture: &Architecture, seed: Seed, device: &Device) -> Result<MaskRcnn, TrialError> {
    let mut stream = seed.stream("init detector");
    MaskRcnn::new(architecture, &mut stream, device).map_err(TrialError::of)
}

fn build<'p, P: Both<'p>>(work: &Work, input: &Input<'_, P>) -> Result<Tree, TrialError> {
    let ((_, _, params, augmentation), masks) = input.params.both();
    let (params, items, architecture) = (params.clone(), input.data, architecture(input));
    let devices = device::open_all(&work.device)?;
    let net = drawn(&architecture, work.seed, &devices[0])?;
    let mut all = weights::collect(&net);
    all.extend(input.stages.backbone.clone());
    let net = weights::apply(net, &all).map_err(TrialError::of)?;
    let batches = Batches {
        items: items.pictures.len(),
        batch: params.batch_size,
        seed: work.seed,
    };
    let annotations = match masks {
        Some((_, _, annotated)) => MaskAnnotations::new(annotated, items, work.seed),
        None => MaskAnnotations::none(items),
    };
    let frozen = net.frozen(params.freeze_at);
    let plan = Plan {
        task: DetectorTask {
            architecture,
            rules: settings::loss_rules(&params),
            seed: work.seed,
        },
        iterations: params.iterations as u64,
        batches: Arc::new(batches.seen(items, augmentation, annotations)),
        patience: (params.patience > 0).then_some(params.patience as u64),
        devices,
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
    let trained = training::train(work, &LAYOUT, frozen, plan, explain)?;
    Ok(trained.tree)
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
