//! How often values occur: shares of all values of a series, so that series of unequal size
//! compare, as outlines over a light fill.
//!
//! # Source
//! Width of bins: Freedman & Diaconis 1981, doi:10.1007/BF01025868.

use retrial_core::keys::Kind;
use retrial_core::report_spec::{Guide, GuideAt, Scale};
use retrial_core::statistics::{mean, quantile, standard_deviation};

use super::axis::{Axis, nice_ticks};
use super::chart::{Chart, DATA_WIDTH, Entry, Extras, Sign};
use super::drawing::Drawing;
use super::kind::{FigureKind, Title};
use super::scene::Scene;
use super::source::Source;
use super::{guide, palette, png};
use crate::error::ReportError;
use crate::number::{counted, decimals_for, fixed, plain};

/// Distance of the fences from the quartiles, in ranges between the quartiles.
const FENCE: f64 = 5.0;
/// Largest share of values beyond the fences that is left out.
const TAIL: f64 = 0.03;
/// Range of an axis, as largest over smallest value, on which ticks between powers would merge.
const MANY_DECADES: f64 = 1e8;

pub(super) const KIND: FigureKind = FigureKind {
    keys: Kind {
        word: "histogram",
        doc: "Shares of all values of a series, one outline a value of `series`.",
        needs: &["value"],
        takes: &["table", "x_scale", "lines.x", "lines.y", "lines.x_metric"],
    },
    title: Title::Value("a histogram"),
    draw,
};

fn draw(source: &Source<'_>) -> Result<Drawing, ReportError> {
    let spec = source.spec;
    let frame = source.frame()?;
    let name = (spec.value.as_ref())
        .or(spec.y.first())
        .or(spec.x.as_ref())
        .ok_or_else(|| source.fault("its spec names no `value`".to_owned()))?;
    let values = source.numbers(&frame, name)?;
    let mut keys = Vec::new();
    if let Some(series) = &spec.series {
        source.texts(&frame, series)?;
        keys.push(series.as_str());
    }
    let mut series: Vec<(String, Vec<f64>)> = Vec::new();
    let mut left_out = 0;
    for group in frame.groups(&keys)? {
        let chosen: Vec<f64> = group.rows.iter().map(|&row| values[row]).collect();
        let mut finite: Vec<f64> = chosen.iter().copied().filter(|v| v.is_finite()).collect();
        left_out += chosen.len() - finite.len();
        finite.sort_by(f64::total_cmp);
        let label = group
            .key
            .first()
            .map_or(String::new(), |key| source.series_label(key));
        if !finite.is_empty() {
            series.push((label, finite));
        }
    }
    if series.is_empty() {
        return Err(source.fault("no finite value to count".to_owned()));
    }
    let log = spec.x_scale == Scale::Log;
    if log
        && series
            .iter()
            .all(|(_, values)| values.iter().all(|v| *v <= 0.0))
    {
        let reason = "no value above zero to count on a logarithmic axis".to_owned();
        return Err(source.fault(reason));
    }
    let (spoken, unit) = source.name_and_unit(name);
    let legend: Vec<Entry> = (series.iter().enumerate())
        .map(|(i, (label, values))| {
            let colon = if label.is_empty() { "" } else { ": " };
            let sd = standard_deviation(values);
            let (mean, sd) = match decimals_for(sd) + 1 {
                _ if sd >= 100.0 => (fixed(mean(values), 0), fixed(sd, 0)),
                decimals @ 0..=7 if sd > 0.0 => {
                    (fixed(mean(values), decimals), fixed(sd, decimals))
                }
                _ => (plain(mean(values)), plain(sd)),
            };
            Entry {
                label: format!("{label}{colon}mean {mean}, sd {sd}, n = {}", values.len()),
                ink: palette::series(i),
                sign: Sign::Box,
            }
        })
        .collect();
    let style = HistogramStyle {
        name: &spoken,
        unit: &unit,
        of: "value",
        scale: spec.x_scale,
        legend,
        lines: &source.lines,
        extras: source.extras(),
        ticks_at_powers: false,
    };
    let edges = match log {
        true => edges_in_decades(&series),
        false => edges(&series),
    };
    let (scene, mut notes) = scene(&series, &edges, &style);
    if left_out > 0 {
        notes.push(format!(
            "{left_out} values that are not finite are left out."
        ));
    }
    notes.extend(source.notes());
    Ok(Drawing { scene, notes })
}

/// What the words of a histogram without records are.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramWords<'w> {
    /// What the values are.
    pub name: &'w str,
    /// What has a value: one of it.
    pub of: &'w str,
    /// What is said above the data.
    pub legend: &'w str,
    /// A value that a dashed line marks, with its name.
    pub mark: (f64, &'w str),
}

