//! The folders of a trial and what they say of its state.
//!
//! `<trial>/` is the record of a finished trial, `<trial>.partial/` a trial at work or
//! interrupted, `<trial>.attempts/<n>/` the failed attempts.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use retrial_core::file;
use retrial_core::params::Params;
use retrial_core::plan::Trial;
use retrial_core::record::{Outcome, RECORD_FILE, Record};
use retrial_report::Pack;

use super::lease;
use crate::failure::Failure;
use crate::integrity;
use crate::program::Program;

/// The folders of one trial.
#[derive(Clone, Debug)]
pub(crate) struct TrialFolders {
    /// `<study>/<experiment>/`, which holds the others.
    pub(crate) experiment: PathBuf,
    /// `<trial>/`.
    pub(crate) record: PathBuf,
    /// `<trial>.partial/`.
    pub(crate) partial: PathBuf,
    /// `<trial>.attempts/`.
    pub(crate) attempts: PathBuf,
    /// The lease file.
    pub(crate) lease: PathBuf,
}

impl TrialFolders {
    pub(crate) fn new(results: &Path, study: &str, experiment: &str, trial: &str) -> Self {
        let experiment_folder = results.join(study).join(experiment);
        Self {
            record: experiment_folder.join(trial),
            partial: experiment_folder.join(format!("{trial}.partial")),
            attempts: experiment_folder.join(format!("{trial}.attempts")),
            lease: lease::path(results, &format!("{study}.{experiment}.{trial}")),
            experiment: experiment_folder,
        }
    }

    /// Whether the trial is recorded.
    pub(crate) fn is_recorded(&self) -> bool {
        fs::metadata(self.record.join(RECORD_FILE)).is_ok_and(|data| data.len() > 0)
    }

    /// Failed attempts, oldest first.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub(crate) fn failures(&self) -> Result<Vec<(u32, PathBuf)>, Failure> {
        let mut attempts: Vec<(u32, PathBuf)> = folders(&self.attempts)?
            .into_iter()
            .filter_map(|name| Some((name.parse().ok()?, self.attempts.join(&name))))
            .collect();
        attempts.sort_unstable();
        Ok(attempts)
    }
}

/// What an experiment's folder holds, read once for all its trials.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    folder: PathBuf,
    names: HashSet<String>,
    pack: Pack,
    /// Finished trials by their id without the hash.
    by_stem: HashMap<String, Vec<String>>,
}

/// What is known of a planned trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrialState {
    /// Its record is there.
    Recorded,
    /// Its record is there, and has other params: a default was changed, and the revision of the study was not.
    Redefined {
        /// What differs.
        changed: String,
    },
    /// What is there in its name is no sound record.
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
    /// Another process works on it.
    Running,
    /// Something was begun and not ended.
    Interrupted,
    /// Attempts failed.
    Failed {
        /// How many.
        attempts: usize,
        /// What the last one said.
        error: String,
    },
    /// Nothing is there; `changed` says what differs from the record of the same point.
    New {
        /// Differences to an earlier record of the same point and seed.
        changed: Option<String>,
    },
}

impl Inventory {
    /// Reads the names in `results/<study>/<experiment>/`; a missing folder is empty.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub(crate) fn read(results: &Path, study: &str, experiment: &str) -> Result<Self, Failure> {
        let folder = results.join(study).join(experiment);
        let names: HashSet<String> = folders(&folder)?.into_iter().collect();
        let pack = Pack::read(&folder, study, experiment)?;
        let mut by_stem: HashMap<String, Vec<String>> = HashMap::new();
        let packed = pack.trials().iter().map(|row| &row.trial);
        for name in names.iter().chain(packed) {
            if let Some((stem, id)) = name.rsplit_once('-')
                && !id.contains('.')
            {
                by_stem
                    .entry(stem.to_owned())
                    .or_default()
                    .push(name.clone());
            }
        }
        Ok(Self {
            folder,
            names,
            pack,
            by_stem,
        })
    }

    /// What is damaged in the pack, rows and files, each in a line.
    ///
    /// # Errors
    /// A table that cannot be read.
    pub(crate) fn faults(&self) -> Result<Vec<String>, Failure> {
        let trials: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let faults = self.pack.faults(&trials)?.into_iter();
        let line = |(file, reason): (String, String)| {
            format!("{}: {reason}", self.folder.join(file).display())
        };
        Ok(faults.map(line).collect())
    }

    /// The state of a trial; a record is read and checked.
    ///
    /// # Errors
    /// A record that may be sound and cannot be read.
    pub(crate) fn state(
        &self,
        program: &Program,
        trial: &Trial,
        folders: &TrialFolders,
        revision: u32,
    ) -> Result<TrialState, Failure> {
        if self.names.contains(&trial.id) {
            let found = integrity::finished(program, &folders.record, &self.pack)?;
            return Ok(TrialState::found(found, trial));
        }
        if let Some(row) = self.pack.trial(&trial.id) {
            let found = integrity::packed(program, row, &folders.record, &self.pack)?;
            return Ok(TrialState::found(found, trial));
        }
        let partial = self.names.contains(&format!("{}.partial", trial.id));
        if lease::is_held(&folders.lease) {
            return Ok(TrialState::Running);
        }
        let failures = match self.names.contains(&format!("{}.attempts", trial.id)) {
            true => folders.failures()?,
            false => Vec::new(),
        };
        for (number, folder) in &failures {
            if let Some(reason) = integrity::fault_of_attempt(program, folder, &self.pack)? {
                let reason = format!("attempt {number}: {reason}");
                return Ok(TrialState::Damaged { reason });
            }
        }
        let packed: Vec<&Record> = self.pack.failures(&trial.id).collect();
        let last = match failures.last() {
            Some((_, last)) => retrial_report::read_attempt(last)?.map(failure_text),
            None => Ok(packed
                .last()
                .map_or_else(String::new, |last| failure_text((*last).clone()))),
        };
        let attempts = failures.len().max(packed.len());
        if attempts > 0 {
            return Ok(TrialState::Failed {
                attempts,
                error: last.unwrap_or_else(|reason| reason),
            });
        }
        if partial {
            return Ok(TrialState::Interrupted);
        }
        let changed = self.by_stem.get(&trial.stem).and_then(|others| {
            let newest = others
                .iter()
                .max_by_key(|name| modified(&self.folder.join(name)))?;
            let record = match self.pack.trial(newest) {
                Some(row) => row.record.clone(),
                None => retrial_report::read_finished(&self.folder.join(newest)).ok()?,
            };
            Some(difference(&record.ok()?, trial, revision))
        });
        Ok(TrialState::New { changed })
    }
}

