//! The stage `parts`: devices divided into parts, and what their temperatures say.
//!
//! # Source
//! Liu et al. 2021: centres of parts by pose estimation, then boxes of parts by regression, inside
//! the detected box; Table 2 gives the accuracy of this step.

mod judge;
mod sides;
mod temperatures;

use std::time::Instant;

use retrial_core::declare::{ParamGroup as _, ParamType as _};
use retrial_core::plan::StageInput;
use retrial_net_study::{device, stage_tree};
use retrial_nets::mask_rcnn::{PartPlace, PartsArchitecture, PartsTraining, RegionFeatures};
use retrial_runner::{Context, TrialError, Work, stage};
use retrial_seed::Seed;
use retrial_store::Tree;

pub(super) use self::judge::{TABLES, judge};
pub(super) use self::sides::Sides;
use super::augment::mirror;
use super::boxes::Detector;
use super::items::{MOST_PARTS, Object, PartBox, TrainingSet};
use super::params::{Jitters, MaskHead, MasksAlone, PartsHead};
use super::pretrain::CHECKPOINT_EVERY;
use super::settings;

/// The name of the stage.
pub(super) const STAGE: &str = "parts";

/// Largest move of a side of a box, as a share of the box.
const JITTER: f64 = 0.1;

/// What the stage reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'p> {
    pub(super) head: &'p MaskHead,
    pub(super) jitters: &'p Jitters,
    /// Regions a step: `mask_batch_size`.
    pub(super) batch: usize,
    pub(super) parts: &'p PartsHead,
}

pub(super) fn train(
    context: &mut Context,
    input: Input<'_>,
    items: &TrainingSet,
    detector: &Detector,
) -> Result<PartsTraining, TrialError> {
    let batch = vec![(MasksAlone::mask_batch_size, input.batch.to_value())];
    let what = StageInput {
        name: STAGE,
        params: [
            input.head.pairs(),
            input.jitters.pairs(),
            batch,
            input.parts.pairs(),
        ]
        .concat(),
        inputs: &[&detector.id],
        data: vec![items.digest.clone()],
        seed: Some(context.seed().0),
    };
    let built = stage(context, &what, |work| build(work, input, items, detector))?;
    let mut training = fresh(input, detector, context.seed(), context.device())?;
    restore(&mut training, &built.tree)?;
    Ok(training)
}

fn fresh(
    input: Input<'_>,
    detector: &Detector,
    seed: Seed,
    device: &str,
) -> Result<PartsTraining, TrialError> {
    let parts = PartsArchitecture {
        channels: input.head.mask_channels,
        convolutions: input.head.mask_convolutions,
        parts: MOST_PARTS,
    };
    Ok(PartsTraining::new(
        &detector.architecture,
        parts,
        settings::adam(input.parts.part_learning_rate),
        &mut seed.stream("init parts"),
        &device::open(device)?,
    ))
}

/// Regions of training objects with the places of their parts.
struct Regions {
    features: RegionFeatures,
    classes: Vec<usize>,
    places: Vec<Vec<Option<PartPlace>>>,
}

fn collect(
    work: &Work,
    jitters: usize,
    items: &TrainingSet,
    detector: &Detector,
) -> Result<Regions, TrialError> {
    let device = device::open(&work.device)?;
    let mut stream = work.seed.stream("part boxes");
    let mut regions = Regions {
        features: RegionFeatures::default(),
        classes: Vec::new(),
        places: Vec::new(),
    };
    for item in &items.pictures {
        work.stop_point()?;
        for mirrored in [false, true] {
            let mut item = item.clone();
            if mirrored {
                mirror(&mut item, (items.frame.height, items.frame.width));
                for object in &mut item.objects {
                    items.sides.arrange(object);
                }
            }
            let mut boxes = Vec::new();
            for object in item.objects.iter().filter(|object| divided(object)) {
                for _ in 0..jitters {
                    let [x0, y0, x1, y1] = object.corners;
                    let mut moved = |at: f32, length: f32| {
                        at + (JITTER * (2.0 * stream.uniform() - 1.0)) as f32 * length
                    };
                    let (w, h) = (x1 - x0, y1 - y0);
                    let corners = [moved(x0, w), moved(y0, h), moved(x1, w), moved(y1, h)];
                    boxes.push(corners);
                    regions.classes.push(object.class);
                    let place = |part: &Option<PartBox>| part.map(|part| in_region(&part, corners));
                    regions
                        .places
                        .push(object.parts.iter().map(place).collect());
                }
            }
            if boxes.is_empty() {
                continue;
            }
            let picture = items.frame.picture(&item.gray);
            let net = &detector.net;
            let own = net.region_features(&detector.architecture, &picture, &boxes, &device);
            regions.features.extend(&own);
        }
    }
    Ok(regions)
}

