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
mod given;
mod items;
mod judge;
mod known;
mod masks;
mod params;
mod parts;
mod pictures;
mod pretrain;
mod seen;
mod settings;
mod source;
mod split;
mod tables;
mod values;

use retrial_core::census::Census;
use retrial_core::params::{ParamValue, Params};
use retrial_core::study::StudyInfo;
use retrial_data::{Content, Manifest};
use retrial_nets::mask_rcnn::Losses;
use retrial_store::csv::Table;

use self::boxes::Kind;
use self::items::Items;
use self::judge::{Judged, Masks};
use self::known::Known;
use self::pretrain::Pretrained;
use super::{Memo, Study};
use crate::execute::context::{Context, TrialError};

/// The study.
pub(crate) struct MaskRcnn;

impl Study for MaskRcnn {
    fn info(&self) -> &'static StudyInfo {
        &tables::INFO
    }

    fn cost_s(&self, params: &Params, _dataset: Option<&Manifest>) -> f64 {
        let number = |name| params.get(name).and_then(ParamValue::as_f64).unwrap_or(0.0);
        let is = |name, word: &str| matches!(params.get(name), Some(ParamValue::Text(own)) if own == word);
        if is("method", "classical") {
            return 20.0;
        }
        // Fitted to records: a narrow net takes 0.016 CPU s a picture of 160 × 128 px and iteration,
        // the published one 1.1 at 320 × 256; between them work grows with the width squared. EfficientNet-Lite0 takes 0.049.
        let pixels = number("image_width") * number("image_height") / (160.0 * 128.0);
        let dear = if is("backbone", "resnet18") { 1.0 } else { 2.0 };
        let size = match is("backbone", "efficientnet_lite0") {
            true => 0.049,
            false => 0.008 + 0.008 * dear * (number("width") / 16.0).powi(2),
        };
        let training = number("iterations") * number("batch_size") * size * pixels;
        let pretraining = match is("pretraining", "none") || is("pretraining", "imagenet") {
            true => 0.0,
            false => 5.0 + number("source_draws") * number("source_epochs") * 0.15 * size,
        };
        let masks = match is("mask_training", "alone") {
            true => 3.0 + number("mask_iterations") * number("mask_batch") * 8e-4,
            false => 0.0,
        };
        3.0 + training + pretraining + masks
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
        census::before(params, content, memo.of())
    }

    fn run(&self, context: &mut Context) -> Result<(), TrialError> {
        context.resume()?;
        let items = items::load(context)?;
        context.metric("train_pictures_used", items.train.len() as f64)?;
        context.metric("test_pictures_used", items.test.len() as f64)?;
        if context.word("method")? == "classical" {
            let (found, seconds) = classical::found(context, &items)?;
            context.metric("seconds_per_picture", seconds)?;
            let masks = Masks {
                drawn: None,
                whole: judge::whole_boxes(&items)?,
            };
            pictures::leave(context, &items, &found)?;
            return judge::precision(context, &items, found, &masks);
        }
        let pretrained = pretrain::pretrain(context, &items)?;
        source_report(context, &items, &pretrained)?;
        let with_masks = context.word("method")? == "mask_rcnn";
        let alone = context.word("mask_training")? == "alone";
        let kind = match with_masks && !alone {
            true => Kind::Joint,
            false => Kind::Boxes,
        };
        let detector = boxes::train(context, &items, &pretrained.body, kind)?;
        training_report(context, &detector.losses)?;
        if let Some(seconds) = detector.seconds_per_iteration {
            context.metric("seconds_per_iteration", seconds)?;
        }
        context.metric("weights", detector.weights as f64)?;
        let masked = match with_masks && alone {
            true => Some(masks::train(context, &items, &detector)?),
            false => None,
        };
        if with_masks {
            let known = Known::new(context, &items)?;
            context.metric("masks_used", known.count(&items) as f64)?;
        }
        if let Some(masked) = &masked {
            let (iterations, losses) = tenths(&masked.losses);
            let table = Table::new()
                .with("iteration", iterations)?
                .with("loss", losses)?;
            context.table("mask_training", &table)?;
        }
        if settings::is(context, "parts") {
            let head = parts::train(context, &items, &detector)?;
            parts::judge(context, &items, &detector, &head)?;
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
        let masks = judge::masks_in_boxes(context, &items, &judged)?;
        let without = known::classes_without(context, &items)?;
        judge::mask_metrics(context, &masks, &without)?;
        let (found, seconds) = judge::found(context, &items, &judged)?;
        context.metric("seconds_per_picture", seconds)?;
        pictures::leave(context, &items, &found)?;
        judge::precision(context, &items, found, &masks)
    }
}

fn source_report(
    context: &mut Context,
    items: &Items,
    pretrained: &Pretrained,
) -> Result<(), TrialError> {
    let (Some(drawn), Some(source)) = (&pretrained.drawn, &items.source) else {
        return Ok(());
    };
    context.metric("effective_sample_share", drawn.effective_sample_share)?;
    context.metric("distinct_share", drawn.distinct_share)?;
    context.metric("source_accuracy", drawn.accuracy)?;
    let table = Table::new().with("weight", drawn.weights.clone())?;
    context.table("source_weights", &table)?;
    let words = drawn
        .classes
        .iter()
        .map(|&(class, _)| source.classes[class].words.clone());
    let table = Table::new()
        .with("class", words.collect::<Vec<_>>())?
        .with(
            "draws",
            drawn
                .classes
                .iter()
                .map(|&(_, n)| n as f64)
                .collect::<Vec<_>>(),
        )?;
    context.table("source_classes", &table)
}

fn training_report(context: &mut Context, losses: &[Losses]) -> Result<(), TrialError> {
    let column = |of: fn(&Losses) -> f64| tenths(&losses.iter().map(of).collect::<Vec<_>>()).1;
    let sums: Vec<f64> = losses.iter().map(Losses::sum).collect();
    let last = &sums[sums.len() - sums.len().div_ceil(10)..];
    context.metric("loss", last.iter().sum::<f64>() / last.len().max(1) as f64)?;
    let (iterations, all) = tenths(&sums);
    let table = Table::new()
        .with("iteration", iterations)?
        .with("loss", all)?
        .with("classes", column(|l| l.classes))?
        .with("boxes", column(|l| l.boxes))?
        .with("masks", column(|l| l.masks))?
        .with("objectness", column(|l| l.objectness))?
        .with("proposals", column(|l| l.proposals))?;
    context.table("training", &table)
}

/// Means of ten values each, and the number of the last of them from 1.
fn tenths(values: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let means = values
        .chunks(10)
        .map(|ten| ten.iter().sum::<f64>() / ten.len() as f64);
    let ends = (0..values.len())
        .step_by(10)
        .map(|first| (first + 10).min(values.len()) as f64);
    (ends.collect(), means.collect())
}
