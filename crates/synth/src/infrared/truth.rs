//! What is where in a painted scene: masks, boxes, parts and temperatures.

use retrial_image::InstanceMask;

use super::class::EquipmentClass;
use super::layout::Placed;
use super::raster::{MAJORITY, SAMPLES, owned};
use super::render::Painted;
use super::scene::{HotSpot, SceneInstance, ScenePart};

/// Pixels that must be seen of an object; with fewer it is not in the scene.
pub(super) const LEAST_SEEN_PX: usize = 12;

/// What is seen of one part.
#[derive(Clone, Copy)]
struct Seen {
    bounds: [usize; 4],
    pixels: usize,
    samples: usize,
    sum_c: f64,
    max_c: f64,
}

const UNSEEN: Seen = Seen {
    bounds: [usize::MAX, usize::MAX, 0, 0],
    pixels: 0,
    samples: 0,
    sum_c: 0.0,
    max_c: f64::NEG_INFINITY,
};

/// The most parts that a kind of equipment has.
const PARTS: usize = 4;

/// The objects as instances, in the same order; `None` for those of which too little is seen.
pub(super) fn instances(
    painted: &Painted,
    objects: &[Placed],
    (width, height): (usize, usize),
) -> Vec<Option<SceneInstance>> {
    let mut visible = vec![InstanceMask::empty(height, width); objects.len()];
    let mut parts = vec![[UNSEEN; PARTS]; objects.len()];
    let samples = &painted.samples;
    for y in 0..height {
        for x in 0..width {
            let mut block = [0_u16; SAMPLES * SAMPLES];
            for (row, line) in block.chunks_exact_mut(SAMPLES).enumerate() {
                let start = (y * SAMPLES + row) * samples.columns + x * SAMPLES;
                line.copy_from_slice(&samples.owner[start..start + SAMPLES]);
                for (offset, owner) in line.iter().enumerate() {
                    if let Some((object, part)) = owned(*owner) {
                        let surface = f64::from(samples.surface_c[start + offset]);
                        let seen = &mut parts[object][part];
                        seen.samples += 1;
                        seen.sum_c += surface;
                        seen.max_c = seen.max_c.max(surface);
                    }
                }
            }
            if let Some((object, part)) = majority(&block) {
                visible[object].inside_mut()[y * width + x] = true;
                let seen = &mut parts[object][part];
                seen.pixels += 1;
                let b = &mut seen.bounds;
                *b = [b[0].min(x), b[1].min(y), b[2].max(x + 1), b[3].max(y + 1)];
            }
        }
    }
    let whole: Vec<InstanceMask> = painted
        .covered
        .iter()
        .map(|counts| {
            let mut mask = InstanceMask::empty(height, width);
            for (inside, count) in mask.inside_mut().iter_mut().zip(counts) {
                *inside = usize::from(*count) >= MAJORITY;
            }
            mask
        })
        .collect();
    let boxes: Vec<_> = visible.iter().map(InstanceMask::bounds).collect();
    let each = visible.into_iter().zip(&parts).enumerate();
    each.map(|(i, (visible, parts))| {
        let bbox = boxes[i].filter(|_| visible.area() >= LEAST_SEEN_PX)?;
        let others = || (0..objects.len()).filter(move |other| *other != i);
        let total = whole[i].area().max(1) as f64;
        let shared = (0..width * height)
            .filter(|&at| whole[i].inside()[at] && others().any(|other| whole[other].inside()[at]));
        let samples: usize = parts.iter().map(|part| part.samples).sum();
        let sum_c: f64 = parts.iter().map(|part| part.sum_c).sum();
        Some(SceneInstance {
            class: objects[i].class,
            overlap: shared.count() as f64 / total,
            hidden: 1.0 - visible.area() as f64 / total,
            box_iou: others()
                .filter_map(|other| boxes[other])
                .map(|other| iou(bbox, other))
                .fold(0.0, f64::max),
            cropped: outside(objects[i].bounds, (width as f64, height as f64)),
            bbox,
            parts: seen_parts(objects[i].class, parts),
            hot_spot: hot_spot(painted, i, &objects[i]),
            max_c: parts
                .iter()
                .map(|part| part.max_c)
                .fold(f64::NEG_INFINITY, f64::max),
            mean_c: sum_c / samples.max(1) as f64,
            visible,
            whole: whole[i].clone(),
        })
    })
    .collect()
}

