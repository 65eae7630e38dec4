//! Records as polars frames: one line a trial, or one line a row of the trials' tables.
//!
//! Params are kept as the text a person wrote, so that `1` and `1.0` stay apart in labels;
//! [`Frame::numbers`] reads them as numbers where a figure needs that.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use polars::prelude::{BooleanChunked, Column, DataFrame, DataType, GroupsIndicator};
use retrial_core::experiment::Planned;
use retrial_core::params::{ParamValue, Params};
use retrial_core::record::Record;
use retrial_core::statistics::{Summary, mean, summarise};

use crate::error::ReportError;

/// The column with the trial's id.
pub(crate) const TRIAL: &str = "trial";
/// The column with the trial's seed.
pub(crate) const SEED: &str = "seed";

/// Trials or rows of their tables, with every param and metric as a column.
pub(crate) struct Frame(DataFrame);

/// Lines of a frame that agree in some columns.
pub(crate) struct Group {
    /// What they agree in, as text.
    pub(crate) key: Vec<String>,
    /// Which lines.
    pub(crate) rows: Vec<usize>,
}

impl Frame {
    /// One line a trial: id, seed, params, metrics.
    pub(crate) fn of_trials(records: &[&Record]) -> Result<Self, ReportError> {
        let lines: Vec<usize> = (0..records.len()).collect();
        Self::with_params(Vec::new(), records, &lines)
    }

    /// One line a row of `<trial>/<table>.csv`, after it the trial's id, seed, params, metrics.
    ///
    /// `fault` makes an error from a file and what is wrong with it.
    pub(crate) fn of_tables(
        folder: &Path,
        table: &str,
        records: &[&Record],
        fault: impl Fn(String, String) -> ReportError,
    ) -> Result<Self, ReportError> {
        let mut names: Vec<String> = Vec::new();
        let mut cells: Vec<Vec<String>> = Vec::new();
        let mut owner = Vec::new();
        for (i, record) in records.iter().enumerate() {
            let file = format!("{}/{table}.csv", record.trial);
            let mut reader = csv::Reader::from_path(folder.join(&file))
                .map_err(|error| fault(file.clone(), error.to_string()))?;
            let header = (reader.headers())
                .map_err(|error| fault(file.clone(), error.to_string()))?
                .clone();
            if i == 0 {
                names = header.iter().map(str::to_owned).collect();
                cells = vec![Vec::new(); names.len()];
            } else if !header.iter().eq(names.iter()) {
                let first = &records[0].trial;
                return Err(fault(
                    file,
                    format!("other columns than those of trial {first}"),
                ));
            }
            for line in reader.records() {
                let line = line.map_err(|error| fault(file.clone(), error.to_string()))?;
                for (column, cell) in cells.iter_mut().zip(&line) {
                    column.push(cell.to_owned());
                }
                owner.push(i);
            }
        }
        let columns = names.iter().zip(cells).map(|(name, cells)| {
            let numbers: Option<Vec<f64>> = cells.iter().map(|cell| number(cell)).collect();
            match numbers {
                Some(numbers) => Column::new(name.as_str().into(), numbers),
                None => Column::new(name.as_str().into(), cells),
            }
        });
        Self::with_params(columns.collect(), records, &owner)
    }

