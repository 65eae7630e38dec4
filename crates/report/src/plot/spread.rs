//! Points that are means over seeds, with whiskers in both directions: what a method costs against
//! what it gives.

use retrial_core::report_spec::{Band, Labels, Scale};
use retrial_core::statistics::Summary;

use super::axis::Axis;
use super::chart::{Chart, Entry, Sign};
use super::drawing::Drawing;
use super::mark::{Mark, mark, reference_ink};
use super::scene::{Anchor, Ink, POINT, TICK_POINTS, text_width};
use super::source::Source;
use super::{band, guide, palette};
use crate::error::ReportError;
use crate::frame::Frame;

/// Width of whiskers and half the length of their ends, mm.
const WHISKER: (f64, f64) = (0.3, 0.8);

/// Half the width that labels keep free of a line, mm.
const THICK: f64 = 0.4;

/// A point with its series.
struct Spread {
    series: usize,
    x: Summary,
    y: Summary,
}

/// Means over the trials that differ in their seed alone.
pub(super) fn draw(source: &Source<'_>, frame: &Frame, x: &str) -> Result<Drawing, ReportError> {
    let spec = source.spec;
    let (labels, spreads) = spreads(source, frame, x)?;
    let ends = |summary: &Summary| {
        let (low, high) = band::ends(summary, spec.band).unwrap_or((summary.mean, summary.mean));
        [summary.mean, low, high]
    };
    let references = || spec.reference.iter();
    let xs = spreads.iter().flat_map(|spread| ends(&spread.x));
    let xs = xs.chain(references().map(|r| r.x));
    let xs = xs.chain(guide::xs(&source.lines));
    let ys = spreads.iter().flat_map(|spread| ends(&spread.y));
    let ys = ys.chain(references().map(|r| r.y));
    let ys = ys.chain(guide::ys(&source.lines));
    let (name, unit) = source.name_and_unit(x);
    let x_axis = Axis::covering(xs, spec.x_scale, &name, &unit);
    let (name, unit) = source.shared_name_and_unit(&spec.y);
    let y_axis = Axis::covering(ys, spec.y_scale, &name, &unit);
    let at_points = spec.labels == Labels::Points;
    let mut legend = Vec::new();
    for (i, label) in labels.iter().enumerate() {
        if labels.len() > 1 && !at_points {
            legend.push(Entry {
                label: label.clone(),
                ink: palette::series(i),
                sign: Sign::Mark(mark(i)),
            });
        }
    }
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
    for reference in references() {
        if let Some(point) = chart.at(reference.x, reference.y) {
            chart.scene.draw_mark(point, Mark::Hollow, ink);
        }
    }
    let mut taken: Vec<Extent> = Vec::new();
    for spread in &spreads {
        taken.extend(draw_whiskers(&mut chart, spread, spec.band));
        if let Some(point) = chart.at(spread.x.mean, spread.y.mean) {
            chart
                .scene
                .draw_mark(point, mark(spread.series), palette::series(spread.series));
            taken.push(Extent::around(point, (1.2, 1.2)));
        }
    }
    if at_points {
        let (left, top, right, bottom) = chart.area;
        for x in guide::xs(&source.lines).filter_map(|x| chart.x.share(x)) {
            let x = left + x * (right - left);
            taken.push(Extent(x - THICK, top, x + THICK, bottom));
        }
        for y in guide::ys(&source.lines).filter_map(|y| chart.y.share(y)) {
            let y = bottom - y * (bottom - top);
            taken.push(Extent(left, y - THICK, right, y + THICK));
        }
        for (i, label) in labels.iter().enumerate() {
            let own = spreads.iter().filter(|spread| spread.series == i);
            let places: Vec<_> = own.filter_map(|s| chart.at(s.x.mean, s.y.mean)).collect();
            place_label(&mut chart, label, &places, &mut taken);
        }
    }
    guide::draw(&mut chart, &source.lines);
    let most = spreads.iter().map(|spread| spread.y.n).max().unwrap_or(0);
    let mut notes = Vec::new();
    if most > 1 {
        let whiskers = band::caption(spec.band, "whiskers");
        notes.push(format!("Means over up to {most} seeds{whiskers}."));
    }
    Ok(Drawing {
        scene: chart.scene,
        notes,
    })
}

