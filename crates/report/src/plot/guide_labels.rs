//! Where the labels of straight lines stand: outside the data, where they cover nothing, above a vertical line and
//! right of a horizontal one.

use retrial_core::report_spec::{Guide, GuideAt};

use super::axis::Axis;
use super::scene::{Anchor, TICK_POINTS, text_width};

/// Height of a row of labels above the data, mm.
pub(super) const ROW: f64 = 3.8;

/// A vertical line with its label and the row of it, from the data upwards.
pub(super) struct Label<'g> {
    pub(super) text: &'g str,
    pub(super) x: f64,
    pub(super) row: usize,
}

/// Room that labels need right of the data, mm.
pub(super) fn room_right(guides: &[Guide]) -> f64 {
    let labels = guides.iter().filter_map(|guide| match guide.at {
        GuideAt::Y(_) | GuideAt::Slope(_) => guide.label.as_deref(),
        GuideAt::X(_) | GuideAt::XMetric(_) => None,
    });
    let widths = labels.map(|label| text_width(label, TICK_POINTS) + 1.2);
    widths.fold(0.0, f64::max)
}

/// Number of rows of labels above the data, whose left and right end are `ends`.
pub(super) fn rows(guides: &[Guide], x: &Axis, ends: (f64, f64)) -> usize {
    let (labels, _) = labels(guides, x, ends);
    labels.iter().map(|label| label.row + 1).max().unwrap_or(0)
}

/// Labels of vertical lines, and which end of each stands at its line.
///
/// A label starts at its line and stands higher than every label that begins below it, so that
/// no line crosses a label. Where one would leave the figure, all end at their lines instead.
pub(super) fn labels<'g>(
    guides: &'g [Guide],
    axis: &Axis,
    (left, right): (f64, f64),
) -> (Vec<Label<'g>>, Anchor) {
    let mut labels: Vec<Label<'g>> = (guides.iter())
        .filter_map(|guide| match (&guide.at, guide.label.as_deref()) {
            (GuideAt::X(x), Some(text)) => Some(Label {
                text,
                x: left + axis.share(*x)? * (right - left),
                row: 0,
            }),
            _ => None,
        })
        .collect();
    labels.sort_by(|a, b| a.x.total_cmp(&b.x));
    let width = |label: &Label<'_>| text_width(label.text, TICK_POINTS);
    let anchor = match labels.iter().any(|label| label.x + width(label) > right) {
        true => Anchor::End,
        false => {
            labels.reverse();
            Anchor::Start
        }
    };
    for i in 1..labels.len() {
        let span = width(&labels[i]) + 2.0;
        let near = labels[..i].iter();
        let near = near.filter(|other| (other.x - labels[i].x).abs() < span);
        let row = near.map(|other| other.row + 1).max().unwrap_or(0);
        labels[i].row = row;
    }
    (labels, anchor)
}
