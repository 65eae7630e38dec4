//! The folders of a trial and what they say of its state.
//!
//! `<trial>/` is the record of a finished trial, `<trial>.partial/` a trial at work or
//! interrupted, `<trial>.attempts/<n>/` the failed attempts.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use retrial_core::record::{
    ATTEMPT_FILE, OLD_RECORD_FORMAT, Outcome, RECORD_FILE, RECORD_FORMAT, Record,
};

use super::lease;

/// The folders of one trial.
#[derive(Clone, Debug)]
pub(crate) struct TrialFolders {
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
        }
    }

    /// Whether the trial is recorded.
    pub(crate) fn is_recorded(&self) -> bool {
        fs::metadata(self.record.join(RECORD_FILE)).is_ok_and(|data| data.len() > 0)
    }

    /// Failed attempts, oldest first.
    pub(crate) fn failures(&self) -> Vec<(u32, PathBuf)> {
        let mut attempts: Vec<(u32, PathBuf)> = entries(&self.attempts)
            .into_iter()
            .filter_map(|name| Some((name.parse().ok()?, self.attempts.join(&name))))
            .collect();
        attempts.sort_unstable();
        attempts
    }
}

/// What an experiment's folder holds, read once for all its trials.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    folder: PathBuf,
    names: HashSet<String>,
    recorded: HashSet<String>,
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
    pub(crate) fn read(results: &Path, study: &str, experiment: &str) -> Self {
        let folder = results.join(study).join(experiment);
        let names: HashSet<String> = entries(&folder).into_iter().collect();
        let mut by_stem: HashMap<String, Vec<String>> = HashMap::new();
        let mut recorded = HashSet::new();
        for name in &names {
            // The record itself must be there: a folder without one is no record.
            let file = folder.join(name).join(RECORD_FILE);
            if name.ends_with(".partial") || !fs::metadata(file).is_ok_and(|data| data.len() > 0) {
                continue;
            }
            recorded.insert(name.clone());
            if let Some((stem, _)) = name.rsplit_once('-') {
                by_stem
                    .entry(stem.to_owned())
                    .or_default()
                    .push(name.clone());
            }
        }
        Self {
            folder,
            names,
            recorded,
            by_stem,
        }
    }

    /// Whether a trial is recorded, judged by its file's existence.
    fn is_recorded(&self, trial: &str) -> bool {
        self.recorded.contains(trial)
    }

    /// The state of a trial; a record is read and checked.
    pub(crate) fn state(
        &self,
        trial: &retrial_core::plan::Trial,
        folders: &TrialFolders,
        revision: u32,
    ) -> TrialState {
        if self.is_recorded(&trial.id) {
            return match crate::integrity::fault_of(&folders.record) {
                None => TrialState::Recorded,
                Some(reason) => TrialState::Damaged { reason },
            };
        }
        let partial = self.names.contains(&format!("{}.partial", trial.id));
        if lease::is_held(&folders.lease) {
            return TrialState::Running;
        }
        if self.names.contains(&format!("{}.attempts", trial.id)) {
            let failures = folders.failures();
            if let Some((_, last)) = failures.last() {
                return TrialState::Failed {
                    attempts: failures.len(),
                    error: failure_text(last),
                };
            }
        }
        if partial {
            return TrialState::Interrupted;
        }
        let changed = self.by_stem.get(&trial.stem).and_then(|others| {
            let newest = others
                .iter()
                .max_by_key(|name| modified(&self.folder.join(name)))?;
            let record = read_record(&self.folder.join(newest).join(RECORD_FILE)).ok()?;
            Some(difference(&record, trial, revision))
        });
        TrialState::New { changed }
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

/// Reads a record or attempt, checking its version.
pub(crate) fn read_record(path: &Path) -> Result<Record, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let record: Record =
        serde_yaml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if !(OLD_RECORD_FORMAT..=RECORD_FORMAT).contains(&record.format) {
        let format = record.format;
        return Err(format!(
            "{}: record format {format} is not known",
            path.display()
        ));
    }
    Ok(record)
}

fn failure_text(attempt: &Path) -> String {
    match read_record(&attempt.join(ATTEMPT_FILE)).map(|record| record.outcome) {
        Ok(Outcome::Failed { cause, error }) => {
            let first = error.lines().next().unwrap_or("").to_owned();
            if first.is_empty() { cause } else { first }
        }
        Ok(Outcome::Finished) => "its attempt says it finished".to_owned(),
        Err(error) => error,
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

fn entries(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).map_or_else(
        |_| Vec::new(),
        |found| {
            found
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .collect()
        },
    )
}

/// Removes a folder that may not be there.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