/// The object with more than half of a pixel's samples, and its most frequent part.
fn majority(block: &[u16]) -> Option<(usize, usize)> {
    // Most pixels have one owner.
    if block.iter().all(|owner| *owner == block[0]) {
        return owned(block[0]);
    }
    // Boyer and Moore: whatever has the majority is left when unlike pairs cancel.
    let (mut candidate, mut lead) = (None, 0);
    for owner in block {
        let object = owned(*owner).map(|o| o.0);
        if lead == 0 {
            candidate = object;
        }
        lead = if object == candidate {
            lead + 1
        } else {
            lead - 1
        };
    }
    let object = candidate?;
    let mut counts = [0; PARTS];
    for (o, part) in block.iter().filter_map(|owner| owned(*owner)) {
        if o == object {
            counts[part] += 1;
        }
    }
    if counts.iter().sum::<usize>() < MAJORITY {
        return None;
    }
    let most = counts.iter().copied().max()?;
    Some((object, counts.iter().position(|count| *count == most)?))
}

fn seen_parts(class: EquipmentClass, parts: &[Seen]) -> Vec<ScenePart> {
    let named = class.parts().iter().zip(parts).enumerate();
    let seen = named.filter(|(_, (_, part))| part.pixels > 0);
    seen.map(|(number, (name, part))| {
        let bbox = part.bounds.map(|edge| edge as f64);
        ScenePart {
            number,
            name,
            centre: [(bbox[0] + bbox[2]) / 2.0, (bbox[1] + bbox[3]) / 2.0],
            bbox,
            max_c: part.max_c,
            mean_c: part.sum_c / part.samples as f64,
        }
    })
    .collect()
}

/// The hot joint, unless nothing of it is seen within its radius.
fn hot_spot(painted: &Painted, number: usize, object: &Placed) -> Option<HotSpot> {
    let hot = object.heat.hot.as_ref()?;
    let [x, y] = object.pose.seen(hot.at);
    let radius_px = hot.radius * object.pose.scale;
    let samples = &painted.samples;
    let side = SAMPLES as f64;
    let range = |at: f64, most: usize| {
        let first = ((at - radius_px) * side).floor().max(0.0) as usize;
        let last = ((at + radius_px) * side).ceil().max(0.0) as usize;
        first.min(most)..last.min(most)
    };
    let mut found: Option<HotSpot> = None;
    for row in range(y, samples.rows) {
        for column in range(x, samples.columns) {
            let at = row * samples.columns + column;
            let centre = [(column as f64 + 0.5) / side, (row as f64 + 0.5) / side];
            let near = (centre[0] - x).hypot(centre[1] - y) <= radius_px;
            let Some((_, part)) = owned(samples.owner[at]).filter(|o| near && o.0 == number) else {
                continue;
            };
            let peak_c = f64::from(samples.surface_c[at]);
            if found.as_ref().is_none_or(|best| best.peak_c < peak_c) {
                found = Some(HotSpot {
                    part,
                    centre,
                    radius_px,
                    rise_k: hot.rise_k,
                    peak_c,
                });
            }
        }
    }
    found
}

/// Intersection over union of two boxes.
fn iou(a: [f64; 4], b: [f64; 4]) -> f64 {
    let side = |i: usize| (a[i + 2].min(b[i + 2]) - a[i].max(b[i])).max(0.0);
    let common = side(0) * side(1);
    let area = |b: [f64; 4]| (b[2] - b[0]) * (b[3] - b[1]);
    common / (area(a) + area(b) - common)
}

/// Share of a box that lies outside the picture.
fn outside(b: [f64; 4], (width, height): (f64, f64)) -> f64 {
    let inside =
        (b[2].min(width) - b[0].max(0.0)).max(0.0) * (b[3].min(height) - b[1].max(0.0)).max(0.0);
    (1.0 - inside / ((b[2] - b[0]) * (b[3] - b[1]))).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infrared::raster::{NOBODY, owner};

    #[test]
    fn the_majority_of_a_pixel() {
        let (a, b) = (owner(0, 1), owner(3, 0));
        let a2 = owner(0, 2);
        assert_eq!(majority(&[a, a2, a, a2, a, NOBODY, b, b, b]), Some((0, 1)));
        assert_eq!(majority(&[a, a, a, b, b, b, NOBODY, NOBODY, NOBODY]), None);
        assert_eq!(
            majority(&[b, NOBODY, b, b, NOBODY, b, NOBODY, NOBODY, b]),
            Some((3, 0))
        );
        assert_eq!(majority(&[NOBODY; 9]), None);
    }

    #[test]
    fn boxes_against_each_other() {
        let iou = iou([0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0]);
        assert!((iou - 1.0 / 7.0).abs() < 1e-12);
        assert_eq!(outside([-1.0, 0.0, 1.0, 4.0], (8.0, 2.0)), 0.75);
    }
}
