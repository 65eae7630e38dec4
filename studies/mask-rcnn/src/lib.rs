//! The study `mask-rcnn`: equipment found and outlined in infrared pictures by a detector that
//! has few masks to learn from.
//!
//! # Source
//! Liu et al. 2021, "Electrical Equipment Detection in Infrared Images Based on Transfer Learning
//! of Mask-RCNN"; He et al. 2017, arXiv:1703.06870; Hu et al. 2018, arXiv:1711.10370.

mod augment;
mod boxes;
mod census;
mod choose;
mod classical;
mod cli;
mod command;
mod imagenet;
mod input_values;
mod items;
mod judge;
mod mask_annotations;
mod masks;
mod metrics;
mod params;
mod parts;
mod pictures;
mod predictions;
mod pretrain;
mod report;
mod settings;
mod source;
mod split;
mod tables;
mod values;

use retrial_core::census::Census;
use retrial_core::params::Params;
use retrial_core::study::StudyInfo;
use retrial_data::{Content, Manifest};
use retrial_nets::mask_rcnn::Family;
use retrial_runner::{Command, Context, Memo, Study, TrialError, typed};

use self::items::Items;
use self::judge::{Judged, Masks};
use self::mask_annotations::MaskAnnotations;
use self::metrics::metric;
use self::params::{All, MaskTraining, Method, PretrainingKind};

/// The study, with the command `similarity`.
pub struct MaskRcnn;

impl Study for MaskRcnn {
    fn info(&self) -> &'static StudyInfo {
        &tables::INFO
    }

    fn cost_s(&self, params: &Params, _dataset: Option<&Manifest>) -> f64 {
        All::read(params).map_or(0.0, |params| cost_s(&params))
    }

    fn census_keys(&self) -> &'static [&'static str] {
        census::KEYS
    }

    fn census(
        &self,
        params: &Params,
        content: &Content,
        memo: &mut Memo,
    ) -> Result<Census, TrialError> {
        census::before(&typed(params, All::read)?, content, memo.of())
    }

    fn commands(&self) -> &'static [Command] {
        command::COMMANDS
    }

    fn run(&self, context: &mut Context) -> Result<(), TrialError> {
        let params = typed(context.params(), All::read)?;
        context.resume()?;
        let items = items::load(context, &params)?;
        context.metric(
            metric::train_pictures_used,
            items.train.pictures.len() as f64,
        )?;
        context.metric(metric::test_pictures_used, items.test.len() as f64)?;
        match params.course.method {
            Method::Classical => without_net(context, &items),
            Method::MaskRcnn => by_net(context, &params, &items, true),
            Method::FasterRcnn => by_net(context, &params, &items, false),
        }
    }
}

fn without_net(context: &mut Context, items: &Items) -> Result<(), TrialError> {
    let (found, seconds) = classical::detect(context, items)?;
    context.metric(metric::seconds_per_picture, seconds)?;
    let masks = Masks {
        drawn: None,
        whole: judge::whole_boxes(items)?,
    };
    pictures::draw(context, items, &found)?;
    judge::precision(context, items, found, &masks)
}

fn by_net(
    context: &mut Context,
    params: &All,
    items: &Items,
    with_masks: bool,
) -> Result<(), TrialError> {
    let pretrained = pretrain::pretrain(context, params.pretrain_input(), items)?;
    if let (Some(drawn), Some((source, _))) = (&pretrained.drawn, &items.given.source) {
        report::source(context, drawn, source)?;
    }
    let end_to_end = with_masks && params.course.mask_training == MaskTraining::EndToEnd;
    let input = params.detector_input(end_to_end);
    let detector = boxes::train(context, input, &items.train, &pretrained)?;
    report::training(context, &detector.losses)?;
    if let Some(seconds) = detector.seconds_per_iteration {
        context.metric(metric::seconds_per_iteration, seconds)?;
    }
    context.metric(metric::trainable_parameters, detector.weights as f64)?;
    let masked = match params.learns_masks_alone() {
        true => Some(masks::train(
            context,
            params.masks_input(),
            &items.train,
            &detector,
        )?),
        false => None,
    };
    if with_masks {
        let annotations =
            MaskAnnotations::new(&params.annotated_masks, &items.train, context.seed());
        context.metric(metric::masks_used, annotations.count(&items.train) as f64)?;
    }
    if let Some(masked) = &masked {
        report::mask_training(context, &masked.losses)?;
    }
    if params.course.parts {
        let head = parts::train(context, params.parts_input(), &items.train, &detector)?;
        parts::judge(context, &params.finding, items, &detector, &head)?;
    }
    let judged = match &masked {
        Some(masked) => Judged {
            architecture: &masked.architecture,
            net: &masked.net,
        },
        None => Judged {
            architecture: &detector.architecture,
            net: &detector.net,
        },
    };
    let masks = judge::masks_in_boxes(context, &params.finding, items, &judged)?;
    let classes = items.train.frame.classes.len();
    let box_only =
        mask_annotations::box_only_classes(&params.annotated_masks, classes, context.seed());
    judge::mask_metrics(context, &masks, &box_only)?;
    let (found, seconds) = judge::detect(context, &params.finding, items, &judged)?;
    context.metric(metric::seconds_per_picture, seconds)?;
    pictures::draw(context, items, &found)?;
    judge::precision(context, items, found, &masks)
}

/// CPU seconds of a trial.
///
/// Fitted to records: a narrow net takes 0.016 CPU s a picture of 160 × 128 px and iteration, the published one 1.1 at
/// 320 × 256; between them work grows with the width squared. EfficientNet-Lite0 takes 0.049.
fn cost_s(params: &All) -> f64 {
    let All {
        pictures,
        course,
        backbone,
        pretraining,
        training,
        masks_alone,
        ..
    } = params;
    if course.method == Method::Classical {
        return 20.0;
    }
    let pixels = (pictures.image_width * pictures.image_height) as f64 / (160.0 * 128.0);
    let residual =
        |dear: f64| 0.008 + 0.008 * dear * (backbone.base_channels as f64 / 16.0).powi(2);
    let size = match backbone.backbone {
        Family::Resnet18 => residual(1.0),
        Family::Resnet34 | Family::Resnet50 | Family::Resnet101 => residual(2.0),
        Family::EfficientnetLite0 => 0.049,
    };
    let training_s = (training.iterations * training.batch_size) as f64 * size * pixels;
    let pretraining_s = match pretraining.pretraining {
        PretrainingKind::Nothing | PretrainingKind::Imagenet => 0.0,
        PretrainingKind::Uniform | PretrainingKind::Similarity => {
            let drawn = (pretraining.source_samples * pretraining.source_epochs) as f64;
            5.0 + drawn * 0.15 * size
        }
    };
    let masks_s = match course.mask_training {
        MaskTraining::StageWise => {
            3.0 + (masks_alone.mask_iterations * masks_alone.mask_batch_size) as f64 * 8e-4
        }
        MaskTraining::EndToEnd => 0.0,
    };
    3.0 + training_s + pretraining_s + masks_s
}
