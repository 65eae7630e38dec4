//! What charts of several series share: names, legend, axes, and the points of other works.

use super::axis::Axis;
use super::chart::{Chart, Entry, Sign};
use super::mark::Mark;
use super::scene::Ink;
use super::source::Source;
use super::{guide, palette};
use crate::error::ReportError;
use crate::frame::Frame;

impl<'e> Source<'e> {
    /// The column that parts the rows into series, if there is one.
    pub(super) fn series_keys(&self, frame: &Frame) -> Result<Vec<&'e str>, ReportError> {
        let series = self.spec.series.as_deref();
        if let Some(series) = series {
            self.texts(frame, series)?;
        }
        Ok(series.into_iter().collect())
    }

    /// What the series of a column and of a group's key is called.
    pub(super) fn series_name(&self, y: &str, key: &[String]) -> String {
        let (spoken, _) = self.name_and_unit(y);
        match self.spec.series.as_ref().and(key.first()) {
            Some(key) if self.spec.y.len() > 1 => format!("{spoken}, {}", self.series_label(key)),
            Some(key) => self.series_label(key),
            None => spoken,
        }
    }

    /// Two scales have no diagonal.
    pub(super) fn check_diagonal(&self) -> Result<(), ReportError> {
        if self.spec.diagonal && self.spec.x_scale != self.spec.y_scale {
            let reason = "a diagonal needs the same scale on both axes".to_owned();
            return Err(self.fault(reason));
        }
        Ok(())
    }

    /// The horizontal axis around values, points of other works and straight lines.
    pub(super) fn x_axis(&self, x: &str, values: impl Iterator<Item = f64>) -> Axis {
        let (name, unit) = self.name_and_unit(x);
        let values = values.chain(self.spec.reference.iter().map(|r| r.x));
        let values = values.chain(guide::xs(&self.lines));
        Axis::covering(values, self.spec.x_scale, &name, &unit)
    }

    /// The vertical axis around values, points of other works and straight lines.
    pub(super) fn y_axis(&self, values: impl Iterator<Item = f64>) -> Axis {
        let (name, unit) = self.shared_name_and_unit(&self.spec.y);
        let values = values.chain(self.spec.reference.iter().map(|r| r.y));
        let values = values.chain(guide::ys(&self.lines));
        Axis::covering(values, self.spec.y_scale, &name, &unit)
    }

    /// Both axes around points; where the diagonal is drawn they are the same.
    pub(super) fn axes<P>(&self, x: &str, points: impl Fn() -> P) -> (Axis, Axis)
    where
        P: Iterator<Item = (f64, f64)>,
    {
        let xs = || points().map(|p| p.0);
        let ys = || points().map(|p| p.1);
        if !self.spec.diagonal {
            return (self.x_axis(x, xs()), self.y_axis(ys()));
        }
        let references = || self.spec.reference.iter();
        let across = || references().map(|r| r.x).chain(guide::xs(&self.lines));
        let up = || references().map(|r| r.y).chain(guide::ys(&self.lines));
        let all = || xs().chain(across()).chain(ys()).chain(up());
        (self.x_axis(x, all()), self.y_axis(all()))
    }

    /// Names the points of other works in a legend.
    pub(super) fn add_references(&self, legend: &mut Vec<Entry>, ink: Ink) {
        for reference in &self.spec.reference {
            if legend.iter().all(|entry| entry.label != reference.label) {
                legend.push(Entry {
                    label: reference.label.clone(),
                    ink,
                    sign: Sign::Mark(Mark::Hollow),
                });
            }
        }
    }

    /// Draws the points of other works.
    pub(super) fn draw_references(&self, chart: &mut Chart, ink: Ink) {
        for reference in &self.spec.reference {
            if let Some(point) = chart.at(reference.x, reference.y) {
                chart.scene.draw_mark(point, Mark::Hollow, ink);
            }
        }
    }
}

/// The legend of several series; one alone needs none.
pub(super) fn legend<'l>(
    labels: impl ExactSizeIterator<Item = &'l String>,
    sign: impl Fn(usize) -> Sign,
) -> Vec<Entry> {
    if labels.len() < 2 {
        return Vec::new();
    }
    let entry = |(i, label): (usize, &String)| Entry {
        label: label.clone(),
        ink: palette::series(i),
        sign: sign(i),
    };
    labels.enumerate().map(entry).collect()
}

/// The place of a name among those known, with which it is kept.
pub(super) fn place(names: &mut Vec<String>, name: String) -> usize {
    match names.iter().position(|known| *known == name) {
        Some(place) => place,
        None => {
            names.push(name);
            names.len() - 1
        }
    }
}
