//! What everyday annotation files have and pictures have not: objects are cut to their picture,
//! outlines without a pixel become boxes, objects without an extent are left out. Each change is noted.

use retrial_core::census::count;
use retrial_image::polygon::{encloses_pixel, vertices};

use super::check::{self, BORDER_PX, bounds};
use super::fault::{Findings, Spot};
use super::model::{Annotation, Segmentation};

/// The least share of an object that must lie in its picture; with less, the annotation is of
/// another picture or size.
const LEAST_INSIDE: f64 = 0.5;

/// The object as it is used in a picture of `size` columns and rows, checked; nothing where it is
/// left out. What cannot be repaired is a fault.
pub(crate) fn object(
    findings: &mut Findings,
    spot: &Spot,
    mut object: Annotation,
    size: [usize; 2],
) -> Option<Annotation> {
    drop_empty_polygons(findings, spot, &mut object);
    if !has_extent(findings, spot, &mut object) {
        return None;
    }
    cut_box(findings, spot, &mut object, size);
    cut_polygons(findings, spot, &mut object, size);
    drop_outline_without_pixel(findings, spot, &mut object, size);
    check::object(findings, spot, &object, size);
    Some(object)
}

fn drop_empty_polygons(findings: &mut Findings, spot: &Spot, object: &mut Annotation) {
    let Segmentation::Polygons(polygons) = &mut object.segmentation else {
        return;
    };
    let before = polygons.len();
    polygons.retain(|polygon| !polygon.is_empty());
    let (left, empty) = (polygons.len(), before - polygons.len());
    if left == 0 {
        keep_box_only(findings, spot, object, "is empty");
    } else if empty > 0 {
        let what = format!("left out as empty: {empty} of {}", count(before, "polygon"));
        findings.repair(spot, "segmentation", what);
    }
}

fn keep_box_only(findings: &mut Findings, spot: &Spot, object: &mut Annotation, why: &str) {
    let what = format!("the outline {why}; only the box is used");
    findings.repair(spot, "segmentation", what);
    object.segmentation = Segmentation::BoxOnly;
    object.area = object.bbox[2] * object.bbox[3];
}

/// An outline that is drawn rightly and has no pixel, such as a line, is as good as none.
fn drop_outline_without_pixel(
    findings: &mut Findings,
    spot: &Spot,
    object: &mut Annotation,
    size: [usize; 2],
) {
    let [width, height] = size;
    let empty = match &object.segmentation {
        Segmentation::BoxOnly => false,
        Segmentation::Polygons(polygons) => {
            let vertices: Result<Vec<_>, _> = polygons.iter().map(|p| vertices(p)).collect();
            let inside = vertices.and_then(|v| encloses_pixel(&v, height, width));
            // Of an outline elsewhere is said that it is, not that it has no pixel here.
            let here = bounds(polygons).is_some_and(|corners| !check::leaves(corners, size));
            here && inside.is_ok_and(|inside| !inside)
        }
        Segmentation::Runs { size: runs, .. } => {
            let whole = object.segmentation.runs();
            *runs == [height, width] && whole.is_some_and(|runs| runs.area() == 0)
        }
    };
    if empty {
        keep_box_only(findings, spot, object, "encloses no pixel");
    }
}

/// Whether the object has a box with an area; one without takes that of its outline.
fn has_extent(findings: &mut Findings, spot: &Spot, object: &mut Annotation) -> bool {
    let [_, _, width, height] = object.bbox;
    // A negative side, infinite or none is no degenerate box but a wrong one.
    if !(width >= 0.0 && height >= 0.0) || (width > 0.0 && height > 0.0) {
        return true;
    }
    if let Segmentation::Polygons(polygons) = &object.segmentation
        && let Some([x0, y0, x1, y1]) = bounds(polygons)
        && x1 > x0
        && y1 > y0
    {
        let what = format!("the box is {width} × {height} px; that of the outline is used");
        findings.repair(spot, "bbox", what);
        object.bbox = [x0, y0, x1 - x0, y1 - y0];
        return true;
    }
    let why = format!("the box is {width} × {height} px");
    findings.leave_out(spot, "bbox", &why);
    false
}

