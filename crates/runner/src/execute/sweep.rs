//! What dead processes left behind: temporary files, half-written attempts, leases of results that
//! are in place. Everything here is advice: what cannot be removed does no harm.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::{self, TrialFolders};
use super::lease;
use super::stage::{CHECKPOINTS, RESULT, STAGES};
use crate::experiment::Experiment;

/// Tidies the folders of these experiments and of all stages. What a living process still holds is
/// left alone, so that runs at the same time do not disturb each other.
pub(crate) fn after(results: &Path, experiments: &[&Experiment]) {
    for experiment in experiments {
        let spec = &experiment.spec;
        let folder = results.join(&spec.study).join(&spec.name);
        retrial_store::remove_leftovers(&folder);
        for name in names(&folder) {
            let trial = name.strip_suffix(".attempts").unwrap_or(&name);
            let folders = TrialFolders::new(results, &spec.study, &spec.name, trial);
            if trial != name {
                remove_half_attempts(&folders);
            }
            if folders.is_recorded() && folders.lease.exists() {
                lease::tidy(&folders.lease);
            }
        }
    }
    let stages = results.join(STAGES);
    for id in names(&stages) {
        let folder = stages.join(&id);
        retrial_store::remove_leftovers(&folder);
        if !folder.join(RESULT).exists() {
            continue;
        }
        let path = lease::path(results, &format!("stage.{id}"));
        let checkpoints = folder.join(CHECKPOINTS);
        if (path.exists() || checkpoints.exists())
            && let Ok(Some(_lease)) = lease::try_take(&path)
        {
            let _ = folder::remove(&checkpoints);
            lease::discard(&path);
        }
    }
}

/// Removes attempts that were not written to their end, unless one is being written now.
fn remove_half_attempts(folders: &TrialFolders) {
    let half: Vec<PathBuf> = names(&folders.attempts)
        .into_iter()
        .filter(|name| name.ends_with(".partial"))
        .map(|name| folders.attempts.join(name))
        .collect();
    if half.is_empty() {
        return;
    }
    if let Ok(Some(_lease)) = lease::try_take(&folders.lease) {
        for folder in half {
            let _ = folder::remove(&folder);
        }
        // Goes only when no attempt is in it.
        let _ = fs::remove_dir(&folders.attempts);
    }
}

fn names(path: &Path) -> Vec<String> {
    folder::folders(path).unwrap_or_default()
}
