//! What is said of a detector: metrics and tables.

use retrial_core::metric::MetricDef;
use retrial_core::rows;
use retrial_image::InstanceMask;
use retrial_image::polygon::fill_box;
use retrial_instances::boxes::iou;
use retrial_instances::evaluate::{
    ClassAgreement, Detection, ImageCase, PairedIou, Region, Settings, Summary, Truth, agreement,
    evaluate, mask_iou, precision_by_overlap,
};
use retrial_instances::paste::SquareMask;
use retrial_net_study::device;
use retrial_nets::mask_rcnn::{Architecture, MASK_OUT, MaskRcnn, Picture};
use retrial_runner::{Context, TrialError, cpu_seconds};

use super::items::{Item, Items};
use super::metrics::metric;
use super::params::Finding;
use super::predictions;
use super::settings;

/// Pictures that are looked at together.
const TOGETHER: usize = 4;
/// IoU from which a box or a mask is right.
const RIGHT: f64 = 0.5;
/// Bins of overlap with the nearest other object.
const EDGES: [f64; 5] = [0.0, 0.05, 0.15, 0.3, 1.0];
/// Bounds of isolated, neither, and overlapped objects.
const APART: [f64; 4] = [0.0, 0.05, 0.15, 1.0];

rows! {
    /// What is said of the detections.
    pub(super) const TABLES;

    /// One row a class; `NaN` where there is none.
    pub(super) struct ClassRow in "classes" {
        /// Name of the class.
        class: String;
        /// Objects judged.
        objects: usize;
        /// Average precision of its boxes.
        box_ap: f64;
        /// Average precision of its boxes at IoU 0.50.
        box_ap50: f64;
        /// Average precision of its masks at IoU 0.50.
        mask_ap50: f64;
        /// Mean IoU of masks drawn in the true boxes.
        mask_iou: f64;
        /// The same of the whole box.
        whole_box_iou: f64;
        /// Share of objects whose best box above IoU 0.50 has their class.
        accuracy: f64;
    }

    /// Points of the curve of boxes at IoU 0.50.
    pub(super) struct PrecisionRecallRow in "precision_recall" {
        /// Name of the class.
        class: String;
        /// Share of its objects found.
        recall: f64;
        /// Share of its detections that are right.
        precision: f64;
    }

    /// How much neighbours disturb, a measure of our own: one row a bin of the IoU with the nearest other object,
    /// borders 0, 0.05, 0.15, 0.3 and 1.
    pub(super) struct CrowdingRow in "crowding" {
        /// IoU with the nearest other object: middle of the bin.
        overlap: f64;
        /// Objects in the bin.
        objects: usize;
        /// Average precision at IoU 0.50: of masks, of boxes without a mask head.
        ap50: f64;
    }
}

/// IoU of whole boxes with masks, of masks drawn, and the difference: of all classes, and of those with boxes only in
/// training.
const MASK_METRICS: [[MetricDef; 3]; 2] = [
    [
        metric::whole_box_iou,
        metric::mask_iou,
        metric::mask_iou_gain,
    ],
    [
        metric::whole_box_iou_box_only,
        metric::mask_iou_box_only,
        metric::mask_iou_gain_box_only,
    ],
];

/// A detector as it is judged.
pub(super) struct Judged<'d> {
    pub(super) architecture: &'d Architecture,
    pub(super) net: &'d MaskRcnn,
}

/// What was found in every judged picture.
pub(super) type Detections = Vec<Vec<Detection>>;

