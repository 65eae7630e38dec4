//! `retrial prune`, `rm`, `rename` and `export`: records as a collection.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use retrial_core::experiment::SHEET_FILE;
use retrial_core::record::{ATTEMPT_FILE, RECORD_FILE, Record};
use retrial_core::seal::sealed;
use retrial_report::{Experiment, Export, record_text};

use super::pack::{chosen, storage};
use super::{count, report};
use crate::cli::{ExportArgs, PruneArgs, RemoveArgs, RenameArgs};
use crate::execute::folder::TrialFolders;
use crate::execute::{folder, lease};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Removes records of no present plan; with `--packed` also folders whose record is packed.
pub(crate) fn prune(workspace: &Workspace, args: &PruneArgs) -> Result<(), Failure> {
    report::refresh(workspace)?;
    for experiment in chosen(workspace, &args.names)? {
        let planned: HashSet<&String> = experiment.sheet.trials.iter().collect();
        let earlier = experiment.earlier.iter().chain(&experiment.attempts);
        let stale: Vec<&str> = earlier
            .filter(|record| !planned.contains(&record.trial))
            .map(|record| record.trial.as_str())
            .collect();
        let packed: Vec<&str> = match args.packed {
            true => (experiment.pack.trials().iter())
                .filter(|row| experiment.folder.join(&row.trial).exists())
                .map(|row| row.trial.as_str())
                .filter(|trial| !stale.contains(trial))
                .collect(),
            false => Vec::new(),
        };
        let name = experiment.name();
        for trial in stale.iter().collect::<HashSet<_>>() {
            say!("{name}/{trial}: of no present plan");
        }
        for trial in &packed {
            say!("{name}/{trial}: packed; its folder goes");
        }
        if !args.dry_run {
            remove(&experiment, &stale, workspace)?;
            for trial in packed {
                let own = experiment.folder.join(trial);
                folder::remove(&own).map_err(|error| storage(&own, &error))?;
            }
        }
    }
    Ok(())
}

/// Removes trials, or whole experiments.
pub(crate) fn rm(workspace: &Workspace, args: &RemoveArgs) -> Result<(), Failure> {
    for name in &args.names {
        let (of, trial) = match name.trim_end_matches('/').split('/').collect::<Vec<_>>()[..] {
            [study, experiment] => (format!("{study}/{experiment}"), None),
            [study, experiment, trial] => (format!("{study}/{experiment}"), Some(trial.to_owned())),
            _ => {
                let help = "name STUDY/EXPERIMENT or STUDY/EXPERIMENT/TRIAL";
                return Err(Failure::usage(format!("`{name}` is no experiment: {help}")));
            }
        };
        for experiment in chosen(workspace, &[of])? {
            let records = [
                &experiment.finished,
                &experiment.earlier,
                &experiment.attempts,
            ];
            let all: Vec<&str> = records
                .into_iter()
                .flatten()
                .map(|record| record.trial.as_str())
                .filter(|id| trial.as_deref().is_none_or(|trial| trial == *id))
                .collect();
            if let (Some(trial), true) = (&trial, all.is_empty()) {
                let name = experiment.name();
                return Err(Failure::usage(format!("{name} has no record of `{trial}`")));
            }
            remove(&experiment, &all, workspace)?;
            let distinct: HashSet<&&str> = all.iter().collect();
            say!(
                "{}: {} removed",
                experiment.name(),
                count(distinct.len(), "trial")
            );
            if trial.is_none() {
                drop_page(workspace, &experiment.sheet.study)?;
                folder::remove(&experiment.folder)
                    .map_err(|error| storage(&experiment.folder, &error))?;
            }
        }
    }
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
            let message =
                format!("another process works on {study}/{name}/{trial}; nothing is removed");
            return Err(Failure::usage(message));
        };
        leases.push((folders, lease));
    }
    let left = experiment.pack.without(trials);
    for (path, bytes) in left.map_err(|error| storage(&experiment.folder, &error))? {
        let path = experiment.folder.join(path);
        match bytes {
            Some(bytes) => retrial_store::atomic_write(&path, &bytes)?,
            None => fs::remove_file(&path).map_err(|error| storage(&path, &error))?,
        }
    }
    for (folders, _lease) in leases {
        for own in [&folders.record, &folders.attempts, &folders.partial] {
            folder::remove(own).map_err(|error| storage(own, &error))?;
        }
        lease::discard(&folders.lease);
    }
    Ok(())
}

