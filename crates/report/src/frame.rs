//! Records as polars frames: one line a trial, or one line a row of the trials' tables.
//!
//! Params are kept as the text a person wrote, so that `1` and `1.0` stay apart in labels;
//! [`Frame::numbers`] reads them as numbers where a figure needs that.

use std::collections::{BTreeMap, HashMap};

use polars::error::PolarsError;
use polars::prelude::{BooleanChunked, Column, DataFrame, GroupsIndicator};
use retrial_core::experiment::Planned;
use retrial_core::params::{ParamValue, Params};
use retrial_core::record::Record;
use retrial_core::statistics::{Summary, mean, summarise};

use crate::error::ReportError;
use crate::load::Experiment;

/// The column with the trial's id.
pub(crate) const TRIAL: &str = "trial";
/// The column with the trial's seed.
pub(crate) const SEED: &str = "seed";

/// Trials or rows of their tables, with every param and metric as a column.
pub(crate) struct Frame {
    /// What the trials' tables hold, a value a line.
    lines: DataFrame,
    /// What belongs to the trials, a value a trial: ids, seeds, params and metrics.
    trials: DataFrame,
    /// The trial of every line.
    owner: Vec<usize>,
}

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
        let owner = (0..records.len()).collect();
        Ok(Self {
            lines: DataFrame::empty(),
            trials: of_records(records)?,
            owner,
        })
    }

    /// One line a row of `<trial>/<table>.csv`, after it the trial's id, seed, params, metrics; a table's column of the
    /// same name wins.
    ///
    /// `fault` makes an error from a file and what is wrong with it.
    pub(crate) fn of_tables(
        experiment: &Experiment,
        table: &str,
        records: &[&Record],
        fault: impl Fn(String, String) -> ReportError,
    ) -> Result<Self, ReportError> {
        let mut names: Vec<String> = Vec::new();
        let mut cells: Vec<Vec<String>> = Vec::new();
        let mut owner = Vec::new();
        for (i, record) in records.iter().enumerate() {
            let file = format!("{}/{table}.csv", record.trial);
            let bytes = (experiment.file(&record.trial, &format!("{table}.csv")))
                .map_err(|error| fault(file.clone(), error.to_string()))?;
            let mut reader = csv::Reader::from_reader(bytes.as_slice());
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
        Ok(Self {
            lines: DataFrame::new(owner.len(), columns.collect())?,
            trials: of_records(records)?,
            owner,
        })
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
        let owner = self.owner.iter().zip(&kept).filter(|(_, kept)| **kept);
        let owner = owner.map(|(owner, _)| *owner).collect();
        let kept = BooleanChunked::from_iter(kept.into_iter().map(Some));
        Ok(Self {
            lines: match self.lines.width() {
                0 => self.lines,
                _ => self.lines.filter(&kept)?,
            },
            trials: self.trials,
            owner,
        })
    }

    /// Number of lines.
    pub(crate) fn height(&self) -> usize {
        self.owner.len()
    }

    /// Names of all columns.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for frame in [&self.lines, &self.trials] {
            for name in frame.get_column_names() {
                if names.iter().all(|known| *known != name.as_str()) {
                    names.push(name.to_string());
                }
            }
        }
        names
    }

    /// A column and what of it belongs to a line; `None` when it is not there.
    fn column(&self, name: &str) -> Option<(&Column, impl Fn(usize) -> usize)> {
        let (column, is_of_trials) = match self.lines.column(name) {
            Ok(column) => (column, false),
            Err(_) => (self.trials.column(name).ok()?, true),
        };
        let place = move |line: usize| if is_of_trials { self.owner[line] } else { line };
        Some((column, place))
    }

    /// A column as numbers; `None` when it is not there or holds words.
    pub(crate) fn numbers(&self, name: &str) -> Option<Vec<f64>> {
        let (column, place) = self.column(name)?;
        let values: Vec<f64> = match column.f64() {
            Ok(values) => values.iter().map(|v| v.unwrap_or(f64::NAN)).collect(),
            Err(_) => {
                let texts = column.str().ok()?.iter();
                texts.map(|text| number(text?)).collect::<Option<_>>()?
            }
        };
        Some((0..self.height()).map(|line| values[place(line)]).collect())
    }

    /// A column as text; `None` when it is not there.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let (column, place) = self.column(name)?;
        let texts = texts(column)?;
        Some(
            (0..self.height())
                .map(|line| texts[place(line)].clone())
                .collect(),
        )
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
        let mut columns = Vec::new();
        let mut key_of: Vec<Box<dyn Fn(usize) -> String + '_>> = Vec::new();
        for name in keys {
            let missing = || PolarsError::ColumnNotFound((*name).to_owned().into());
            let (column, place) = self.column(name).ok_or_else(missing)?;
            let texts = texts(column).ok_or_else(missing)?;
            let each = numbered(&texts);
            let each: Vec<u32> = (0..self.height()).map(|line| each[place(line)]).collect();
            columns.push(Column::new((*name).into(), each));
            key_of.push(Box::new(move |line| texts[place(line)].clone()));
        }
        let frame = DataFrame::new(self.height(), columns)?;
        let grouped = frame.group_by_stable(keys.iter().copied())?;
        let groups = grouped.get_groups().iter().map(|group| {
            let rows: Vec<usize> = match group {
                GroupsIndicator::Idx((_, rows)) => rows.iter().map(|&i| i as usize).collect(),
                GroupsIndicator::Slice([first, length]) => {
                    (first as usize..(first + length) as usize).collect()
                }
            };
            Group {
                key: key_of.iter().map(|key| key(rows[0])).collect(),
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

/// Ids, seeds, params and metrics of records, a line each.
fn of_records(records: &[&Record]) -> Result<DataFrame, ReportError> {
    let mut columns: Vec<Column> = Vec::new();
    let mut add = |column: Column| {
        if columns.iter().all(|c| c.name() != column.name()) {
            columns.push(column);
        }
    };
    let texts = |text: &dyn Fn(&Record) -> String| -> Vec<String> {
        records.iter().map(|record| text(record)).collect()
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
    for name in names(records, |r| r.metrics.iter().map(|(n, _)| n).collect()) {
        let values: Vec<f64> = (records.iter())
            .map(|r| r.metric(&name).unwrap_or(f64::NAN))
            .collect();
        add(Column::new(name.as_str().into(), values));
    }
    Ok(DataFrame::new(records.len(), columns)?)
}

/// The values of a column as text; `None` for a kind that frames do not have.
fn texts(column: &Column) -> Option<Vec<String>> {
    if let Ok(values) = column.f64() {
        let values = values.iter().map(|v| v.unwrap_or(f64::NAN).to_string());
        return Some(values.collect());
    }
    let texts = column.str().ok()?;
    Some(
        texts
            .iter()
            .map(|t| t.unwrap_or_default().to_owned())
            .collect(),
    )
}

/// One number for equal texts: such columns are grouped faster.
fn numbered(texts: &[String]) -> Vec<u32> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let each = texts.iter().map(|text| {
        let next = numbers.len() as u32;
        *numbers.entry(text).or_insert(next)
    });
    each.collect()
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
