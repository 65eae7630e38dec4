//! Against torchvision, value by value: detection, and a training step with every anchor and
//! proposal drawn. The tensors are made by torchvision 0.21 with fixed seeds.

#![cfg(test)]

use burn::tensor::{Tensor, TensorData};
use retrial_image::InstanceMask;
use retrial_instances::boxes::Corners;
use retrial_instances::matcher::MatchRule;
use retrial_instances::sampler::Balance;
use retrial_seed::Seed;

use super::box_head::BOX_SIDE;
use super::detect::numbered;
use super::mask_head::MASK_SIDE;
use super::net::{Batch, pooled};
use super::*;
use crate::sgd::SgdRates;
use crate::testing::mirrored;
use crate::weights::{self, NamedArray, Weights, values};

/// The fixture of one kind of backbone.
struct Fixture {
    weights: Weights,
    values: Weights,
    /// Names of the gradients whose norms are given.
    norms: Vec<String>,
}

/// All arrays of a file, whole numbers among them.
fn arrays(name: &str) -> Weights {
    let bytes = mirrored(&format!("parity/{name}"));
    weights::safetensors::read(&bytes).expect("the file is whole")
}

fn fixture(kind: &str) -> Fixture {
    let listing = String::from_utf8(mirrored("parity/parity.json")).expect("text");
    // The names stand in the order of the norms, one string after the other.
    let own = listing
        .split(&format!("\"{kind}\": {{"))
        .nth(1)
        .expect("the kind is listed");
    let names = own.split("\"grad_norm_names\": [").nth(1).expect("names");
    let names = names.split(']').next().expect("an end");
    Fixture {
        weights: arrays(&format!("{kind}.weights.safetensors")),
        values: arrays(&format!("{kind}.values.safetensors")),
        norms: names
            .split(',')
            .map(|name| name.trim().trim_matches('"').to_owned())
            .collect(),
    }
}

fn architecture(kind: &str) -> Architecture {
    let (family, width) = match kind {
        "basic" => (Family::Resnet18, 16),
        _ => (Family::Resnet50, 8),
    };
    Architecture {
        backbone: Backbone {
            family,
            width,
            normalisation: Normalisation::Running,
        },
        pyramid_channels: 64,
        fc_dim: 64,
        classes: 4,
        anchor_sides: [8.0, 16.0, 32.0, 64.0, 128.0],
        anchor_ratios: vec![0.5, 1.0, 2.0],
        canonical_side: 64.0,
        masks: Some(MaskArchitecture {
            channels: 32,
            convolutions: 4,
            predictor: MaskPredictor::PerClass,
        }),
    }
}

fn net(kind: &str, fixture: &Fixture) -> MaskRcnn {
    let net = MaskRcnn::new(
        &architecture(kind),
        &mut Seed(0).stream("x"),
        &crate::testing::device(),
    );
    let net = net.expect("a net of known sizes");
    let ours = torch::from_torch(&fixture.weights, &weights::collect(&net)).expect("all weights");
    weights::apply(net, &ours).expect("of this net")
}

impl Fixture {
    fn get(&self, name: &str) -> &NamedArray {
        self.values
            .get(name)
            .unwrap_or_else(|| panic!("the fixture has no {name}"))
    }

    fn boxes(&self, name: &str) -> Vec<Corners> {
        self.get(name)
            .values
            .chunks(4)
            .map(|b| [b[0], b[1], b[2], b[3]])
            .collect()
    }

    /// The two pictures, normalised by the moments of ImageNet.
    fn pictures(&self) -> Vec<Picture> {
        let picture = |name: &str| {
            let image = self.get(name);
            let (height, width) = (image.shape[1], image.shape[2]);
            let mut values = Vec::new();
            for place in 0..height * width {
                for colour in 0..3 {
                    let (mean, sd) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
                    let value = image.values[colour * height * width + place];
                    values.push((value - mean[colour]) / sd[colour]);
                }
            }
            Picture {
                height,
                width,
                values,
            }
        };
        ["image.0", "image.1"].map(picture).into()
    }