/// Draws how often values occur as a PNG file, without any record, with notes on values that are
/// not shown.
///
/// The axis is logarithmic where `scale` says so, and then shows what is above zero. `None` where
/// no value can be shown.
#[must_use]
pub fn histogram_png(
    values: &[f64],
    scale: Scale,
    words: &HistogramWords<'_>,
) -> Option<(Vec<u8>, Vec<String>)> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    if !(sorted.last()? > &0.0 || scale == Scale::Linear) {
        return None;
    }
    let lines = [Guide {
        at: GuideAt::X(words.mark.0),
        label: Some(words.mark.1.to_owned()),
    }];
    let entry = Entry {
        label: words.legend.to_owned(),
        ink: palette::series(0),
        sign: Sign::Box,
    };
    let all = [(String::new(), sorted)];
    let edges = match scale {
        Scale::Linear => edges(&all),
        Scale::Log => edges_in_decades(&[(String::new(), without_tail(&all[0].1))]),
    };
    let style = HistogramStyle {
        name: words.name,
        unit: "",
        of: words.of,
        scale,
        legend: vec![entry],
        lines: &lines,
        extras: Extras {
            guides: &lines,
            square: false,
        },
        ticks_at_powers: edges[edges.len() - 1] / edges[0] > MANY_DECADES,
    };
    let (scene, notes) = scene(&all, &edges, &style);
    Some((png::render(&scene), notes))
}

/// What a histogram shows beside its counts.
pub(super) struct HistogramStyle<'l> {
    pub(super) name: &'l str,
    pub(super) unit: &'l str,
    /// What is counted: one of it.
    pub(super) of: &'l str,
    pub(super) scale: Scale,
    pub(super) legend: Vec<Entry>,
    pub(super) lines: &'l [Guide],
    pub(super) extras: Extras<'l>,
    /// Whether ticks without a number stand at powers of ten alone.
    pub(super) ticks_at_powers: bool,
}

/// The figure of sorted finite values, of which some can be shown, and notes on the others.
pub(super) fn scene(
    series: &[(String, Vec<f64>)],
    edges: &[f64],
    style: &HistogramStyle<'_>,
) -> (Scene, Vec<String>) {
    let shares: Vec<Vec<f64>> = (series.iter())
        .map(|(_, values)| shares(values, edges))
        .collect();
    let mut x_axis = Axis::covering(
        edges.iter().copied().chain(guide::xs(style.lines)),
        style.scale,
        style.name,
        style.unit,
    );
    if style.ticks_at_powers {
        let is_power = |v: &f64| (v.log10() - v.log10().round()).abs() < 1e-9;
        x_axis.minor.retain(is_power);
    }
    let heights = shares.iter().flatten().copied().chain([0.0]);
    let heights = heights.chain(guide::ys(style.lines));
    let y_name = format!("share of {}s", style.of);
    let y_axis = Axis::covering(heights, Scale::Linear, &y_name, "%");
    let mut chart = Chart::new(x_axis, y_axis, &style.legend, style.extras);
    let outline = |shares: &[f64]| -> Vec<(f64, f64)> {
        let steps = edges.windows(2).zip(shares);
        let steps = steps.flat_map(|(pair, share)| [(pair[0], *share), (pair[1], *share)]);
        let ends = [(edges[0], 0.0), (edges[edges.len() - 1], 0.0)];
        let corners = [ends[0]].into_iter().chain(steps).chain([ends[1]]);
        corners.filter_map(|(x, y)| chart.at(x, y)).collect()
    };
    let outlines: Vec<Vec<(f64, f64)>> = shares.iter().map(|s| outline(s)).collect();
    for (i, outline) in outlines.iter().enumerate() {
        let fill = palette::series(i).faded(0.15);
        chart.scene.area(outline.clone(), fill);
    }
    for (i, outline) in outlines.into_iter().enumerate() {
        chart.scene.line(outline, palette::series(i), DATA_WIDTH);
    }
    guide::draw(&mut chart, style.lines);
    let mut notes = Vec::new();
    let (first, last) = (edges[0], edges[edges.len() - 1]);
    let count = |beyond: &dyn Fn(f64) -> bool| -> usize {
        let values = series.iter().flat_map(|(_, values)| values);
        values.filter(|v| beyond(**v)).count()
    };
    let (below, above) = (count(&|v| v < first), count(&|v| v > last));
    for (number, side, edge) in [(below, "below", first), (above, "above", last)] {
        if number > 0 {
            let edge = plain(edge);
            notes.push(format!(
                "{} {side} {edge} not shown; shares and means count them.",
                counted(number, style.of)
            ));
        }
    }
    (chart.scene, notes)
}