/// The objects that a net finds, and the CPU seconds a picture.
pub(super) fn detect(
    context: &Context,
    finding: &Finding,
    items: &Items,
    judged: &Judged<'_>,
) -> Result<(Detections, f64), TrialError> {
    let device = device::open(context.device())?;
    let rule = settings::detection(finding);
    let threshold = finding.mask_thresh as f32;
    let mut found = Vec::with_capacity(items.test.len());
    let before = cpu_seconds();
    for pictures in items.test.chunks(TOGETHER) {
        context.stop_point()?;
        let own: Vec<Picture> = pictures
            .iter()
            .map(|item| items.train.frame.picture(&item.gray))
            .collect();
        let own: Vec<&Picture> = own.iter().collect();
        for detections in judged.net.detect(judged.architecture, &own, &rule, &device) {
            let one = |detection: retrial_nets::mask_rcnn::Detection| {
                let mask = match detection.mask.is_empty() {
                    true => None,
                    false => Some(
                        detection
                            .pixels(items.train.frame.height, items.train.frame.width, threshold)
                            .map_err(TrialError::of)?
                            .runs(),
                    ),
                };
                Ok(Detection {
                    class: detection.class - 1,
                    confidence: detection.confidence,
                    corners: detection.corners,
                    mask,
                })
            };
            let own: Result<Vec<Detection>, TrialError> = detections.into_iter().map(one).collect();
            found.push(own?);
        }
        context.progress(found.len() as u64, items.test.len() as u64, "pictures");
    }
    Ok((found, (cpu_seconds() - before) / items.test.len() as f64))
}

/// Average precision of boxes and, where there are any, of masks.
pub(super) fn precision(
    context: &mut Context,
    items: &Items,
    found: Detections,
    masks: &Masks,
) -> Result<(), TrialError> {
    let cases: Vec<ImageCase> = items
        .test
        .iter()
        .zip(found)
        .map(|(item, detections)| ImageCase {
            truths: item.objects.iter().map(truth).collect(),
            detections,
        })
        .collect();
    let count = items.train.frame.classes.len();
    let accuracy = accuracies(&cases, count);
    let boxes = evaluate(&cases, count, &Settings::coco(Region::Box)).map_err(TrialError::of)?;
    predictions::write(context, items, &cases)?;
    let of_boxes = boxes.summary();
    for (metric, value) in [
        (metric::box_ap, of_boxes.ap),
        (metric::box_ap50, of_boxes.ap50),
        (metric::box_ap75, of_boxes.ap75),
        (metric::box_ar, of_boxes.ar_100),
    ] {
        context.metric_if_any(metric, value)?;
    }
    let mut detections = cases.iter().flat_map(|case| &case.detections);
    let mut objects = items.test.iter().flat_map(|item| &item.objects);
    let with_masks = detections.any(|d| d.mask.is_some()) && objects.any(|o| o.outlined);
    let cases = match with_masks {
        true => of_outlines(items, cases),
        false => cases,
    };
    let of_masks = match with_masks {
        true => {
            let settings = Settings::coco(Region::Mask);
            let summary = evaluate(&cases, count, &settings)
                .map_err(TrialError::of)?
                .summary();
            for (metric, value) in [
                (metric::mask_ap, summary.ap),
                (metric::mask_ap50, summary.ap50),
                (metric::mask_ap75, summary.ap75),
                (metric::mask_ar, summary.ar_100),
            ] {
                context.metric_if_any(metric, value)?;
            }
            Some(summary)
        }
        false => None,
    };
    context.metric_if_any(metric::accuracy, mean(&accuracy))?;
    let rows = class_rows(items, &of_boxes, of_masks.as_ref(), masks, &accuracy);
    context.rows(&rows)?;
    let half = boxes.threshold(RIGHT).unwrap_or(0);
    let mut rows = Vec::new();
    for (class, name) in items.train.frame.classes.iter().enumerate() {
        let points = boxes.curve(class, half, 0, 2).into_iter();
        rows.extend(points.map(|point| PrecisionRecallRow {
            class: name.clone(),
            recall: point.recall,
            precision: point.precision,
        }));
    }
    context.rows(&rows)?;
    let region = if with_masks {
        Region::Mask
    } else {
        Region::Box
    };
    let settings = Settings::at(region, vec![RIGHT]);
    let apart = precision_by_overlap(&cases, count, &settings, &APART).map_err(TrialError::of)?;
    if let [isolated, _, overlapped] = &apart[..] {
        context.metric_if_any(metric::ap50_isolated, isolated.ap)?;
        context.metric_if_any(metric::ap50_overlapped, overlapped.ap)?;
        let both = isolated.ap.zip(overlapped.ap);
        let lost = both.map(|(alone, over)| alone - over);
        context.metric_if_any(metric::ap50_lost_by_overlap, lost)?;
    }
    let bins = precision_by_overlap(&cases, count, &settings, &EDGES).map_err(TrialError::of)?;
    let bins = bins.into_iter().filter(|bin| bin.objects > 0);
    let rows = bins.map(|bin| CrowdingRow {
        overlap: (bin.least + bin.most) / 2.0,
        objects: bin.objects,
        ap50: bin.ap.unwrap_or(f64::NAN),
    });
    context.rows(&rows.collect::<Vec<_>>())
}

