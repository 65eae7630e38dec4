//! What a results folder keeps of an experiment beside its trials: enough to rebuild its report
//! without the spec, the data or the study's code.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::hash;
use crate::metric::Direction;
use crate::params::Params;
use crate::record::Record;
use crate::report_spec::ReportSpec;

/// Version of [`ExperimentSheet`] and of its file, whose last line is the seal of the others.
pub const SHEET_FORMAT: u32 = 2;
/// The oldest version that is read: without a seal.
pub const OLD_SHEET_FORMAT: u32 = 1;
/// The file beside the trials of an experiment.
pub const SHEET_FILE: &str = "experiment.yaml";

/// An experiment as its report needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSheet {
    /// [`SHEET_FORMAT`], or [`OLD_SHEET_FORMAT`].
    pub format: u32,
    /// Study.
    pub study: String,
    /// The published work the study retries, as a citation.
    pub work: String,
    /// Name: the stem of the spec.
    pub experiment: String,
    /// The question it answers.
    pub question: String,
    /// The command that runs it.
    pub command: String,
    /// What the command line changed of its file, `key=value` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Data sets of the trials in the order of first use, and where they come from.
    pub datasets: Vec<DatasetSheet>,
    /// Whether the study's numbers do not depend on the seed.
    pub deterministic: bool,
    /// Params that are swept, in written order.
    pub swept: Vec<String>,
    /// Ids of the planned trials, in order: points outside, seeds inside.
    pub trials: Vec<String>,
    /// Seeds of every point.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// The swept params of every point, in the order of the trials.
    #[serde(default)]
    pub points: Vec<Params>,
    /// The params that all trials share.
    #[serde(default)]
    pub fixed: Params,
    /// Metrics of the study: name, unit, direction, meaning.
    pub metrics: Vec<QuantitySheet>,
    /// Params of the study with their units and meaning.
    pub params: Vec<QuantitySheet>,
    /// Columns of the study's tables, as `table.column`.
    pub columns: Vec<QuantitySheet>,
    /// Claims.
    pub claims: Vec<Claim>,
    /// Tables and figures.
    pub report: ReportSpec,
}

/// What the last line of a sealed text begins with.
const SEAL: &str = "seal: ";

/// The text of a sheet, lines that each end, with its seal below.
#[must_use]
pub fn sealed(text: &str) -> String {
    format!("{text}{SEAL}{}\n", hash::content(text.as_bytes()))
}

/// The text above the seal of a sheet, and whether the seal is that of the text; `None` where there
/// is no seal.
#[must_use]
pub fn unsealed(text: &str) -> Option<(&str, bool)> {
    let body = text.trim_end_matches('\n').rfind('\n')? + 1;
    let (body, last) = text.split_at(body);
    let seal = last.strip_prefix(SEAL)?;
    Some((body, seal.trim_end() == hash::content(body.as_bytes())))
}

/// A planned trial as verdicts and tables count it, whether or not it has run.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its id.
    pub trial: String,
    /// Its seed, where it is known.
    pub seed: Option<u64>,
    /// All its params; `None` where the sheet is of an older program and nothing was recorded.
    pub params: Option<Params>,
}

impl ExperimentSheet {
    /// The planned trials in order.
    ///
    /// The sheet of an older program states ids alone; `records` then say what is known.
    #[must_use]
    pub fn planned<'r>(&self, records: impl Iterator<Item = &'r Record>) -> Vec<Planned> {
        if self.points.len() * self.seeds.len() == self.trials.len() {
            let places = (self.points.iter()).flat_map(|p| self.seeds.iter().map(move |s| (p, s)));
            let planned = self
                .trials
                .iter()
                .zip(places)
                .map(|(trial, (point, seed))| {
                    let mut params = self.fixed.clone();
                    for (name, value) in point.iter() {
                        params.set(name, value.clone());
                    }
                    Planned {
                        trial: trial.clone(),
                        seed: Some(*seed),
                        params: Some(params),
                    }
                });
            return planned.collect();
        }
        let known: HashMap<&str, &Record> = records.map(|r| (r.trial.as_str(), r)).collect();
        let planned = self.trials.iter().map(|trial| {
            let record = known.get(trial.as_str());
            Planned {
                trial: trial.clone(),
                seed: record.map(|record| record.seed),
                params: record.map(|record| record.params.clone()),
            }
        });
        planned.collect()
    }
}

/// A data set as a report states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetSheet {
    /// Name under `datasets/`.
    pub name: String,
    /// Title.
    pub title: String,
    /// Licence statement.
    pub licence: String,
    /// Citation.
    pub citation: String,
    /// Whether it is generated by retrial.
    pub generated: bool,
}

/// A named quantity with its unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantitySheet {
    /// Name in files.
    pub name: String,
    /// Unit, or empty.
    pub unit: String,
    /// Which way it gets better.
    pub direction: Direction,
    /// Bounds in words (params), or empty.
    pub bounds: String,
    /// One sentence.
    pub doc: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_that_of_every_byte_above_it() {
        let text = "format: 2\nquestion: |-\n  Does it?\n  seal: no\n";
        let whole = sealed(text);
        assert_eq!(unsealed(&whole), Some((text, true)));
        assert_eq!(unsealed(text), None);
        let cut = whole.replace("  Does it?\n", "");
        assert_eq!(unsealed(&cut).map(|(_, is_sound)| is_sound), Some(false));
    }
}
