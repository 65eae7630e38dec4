//! Whether records still say what was recorded.
//!
//! A record names the hash of every file beside it, and its last line is the hash of its text. Its id is
//! computed again from its params, seed, data, revision and device. A packed record has the same
//! seal, and the files that are packed with it the same hashes.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use retrial_core::experiment::ExperimentSheet;
use retrial_core::file;
use retrial_core::params::{ParamValue, Params};
use retrial_core::plan::bears_its_id;
use retrial_core::record::{ATTEMPT_FILE, RECORD_FILE, Record};
use retrial_core::study::StudyInfo;
use retrial_report::{ATTEMPTS_FILE, Damaged, Experiment, Pack, Packed, TRIALS_FILE};

use crate::execute::folder::TrialFolders;
use crate::execute::{lease, record_file};
use crate::failure::Failure;
use crate::packing;
use crate::program::Program;

/// Why something is no sound record, or nothing; an error where what is there cannot be read, so
/// that it may be sound.
pub(crate) type Fault = Result<Option<String>, Failure>;

/// A sound record, or why what is there is none; an error as of [`Fault`].
pub(crate) type Checked = Result<Result<Record, String>, Failure>;

/// All experiments of a results folder; damaged records are apart from those that judge.
pub(crate) fn load(program: &Program, results: &Path) -> Result<Vec<Experiment>, Failure> {
    let mut experiments = retrial_report::load(results)?;
    for experiment in &mut experiments {
        set_apart(program, experiment)?;
    }
    Ok(experiments)
}

/// As [`load`], of one experiment; nothing where it left nothing.
pub(crate) fn load_named(
    program: &Program,
    results: &Path,
    study: &str,
    experiment: &str,
) -> Result<Option<Experiment>, Failure> {
    let mut loaded = retrial_report::load_named(results, study, experiment)?;
    if let Some(experiment) = &mut loaded {
        set_apart(program, experiment)?;
    }
    Ok(loaded)
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
                false => {
                    let table = match record.is_finished() {
                        true => TRIALS_FILE,
                        false => ATTEMPTS_FILE,
                    };
                    let reason = format!("{}: {reason}", record.trial);
                    (format!("{name}/{table}"), reason)
                }
            };
            experiment.damaged.push(Damaged { path, reason });
        }
    }
    Ok(())
}

/// Every damaged record, in words.
pub(crate) fn faults<'e>(experiments: impl IntoIterator<Item = &'e Experiment>) -> Vec<String> {
    let damaged = experiments.into_iter().flat_map(|own| &own.damaged);
    damaged
        .map(|damaged| format!("{}: {}", damaged.path, damaged.reason))
        .collect()
}

/// The failure with which a command ends that met damaged records.
pub(crate) fn sound<'e>(
    experiments: impl IntoIterator<Item = &'e Experiment>,
) -> Result<(), Failure> {
    let damaged = faults(experiments);
    match damaged.is_empty() {
        true => Ok(()),
        false => Err(Failure::Damaged(damaged)),
    }
}

/// The record of the finished trial in `folder`, or why it is none; the pack may have it, too.
pub(crate) fn finished(program: &Program, folder: &Path, pack: &Pack) -> Checked {
    let read = retrial_report::read_finished(folder)?;
    let read = read.and_then(|record| match pack.trial(&record.trial) {
        Some(row) if row.contradicts(&record) => {
            Err(format!("{TRIALS_FILE} has another record of it"))
        }
        _ => Ok(record),
    });
    checked(program, read, folder, pack)
}

/// As [`finished`], of a trial that is packed and has no folder.
pub(crate) fn packed(program: &Program, row: &Packed, folder: &Path, pack: &Pack) -> Checked {
    checked(program, row.record.clone(), folder, pack)
}

fn checked(program: &Program, read: Result<Record, String>, folder: &Path, pack: &Pack) -> Checked {
    let record = match read {
        Ok(record) => record,
        Err(reason) => return Ok(Err(reason)),
    };
    let fault = fault(program, &record, folder, pack)?;
    Ok(fault.map_or(Ok(record), Err))
}

/// Why the failed attempt in `folder` is no sound record, or nothing.
pub(crate) fn fault_of_attempt(program: &Program, folder: &Path, pack: &Pack) -> Fault {
    match retrial_report::read_attempt(folder)? {
        Ok(record) => fault(program, &record, folder, pack),
        Err(reason) => Ok(Some(reason)),
    }
}

/// Moves the damaged records of an experiment out of the way, so that their trials run again.
/// Returns the params of the planned trials whose records are sound.
pub(crate) fn set_aside(
    program: &Program,
    results: &Path,
    sheet: ExperimentSheet,
) -> Result<HashMap<String, Params>, Failure> {
    let (study, name) = (sheet.study.clone(), sheet.experiment.clone());
    let mut loaded = load_one(program, results, sheet.clone())?;
    let mut alone = None;
    if !loaded.damaged.is_empty() {
        // What another process was changing is read again.
        alone = Some(lease::to_write(results, &study, &name)?);
        loaded = load_one(program, results, sheet)?;
        packing::set_aside(&loaded)?;
    }
    for damaged in loaded.damaged.iter().filter(|one| !one.is_packed()) {
        let file = results.join(&damaged.path);
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
        if file.ends_with(RECORD_FILE) && finished(program, folder, &loaded.pack)?.is_ok() {
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
    drop(alone);
    let sound = loaded.finished.into_iter();
    Ok(sound.map(|record| (record.trial, record.params)).collect())
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
    let what = match bears_its_id(record) {
        Some(true) => None,
        Some(false) => Some("its params, seed, data, revision or device are not those of its id"),
        None => Some("it does not say which params enter its id"),
    };
    if let Some(what) = what {
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
    for (name, content) in &record.files {
        let mut path = folder.join(name);
        let mut read = file::read(&path, u64::MAX);
        if is_missing(&read) && row.is_some_and(|row| row.has(name)) {
            path = pack.path(&record.trial, name);
            read = pack.file(&record.trial, name);
        }
        match read {
            Ok(bytes) if retrial_core::hash::content(&bytes) == *content => {}
            Ok(_) => return Ok(Some(format!("{name} was changed after it was recorded"))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let may_lack = match (row, record.is_finished()) {
                    (Some(row), true) => !row.has(name),
                    (None, true) => name.ends_with(".h5"),
                    // Nothing of an attempt is packed but its record.
                    (_, false) => {
                        let packed = pack.record(record);
                        packed.is_some_and(|own| own.seal == record.seal)
                    }
                };
                if !may_lack && !was_not_packed(folder, name) {
                    return Ok(Some(format!("{name} is missing")));
                }
            }
            Err(error) => return unread(&path, name, &error),
        }
    }
    Ok(None)
}

fn is_missing(read: &std::io::Result<Vec<u8>>) -> bool {
    (read.as_ref()).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Whether a folder was unpacked, and this file was not packed with it.
fn was_not_packed(folder: &Path, name: &str) -> bool {
    let packed = file::text(&folder.join(packing::UNPACKED), u64::MAX);
    packed.is_ok_and(|packed| packed.lines().all(|own| own != name))
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
    let is_known =
        |name: &str| name == "dataset" || study.params.iter().any(|own| own.name == name);
    if let Some((name, _)) = record.params.iter().find(|(name, _)| !is_known(name)) {
        return Some(format!("the study has no param `{name}`"));
    }
    (record_file::content_hash(record, study) != record.content)
        .then(|| "its numbers were changed after it was recorded".to_owned())
}
