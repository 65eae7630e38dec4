//! Whether records still say what was recorded.
//!
//! A record names the hash of every file beside it, and its last line is the hash of its text. Its id is
//! computed again from its params, seed, data, revision and device. A packed record has the same
//! seal, and the files that are packed with it the same hashes.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use retrial_core::experiment::ExperimentSheet;
use retrial_core::file;
use retrial_core::params::ParamValue;
use retrial_core::plan::bears_its_id;
use retrial_core::record::{ATTEMPT_FILE, RECORD_FILE, Record};
use retrial_core::study::StudyInfo;
use retrial_report::{ATTEMPTS_FILE, Damaged, Experiment, Pack, Packed, TRIALS_FILE};

use crate::execute::folder::TrialFolders;
use crate::execute::{lease, record_file};
use crate::failure::Failure;
use crate::program::Program;

/// Why something is no sound record, or nothing; an error where what is there cannot be read, so
/// that it may be sound.
pub(crate) type Fault = Result<Option<String>, Failure>;

/// All experiments of a results folder; damaged records are apart from those that judge.
pub(crate) fn load(program: &Program, results: &Path) -> Result<Vec<Experiment>, Failure> {
    let mut experiments = retrial_report::load(results)?;
    for experiment in &mut experiments {
        set_apart(program, experiment)?;
    }
    Ok(experiments)
}

/// As [`load`], of one experiment, whose sheet need not be there.
pub(crate) fn load_one(
    program: &Program,
    results: &Path,
    sheet: ExperimentSheet,
) -> Result<Experiment, Failure> {
    let mut experiment = retrial_report::load_experiment(results, sheet)?;
    set_apart(program, &mut experiment)?;
    Ok(experiment)
}

/// Moves records that are not what was recorded to those that are damaged.
fn set_apart(program: &Program, experiment: &mut Experiment) -> Result<(), Failure> {
    let folder = experiment.folder.clone();
    let name = experiment.name();
    let pack = experiment.pack.clone();
    let place = |record: &Record| match record.is_finished() {
        true => (record.trial.clone(), RECORD_FILE),
        false => (
            format!("{}.attempts/{}", record.trial, record.attempt),
            ATTEMPT_FILE,
        ),
    };
    let lists = [
        &mut experiment.finished,
        &mut experiment.earlier,
        &mut experiment.attempts,
    ];
    for records in lists {
        let checked = std::mem::take(records).into_par_iter().map(|record| {
            let own = folder.join(place(&record).0);
            let reason = fault(program, &record, &own, &pack)?;
            Ok((record, reason))
        });
        let checked: Result<Vec<(Record, Option<String>)>, Failure> = checked.collect();
        for (record, reason) in checked? {
            let Some(reason) = reason else {
                records.push(record);
                continue;
            };
            let (own, file) = place(&record);
            let (path, reason) = match folder.join(&own).exists() {
                true => (format!("{name}/{own}/{file}"), reason),
                false => (
                    format!("{name}/{TRIALS_FILE}"),
                    format!("{}: {reason}", record.trial),
                ),
            };
            experiment.damaged.push(Damaged { path, reason });
        }
    }
    Ok(())
}

/// Every damaged record, in words.
pub(crate) fn faults(experiments: &[Experiment]) -> Vec<String> {
    let damaged = experiments
        .iter()
        .flat_map(|experiment| &experiment.damaged);
    damaged
        .map(|damaged| format!("{}: {}", damaged.path, damaged.reason))
        .collect()
}

/// The failure with which a command ends that met damaged records.
pub(crate) fn sound(experiments: &[Experiment]) -> Result<(), Failure> {
    let damaged = faults(experiments);
    match damaged.is_empty() {
        true => Ok(()),
        false => Err(Failure::Damaged(damaged)),
    }
}

/// Why the finished trial in `folder` is no record, or nothing; the pack may have it, too.
pub(crate) fn fault_of(program: &Program, folder: &Path, pack: &Pack) -> Fault {
    match retrial_report::read_finished(folder)? {
        Ok(record) => match pack.trial(&record.trial) {
            Some(row) if !row.is(&record) => {
                Ok(Some(format!("{TRIALS_FILE} has another record of it")))
            }
            _ => fault(program, &record, folder, pack),
        },
        Err(reason) => Ok(Some(reason)),
    }
}

/// As [`fault_of`], of a trial that is packed and has no folder.
pub(crate) fn fault_of_packed(
    program: &Program,
    row: &Packed,
    folder: &Path,
    pack: &Pack,
) -> Fault {
    match &row.record {
        Ok(record) => fault(program, record, folder, pack),
        Err(reason) => Ok(Some(reason.clone())),
    }
}

/// As [`fault_of`], of the failed attempt in `folder`.
pub(crate) fn fault_of_attempt(program: &Program, folder: &Path) -> Fault {
    match retrial_report::read_attempt(folder)? {
        Ok(record) => fault(program, &record, folder, &Pack::default()),
        Err(reason) => Ok(Some(reason)),
    }
}

