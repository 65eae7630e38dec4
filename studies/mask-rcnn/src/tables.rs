//! What the study `mask-rcnn` declares of itself, and which params do not fit together.

use retrial_core::declare::{concat, count};
use retrial_core::metric::TableDef;
use retrial_core::params::Params;
use retrial_core::study::{Conflict, StudyInfo};
use retrial_nets::mask_rcnn::Family;

use super::metrics::metric;
use super::params::{
    All, AnnotatedMasks, BackboneParams, Course, MaskTraining, Method, Pictures, PredictorKind,
    PretrainingKind, Training,
};
use super::{judge, parts, pictures, predictions, report};

/// What the study declares of itself.
pub(super) const INFO: StudyInfo = StudyInfo {
    name: "mask-rcnn",
    revision: 2,
    amendments: &[],
    work: "Liu Z., Fu H., Li Y., Zhang G., Hu C., Zhang Z. (2021) \"Electrical Equipment Detection in \
           Infrared Images Based on Transfer Learning of Mask-RCNN\"; weight transfer after Hu R. et \
           al. (2018) \"Learning to Segment Every Thing\", arXiv:1711.10370",
    deterministic: false,
    uses_device: true,
    cpu_methods: CPU_METHODS,
    content_kinds: &["infrared pictures", "several data sets"],
    params: All::PARAMS,
    metrics: metric::ALL,
    tables: &concat::<_, { count(TABLES) }>(TABLES),
    files: &[predictions::DETECTIONS, predictions::TRUTH],
    conflicts,
};

/// Methods without a net.
const CPU_METHODS: &[&str] = &[Method::Classical.name()];

const TABLES: &[&[TableDef]] = &[
    report::TABLES,
    judge::TABLES,
    parts::TABLES,
    pictures::TABLES,
];

/// Channels of the first stage of published residual nets.
const PUBLISHED_CHANNELS: usize = 64;

fn conflicts(params: &Params) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let mut clash = |param, message: String| conflicts.push(Conflict { param, message });
    let Ok(params) = All::read(params) else {
        return conflicts;
    };
    let (cold, hot) = (params.pictures.coldest_c, params.pictures.hottest_c);
    if cold >= hot {
        let message = format!("{hot} °C is not above coldest_c, {cold} °C");
        clash(Pictures::hottest_c, message);
    }
    let channels = params.backbone.base_channels;
    if params.pretraining.pretraining == PretrainingKind::Imagenet
        && params.backbone.backbone != Family::EfficientnetLite0
        && channels != PUBLISHED_CHANNELS
    {
        let message = format!(
            "{channels} channels, but residual nets were trained on ImageNet with {PUBLISHED_CHANNELS}"
        );
        clash(BackboneParams::base_channels, message);
    }
    let (first, second) = (params.training.first_step, params.training.second_step);
    if first > second {
        let message = format!("{second} comes before first_step, {first}");
        clash(Training::second_step, message);
    }
    let Course {
        method,
        mask_training,
        parts,
    } = params.course;
    if method == Method::FasterRcnn && mask_training == MaskTraining::StageWise {
        let message = "mask_training is `stage_wise`, but a Faster R-CNN has no mask head";
        clash(Course::method, message.to_owned());
    }
    let alone = match method {
        Method::MaskRcnn => mask_training == MaskTraining::StageWise,
        Method::FasterRcnn => true,
        Method::Classical => false,
    };
    if parts && !alone {
        let message = "parts are learnt behind boxes alone: take method `faster_rcnn`, or mask_training `stage_wise`";
        clash(Course::parts, message.to_owned());
    }
    if params.predictor.mask_predictor == PredictorKind::PerClass
        && params.annotated_masks.box_only_class > 0
    {
        let message =
            "mask_predictor is `per_class`: a class without masks gets no weights of its own";
        clash(AnnotatedMasks::box_only_class, message.to_owned());
    }
    conflicts
}
