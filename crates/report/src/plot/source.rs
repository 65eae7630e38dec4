//! What a figure is drawn from: the chosen trials, their frame, and labels from the sheet.

use retrial_core::params::ParamValue;
use retrial_core::record::Record;
use retrial_core::report_spec::{FigureSpec, Guide, GuideAt, Pick};
use retrial_core::statistics::summarise;

use super::chart::Extras;
use crate::error::ReportError;
use crate::frame::{Frame, SEED, passes, passes_planned, pooled, pooled_note};
use crate::load::Experiment;
use crate::number::{counted, plain};
use crate::quantity;

/// The data and the wishes behind a figure.
pub(crate) struct Source<'e> {
    pub(crate) experiment: &'e Experiment,
    pub(crate) spec: &'e FigureSpec,
    /// What the figure is called.
    title: String,
    pub(crate) records: Vec<&'e Record>,
    /// Straight lines, all at numbers.
    pub(crate) lines: Vec<Guide>,
    /// Sentences on trials that are not drawn.
    pub(crate) left_out: Vec<String>,
}

impl<'e> Source<'e> {
    pub(crate) fn new(
        experiment: &'e Experiment,
        spec: &'e FigureSpec,
        title: String,
    ) -> Result<Self, ReportError> {
        let records: Vec<&Record> = (experiment.finished.iter())
            .filter(|record| passes(record, &spec.filter))
            .collect();
        let mut source = Self {
            experiment,
            spec,
            title,
            records,
            lines: Vec::new(),
            left_out: Vec::new(),
        };
        if source.records.is_empty() {
            let reason = match spec.filter.is_empty() {
                true => "no finished trial".to_owned(),
                false => format!("no finished trial with {}", spec.filter.summary()),
            };
            return Err(source.fault(reason));
        }
        source.note_missing();
        source.leave_out_without_table();
        source.pick();
        source.lines = source.placed_lines();
        Ok(source)
    }

    /// Says which planned trials are not there, and which of those there have nothing to show.
    fn note_missing(&mut self) {
        let planned = (self.experiment.planned().iter())
            .filter(|trial| passes_planned(trial, &self.spec.filter))
            .count();
        let drawn = self.records.len();
        if drawn < planned {
            self.left_out.push(format!(
                "{drawn} of {planned} planned trials finished and are drawn."
            ));
        }
        if self.spec.table.is_some() {
            return;
        }
        for name in &self.spec.y {
            let finite = |r: &&&Record| r.metric(name).is_some_and(f64::is_finite);
            let missing = drawn - self.records.iter().filter(finite).count();
            let is_metric = self.records.iter().any(|r| r.metric(name).is_some());
            if is_metric && missing > 0 {
                let have = if missing == 1 { "has" } else { "have" };
                self.left_out.push(format!(
                    "{missing} of {drawn} trials {have} no finite {}.",
                    name.replace('_', " ")
                ));
            }
        }
    }

    /// The lines of the spec, those at a metric where its mean is; one that no trial has is not
    /// drawn.
    fn placed_lines(&self) -> Vec<Guide> {
        let place = |guide: &Guide| {
            let GuideAt::XMetric(metric) = &guide.at else {
                return Some(guide.clone());
            };
            let values: Vec<f64> = (self.records.iter())
                .filter_map(|record| record.metric(metric))
                .filter(|value| value.is_finite())
                .collect();
            let mean = summarise(&values)?.mean;
            Some(Guide {
                at: GuideAt::X(mean),
                label: guide.label.clone(),
            })
        };
        self.spec.lines.iter().filter_map(place).collect()
    }