/// Moves the damaged records of an experiment out of the way, so that their trials run again.
/// Returns the planned trials whose records are sound.
pub(crate) fn set_aside(
    program: &Program,
    results: &Path,
    sheet: ExperimentSheet,
) -> Result<HashSet<String>, Failure> {
    let (study, name) = (sheet.study.clone(), sheet.experiment.clone());
    let loaded = load_one(program, results, sheet)?;
    for file in [TRIALS_FILE, ATTEMPTS_FILE] {
        set_rows_aside(&loaded, file)?;
    }
    for damaged in loaded.damaged {
        let file = results.join(&damaged.path);
        if file.ends_with(TRIALS_FILE) || file.ends_with(ATTEMPTS_FILE) {
            continue;
        }
        let Some(folder) = file.parent() else {
            continue;
        };
        let within = folder.strip_prefix(results.join(&study).join(&name));
        let within = within.unwrap_or(folder).display().to_string();
        let trial = within.split(".attempts/").next().unwrap_or(&within);
        let folders = TrialFolders::new(results, &study, &name, trial);
        // Another run may be at it, or may have recorded it anew meanwhile.
        let Some(_lease) = lease::try_take(&folders.lease)? else {
            continue;
        };
        if file.ends_with(RECORD_FILE) && fault_of(program, folder, &loaded.pack)?.is_none() {
            continue;
        }
        let place = record_file::set_aside(&folders.experiment, folder)?;
        eprintln!(
            "set aside: {} ({}); it lies in {}",
            damaged.path,
            damaged.reason,
            place.display()
        );
    }
    let sound = loaded.finished.into_iter().map(|record| record.trial);
    Ok(sound.collect())
}

/// Moves a table of packed records out of the way where rows of it are damaged, and writes it without
/// them.
fn set_rows_aside(loaded: &Experiment, name: &str) -> Result<(), Failure> {
    let own = |damaged: &&Damaged| Path::new(&damaged.path).ends_with(name);
    let damaged: Vec<&Damaged> = loaded.damaged.iter().filter(own).collect();
    if damaged.is_empty() {
        return Ok(());
    }
    let path = loaded.folder.join(name);
    let text = file::text(&path, u64::MAX);
    let place = record_file::set_aside(&loaded.folder, &path)?;
    let rows = damaged.iter().filter_map(|one| one.reason.split_once(": "));
    let trials: Vec<&str> = rows.map(|(trial, _)| trial).collect();
    // What is no table of records has no sound row.
    let is_whole = |trial: &&str| loaded.pack.trials().iter().any(|row| row.trial == *trial);
    if let Ok(text) = text
        && trials.iter().any(is_whole)
    {
        let text = retrial_report::without_rows(&text, &trials);
        retrial_store::atomic_write(&path, text.as_bytes())?;
    }
    for one in damaged {
        let place = place.display();
        eprintln!(
            "set aside: {} ({}); it lies in {place}",
            one.path, one.reason
        );
    }
    Ok(())
}

/// Why a record that could be read is not what was recorded, or nothing.
fn fault(program: &Program, record: &Record, folder: &Path, pack: &Pack) -> Fault {
    match changed_file(record, folder, pack)? {
        None if record.is_finished() => Ok(contradiction(program, record)),
        fault => Ok(fault),
    }
}

/// What a record says against itself, its id or its study.
fn contradiction(program: &Program, record: &Record) -> Option<String> {
    let foreign = |(name, value): (&str, &ParamValue)| {
        (record.params.get(name) != Some(value)).then(|| name.to_owned())
    };
    if let Some(name) = record.point.iter().find_map(foreign) {
        return Some(format!("its point and its params differ in `{name}`"));
    }
    if bears_its_id(record) == Some(false) {
        let what = "its params, seed, data, revision or device are not those of its id";
        return Some(what.to_owned());
    }
    let study = program.study(&record.study)?.info();
    // What another revision declared is not known any more.
    if record.revision == study.revision {
        return unlike_study(record, study);
    }
    None
}

/// A file whose bytes are not those that were recorded. A packed trial has the files that its row names;
/// a folder has all but HDF5 files, which may be deleted.
fn changed_file(record: &Record, folder: &Path, pack: &Pack) -> Fault {
    let row = pack.trial(&record.trial).filter(|row| row.is(record));
    let read = |path: &Path, name: &str| match file::read(path, u64::MAX) {
        Err(error) if row.is_some() && error.kind() == ErrorKind::NotFound => {
            pack.file(&record.trial, name)
        }
        read => read,
    };
    for (name, content) in &record.files {
        let path = folder.join(name);
        match read(&path, name) {
            Ok(bytes) if retrial_core::hash::content(&bytes) == *content => {}
            Ok(_) => return Ok(Some(format!("{name} was changed after it was recorded"))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let may_lack = row.map_or(name.ends_with(".h5"), |row| !row.has(name));
                // The journal of an attempt is not packed.
                if !may_lack && (record.is_finished() || folder.exists()) {
                    return Ok(Some(format!("{name} is missing")));
                }
            }
            Err(error) => return unread(&path, name, &error),
        }
    }
    Ok(None)
}

/// What it means that a file of a record was not read.
fn unread(path: &Path, name: &str, error: &std::io::Error) -> Fault {
    match file::is_damage(error) {
        true => Ok(Some(format!("{name}: {error}"))),
        false => Err(Failure::storage(format!("{}: {error}", path.display()))),
    }
}

/// What a record and its study say differently.
fn unlike_study(record: &Record, study: &StudyInfo) -> Option<String> {
    let data = record.dataset.as_ref();
    let named = record.params.get("dataset");
    if let (Some(data), Some(ParamValue::Text(name))) = (data, named)
        && data.name != *name
    {
        return Some(format!("its data set is `{}` and `{name}`", data.name));
    }
    let is_unknown = |name: &&str| !study.metrics.iter().any(|known| known.name == *name);
    if let Some(name) = record.metrics.iter().map(|(name, _)| name).find(is_unknown) {
        return Some(format!("the study has no metric `{name}`"));
    }
    (record_file::content_hash(record, study) != record.content)
        .then(|| "its numbers were changed after it was recorded".to_owned())
}