fn spreads(
    source: &Source<'_>,
    frame: &Frame,
    x: &str,
) -> Result<(Vec<String>, Vec<Spread>), ReportError> {
    let spec = source.spec;
    let known = frame.names();
    let mut keys: Vec<&str> = Vec::new();
    if let Some(series) = &spec.series {
        source.texts(frame, series)?;
        keys.push(series);
    }
    for name in &source.experiment.sheet.swept {
        if known.contains(name) && !keys.contains(&name.as_str()) {
            keys.push(name);
        }
    }
    let x = frame.summaries(&keys, &source.numbers(frame, x)?)?;
    let mut labels: Vec<String> = Vec::new();
    let mut spreads = Vec::new();
    for y_name in &spec.y {
        let (spoken, _) = source.name_and_unit(y_name);
        for (key, y) in frame.summaries(&keys, &source.numbers(frame, y_name)?)? {
            let Some((_, x)) = x.iter().find(|(other, _)| *other == key) else {
                continue;
            };
            let label = match (spec.series.is_some(), spec.y.len() > 1) {
                (true, true) => format!("{spoken}, {}", source.series_label(&key[0])),
                (true, false) => source.series_label(&key[0]),
                (false, _) => spoken.clone(),
            };
            let series = match labels.iter().position(|known| *known == label) {
                Some(place) => place,
                None => {
                    labels.push(label);
                    labels.len() - 1
                }
            };
            spreads.push(Spread { series, x: *x, y });
        }
    }
    if spreads.is_empty() {
        return Err(source.fault("no finite value to draw".to_owned()));
    }
    Ok((labels, spreads))
}

/// Draws the whiskers of a point; what they fill comes back.
fn draw_whiskers(chart: &mut Chart, spread: &Spread, kind: Band) -> Vec<Extent> {
    let mut filled = Vec::new();
    let ink: Ink = palette::series(spread.series).faded(0.7);
    // On a logarithmic axis a whisker that reaches zero ends at the axis.
    let clipped = |(low, high): (f64, f64), scale: Scale, edge: f64| match scale {
        Scale::Log => (low.max(edge), high),
        Scale::Linear => (low, high),
    };
    let (x, y) = (spread.x.mean, spread.y.mean);
    let (width, half) = WHISKER;
    if let Some(ends) = band::ends(&spread.x, kind) {
        let (low, high) = clipped(ends, chart.x.scale, chart.x.low);
        if let (Some(a), Some(b)) = (chart.at(low, y), chart.at(high, y)) {
            chart.scene.line(vec![a, b], ink, width);
            filled.push(Extent(
                a.0.min(b.0) - THICK,
                a.1.min(b.1) - THICK,
                a.0.max(b.0) + THICK,
                a.1.max(b.1) + THICK,
            ));
            for (x, y) in [a, b] {
                let cap = vec![(x, y - half), (x, y + half)];
                chart.scene.line(cap, ink, width);
            }
        }
    }
    if let Some(ends) = band::ends(&spread.y, kind) {
        let (low, high) = clipped(ends, chart.y.scale, chart.y.low);
        if let (Some(a), Some(b)) = (chart.at(x, low), chart.at(x, high)) {
            chart.scene.line(vec![a, b], ink, width);
            filled.push(Extent(
                a.0.min(b.0) - THICK,
                a.1.min(b.1) - THICK,
                a.0.max(b.0) + THICK,
                a.1.max(b.1) + THICK,
            ));
            for (x, y) in [a, b] {
                let cap = vec![(x - half, y), (x + half, y)];
                chart.scene.line(cap, ink, width);
            }
        }
    }
    filled
}

/// A rectangle that something fills: left, top, right, bottom in mm.
#[derive(Clone, Copy)]
struct Extent(f64, f64, f64, f64);

impl Extent {
    fn around((x, y): (f64, f64), (across, up): (f64, f64)) -> Self {
        Self(x - across, y - up, x + across, y + up)
    }

    /// Area that two rectangles share, mm².
    fn shared(self, other: Self) -> f64 {
        let across = self.2.min(other.2) - self.0.max(other.0);
        let down = self.3.min(other.3) - self.1.max(other.1);
        across.max(0.0) * down.max(0.0)
    }
}

/// Writes a label beside one of its points, where it covers least and stays inside.
fn place_label(chart: &mut Chart, label: &str, points: &[(f64, f64)], taken: &mut Vec<Extent>) {
    let (width, height) = (text_width(label, TICK_POINTS), TICK_POINTS * POINT);
    let (left, top, right, bottom) = chart.area;
    let inside = Extent(left, top, right, bottom);
    let mut best: Option<(f64, Extent)> = None;
    for &(x, y) in points {
        let (away, half) = (1.6 + width / 2.0, 0.3 + height / 2.0);
        let sides = [
            (x + away, y),
            (x - away, y),
            (x, y - 1.4 - half),
            (x, y + 1.4 + half),
            (x + away, y - 1.0 - half),
            (x + away, y + 1.0 + half),
            (x - away, y - 1.0 - half),
            (x - away, y + 1.0 + half),
        ];
        for middle in sides {
            let place = Extent::around(middle, (width / 2.0, height / 2.0));
            let outside = width * height - place.shared(inside);
            let covered: f64 = taken.iter().map(|other| place.shared(*other)).sum();
            let cost = covered + 3.0 * outside;
            if best.is_none_or(|(least, _)| cost < least - 1e-9) {
                best = Some((cost, place));
            }
        }
    }
    if let Some((_, place)) = best {
        let baseline = (place.1 + place.3) / 2.0 + 0.36 * height;
        let at = ((place.0 + place.2) / 2.0, baseline);
        chart.scene.text(at, label, TICK_POINTS, Anchor::Middle);
        taken.push(place);
    }
}