    /// Leaves out trials that have no such table, unless none has: a baseline without training
    /// leaves no losses. A table that a record lists and that is gone stays an error.
    fn leave_out_without_table(&mut self) {
        let Some(table) = &self.spec.table else {
            return;
        };
        let file = format!("{table}.csv");
        let has = |record: &&Record| record.artifacts.iter().any(|a| a.path == file);
        let (with, without): (Vec<&Record>, Vec<&Record>) =
            self.records.iter().copied().partition(has);
        if with.is_empty() || without.is_empty() {
            return;
        }
        let mut note = format!(
            "{} of {} leave no table `{table}` and are not shown",
            without.len(),
            counted(self.records.len(), "trial")
        );
        let settings = (self.experiment.sheet.swept.iter()).find_map(|name| {
            let values = values_of(&without, name);
            let kept = values_of(&with, name);
            let apart = !values.is_empty() && values.iter().all(|v| !kept.contains(v));
            apart.then(|| format!(" ({}: {})", name.replace('_', " "), values.join(", ")))
        });
        note.push_str(&settings.unwrap_or_default());
        note.push('.');
        self.left_out.push(note);
        self.records = with;
    }

    /// Keeps the first trial alone, or the first of each value of a param that makes the series.
    fn pick(&mut self) {
        if self.spec.pick == Pick::All {
            return;
        }
        let series = (self.spec.series.as_ref())
            .filter(|name| self.records.iter().any(|r| r.params.get(name).is_some()));
        let mut seen: Vec<Option<&ParamValue>> = Vec::new();
        let before = self.records.len();
        self.records.retain(|record| {
            let value = series.and_then(|name| record.params.get(name));
            let first = !seen.contains(&value);
            seen.push(value);
            first
        });
        if self.records.len() < before {
            let each = series.map_or(String::new(), |name| {
                format!(" for each {}", name.replace('_', " "))
            });
            let seeds = values_of_seed(&self.records);
            self.left_out.push(format!(
                "The first of {}{each} (seed {}).",
                counted(before, "trial"),
                seeds.join(", ")
            ));
        }
    }

    /// Lines of the trials' tables that the spec wants, or of the trials themselves.
    pub(crate) fn frame(&self) -> Result<Frame, ReportError> {
        let frame = self.whole_frame()?;
        if let Some(name) = self
            .spec
            .rows
            .keys()
            .find(|name| frame.texts(name).is_none())
        {
            return Err(self.no_column(&frame, name));
        }
        let frame = frame.only(&self.spec.rows)?;
        if frame.height() == 0 && !self.spec.rows.is_empty() {
            let wanted = self.spec.rows.iter();
            let wanted: Vec<String> = wanted
                .map(|(name, text)| format!("{name} = {text}"))
                .collect();
            return Err(self.fault(format!("no row has {}", wanted.join(", "))));
        }
        Ok(frame)
    }

    fn whole_frame(&self) -> Result<Frame, ReportError> {
        match &self.spec.table {
            None => Frame::of_trials(&self.records),
            Some(table) => {
                Frame::of_tables(self.experiment, table, &self.records, |file, reason| {
                    ReportError::TrialTable {
                        experiment: self.experiment.name(),
                        part: self.part(),
                        path: file,
                        reason,
                    }
                })
            }
        }
    }

