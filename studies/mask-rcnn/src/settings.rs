//! Params as what the nets take.

use retrial_instances::matcher::MatchRule;
use retrial_instances::sampler::Balance;
use retrial_nets::adam::AdamRates;
use retrial_nets::mask_rcnn::{
    Architecture, Backbone, DetectionRule, LossRules, MaskArchitecture, MaskPredictor, Perceptron,
    ProposalRule, Transfer, TransferGradient,
};
use retrial_nets::sgd::SgdRates;

use super::params::{BackboneParams, Finding, MaskNet, Matching, PredictorKind, Regions, Training};

pub(super) fn backbone(params: &BackboneParams) -> Backbone {
    Backbone {
        family: params.backbone,
        width: params.base_channels,
        normalisation: params.normalisation,
    }
}

/// A detector of so many classes without the background.
pub(super) fn architecture(
    net: &BackboneParams,
    regions: &Regions,
    classes: usize,
    masks: Option<MaskArchitecture>,
) -> Architecture {
    let smallest = regions.anchor_px as f32;
    Architecture {
        backbone: backbone(net),
        pyramid_channels: regions.pyramid_channels,
        fc_dim: regions.fc_dim,
        classes: classes + 1,
        anchor_sides: [1.0, 2.0, 4.0, 8.0, 16.0].map(|factor| factor * smallest),
        anchor_ratios: vec![0.5, 1.0, 2.0],
        canonical_side: regions.canonical_px as f32,
        masks,
    }
}

/// A mask head whose loss reaches the box head, or does not.
pub(super) fn mask_head(net: MaskNet<'_>, gradient: TransferGradient) -> MaskArchitecture {
    let predictor = net.predictor;
    MaskArchitecture {
        channels: net.head.mask_channels,
        convolutions: net.head.mask_convolutions,
        predictor: match predictor.mask_predictor {
            PredictorKind::PerClass => MaskPredictor::PerClass,
            PredictorKind::ClassAgnostic => MaskPredictor::Agnostic,
            PredictorKind::Transfer => MaskPredictor::Transfer(Transfer {
                from: predictor.transfer_from,
                layers: predictor.transfer_layers,
                activation: predictor.transfer_activation,
                gradient,
                form: net.transferred.transfer_form,
                perceptron: match net.transferred.mlp_mask_branch {
                    true => Perceptron::Added,
                    false => Perceptron::Absent,
                },
            }),
        },
    }
}

pub(super) fn loss_rules(training: &Training) -> LossRules {
    LossRules {
        proposals: ProposalRule {
            before_nms: 2 * training.rpn_post_nms_topk_train,
            after_nms: training.rpn_post_nms_topk_train,
            nms: PROPOSAL_NMS,
        },
        anchor_match: match training.match_rule {
            Matching::Published => MatchRule::Published,
            Matching::Torchvision => MatchRule::PROPOSALS,
        },
        anchor_balance: Balance {
            total: training.rpn_batch_size_per_image,
            ..Balance::PROPOSALS
        },
        region_match: MatchRule::BOX_HEAD,
        region_balance: Balance {
            total: training.roi_batch_size_per_image,
            ..Balance::BOX_HEAD
        },
    }
}

/// Overlap above which the worse of two proposals is dropped.
const PROPOSAL_NMS: f64 = 0.7;

pub(super) fn detection(finding: &Finding) -> DetectionRule {
    DetectionRule {
        proposals: ProposalRule {
            before_nms: 3 * finding.rpn_post_nms_topk_test,
            after_nms: finding.rpn_post_nms_topk_test,
            nms: PROPOSAL_NMS,
        },
        confidence: finding.score_thresh as f32,
        nms: finding.nms_thresh,
        most: finding.detections_per_image,
    }
}

pub(super) fn sgd(training: &Training) -> SgdRates {
    let clip = training.clip_norm;
    SgdRates {
        momentum: training.momentum,
        weight_decay: training.weight_decay,
        clip_norm: (clip > 0.0).then_some(clip),
    }
}

/// The learning rate of a step, from 0: a linear rise, then steps down.
///
/// # Source
/// Goyal et al. 2017, arXiv:1706.02677, section 2.2 (warm-up); the rise starts at a hundredth.
pub(super) fn learning_rate(training: &Training, iteration: u64) -> f64 {
    let rate = training.learning_rate;
    let all = training.iterations as f64;
    let rise = training.warmup_iters as f64;
    let at = iteration as f64;
    if at < rise {
        return rate * (0.01 + 0.99 * at / rise);
    }
    let passed = |share: f64| share < 1.0 && at >= share * all;
    let first = passed(training.first_step);
    let second = passed(training.second_step);
    rate * 0.1_f64.powi(i32::from(first) + i32::from(second))
}

/// Adam as it trains a head behind a detector that stays.
pub(super) fn adam(learning_rate: f64) -> AdamRates {
    AdamRates {
        learning_rate,
        beta1: 0.9,
        beta2: 0.999,
    }
}
