//! The stages `boxes` and `end_to_end`: the detector, without or with its mask head.

use std::time::Instant;

use retrial_core::declare::{Pairs, ParamGroup as _};
use retrial_core::plan::StageInput;
use retrial_net_study::{device, stage_tree};
use retrial_nets::device::Device;
use retrial_nets::mask_rcnn::{
    Architecture, DetectorState, DetectorTraining, Losses, MaskRcnn, Picture, TransferGradient,
    Truth,
};
use retrial_nets::weights::{self, Weights};
use retrial_runner::{Built, Context, TrialError, Work, cpu_seconds, stage};
use retrial_seed::Seed;
use retrial_store::Tree;

use super::items::{Item, TrainingSet};
use super::mask_annotations::MaskAnnotations;
use super::params::{
    AnnotatedMasks, Augmentation, BackboneParams, MaskNet, Reach, Regions, Training,
};
use super::pretrain::{CHECKPOINT_EVERY, Pretrained};
use super::settings;

const LOSSES: [&str; 5] = ["classes", "boxes", "masks", "objectness", "proposals"];

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
    items: &TrainingSet,
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
    let device = device::open(context.device())?;
    let mut training = fresh(
        input.training,
        &architecture,
        backbone,
        context.seed(),
        device,
    )?;
    let losses = restore(&mut training, &tree)?;
    let weights = training.state().weights;
    let trained = weights
        .iter()
        .filter(|(name, _)| !name.ends_with(".running"));
    Ok(Detector {
        id,
        architecture,
        net: training.net(),
        seconds_per_iteration: seconds,
        weights: trained.map(|(_, array)| array.values.len()).sum(),
        losses,
    })
}

fn fresh(
    params: &Training,
    architecture: &Architecture,
    backbone: &Weights,
    seed: Seed,
    device: Device,
) -> Result<DetectorTraining, TrialError> {
    let mut stream = seed.stream("init detector");
    let net = MaskRcnn::new(architecture, &mut stream, &device).map_err(TrialError::of)?;
    let mut all = weights::collect(&net);
    all.extend(backbone.clone());
    let net = weights::apply(net, &all).map_err(TrialError::of)?;
    let mut training = DetectorTraining::new(
        architecture.clone(),
        net,
        settings::loss_rules(params),
        settings::sgd(params),
        seed,
        &[device],
    );
    training.freeze(params.freeze_at);
    Ok(training)
}

fn build(
    work: &Work,
    input: Input<'_>,
    items: &TrainingSet,
    backbone: &Weights,
    architecture: &Architecture,
    seconds: &mut Option<f64>,
) -> Result<Tree, TrialError> {
    let params = input.training;
    let all = params.iterations as u64;
    let annotations = match input.end_to_end {
        Some(end_to_end) => MaskAnnotations::new(end_to_end.annotated, items, work.seed),
        None => MaskAnnotations::none(items),
    };
    let batches = Batches {
        items: items.pictures.len(),
        batch: params.batch_size,
        seed: work.seed,
    };
    let device = device::open(&work.device)?;
    let mut training = fresh(params, architecture, backbone, work.seed, device)?;
    let mut losses = Vec::new();
    if let Some((_, tree)) = work.resume()? {
        losses = restore(&mut training, &tree)?;
    }
    let (begun, mut spent) = (losses.len(), 0.0);
    let mut saved = Instant::now();
    for iteration in losses.len() as u64..all {
        if let Err(stopped) = work.stop_point() {
            if iteration > 0 {
                work.checkpoint(iteration, to_tree(&training, &losses)?)?;
            }
            return Err(stopped);
        }
        let before = cpu_seconds();
        let rate = settings::learning_rate(params, iteration);
        let mut stream = work.seed.stream(&format!("augment {iteration}"));
        let chosen: Vec<(Picture, Truth)> = batches
            .of(iteration)
            .into_iter()
            .map(|place| {
                let item = &items.pictures[place];
                let size = (items.frame.height, items.frame.width);
                let changed = input.augmentation.apply(item, size, &mut stream);
                (
                    items.frame.picture(&changed.gray),
                    truth(&changed, &annotations, place),
                )
            })
            .collect();
        let batch: Vec<(&Picture, &Truth)> = chosen.iter().map(|(p, t)| (p, t)).collect();
        let own = training.step(iteration, rate, &batch).map_err(|error| {
            let names: Vec<&str> = batches
                .of(iteration)
                .iter()
                .map(|&place| items.pictures[place].name.as_str())
                .collect();
            let names = names.join(", ");
            TrialError::Other(format!(
                "{error}, with the pictures {names}; a smaller learning_rate or clip_norm may help"
            ))
        })?;
        losses.push(own);
        spent += cpu_seconds() - before;
        work.progress(iteration + 1, all, "steps");
        if saved.elapsed() >= CHECKPOINT_EVERY && iteration + 1 < all {
            work.checkpoint(iteration + 1, to_tree(&training, &losses)?)?;
            saved = Instant::now();
        }
    }
    *seconds = (losses.len() > begun).then(|| spent / (losses.len() - begun) as f64);
    to_tree(&training, &losses)
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
}

fn to_tree(training: &DetectorTraining, losses: &[Losses]) -> Result<Tree, TrialError> {
    let mut tree = Tree::new();
    let state = training.state();
    stage_tree::insert_weights(&mut tree, "weights", &state.weights)?;
    stage_tree::insert_weights(&mut tree, "velocities", &state.velocities)?;
    let columns: [fn(&Losses) -> f64; 5] = [
        |l| l.classes,
        |l| l.boxes,
        |l| l.masks,
        |l| l.objectness,
        |l| l.proposals,
    ];
    for (name, column) in LOSSES.iter().zip(columns) {
        let values = losses.iter().map(column).collect();
        stage_tree::insert_list(&mut tree, &format!("losses/{name}"), values)?;
    }
    Ok(tree)
}

fn restore(training: &mut DetectorTraining, tree: &Tree) -> Result<Vec<Losses>, TrialError> {
    let state = DetectorState {
        weights: stage_tree::weights(tree, "weights")?,
        velocities: stage_tree::weights(tree, "velocities")?,
    };
    training.restore(&state).map_err(TrialError::of)?;
    let mut columns = Vec::with_capacity(LOSSES.len());
    for name in LOSSES {
        columns.push(tree.values::<f64>(&format!("losses/{name}"))?);
    }
    let losses = (0..columns[0].len()).map(|at| Losses {
        classes: columns[0][at],
        boxes: columns[1][at],
        masks: columns[2][at],
        objectness: columns[3][at],
        proposals: columns[4][at],
    });
    Ok(losses.collect())
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
