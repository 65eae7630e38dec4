//! Results folders as experiments: what was planned, what finished, what failed, what is damaged.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use retrial_core::experiment::{ExperimentSheet, Planned, SHEET_FILE, SHEET_FORMAT};
use retrial_core::record::{ATTEMPT_FILE, OLD_RECORD_FORMAT, RECORD_FILE, RECORD_FORMAT, Record};

use crate::error::ReportError;

/// An experiment with everything its trials left.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The experiment as planned.
    pub sheet: ExperimentSheet,
    /// Folder of its trials; tables are read from here when a figure needs them.
    pub folder: PathBuf,
    /// Finished trials of the plan, in its order.
    pub finished: Vec<Record>,
    /// Finished trials that are in no plan any more; never pooled with the others.
    pub earlier: Vec<Record>,
    /// Failed attempts, by trial and number.
    pub attempts: Vec<Record>,
    /// Records that could not be read or no longer say what was recorded; they judge nothing.
    pub damaged: Vec<Damaged>,
    /// Trials that were begun and neither finished nor failed.
    pub unfinished: Vec<String>,
}

/// A record that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Its file, within the results folder.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Experiment {
    /// `study/experiment`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.sheet.study, self.sheet.experiment)
    }

    /// The planned trials, whether or not they have run.
    #[must_use]
    pub fn planned(&self) -> Vec<Planned> {
        self.sheet
            .planned(self.finished.iter().chain(&self.attempts))
    }
}

/// All experiments of a results folder, by study and name.
///
/// # Errors
/// A folder that cannot be listed, or an experiment sheet that cannot be read. A record that
/// cannot be read is no error: it is in [`Experiment::damaged`].
pub fn load(results: &Path) -> Result<Vec<Experiment>, ReportError> {
    let mut experiments = Vec::new();
    if !results.exists() {
        return Ok(experiments);
    }
    for study in folders(results)? {
        for experiment in folders(&results.join(&study))? {
            let folder = results.join(&study).join(&experiment);
            let path = folder.join(SHEET_FILE);
            if path.is_file() {
                experiments.push(read_experiment(&folder, read_sheet(&path)?)?);
            }
        }
    }
    Ok(experiments)
}

/// What a results folder holds of the experiment on `sheet`, whatever its own sheet says.
///
/// # Errors
/// A folder that cannot be listed.
pub fn load_experiment(results: &Path, sheet: ExperimentSheet) -> Result<Experiment, ReportError> {
    let folder = results.join(&sheet.study).join(&sheet.experiment);
    read_experiment(&folder, sheet)
}

fn read_sheet(path: &Path) -> Result<ExperimentSheet, ReportError> {
    let text = fs::read_to_string(path).map_err(ReportError::io("read", path))?;
    if let Some(found) = format_of(&text).filter(|&found| found != SHEET_FORMAT) {
        return Err(ReportError::SheetFormat {
            path: path.to_owned(),
            found,
            expected: SHEET_FORMAT,
        });
    }
    serde_yaml::from_str(&text).map_err(|error| ReportError::Sheet {
        path: path.to_owned(),
        reason: first_line(&error.to_string()),
    })
}

fn read_experiment(folder: &Path, sheet: ExperimentSheet) -> Result<Experiment, ReportError> {
    let prefix = format!("{}/{}", sheet.study, sheet.experiment);
    let mut files = Vec::new();
    let mut unfinished = Vec::new();
    let names = if folder.is_dir() {
        folders(folder)?
    } else {
        Vec::new()
    };
    for name in names {
        if let Some(trial) = name.strip_suffix(".partial") {
            unfinished.push(trial.to_owned());
        } else if let Some(trial) = name.strip_suffix(".attempts") {
            let mut numbers = folders(&folder.join(&name))?;
            // An attempt that was being written when its writer died says nothing.
            numbers.retain(|number| !number.ends_with(".partial"));
            numbers.sort_by_key(|n| (n.parse::<u32>().unwrap_or(u32::MAX), n.clone()));
            // One that is being written, or whose writer died, is no attempt.
            numbers.retain(|number| !number.ends_with(".partial"));
            for number in numbers {
                files.push((trial.to_owned(), format!("{name}/{number}/{ATTEMPT_FILE}")));
            }
        } else {
            files.push((name.clone(), format!("{name}/{RECORD_FILE}")));
        }
    }
    let place: HashMap<&str, usize> = (sheet.trials.iter().enumerate())
        .map(|(i, id)| (id.as_str(), i))
        .collect();
    let (mut finished, mut earlier, mut attempts) = (Vec::new(), Vec::new(), Vec::new());
    let mut damaged = Vec::new();
    for ((trial, file), read) in files.iter().zip(read_all(folder, &files)) {
        match read {
            Ok(record) if record.trial != *trial => damaged.push(Damaged {
                path: format!("{prefix}/{file}"),
                reason: format!("it says that it is trial `{}`", record.trial),
            }),
            Ok(record) if !file.ends_with(RECORD_FILE) || !record.is_finished() => {
                attempts.push(record);
            }
            Ok(record) if place.contains_key(trial.as_str()) => finished.push(record),
            Ok(record) => earlier.push(record),
            Err(reason) => damaged.push(Damaged {
                path: format!("{prefix}/{file}"),
                reason,
            }),
        }
    }
    finished.sort_by_key(|record| place.get(record.trial.as_str()).copied());
    let ended: HashSet<&str> = (finished.iter().chain(&attempts))
        .map(|r| r.trial.as_str())
        .collect();
    unfinished.retain(|trial| !ended.contains(trial.as_str()));
    Ok(Experiment {
        sheet,
        folder: folder.to_owned(),
        finished,
        earlier,
        attempts,
        damaged,
        unfinished,
    })
}

/// Reads records on all cores: parsing ten thousand takes seconds on one.
fn read_all(folder: &Path, files: &[(String, String)]) -> Vec<Result<Record, String>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(threads).max(64);
    std::thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(share)
            .map(|part| {
                scope.spawn(move || -> Vec<_> {
                    (part.iter())
                        .map(|(_, file)| read_record(&folder.join(file)))
                        .collect()
                })
            })
            .collect();
        (workers.into_iter())
            .flat_map(|worker| match worker.join() {
                Ok(records) => records,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

fn read_record(path: &Path) -> Result<Record, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let known = OLD_RECORD_FORMAT..=RECORD_FORMAT;
    if let Some(found) = format_of(&text).filter(|found| !known.contains(found)) {
        return Err(format!(
            "format {found}, this version reads format {RECORD_FORMAT}"
        ));
    }
    serde_yaml::from_str(&text).map_err(|error| first_line(&error.to_string()))
}

/// The value of the top-level key `format`, read before the rest so that a file of another
/// version is told from a damaged one.
fn format_of(text: &str) -> Option<u32> {
    (text.lines())
        .find_map(|line| line.strip_prefix("format:"))
        .and_then(|value| value.trim().parse().ok())
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

/// Names of the folders in `path` in order; hidden ones hold no experiment.
fn folders(path: &Path) -> Result<Vec<String>, ReportError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(ReportError::io("list", path))? {
        let entry = entry.map_err(ReportError::io("list", path))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
