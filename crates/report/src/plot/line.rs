//! Lines with markers: means over trials, a band for their interval or spread, and published
//! points as hollow marks.

use retrial_core::keys::Kind;
use retrial_core::report_spec::{Band, Scale};
use retrial_core::statistics::Summary;

use super::axis::Axis;
use super::chart::{Chart, DATA_WIDTH, Entry, Sign};
use super::drawing::Drawing;
use super::kind::{FigureKind, Title};
use super::mark::{Mark, mark, reference_ink};
use super::palette;
use super::source::Source;
use super::{band, curve, guide};
use crate::error::ReportError;
use crate::frame::Frame;

/// A line: its label and its points from left to right.
struct Line {
    label: String,
    points: Vec<(f64, Summary)>,
}

pub(super) const KIND: FigureKind = FigureKind {
    keys: Kind {
        word: "line",
        doc: "The mean over trials at every `x`, one line for each `y` and value of `series`; \
              or the rows of each trial, see `join`.",
        needs: &["x", "y"],
        takes: &[
            "table",
            "band",
            "x_scale",
            "y_scale",
            "reference",
            "join",
            "lines.x",
            "lines.y",
            "lines.slope",
            "lines.x_metric",
            "diagonal",
        ],
    },
    title: Title::Axes,
    draw,
};

fn draw(source: &Source<'_>) -> Result<Drawing, ReportError> {
    let spec = source.spec;
    let frame = source.frame()?;
    let x = source.x()?;
    if curve::wanted(source, &frame, x)? {
        return curve::draw(source, &frame, x);
    }
    let x_texts = source.texts(&frame, x)?;
    let x_numbers = frame.numbers(x);
    let mut words: Vec<String> = Vec::new();
    if x_numbers.is_none() {
        for text in &x_texts {
            if !words.contains(text) {
                words.push(text.clone());
            }
        }
    }
    let place = |text: &str| -> f64 {
        let word = || words.iter().position(|w| w == text).map(|i| i as f64);
        match x_numbers {
            Some(_) => text.parse().unwrap_or(f64::NAN),
            None => word().unwrap_or(f64::NAN),
        }
    };
    let lines = lines(source, &frame, x, place)?;
    let (x_name, x_unit) = source.name_and_unit(x);
    let references = spec.reference.iter();
    let x_axis = if x_numbers.is_some() {
        let values = lines
            .iter()
            .flat_map(|line| line.points.iter().map(|p| p.0));
        let values = values.chain(references.clone().map(|r| r.x));
        let values = values.chain(guide::xs(&source.lines));
        let mut axis = Axis::covering(values, spec.x_scale, &x_name, &x_unit);
        axis.tick_at(
            lines
                .iter()
                .flat_map(|line| line.points.iter().map(|p| p.0)),
        );
        axis
    } else {
        let words: Vec<String> = words.iter().map(|word| word.replace('_', " ")).collect();
        Axis::of_words(&words, &x_name)
    };
    let heights = lines.iter().flat_map(|line| {
        line.points.iter().flat_map(|(_, s)| {
            let (low, high) = band::ends(s, spec.band).unwrap_or((s.mean, s.mean));
            [s.mean, low, high]
        })
    });
    let (y_name, y_unit) = source.shared_name_and_unit(&spec.y);
    let heights = heights.chain(references.clone().map(|r| r.y));
    let heights = heights.chain(guide::ys(&source.lines));
    let y_axis = Axis::covering(heights, spec.y_scale, &y_name, &y_unit);

    let mut legend = Vec::new();
    for (i, line) in lines.iter().enumerate().filter(|_| lines.len() > 1) {
        legend.push(Entry {
            label: line.label.clone(),
            ink: palette::series(i),
            sign: match line.points.len() <= 40 {
                true => Sign::LineAndMark(mark(i)),
                false => Sign::Line,
            },
        });
    }
    let ink = reference_ink(lines.len());
    for reference in references.clone() {
        if legend.iter().all(|entry| entry.label != reference.label) {
            legend.push(Entry {
                label: reference.label.clone(),
                ink,
                sign: Sign::Mark(Mark::Hollow),
            });
        }
    }
    let mut chart = Chart::new(x_axis, y_axis, &legend, source.extras());
    // Below our own marks, which stay visible inside the rings.
    for reference in references {
        if let Some(point) = chart.at(reference.x, reference.y) {
            chart.scene.draw_mark(point, Mark::Hollow, ink);
        }
    }
    for (i, line) in lines.iter().enumerate() {
        draw_band(&mut chart, line, spec.band, i);
    }
    for (i, line) in lines.iter().enumerate() {
        let points: Vec<(f64, f64)> = (line.points.iter())
            .filter_map(|(x, s)| chart.at(*x, s.mean))
            .collect();
        chart
            .scene
            .line(points.clone(), palette::series(i), DATA_WIDTH);
        if points.len() <= 40 {
            for point in points {
                chart.scene.draw_mark(point, mark(i), palette::series(i));
            }
        }
    }
    guide::draw(&mut chart, &source.lines);
    Ok(Drawing {
        scene: chart.scene,
        notes: notes(source, &lines),
    })
}

