//! The folders of a trial and what they say of its state.
//!
//! `<trial>/` is the record of a finished trial, `<trial>.partial/` a trial at work or
//! interrupted, `<trial>.attempts/<n>/` the failed attempts.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use retrial_core::file;
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
        // What is no pack is named by every command that reads all records.
        let pack = Pack::read(&folder, study, experiment)?.unwrap_or_default();
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

    /// The state of a trial; a record is read and checked.
    ///
    /// # Errors
    /// A record that may be sound and cannot be read.
    pub(crate) fn state(
        &self,
        program: &Program,
        trial: &retrial_core::plan::Trial,
        folders: &TrialFolders,
        revision: u32,
    ) -> Result<TrialState, Failure> {
        if self.names.contains(&trial.id) {
            return Ok(
                match integrity::fault_of(program, &folders.record, &self.pack)? {
                    None => TrialState::Recorded,
                    Some(reason) => TrialState::Damaged { reason },
                },
            );
        }
        if let Some(row) = self.pack.trial(&trial.id) {
            let fault = integrity::fault_of_packed(program, row, &folders.record, &self.pack)?;
            return Ok(match fault {
                None => TrialState::Recorded,
                Some(reason) => TrialState::Damaged { reason },
            });
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
            if let Some(reason) = integrity::fault_of_attempt(program, folder)? {
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
    /// Why the trial would run, or that it would not.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Recorded => "recorded".to_owned(),
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
            Self::New { changed: Some(_) } => "changed",
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

fn difference(record: &Record, trial: &retrial_core::plan::Trial, revision: u32) -> String {
    let mut changes = Vec::new();
    if record.revision != revision {
        changes.push(format!("study revision {} → {revision}", record.revision));
    }
    let digest = trial.dataset.as_ref().map(|(_, content)| content);
    if record.dataset.as_ref().map(|d| &d.content) != digest {
        changes.push("the data".to_owned());
    }
    for (name, value) in trial.params.iter().filter(|(name, _)| *name != "dataset") {
        match record.params.get(name) {
            Some(old) if old.same(value) => {}
            Some(old) => changes.push(format!("{name} {old} → {value}")),
            None => changes.push(format!("{name} is new")),
        }
    }
    if changes.is_empty() {
        let device = &record.device;
        changes.push(format!(
            "an amendment of the study, or another kind of device than {device}"
        ));
    }
    changes.join(", ")
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
