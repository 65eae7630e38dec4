//! Regions from what the proposal head says.

use retrial_instances::boxes::{Corners, clip, remove_small};
use retrial_instances::coder::BoxCoder;
use retrial_instances::nms::batched_nms;

/// Which anchors become proposals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProposalRule {
    /// Best anchors of each level that are looked at.
    pub before_nms: usize,
    /// Proposals of an image.
    pub after_nms: usize,
    /// Overlap above which the worse of two is dropped.
    pub nms: f64,
}

/// Boxes with a side below this are dropped, px.
const LEAST_SIDE: f32 = 1e-3;

/// The proposals of one image, best first.
///
/// # Shapes
/// - `objectness`: `[anchor]`, logits; `deltas`: `[anchor × 4]`; `anchors`: level by level
pub(crate) fn proposals(
    objectness: &[f32],
    deltas: &[f32],
    anchors: &[Vec<Corners>],
    [height, width]: [usize; 2],
    rule: ProposalRule,
) -> Vec<Corners> {
    let (mut boxes, mut scores, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    let mut first = 0;
    for (level, anchors) in anchors.iter().enumerate() {
        let own = &objectness[first..first + anchors.len()];
        for place in best(own, rule.before_nms) {
            let at = 4 * (first + place);
            let delta = [deltas[at], deltas[at + 1], deltas[at + 2], deltas[at + 3]];
            let decoded = BoxCoder::PROPOSALS.decode(&anchors[place], &delta);
            boxes.push(clip(&decoded, height, width));
            scores.push(1.0 / (1.0 + (-own[place]).exp()));
            groups.push(level);
        }
        first += anchors.len();
    }
    let large = remove_small(&boxes, LEAST_SIDE);
    let boxes: Vec<Corners> = large.iter().map(|&i| boxes[i]).collect();
    let scores: Vec<f32> = large.iter().map(|&i| scores[i]).collect();
    let groups: Vec<usize> = large.iter().map(|&i| groups[i]).collect();
    let kept = batched_nms(&boxes, &scores, &groups, rule.nms);
    let kept = kept.into_iter().take(rule.after_nms);
    kept.map(|i| boxes[i]).collect()
}

/// Places of the `count` largest values, largest first; equal ones in order.
fn best(values: &[f32], count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    let larger = |&a: &usize, &b: &usize| values[b].total_cmp(&values[a]).then(a.cmp(&b));
    if places.len() > count {
        places.select_nth_unstable_by(count, larger);
        places.truncate(count);
    }
    places.sort_unstable_by(larger);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first_and_equal_ones_in_order() {
        assert_eq!(best(&[1.0, 3.0, 2.0, 3.0], 3), [1, 3, 2]);
        assert_eq!(best(&[1.0, 3.0], 5), [1, 0]);
        assert_eq!(best(&[], 5), [0; 0]);
    }

    #[test]
    fn one_of_two_alike_is_proposed_and_boxes_stay_inside() {
        let anchors = vec![
            vec![[-8.0, 0.0, 8.0, 16.0], [-8.0, 0.0, 8.0, 17.0]],
            vec![[0.0, 0.0, 32.0, 32.0]],
        ];
        let rule = ProposalRule {
            before_nms: 10,
            after_nms: 10,
            nms: 0.7,
        };
        let found = proposals(&[1.0, 2.0, 0.0], &[0.0; 12], &anchors, [16, 24], rule);
        assert_eq!(found, [[0.0, 0.0, 8.0, 16.0], [0.0, 0.0, 24.0, 16.0]]);
    }
}