fn lines(
    source: &Source<'_>,
    frame: &Frame,
    x: &str,
    place: impl Fn(&str) -> f64,
) -> Result<Vec<Line>, ReportError> {
    let spec = source.spec;
    let mut keys = Vec::new();
    if let Some(series) = &spec.series {
        source.texts(frame, series)?;
        keys.push(series.as_str());
    }
    keys.push(x);
    let mut lines: Vec<Line> = Vec::new();
    for y in &spec.y {
        let values = source.numbers(frame, y)?;
        let (y_name, _) = source.name_and_unit(y);
        for (key, summary) in frame.summaries(&keys, &values)? {
            let series = (spec.series.as_ref()).map(|_| source.series_label(&key[0]));
            let label = match series {
                Some(series) if spec.y.len() > 1 => format!("{y_name}, {series}"),
                Some(series) => series,
                None => y_name.clone(),
            };
            let point = (place(&key[key.len() - 1]), summary);
            match lines.iter_mut().find(|line| line.label == label) {
                Some(line) => line.points.push(point),
                None => lines.push(Line {
                    label,
                    points: vec![point],
                }),
            }
        }
    }
    for line in &mut lines {
        line.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    if lines.is_empty() {
        return Err(source.fault("no finite value to draw".to_owned()));
    }
    Ok(lines)
}

fn draw_band(chart: &mut Chart, line: &Line, kind: Band, i: usize) {
    let mut upper = Vec::new();
    let mut lower = Vec::new();
    for (x, summary) in &line.points {
        let Some((low, high)) = band::ends(summary, kind) else {
            continue;
        };
        // On a logarithmic axis a band that reaches zero ends at the axis.
        let low = match chart.y.scale {
            Scale::Log => low.max(chart.y.low),
            Scale::Linear => low,
        };
        if let (Some(a), Some(b)) = (chart.at(*x, high), chart.at(*x, low)) {
            upper.push(a);
            lower.push(b);
        }
    }
    lower.reverse();
    upper.extend(lower);
    chart.scene.area(upper, palette::series(i).faded(0.2));
}

fn notes(source: &Source<'_>, lines: &[Line]) -> Vec<String> {
    let counts = lines
        .iter()
        .flat_map(|line| line.points.iter().map(|p| p.1.n));
    let least = counts.clone().min().unwrap_or(0);
    let most = counts.max().unwrap_or(0);
    let mut notes = Vec::new();
    if most > 1 {
        let n = match least == most {
            true => format!("{most} trials"),
            false => format!("{least} to {most} trials"),
        };
        let band = band::caption(source.spec.band, "bands");
        notes.push(format!("Means over {n}{band}."));
    }
    notes.extend(source.notes());
    notes
}