/// Gives an experiment another name: its spec and its records, which are sealed again.
pub(crate) fn rename(workspace: &Workspace, args: &RenameArgs) -> Result<(), Failure> {
    let new = &args.new;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if new.is_empty() || !new.chars().all(is_name) {
        let help = "letters, digits, `-` and `_`, such as subset-size";
        return Err(Failure::usage(format!(
            "`{new}` is no name of an experiment: {help}"
        )));
    }
    let found = chosen(workspace, std::slice::from_ref(&args.old))?;
    let [experiment] = found.as_slice() else {
        return Err(Failure::usage(format!(
            "`{}` is no experiment: name STUDY/EXPERIMENT",
            args.old
        )));
    };
    let (study, old) = (&experiment.sheet.study, &experiment.sheet.experiment);
    let target = experiment.folder.with_file_name(new);
    let spec = |name: &str| {
        workspace
            .experiments()
            .join(study)
            .join(format!("{name}.yaml"))
    };
    for taken in [&target, &spec(new)] {
        if taken.exists() {
            return Err(Failure::usage(format!(
                "{} is there already",
                taken.display()
            )));
        }
    }
    let mut renamed = experiment.clone();
    let records = [
        &mut renamed.finished,
        &mut renamed.earlier,
        &mut renamed.attempts,
    ];
    for record in records.into_iter().flatten() {
        new.clone_into(&mut record.experiment);
        let text = text_of(record)?;
        let seal = text
            .lines()
            .last()
            .and_then(|line| line.strip_prefix("seal: "));
        seal.unwrap_or_default().clone_into(&mut record.seal);
        let own = match record.is_finished() {
            true => experiment.folder.join(&record.trial).join(RECORD_FILE),
            false => {
                let attempts = experiment.folder.join(format!("{}.attempts", record.trial));
                attempts.join(record.attempt.to_string()).join(ATTEMPT_FILE)
            }
        };
        if own.exists() {
            retrial_store::atomic_write(&own, text.as_bytes())?;
        }
    }
    if !experiment.pack.trials().is_empty() || !experiment.pack.attempts().is_empty() {
        // What was not packed before stays so.
        let is_packed = |record: &Record| match record.is_finished() {
            true => experiment.pack.trial(&record.trial).is_some(),
            false => experiment.pack.failures(&record.trial).next().is_some(),
        };
        renamed
            .finished
            .extend(std::mem::take(&mut renamed.earlier));
        renamed.finished.retain(is_packed);
        renamed.attempts.retain(is_packed);
        super::pack::write(&experiment.folder, &retrial_report::pack(&renamed)?)?;
    }
    let mut sheet = experiment.sheet.clone();
    new.clone_into(&mut sheet.experiment);
    let text = crate::experiment::text_of(&sheet)?;
    let path = experiment.folder.join(SHEET_FILE);
    retrial_store::atomic_write(&path, sealed(&text).as_bytes())?;
    drop_page(workspace, study)?;
    move_to(&experiment.folder, &target)?;
    if spec(old).exists() {
        move_to(&spec(old), &spec(new))?;
    }
    report::refresh(workspace)?;
    say!(
        "{study}/{old} is {study}/{new} now; links and quotations of the old name stay as they are"
    );
    Ok(())
}

/// Removes the page of a study, which shows what is removed on purpose; `retrial report` makes it again.
fn drop_page(workspace: &Workspace, study: &str) -> Result<(), Failure> {
    let page = workspace.reports().join(format!("{study}.md"));
    match fs::remove_file(&page) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(storage(&page, &error)),
        _ => Ok(()),
    }
}

fn move_to(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::rename(from, to).map_err(|error| storage(to, &error))
}

fn text_of(record: &Record) -> Result<String, Failure> {
    let mut open = record.clone();
    open.seal.clear();
    record_text(&open).map_err(|error| Failure::storage(format!("{}: {error}", record.trial)))
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
    let chosen = chosen(workspace, &args.names)?;
    let records: Vec<&Record> = chosen.iter().flat_map(|one| &one.finished).collect();
    let text = retrial_report::export(&records, form).map_err(Failure::storage)?;
    retrial_store::atomic_write(&args.file, &text)?;
    let file: PathBuf = args.file.clone();
    say!("{}: {}", file.display(), count(records.len(), "trial"));
    Ok(())
}
