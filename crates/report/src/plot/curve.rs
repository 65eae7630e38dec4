//! Curves: lines through the rows that each trial left, in their order, where nothing is averaged.
//!
//! A curve may go straight up or back, as an ROC curve does, so its points are no values of a
//! function of `x`, and a mean at equal `x` would bend it.

use std::collections::{HashMap, HashSet};

use retrial_core::report_spec::Join;

use super::axis::Axis;
use super::chart::{Chart, DATA_WIDTH, Entry, Sign};
use super::drawing::Drawing;
use super::mark::{Mark, mark, reference_ink};
use super::source::Source;
use super::{guide, palette};
use crate::error::ReportError;
use crate::frame::{Frame, TRIAL};

/// Up to this many rows a trial, points have marks and tables are taken for functions of `x`.
const FEW: usize = 40;
/// Width of one line among several of a series, mm.
const THIN: f64 = 0.25;

/// The rows of a trial, and the place of its series in the legend.
struct Curve {
    series: usize,
    points: Vec<(f64, f64)>,
}

/// Whether a line figure shows the rows of each trial rather than means.
///
/// Unless the spec says, it does for the rows of tables longer than [`FEW`] in which `x` repeats
/// within a trial, or of which the trials of a series share less than half of the values of `x`;
/// and always where the diagonal is drawn.
pub(super) fn wanted(source: &Source<'_>, frame: &Frame, x: &str) -> Result<bool, ReportError> {
    match source.spec.join {
        Join::Mean => return Ok(false),
        Join::Rows | Join::Steps => return Ok(true),
        Join::Auto => {}
    }
    if source.spec.diagonal {
        return Ok(true);
    }
    if source.spec.table.is_none() || frame.numbers(x).is_none() {
        return Ok(false);
    }
    let texts = source.texts(frame, x)?;
    let mut keys: Vec<&str> = source.spec.series.as_deref().into_iter().collect();
    keys.push(TRIAL);
    let mut series: HashMap<Vec<String>, Vec<HashSet<&str>>> = HashMap::new();
    for mut group in frame.groups(&keys)? {
        let values: HashSet<&str> = group.rows.iter().map(|&row| texts[row].as_str()).collect();
        if group.rows.len() <= FEW {
            continue;
        }
        if values.len() < group.rows.len() {
            return Ok(true);
        }
        group.key.pop();
        series.entry(group.key).or_default().push(values);
    }
    Ok(series.values().any(|trials| {
        let all: HashSet<&str> = trials.iter().flatten().copied().collect();
        let shared = all.iter().filter(|x| trials.iter().all(|t| t.contains(*x)));
        2 * shared.count() < all.len()
    }))
}