fn divided(object: &Object) -> bool {
    !object.crowd && object.parts.iter().any(Option::is_some)
}

/// A part in shares of a region.
fn in_region(part: &PartBox, [x0, y0, x1, y1]: [f32; 4]) -> PartPlace {
    let (w, h) = ((x1 - x0).max(1.0), (y1 - y0).max(1.0));
    let [left, top, right, bottom] = part.corners;
    PartPlace {
        centre: [(part.centre[0] - x0) / w, (part.centre[1] - y0) / h],
        size: [(right - left) / w, (bottom - top) / h],
    }
}

/// The box of a part that was placed in a region.
fn placed(place: &PartPlace, [x0, y0, x1, y1]: [f32; 4]) -> [f32; 4] {
    let (w, h) = (x1 - x0, y1 - y0);
    let (x, y) = (x0 + place.centre[0] * w, y0 + place.centre[1] * h);
    let (a, b) = (place.size[0] * w / 2.0, place.size[1] * h / 2.0);
    [x - a, y - b, x + a, y + b]
}

fn build(
    work: &Work,
    input: Input<'_>,
    items: &TrainingSet,
    detector: &Detector,
) -> Result<Tree, TrialError> {
    let regions = collect(work, input.jitters.mask_jitters, items, detector)?;
    let mut training = fresh(input, detector, work.seed, &work.device)?;
    let mut done = 0;
    if let Some((round, tree)) = work.resume()? {
        done = round;
        restore(&mut training, &tree)?;
    }
    let all = input.parts.part_iterations as u64;
    let mut saved = Instant::now();
    for iteration in done..all {
        if let Err(stopped) = work.stop_point() {
            if iteration > 0 {
                work.checkpoint(iteration, to_tree(&training)?)?;
            }
            return Err(stopped);
        }
        let mut stream = work.seed.stream(&format!("part batch {iteration}"));
        let count = regions.classes.len() as u64;
        let own: Vec<usize> = (0..input.batch)
            .map(|_| stream.below(count) as usize)
            .collect();
        let classes: Vec<usize> = own.iter().map(|&region| regions.classes[region]).collect();
        let places: Vec<_> = own
            .iter()
            .map(|&region| regions.places[region].clone())
            .collect();
        let features = regions.features.picked(&own);
        training
            .step(iteration, &features, &classes, &places)
            .map_err(TrialError::of)?;
        work.progress(iteration + 1, all, "part steps");
        if saved.elapsed() >= CHECKPOINT_EVERY && iteration + 1 < all {
            work.checkpoint(iteration + 1, to_tree(&training)?)?;
            saved = Instant::now();
        }
    }
    to_tree(&training)
}

fn to_tree(training: &PartsTraining) -> Result<Tree, TrialError> {
    let mut tree = Tree::new();
    let (moments, steps) = training.moments();
    stage_tree::insert_weights(&mut tree, "weights", &training.weights())?;
    stage_tree::insert_weights(&mut tree, "moments", &moments)?;
    stage_tree::set_number(&mut tree, "steps", u64::from(steps))?;
    Ok(tree)
}

fn restore(training: &mut PartsTraining, tree: &Tree) -> Result<(), TrialError> {
    let moments = stage_tree::weights(tree, "moments")?;
    let steps = u32::try_from(stage_tree::number(tree, "steps")?).unwrap_or(u32::MAX);
    let weights = stage_tree::weights(tree, "weights")?;
    training
        .restore(&weights, (&moments, steps))
        .map_err(TrialError::of)
}
