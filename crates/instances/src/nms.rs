//! Non-maximum suppression: of boxes that overlap much, the most confident stays.
//!
//! # Source
//! The greedy rule of Girshick et al. 2014, arXiv:1311.2524, section 2.2; order and rounding as
//! in torchvision's `ops.nms`: ties keep their order, the overlap is `f32`, the threshold `f64`.

use crate::boxes::{Corners, area};

/// Pairs tested at once; the compiler makes vector instructions of such a block.
const BLOCK: usize = 16;

/// Indices of the boxes that stay, by descending score.
///
/// A box goes when its overlap with a kept box exceeds `threshold`; a box without a score (the
/// shorter of the two slices ends first) is not looked at. Scores that are not numbers come first.
#[must_use]
pub fn nms(boxes: &[Corners], scores: &[f32], threshold: f64) -> Vec<usize> {
    let n = boxes.len().min(scores.len());
    let order = descending(&scores[..n]);
    Columns::gather(boxes, &order).keep(&order, threshold)
}

/// [`nms`] within each group (a class, a feature level) alone, all groups in one list by
/// descending score.
///
/// torchvision moves the groups of up to 1,000 boxes apart instead, which rounds the corners; the
/// results differ only where an overlap lies within that rounding of the threshold.
#[must_use]
pub fn batched_nms(
    boxes: &[Corners],
    scores: &[f32],
    groups: &[usize],
    threshold: f64,
) -> Vec<usize> {
    let n = boxes.len().min(scores.len()).min(groups.len());
    let mut order = descending(&scores[..n]);
    let mut rank = vec![0_u32; n];
    for (place, &i) in order.iter().enumerate() {
        rank[i as usize] = place as u32;
    }
    order.sort_by_key(|&i| groups[i as usize]);
    let mut kept = Vec::new();
    for group in order.chunk_by(|&a, &b| groups[a as usize] == groups[b as usize]) {
        kept.extend(Columns::gather(boxes, group).keep(group, threshold));
    }
    kept.sort_unstable_by_key(|&i| rank[i]);
    kept
}

/// Indices by descending score; equal scores keep their order, not-a-number comes first.
pub(crate) fn descending(scores: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (scores[a as usize], scores[b as usize]);
        b.partial_cmp(&a)
            .unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
    });
    order
}

/// Corners and areas in order of score, one column each, padded to whole blocks.
struct Columns {
    corners: [Vec<f32>; 4],
    areas: Vec<f32>,
}

impl Columns {
    fn gather(boxes: &[Corners], order: &[u32]) -> Self {
        let padded = order.len().next_multiple_of(BLOCK);
        let mut corners: [Vec<f32>; 4] = std::array::from_fn(|_| Vec::with_capacity(padded));
        let mut areas = Vec::with_capacity(padded);
        for &i in order {
            let own = &boxes[i as usize];
            for (column, &value) in corners.iter_mut().zip(own) {
                column.push(value);
            }
            areas.push(area(own));
        }
        for column in corners.iter_mut().chain([&mut areas]) {
            column.resize(padded, 0.0);
        }
        Self { corners, areas }
    }

    fn keep(&self, order: &[u32], threshold: f64) -> Vec<usize> {
        // A pair whose quotient may exceed the threshold passes this product; only those divide.
        let bound = (threshold * (1.0 - 1e-6)) as f32;
        let mut gone = vec![false; self.areas.len()];
        let mut kept = Vec::new();
        for i in 0..order.len() {
            if gone[i] {
                continue;
            }
            kept.push(order[i] as usize);
            let own: Corners = std::array::from_fn(|k| self.corners[k][i]);
            for start in ((i + 1) / BLOCK * BLOCK..order.len()).step_by(BLOCK) {
                if self.may_exceed(start, &own, self.areas[i], bound) {
                    let end = (start + BLOCK).min(order.len());
                    for (j, gone) in gone.iter_mut().enumerate().take(end).skip(start.max(i + 1)) {
                        *gone |= f64::from(self.overlap(i, j)) > threshold;
                    }
                }
            }
        }
        kept
    }

