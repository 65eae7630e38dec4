//! The stage `parts`: devices divided into parts, and what their temperatures say.
//!
//! # Source
//! Liu et al. 2021: centres of parts by pose estimation, then boxes of parts by regression, inside
//! the detected box; Table 2 gives the accuracy of this step.

mod judge;
mod sides;
mod temperatures;

use std::sync::Arc;

use retrial_core::declare::{ParamGroup as _, ParamType as _};
use retrial_core::plan::StageInput;
use retrial_net_study::training::{self, Layout};
use retrial_net_study::{device, stage_tree};
use retrial_nets::device::Device;
use retrial_nets::fit::{Plan, Rule};
use retrial_nets::mask_rcnn::{DividedRegions, PartPlace, PartsArchitecture, PartsHead};
use retrial_nets::weights;
use retrial_runner::{Context, TrialError, Work, stage};
use retrial_seed::Seed;
use retrial_store::Tree;

pub(super) use self::judge::{TABLES, judge};
pub(super) use self::sides::Sides;
use super::augment::mirror;
use super::boxes::Detector;
use super::items::{MOST_PARTS, Object, PartBox, TrainingSet};
use super::params::{self, Jitters, MaskHead, MasksAlone};
use super::settings;

/// The name of the stage.
pub(super) const STAGE: &str = "parts";

const LAYOUT: Layout = Layout {
    losses: &[],
    unit: "part steps",
};

/// Largest move of a side of a box, as a share of the box.
const JITTER: f64 = 0.1;

/// What the stage reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'p> {
    pub(super) head: &'p MaskHead,
    pub(super) jitters: &'p Jitters,
    /// Regions a step: `mask_batch_size`.
    pub(super) batch: usize,
    pub(super) parts: &'p params::PartsHead,
}

pub(super) fn train(
    context: &mut Context,
    input: Input<'_>,
    items: &TrainingSet,
    detector: &Detector,
) -> Result<PartsHead, TrialError> {
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
    let device = device::open(context.device())?;
    let head = drawn(input, detector, context.seed(), &device);
    let weights = stage_tree::weights(&built.tree, "weights")?;
    weights::apply(head, &weights).map_err(TrialError::of)
}

fn drawn(input: Input<'_>, detector: &Detector, seed: Seed, device: &Device) -> PartsHead {
    let parts = PartsArchitecture {
        channels: input.head.mask_channels,
        convolutions: input.head.mask_convolutions,
        parts: MOST_PARTS,
    };
    let mut stream = seed.stream("init parts");
    PartsHead::new(&detector.architecture, parts, &mut stream, device)
}

/// Regions of training objects with the places of their parts.
fn collect(
    work: &Work,
    jitters: usize,
    items: &TrainingSet,
    detector: &Detector,
) -> Result<DividedRegions, TrialError> {
    let device = device::open(&work.device)?;
    let mut stream = work.seed.stream("part boxes");
    let mut regions = DividedRegions::default();
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
    let device = device::open(&work.device)?;
    let head = drawn(input, detector, work.seed, &device);
    let (seed, batch) = (work.seed, input.batch);
    let plan = Plan {
        task: (),
        steps: input.parts.part_iterations as u64,
        rule: Rule::Adam(settings::adam(input.parts.part_learning_rate)),
        batches: Arc::new(move |iteration| {
            let mut stream = seed.stream(&format!("part batch {iteration}"));
            let count = regions.classes.len() as u64;
            let own = (0..batch).map(|_| stream.below(count) as usize);
            let own: Vec<usize> = own.collect();
            DividedRegions {
                features: regions.features.picked(&own),
                classes: own.iter().map(|&region| regions.classes[region]).collect(),
                places: own
                    .iter()
                    .map(|&region| regions.places[region].clone())
                    .collect(),
            }
        }),
        devices: vec![device],
    };
    let trained = training::train(work, &LAYOUT, head, plan, ToString::to_string)?;
    Ok(trained.tree)
}
