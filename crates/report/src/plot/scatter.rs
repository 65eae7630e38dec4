//! Points, one per line of the trials or of their tables; nothing is averaged unless a band is
//! asked for.

use retrial_core::keys::Kind;
use retrial_core::report_spec::{Band, Labels};

use super::axis::Axis;
use super::chart::{Chart, Entry, Sign};
use super::drawing::Drawing;
use super::kind::{FigureKind, Title};
use super::mark::{Mark, mark, reference_ink};
use super::scene::Shape;
use super::source::Source;
use super::{guide, palette, spread};
use crate::error::ReportError;

/// From this many points on, marks are small and see-through discs.
const MANY: usize = 400;

pub(super) const KIND: FigureKind = FigureKind {
    keys: Kind {
        word: "scatter",
        doc: "Every trial or row as a point; with `band` or `labels: points` means over seeds.",
        needs: &["x", "y"],
        takes: &[
            "table",
            "band",
            "x_scale",
            "y_scale",
            "reference",
            "lines.x",
            "lines.y",
            "lines.slope",
            "lines.x_metric",
            "diagonal",
            "labels",
        ],
    },
    title: Title::Axes,
    draw,
};

fn draw(source: &Source<'_>) -> Result<Drawing, ReportError> {
    let spec = source.spec;
    let frame = source.frame()?;
    let x_name = source.x()?;
    if spec.diagonal && spec.x_scale != spec.y_scale {
        let reason = "a diagonal needs the same scale on both axes".to_owned();
        return Err(source.fault(reason));
    }
    if spec.band != Band::None || spec.labels == Labels::Points {
        return spread::draw(source, &frame, x_name);
    }
    let x = source.numbers(&frame, x_name)?;
    let mut keys = Vec::new();
    if let Some(series) = &spec.series {
        source.texts(&frame, series)?;
        keys.push(series.as_str());
    }
    let mut clouds: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for y_name in &spec.y {
        let y = source.numbers(&frame, y_name)?;
        let (spoken, _) = source.name_and_unit(y_name);
        for group in frame.groups(&keys)? {
            let label = match group.key.first().map(|key| source.series_label(key)) {
                Some(series) if spec.y.len() > 1 => format!("{spoken}, {series}"),
                Some(series) => series,
                None => spoken.clone(),
            };
            let points = group.rows.iter().map(|&row| (x[row], y[row]));
            let points = points.filter(|(x, y)| x.is_finite() && y.is_finite());
            clouds.push((label, points.collect()));
        }
    }
    let count: usize = clouds.iter().map(|(_, points)| points.len()).sum();
    if count == 0 {
        return Err(source.fault("no finite value to draw".to_owned()));
    }
    let points = || clouds.iter().flat_map(|(_, points)| points.iter().copied());
    let references = || spec.reference.iter();
    let xs = points().map(|p| p.0).chain(references().map(|r| r.x));
    let ys = points().map(|p| p.1).chain(references().map(|r| r.y));
    let mut xs: Vec<f64> = xs.chain(guide::xs(&source.lines)).collect();
    let mut ys: Vec<f64> = ys.chain(guide::ys(&source.lines)).collect();
    if spec.diagonal {
        xs.extend(&ys);
        ys.clone_from(&xs);
    }
    let (name, unit) = source.name_and_unit(x_name);
    let x_axis = Axis::covering(xs.into_iter(), spec.x_scale, &name, &unit);
    let (name, unit) = source.shared_name_and_unit(&spec.y);
    let y_axis = Axis::covering(ys.into_iter(), spec.y_scale, &name, &unit);
    let mut legend = Vec::new();
    for (i, (label, _)) in clouds.iter().enumerate().filter(|_| clouds.len() > 1) {
        legend.push(Entry {
            label: label.clone(),
            ink: palette::series(i),
            sign: Sign::Mark(mark(i)),
        });
    }
    let ink = reference_ink(clouds.len());
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
    for (i, (_, points)) in clouds.iter().enumerate() {
        let places: Vec<_> = points.iter().filter_map(|p| chart.at(p.0, p.1)).collect();
        for centre in places {
            if count < MANY {
                chart.scene.draw_mark(centre, mark(i), palette::series(i));
            } else {
                chart.scene.shapes.push(Shape::Disc {
                    centre,
                    radius: 0.4,
                    fill: Some(palette::series(i).faded(0.45)),
                    stroke: None,
                });
            }
        }
    }
    for reference in references() {
        if let Some(point) = chart.at(reference.x, reference.y) {
            chart.scene.draw_mark(point, Mark::Hollow, ink);
        }
    }
    guide::draw(&mut chart, &source.lines);
    Ok(Drawing {
        scene: chart.scene,
        notes: Vec::new(),
    })
}