    /// Adds the trials' own columns to those of their tables; a table's column of the same name
    /// wins. `owner` is the trial of every line.
    fn with_params(
        mut columns: Vec<Column>,
        records: &[&Record],
        owner: &[usize],
    ) -> Result<Self, ReportError> {
        let mut add = |column: Column| {
            if columns.iter().all(|c| c.name() != column.name()) {
                columns.push(column);
            }
        };
        let texts = |text: &dyn Fn(&Record) -> String| -> Vec<String> {
            let each: Vec<String> = records.iter().map(|record| text(record)).collect();
            owner.iter().map(|&i| each[i].clone()).collect()
        };
        add(Column::new(TRIAL.into(), texts(&|r| r.trial.clone())));
        add(Column::new(SEED.into(), texts(&|r| r.seed.to_string())));
        for name in names(records, |r| r.params.iter().map(|(n, _)| n).collect()) {
            let values = texts(&|r| {
                r.params
                    .get(&name)
                    .map_or(String::new(), ToString::to_string)
            });
            add(Column::new(name.as_str().into(), values));
        }
        for name in names(records, |r| r.metrics.iter().map(|m| &*m.name).collect()) {
            let each: Vec<f64> = (records.iter())
                .map(|r| r.metric(&name).unwrap_or(f64::NAN))
                .collect();
            let values: Vec<f64> = owner.iter().map(|&i| each[i]).collect();
            add(Column::new(name.as_str().into(), values));
        }
        Ok(Self(DataFrame::new(owner.len(), columns)?))
    }

    /// The lines that hold this text in these columns.
    pub(crate) fn only(self, wanted: &BTreeMap<String, String>) -> Result<Self, ReportError> {
        let mut kept = vec![true; self.height()];
        for (name, text) in wanted {
            let texts = self.texts(name).unwrap_or_default();
            for (kept, found) in kept.iter_mut().zip(texts) {
                *kept &= found == *text;
            }
        }
        let kept = BooleanChunked::from_iter(kept.into_iter().map(Some));
        Ok(Self(self.0.filter(&kept)?))
    }

    /// Number of lines.
    pub(crate) fn height(&self) -> usize {
        self.0.height()
    }

    /// Names of all columns.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.0.get_column_names();
        names.into_iter().map(ToString::to_string).collect()
    }

    /// A column as numbers; `None` when it is not there or holds words.
    pub(crate) fn numbers(&self, name: &str) -> Option<Vec<f64>> {
        let column = self.0.column(name).ok()?;
        if let Ok(values) = column.f64() {
            let values = values.iter().map(|v| v.unwrap_or(f64::NAN));
            return Some(values.collect());
        }
        let texts = column.str().ok()?;
        texts.iter().map(|t| number(t?)).collect()
    }

    /// A column as text; `None` when it is not there.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let column = self.0.column(name).ok()?;
        if *column.dtype() == DataType::Float64 {
            let numbers = self.numbers(name)?;
            return Some(numbers.into_iter().map(|v| v.to_string()).collect());
        }
        let texts = column.str().ok()?;
        let texts = texts.iter().map(|t| t.unwrap_or_default().to_owned());
        Some(texts.collect())
    }

    /// Lines that agree in `keys`, in order of first appearance.
    pub(crate) fn groups(&self, keys: &[&str]) -> Result<Vec<Group>, ReportError> {
        if self.height() == 0 {
            return Ok(Vec::new());
        }
        if keys.is_empty() {
            return Ok(vec![Group {
                key: Vec::new(),
                rows: (0..self.height()).collect(),
            }]);
        }
        let texts: Vec<Vec<String>> = (keys.iter())
            .map(|key| self.texts(key).unwrap_or_default())
            .collect();
        let grouped = self.0.group_by_stable(keys.iter().copied())?;
        let groups = grouped.get_groups().iter().map(|group| {
            let rows: Vec<usize> = match group {
                GroupsIndicator::Idx((_, rows)) => rows.iter().map(|&i| i as usize).collect(),
                GroupsIndicator::Slice([first, length]) => {
                    (first as usize..(first + length) as usize).collect()
                }
            };
            Group {
                key: texts.iter().map(|column| column[rows[0]].clone()).collect(),
                rows,
            }
        });
        Ok(groups.collect())
    }

    /// Mean, spread and interval of `value` over trials, for all lines that agree in `keys`.
    ///
    /// The unit of repetition is the trial: where a trial has several lines in a group, they are
    /// averaged first, so that many rows of one table never pass for many trials. Values that are
    /// not finite are left out; a group without any is left out whole.
    pub(crate) fn summaries(
        &self,
        keys: &[&str],
        value: &[f64],
    ) -> Result<Vec<(Vec<String>, Summary)>, ReportError> {
        let mut with_trial = keys.to_vec();
        with_trial.push(TRIAL);
        let mut found: Vec<(Vec<String>, Vec<f64>)> = Vec::new();
        let mut places: HashMap<Vec<String>, usize> = HashMap::new();
        for mut group in self.groups(&with_trial)? {
            group.key.pop();
            let finite = group.rows.iter().map(|&row| value[row]);
            let finite: Vec<f64> = finite.filter(|v| v.is_finite()).collect();
            if finite.is_empty() {
                continue;
            }
            let of_trial = mean(&finite);
            let place = *places.entry(group.key.clone()).or_insert(found.len());
            if place == found.len() {
                found.push((group.key, Vec::new()));
            }
            found[place].1.push(of_trial);
        }
        let summaries = found
            .into_iter()
            .filter_map(|(key, values)| Some((key, summarise(&values)?)));
        Ok(summaries.collect())
    }
}

