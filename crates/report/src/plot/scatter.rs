//! Points, one per line of the trials or of their tables; nothing is averaged unless a band is
//! asked for.

use retrial_core::keys::Kind;
use retrial_core::report_spec::{Band, Labels};

use super::chart::{Chart, Sign};
use super::drawing::Drawing;
use super::kind::{FigureKind, Title};
use super::mark::{mark, reference_ink};
use super::scene::Shape;
use super::source::Source;
use super::{guide, palette, series, spread};
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
        numbers: &["x", "y"],
        words: &[],
    },
    title: Title::Axes,
    draw,
};

fn draw(source: &Source<'_>) -> Result<Drawing, ReportError> {
    let spec = source.spec;
    let frame = source.frame()?;
    let x_name = source.x()?;
    source.check_diagonal()?;
    if spec.band != Band::None || spec.labels == Labels::Points {
        return spread::draw(source, &frame, x_name);
    }
    let x = source.numbers(&frame, x_name)?;
    let keys = source.series_keys(&frame)?;
    let mut clouds: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for y_name in &spec.y {
        let y = source.numbers(&frame, y_name)?;
        for group in frame.groups(&keys)? {
            let points = group.rows.iter().map(|&row| (x[row], y[row]));
            let points = points.filter(|(x, y)| x.is_finite() && y.is_finite());
            clouds.push((source.series_name(y_name, &group.key), points.collect()));
        }
    }
    let count: usize = clouds.iter().map(|(_, points)| points.len()).sum();
    if count == 0 {
        return Err(source.fault("no finite value to draw".to_owned()));
    }
    let points = || clouds.iter().flat_map(|(_, points)| points.iter().copied());
    let (x_axis, y_axis) = source.axes(x_name, points);
    let labels = clouds.iter().map(|(label, _)| label);
    let mut legend = series::legend(labels, |i| Sign::Mark(mark(i)));
    let ink = reference_ink(clouds.len());
    source.add_references(&mut legend, ink);
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
    source.draw_references(&mut chart, ink);
    guide::draw(&mut chart, &source.lines);
    Ok(Drawing {
        scene: chart.scene,
        notes: Vec::new(),
    })
}
