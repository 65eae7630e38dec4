//! Average precision against how much objects overlap each other.
//!
//! The publication remarks that isolated devices are segmented well and composite ones badly;
//! this makes a number of it. It is our own measure, not COCO's.

use super::accumulate::curves;
use super::error::EvaluationError;
use super::items::{ImageCase, check};
use super::matching::{Candidates, Scope};
use super::overlap::Shape;
use super::result::{candidates, mean};
use super::settings::{Region, Settings};

/// Average precision of the objects of one degree of crowding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlapBin {
    /// Least overlap with the nearest other object.
    pub least: f64,
    /// The overlap from which on the next bin counts; the last bin includes it.
    pub most: f64,
    /// Objects in the bin, crowds left out.
    pub objects: usize,
    /// Mean over thresholds and the classes with objects in the bin.
    pub ap: Option<f64>,
}

/// The largest IoU of every object's box with that of another object of its picture, of whatever
/// class.
///
/// Boxes, whatever is judged: masks are of what is seen, and of two objects only one is seen at a
/// pixel. Crowds are no objects here: theirs is zero, and nothing overlaps them.
#[must_use]
pub fn crowding(case: &ImageCase) -> Vec<f64> {
    let shapes = truth_shapes(case, Region::Box);
    let others = |own: usize| {
        let others = shapes.iter().zip(&case.truths).enumerate();
        others.filter(move |(other, (_, truth))| *other != own && !truth.crowd)
    };
    let own = shapes.iter().zip(&case.truths).enumerate();
    own.map(|(i, (shape, truth))| {
        if truth.crowd {
            return 0.0;
        }
        let overlaps = others(i).map(|(_, (other, _))| shape.iou(other));
        overlaps.fold(0.0, f64::max)
    })
    .collect()
}

/// Average precision of the objects in bins of their overlap with the nearest other object.
///
/// `edges` ascend and bound the bins. An object outside a bin counts neither way, as one outside
/// a range of area in COCO's rule. A detection that finds nothing belongs to the bin of the object
/// that it overlaps most, of whatever class, or to that of isolated objects when it overlaps none.
/// Areas of the settings are not looked at; the last limit holds.
///
/// # Errors
/// [`EvaluationError`] when an item or a setting makes no sense.
pub fn precision_by_overlap(
    cases: &[ImageCase],
    classes: usize,
    settings: &Settings,
    edges: &[f64],
) -> Result<Vec<OverlapBin>, EvaluationError> {
    settings.check()?;
    check(cases, classes, settings.region)?;
    let crowded: Vec<Vec<f64>> = cases.iter().map(crowding).collect();
    let near: Vec<Vec<f64>> = cases
        .iter()
        .zip(&crowded)
        .map(|(case, crowded)| crowding_of_detections(case, crowded, settings))
        .collect();
    let found: Vec<Vec<Candidates>> = (0..classes)
        .map(|class| candidates(cases, class, settings))
        .collect();
    let limit = [settings.largest_limit()];
    let bins = edges.windows(2).enumerate();
    Ok(bins
        .map(|(bin, ends)| {
            let last = bin + 2 == edges.len();
            let (least, most) = (ends[0], ends[1]);
            let outside = |value: f64| value < least || value > most || (value == most && !last);
            let scope = |c: &Candidates| {
                let truths = c.truths.iter().zip(&c.crowd);
                let detections = c.detections.iter();
                Scope {
                    ignored: truths
                        .map(|(&i, &crowd)| crowd || outside(crowded[c.image][i]))
                        .collect(),
                    stray: detections.map(|&i| outside(near[c.image][i])).collect(),
                }
            };
            let count = |c: &Candidates| scope(c).ignored.iter().filter(|&&i| !i).count();
            let precision = found.iter().filter_map(|candidates| {
                let curves = curves(candidates, scope, &settings.thresholds, &limit)?;
                mean(curves.into_iter().flat_map(|curve| curve.precision))
            });
            OverlapBin {
                least,
                most,
                objects: found.iter().flatten().map(count).sum(),
                ap: mean(precision),
            }
        })
        .collect())
}

fn truth_shapes(case: &ImageCase, region: Region) -> Vec<Shape> {
    let truths = case.truths.iter();
    truths.map(|truth| Shape::of_truth(truth, region)).collect()
}

/// The crowding of the object that each detection overlaps most; zero when it overlaps none.
fn crowding_of_detections(case: &ImageCase, crowded: &[f64], settings: &Settings) -> Vec<f64> {
    let shapes = truth_shapes(case, settings.region);
    let detections = case.detections.iter();
    detections
        .map(|detection| {
            let own = Shape::of_detection(detection, settings.region);
            let (mut most, mut crowding) = (0.0, 0.0);
            for (shape, &value) in shapes.iter().zip(crowded) {
                let overlap = own.iou(shape);
                if overlap > most {
                    (most, crowding) = (overlap, value);
                }
            }
            crowding
        })
        .collect()
}
