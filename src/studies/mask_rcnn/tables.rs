//! The tables of the study `mask-rcnn`: metrics, the tables its trials leave, its stages.

use retrial_core::declare::{column, fact, higher, lower};
use retrial_core::metric::{Direction, MetricDef, TableDef};
use retrial_core::params::{DefaultValue, ParamValue, Params};
use retrial_core::study::{Amendment, Conflict, StageDef, StudyInfo};

use super::params::PARAMS;

/// What the study declares of itself.
pub(super) const INFO: StudyInfo = StudyInfo {
    name: "mask-rcnn",
    revision: 1,
    amendments: AMENDMENTS,
    work: "Liu Z., Fu H., Li Y., Zhang G., Hu C., Zhang Z. (2021) \"Electrical Equipment Detection in \
           Infrared Images Based on Transfer Learning of Mask-RCNN\"; weight transfer after Hu R. et \
           al. (2018) \"Learning to Segment Every Thing\", arXiv:1711.10370",
    deterministic: false,
    uses_device: true,
    cpu_methods: &["classical"],
    content_kinds: &["infrared pictures", "several data sets"],
    params: PARAMS,
    metrics: METRICS,
    tables: TABLES,
    stages: STAGES,
    conflicts,
};

const AMENDMENTS: &[Amendment] = &[Amendment {
    what: "the left of two equal parts is the one seen on the left",
    param: "parts",
    value: DefaultValue::Bool(true),
    stages: &["parts"],
}];

/// Channels of the first stage of published residual nets.
const PUBLISHED_WIDTH: f64 = 64.0;

/// Params that say which pictures are trained on, and how they look.
macro_rules! pictures {
    ($($more:literal),* $(,)?) => {
        &[
            "split", "test_presets", "image_width", "image_height", "input", "coldest_c",
            "hottest_c", "least_instances", "train_pictures", $($more),*
        ]
    };
}

/// Params of a detector without its mask head, and of its training.
macro_rules! detector {
    ($($more:literal),* $(,)?) => {
        pictures!(
            "backbone", "width", "normalisation", "pyramid_channels", "representation",
            "anchor_px", "canonical_px", "iterations", "batch_size", "learning_rate", "momentum",
            "weight_decay", "clip_norm", "warm_up", "first_decay", "second_decay",
            "frozen_parts", "match_rule", "anchors_drawn", "regions_drawn", "train_proposals",
            "flip", "gain", "offset", "inversion", "rotation_deg", "shear", "rescale",
            $($more),*
        )
    };
}

const STAGES: &[StageDef] = &[
    StageDef {
        name: "pretrain",
        params: pictures!(
            "backbone",
            "width",
            "normalisation",
            "pretraining",
            "texture",
            "texture_levels",
            "texture_standardised",
            "bandwidth",
            "reduction",
            "source_draws",
            "source_epochs",
            "source_batch",
            "source_learning_rate",
        ),
        inputs: &[],
        uses_data: true,
        uses_seed: true,
    },
    StageDef {
        name: "boxes",
        params: detector!(),
        inputs: &["pretrain"],
        uses_data: true,
        uses_seed: true,
    },
    StageDef {
        name: "joint",
        params: detector!(
            "mask_channels",
            "mask_convolutions",
            "mask_predictor",
            "transfer_from",
            "transfer_layers",
            "transfer_between",
            "transfer_gradient",
            "transfer_form",
            "transfer_perceptron",
            "masks_per_class",
            "class_without_masks",
            "classes_with_masks",
        ),
        inputs: &["pretrain"],
        uses_data: true,
        uses_seed: true,
    },
    StageDef {
        name: "features",
        params: &["mask_jitters"],
        inputs: &["boxes"],
        uses_data: true,
        uses_seed: true,
    },
    StageDef {
        name: "masks",
        params: &[
            "mask_channels",
            "mask_convolutions",
            "mask_predictor",
            "transfer_from",
            "transfer_layers",
            "transfer_between",
            "transfer_form",
            "transfer_perceptron",
            "masks_per_class",
            "class_without_masks",
            "classes_with_masks",
            "mask_iterations",
            "mask_batch",
            "mask_learning_rate",
        ],
        inputs: &["boxes", "features"],
        uses_data: true,
        uses_seed: true,
    },
    StageDef {
        name: "parts",
        params: &[
            "mask_channels",
            "mask_convolutions",
            "mask_jitters",
            "mask_batch",
            "part_iterations",
            "part_learning_rate",
        ],
        inputs: &["boxes"],
        uses_data: true,
        uses_seed: true,
    },
];

