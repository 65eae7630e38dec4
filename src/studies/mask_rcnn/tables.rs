//! What the study `mask-rcnn` declares of itself, and which params do not fit together.

use retrial_core::declare::Row as _;
use retrial_core::metric::TableDef;
use retrial_core::params::{DefaultValue, Params};
use retrial_core::study::{Amendment, Conflict, StudyInfo};
use retrial_nets::mask_rcnn::Family;

use super::metrics::metric;
use super::params::{
    All, Body, Course, KnownMasks, MaskTraining, Method, PARAMS, Pictures, PredictorKind,
    PretrainingKind, Training,
};
use super::{judge, parts, pictures, predictions, report};

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
    cpu_methods: CPU_METHODS,
    content_kinds: &["infrared pictures", "several data sets"],
    params: PARAMS,
    metrics: metric::ALL,
    tables: TABLES,
    files: &[predictions::DETECTIONS, predictions::TRUTH],
    conflicts,
};

/// Methods without a net.
const CPU_METHODS: &[&str] = &[Method::Classical.name()];

const AMENDMENTS: &[Amendment] = &[Amendment {
    what: "the left of two equal parts is the one seen on the left",
    param: Course::parts,
    value: DefaultValue::Bool(true),
    stages: &[parts::STAGE],
}];

const TABLES: &[TableDef] = &[
    report::TrainingRow::TABLE,
    report::MaskTrainingRow::TABLE,
    judge::ClassRow::TABLE,
    parts::PartsRow::TABLE,
    parts::FaultRow::TABLE,
    judge::PrecisionRecallRow::TABLE,
    judge::CrowdingRow::TABLE,
    pictures::SeenRow::TABLE,
    report::SourceWeightRow::TABLE,
    report::SourceClassRow::TABLE,
];

/// Channels of the first stage of published residual nets.
const PUBLISHED_WIDTH: usize = 64;

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
    let width = params.body.width;
    if params.pretraining.pretraining == PretrainingKind::Imagenet
        && params.body.backbone != Family::EfficientnetLite0
        && width != PUBLISHED_WIDTH
    {
        let message = format!(
            "{width} channels, but residual nets were trained on ImageNet with {PUBLISHED_WIDTH}"
        );
        clash(Body::width, message);
    }
    let (first, second) = (params.training.first_decay, params.training.second_decay);
    if first > second {
        let message = format!("{second} comes before first_decay, {first}");
        clash(Training::second_decay, message);
    }
    let Course {
        method,
        mask_training,
        parts,
    } = params.course;
    if method == Method::FasterRcnn && mask_training == MaskTraining::Alone {
        let message = "mask_training is `alone`, but a Faster R-CNN has no mask head";
        clash(Course::method, message.to_owned());
    }
    let alone = match method {
        Method::MaskRcnn => mask_training == MaskTraining::Alone,
        Method::FasterRcnn => true,
        Method::Classical => false,
    };
    if parts && !alone {
        let message = "parts are learnt behind boxes alone: take method `faster_rcnn`, or mask_training `alone`";
        clash(Course::parts, message.to_owned());
    }
    if params.predictor.mask_predictor == PredictorKind::PerClass
        && params.known_masks.class_without_masks > 0
    {
        let message =
            "mask_predictor is `per_class`: a class without masks gets no weights of its own";
        clash(KnownMasks::class_without_masks, message.to_owned());
    }
    conflicts
}
