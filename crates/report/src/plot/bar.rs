//! Bars from zero with intervals over trials; several series stand side by side.

use retrial_core::keys::Kind;
use retrial_core::report_spec::Scale;
use retrial_core::statistics::Summary;

use super::axis::Axis;
use super::chart::{Chart, Entry, Sign};
use super::drawing::Drawing;
use super::kind::{FigureKind, Title};
use super::palette;
use super::scene::INK;
use super::source::Source;
use super::{band, guide};
use crate::error::ReportError;

/// Part of a group's room that its bars take.
const FILLED: f64 = 0.78;

struct Bar {
    group: usize,
    series: usize,
    summary: Summary,
}

pub(super) const KIND: FigureKind = FigureKind {
    keys: Kind {
        word: "bar",
        doc: "Bars from zero, grouped by `x`, side by side for `y` and `series`.",
        needs: &["x", "y"],
        takes: &["table", "band", "y_scale", "lines.y"],
    },
    title: Title::Axes,
    draw,
};

fn draw(source: &Source<'_>) -> Result<Drawing, ReportError> {
    let spec = source.spec;
    let frame = source.frame()?;
    let x_name = source.x()?;
    source.texts(&frame, x_name)?;
    let mut keys = Vec::new();
    if let Some(series) = &spec.series {
        source.texts(&frame, series)?;
        keys.push(series.as_str());
    }
    keys.push(x_name);
    let mut groups: Vec<String> = Vec::new();
    let mut series: Vec<String> = Vec::new();
    let mut bars = Vec::new();
    for y_name in &spec.y {
        let values = source.numbers(&frame, y_name)?;
        let (spoken, _) = source.name_and_unit(y_name);
        for (key, summary) in frame.summaries(&keys, &values)? {
            let label = match (spec.series.is_some(), spec.y.len() > 1) {
                (true, true) => format!("{spoken}, {}", source.series_label(&key[0])),
                (true, false) => source.series_label(&key[0]),
                (false, _) => spoken.clone(),
            };
            let group = place(&mut groups, key[key.len() - 1].replace('_', " "));
            let series = place(&mut series, label);
            bars.push(Bar {
                group,
                series,
                summary,
            });
        }
    }
    if bars.is_empty() {
        return Err(source.fault("no finite value to draw".to_owned()));
    }
    let (name, unit) = source.name_and_unit(x_name);
    let x_axis = Axis::of_words(&groups, &super::axis::label_with(&name, &unit, 0));
    let (name, unit) = source.shared_name_and_unit(&spec.y);
    let ends = bars.iter().flat_map(|bar| {
        let (low, high) = band::ends(&bar.summary, spec.band).unwrap_or_default();
        [0.0, bar.summary.mean, low, high]
    });
    let ends = ends.chain(guide::ys(&source.lines));
    let y_axis = Axis::covering(ends, spec.y_scale, &name, &unit);
    let legend: Vec<Entry> = (series.iter().enumerate())
        .filter(|_| series.len() > 1)
        .map(|(i, label)| Entry {
            label: label.clone(),
            ink: palette::series(i),
            sign: Sign::Box,
        })
        .collect();
    let mut chart = Chart::new(x_axis, y_axis, &legend, source.extras());
    let width = FILLED / series.len() as f64;
    let base = match spec.y_scale {
        Scale::Linear => 0.0,
        Scale::Log => chart.y.low,
    };
    for bar in &bars {
        let left = bar.group as f64 - FILLED / 2.0 + width * bar.series as f64;
        let (from, to) = (left + 0.04 * width, left + 0.96 * width);
        let corners = (chart.at(from, base), chart.at(to, bar.summary.mean));
        if let (Some(a), Some(b)) = corners {
            chart.scene.rectangle(a, b, palette::series(bar.series));
        }
        let Some((low, high)) = band::ends(&bar.summary, spec.band) else {
            continue;
        };
        let middle = left + width / 2.0;
        if let (Some(a), Some(b)) = (
            chart.at(middle, low.max(chart.y.low)),
            chart.at(middle, high),
        ) {
            chart.scene.line(vec![a, b], INK, 0.3);
            for (x, y) in [a, b] {
                chart.scene.line(vec![(x - 0.9, y), (x + 0.9, y)], INK, 0.3);
            }
        }
    }
    guide::draw(&mut chart, &source.lines);
    let most = bars.iter().map(|bar| bar.summary.n).max().unwrap_or(0);
    let mut notes = Vec::new();
    if most > 1 {
        let whiskers = band::caption(spec.band, "whiskers");
        notes.push(format!("Means over up to {most} trials{whiskers}."));
    }
    notes.extend(source.notes());
    Ok(Drawing {
        scene: chart.scene,
        notes,
    })
}

fn place(names: &mut Vec<String>, name: String) -> usize {
    match names.iter().position(|known| *known == name) {
        Some(place) => place,
        None => {
            names.push(name);
            names.len() - 1
        }
    }
}