const METRICS: &[MetricDef] = &[
    higher(
        "box_ap",
        "COCO's average precision of boxes, mean over IoU 0.50 to 0.95.",
    ),
    higher("box_ap50", "Average precision of boxes at IoU 0.50."),
    higher("box_ap75", "Average precision of boxes at IoU 0.75."),
    higher(
        "box_ar",
        "Average recall of boxes, 100 detections a picture.",
    ),
    higher(
        "mask_ap",
        "COCO's average precision of masks, mean over IoU 0.50 to 0.95.",
    ),
    higher("mask_ap50", "Average precision of masks at IoU 0.50."),
    higher("mask_ap75", "Average precision of masks at IoU 0.75."),
    higher(
        "mask_ar",
        "Average recall of masks, 100 detections a picture.",
    ),
    higher(
        "mask_iou",
        "Intersection over union of masks drawn in the true boxes, mean over classes.",
    ),
    higher(
        "mask_iou_without",
        "The same of the classes whose masks were unknown in training.",
    ),
    higher(
        "whole_box_iou",
        "The same where the whole box is taken as the mask.",
    ),
    higher(
        "whole_box_iou_without",
        "The same of the classes whose masks were unknown in training.",
    ),
    higher(
        "mask_over_box",
        "`mask_iou` less `whole_box_iou`: what a mask head is worth.",
    ),
    higher(
        "mask_over_box_without",
        "The same of the classes whose masks were unknown in training.",
    ),
    higher(
        "accuracy",
        "Share of true objects whose best box above IoU 0.50 has their class; mean over classes.",
    ),
    higher(
        "part_accuracy",
        "Share of the parts of true objects whose box is found with IoU 0.50 or more; mean over classes.",
    ),
    higher(
        "part_accuracy_detected",
        "The same in the surest box that the detector puts on the object; parts of objects that it misses or takes for \
         another class are not found.",
    ),
    higher(
        "part_accuracy_simple",
        "Accuracy of parts in true boxes, mean over the classes whose parts follow one another along one axis.",
    ),
    higher(
        "part_accuracy_complex",
        "The same over the classes whose parts lie side by side or repeat.",
    ),
    lower(
        "part_centre_error",
        "Distance of part centres over the longer side of the object's box, mean over classes.",
    ),
    lower(
        "part_temperature_error_k",
        "Mean error of the highest temperature of a part, K, where both are known.",
    ),
    lower(
        "part_mean_temperature_error_k",
        "The same of its mean temperature, K.",
    ),
    higher(
        "hot_spot_auroc",
        "Area under the ROC curve of the fault step: the highest temperature of a part less the median of the same part \
         of the same class in the training pictures, against generated hot spots.",
    ),
    higher(
        "hot_spot_auroc_like",
        "The same by the highest temperature less that of the same part of other objects of the class in the picture, of the \
         parts that have such a like.",
    ),
    higher(
        "hot_spot_auroc_usual_where_like",
        "The area by the training pictures, of the parts that have a like in the picture.",
    ),
    higher(
        "ap50_isolated",
        "Average precision at IoU 0.50, of masks where there are any, of objects whose boxes overlap no other by an IoU of 0.05.",
    ),
    higher(
        "ap50_overlapped",
        "The same of objects whose boxes overlap another by an IoU of 0.15 and more.",
    ),
    fact(
        "ap50_lost_by_overlap",
        "What overlapped objects lose against isolated ones in average precision.",
    ),
    higher(
        "source_accuracy",
        "Share of the source domain's held-out pictures given their class.",
    ),
    fact(
        "effective_sample_share",
        "Effective sample size of the weights of the source pictures over their number; 1 is uniform.",
    ),
    fact(
        "distinct_share",
        "Share of the source pictures that were drawn at all.",
    ),
    lower(
        "loss",
        "Sum of the losses, mean over the last tenth of the steps.",
    ),
    fact("train_pictures_used", "Pictures trained on."),
    fact("test_pictures_used", "Pictures judged."),
    fact("masks_used", "Masks known in training."),
    fact("weights", "Number of trained numbers of the net."),
    MetricDef {
        name: "seconds_per_iteration",
        unit: "s",
        direction: Direction::Lower,
        repeatable: false,
        doc: "CPU time of a training step, on this machine; only where this trial trained.",
    },
    MetricDef {
        name: "seconds_per_picture",
        unit: "s",
        direction: Direction::Lower,
        repeatable: false,
        doc: "CPU time to find the objects of one picture, on this machine.",
    },
];

