//! The stage `parts`: devices divided into parts, and what their temperatures say.
//!
//! # Source
//! Liu et al. 2021: centres of parts by pose estimation, then boxes of parts by regression, inside
//! the detected box; Table 2 gives the accuracy of this step.

use std::collections::BTreeMap;
use std::time::Instant;

use retrial_detect::roc;
use retrial_instances::boxes::iou;
use retrial_nets::mask_rcnn::{PartPlace, PartsArchitecture, PartsTraining, RegionFeatures};
use retrial_store::Tree;
use retrial_store::csv::Table;

use super::augment::mirror;
use super::boxes::Detector;
use super::items::{Item, Items, MOST_PARTS, Object, PartBox};
use super::pretrain::CHECKPOINT_EVERY;
use super::settings::{self, size, words};
use crate::execute::context::{Context, TrialError};
use crate::execute::stage::{StageFolder, stage};
use crate::trees;

/// Largest move of a side of a box, as a share of the box.
const JITTER: f64 = 0.1;
/// IoU from which a part is right.
const RIGHT: f32 = 0.5;

/// Whether any training object has labelled parts.
pub(super) fn labelled(items: &Items) -> bool {
    let mut objects = items.train.iter().flat_map(|item| &item.objects);
    objects.any(|object| object.parts.iter().any(Option::is_some))
}

pub(super) fn train(
    context: &mut Context,
    items: &Items,
    detector: &Detector,
) -> Result<PartsTraining, TrialError> {
    if !labelled(items) {
        return Err(TrialError::Other(
            "parts is true, but no training object of this data set has labelled parts".to_owned(),
        ));
    }
    let tree = stage(context, "parts", |context, folder| {
        build(context, folder, items, detector)
    })?;
    let mut training = fresh(context, detector)?;
    restore(&mut training, &tree)?;
    Ok(training)
}

fn fresh(context: &Context, detector: &Detector) -> Result<PartsTraining, TrialError> {
    let mut rates = settings::mask_adam(context)?;
    rates.learning_rate = context.float("part_learning_rate")?;
    let parts = PartsArchitecture {
        channels: size(context, "mask_channels")?,
        convolutions: size(context, "mask_convolutions")?,
        parts: MOST_PARTS,
    };
    Ok(PartsTraining::new(
        &detector.architecture,
        parts,
        rates,
        &mut context.seed().stream("init parts"),
        &settings::device(context)?,
    ))
}

/// Regions of training objects with the places of their parts.
struct Regions {
    features: RegionFeatures,
    classes: Vec<usize>,
    places: Vec<Vec<Option<PartPlace>>>,
}