/// Whether a record has all of these params, its seed among them.
pub(crate) fn passes(record: &Record, filter: &Params) -> bool {
    let seed = i64::try_from(record.seed).map(ParamValue::Int).ok();
    filter.iter().all(|(name, value)| {
        let ours = match record.params.get(name) {
            None if name == SEED => seed.as_ref(),
            ours => ours,
        };
        ours.is_some_and(|ours| ours.same(value))
    })
}

/// Whether a planned trial has all of these params; one of which nothing is known may have them.
pub(crate) fn passes_planned(trial: &Planned, filter: &Params) -> bool {
    let Some(params) = &trial.params else {
        return true;
    };
    let seed = trial.seed.and_then(|seed| i64::try_from(seed).ok());
    let seed = seed.map(ParamValue::Int);
    filter.iter().all(|(name, value)| {
        let ours = match params.get(name) {
            None if name == SEED => seed.as_ref(),
            ours => ours,
        };
        ours.is_some_and(|ours| ours.same(value))
    })
}

/// A planned trial's values of some columns as a frame of trials words them; `None` where they
/// are known of finished trials alone.
pub(crate) fn planned_key(trial: &Planned, columns: &[String]) -> Option<Vec<String>> {
    let params = trial.params.as_ref()?;
    let value = |name: &String| match name.as_str() {
        TRIAL => Some(trial.trial.clone()),
        SEED => trial.seed.map(|seed| seed.to_string()),
        name => params.get(name).map(ToString::to_string),
    };
    columns.iter().map(value).collect()
}

/// Those of `params` in which records that are summarised together differ.
pub(crate) fn pooled<'p>(
    params: impl Iterator<Item = &'p String>,
    groups: &[Vec<&Record>],
) -> Vec<&'p str> {
    let differs = |name: &String, group: &[&Record]| {
        let mut values = group.iter().map(|record| record.params.get(name));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    params
        .filter(|name| groups.iter().any(|group| differs(name, group)))
        .map(String::as_str)
        .collect()
}

/// A sentence on params that are pooled over; `whole` is what does not show them.
pub(crate) fn pooled_note(params: &[&str], whole: &str) -> Option<String> {
    let spoken: Vec<String> = params.iter().map(|name| name.replace('_', " ")).collect();
    (!params.is_empty()).then(|| {
        let spoken = spoken.join(", ");
        format!("Values are pooled over {spoken}, which this {whole} does not show apart.")
    })
}

fn names<'r>(records: &[&'r Record], of: impl Fn(&'r Record) -> Vec<&'r str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for record in records {
        for name in of(record) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// A cell as a number; an empty one is a missing value.
fn number(cell: &str) -> Option<f64> {
    match cell.trim() {
        "" => Some(f64::NAN),
        text => text.parse().ok(),
    }
}