impl TrialState {
    /// That of a trial by what was found under its id.
    fn found(found: Result<Record, String>, trial: &Trial) -> Self {
        match found {
            Ok(record) => Self::of_record(&record.params, trial),
            Err(reason) => Self::Damaged { reason },
        }
    }

    /// That of a trial whose record is sound and has these params. Those that it does not name came later.
    pub(crate) fn of_record(recorded: &Params, trial: &Trial) -> Self {
        let changed = changes(recorded, trial).into_iter();
        let changed: Vec<String> = changed.filter_map(|(_, change)| change).collect();
        match changed.is_empty() {
            true => Self::Recorded,
            false => Self::Redefined {
                changed: changed.join(", "),
            },
        }
    }

    /// Why the trial would run, or that it would not.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Recorded => "recorded".to_owned(),
            Self::Redefined { changed } => {
                format!("recorded under the same id with another default: {changed}")
            }
            Self::Damaged { reason } => format!("damaged: {reason}"),
            Self::Running => "another process works on it".to_owned(),
            Self::Interrupted => "interrupted: goes on from its last checkpoint".to_owned(),
            Self::Failed { attempts: 1, error } => format!("failed: {error}"),
            Self::Failed { attempts, error } => format!("failed {attempts} times: {error}"),
            Self::New { changed: None } => "new".to_owned(),
            Self::New {
                changed: Some(what),
            } => format!("changed since recorded: {what}"),
        }
    }

    /// One word for tables and JSON.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Damaged { .. } => "damaged",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Failed { .. } => "failed",
            Self::New { changed: None } => "new",
            Self::New { changed: Some(_) } | Self::Redefined { .. } => "changed",
        }
    }
}

fn failure_text(attempt: Record) -> String {
    match attempt.outcome {
        Outcome::Failed { cause, error } => match error.lines().next() {
            Some(first) if !first.is_empty() => first.to_owned(),
            _ => cause,
        },
        Outcome::Finished => "it finished".to_owned(),
    }
}

fn difference(record: &Record, trial: &Trial, revision: u32) -> String {
    let mut changes = Vec::new();
    if record.revision != revision {
        changes.push(format!("study revision {} → {revision}", record.revision));
    }
    let digest = trial.dataset.as_ref().map(|(_, content)| content);
    if record.dataset.as_ref().map(|d| &d.content) != digest {
        changes.push("the data".to_owned());
    }
    for (name, change) in self::changes(&record.params, trial) {
        changes.push(change.unwrap_or_else(|| format!("{name} is new")));
    }
    if changes.is_empty() {
        let device = &record.device;
        changes.push(format!(
            "an amendment of the study, or another kind of device than {device}"
        ));
    }
    changes.join(", ")
}

/// The params of a trial that have another value in a record, with both, and those that it does not name.
fn changes<'t>(recorded: &Params, trial: &'t Trial) -> Vec<(&'t str, Option<String>)> {
    let mut changes = Vec::new();
    for (name, value) in trial.params.iter().filter(|(name, _)| *name != "dataset") {
        match recorded.get(name) {
            Some(old) if old.same(value) => {}
            Some(old) => changes.push((name, Some(format!("{name} {old} → {value}")))),
            None => changes.push((name, None)),
        }
    }
    changes
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

/// Names of the folders in a folder, none where it is missing.
///
/// # Errors
/// A folder that cannot be listed.
pub(crate) fn folders(folder: &Path) -> Result<Vec<String>, Failure> {
    file::folders(folder)
        .map_err(|error| Failure::storage(format!("list {}: {error}", folder.display())))
}

/// Removes a folder that may not be there.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