    fn truths(&self) -> Vec<Truth> {
        let truth = |image: usize| {
            let masks = self.get(&format!("target.masks.{image}"));
            let (height, width) = (masks.shape[1], masks.shape[2]);
            let mask = |values: &[f32]| {
                let inside = values.iter().map(|&v| v > 0.5).collect();
                Some(InstanceMask::new(height, width, inside).expect("of this size"))
            };
            let labels = &self.get(&format!("target.labels.{image}")).values;
            Truth {
                boxes: self.boxes(&format!("target.boxes.{image}")),
                classes: labels.iter().map(|&label| label as usize).collect(),
                masks: masks.values.chunks(height * width).map(mask).collect(),
            }
        };
        vec![truth(0), truth(1)]
    }
}

/// Largest difference as a share of the largest value.
fn apart(ours: &[f32], theirs: &[f32], what: &str) -> f32 {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let largest = theirs.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let difference = ours
        .iter()
        .zip(theirs)
        .fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
    difference / largest.max(1e-12)
}

#[track_caller]
fn near(ours: &[f32], theirs: &[f32], tolerance: f32, what: &str) {
    let apart = apart(ours, theirs, what);
    assert!(apart <= tolerance, "{what}: {apart} apart");
}

/// The place of the box that is nearest to `theirs`, and near enough.
#[track_caller]
fn nearest<'b>(theirs: &Corners, ours: impl Iterator<Item = &'b Corners>, tolerance: f32) -> usize {
    let apart = |ours: &Corners| {
        let sides = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
        sides.fold(0.0_f32, f32::max)
    };
    let (place, distance) = ours
        .map(apart)
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .expect("there are boxes");
    assert!(
        distance <= tolerance,
        "{theirs:?} is {distance} from the next of ours"
    );
    place
}

/// torchvision's `[n, channel, height, width]` as ours.
fn channels_last(array: &NamedArray) -> Vec<f32> {
    let shape: [usize; 4] = array.shape.clone().try_into().expect("four axes");
    let data = TensorData::new(array.values.clone(), shape);
    values(Tensor::<4>::from_data(data, &crate::testing::device()).permute([0, 2, 3, 1]))
}

fn detection_rule() -> DetectionRule {
    DetectionRule {
        proposals: ProposalRule {
            before_nms: 300,
            after_nms: 300,
            nms: 0.7,
        },
        confidence: 0.05,
        nms: 0.5,
        most: 100,
    }
}

