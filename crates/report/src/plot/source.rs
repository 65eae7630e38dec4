//! What a figure is drawn from: the chosen trials, their frame, and labels from the sheet.

use retrial_core::record::Record;
use retrial_core::report_spec::FigureSpec;

use crate::error::ReportError;
use crate::frame::{Frame, passes, pooled, pooled_note};
use crate::load::Experiment;
use crate::number::plain;
use crate::quantity;

/// The data and the wishes behind a figure.
pub(crate) struct Source<'e> {
    pub(crate) experiment: &'e Experiment,
    pub(crate) spec: &'e FigureSpec,
    pub(crate) records: Vec<&'e Record>,
}

impl<'e> Source<'e> {
    pub(crate) fn new(
        experiment: &'e Experiment,
        spec: &'e FigureSpec,
    ) -> Result<Self, ReportError> {
        let records: Vec<&Record> = (experiment.finished.iter())
            .filter(|record| passes(record, &spec.filter))
            .collect();
        let source = Self {
            experiment,
            spec,
            records,
        };
        if source.records.is_empty() {
            let reason = match spec.filter.is_empty() {
                true => "no finished trial".to_owned(),
                false => format!("no finished trial with {}", spec.filter.summary()),
            };
            return Err(source.fault(reason));
        }
        Ok(source)
    }

    /// Lines of the trials' tables, or of the trials themselves.
    pub(crate) fn frame(&self) -> Result<Frame, ReportError> {
        match &self.spec.table {
            None => Frame::of_trials(&self.records),
            Some(table) => Frame::of_tables(
                &self.experiment.folder,
                table,
                &self.records,
                |file, reason| ReportError::TrialTable {
                    experiment: self.experiment.name(),
                    part: self.part(),
                    path: file,
                    reason,
                },
            ),
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
        let swept = self.experiment.sheet.swept.iter();
        let over = pooled(
            swept.filter(|name| !is_shown(name)),
            std::slice::from_ref(&self.records),
        );
        pooled_note(&over, "figure").into_iter().collect()
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
        format!(
            "figure “{}”",
            super::title(&self.experiment.sheet, self.spec)
        )
    }
}
