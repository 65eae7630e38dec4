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
    let sound = loaded.finished.into_iter();
    Ok(sound.map(|record| (record.trial, record.params)).collect())
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
    let trials: Vec<&str> = damaged.iter().filter_map(|one| one.trial()).collect();
    // What is no table of records has no sound row.
    let rows = match name == TRIALS_FILE {
        true => loaded.pack.trials(),
        false => loaded.pack.attempts(),
    };
    let is_whole = |trial: &&str| rows.iter().any(|row| row.trial == *trial);
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
                let may_lack = match (row, record.is_finished()) {
                    (Some(row), true) => !row.has(name),
                    (None, true) => name.ends_with(".h5"),
                    // Nothing of an attempt is packed but its record.
                    (_, false) => {
                        let mut packed = pack.failures(&record.trial);
                        packed.any(|own| own.seal == record.seal)
                    }
                };
                if !may_lack {
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