/// The same for masks: an object that nobody outlined is passed over like a crowd, so that it is
/// neither missed nor makes the masks in its box wrong.
fn of_outlines(items: &Items, mut cases: Vec<ImageCase>) -> Vec<ImageCase> {
    for (case, item) in cases.iter_mut().zip(&items.test) {
        for (truth, object) in case.truths.iter_mut().zip(&item.objects) {
            truth.crowd |= !object.outlined;
        }
    }
    cases
}

fn truth(object: &super::items::Object) -> Truth {
    Truth {
        class: object.class - 1,
        corners: object.corners,
        mask: Some(object.mask.runs()),
        area: object.mask.area() as f64,
        crowd: object.crowd,
    }
}

/// IoU of masks drawn in the true boxes, and of the boxes themselves, by class.
pub(super) struct Masks {
    /// None without a mask head.
    pub(super) drawn: Option<Vec<ClassAgreement>>,
    pub(super) whole: Vec<ClassAgreement>,
}

pub(super) fn masks_in_boxes(
    context: &Context,
    finding: &Finding,
    items: &Items,
    judged: &Judged<'_>,
) -> Result<Masks, TrialError> {
    let device = device::open(context.device())?;
    let threshold = finding.mask_thresh as f32;
    let mut drawn = Vec::new();
    for item in &items.test {
        let objects = item.objects.iter();
        let objects: Vec<_> = objects.filter(|o| !o.crowd && o.outlined).collect();
        if objects.is_empty() {
            continue;
        }
        let boxes: Vec<[f32; 4]> = objects.iter().map(|object| object.corners).collect();
        let classes: Vec<usize> = objects.iter().map(|object| object.class).collect();
        let picture = items.train.frame.picture(&item.gray);
        let features = judged
            .net
            .region_features(judged.architecture, &picture, &boxes, &device);
        let Some(all) = judged
            .net
            .masks_of(judged.architecture, &features, &classes, &device)
        else {
            continue;
        };
        for (object, values) in objects.iter().zip(all.chunks(MASK_OUT * MASK_OUT)) {
            let square = SquareMask::new(MASK_OUT, values).map_err(TrialError::of)?;
            let mask = square.mask(
                &object.corners,
                items.train.frame.height,
                items.train.frame.width,
                threshold,
            );
            let iou = mask_iou(&mask.map_err(TrialError::of)?.runs(), &object.mask.runs());
            drawn.push(PairedIou {
                class: object.class - 1,
                iou,
            });
        }
    }
    let count = items.train.frame.classes.len();
    Ok(Masks {
        drawn: (!drawn.is_empty()).then(|| agreement(&drawn, count, RIGHT)),
        whole: whole_boxes(items)?,
    })
}

/// IoU of the true boxes with the masks in them, by class.
pub(super) fn whole_boxes(items: &Items) -> Result<Vec<ClassAgreement>, TrialError> {
    let mut pairs = Vec::new();
    let objects = items.test.iter().flat_map(|item| &item.objects);
    for object in objects.filter(|object| !object.crowd && object.outlined) {
        let corners = object.corners.map(f64::from);
        let full = fill_box(corners, items.train.frame.height, items.train.frame.width)
            .map_err(TrialError::of)?;
        pairs.push(PairedIou {
            class: object.class - 1,
            iou: mask_iou(&full.runs(), &object.mask.runs()),
        });
    }
    Ok(agreement(&pairs, items.train.frame.classes.len(), RIGHT))
}