fn collect(
    context: &mut Context,
    items: &Items,
    detector: &Detector,
) -> Result<Regions, TrialError> {
    let device = settings::device(context)?;
    let jitters = size(context, "mask_jitters")?;
    let mut stream = context.seed().stream("part boxes");
    let mut regions = Regions {
        features: RegionFeatures::default(),
        classes: Vec::new(),
        places: Vec::new(),
    };
    for item in &items.train {
        context.stop_point()?;
        for mirrored in [false, true] {
            let mut item = item.clone();
            if mirrored {
                mirror(&mut item, (items.height, items.width));
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
                    let place = |part: &Option<PartBox>| part.map(|part| seen(&part, corners));
                    regions
                        .places
                        .push(object.parts.iter().map(place).collect());
                }
            }
            if boxes.is_empty() {
                continue;
            }
            let picture = items.picture(&item.gray);
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
fn seen(part: &PartBox, [x0, y0, x1, y1]: [f32; 4]) -> PartPlace {
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
    context: &mut Context,
    folder: &StageFolder,
    items: &Items,
    detector: &Detector,
) -> Result<Tree, TrialError> {
    let regions = collect(context, items, detector)?;
    let mut training = fresh(context, detector)?;
    let mut done = 0;
    if let Some((round, tree)) = folder.resume()? {
        done = round;
        restore(&mut training, &tree)?;
    }
    let all = size(context, "part_iterations")? as u64;
    let batch = size(context, "mask_batch")?;
    let mut saved = Instant::now();
    for iteration in done..all {
        if let Err(stopped) = context.stop_point() {
            if iteration > 0 {
                folder.checkpoint(iteration, kept(&training)?)?;
            }
            return Err(stopped);
        }
        let mut stream = context.seed().stream(&format!("part batch {iteration}"));
        let count = regions.classes.len() as u64;
        let own: Vec<usize> = (0..batch).map(|_| stream.below(count) as usize).collect();
        let classes: Vec<usize> = own.iter().map(|&region| regions.classes[region]).collect();
        let places: Vec<_> = own
            .iter()
            .map(|&region| regions.places[region].clone())
            .collect();
        let features = regions.features.picked(&own);
        training
            .step(iteration, &features, &classes, &places)
            .map_err(words)?;
        context.progress(iteration + 1, all, "part steps");
        if saved.elapsed() >= CHECKPOINT_EVERY && iteration + 1 < all {
            folder.checkpoint(iteration + 1, kept(&training)?)?;
            saved = Instant::now();
        }
    }
    kept(&training)
}

fn kept(training: &PartsTraining) -> Result<Tree, TrialError> {
    let mut tree = Tree::new();
    let (moments, steps) = training.moments();
    trees::put_weights(&mut tree, "weights", &training.weights())?;
    trees::put_weights(&mut tree, "moments", &moments)?;
    trees::put_number(&mut tree, "steps", u64::from(steps))?;
    Ok(tree)
}

fn restore(training: &mut PartsTraining, tree: &Tree) -> Result<(), TrialError> {
    let moments = trees::weights(tree, "moments")?;
    let steps = u32::try_from(trees::number(tree, "steps")?).unwrap_or(u32::MAX);
    let weights = trees::weights(tree, "weights")?;
    training.restore(&weights, (&moments, steps)).map_err(words)
}

/// One part of one judged object.
struct Judgement {
    class: usize,
    right: bool,
    centre_error: f64,
    temperature_error: Option<f64>,
    /// How much hotter it looks than its like, and whether it is faulty.
    fault: Option<(f64, bool)>,
}

pub(super) fn judge(
    context: &mut Context,
    items: &Items,
    detector: &Detector,
    training: &PartsTraining,
) -> Result<(), TrialError> {
    let usual = usual_temperatures(items);
    let device = settings::device(context)?;
    let mut all = Vec::new();
    for item in &items.test {
        let objects: Vec<&Object> = item.objects.iter().filter(|o| divided(o)).collect();
        if objects.is_empty() {
            continue;
        }
        let boxes: Vec<[f32; 4]> = objects.iter().map(|object| object.corners).collect();
        let classes: Vec<usize> = objects.iter().map(|object| object.class).collect();
        let picture = items.picture(&item.gray);
        let net = &detector.net;
        let features = net.region_features(&detector.architecture, &picture, &boxes, &device);
        let found = training.places(&features, &classes);
        for (object, places) in objects.iter().zip(&found) {
            for (number, (part, place)) in object.parts.iter().zip(places).enumerate() {
                if let Some(part) = part {
                    let usual = usual.get(&(object.class, number)).copied();
                    let corners = placed(place, object.corners);
                    all.push(one(items, item, object, part, corners, usual));
                }
            }
        }
    }
    report(context, items, &all)
}

fn one(
    items: &Items,
    item: &Item,
    object: &Object,
    part: &PartBox,
    corners: [f32; 4],
    usual: Option<f64>,
) -> Judgement {
    let [x0, y0, x1, y1] = object.corners;
    let centre = [
        (corners[0] + corners[2]) / 2.0,
        (corners[1] + corners[3]) / 2.0,
    ];
    let apart = (centre[0] - part.centre[0]).hypot(centre[1] - part.centre[1]);
    let hottest = hottest(items, item, object, corners);
    Judgement {
        class: object.class - 1,
        right: iou(&corners, &part.corners) >= RIGHT,
        centre_error: f64::from(apart / (x1 - x0).max(y1 - y0).max(1.0)),
        temperature_error: hottest
            .zip(part.max_c)
            .map(|(found, known)| (found - known).abs()),
        fault: hottest
            .zip(usual)
            .zip(part.hot)
            .map(|((found, usual), hot)| (found - usual, hot)),
    }
}

/// The highest temperature of an object inside a box, °C.
fn hottest(items: &Items, item: &Item, object: &Object, corners: [f32; 4]) -> Option<f64> {
    let temperature = item.temperature.as_ref()?;
    let within = |at: usize| {
        let (x, y) = (
            (at % items.width) as f32 + 0.5,
            (at / items.width) as f32 + 0.5,
        );
        x >= corners[0] && y >= corners[1] && x <= corners[2] && y <= corners[3]
    };
    let pixels = object.mask.inside().iter().zip(temperature).enumerate();
    pixels
        .filter(|(at, (inside, _))| **inside && within(*at))
        .map(|(_, (_, celsius))| f64::from(*celsius))
        .max_by(f64::total_cmp)
}

/// Median of the highest temperatures of every part of every class in the training pictures.
fn usual_temperatures(items: &Items) -> BTreeMap<(usize, usize), f64> {
    let mut all: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for item in &items.train {
        for object in item.objects.iter().filter(|object| divided(object)) {
            for (number, part) in object.parts.iter().enumerate() {
                let hottest = part.and_then(|part| hottest(items, item, object, part.corners));
                if let Some(celsius) = hottest {
                    all.entry((object.class, number)).or_default().push(celsius);
                }
            }
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    all.into_iter()
        .map(|(part, values)| (part, median(values)))
        .collect()
}

fn report(context: &mut Context, items: &Items, all: &[Judgement]) -> Result<(), TrialError> {
    let mean = |values: &[f64]| match values.len() {
        0 => f64::NAN,
        count => values.iter().sum::<f64>() / count as f64,
    };
    let (mut names, mut counts) = (Vec::new(), Vec::new());
    let (mut accuracy, mut errors, mut kelvin) = (Vec::new(), Vec::new(), Vec::new());
    for (class, name) in items.classes.iter().enumerate() {
        let own: Vec<&Judgement> = all.iter().filter(|one| one.class == class).collect();
        if own.is_empty() {
            continue;
        }
        let right: Vec<f64> = own
            .iter()
            .map(|one| f64::from(u8::from(one.right)))
            .collect();
        let apart: Vec<f64> = own.iter().map(|one| one.centre_error).collect();
        let warmth: Vec<f64> = own.iter().filter_map(|one| one.temperature_error).collect();
        names.push(name.clone());
        counts.push(own.len() as f64);
        accuracy.push(mean(&right));
        errors.push(mean(&apart));
        kelvin.push(mean(&warmth));
    }
    if !names.is_empty() {
        context.metric("part_accuracy", mean(&accuracy))?;
        context.metric("part_centre_error", mean(&errors))?;
    }
    let warmth: Vec<f64> = all.iter().filter_map(|one| one.temperature_error).collect();
    if !warmth.is_empty() {
        context.metric("part_temperature_error_k", mean(&warmth))?;
    }
    let faults: Vec<(f64, bool)> = all.iter().filter_map(|one| one.fault).collect();
    let (hotter, faulty): (Vec<f64>, Vec<bool>) = faults.into_iter().unzip();
    if faulty.contains(&true) && faulty.contains(&false) {
        let area = roc::auroc(&hotter, &faulty).map_err(words)?;
        context.metric("hot_spot_auroc", area)?;
    }
    let table = Table::new()
        .with("class", names)?
        .with("parts", counts)?
        .with("accuracy", accuracy)?
        .with("centre_error", errors)?
        .with("temperature_error_k", kelvin)?;
    context.table("parts", &table)
}
