//! The stages `features` and `masks`: the mask head alone, on features that a trained detector
//! gives once.

use std::time::Instant;

use retrial_core::declare::ParamGroup as _;
use retrial_core::plan::StageInput;
use retrial_image::InstanceMask;
use retrial_net_study::{device, stage_tree};
use retrial_nets::mask_rcnn::{
    Architecture, MASK_OUT, MaskRcnn, MaskTraining, RegionFeatures, TransferGradient, mask_targets,
};
use retrial_runner::{Context, TrialError, Work, stage};
use retrial_store::{Array, Tree};

use super::augment::mirror;
use super::boxes::Detector;
use super::items::TrainingSet;
use super::mask_annotations::MaskAnnotations;
use super::params::{AnnotatedMasks, Jitters, MaskNet, MasksAlone};
use super::pretrain::CHECKPOINT_EVERY;
use super::settings;

/// Largest move of a side of a box, as a share of the box.
const JITTER: f64 = 0.1;

/// What the two stages read.
#[derive(Clone, Copy)]
pub(super) struct Input<'p> {
    /// Of the stage `features`.
    pub(super) jitters: &'p Jitters,
    pub(super) net: MaskNet<'p>,
    pub(super) annotated: &'p AnnotatedMasks,
    pub(super) alone: &'p MasksAlone,
}

/// A detector with a mask head trained behind it.
pub(super) struct Masked {
    pub(super) architecture: Architecture,
    pub(super) net: MaskRcnn,
    pub(super) losses: Vec<f64>,
}

/// Regions of training objects, all their masks among them.
struct Regions {
    features: RegionFeatures,
    /// `[region, 28, 28]`.
    expected: Vec<f32>,
    classes: Vec<usize>,
    /// Place of the picture.
    pictures: Vec<usize>,
}

pub(super) fn train(
    context: &mut Context,
    input: Input<'_>,
    items: &TrainingSet,
    detector: &Detector,
) -> Result<Masked, TrialError> {
    let seed = Some(context.seed().0);
    let what = StageInput {
        name: "features",
        params: input.jitters.pairs(),
        inputs: &[&detector.id],
        data: vec![items.digest.clone()],
        seed,
    };
    let jitters = input.jitters.mask_jitters;
    let collected = stage(context, &what, |work| {
        collect(work, jitters, items, detector)
    })?;
    let regions = Regions::read(&collected.tree)?;
    // The box head stays, so nothing can reach it.
    let masks = settings::mask_head(input.net, TransferGradient::Stopped);
    let architecture = Architecture {
        masks: Some(masks),
        ..detector.architecture.clone()
    };
    let MaskNet {
        head,
        predictor,
        transferred,
    } = input.net;
    let what = StageInput {
        name: "masks",
        params: [
            head.pairs(),
            predictor.pairs(),
            transferred.pairs(),
            input.annotated.pairs(),
            input.alone.pairs(),
        ]
        .concat(),
        inputs: &[&detector.id, &collected.id],
        data: vec![items.digest.clone()],
        seed,
    };
    let built = stage(context, &what, |work| {
        let annotations = MaskAnnotations::new(input.annotated, items, work.seed);
        build(
            work,
            input.alone,
            &annotations,
            detector,
            &architecture,
            &regions,
        )
    })?;
    let device = device::open(context.device())?;
    let net = detector.net.clone().with_masks(
        &architecture,
        &stage_tree::weights(&built.tree, "weights")?,
        &mut context.seed().stream("overwritten"),
        &device,
    );
    Ok(Masked {
        net: net.map_err(TrialError::of)?,
        losses: built.tree.values::<f64>("losses")?.to_vec(),
        architecture,
    })
}

/// Features of moved boxes of all training objects, seen directly and in a mirror.
fn collect(
    work: &Work,
    jitters: usize,
    items: &TrainingSet,
    detector: &Detector,
) -> Result<Tree, TrialError> {
    let device = device::open(&work.device)?;
    let mut stream = work.seed.stream("mask boxes");
    let mut features = RegionFeatures::default();
    let (mut expected, mut classes, mut pictures) = (Vec::new(), Vec::new(), Vec::new());
    for (place, item) in items.pictures.iter().enumerate() {
        work.stop_point()?;
        for mirrored in [false, true] {
            let mut item = item.clone();
            if mirrored {
                mirror(&mut item, (items.frame.height, items.frame.width));
            }
            let mut boxes = Vec::new();
            let mut seen: Vec<(&InstanceMask, [f32; 4])> = Vec::new();
            for object in item.objects.iter().filter(|o| !o.crowd && o.outlined) {
                for _ in 0..jitters {
                    let [x0, y0, x1, y1] = object.corners;
                    let (w, h) = (x1 - x0, y1 - y0);
                    let mut moved = |at: f32, length: f32, most: usize| {
                        let by = JITTER * (2.0 * stream.uniform() - 1.0);
                        (at + by as f32 * length).clamp(0.0, most as f32)
                    };
                    let corners = [
                        moved(x0, w, items.frame.width),
                        moved(y0, h, items.frame.height),
                        moved(x1, w, items.frame.width),
                        moved(y1, h, items.frame.height),
                    ];
                    boxes.push(corners);
                    seen.push((&object.mask, corners));
                    classes.push(object.class as u64);
                    pictures.push(place as u64);
                }
            }
            if boxes.is_empty() {
                continue;
            }
            let picture = items.frame.picture(&item.gray);
            let own =
                detector
                    .net
                    .region_features(&detector.architecture, &picture, &boxes, &device);
            features.extend(&own);
            expected.extend(mask_targets(&seen));
        }
        work.progress(place as u64 + 1, items.pictures.len() as u64, "pictures");
    }
    let mut tree = Tree::new();
    let count = classes.len();
    let length = features.values.len() / count.max(1);
    tree.insert("features", Array::new([count, length], features.values)?)?;
    tree.insert(
        "expected",
        Array::new([count, MASK_OUT, MASK_OUT], expected)?,
    )?;
    tree.insert("classes", Array::list(classes)?)?;
    tree.insert("pictures", Array::list(pictures)?)?;
    stage_tree::set_number(&mut tree, "channels", features.channels as u64)?;
    Ok(tree)
}