fn cut_box(findings: &mut Findings, spot: &Spot, object: &mut Annotation, size: [usize; 2]) {
    let corners = object.corners();
    let [width, height] = size.map(|side| side as f64);
    let over = [
        -corners[0],
        -corners[1],
        corners[2] - width,
        corners[3] - height,
    ];
    let over = over.into_iter().fold(0.0, f64::max);
    if !corners.iter().all(|value| value.is_finite()) || over <= BORDER_PX {
        return;
    }
    let most = [width, height, width, height];
    let mut cut = corners;
    for (value, most) in cut.iter_mut().zip(most) {
        *value = value.clamp(0.0, most);
    }
    let area = |[x0, y0, x1, y1]: [f64; 4]| (x1 - x0) * (y1 - y0);
    if area(cut) < LEAST_INSIDE * area(corners) || area(cut) <= 0.0 {
        return;
    }
    let what = format!("the box leaves the picture by {over:.1} px; it is cut to {cut:?}");
    findings.repair(spot, "bbox", what);
    object.bbox = [cut[0], cut[1], cut[2] - cut[0], cut[3] - cut[1]];
    if object.segmentation == Segmentation::BoxOnly {
        object.area = area(cut);
    }
}

fn cut_polygons(findings: &mut Findings, spot: &Spot, object: &mut Annotation, size: [usize; 2]) {
    let Segmentation::Polygons(polygons) = &object.segmentation else {
        return;
    };
    let usable = |polygon: &Vec<f64>| {
        polygon.len() >= 6
            && polygon.len().is_multiple_of(2)
            && polygon.iter().all(|value| value.is_finite())
    };
    let Some([x0, y0, x1, y1]) = bounds(polygons) else {
        return;
    };
    let [width, height] = size.map(|side| side as f64);
    let over = [-x0, -y0, x1 - width, y1 - height]
        .into_iter()
        .fold(0.0, f64::max);
    if over <= BORDER_PX || !polygons.iter().all(usable) {
        return;
    }
    let cut: Vec<Vec<f64>> = polygons
        .iter()
        .map(|polygon| clipped(polygon, width, height))
        .filter(|polygon| polygon.len() >= 6)
        .collect();
    let before = object.segmentation.area().unwrap_or_default();
    let outline = Segmentation::Polygons(cut);
    let after = outline.area().unwrap_or_default();
    if after < LEAST_INSIDE * before || after <= 0.0 {
        return;
    }
    let what = format!("the outline leaves the picture by {over:.1} px; it is cut to the picture");
    findings.repair(spot, "segmentation", what);
    object.segmentation = outline;
    object.area = after;
}

/// The part of a polygon inside `0..width × 0..height`: cut by one border after the other.
fn clipped(polygon: &[f64], width: f64, height: f64) -> Vec<f64> {
    let (points, _) = polygon.as_chunks::<2>();
    let mut points = points.to_vec();
    for (axis, sign, bound) in [
        (0, 1.0, 0.0),
        (0, -1.0, width),
        (1, 1.0, 0.0),
        (1, -1.0, height),
    ] {
        let depth = |point: &[f64; 2]| sign * (point[axis] - bound);
        let mut kept = Vec::with_capacity(points.len() + 4);
        for (i, point) in points.iter().enumerate() {
            let before = &points[(i + points.len() - 1) % points.len()];
            let (own, other) = (depth(point), depth(before));
            if (own >= 0.0) != (other >= 0.0) {
                let share = other / (other - own);
                let mut on = [0, 1].map(|k| before[k] + share * (point[k] - before[k]));
                on[axis] = bound;
                kept.push(on);
            }
            if own >= 0.0 {
                kept.push(*point);
            }
        }
        points = kept;
    }
    points.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polygon_is_cut_at_every_border() {
        // A diamond around the corner at (4, 3): a triangle of area 2 is left.
        let diamond = [4.0, 1.0, 6.0, 3.0, 4.0, 5.0, 2.0, 3.0];
        let cut = clipped(&diamond, 4.0, 3.0);
        assert_eq!(Segmentation::Polygons(vec![cut.clone()]).area(), Some(2.0));
        assert_eq!(bounds(&[cut]), Some([2.0, 1.0, 4.0, 3.0]));
        assert!(clipped(&diamond, 1.0, 1.0).is_empty());
        let inside = [1.0, 1.0, 3.0, 1.0, 3.0, 2.0];
        assert_eq!(clipped(&inside, 4.0, 3.0).len(), 6);
    }
}
