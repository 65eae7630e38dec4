//! The frame around data with two axes: grid, ticks, labels and a legend above it, where it can
//! cover nothing.

use retrial_core::report_spec::Guide;

use super::axis::Axis;
use super::guide_labels;
use super::mark::Mark;
use super::scene::{Anchor, INK, Ink, LABEL_POINTS, POINT, Scene, TICK_POINTS, text_width};
use super::tick_labels;

/// Width of lines of data, mm.
pub(crate) const DATA_WIDTH: f64 = 0.45;
/// Width of axes, mm.
pub(crate) const AXIS_WIDTH: f64 = 0.22;
/// Width of a figure of one panel, mm.
pub(crate) const WIDTH: f64 = 120.0;
/// Height of its data area, mm.
const HEIGHT: f64 = 66.0;
/// Side of a square data area, mm.
const SQUARE: f64 = 80.0;
/// Room at the outer edges, mm.
const EDGE: f64 = 2.5;

/// An entry of a legend.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) label: String,
    pub(crate) ink: Ink,
    pub(crate) sign: Sign,
}

/// What a legend shows before a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    LineAndMark(Mark),
    Mark(Mark),
    Line,
    Box,
}

/// What a chart has beside its axes and its legend.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras<'g> {
    /// Lines whose labels need room at the edges.
    pub(crate) guides: &'g [Guide],
    /// Whether both axes have the same length.
    pub(crate) square: bool,
}

/// A data area with its axes, in a scene.
pub(crate) struct Chart {
    pub(crate) scene: Scene,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// Corners of the data area: left, top, right, bottom.
    pub(crate) area: (f64, f64, f64, f64),
}

impl Chart {
    /// An empty chart. Where the legend needs several lines the figure grows.
    pub(crate) fn new(x: Axis, y: Axis, legend: &[Entry], extras: Extras<'_>) -> Self {
        let tick_width = |axis: &Axis| {
            let widths = axis.ticks.iter().map(|(_, t)| text_width(t, TICK_POINTS));
            widths.fold(0.0, f64::max)
        };
        let label_room = LABEL_POINTS * POINT;
        let left = EDGE + label_room + 1.8 + tick_width(&y) + 1.6;
        // Words stay within the room of their own tick.
        let last = x
            .ticks
            .last()
            .filter(|_| !x.words)
            .map_or(0.0, |(_, t)| text_width(t, TICK_POINTS) / 2.0);
        let overhang = (last - 2.0).max(0.5) + guide_labels::room_right(extras.guides);
        let full = WIDTH - EDGE - overhang;
        let right = match extras.square {
            true => full.min(left + SQUARE),
            false => full,
        };
        let rows = legend_rows(legend, right - left);
        let rows_above = guide_labels::rows(extras.guides, &x, (left, right));
        let top = EDGE + 0.5 + rows.len() as f64 * 4.4 + rows_above as f64 * guide_labels::ROW;
        let bottom = match extras.square {
            true => top + right - left,
            false => top + HEIGHT,
        };
        let below = tick_labels::extra(&x, right - left);
        let height = bottom + 1.6 + TICK_POINTS * POINT + 1.6 + label_room + EDGE + below;
        let mut chart = Self {
            scene: Scene::new(WIDTH - (full - right), height),
            x,
            y,
            area: (left, top, right, bottom),
        };
        chart.draw_frame();
        for (i, row) in rows.iter().enumerate() {
            chart.draw_legend_row(row, EDGE + 2.8 + 4.4 * i as f64);
        }
        chart
    }

    /// A point of the data in the scene.
    pub(crate) fn at(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let (left, top, right, bottom) = self.area;
        let x = self.x.share(x)?;
        let y = self.y.share(y)?;
        Some((left + x * (right - left), bottom - y * (bottom - top)))
    }

