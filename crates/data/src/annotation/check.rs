//! What holds for every object and every set, whatever it was read from.

use super::crossing::crossing;
use super::fault::{Findings, Problem, Spot};
use super::model::{Annotation, Segmentation};

/// How far a box or a vertex may leave the picture, in px: people draw up to the border, and tools
/// differ by a pixel in what they call it.
pub const BORDER_PX: f64 = 1.0;
/// How far a mask may leave its box before that is a warning, in px.
pub const BOX_SLACK_PX: f64 = 1.0;
/// The least intersection over union of a box with that of its own outline; with less, one of the
/// two is of something else, such as a box of corners that is written as a box of sides.
pub const LEAST_BOX_IOU: f64 = 0.5;

/// Checks one object in a picture of `size` columns and rows.
pub(crate) fn object(findings: &mut Findings, spot: &Spot, object: &Annotation, size: [usize; 2]) {
    let corners = object.corners();
    if let Some(&found) = corners.iter().find(|value| !value.is_finite()) {
        findings.fault(spot, "bbox", Problem::NotFinite { found });
        return;
    }
    if corners[0] >= corners[2] || corners[1] >= corners[3] {
        findings.fault(spot, "bbox", Problem::EmptyBox { corners });
    } else if leaves(corners, size) {
        findings.fault(spot, "bbox", Problem::BoxOutside { corners, size });
    } else if are_shares(corners) {
        findings.fault(spot, "bbox", Problem::Shares { corners, size });
    }
    if let Some(mask) = outline(findings, spot, &object.segmentation, size) {
        let beyond = mask[0] < corners[0] - BOX_SLACK_PX
            || mask[1] < corners[1] - BOX_SLACK_PX
            || mask[2] > corners[2] + BOX_SLACK_PX
            || mask[3] > corners[3] + BOX_SLACK_PX;
        if beyond {
            findings.warn(
                spot,
                "segmentation",
                Problem::MaskBeyondBox { mask, corners },
            );
        } else if box_iou(mask, corners) < LEAST_BOX_IOU {
            findings.far_box(spot, corners, mask);
        }
    }
}

/// Whether all corners lie within a pixel of the origin (VOC counts from 1) and one is no whole number.
fn are_shares(corners: [f64; 4]) -> bool {
    corners.iter().all(|value| value.abs() <= 1.0)
        && corners.iter().any(|value| value.fract() != 0.0)
}

/// Intersection over union of two boxes of corners; 1 where either has no area.
fn box_iou(a: [f64; 4], b: [f64; 4]) -> f64 {
    let area = |[x0, y0, x1, y1]: [f64; 4]| (x1 - x0).max(0.0) * (y1 - y0).max(0.0);
    let (x0, y0) = (a[0].max(b[0]), a[1].max(b[1]));
    let common = area([x0, y0, a[2].min(b[2]), a[3].min(b[3])]);
    match area(a).min(area(b)) > 0.0 {
        true => common / (area(a) + area(b) - common),
        false => 1.0,
    }
}

/// Whether corners lie outside a picture of `size` columns and rows by more than its border.
pub(super) fn leaves(corners: [f64; 4], size: [usize; 2]) -> bool {
    let [x0, y0, x1, y1] = corners;
    outside([x0, y0], size) || outside([x1, y1], size)
}

fn outside(point: [f64; 2], size: [usize; 2]) -> bool {
    let beyond = |value: f64, size: usize| !(-BORDER_PX..=size as f64 + BORDER_PX).contains(&value);
    beyond(point[0], size[0]) || beyond(point[1], size[1])
}

