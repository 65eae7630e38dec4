//! `retrial prune`, `rm` and `export`: records as a collection.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::PathBuf;

use retrial_core::record::Record;
use retrial_report::{Damaged, Experiment, Export};

use super::held::{hold, hold_sound, keep_from_runs, read};
use super::{count, report};
use crate::cli::{ExportArgs, PruneArgs, RemoveArgs};
use crate::execute::folder::TrialFolders;
use crate::execute::{folder, lease};
use crate::failure::Failure;
use crate::packing::{self, storage};
use crate::workspace::Workspace;

/// Removes records of no present plan; with `--packed` also folders whose record is packed.
pub(crate) fn prune(workspace: &Workspace, args: &PruneArgs) -> Result<(), Failure> {
    let specs = report::specs(workspace)?;
    for held in hold_sound(workspace, &args.names)? {
        let experiment = &held.experiment;
        let name = experiment.name();
        let sheet = &experiment.sheet;
        let is_own = |own: &&crate::experiment::Experiment| {
            own.spec.study == sheet.study && own.spec.name == sheet.experiment
        };
        let spec = specs.list.iter().find(is_own);
        // A faulty spec may be the one, and what `--set` changed has none.
        if spec.is_none() && specs.faults.is_empty() && sheet.changes.is_empty() {
            say!(
                "{name}: its spec is gone; its records stay, and `retrial rm {name}` removes them"
            );
        }
        let planned: HashSet<&String> = match spec {
            Some(spec) => spec.trials.iter().map(|trial| &trial.id).collect(),
            None => sheet.trials.iter().collect(),
        };
        let records = [
            &experiment.finished,
            &experiment.earlier,
            &experiment.attempts,
        ];
        let stale: BTreeSet<&str> = (records.into_iter().flatten())
            .filter(|record| !planned.contains(&record.trial))
            .map(|record| record.trial.as_str())
            .collect();
        for trial in &stale {
            say!("{name}/{trial}: of no present plan");
        }
        let mut folders = match args.packed {
            true => packed_folders(experiment),
            false => Vec::new(),
        };
        folders.retain(|(trial, _)| !stale.contains(trial.as_str()));
        for (_, path) in &folders {
            let own = path.strip_prefix(&experiment.folder).unwrap_or(path);
            say!("{name}/{}: packed; its folder goes", own.display());
        }
        if !args.dry_run {
            let stale: Vec<&str> = stale.into_iter().collect();
            remove(experiment, &stale, workspace)?;
            for (_, path) in folders {
                folder::remove(&path).map_err(|error| storage(&path, &error))?;
                if path.parent() != Some(&experiment.folder)
                    && let Some(attempts) = path.parent()
                {
                    // Goes only when no attempt is in it.
                    let _ = fs::remove_dir(attempts);
                }
            }
        }
    }
    Ok(())
}

/// The folders of packed records, with their trials, and what was left of the work on those that finished.
fn packed_folders(experiment: &Experiment) -> Vec<(String, PathBuf)> {
    let mut folders = Vec::new();
    for row in experiment.pack.trials() {
        let own = |end: &str| experiment.folder.join(format!("{}{end}", row.trial));
        folders.push((row.trial.clone(), own("")));
        folders.push((row.trial.clone(), own(".partial")));
    }
    for record in &experiment.attempts {
        if experiment.pack.record(record).is_some() {
            let attempts = experiment.folder.join(format!("{}.attempts", record.trial));
            let own = attempts.join(record.attempt.to_string());
            folders.push((record.trial.clone(), own));
        }
    }
    folders.retain(|(_, path)| path.exists());
    folders
}

/// Removes trials, or whole experiments, damaged ones too.
pub(crate) fn rm(workspace: &Workspace, args: &RemoveArgs) -> Result<(), Failure> {
    for name in &args.names {
        let (of, trial) = match name.trim_end_matches('/').split('/').collect::<Vec<_>>()[..] {
            [study, experiment] => (format!("{study}/{experiment}"), None),
            [study, experiment, trial] => (format!("{study}/{experiment}"), Some(trial)),
            _ => {
                let help = "name STUDY/EXPERIMENT or STUDY/EXPERIMENT/TRIAL";
                return Err(Failure::usage(format!("`{name}` is no experiment: {help}")));
            }
        };
        for held in hold(workspace, &[of])? {
            let experiment = &held.experiment;
            let all = trials_of(experiment);
            let removed = match trial {
                Some(trial) if !trial.starts_with('.') && all.contains(trial) => {
                    remove(experiment, &[trial], workspace)?;
                    1
                }
                Some(trial) => {
                    let name = experiment.name();
                    return Err(Failure::usage(format!("{name} has no record of `{trial}`")));
                }
                None => {
                    remove_all(experiment, &all, workspace)?;
                    all.len()
                }
            };
            let trials = count(removed, "trial");
            say!("{}: {trials} removed", experiment.name());
        }
    }
    Ok(())
}

