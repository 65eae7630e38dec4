//! The stage `parts`: devices divided into parts, and what their temperatures say.
//!
//! # Source
//! Liu et al. 2021: centres of parts by pose estimation, then boxes of parts by regression, inside
//! the detected box; Table 2 gives the accuracy of this step.

mod judge;
mod sides;
mod temperatures;

use std::sync::Arc;

use retrial_core::declare::OneParam;
use retrial_net_study::training::{self, Layout};
use retrial_net_study::{device, stage_tree};
use retrial_nets::device::Device;
use retrial_nets::fit::{Plan, Rule};
use retrial_nets::mask_rcnn::{DividedRegions, PartPlace, PartsArchitecture, PartsHead};
use retrial_nets::weights;
use retrial_runner::{Built, Context, Reads, TrialError, Work, stage};
use retrial_store::Tree;

pub(super) use self::judge::{TABLES, judge};
pub(super) use self::sides::Sides;
use super::augment::mirror;
use super::boxes::Detector;
use super::items::{MOST_PARTS, Object, PartBox, TrainingSet};
use super::params::{self, All, Jitters, MaskHead, MasksAlone};
use super::settings;

/// The name of the stage.
pub(super) const STAGE: &str = "parts";

const LAYOUT: Layout = Layout {
    losses: &[],
    unit: "part steps",
};

/// Largest move of a side of a box, as a share of the box.
const JITTER: f64 = 0.1;

type Input<'r> = Reads<
    (
        &'r MaskHead,
        &'r Jitters,
        OneParam<usize>,
        &'r params::PartsHead,
    ),
    &'r Built<Detector>,
    &'r TrainingSet,
>;

pub(super) fn train(
    context: &mut Context,
    params: &All,
    data: &TrainingSet,
    detector: &Built<Detector>,
) -> Result<Built<PartsHead>, TrialError> {
    let seed = context.seed().0;
    let batch = params.masks_alone.mask_batch_size;
    let batch = OneParam::new(MasksAlone::mask_batch_size, batch);
    let reads = Reads {
        params: (
            &params.mask_head,
            &params.jitters,
            batch,
            &params.parts_head,
        ),
        stages: detector,
        data,
    };
    stage(
        context,
        STAGE,
        Some(seed),
        &reads,
        build,
        |work, input, tree| {
            let head = drawn(work, input, &device::open(&work.device)?);
            let weights = stage_tree::weights(tree, "weights")?;
            weights::apply(head, &weights).map_err(TrialError::of)
        },
    )
}

fn drawn(work: &Work, input: &Input<'_>, device: &Device) -> PartsHead {
    let (head, ..) = &input.params;
    let parts = PartsArchitecture {
        channels: head.mask_channels,
        convolutions: head.mask_convolutions,
        parts: MOST_PARTS,
    };
    let mut stream = work.seed.stream("init parts");
    PartsHead::new(&input.stages.architecture, parts, &mut stream, device)
}

/// Regions of training objects with the places of their parts.
fn collect(work: &Work, input: &Input<'_>) -> Result<DividedRegions, TrialError> {
    let (_, jitters, ..) = &input.params;
    let (items, detector) = (input.data, input.stages);
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
                for _ in 0..jitters.mask_jitters {
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

fn build(work: &Work, input: &Input<'_>) -> Result<Tree, TrialError> {
    let (.., batch, params) = &input.params;
    let regions = collect(work, input)?;
    let devices = device::open_all(&work.device)?;
    let head = drawn(work, input, &devices[0]);
    let (seed, batch) = (work.seed, batch.value());
    let plan = Plan {
        task: (),
        iterations: params.part_iterations as u64,
        rule: Rule::Adam(settings::adam(params.part_learning_rate)),
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
        patience: None,
        devices,
    };
    let trained = training::train(work, &LAYOUT, head, plan, ToString::to_string)?;
    Ok(trained.tree)
}