/// The mean over classes, and over those, from 1, that have boxes only in training.
pub(super) fn mask_metrics(
    context: &mut Context,
    masks: &Masks,
    box_only: &[usize],
) -> Result<(), TrialError> {
    let ious = |by_class: &[ClassAgreement]| -> Vec<Option<f64>> {
        by_class.iter().map(|class| class.mean_iou).collect()
    };
    let whole = ious(&masks.whole);
    let drawn = masks.drawn.as_deref().map(ious);
    let [of_all, of_box_only] = MASK_METRICS;
    let mut report = |metrics: [MetricDef; 3], whole: Option<f64>, drawn: Option<f64>| {
        let over = drawn.zip(whole).map(|(drawn, whole)| drawn - whole);
        for (metric, value) in metrics.into_iter().zip([whole, drawn, over]) {
            context.metric_if_any(metric, value)?;
        }
        Ok::<_, TrialError>(())
    };
    report(of_all, mean(&whole), drawn.as_deref().and_then(mean))?;
    if !box_only.is_empty() {
        let of = |ious: &[Option<f64>]| {
            let chosen: Vec<_> = box_only.iter().map(|class| ious[class - 1]).collect();
            mean(&chosen)
        };
        report(of_box_only, of(&whole), drawn.as_deref().and_then(of))?;
    }
    Ok(())
}

/// Share of true objects of each class whose best box above the limit has their class.
///
/// # Source
/// Table 2 of Liu et al. 2021 says "accuracy" and not of what; this is the reading that needs
/// neither a threshold nor a ranking.
fn accuracies(cases: &[ImageCase], classes: usize) -> Vec<Option<f64>> {
    let (mut right, mut all) = (vec![0.0; classes], vec![0.0; classes]);
    for case in cases {
        for truth in case.truths.iter().filter(|truth| !truth.crowd) {
            all[truth.class] += 1.0;
            let near = case
                .detections
                .iter()
                .filter(|detection| f64::from(iou(&truth.corners, &detection.corners)) >= RIGHT);
            let best = near.max_by(|a, b| a.confidence.total_cmp(&b.confidence));
            right[truth.class] +=
                f64::from(u8::from(best.is_some_and(|best| best.class == truth.class)));
        }
    }
    let share = |(right, all): (&f64, &f64)| (*all > 0.0).then(|| right / all);
    right.iter().zip(&all).map(share).collect()
}

/// The table `classes`.
fn class_rows(
    items: &Items,
    boxes: &Summary,
    of_masks: Option<&Summary>,
    masks: &Masks,
    accuracy: &[Option<f64>],
) -> Vec<ClassRow> {
    let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let objects = |class: usize| {
        let all = items.test.iter().flat_map(|item: &Item| &item.objects);
        all.filter(|object| object.class == class + 1 && !object.crowd)
            .count()
    };
    let iou = |by_class: Option<&Vec<ClassAgreement>>, class: usize| {
        number(by_class.and_then(|all| all[class].mean_iou))
    };
    let rows = items.train.frame.classes.iter().enumerate();
    let rows = rows.map(|(class, name)| ClassRow {
        class: name.clone(),
        objects: objects(class),
        box_ap: number(boxes.classes[class].ap),
        box_ap50: number(boxes.classes[class].ap50),
        mask_ap50: number(of_masks.and_then(|all| all.classes[class].ap50)),
        mask_iou: iou(masks.drawn.as_ref(), class),
        whole_box_iou: iou(Some(&masks.whole), class),
        accuracy: number(accuracy[class]),
    });
    rows.collect()
}

/// The mean of what there is.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// A mask as a detector without a net gives it.
pub(super) fn of_mask(class: usize, confidence: f64, mask: &InstanceMask) -> Option<Detection> {
    Some(Detection {
        class: class - 1,
        confidence: confidence as f32,
        corners: mask.bounds()?.map(|value| value as f32),
        mask: Some(mask.runs()),
    })
}
