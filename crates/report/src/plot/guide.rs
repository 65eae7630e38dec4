//! Straight dashed lines across a chart: published thresholds, baselines, `y = x`.

use retrial_core::report_spec::{Guide, GuideAt, Scale};

use super::chart::Chart;
use super::guide_labels::{ROW, labels};
use super::scene::{Anchor, INK, Ink, POINT, Scene, TICK_POINTS};

/// Width of lines, mm.
const LINE_WIDTH: f64 = 0.3;
/// Length of dashes and of the gaps between them, mm.
const DASH: (f64, f64) = (1.7, 1.1);

/// Places of vertical lines, which the horizontal axis covers.
pub(super) fn xs(guides: &[Guide]) -> impl Iterator<Item = f64> + '_ {
    guides.iter().filter_map(|guide| match guide.at {
        GuideAt::X(x) => Some(x),
        _ => None,
    })
}

/// Places of horizontal lines, which the vertical axis covers.
pub(super) fn ys(guides: &[Guide]) -> impl Iterator<Item = f64> + '_ {
    guides.iter().filter_map(|guide| match guide.at {
        GuideAt::Y(y) => Some(y),
        _ => None,
    })
}

/// Draws the lines with their labels over the data.
pub(super) fn draw(chart: &mut Chart, guides: &[Guide]) {
    let (left, top, right, bottom) = chart.area;
    let (labels, anchor) = labels(guides, &chart.x, (left, right));
    for label in &labels {
        let end = top - ROW * (label.row as f64 + 0.7);
        dashed(&mut chart.scene, (label.x, bottom), (label.x, end), INK);
        let aside = if anchor == Anchor::End { -0.8 } else { 0.8 };
        let baseline = end + 0.72 * TICK_POINTS * POINT;
        chart
            .scene
            .text((label.x + aside, baseline), label.text, TICK_POINTS, anchor);
    }
    let mut ends: Vec<(f64, &str)> = Vec::new();
    for guide in guides {
        match guide.at {
            GuideAt::X(x) if guide.label.is_none() => {
                if let Some(share) = chart.x.share(x) {
                    let x = left + share * (right - left);
                    dashed(&mut chart.scene, (x, bottom), (x, top), INK);
                }
            }
            GuideAt::X(_) | GuideAt::XMetric(_) => {}
            GuideAt::Slope(slope) => {
                let Some((from, to)) = sloped(chart, slope) else {
                    continue;
                };
                dashed(&mut chart.scene, from, to, INK);
                ends.extend(guide.label.as_deref().map(|label| (to.1, label)));
            }
            GuideAt::Y(y) => {
                let Some(share) = chart.y.share(y) else {
                    continue;
                };
                let y = bottom - share * (bottom - top);
                dashed(&mut chart.scene, (left, y), (right, y), INK);
                ends.extend(guide.label.as_deref().map(|label| (y, label)));
            }
        }
    }
    // Labels of lines that lie close together are moved apart, upwards from the lowest.
    ends.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut limit = f64::INFINITY;
    for (y, label) in ends {
        let y = y.min(limit - 1.15 * TICK_POINTS * POINT);
        limit = y;
        let baseline = y + 0.36 * TICK_POINTS * POINT;
        let at = (right + 1.2, baseline);
        chart.scene.text(at, label, TICK_POINTS, Anchor::Start);
    }
}

/// Where the line through the origin with this slope enters and leaves the data, mm.
fn sloped(chart: &Chart, slope: f64) -> Option<((f64, f64), (f64, f64))> {
    if [&chart.x, &chart.y]
        .iter()
        .any(|axis| axis.scale != Scale::Linear)
    {
        return None;
    }
    let (left, top, right, bottom) = chart.area;
    // The axes are linear: shares of the origin and of x = 1 give the line anywhere.
    let (x0, x1) = (chart.x.share(0.0)?, chart.x.share(1.0)?);
    let (y0, y1) = (chart.y.share(0.0)?, chart.y.share(slope)?);
    let (dx, dy) = (x1 - x0, y1 - y0);
    // Steps along the line at which it crosses the borders.
    let mut inside = (0.0 - x0) / dx..=(1.0 - x0) / dx;
    if dy != 0.0 {
        let (a, b) = ((0.0 - y0) / dy, (1.0 - y0) / dy);
        inside = inside.start().max(a.min(b))..=inside.end().min(a.max(b));
    }
    let at = |step: f64| {
        (
            left + (x0 + step * dx) * (right - left),
            bottom - (y0 + step * dy) * (bottom - top),
        )
    };
    (inside.start() < inside.end()).then(|| (at(*inside.start()), at(*inside.end())))
}

/// Draws `y = x` below the data, from corner to corner of two axes of the same range.
pub(super) fn draw_diagonal(chart: &mut Chart) {
    let (left, top, right, bottom) = chart.area;
    let ink = INK.faded(0.45);
    dashed(&mut chart.scene, (left, bottom), (right, top), ink);
}

fn dashed(scene: &mut Scene, from: (f64, f64), to: (f64, f64), ink: Ink) {
    let length = (to.0 - from.0).hypot(to.1 - from.1);
    let at = |distance: f64| {
        let share = distance.min(length) / length;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        (from.0 + share * dx, from.1 + share * dy)
    };
    let mut start = 0.0;
    while start < length {
        scene.line(vec![at(start), at(start + DASH.0)], ink, LINE_WIDTH);
        start += DASH.0 + DASH.1;
    }
}