const TABLES: &[TableDef] = &[
    TableDef {
        name: "training",
        columns: &[
            column(
                "iteration",
                "Step, from 1; each row is the mean of 10 steps.",
            ),
            column("loss", "Sum of the losses."),
            column("classes", "Cross entropy of the classes of regions."),
            column("boxes", "Smooth absolute error of the boxes of regions."),
            column("masks", "Binary cross entropy of masks."),
            column("objectness", "Binary cross entropy of anchors."),
            column(
                "proposals",
                "Smooth absolute error of the boxes of anchors.",
            ),
        ],
        doc: "How the training of the detector went.",
    },
    TableDef {
        name: "mask_training",
        columns: &[
            column(
                "iteration",
                "Step, from 1; each row is the mean of 10 steps.",
            ),
            column("loss", "Binary cross entropy of masks."),
        ],
        doc: "How the training of the mask head alone went.",
    },
    TableDef {
        name: "classes",
        columns: &[
            column("class", "Name of the class."),
            column("objects", "Objects judged."),
            column("box_ap", "Average precision of its boxes."),
            column("box_ap50", "Average precision of its boxes at IoU 0.50."),
            column("mask_ap50", "Average precision of its masks at IoU 0.50."),
            column("mask_iou", "Mean IoU of masks drawn in the true boxes."),
            column("whole_box_iou", "The same of the whole box."),
            column(
                "accuracy",
                "Share of objects whose best box above IoU 0.50 has their class.",
            ),
        ],
        doc: "One row a class.",
    },
    TableDef {
        name: "parts",
        columns: &[
            column("class", "Name of the class."),
            column(
                "group",
                "How its parts lie: simple, along one axis, or complex.",
            ),
            column("parts", "Parts judged."),
            column(
                "accuracy",
                "Share whose box is found with IoU 0.50 or more in the true box of the object.",
            ),
            column("accuracy_detected", "The same in the detected box."),
            column(
                "centre_error",
                "Mean distance of centres over the longer side of the object's box.",
            ),
            column(
                "temperature_error_k",
                "Mean error of the highest temperature, K.",
            ),
            column(
                "mean_temperature_error_k",
                "Mean error of the mean temperature, K.",
            ),
        ],
        doc: "One row a class with labelled parts.",
    },
    TableDef {
        name: "faults",
        columns: &[
            column(
                "reference",
                "What the highest temperature of a part is compared with.",
            ),
            column("parts", "Parts that can be compared."),
            column("faulty", "Parts of them that run hot."),
            column("auroc", "Area under the ROC curve of the difference."),
        ],
        doc: "The fault step: one row a reference.",
    },
    TableDef {
        name: "precision_recall",
        columns: &[
            column("class", "Name of the class."),
            column("recall", "Share of its objects found."),
            column("precision", "Share of its detections that are right."),
        ],
        doc: "Boxes at IoU 0.50.",
    },
    TableDef {
        name: "crowding",
        columns: &[
            column(
                "overlap",
                "IoU with the nearest other object: middle of the bin.",
            ),
            column("objects", "Objects in the bin."),
            column(
                "ap50",
                "Average precision at IoU 0.50: of masks, of boxes without a mask head.",
            ),
        ],
        doc: "How much neighbours disturb.",
    },
    TableDef {
        name: "seen",
        columns: &[
            column("pictures", "Number of pictures shown."),
            column(
                "picture",
                "File: judged pictures, their true outlines, and those found with a confidence of 0.5 and more.",
            ),
        ],
        doc: "Only of generated scenes.",
    },
    TableDef {
        name: "source_weights",
        columns: &[column(
            "weight",
            "Weight of a source picture times their number; 1 is uniform.",
        )],
        doc: "One row a source picture, every fourth.",
    },
    TableDef {
        name: "source_classes",
        columns: &[
            column("class", "Words of the class."),
            column("draws", "Times that its pictures were drawn."),
        ],
        doc: "The ten most-drawn classes of the source domain.",
    },
];

fn conflicts(params: &Params) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let mut clash = |param, message: String| conflicts.push(Conflict { param, message });
    let number = |name| params.get(name).and_then(ParamValue::as_f64).unwrap_or(0.0);
    let is = |name, word: &str| matches!(params.get(name), Some(ParamValue::Text(w)) if w == word);
    if number("coldest_c") >= number("hottest_c") {
        let (cold, hot) = (number("coldest_c"), number("hottest_c"));
        clash(
            "hottest_c",
            format!("{hot} °C is not above coldest_c, {cold} °C"),
        );
    }
    if is("pretraining", "imagenet")
        && !is("backbone", "efficientnet_lite0")
        && number("width") != PUBLISHED_WIDTH
    {
        clash(
            "width",
            format!(
                "{} channels, but residual nets were trained on ImageNet with {PUBLISHED_WIDTH}",
                number("width")
            ),
        );
    }
    if number("first_decay") > number("second_decay") {
        let (first, second) = (number("first_decay"), number("second_decay"));
        clash(
            "second_decay",
            format!("{second} comes before first_decay, {first}"),
        );
    }
    if is("method", "faster_rcnn") && is("mask_training", "alone") {
        clash(
            "method",
            "mask_training is `alone`, but a Faster R-CNN has no mask head".to_owned(),
        );
    }
    let parts = matches!(params.get("parts"), Some(ParamValue::Bool(true)));
    if parts
        && (is("method", "classical") || is("method", "mask_rcnn") && is("mask_training", "joint"))
    {
        let message = "parts are learnt behind boxes alone: take method `faster_rcnn`, or mask_training `alone`";
        clash("parts", message.to_owned());
    }
    if is("mask_predictor", "per_class") && number("class_without_masks") > 0.0 {
        let message =
            "mask_predictor is `per_class`: a class without masks gets no weights of its own";
        clash("class_without_masks", message.to_owned());
    }
    conflicts
}