/// All trials that left something: records, attempts, damage, or work that was not ended.
pub(super) fn trials_of(experiment: &Experiment) -> BTreeSet<String> {
    let records = [
        &experiment.finished,
        &experiment.earlier,
        &experiment.attempts,
    ];
    let records = records.into_iter().flatten();
    let records = records.map(|record| record.trial.as_str());
    let damaged = experiment.damaged.iter().filter_map(Damaged::trial);
    let unfinished = experiment.unfinished.iter().map(String::as_str);
    let all = records.chain(damaged).chain(unfinished);
    all.map(str::to_owned).collect()
}

/// Removes an experiment. One that a process runs is refused.
fn remove_all(
    experiment: &Experiment,
    trials: &BTreeSet<String>,
    workspace: &Workspace,
) -> Result<(), Failure> {
    let results = workspace.results();
    let (study, name) = (&experiment.sheet.study, &experiment.sheet.experiment);
    let _alone = keep_from_runs(workspace, experiment, trials)?;
    drop_page(workspace, study)?;
    folder::remove(&experiment.folder).map_err(|error| storage(&experiment.folder, &error))?;
    for trial in trials {
        lease::discard(&TrialFolders::new(&results, study, name, trial).lease);
    }
    lease::discard(&lease::of_runs(&results, study, name));
    Ok(())
}

/// Removes everything that trials left. One that another process works on is refused.
fn remove(experiment: &Experiment, trials: &[&str], workspace: &Workspace) -> Result<(), Failure> {
    if trials.is_empty() {
        return Ok(());
    }
    let results = workspace.results();
    let (study, name) = (&experiment.sheet.study, &experiment.sheet.experiment);
    let mut leases = Vec::new();
    for trial in trials.iter().collect::<HashSet<_>>() {
        let folders = TrialFolders::new(&results, study, name, trial);
        let Some(lease) = lease::try_take(&folders.lease)? else {
            let who = lease::holder(&folders.lease);
            let message = format!("{who} works on {study}/{name}/{trial}, so nothing is removed");
            return Err(Failure::usage(message));
        };
        leases.push((folders, lease));
    }
    let left = experiment.pack.without(trials);
    let left = left.map_err(|error| storage(&experiment.folder, &error))?;
    packing::put(&experiment.folder, &left)?;
    for (folders, _lease) in leases {
        for own in [&folders.record, &folders.attempts, &folders.partial] {
            folder::remove(own).map_err(|error| storage(own, &error))?;
        }
        lease::discard(&folders.lease);
    }
    Ok(())
}

/// Removes the page of a study, which shows what is removed on purpose; `retrial report` makes it again.
pub(super) fn drop_page(workspace: &Workspace, study: &str) -> Result<(), Failure> {
    let page = workspace.reports().join(format!("{study}.md"));
    match fs::remove_file(&page) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(storage(&page, &error)),
        _ => Ok(()),
    }
}

/// One table of all finished trials, CSV or Arrow: a row each, with params, metrics and provenance.
pub(crate) fn export(workspace: &Workspace, args: &ExportArgs) -> Result<(), Failure> {
    let end = args.file.extension().and_then(|end| end.to_str());
    let form = match end {
        Some("csv") => Export::Csv,
        Some("arrow") => Export::Arrow,
        _ => {
            let file = args.file.display();
            let message = format!("`{file}`: end its name with .csv, or .arrow for an Arrow file");
            return Err(Failure::usage(message));
        }
    };
    let chosen = read(workspace, &args.names)?;
    let records: Vec<&Record> = chosen.iter().flat_map(|one| &one.finished).collect();
    let text = retrial_report::export(&records, form).map_err(Failure::storage)?;
    retrial_store::atomic_write(&args.file, &text)?;
    let file: PathBuf = args.file.clone();
    say!("{}: {}", file.display(), count(records.len(), "trial"));
    Ok(())
}
