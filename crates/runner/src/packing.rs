//! Packs as they are changed on the disk.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use retrial_core::record::Record;
use retrial_report::{Change, Damaged, Experiment, PACK_FOLDERS};

use crate::execute::record_file;
use crate::failure::Failure;

/// The file of an unpacked folder that names the files which were packed: the others are not missing.
pub(crate) const UNPACKED: &str = ".unpacked";

/// Puts changes of a pack in place, in their order.
pub(crate) fn put(folder: &Path, changes: &[Change]) -> Result<(), Failure> {
    for (path, bytes) in changes {
        let path = folder.join(path);
        let Some(bytes) = bytes else {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(storage(&path, &error));
                }
                _ => continue,
            }
        };
        if fs::read(&path).is_ok_and(|old| old == *bytes) {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| storage(parent, &error))?;
        }
        retrial_store::atomic_write(&path, bytes)?;
    }
    // One that is not empty stays.
    for inner in PACK_FOLDERS {
        let _ = fs::remove_dir(folder.join(inner));
    }
    Ok(())
}

/// Takes what is damaged out of a pack. The files as they were are kept aside.
pub(crate) fn set_aside(loaded: &Experiment) -> Result<(), Failure> {
    let damaged: Vec<&Damaged> = (loaded.damaged.iter())
        .filter(|one| one.is_packed())
        .collect();
    if damaged.is_empty() {
        return Ok(());
    }
    let folder = &loaded.folder;
    // Of a trial with a sound record a second row is damaged alone.
    let sound = || loaded.finished.iter().chain(&loaded.earlier);
    let mut trials: Vec<&str> = damaged.iter().filter_map(|one| one.trial()).collect();
    trials.retain(|trial| sound().all(|record| record.trial != *trial));
    let changes = loaded.pack.without_damage(&trials);
    let changes = changes.map_err(|error| storage(folder, &error))?;
    let aside = record_file::free_aside(folder, "pack")?;
    for (path, _) in &changes {
        let (old, kept) = (folder.join(path), aside.join(path));
        if let Some(parent) = kept.parent() {
            fs::create_dir_all(parent).map_err(|error| storage(parent, &error))?;
        }
        // What is no file cannot be linked, and goes.
        fs::hard_link(&old, &kept)
            .or_else(|_| fs::copy(&old, &kept).map(|_| ()))
            .or_else(|_| fs::rename(&old, &kept))
            .map_err(|error| storage(&old, &error))?;
    }
    put(folder, &changes)?;
    for one in damaged {
        let place = aside.display();
        eprintln!(
            "set aside: {} ({}); it lies in {place}",
            one.path, one.reason
        );
    }
    Ok(())
}

/// The text of a record, sealed anew.
pub(crate) fn text_of(record: &Record) -> Result<String, Failure> {
    retrial_report::record_text(record)
        .map_err(|error| Failure::storage(format!("{}: {error}", record.trial)))
}

pub(crate) fn storage(path: &Path, error: &std::io::Error) -> Failure {
    Failure::storage(format!("{}: {error}", path.display()))
}