pub(super) fn draw(source: &Source<'_>, frame: &Frame, x: &str) -> Result<Drawing, ReportError> {
    let spec = source.spec;
    if spec.diagonal && spec.x_scale != spec.y_scale {
        let reason = "a diagonal needs the same scale on both axes".to_owned();
        return Err(source.fault(reason));
    }
    let (labels, curves) = curves(source, frame, x)?;
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let references = || spec.reference.iter();
    let xs = points().map(|p| p.0).chain(references().map(|r| r.x));
    let ys = points().map(|p| p.1).chain(references().map(|r| r.y));
    let mut xs: Vec<f64> = xs.chain(guide::xs(&source.lines)).collect();
    let mut ys: Vec<f64> = ys.chain(guide::ys(&source.lines)).collect();
    if spec.diagonal {
        xs.extend(&ys);
        ys.clone_from(&xs);
    }
    let (name, unit) = source.name_and_unit(x);
    let x_axis = Axis::covering(xs.into_iter(), spec.x_scale, &name, &unit);
    let (name, unit) = source.shared_name_and_unit(&spec.y);
    let y_axis = Axis::covering(ys.into_iter(), spec.y_scale, &name, &unit);
    let marked =
        curves.iter().all(|curve| curve.points.len() <= FEW) && curves.len() == labels.len();
    let mut legend: Vec<Entry> = (labels.iter().enumerate())
        .filter(|_| labels.len() > 1)
        .map(|(i, label)| Entry {
            label: label.clone(),
            ink: palette::series(i),
            sign: match marked {
                true => Sign::LineAndMark(mark(i)),
                false => Sign::Line,
            },
        })
        .collect();
    let ink = reference_ink(labels.len());
    for reference in references() {
        if legend.iter().all(|entry| entry.label != reference.label) {
            legend.push(Entry {
                label: reference.label.clone(),
                ink,
                sign: Sign::Mark(Mark::Hollow),
            });
        }
    }
    let mut chart = Chart::new(x_axis, y_axis, &legend, source.extras());
    if spec.diagonal {
        guide::draw_diagonal(&mut chart);
    }
    for reference in references() {
        if let Some(point) = chart.at(reference.x, reference.y) {
            chart.scene.draw_mark(point, Mark::Hollow, ink);
        }
    }
    let alone = curves.len() == labels.len();
    for curve in &curves {
        let points = curve.points.iter();
        let points: Vec<_> = points.filter_map(|p| chart.at(p.0, p.1)).collect();
        let (width, ink) = match alone {
            true => (DATA_WIDTH, palette::series(curve.series)),
            false => (THIN, palette::series(curve.series).faded(0.75)),
        };
        let path = match spec.join {
            Join::Steps => steps(&points),
            _ => points.clone(),
        };
        chart.scene.line(straightened(path), ink, width);
        for &point in points.iter().filter(|_| marked) {
            chart.scene.draw_mark(point, mark(curve.series), ink);
        }
    }
    guide::draw(&mut chart, &source.lines);
    let mut notes = Vec::new();
    if !alone {
        notes.push("One thin line for each trial.".to_owned());
    }
    if spec.diagonal {
        notes.push("The dashed diagonal is y = x.".to_owned());
    }
    Ok(Drawing {
        scene: chart.scene,
        notes,
    })
}

/// Labels of all series, and the curves of their trials.
fn curves(
    source: &Source<'_>,
    frame: &Frame,
    x: &str,
) -> Result<(Vec<String>, Vec<Curve>), ReportError> {
    let spec = source.spec;
    let x = source.numbers(frame, x)?;
    let mut keys = Vec::new();
    if let Some(series) = &spec.series {
        source.texts(frame, series)?;
        keys.push(series.as_str());
    }
    keys.push(TRIAL);
    let mut labels: Vec<String> = Vec::new();
    let mut curves = Vec::new();
    for y_name in &spec.y {
        let y = source.numbers(frame, y_name)?;
        let (spoken, _) = source.name_and_unit(y_name);
        for group in frame.groups(&keys)? {
            let points = group.rows.iter().map(|&row| (x[row], y[row]));
            let points = points.filter(|(x, y)| x.is_finite() && y.is_finite());
            let points: Vec<(f64, f64)> = points.collect();
            if points.is_empty() {
                continue;
            }
            let label = match (spec.series.is_some(), spec.y.len() > 1) {
                (true, true) => format!("{spoken}, {}", source.series_label(&group.key[0])),
                (true, false) => source.series_label(&group.key[0]),
                (false, _) => spoken.clone(),
            };
            let series = match labels.iter().position(|known| *known == label) {
                Some(place) => place,
                None => {
                    labels.push(label);
                    labels.len() - 1
                }
            };
            curves.push(Curve { series, points });
        }
    }
    if curves.is_empty() {
        return Err(source.fault("no finite value to draw".to_owned()));
    }
    Ok((labels, curves))
}

/// Corners of steps through points of a scene: between two of them the height is that of the one
/// further right, so that the area below a precision-recall curve is the average precision.
fn steps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut path: Vec<(f64, f64)> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        path.push(match b.0 > a.0 {
            true => (a.0, b.1),
            false => (b.0, a.1),
        });
        path.push(b);
    }
    path
}

/// A path without the points on the straight way between their neighbours, within 0.005 mm.
fn straightened(path: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(path.len());
    for point in path {
        if let [.., a, b] = kept[..] {
            let (dx, dy) = (point.0 - a.0, point.1 - a.1);
            let (ex, ey) = (b.0 - a.0, b.1 - a.1);
            let length = dx.hypot(dy);
            let off = (dx * ey - dy * ex).abs();
            let along = dx * ex + dy * ey;
            if along >= 0.0 && along <= length * length && off <= 0.005 * length {
                kept.pop();
            }
        }
        kept.push(point);
    }
    kept
}
