//! Against torchvision 0.21, value by value.

use retrial_instances::anchors::{anchors, pyramid};
use retrial_instances::boxes::{Corners, clip, overlaps, remove_small};
use retrial_instances::coder::BoxCoder;
use retrial_instances::levels::LevelRule;
use retrial_instances::nms::{batched_nms, nms};
use retrial_instances::paste::SquareMask;

use crate::tensors::Tensors;

const NETS: [&str; 2] = ["basic.values", "bottleneck.values"];
/// The nets of the fixture take boxes of 64 pixels as canonical.
const LEVELS: LevelRule = LevelRule {
    finest: 2,
    coarsest: 5,
    canonical_level: 4,
    canonical_px: 64.0,
};

fn close(got: &[Corners], expected: &[Corners], tolerance: f32) {
    assert_eq!(got.len(), expected.len());
    for (i, (a, b)) in got.iter().zip(expected).enumerate() {
        let near = a
            .iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() <= tolerance * b.abs().max(1.0));
        assert!(near, "row {i}: {a:?} against {b:?}");
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn overlaps_and_suppression() {
    let ops = Tensors::open("ops");
    let (boxes, scores) = (ops.boxes("nms.boxes"), ops.floats("nms.scores"));
    assert_eq!(
        overlaps(&boxes[..20], &boxes[20..50]).values(),
        ops.floats("iou")
    );
    for threshold in [0.3, 0.5, 0.7] {
        let expected = ops.indices(&format!("nms.keep.{threshold}"));
        assert_eq!(nms(&boxes, &scores, threshold), expected, "at {threshold}");
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn offsets() {
    let ops = Tensors::open("ops");
    let boxes = ops.boxes("nms.boxes");
    let (to, from) = (&boxes[..50], &boxes[50..100]);
    let coder = BoxCoder::BOX_HEAD;
    let encoded = from.iter().zip(to).map(|(a, b)| coder.encode(a, b));
    let expected = ops.boxes("boxcoder.encoded");
    close(&encoded.collect::<Vec<_>>(), &expected, 1e-6);
    let moved = expected
        .iter()
        .map(|deltas| deltas.map(|value| value + 0.1));
    let decoded = from.iter().zip(moved).map(|(a, by)| coder.decode(a, &by));
    close(
        &decoded.collect::<Vec<_>>(),
        &ops.boxes("boxcoder.decoded"),
        1e-6,
    );
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn anchors_of_five_levels() {
    let levels = pyramid(&[8.0, 16.0, 32.0, 64.0, 128.0], &[0.5, 1.0, 2.0]);
    for net in NETS {
        let values = Tensors::open(net);
        let batch = values.shape("batch");
        let features: Vec<[usize; 2]> = ["fpn.0", "fpn.1", "fpn.2", "fpn.3", "fpn.pool"]
            .map(|name| values.shape(name))
            .map(|shape| [shape[2], shape[3]])
            .to_vec();
        let got = anchors(&levels, &features, [batch[2], batch[3]]);
        assert_eq!(got, values.boxes("rpn.anchors"), "{net}");
    }
}

/// Anchors, offsets and objectness become the proposals of torchvision's proposal network.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn proposals() {
    for net in NETS {
        let values = Tensors::open(net);
        let anchors = values.boxes("rpn.anchors");
        for (image, size) in [[128, 160], [128, 150]].into_iter().enumerate() {
            let (mut boxes, mut scores, mut levels) = (Vec::new(), Vec::new(), Vec::new());
            let mut first = 0;
            for level in 0..5 {
                let shape = values.shape(&format!("rpn.objectness.{level}"));
                let [kinds, places] = [shape[1], shape[2] * shape[3]];
                let objectness = values.floats(&format!("rpn.objectness.{level}"));
                let deltas = values.floats(&format!("rpn.deltas.{level}"));
                let own = |place: usize, kind: usize| (image * kinds + kind) * places + place;
                let mut candidates: Vec<(f32, usize, usize)> = (0..places * kinds)
                    .map(|i| (objectness[own(i / kinds, i % kinds)], i / kinds, i % kinds))
                    .collect();
                candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
                candidates.truncate(300);
                for (score, place, kind) in candidates {
                    let at = |k: usize| (image * kinds * 4 + kind * 4 + k) * places + place;
                    let delta = std::array::from_fn(|k| deltas[at(k)]);
                    let anchor = &anchors[first + place * kinds + kind];
                    let decoded = BoxCoder::PROPOSALS.decode(anchor, &delta);
                    boxes.push(clip(&decoded, size[0], size[1]));
                    scores.push(1.0 / (1.0 + (-score).exp()));
                    levels.push(level);
                }
                first += places * kinds;
            }
            let large = remove_small(&boxes, 1e-3);
            // Anchors far outside the picture keep no area when clipped.
            let boxes: Vec<Corners> = large.iter().map(|&i| boxes[i]).collect();
            let scores: Vec<f32> = large.iter().map(|&i| scores[i]).collect();
            let levels: Vec<usize> = large.iter().map(|&i| levels[i]).collect();
            let mut kept = batched_nms(&boxes, &scores, &levels, 0.7);
            kept.truncate(300);
            let got: Vec<Corners> = kept.iter().map(|&i| boxes[i]).collect();
            close(&got, &values.boxes(&format!("proposals.{image}")), 1e-5);
        }
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn levels_of_proposals() {
    for net in NETS {
        let values = Tensors::open(net);
        let level = |corners: &Corners| LEVELS.index(corners);
        let proposals = [values.boxes("proposals.0"), values.boxes("proposals.1")].concat();
        let got: Vec<usize> = proposals.iter().map(level).collect();
        assert_eq!(got, values.indices("roi.levels"));
        let spread = values.boxes("multiscale.rois");
        let got: Vec<usize> = spread.iter().chain(&spread).map(level).collect();
        assert_eq!(got, values.indices("multiscale.levels"));
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn pasted_masks() {
    let ops = Tensors::open("ops");
    let (masks, expected) = (ops.floats("paste.masks"), ops.bytes("paste.out"));
    let pairs = masks
        .chunks(28 * 28)
        .zip(expected.chunks(300 * 320))
        .zip(ops.boxes("paste.boxes"));
    let mut steps = 0;
    for ((mask, expected), corners) in pairs {
        let square = SquareMask::new(28, mask).expect("a square");
        let got = square.probabilities(&corners, 300, 320).expect("a box");
        for (got, &expected) in got.iter().zip(expected) {
            let got = (got * 255.0).round_ties_even() as u8;
            assert!(
                got.abs_diff(expected) <= 1,
                "{got} against {expected} in {corners:?}"
            );
            steps += usize::from(got != expected);
        }
    }
    assert!(steps <= 20, "{steps} pixels differ by a step");
}

/// The pasted masks of whole nets, from their logits.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn pasted_masks_of_nets() {
    for net in NETS {
        let values = Tensors::open(net);
        let (logits, labels) = (
            values.floats("mask.logits"),
            values.indices("final.labels.0"),
        );
        let boxes = values.boxes("final.boxes.0");
        let expected = values.bytes("final.masks.0");
        for (i, expected) in expected.chunks(128 * 160).enumerate() {
            let from = (i * 4 + labels[i]) * 28 * 28;
            let mask: Vec<f32> = logits[from..from + 28 * 28]
                .iter()
                .map(|logit| 1.0 / (1.0 + (-logit).exp()))
                .collect();
            let square = SquareMask::new(28, &mask).expect("a square");
            let got = square.probabilities(&boxes[i], 128, 160).expect("a box");
            for (got, &expected) in got.iter().zip(expected) {
                let got = (got * 255.0).round_ties_even() as u8;
                assert!(
                    got.abs_diff(expected) <= 1,
                    "{net} {i}: {got} against {expected}"
                );
            }
        }
    }
}
