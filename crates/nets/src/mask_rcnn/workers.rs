//! Workers that share the steps of a detector's training, against one worker.

#![cfg(test)]

use std::sync::Arc;

use retrial_image::InstanceMask;
use retrial_instances::matcher::MatchRule;
use retrial_instances::sampler::Balance;
use retrial_seed::Seed;

use super::*;
use crate::fit::tests::divided;
use crate::fit::{NamedLosses as _, Rule, State};
use crate::sgd::SgdRates;

fn architecture() -> Architecture {
    Architecture {
        backbone: Backbone {
            family: Family::Resnet18,
            width: 4,
            normalisation: Normalisation::Running,
        },
        pyramid_channels: 8,
        fc_dim: 8,
        classes: 3,
        anchor_sides: [8.0, 16.0, 32.0, 64.0, 128.0],
        anchor_ratios: vec![1.0],
        canonical_side: 64.0,
        masks: Some(MaskArchitecture {
            channels: 8,
            convolutions: 1,
            predictor: MaskPredictor::PerClass,
        }),
    }
}

/// Pictures of several sizes with one to three objects; the last one's have no masks.
fn batch(iteration: u64) -> Vec<(Picture, Truth)> {
    let mut stream = Seed(7).stream(&format!("pictures {iteration}"));
    let sizes = [(32, 64), (64, 40), (50, 32)];
    let picture = |(place, (height, width)): (usize, (usize, usize))| {
        let values = (0..height * width * 3).map(|_| stream.normal() as f32);
        let picture = Picture {
            height,
            width,
            values: values.collect(),
        };
        let mut truth = Truth::default();
        for object in 0..=place {
            let (x, y, side) = (4 + 6 * object, 2 + 5 * object, 12 + 3 * place);
            let mut mask = InstanceMask::empty(height, width);
            for row in y..y + side {
                mask.inside_mut()[row * width + x..row * width + x + side].fill(true);
            }
            let corners = [x, y, x + side, y + side].map(|v| v as f32);
            truth.boxes.push(corners);
            truth.classes.push(1 + object % 2);
            truth.masks.push((place < 2).then_some(mask));
        }
        (picture, truth)
    };
    sizes.into_iter().enumerate().map(picture).collect()
}

fn trained(workers: usize) -> State<Losses> {
    let task = DetectorTask {
        architecture: architecture(),
        rules: LossRules {
            proposals: ProposalRule {
                before_nms: 60,
                after_nms: 20,
                nms: 0.7,
            },
            anchor_match: MatchRule::PROPOSALS,
            anchor_balance: Balance {
                total: 16,
                ..Balance::PROPOSALS
            },
            region_match: MatchRule::BOX_HEAD,
            region_balance: Balance {
                total: 8,
                ..Balance::BOX_HEAD
            },
        },
        seed: Seed(3),
    };
    let rates = SgdRates {
        momentum: 0.9,
        weight_decay: 1e-4,
        clip_norm: Some(1.0),
    };
    let device = crate::testing::device();
    let net = MaskRcnn::new(&architecture(), &mut Seed(1).stream("net"), &device);
    let rule = Rule::Sgd(rates, Arc::new(|_| 0.01));
    let net = net.expect("known sizes");
    let (_, state) = divided(net, task, rule, Arc::new(batch), 3, workers).expect("finite");
    state
}

#[test]
fn workers_train_the_detector_that_one_trains_up_to_the_order_of_sums() {
    let one = trained(1);
    assert!(one.losses.iter().all(|losses| losses.masks > 0.0));
    // Of three workers the last sees no mask.
    for workers in [2, 3] {
        let several = trained(workers);
        assert_eq!(trained(workers), several, "it repeats bit by bit");
        for (several, one) in several.losses.iter().zip(&one.losses) {
            for (a, b) in several.values().into_iter().zip(one.values()) {
                assert!((a - b).abs() <= 1e-4 * b.abs(), "{several:?} {one:?}");
            }
        }
        for (name, array) in &several.weights {
            for (a, b) in array.values.iter().zip(&one.weights[name].values) {
                assert!((a - b).abs() < 1e-5, "{name}: {a} {b}");
            }
        }
    }
}
