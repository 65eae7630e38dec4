//! Tables of metrics over trials: one line per value of some params, over all seeds.

mod csv;
mod latex;
mod markdown;

use retrial_core::metric::Direction;
use retrial_core::report_spec::TableSpec;
use retrial_core::statistics::{Summary, summarise};

pub(crate) use self::markdown::{aligned, escape as escape_markdown};
use crate::error::ReportError;
use crate::frame::{Frame, passes, passes_planned, planned_key, pooled, pooled_note};
use crate::load::Experiment;
use crate::number::NumberStyle;
use crate::quantity;

/// A table, ready to be written in any format.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// What it shows.
    pub(crate) title: String,
    /// Part of its file names.
    pub(crate) slug: String,
    /// Params that name the lines: name in files, label.
    pub(crate) rows: Vec<(String, String)>,
    /// Metrics that fill the columns.
    pub(crate) values: Vec<ValueColumn>,
    /// The lines.
    pub(crate) lines: Vec<Line>,
    /// Whether any line rests on more than one trial.
    pub(crate) repeated: bool,
    /// A sentence on swept params that differ within a line.
    pub(crate) pooled: Option<String>,
}

/// A metric as a column.
#[derive(Clone, Debug)]
pub(crate) struct ValueColumn {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) direction: Direction,
    pub(crate) style: NumberStyle,
}

/// One line: the params it is about, a summary per metric, and the number of trials.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) key: Vec<String>,
    pub(crate) cells: Vec<Option<Summary>>,
    pub(crate) trials: usize,
    /// How many were planned, where more than finished.
    pub(crate) planned: Option<usize>,
}

impl Line {
    /// `5`, or `3 of 10` where planned trials are missing.
    pub(crate) fn count(&self) -> String {
        match self.planned {
            Some(planned) => format!("{} of {planned}", self.trials),
            None => self.trials.to_string(),
        }
    }
}

/// The table that a spec asks for.
pub(crate) fn build(experiment: &Experiment, spec: &TableSpec) -> Result<Table, ReportError> {
    let sheet = &experiment.sheet;
    let records: Vec<_> = (experiment.finished.iter())
        .filter(|record| passes(record, &spec.filter))
        .collect();
    let title = (spec.title.clone()).unwrap_or_else(|| made_title(spec));
    let frame = Frame::of_trials(&records)?;
    let absent = |name: &String| ReportError::NoColumn {
        experiment: experiment.name(),
        part: format!("table “{title}”"),
        name: name.clone(),
        place: "the params and metrics of its trials".to_owned(),
        known: frame.names().join(", "),
    };
    let has_trials = frame.height() > 0;
    for name in spec.rows.iter().filter(|_| has_trials) {
        frame.texts(name).ok_or_else(|| absent(name))?;
    }
    let mut columns = Vec::new();
    for name in spec.values.iter().filter(|_| has_trials) {
        let column = frame.numbers(name).ok_or_else(|| match frame.texts(name) {
            Some(_) => ReportError::Figure {
                experiment: experiment.name(),
                part: format!("table “{title}”"),
                reason: format!("`{name}` holds words where numbers are needed"),
            },
            None => absent(name),
        });
        columns.push(column?);
    }
    let keys: Vec<&str> = spec.rows.iter().map(String::as_str).collect();
    let mut lines = Vec::new();
    let mut members = Vec::new();
    for group in frame.groups(&keys)? {
        members.push(group.rows.iter().map(|&row| records[row]).collect());
        let cells = columns.iter().map(|column| {
            let values = group.rows.iter().map(|&row| column[row]);
            let finite: Vec<f64> = values.filter(|v| v.is_finite()).collect();
            summarise(&finite)
        });
        lines.push(Line {
            cells: cells.collect(),
            trials: group.rows.len(),
            key: group.key,
            planned: None,
        });
    }
    count_planned(&mut lines, experiment, spec);
    let values = spec.values.iter().enumerate().map(|(i, name)| {
        let cells = lines.iter().filter_map(|line| line.cells.get(i)?.as_ref());
        ValueColumn {
            name: name.clone(),
            label: quantity::label(sheet, None, name),
            direction: quantity::find(sheet, None, name)
                .map_or(Direction::None, |quantity| quantity.direction),
            style: NumberStyle::of(cells, true),
        }
    });
    let over = pooled(sheet.swept.iter(), &members);
    Ok(Table {
        pooled: pooled_note(&over, "table"),
        values: values.collect(),
        slug: quantity::slug(&title),
        title,
        rows: (spec.rows.iter())
            .map(|name| (name.clone(), quantity::label(sheet, None, name)))
            .collect(),
        repeated: (lines.iter()).any(|line| line.trials > 1 || line.planned.is_some()),
        lines,
    })
}

/// Sets the number of planned trials where some are missing, and adds the lines of which all are.
fn count_planned(lines: &mut Vec<Line>, experiment: &Experiment, spec: &TableSpec) {
    if experiment.finished.len() == experiment.sheet.trials.len() {
        return;
    }
    let mut counts: Vec<(Vec<String>, usize)> = Vec::new();
    let planned = experiment.planned();
    for trial in planned
        .iter()
        .filter(|trial| passes_planned(trial, &spec.filter))
    {
        let Some(key) = planned_key(trial, &spec.rows) else {
            return;
        };
        match counts.iter_mut().find(|(known, _)| *known == key) {
            Some((_, count)) => *count += 1,
            None => counts.push((key, 1)),
        }
    }
    for (place, (key, count)) in counts.into_iter().enumerate() {
        match lines.iter_mut().find(|line| line.key == key) {
            Some(line) => line.planned = (count > line.trials).then_some(count),
            None => lines.insert(
                place.min(lines.len()),
                Line {
                    key,
                    cells: vec![None; spec.values.len()],
                    trials: 0,
                    planned: Some(count),
                },
            ),
        }
    }
}

impl Table {
    /// Heads of all columns as text.
    pub(crate) fn heads(&self) -> Vec<String> {
        let rows = self.rows.iter().map(|(_, label)| label.clone());
        let values = (self.values.iter())
            .map(|value| format!("{}{}", value.label, quantity::arrow(value.direction)));
        let mut heads: Vec<String> = rows.chain(values).collect();
        if self.repeated {
            heads.push("n".to_owned());
        }
        heads
    }

    /// What a number of the table is, for the line below it.
    pub(crate) fn legend(&self) -> Option<String> {
        let spread = (self.values.iter().any(|value| value.style.has_spread()))
            .then_some("Mean ± standard deviation over n trials, and [95 % interval of the mean].");
        let parts: Vec<&str> = spread.into_iter().chain(self.pooled.as_deref()).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

impl ValueColumn {
    /// A cell as text; the number of values is added where it is not that of the line.
    pub(crate) fn cell(&self, line: &Line, cell: Option<&Summary>) -> String {
        let Some(cell) = cell else {
            return crate::number::NONE.to_owned();
        };
        let mut text = self.style.mean_sd(cell);
        if let Some(interval) = self.style.interval(cell) {
            text.push(' ');
            text.push_str(&interval);
        }
        if cell.n != line.trials {
            text.push_str(&format!(" (n = {})", cell.n));
        }
        text
    }
}

fn made_title(spec: &TableSpec) -> String {
    let values: Vec<String> = spec.values.iter().map(|n| n.replace('_', " ")).collect();
    let rows: Vec<String> = spec.rows.iter().map(|n| n.replace('_', " ")).collect();
    if rows.is_empty() {
        values.join(", ")
    } else {
        format!("{} by {}", values.join(", "), rows.join(" and "))
    }
}