/// Round edges of bins that cover all series.
///
/// Where a few values lie so far out that all others would share a few bins, the bins end at
/// fences of five times the range between the quartiles.
fn edges(series: &[(String, Vec<f64>)]) -> Vec<f64> {
    let (mut low, mut high) = ends(series);
    if low == high {
        let half = if low == 0.0 { 0.5 } else { 0.05 * low.abs() };
        return vec![low - half, low + half];
    }
    let fences = series.iter().map(|(_, values)| {
        let (a, b) = (quantile(values, 0.25), quantile(values, 0.75));
        (a - FENCE * (b - a), b + FENCE * (b - a))
    });
    let fences = fences.fold((f64::INFINITY, f64::NEG_INFINITY), |all, one| {
        (all.0.min(one.0), all.1.max(one.1))
    });
    let total: usize = series.iter().map(|(_, values)| values.len()).sum();
    let values = series.iter().flat_map(|(_, values)| values);
    let outside = values.filter(|v| **v < fences.0 || **v > fences.1).count();
    let is_tail = outside as f64 <= TAIL * total as f64;
    if is_tail && fences.0 < fences.1 && high - low > 2.0 * (fences.1 - fences.0) {
        let values = || series.iter().flat_map(|(_, values)| values.iter().copied());
        let inside = || values().filter(|v| (fences.0..=fences.1).contains(v));
        low = inside().fold(f64::INFINITY, f64::min);
        high = inside().fold(f64::NEG_INFINITY, f64::max);
    }
    let count = ((high - low) / width(series)).clamp(8.0, 60.0) as usize;
    let inner = nice_ticks(low, high, count);
    let step = if inner.len() > 1 {
        inner[1] - inner[0]
    } else {
        high - low
    };
    let first = (low / step).floor() as i64;
    let last = ((high / step).floor() as i64 + 1).max(first + 1);
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Sorted values above zero without the few whose logarithms lie far below the others'.
fn without_tail(values: &[f64]) -> Vec<f64> {
    let positive = &values[values.partition_point(|v| *v <= 0.0)..];
    let logs: Vec<f64> = positive.iter().map(|v| v.log10()).collect();
    let (a, b) = (quantile(&logs, 0.25), quantile(&logs, 0.75));
    let below = logs.partition_point(|v| *v < a - FENCE * (b - a));
    match below as f64 <= TAIL * logs.len() as f64 {
        true => positive[below..].to_vec(),
        false => positive.to_vec(),
    }
}

/// Edges of bins that are equally wide on a logarithmic axis; values of zero or less have none.
fn edges_in_decades(series: &[(String, Vec<f64>)]) -> Vec<f64> {
    let series: Vec<(String, Vec<f64>)> = (series.iter())
        .map(|(label, values)| {
            let positive = values.iter().filter(|v| **v > 0.0);
            (label.clone(), positive.map(|v| v.log10()).collect())
        })
        .filter(|(_, values): &(String, Vec<f64>)| !values.is_empty())
        .collect();
    let (low, high) = ends(&series);
    if low == high {
        return [low - 0.05, low + 0.05].map(|v| 10f64.powf(v)).to_vec();
    }
    let count = ((high - low) / width(&series)).clamp(8.0, 60.0).ceil() as usize;
    // A little room, so that rounding leaves no value out.
    let (low, high) = (low - 1e-9, high + 1e-9);
    let edge = |i: usize| 10f64.powf(low + (high - low) * i as f64 / count as f64);
    (0..=count).map(edge).collect()
}

/// Smallest and largest of all sorted values.
fn ends(series: &[(String, Vec<f64>)]) -> (f64, f64) {
    let low = series
        .iter()
        .map(|(_, v)| v[0])
        .fold(f64::INFINITY, f64::min);
    let high = (series.iter().map(|(_, v)| v[v.len() - 1])).fold(f64::NEG_INFINITY, f64::max);
    (low, high)
}

/// Width of bins by the series that asks for the narrowest.
fn width(series: &[(String, Vec<f64>)]) -> f64 {
    let widths = series.iter().map(|(_, values)| {
        let spread = quantile(values, 0.75) - quantile(values, 0.25);
        2.0 * spread / (values.len() as f64).cbrt()
    });
    widths.filter(|w| *w > 0.0).fold(f64::INFINITY, f64::min)
}

/// Per cent of the values in each bin; sorted values, the last bin open at its upper edge.
fn shares(values: &[f64], edges: &[f64]) -> Vec<f64> {
    let below = |edge: f64| values.partition_point(|v| *v < edge);
    (edges.windows(2))
        .map(|pair| {
            let count = below(pair[1]) - below(pair[0]);
            100.0 * count as f64 / values.len() as f64
        })
        .collect()
}
