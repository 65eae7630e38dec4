//! `retrial pack` and `retrial unpack`: records as few files that are committed, and back.

use std::fs;
use std::path::Path;

use retrial_core::record::{ATTEMPT_FILE, RECORD_FILE};

use super::held::hold_sound;
use super::{count, report};
use crate::cli::NamesArgs;
use crate::execute::folder;
use crate::failure::Failure;
use crate::packing::{self, UNPACKED, storage, text_of};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &NamesArgs) -> Result<(), Failure> {
    // Which tables are kept, the spec says.
    report::refresh(workspace)?;
    for held in hold_sound(workspace, &args.names)? {
        let experiment = &held.experiment;
        let name = experiment.name();
        let earlier = experiment.earlier.len();
        if earlier > 0 {
            eprintln!(
                "note: {name}: {} of an earlier plan packed, too; `retrial prune` removes them",
                count(earlier, "record")
            );
        }
        let packing = retrial_report::pack(experiment)?;
        for file in &packing.gone {
            eprintln!("warning: {name}: some trials have no {file} any more, so it is not packed");
        }
        for file in &packing.stays {
            eprintln!(
                "note: {name}: {file} stays packed, though the spec does not keep it: no folder has it; \
                 `retrial unpack` writes these"
            );
        }
        packing::put(&experiment.folder, &packing.changes)?;
        let files: Vec<usize> = packing.files().map(|(_, bytes)| bytes.len()).collect();
        if !files.is_empty() {
            say!(
                "{name}: {}, {}: {}, {:.1} kB",
                count(packing.trials, "trial"),
                count(packing.attempts, "failed attempt"),
                count(files.len(), "file"),
                files.iter().sum::<usize>() as f64 / 1000.0
            );
        }
    }
    Ok(())
}

pub(crate) fn unpack(workspace: &Workspace, args: &NamesArgs) -> Result<(), Failure> {
    for held in hold_sound(workspace, &args.names)? {
        let experiment = &held.experiment;
        let mut written = 0;
        for row in experiment.pack.trials() {
            let target = experiment.folder.join(&row.trial);
            let Ok(record) = &row.record else { continue };
            if target.exists() {
                continue;
            }
            let mut files = vec![(RECORD_FILE, text_of(record)?.into_bytes())];
            for name in &row.kept {
                let bytes = experiment.pack.file(&row.trial, name);
                let path = || experiment.pack.path(&row.trial, name);
                files.push((name, bytes.map_err(|error| storage(&path(), &error))?));
            }
            folder_of(&target, &files)?;
            written += 1;
        }
        for row in experiment.pack.attempts() {
            let Ok(record) = &row.record else { continue };
            let attempts = experiment.folder.join(format!("{}.attempts", row.trial));
            let target = attempts.join(record.attempt.to_string());
            if !target.exists() {
                folder_of(&target, &[(ATTEMPT_FILE, text_of(record)?.into_bytes())])?;
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

/// A folder with these files of a record, whole or not at all.
fn folder_of(target: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), Failure> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let hidden = target.with_file_name(format!(".unpack-{name}"));
    // What a killed process left; of a link the link alone goes.
    folder::remove(&hidden).map_err(|error| storage(&hidden, &error))?;
    fs::create_dir_all(&hidden).map_err(|error| storage(&hidden, &error))?;
    for (name, bytes) in files {
        retrial_store::atomic_write(hidden.join(name), bytes)?;
    }
    let names: Vec<String> = files.iter().map(|(name, _)| format!("{name}\n")).collect();
    retrial_store::atomic_write(hidden.join(UNPACKED), names.concat().as_bytes())?;
    retrial_store::sync_folder(&hidden)?;
    fs::rename(&hidden, target).map_err(|error| storage(target, &error))
}