fn detection_is_torchvisions(kind: &str) {
    let fixture = fixture(kind);
    let (mut net, architecture) = (net(kind, &fixture), architecture(kind));
    let pictures = fixture.pictures();
    let pictures: Vec<&Picture> = pictures.iter().collect();
    let batch = Batch::new(&pictures, &crate::testing::device());
    near(
        &values(batch.images.clone()),
        &channels_last(fixture.get("batch")),
        1e-6,
        "batch",
    );
    let maps = net
        .body
        .forward(batch.images.clone(), Normalisation::Running);
    for (level, map) in maps.iter().enumerate() {
        let name = format!("body.{level}");
        near(
            &values(map.clone()),
            &channels_last(fixture.get(&name)),
            1e-5,
            &name,
        );
    }
    let levels = net.pyramid.forward(maps);
    for (level, name) in ["fpn.0", "fpn.1", "fpn.2", "fpn.3", "fpn.pool"]
        .iter()
        .enumerate()
    {
        let ours = values(levels[level].clone());
        near(&ours, &channels_last(fixture.get(name)), 1e-5, name);
    }
    let anchors = batch.anchors(&architecture, &levels).concat();
    assert_eq!(anchors, fixture.boxes("rpn.anchors"));
    let proposed = net.proposals_of(&architecture, &batch, &levels, detection_rule().proposals);
    let mut theirs_of_images = Vec::new();
    for (image, ours) in proposed.iter().enumerate() {
        let theirs = fixture.boxes(&format!("proposals.{image}"));
        assert_eq!(ours.len(), theirs.len(), "proposals of image {image}");
        let place = |theirs: &Corners| nearest(theirs, ours.iter(), 1e-3);
        let places: std::collections::BTreeSet<_> = theirs.iter().map(place).collect();
        assert_eq!(places.len(), theirs.len(), "each has one of its own");
        theirs_of_images.push(theirs);
    }
    // Equal objectness may come in another order, so their order is taken from here on.
    let regions = numbered(&theirs_of_images);
    let features = pooled(&architecture, &levels, &regions, BOX_SIDE);
    let judged = net.boxes.judge(net.boxes.represent(features));
    near(
        &values(judged.logits),
        &fixture.get("box.class_logits").values,
        1e-4,
        "logits",
    );
    near(
        &values(judged.deltas),
        &fixture.get("box.regression").values,
        1e-4,
        "regression",
    );
    let spread = fixture.boxes("multiscale.rois");
    let regions: Vec<_> = spread.into_iter().map(|corners| (0, corners)).collect();
    let ours = values(pooled(&architecture, &levels, &regions, BOX_SIDE));
    let theirs = channels_last(fixture.get("multiscale.pooled7"));
    let first_channels: Vec<f32> = ours.chunks(64).flat_map(|row| row[..16].to_vec()).collect();
    near(&first_channels, &theirs, 1e-5, "regions of all levels");
    let found = net.detect(
        &architecture,
        &pictures,
        &detection_rule(),
        &crate::testing::device(),
    );
    for (image, found) in found.iter().enumerate() {
        let boxes = fixture.boxes(&format!("final.boxes.{image}"));
        let labels = &fixture.get(&format!("final.labels.{image}")).values;
        let scores = &fixture.get(&format!("final.scores.{image}")).values;
        assert_eq!(found.len(), boxes.len());
        // Equal confidences may come in another order here, too.
        let place = |i: usize| nearest(&boxes[i], found.iter().map(|d| &d.corners), 1e-3);
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..boxes.len() {
            let detection = &found[place(i)];
            let apart = (detection.confidence - scores[i]).abs();
            assert!(apart < 1e-4, "image {image}, detection {i}");
            seen.insert((place(i), labels[i] as usize));
        }
        let classes = |count: usize| found.iter().filter(|d| d.class == count).count();
        for class in 1..4 {
            let theirs = labels
                .iter()
                .filter(|&&label| label as usize == class)
                .count();
            assert_eq!(classes(class), theirs, "image {image}, class {class}");
        }
        assert!(seen.len() >= boxes.len(), "each has one of its own");
        let masks = fixture.get(&format!("final.masks.{image}"));
        let (height, width) = (masks.shape[1], masks.shape[2]);
        for (i, theirs) in masks.values.chunks(height * width).enumerate() {
            let found = &found[place(i)];
            let mask = retrial_instances::paste::SquareMask::new(MASK_OUT, &found.mask);
            let ours = mask
                .expect("a mask")
                .probabilities(&found.corners, height, width);
            for (ours, theirs) in ours.expect("a box").iter().zip(theirs) {
                assert!(
                    (ours * 255.0 - theirs).abs() < 1.51,
                    "{} {theirs}",
                    ours * 255.0
                );
            }
        }
    }
    let corners = fixture.boxes("final.boxes.0");
    let corners: Vec<_> = corners
        .into_iter()
        .take(6)
        .map(|corners| (0, corners))
        .collect();
    let features = pooled(&architecture, &levels, &corners, MASK_SIDE);
    let head = net.masks.as_ref().expect("a mask head");
    let logits = values(head.all_classes(features).expect("per class"));
    near(
        &logits,
        &channels_last(fixture.get("mask.logits")),
        1e-3,
        "mask logits",
    );
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn detection_with_basic_blocks_is_torchvisions() {
    detection_is_torchvisions("basic");
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn detection_with_bottlenecks_is_torchvisions() {
    detection_is_torchvisions("bottleneck");
}

fn every_one(positive_share: f64) -> Balance {
    Balance {
        total: 1 << 20,
        positive_share,
    }
}

fn a_step_is_torchvisions(kind: &str) {
    let fixture = fixture(kind);
    let rules = LossRules {
        proposals: ProposalRule {
            before_nms: 200,
            after_nms: 200,
            nms: 0.7,
        },
        anchor_match: MatchRule::PROPOSALS,
        anchor_balance: every_one(0.5),
        region_match: MatchRule::BOX_HEAD,
        region_balance: every_one(0.5),
    };
    let rates = SgdRates {
        momentum: 0.9,
        weight_decay: 0.0,
        clip_norm: None,
    };
    let mut training = DetectorTraining::new(
        architecture(kind),
        net(kind, &fixture),
        rules,
        rates,
        Seed(0),
        &[crate::testing::device()],
    );
    let (pictures, truths) = (fixture.pictures(), fixture.truths());
    let items: Vec<(&Picture, &Truth)> = pictures.iter().zip(&truths).collect();
    let losses_are = |losses: Losses, when: &str| {
        for (ours, name) in [
            (losses.classes, "classifier"),
            (losses.boxes, "box_reg"),
            (losses.masks, "mask"),
            (losses.objectness, "objectness"),
            (losses.proposals, "rpn_box_reg"),
        ] {
            let name = format!("train.{when}.loss_{name}");
            let theirs = f64::from(fixture.get(&name).values[0]);
            assert!(
                (ours - theirs).abs() < 1e-3 * theirs,
                "{name}: {ours} {theirs}"
            );
        }
    };
    let (losses, gradients) = training.gradients(0, &items).expect("finite");
    losses_are(losses, "loss");
    let layout = torch_gradients(&training, &gradients);
    for (name, theirs) in fixture
        .norms
        .iter()
        .zip(&fixture.get("train.grad.norms").values)
    {
        let ours = layout
            .get(name)
            .unwrap_or_else(|| panic!("no gradient of {name}"));
        let square: f64 = ours
            .values
            .iter()
            .map(|&v| f64::from(v) * f64::from(v))
            .sum();
        let (ours, theirs) = (square.sqrt(), f64::from(*theirs));
        assert!(
            (ours - theirs).abs() < 2e-3 * theirs + 1e-6,
            "{name}: {ours} {theirs}"
        );
    }
    for name in [
        "backbone.body.conv1.weight",
        "rpn.head.cls_logits.weight",
        "roi_heads.box_predictor.cls_score.weight",
        "roi_heads.mask_predictor.mask_fcn_logits.weight",
    ] {
        let theirs = fixture.get(&format!("train.grad.{name}"));
        near(&layout[name].values, &theirs.values, 2e-3, name);
    }
    training.step(0, 0.002, &items).expect("finite");
    let (after, _) = training.gradients(1, &items).expect("finite");
    losses_are(after, "loss_after");
}

/// Gradients under torchvision's names.
fn torch_gradients(training: &DetectorTraining, gradients: &crate::sgd::NamedGradients) -> Weights {
    let state = training.state().weights;
    let gradient = |(name, array): (&String, &NamedArray)| {
        let values = gradients.values_of(name)?;
        let shape = array.shape.clone();
        Some((name.clone(), NamedArray { shape, values }))
    };
    torch::to_torch(&state.iter().filter_map(gradient).collect())
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_step_with_basic_blocks_is_torchvisions() {
    a_step_is_torchvisions("basic");
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_step_with_bottlenecks_is_torchvisions() {
    a_step_is_torchvisions("bottleneck");
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn weights_go_to_torchvision_and_back() {
    let fixture = fixture("bottleneck");
    let ours = weights::collect(&net("bottleneck", &fixture));
    let torch = torch::to_torch(&ours);
    for (name, array) in &torch {
        assert_eq!(Some(array), fixture.weights.get(name), "{name}");
    }
    assert_eq!(torch::from_torch(&torch, &ours).expect("all weights"), ours);
}