impl Regions {
    fn read(tree: &Tree) -> Result<Self, TrialError> {
        let numbers = |name: &str| -> Result<Vec<usize>, TrialError> {
            let values = tree.values::<u64>(name)?;
            Ok(values.iter().map(|&value| value as usize).collect())
        };
        Ok(Self {
            features: RegionFeatures {
                channels: stage_tree::number(tree, "channels")? as usize,
                values: tree.values::<f32>("features")?.to_vec(),
            },
            expected: tree.values::<f32>("expected")?.to_vec(),
            classes: numbers("classes")?,
            pictures: numbers("pictures")?,
        })
    }
}

fn build(
    work: &Work,
    params: &MasksAlone,
    annotations: &MaskAnnotations,
    detector: &Detector,
    architecture: &Architecture,
    regions: &Regions,
) -> Result<Tree, TrialError> {
    let annotated: Vec<usize> = (0..regions.classes.len())
        .filter(|&region| annotations.include(regions.pictures[region], regions.classes[region]))
        .collect();
    if annotated.is_empty() {
        return Err(TrialError::Other(
            "no mask of the training pictures is known: nothing to learn masks from".to_owned(),
        ));
    }
    let device = device::open(&work.device)?;
    let mut stream = work.seed.stream("init masks");
    let rates = settings::adam(params.mask_learning_rate);
    let training = MaskTraining::new(architecture, &detector.net, rates, &mut stream, &device);
    let mut training = training.ok_or_else(|| TrialError::of("there is no mask head to train"))?;
    let mut losses: Vec<f64> = Vec::new();
    if let Some((_, tree)) = work.resume()? {
        let moments = stage_tree::weights(&tree, "moments")?;
        let steps = u32::try_from(stage_tree::number(&tree, "steps")?).unwrap_or(u32::MAX);
        training
            .restore(&stage_tree::weights(&tree, "weights")?, (&moments, steps))
            .map_err(TrialError::of)?;
        losses = tree.values::<f64>("losses")?.to_vec();
    }
    let all = params.mask_iterations as u64;
    let batch = params.mask_batch_size;
    let mut saved = Instant::now();
    for iteration in losses.len() as u64..all {
        if let Err(stopped) = work.stop_point() {
            if iteration > 0 {
                work.checkpoint(iteration, to_tree(&training, &losses)?)?;
            }
            return Err(stopped);
        }
        let mut stream = work.seed.stream(&format!("mask batch {iteration}"));
        let own: Vec<usize> = (0..batch)
            .map(|_| annotated[stream.below(annotated.len() as u64) as usize])
            .collect();
        let classes: Vec<usize> = own.iter().map(|&region| regions.classes[region]).collect();
        let area = MASK_OUT * MASK_OUT;
        let expected = own.iter().flat_map(|&region| {
            regions.expected[region * area..(region + 1) * area]
                .iter()
                .copied()
        });
        let expected: Vec<f32> = expected.collect();
        let features = regions.features.picked(&own);
        let loss = training
            .step(iteration, &features, &classes, &expected)
            .map_err(TrialError::of)?;
        losses.push(loss);
        work.progress(iteration + 1, all, "mask steps");
        if saved.elapsed() >= CHECKPOINT_EVERY && iteration + 1 < all {
            work.checkpoint(iteration + 1, to_tree(&training, &losses)?)?;
            saved = Instant::now();
        }
    }
    to_tree(&training, &losses)
}

fn to_tree(training: &MaskTraining, losses: &[f64]) -> Result<Tree, TrialError> {
    let mut tree = Tree::new();
    let (moments, steps) = training.moments();
    stage_tree::insert_weights(&mut tree, "weights", &training.weights())?;
    stage_tree::insert_weights(&mut tree, "moments", &moments)?;
    stage_tree::set_number(&mut tree, "steps", u64::from(steps))?;
    stage_tree::insert_list(&mut tree, "losses", losses.to_vec())?;
    Ok(tree)
}