    fn draw_frame(&mut self) {
        let (left, top, right, bottom) = self.area;
        let faint = INK.faded(0.13);
        let along_x = |share: f64| left + share * (right - left);
        let along_y = |share: f64| bottom - share * (bottom - top);
        let fit = tick_labels::fit(&self.x, right - left);
        for (value, text) in self.x.ticks.clone() {
            let Some(x) = self.x.share(value).map(along_x) else {
                continue;
            };
            if !self.x.words {
                self.scene.line(vec![(x, top), (x, bottom)], faint, 0.15);
            }
            self.scene
                .line(vec![(x, bottom), (x, bottom + 1.0)], INK, AXIS_WIDTH);
            tick_labels::draw(&mut self.scene, &text, (x, bottom + 1.6), fit);
        }
        for (value, text) in self.y.ticks.clone() {
            let Some(y) = self.y.share(value).map(along_y) else {
                continue;
            };
            self.scene.line(vec![(left, y), (right, y)], faint, 0.15);
            self.scene
                .line(vec![(left - 1.0, y), (left, y)], INK, AXIS_WIDTH);
            let baseline = y + 0.36 * TICK_POINTS * POINT;
            self.scene
                .text((left - 1.6, baseline), &text, TICK_POINTS, Anchor::End);
        }
        for value in self.x.minor.clone() {
            if let Some(x) = self.x.share(value).map(along_x) {
                self.scene
                    .line(vec![(x, bottom), (x, bottom + 0.6)], INK, 0.15);
            }
        }
        for value in self.y.minor.clone() {
            if let Some(y) = self.y.share(value).map(along_y) {
                self.scene.line(vec![(left - 0.6, y), (left, y)], INK, 0.15);
            }
        }
        let zero = self.y.share(0.0).filter(|share| (0.0..1.0).contains(share));
        if let Some(y) = zero.filter(|share| *share > 0.0).map(along_y) {
            self.scene
                .line(vec![(left, y), (right, y)], INK.faded(0.7), 0.2);
        }
        self.scene.line(
            vec![(left, top), (left, bottom), (right, bottom)],
            INK,
            AXIS_WIDTH,
        );
        let x_label = self.x.label.clone();
        let y_label = self.y.label.clone();
        let baseline = self.scene.height - EDGE - 0.22 * LABEL_POINTS * POINT;
        self.scene.text(
            ((left + right) / 2.0, baseline),
            &x_label,
            LABEL_POINTS,
            Anchor::Middle,
        );
        let baseline = EDGE + 0.78 * LABEL_POINTS * POINT;
        self.scene
            .turned_text((baseline, (top + bottom) / 2.0), &y_label, LABEL_POINTS);
    }

    fn draw_legend_row(&mut self, row: &[Entry], middle: f64) {
        let mut x = self.area.0;
        for entry in row {
            match entry.sign {
                Sign::LineAndMark(mark) => {
                    self.scene
                        .line(vec![(x, middle), (x + 6.0, middle)], entry.ink, DATA_WIDTH);
                    self.scene.draw_mark((x + 3.0, middle), mark, entry.ink);
                }
                Sign::Line => {
                    self.scene
                        .line(vec![(x, middle), (x + 6.0, middle)], entry.ink, DATA_WIDTH);
                }
                Sign::Mark(mark) => self.scene.draw_mark((x + 3.0, middle), mark, entry.ink),
                Sign::Box => {
                    let (from, to) = ((x + 1.5, middle - 1.2), (x + 5.0, middle + 1.2));
                    self.scene.rectangle(from, to, entry.ink);
                }
            }
            let baseline = middle + 0.36 * LABEL_POINTS * POINT;
            self.scene.text(
                (x + 7.2, baseline),
                &entry.label,
                LABEL_POINTS,
                Anchor::Start,
            );
            x += entry_width(entry);
        }
    }
}

fn entry_width(entry: &Entry) -> f64 {
    7.2 + text_width(&entry.label, LABEL_POINTS) + 5.0
}

fn legend_rows(legend: &[Entry], width: f64) -> Vec<Vec<Entry>> {
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let mut used = f64::INFINITY;
    for entry in legend {
        let needed = entry_width(entry);
        if used + needed - 5.0 > width {
            rows.push(Vec::new());
            used = 0.0;
        }
        used += needed;
        if let Some(row) = rows.last_mut() {
            row.push(entry.clone());
        }
    }
    rows
}
