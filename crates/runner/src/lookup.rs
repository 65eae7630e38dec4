//! A trial by the beginning of its name.

use std::path::Path;

use retrial_core::record::Record;
use retrial_report::{PACK_FOLDERS, Pack};

use crate::execute::folder::{self, TrialFolders};
use crate::failure::Failure;
use crate::workspace::Workspace;

impl Workspace {
    /// The record of the one trial whose path or id begins as given; nothing where it is not finished.
    ///
    /// # Errors
    /// [`Failure::Usage`] where no trial or several are meant, [`Failure::Damaged`] where it has no sound record.
    pub fn finished(&self, trial: &str) -> Result<Option<Record>, Failure> {
        let results = self.results();
        let (study, experiment, trial) = find(&results, trial)?;
        let folders = TrialFolders::new(&results, &study, &experiment, &trial);
        let pack = pack_of(&folders, &study, &experiment)?;
        let record = match pack.trial(&trial) {
            Some(row) if !folders.is_recorded() => row.record.clone(),
            _ if folders.is_recorded() => retrial_report::read_finished(&folders.record)?,
            _ => return Ok(None),
        };
        let record = record.map_err(|reason| {
            Failure::Damaged(vec![format!("{}: {reason}", folders.record.display())])
        });
        record.map(Some)
    }
}

/// The pack of the experiment of a trial.
pub(crate) fn pack_of(
    folders: &TrialFolders,
    study: &str,
    experiment: &str,
) -> Result<Pack, Failure> {
    let pack = Pack::read(&folders.experiment, study, experiment)?;
    pack.map_err(|reason| {
        let folder = folders.experiment.display();
        Failure::Damaged(vec![format!("{folder}: {reason}")])
    })
}

/// The one trial whose path or id begins as given.
pub(crate) fn find(results: &Path, wanted: &str) -> Result<(String, String, String), Failure> {
    let parts: Vec<&str> = wanted.trim_end_matches('/').split('/').collect();
    let mut found = Vec::new();
    for study in folder::folders(results)? {
        for experiment in folder::folders(&results.join(&study))? {
            let own = results.join(&study).join(&experiment);
            let pack = Pack::read(&own, &study, &experiment)?.unwrap_or_default();
            let packed = pack.trials().iter().chain(pack.attempts());
            let packed = packed.map(|row| row.trial.clone());
            let here = folder::folders(&own)?.into_iter();
            let mut trials: Vec<String> = here
                .filter(|name| !PACK_FOLDERS.contains(&name.as_str()))
                .chain(packed)
                .map(|name| {
                    let plain = name
                        .strip_suffix(".partial")
                        .or_else(|| name.strip_suffix(".attempts"));
                    plain.unwrap_or(&name).to_owned()
                })
                .collect();
            trials.sort();
            trials.dedup();
            for trial in trials {
                let path = [study.as_str(), &experiment, &trial];
                let tail = &path[3 - parts.len().min(3)..];
                let (last, before) = parts.split_last().unwrap_or((&"", &[]));
                if parts.len() <= 3
                    && tail[..before.len()] == *before
                    && tail.last().is_some_and(|name| name.starts_with(last))
                {
                    found.push((study.clone(), experiment.clone(), trial));
                }
            }
        }
    }
    match found.len() {
        0 => {
            let folder = results.display();
            Err(Failure::usage(format!(
                "no trial `{wanted}` under {folder}"
            )))
        }
        1 => Ok(found.remove(0)),
        many => {
            let names: Vec<String> = found
                .iter()
                .take(10)
                .map(|(study, experiment, trial)| format!("  {study}/{experiment}/{trial}"))
                .collect();
            let names = names.join("\n");
            Err(Failure::usage(format!(
                "`{wanted}` fits {many} trials:\n{names}"
            )))
        }
    }
}