    /// Whether any box of a block may overlap more than `bound`.
    fn may_exceed(&self, start: usize, own: &Corners, own_area: f32, bound: f32) -> bool {
        let block = |column: &[f32]| -> [f32; BLOCK] {
            std::array::from_fn(|lane| column[start..start + BLOCK][lane])
        };
        let [x0, y0, x1, y1] = [0, 1, 2, 3].map(|k| block(&self.corners[k]));
        let areas = block(&self.areas);
        let mut any = 0_u32;
        for lane in 0..BLOCK {
            let width = less(own[2], x1[lane]) - more(own[0], x0[lane]);
            let height = less(own[3], y1[lane]) - more(own[1], y0[lane]);
            let shared = more(width, 0.0) * more(height, 0.0);
            any |= u32::from(shared > bound * (own_area + areas[lane] - shared));
        }
        any != 0
    }

    fn overlap(&self, i: usize, j: usize) -> f32 {
        let [x0, y0, x1, y1] = &self.corners;
        let width = more(less(x1[i], x1[j]) - more(x0[i], x0[j]), 0.0);
        let height = more(less(y1[i], y1[j]) - more(y0[i], y0[j]), 0.0);
        let shared = width * height;
        shared / (self.areas[i] + self.areas[j] - shared)
    }
}

/// The larger of two numbers as one instruction; `f32::max` also sorts out not-a-number.
#[inline(always)]
fn more(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn less(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;
    use crate::boxes::iou;

    /// The definition, pair by pair.
    fn plainly(boxes: &[Corners], scores: &[f32], groups: &[usize], threshold: f64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..boxes.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let mut kept: Vec<usize> = Vec::new();
        for i in order {
            let clear = |&k: &usize| {
                groups[k] != groups[i] || f64::from(iou(&boxes[k], &boxes[i])) <= threshold
            };
            if kept.iter().all(clear) {
                kept.push(i);
            }
        }
        kept
    }

    #[test]
    fn agrees_with_the_definition() {
        for case in 0..60_u64 {
            let mut stream = Seed(case).stream("nms");
            let n = stream.below(120) as usize;
            let boxes: Vec<Corners> = (0..n)
                .map(|_| {
                    let [x, y, w, h] = [60, 60, 30, 30].map(|bound| stream.below(bound) as f32);
                    [x, y, x + w + 1.0, y + h + 1.0]
                })
                .collect();
            // Few levels of score, so that ties are common.
            let scores: Vec<f32> = (0..n).map(|_| stream.below(9) as f32 / 8.0).collect();
            let groups: Vec<usize> = (0..n).map(|_| stream.below(3) as usize).collect();
            for threshold in [0.0, 0.3, 0.5, 0.7, 1.0] {
                let one = vec![0; n];
                assert_eq!(
                    nms(&boxes, &scores, threshold),
                    plainly(&boxes, &scores, &one, threshold)
                );
                assert_eq!(
                    batched_nms(&boxes, &scores, &groups, threshold),
                    plainly(&boxes, &scores, &groups, threshold)
                );
            }
        }
    }

    #[test]
    fn boxes_without_area_stay() {
        let boxes = [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]];
        assert_eq!(nms(&boxes, &[0.1, 0.2], 0.5), [1, 0]);
        assert!(nms(&[], &[], 0.5).is_empty());
    }

    #[test]
    fn the_threshold_is_not_rounded() {
        // 3 shared pixels of 10: the quotient rounds up to a little more than 0.3.
        let boxes = [[0.0, 0.0, 10.0, 1.0], [0.0, 0.0, 3.0, 1.0]];
        assert_eq!(nms(&boxes, &[1.0, 0.5], 0.3), [0]);
        assert_eq!(nms(&boxes, &[1.0, 0.5], f64::from(0.3_f32)), [0, 1]);
    }
}