/// Checks an outline; gives its corners where it has any.
fn outline(
    findings: &mut Findings,
    spot: &Spot,
    outline: &Segmentation,
    size: [usize; 2],
) -> Option<[f64; 4]> {
    const KEY: &str = "segmentation";
    match outline {
        Segmentation::BoxOnly => None,
        Segmentation::Polygons(polygons) => {
            if polygons.is_empty() {
                findings.fault(spot, KEY, Problem::NoPolygon);
            }
            let before = findings.faults.len();
            for (i, polygon) in polygons.iter().enumerate() {
                if let Some(problem) = polygon_problem(i, polygon, size) {
                    findings.fault(spot, KEY, problem);
                } else if let Some((first, second)) = crossing(polygon) {
                    let polygon = i;
                    let problem = Problem::Crosses {
                        polygon,
                        first,
                        second,
                    };
                    findings.warn(spot, KEY, problem);
                }
            }
            (findings.faults.len() == before).then(|| bounds(polygons))?
        }
        Segmentation::Runs { size: runs, counts } => {
            let found = [runs[1], runs[0]];
            let covered: u64 = counts.iter().map(|&count| u64::from(count)).sum();
            let pixels = (found[0] as u64).saturating_mul(found[1] as u64);
            let problem = if found != size {
                Problem::RunSize { found, size }
            } else if covered != pixels {
                Problem::RunCover { covered, pixels }
            } else {
                return run_bounds(runs[0] as u64, counts);
            };
            findings.fault(spot, KEY, problem);
            None
        }
    }
}

/// The corners around the pixels inside, found without the pixels: a picture may claim any size.
fn run_bounds(rows: u64, counts: &[u32]) -> Option<[f64; 4]> {
    let mut end = 0;
    let mut bounds: Option<[u64; 4]> = None;
    for (i, &count) in counts.iter().enumerate() {
        let (first, last) = (end, (end + u64::from(count)).saturating_sub(1));
        end += u64::from(count);
        if i.is_multiple_of(2) || count == 0 || rows == 0 {
            continue;
        }
        let columns = (first / rows, last / rows);
        // A run over the end of a column touches its last row and the first of the next.
        let (top, bottom) = match columns.0 == columns.1 {
            true => (first % rows, last % rows),
            false => (0, rows - 1),
        };
        let run = [columns.0, top, columns.1 + 1, bottom + 1];
        let [x0, y0, x1, y1] = bounds.unwrap_or(run);
        bounds = Some([
            x0.min(run[0]),
            y0.min(run[1]),
            x1.max(run[2]),
            y1.max(run[3]),
        ]);
    }
    bounds.map(|bounds| bounds.map(|value| value as f64))
}

fn polygon_problem(i: usize, polygon: &[f64], size: [usize; 2]) -> Option<Problem> {
    if let Some(&found) = polygon.iter().find(|value| !value.is_finite()) {
        return Some(Problem::NotFinite { found });
    }
    let (points, odd) = polygon.as_chunks::<2>();
    if !odd.is_empty() {
        let values = polygon.len();
        return Some(Problem::OddCoordinates { polygon: i, values });
    }
    if points.len() < 3 {
        let vertices = points.len();
        return Some(Problem::FewVertices {
            polygon: i,
            vertices,
        });
    }
    let vertex = *points.iter().find(|&&point| outside(point, size))?;
    Some(Problem::VertexOutside {
        polygon: i,
        vertex,
        size,
    })
}

/// The corners `[x0, y0, x1, y1]` around all vertices.
pub(crate) fn bounds(polygons: &[Vec<f64>]) -> Option<[f64; 4]> {
    let points = polygons
        .iter()
        .flat_map(|polygon| polygon.as_chunks::<2>().0);
    points.fold(None, |bounds, &[x, y]| {
        let [x0, y0, x1, y1] = bounds.unwrap_or([x, y, x, y]);
        Some([x0.min(x), y0.min(y), x1.max(x), y1.max(y)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use retrial_image::RunLengths;

    #[test]
    fn bounds_of_runs_are_those_of_their_pixels() {
        // Every mask of 3 × 3 pixels.
        for bits in 0..512_u32 {
            let inside = (0..9).map(|i| bits >> i & 1 == 1).collect();
            let mask = retrial_image::InstanceMask::new(3, 3, inside);
            let mask = mask.expect("the size fits");
            let runs: RunLengths = mask.runs();
            assert_eq!(run_bounds(3, runs.counts()), mask.bounds(), "{bits:b}");
        }
    }
}
