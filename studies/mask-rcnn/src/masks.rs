//! The stages `features` and `masks`: the mask head alone, on features that a trained detector
//! gives once.

use std::sync::Arc;

use retrial_image::InstanceMask;
use retrial_net_study::training::{self, Layout};
use retrial_net_study::{device, stage_tree};
use retrial_nets::fit::{Plan, Rule};
use retrial_nets::mask_rcnn::{
    Architecture, MASK_OUT, MaskRcnn, MaskTask, MaskedRegions, RegionFeatures, TransferGradient,
    mask_targets,
};
use retrial_runner::{Built, Context, Reads, TrialError, Work, stage};
use retrial_store::{Array, Tree};

use super::augment::mirror;
use super::boxes::Detector;
use super::items::TrainingSet;
use super::mask_annotations::MaskAnnotations;
use super::params::{AnnotatedMasks, Jitters, MaskNet, MasksAlone};
use super::settings;

const LAYOUT: Layout = Layout {
    losses: &["losses"],
    unit: "mask steps",
};

/// Largest move of a side of a box, as a share of the box.
const JITTER: f64 = 0.1;

type Collected<'r> = Reads<&'r Jitters, &'r Built<Detector>, &'r TrainingSet>;

/// What the stage `masks` reads of the params.
pub(super) type Params<'p> = (MaskNet<'p>, &'p AnnotatedMasks, &'p MasksAlone);
type Input<'r> = Reads<Params<'r>, (&'r Built<Detector>, &'r Built<Arc<Regions>>), &'r TrainingSet>;

/// A detector with a mask head trained behind it.
pub(super) struct Masked {
    pub(super) architecture: Architecture,
    pub(super) net: MaskRcnn,
    pub(super) losses: Vec<f64>,
}

/// Regions of training objects, all their masks among them: what the stage `features` leaves.
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
    jitters: &Jitters,
    params: Params<'_>,
    data: &TrainingSet,
    detector: &Built<Detector>,
) -> Result<Built<Masked>, TrialError> {
    let seed = Some(context.seed().0);
    let reads = Reads {
        params: jitters,
        stages: detector,
        data,
    };
    let regions = stage(context, "features", seed, &reads, collect, |_, _, tree| {
        Ok(Arc::new(Regions::read(tree)?))
    })?;
    let reads = Reads {
        params,
        stages: (detector, &regions),
        data,
    };
    stage(context, "masks", seed, &reads, build, open)
}

fn open(work: &Work, input: &Input<'_>, tree: &Tree) -> Result<Masked, TrialError> {
    let (detector, _) = input.stages;
    let architecture = architecture(input);
    let net = detector.net.clone().with_masks(
        &architecture,
        &stage_tree::weights(tree, "weights")?,
        &mut work.seed.stream("overwritten"),
        &device::open(&work.device)?,
    );
    Ok(Masked {
        net: net.map_err(TrialError::of)?,
        losses: tree.values::<f64>("losses")?.to_vec(),
        architecture,
    })
}

fn architecture(input: &Input<'_>) -> Architecture {
    let ((net, ..), (detector, _)) = (input.params, input.stages);
    Architecture {
        // The box head stays, so nothing can reach it.
        masks: Some(settings::mask_head(net, TransferGradient::Stopped)),
        ..detector.architecture.clone()
    }
}

/// Features of moved boxes of all training objects, seen directly and in a mirror.
fn collect(work: &Work, input: &Collected<'_>) -> Result<Tree, TrialError> {
    let (items, detector) = (input.data, input.stages);
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
                for _ in 0..input.params.mask_jitters {
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

    /// The regions of these numbers, in this order.
    fn picked(&self, numbers: &[usize]) -> MaskedRegions {
        let area = MASK_OUT * MASK_OUT;
        let expected = |&region: &usize| &self.expected[region * area..(region + 1) * area];
        MaskedRegions {
            features: self.features.picked(numbers),
            classes: numbers.iter().map(|&region| self.classes[region]).collect(),
            expected: numbers.iter().flat_map(expected).copied().collect(),
        }
    }
}

fn build(work: &Work, input: &Input<'_>) -> Result<Tree, TrialError> {
    let (_, annotated, params) = input.params;
    let (detector, regions) = input.stages;
    let annotations = MaskAnnotations::new(annotated, input.data, work.seed);
    let regions = Arc::clone(regions);
    let annotated: Vec<usize> = (0..regions.classes.len())
        .filter(|&region| annotations.include(regions.pictures[region], regions.classes[region]))
        .collect();
    if annotated.is_empty() {
        return Err(TrialError::Other(
            "no mask of the training pictures is known: nothing to learn masks from".to_owned(),
        ));
    }
    let devices = device::open_all(&work.device)?;
    let mut stream = work.seed.stream("init masks");
    let fresh = MaskTask::new(
        &architecture(input),
        &detector.net,
        &mut stream,
        &devices[0],
    );
    let (head, task) = fresh.ok_or_else(|| TrialError::of("there is no mask head to train"))?;
    let (seed, batch) = (work.seed, params.mask_batch_size);
    let plan = Plan {
        task,
        iterations: params.mask_iterations as u64,
        rule: Rule::Adam(settings::adam(params.mask_learning_rate)),
        batches: Arc::new(move |iteration| {
            let mut stream = seed.stream(&format!("mask batch {iteration}"));
            let draw = |_| annotated[stream.below(annotated.len() as u64) as usize];
            regions.picked(&(0..batch).map(draw).collect::<Vec<usize>>())
        }),
        patience: None,
        devices,
    };
    let trained = training::train(work, &LAYOUT, head, plan, ToString::to_string)?;
    Ok(trained.tree)
}
