//! Params as what the nets take.

use retrial_core::params::ParamValue;
use retrial_instances::matcher::MatchRule;
use retrial_instances::sampler::Balance;
use retrial_nets::adam::AdamRates;
use retrial_nets::device::{self, Device, DeviceChoice};
use retrial_nets::mask_rcnn::{
    Architecture, Backbone, Between, DetectionRule, Family, LossRules, MaskArchitecture,
    MaskPredictor, Normalisation, Perceptron, ProposalRule, Transfer, TransferForm,
    TransferGradient, TransferSource,
};
use retrial_nets::sgd::SgdRates;

use crate::execute::context::{Context, TrialError};

pub(super) fn device(context: &Context) -> Result<Device, TrialError> {
    let choice: DeviceChoice = context.job.device.parse().map_err(words)?;
    device::open(choice).map_err(words)
}

pub(super) fn backbone(context: &Context) -> Result<Backbone, TrialError> {
    Ok(Backbone {
        family: match context.word("backbone")? {
            "resnet34" => Family::Resnet34,
            "resnet50" => Family::Resnet50,
            "resnet101" => Family::Resnet101,
            "efficientnet_lite0" => Family::EfficientnetLite0,
            _ => Family::Resnet18,
        },
        width: size(context, "width")?,
        normalisation: match context.word("normalisation")? {
            "running" => Normalisation::Running,
            _ => Normalisation::Batch,
        },
    })
}

/// A detector of so many classes without the background, with or without a mask head.
pub(super) fn architecture(
    context: &Context,
    classes: usize,
    with_masks: bool,
) -> Result<Architecture, TrialError> {
    let smallest = context.float("anchor_px")? as f32;
    let masks = MaskArchitecture {
        channels: size(context, "mask_channels")?,
        convolutions: size(context, "mask_convolutions")?,
        predictor: predictor(context)?,
    };
    Ok(Architecture {
        backbone: backbone(context)?,
        pyramid_channels: size(context, "pyramid_channels")?,
        representation: size(context, "representation")?,
        classes: classes + 1,
        anchor_sides: [1.0, 2.0, 4.0, 8.0, 16.0].map(|factor| factor * smallest),
        anchor_ratios: vec![0.5, 1.0, 2.0],
        canonical_side: context.float("canonical_px")? as f32,
        masks: with_masks.then_some(masks),
    })
}

fn predictor(context: &Context) -> Result<MaskPredictor, TrialError> {
    Ok(match context.word("mask_predictor")? {
        "agnostic" => MaskPredictor::Agnostic,
        "transfer" => MaskPredictor::Transfer(Transfer {
            from: match context.word("transfer_from")? {
                "class" => TransferSource::Class,
                "box" => TransferSource::Box,
                _ => TransferSource::Both,
            },
            layers: size(context, "transfer_layers")?,
            between: match context.word("transfer_between")? {
                "relu" => Between::Relu,
                _ => Between::LeakyRelu,
            },
            gradient: match is(context, "transfer_gradient") {
                true => TransferGradient::Passed,
                false => TransferGradient::Stopped,
            },
            form: match context.word("transfer_form")? {
                "residual" => TransferForm::Residual,
                _ => TransferForm::Plain,
            },
            perceptron: match is(context, "transfer_perceptron") {
                true => Perceptron::Added,
                false => Perceptron::Absent,
            },
        }),
        _ => MaskPredictor::PerClass,
    })
}

pub(super) fn loss_rules(context: &Context) -> Result<LossRules, TrialError> {
    let published = context.word("match_rule")? == "published";
    Ok(LossRules {
        proposals: ProposalRule {
            before_nms: 2 * size(context, "train_proposals")?,
            after_nms: size(context, "train_proposals")?,
            nms: PROPOSAL_NMS,
        },
        anchor_match: match published {
            true => MatchRule::Published,
            false => MatchRule::PROPOSALS,
        },
        anchor_balance: Balance {
            total: size(context, "anchors_drawn")?,
            ..Balance::PROPOSALS
        },
        region_match: MatchRule::BOX_HEAD,
        region_balance: Balance {
            total: size(context, "regions_drawn")?,
            ..Balance::BOX_HEAD
        },
    })
}

/// Overlap above which the worse of two proposals is dropped.
const PROPOSAL_NMS: f64 = 0.7;

pub(super) fn detection(context: &Context) -> Result<DetectionRule, TrialError> {
    let proposals = size(context, "proposals")?;
    Ok(DetectionRule {
        proposals: ProposalRule {
            before_nms: 3 * proposals,
            after_nms: proposals,
            nms: PROPOSAL_NMS,
        },
        confidence: context.float("confidence")? as f32,
        nms: context.float("nms")?,
        most: size(context, "detections")?,
    })
}

pub(super) fn sgd(context: &Context) -> Result<SgdRates, TrialError> {
    let clip = context.float("clip_norm")?;
    Ok(SgdRates {
        momentum: context.float("momentum")?,
        weight_decay: context.float("weight_decay")?,
        clip_norm: (clip > 0.0).then_some(clip),
    })
}

/// The learning rate of a step, from 0: a linear rise, then steps down.
///
/// # Source
/// Goyal et al. 2017, arXiv:1706.02677, section 2.2 (warm-up); the rise starts at a hundredth.
pub(super) fn learning_rate(context: &Context, iteration: u64) -> Result<f64, TrialError> {
    let rate = context.float("learning_rate")?;
    let all = size(context, "iterations")? as f64;
    let rise = size(context, "warm_up")? as f64;
    let at = iteration as f64;
    if at < rise {
        return Ok(rate * (0.01 + 0.99 * at / rise));
    }
    let passed = |share: f64| share < 1.0 && at >= share * all;
    let first = passed(context.float("first_decay")?);
    let second = passed(context.float("second_decay")?);
    Ok(rate * 0.1_f64.powi(i32::from(first) + i32::from(second)))
}

pub(super) fn mask_adam(context: &Context) -> Result<AdamRates, TrialError> {
    Ok(AdamRates {
        learning_rate: context.float("mask_learning_rate")?,
        beta1: 0.9,
        beta2: 0.999,
    })
}

/// Whether a flag is set.
pub(super) fn is(context: &Context, name: &str) -> bool {
    matches!(context.params().get(name), Some(ParamValue::Bool(true)))
}

pub(super) fn size(context: &Context, name: &str) -> Result<usize, TrialError> {
    Ok(usize::try_from(context.int(name)?).unwrap_or(0))
}

/// An error of the nets in words for a person.
pub(super) fn words(error: impl std::fmt::Display) -> TrialError {
    TrialError::Other(error.to_string())
}
