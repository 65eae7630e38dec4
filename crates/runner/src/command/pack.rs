//! `retrial pack` and `retrial unpack`: records as few files that are committed, and back.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use retrial_core::record::{ATTEMPT_FILE, RECORD_FILE, Record};
use retrial_report::{ATTEMPTS_FILE, Experiment, PACK_FOLDERS, Packing, record_text};

use super::count;
use crate::cli::NamesArgs;
use crate::failure::Failure;
use crate::integrity;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &NamesArgs) -> Result<(), Failure> {
    for experiment in chosen(workspace, &args.names)? {
        let name = experiment.name();
        let earlier = experiment.earlier.len();
        if earlier > 0 {
            eprintln!(
                "note: {name}: {} of an earlier plan left as they are; `retrial prune` removes them",
                count(earlier, "record")
            );
        }
        let packing = retrial_report::pack(&experiment)?;
        if packing.files.is_empty() {
            continue;
        }
        for file in &packing.gone {
            eprintln!("warning: {name}: some trials have no {file} any more, so it is not packed");
        }
        write(&experiment.folder, &packing)?;
        let bytes: usize = packing.files.iter().map(|(_, bytes)| bytes.len()).sum();
        say!(
            "{name}: {}, {}: {}, {:.1} kB",
            count(packing.trials, "trial"),
            count(packing.attempts, "failed attempt"),
            count(packing.files.len(), "file"),
            bytes as f64 / 1000.0
        );
    }
    Ok(())
}

pub(crate) fn unpack(workspace: &Workspace, args: &NamesArgs) -> Result<(), Failure> {
    for experiment in chosen(workspace, &args.names)? {
        let mut written = 0;
        for record in experiment.finished.iter().chain(&experiment.earlier) {
            let target = experiment.folder.join(&record.trial);
            let Some(row) = experiment.pack.trial(&record.trial) else {
                continue;
            };
            if target.exists() {
                continue;
            }
            let mut files = vec![(RECORD_FILE.to_owned(), text_of(record)?)];
            for name in &row.kept {
                let bytes = experiment.pack.file(&record.trial, name);
                let bytes = bytes.map_err(|error| storage(&target.join(name), &error))?;
                files.push((name.clone(), bytes));
            }
            folder_of(&target, &files)?;
            written += 1;
        }
        for record in &experiment.attempts {
            let attempts = experiment.folder.join(format!("{}.attempts", record.trial));
            let target = attempts.join(record.attempt.to_string());
            if !target.exists() {
                folder_of(&target, &[(ATTEMPT_FILE.to_owned(), text_of(record)?)])?;
                written += 1;
            }
        }
        if written > 0 {
            say!(
                "{}: {} unpacked",
                experiment.name(),
                count(written, "record")
            );
        }
    }
    Ok(())
}

/// The experiments of these names, `STUDY` or `STUDY/EXPERIMENT`, or all, if their records are sound.
pub(super) fn chosen(workspace: &Workspace, names: &[String]) -> Result<Vec<Experiment>, Failure> {
    let mut loaded = integrity::load(workspace.program, &workspace.results())?;
    for name in names {
        let is_there = |one: &Experiment| is_named(one, name);
        if !loaded.iter().any(is_there) {
            let known: Vec<String> = loaded.iter().map(Experiment::name).collect();
            let help = format!("recorded: {}", known.join(", "));
            return Err(Failure::usage(format!("no records of `{name}`; {help}")));
        }
    }
    loaded.retain(|one| names.is_empty() || names.iter().any(|name| is_named(one, name)));
    integrity::sound(&loaded)?;
    Ok(loaded)
}

fn is_named(experiment: &Experiment, name: &str) -> bool {
    experiment.name() == name || experiment.sheet.study == name
}

/// Puts a pack in place; what an earlier one had and this one has not is removed.
pub(super) fn write(folder: &Path, packing: &Packing) -> Result<(), Failure> {
    for (path, bytes) in &packing.files {
        let path = folder.join(path);
        if fs::read(&path).is_ok_and(|old| old == *bytes) {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| storage(parent, &error))?;
        }
        retrial_store::atomic_write(&path, bytes)?;
    }
    let own: HashSet<PathBuf> = packing
        .files
        .iter()
        .map(|(path, _)| folder.join(path))
        .collect();
    let mut stale = vec![folder.join(ATTEMPTS_FILE)];
    for inner in PACK_FOLDERS {
        let inner = folder.join(inner);
        if let Ok(entries) = fs::read_dir(&inner) {
            for entry in entries {
                stale.push(entry.map_err(|error| storage(&inner, &error))?.path());
            }
        }
    }
    for path in stale {
        if !own.contains(&path) && path.is_file() {
            fs::remove_file(&path).map_err(|error| storage(&path, &error))?;
        }
    }
    // One that is not empty stays.
    for inner in PACK_FOLDERS {
        let _ = fs::remove_dir(folder.join(inner));
    }
    Ok(())
}

/// A folder with these files, whole or not at all.
fn folder_of(target: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let hidden = target.with_file_name(format!(".unpack-{name}"));
    let made = fs::create_dir_all(&hidden);
    made.map_err(|error| storage(&hidden, &error))?;
    for (name, bytes) in files {
        retrial_store::atomic_write(hidden.join(name), bytes)?;
    }
    retrial_store::sync_folder(&hidden)?;
    fs::rename(&hidden, target).map_err(|error| storage(target, &error))
}

fn text_of(record: &Record) -> Result<Vec<u8>, Failure> {
    let text = record_text(record);
    text.map(String::into_bytes)
        .map_err(|error| Failure::storage(format!("{}: {error}", record.trial)))
}

pub(super) fn storage(path: &Path, error: &std::io::Error) -> Failure {
    Failure::storage(format!("{}: {error}", path.display()))
}