    /// The horizontal column, which most kinds must have.
    pub(crate) fn x(&self) -> Result<&'e str, ReportError> {
        (self.spec.x.as_deref()).ok_or_else(|| self.fault("its spec names no `x`".to_owned()))
    }

    /// The column shown as colour or counted.
    pub(crate) fn value(&self) -> Result<&'e str, ReportError> {
        (self.spec.value.as_deref())
            .ok_or_else(|| self.fault("its spec names no `value`".to_owned()))
    }

    /// A column as numbers, or which one is missing.
    pub(crate) fn numbers(&self, frame: &Frame, name: &str) -> Result<Vec<f64>, ReportError> {
        match frame.numbers(name) {
            Some(numbers) => Ok(numbers),
            None if frame.texts(name).is_some() => {
                Err(self.fault(format!("`{name}` holds words where numbers are needed")))
            }
            None => Err(self.no_column(frame, name)),
        }
    }

    /// A column as text, or which one is missing.
    pub(crate) fn texts(&self, frame: &Frame, name: &str) -> Result<Vec<String>, ReportError> {
        (frame.texts(name)).ok_or_else(|| self.no_column(frame, name))
    }

    /// A value of the series column as its legend shows it.
    pub(crate) fn series_label(&self, value: &str) -> String {
        let Some(name) = &self.spec.series else {
            return String::new();
        };
        let table = self.spec.table.as_deref();
        let unit = quantity::unit(&self.experiment.sheet, table, name);
        let name = quantity::spoken(name, unit);
        let number: Option<f64> = value.parse().ok();
        match number {
            Some(number) if unit.is_empty() => format!("{name} {}", plain(number)),
            Some(number) => format!("{name} {} {unit}", plain(number)),
            None => value.replace('_', " "),
        }
    }

    /// Name and unit of a column, for an axis.
    pub(crate) fn name_and_unit(&self, name: &str) -> (String, String) {
        let unit = quantity::unit(&self.experiment.sheet, self.spec.table.as_deref(), name);
        (quantity::spoken(name, unit), unit.to_owned())
    }

    /// Name and unit for an axis that several columns share.
    pub(crate) fn shared_name_and_unit(&self, names: &[String]) -> (String, String) {
        let pairs: Vec<(String, String)> = names.iter().map(|n| self.name_and_unit(n)).collect();
        let spoken: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        let unit = match pairs.split_first() {
            Some(((_, unit), rest)) if rest.iter().all(|(_, other)| other == unit) => unit.clone(),
            _ => String::new(),
        };
        (spoken.join(", "), unit)
    }

    /// A note on swept params that the figure neither shows nor fixes: it averages over them.
    pub(crate) fn notes(&self) -> Vec<String> {
        let shown = [&self.spec.x, &self.spec.series, &self.spec.value];
        let is_shown = |name: &String| {
            shown.iter().any(|s| s.as_ref() == Some(name)) || self.spec.y.contains(name)
        };
        // Only what is drawn at one place is pooled: of params that vary together one shows all.
        let place = |record: &Record| -> Vec<Option<String>> {
            let value = |name: &String| match (record.params.get(name), record.metric(name)) {
                (Some(value), _) => Some(value.to_string()),
                (None, Some(value)) => Some(value.to_string()),
                (None, None) => (name == SEED).then(|| record.seed.to_string()),
            };
            shown
                .iter()
                .map(|name| name.as_ref().and_then(value))
                .collect()
        };
        let mut groups: Vec<(Vec<Option<String>>, Vec<&Record>)> = Vec::new();
        for record in &self.records {
            let here = place(record);
            match groups.iter_mut().find(|(known, _)| *known == here) {
                Some((_, group)) => group.push(record),
                None => groups.push((here, vec![record])),
            }
        }
        let groups: Vec<Vec<&Record>> = groups.into_iter().map(|(_, group)| group).collect();
        let swept = self.experiment.sheet.swept.iter();
        let over = pooled(swept.filter(|name| !is_shown(name)), &groups);
        pooled_note(&over, "figure").into_iter().collect()
    }

    /// What the spec wants of a chart beside its axes and its legend.
    pub(crate) fn extras(&self) -> Extras<'_> {
        Extras {
            guides: &self.lines,
            square: self.spec.diagonal,
        }
    }

    /// An error of this figure.
    pub(crate) fn fault(&self, reason: String) -> ReportError {
        ReportError::Figure {
            experiment: self.experiment.name(),
            part: self.part(),
            reason,
        }
    }

    fn no_column(&self, frame: &Frame, name: &str) -> ReportError {
        ReportError::NoColumn {
            experiment: self.experiment.name(),
            part: self.part(),
            name: name.to_owned(),
            place: match &self.spec.table {
                Some(table) => format!("table `{table}`, the params and the metrics"),
                None => "the params and metrics of its trials".to_owned(),
            },
            known: frame.names().join(", "),
        }
    }

    fn part(&self) -> String {
        format!("figure “{}”", self.title)
    }
}

/// Values of a param in order of first appearance.
fn values_of(records: &[&Record], name: &str) -> Vec<String> {
    distinct(records.iter().filter_map(|record| {
        let value = record.params.get(name)?;
        Some(value.to_string())
    }))
}

fn values_of_seed(records: &[&Record]) -> Vec<String> {
    distinct(records.iter().map(|record| record.seed.to_string()))
}

fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}
