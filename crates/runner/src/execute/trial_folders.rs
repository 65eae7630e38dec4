//! The folders of a trial.
//!
//! `<trial>/` is the record of a finished trial, `<trial>.partial/` a trial at work or
//! interrupted, `<trial>.attempts/<n>/` the failed attempts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use retrial_core::file;
use retrial_core::record::RECORD_FILE;

use super::lease;
use crate::failure::Failure;

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
