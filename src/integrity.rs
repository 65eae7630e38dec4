//! Whether records still say what was recorded.
//!
//! A record of today names the hash of every file beside it, and its last line is the hash of its
//! text; in the second format that line is a hash of its values. One of the first format has neither:
//! its id is computed again from its params, seed, data, revision and device, its metrics are
//! compared with their hash and with its journal, and the tables with their hashes; only its host,
//! its times and its claims stand without proof.

use std::collections::HashSet;
use std::path::Path;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use retrial_core::event::Event;
use retrial_core::experiment::ExperimentSheet;
use retrial_core::file;
use retrial_core::params::ParamValue;
use retrial_core::plan::bears_its_id;
use retrial_core::record::{
    ATTEMPT_FILE, EVENTS_FILE, METRICS_FILE, OLD_RECORD_FORMAT, RECORD_FILE, RECORD_FORMAT, Record,
    VALUE_SEAL_FORMAT,
};
use retrial_core::study::StudyInfo;
use retrial_report::{Damaged, Experiment};

use crate::execute::folder::TrialFolders;
use crate::execute::{lease, seal};
use crate::failure::Failure;
use crate::studies;

/// Why something is no sound record, or nothing; an error where what is there cannot be read, so
/// that it may be sound.
pub(crate) type Fault = Result<Option<String>, Failure>;

/// Most revisions of a study that are tried for an id.
const MAX_REVISION: u32 = 100;

/// All experiments of a results folder; damaged records are apart from those that judge.
pub(crate) fn load(results: &Path) -> Result<Vec<Experiment>, Failure> {
    let mut experiments = retrial_report::load(results)?;
    for experiment in &mut experiments {
        set_apart(experiment)?;
    }
    Ok(experiments)
}

/// As [`load`], of one experiment, whose sheet need not be there.
pub(crate) fn load_one(results: &Path, sheet: ExperimentSheet) -> Result<Experiment, Failure> {
    let mut experiment = retrial_report::load_experiment(results, sheet)?;
    set_apart(&mut experiment)?;
    Ok(experiment)
}

/// Moves records that are not what was recorded to those that are damaged.
fn set_apart(experiment: &mut Experiment) -> Result<(), Failure> {
    let folder = experiment.folder.clone();
    let name = experiment.name();
    let place = |record: &Record| match record.is_finished() {
        true => (record.trial.clone(), RECORD_FILE),
        false => (
            format!("{}.attempts/{}", record.trial, record.attempt),
            ATTEMPT_FILE,
        ),
    };
    let lists = [
        (&mut experiment.finished, true),
        (&mut experiment.earlier, false),
        (&mut experiment.attempts, false),
    ];
    for (records, is_planned) in lists {
        let checked = std::mem::take(records).into_par_iter().map(|record| {
            let reason = fault(&record, &folder.join(place(&record).0), is_planned)?;
            Ok((record, reason))
        });
        let checked: Result<Vec<(Record, Option<String>)>, Failure> = checked.collect();
        for (record, reason) in checked? {
            let Some(reason) = reason else {
                records.push(record);
                continue;
            };
            let (own, file) = place(&record);
            let path = format!("{name}/{own}/{file}");
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

/// Why the finished trial in `folder` is no record, or nothing.
pub(crate) fn fault_of(folder: &Path) -> Fault {
    match retrial_report::read_finished(folder)? {
        Ok(record) => fault(&record, folder, true),
        Err(reason) => Ok(Some(reason)),
    }
}

/// As [`fault_of`], of the failed attempt in `folder`.
pub(crate) fn fault_of_attempt(folder: &Path) -> Fault {
    match retrial_report::read_attempt(folder)? {
        Ok(record) => fault(&record, folder, false),
        Err(reason) => Ok(Some(reason)),
    }
}

/// Moves the damaged records of an experiment out of the way, so that their trials run again.
/// Returns the planned trials whose records are sound.
pub(crate) fn set_aside(
    results: &Path,
    sheet: ExperimentSheet,
) -> Result<HashSet<String>, Failure> {
    let (study, name) = (sheet.study.clone(), sheet.experiment.clone());
    let loaded = load_one(results, sheet)?;
    for damaged in loaded.damaged {
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
        if file.ends_with(RECORD_FILE) && fault_of(folder)?.is_none() {
            continue;
        }
        let place = seal::set_aside(&folders.experiment, folder)?;
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

/// Why a record that could be read is not what was recorded, or nothing.
fn fault(record: &Record, folder: &Path, is_planned: bool) -> Fault {
    let old = record.format == OLD_RECORD_FORMAT;
    let is_changed = match record.format {
        OLD_RECORD_FORMAT => !record.seal.is_empty(),
        VALUE_SEAL_FORMAT => record.seal != record.sealed(),
        // Reading compared its seal with its text.
        format => !(VALUE_SEAL_FORMAT..=RECORD_FORMAT).contains(&format),
    };
    if is_changed {
        return Ok(Some(
            "its text was changed after it was recorded".to_owned(),
        ));
    }
    if let Some(fault) = changed_file(record, folder)? {
        return Ok(Some(fault));
    }
    if !record.is_finished() {
        return Ok(None);
    }
    if old && let Some(fault) = unlike_journal(record, folder)? {
        return Ok(Some(fault));
    }
    Ok(contradiction(record, is_planned))
}

/// What a record says against itself, its id or its study.
fn contradiction(record: &Record, is_planned: bool) -> Option<String> {
    let foreign = |(name, value): (&str, &ParamValue)| {
        (record.params.get(name) != Some(value)).then(|| name.to_owned())
    };
    if let Some(name) = record.point.iter().find_map(foreign) {
        return Some(format!("its point and its params differ in `{name}`"));
    }
    let study = studies::find(&record.study)?.info();
    if let Some(fault) = unlike_id(record, study, is_planned) {
        return Some(fault);
    }
    // What another revision declared is not known any more.
    if record.revision == study.revision {
        return unlike_study(record, study);
    }
    None
}

/// A file whose bytes are not those that were recorded. HDF5 files are not committed, so a clone
/// lacks them.
fn changed_file(record: &Record, folder: &Path) -> Fault {
    let tables = record.artifacts.iter().filter(|artifact| {
        let kept = |end: &str| artifact.path.ends_with(end);
        !record.files.contains_key(&artifact.path) && (kept(".csv") || kept(".png"))
    });
    let tables = tables.map(|artifact| (&artifact.path, &artifact.content));
    for (name, content) in record.files.iter().chain(tables) {
        let path = folder.join(name);
        match file::read(&path, u64::MAX) {
            Ok(bytes) if retrial_core::hash::content(&bytes) == *content => {}
            Ok(_) => return Ok(Some(format!("{name} was changed after it was recorded"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !name.ends_with(".h5") {
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

/// What a record of the first format and its journal say differently.
fn unlike_journal(record: &Record, folder: &Path) -> Fault {
    let mut texts = Vec::new();
    for name in [EVENTS_FILE, METRICS_FILE] {
        let path = folder.join(name);
        match file::text(&path, u64::MAX) {
            Ok(text) => texts.push(text),
            Err(error) => return unread(&path, name, &error),
        }
    }
    Ok(unlike(record, &texts[0], &texts[1]))
}

/// As [`unlike_journal`], of the texts of both files.
fn unlike(record: &Record, journal: &str, metrics: &str) -> Option<String> {
    match seal::metrics_csv(journal) {
        Ok(text) if text == metrics => {}
        Ok(_) => {
            return Some(format!(
                "{EVENTS_FILE} or {METRICS_FILE} was changed after it was recorded"
            ));
        }
        Err(error) => return Some(format!("{EVENTS_FILE}: {error}")),
    }
    let mut said = std::collections::HashMap::new();
    for event in journal.lines().map(serde_json::from_str::<Event>) {
        if let Ok(Event::Metric { name, value, at }) = event
            && at.is_empty()
        {
            said.insert(name, value);
        }
    }
    let differs = record.metrics.iter().find(|metric| {
        let value = metric.value.is_finite().then_some(metric.value);
        said.get(&metric.name) != Some(&value)
    });
    differs.map(|metric| format!("its `{}` is not the one of {EVENTS_FILE}", metric.name))
}

/// Why a record is not the trial whose id it bears. The id of one of an earlier plan may rest on
/// amendments or a revision that are not known any more.
fn unlike_id(record: &Record, study: &StudyInfo, is_planned: bool) -> Option<String> {
    let of = |revision| StudyInfo { revision, ..*study };
    if bears_its_id(record, &of(record.revision)) {
        return None;
    }
    let last = study.revision.max(record.revision.min(MAX_REVISION));
    if (1..=last).any(|revision| bears_its_id(record, &of(revision))) {
        return Some("its revision is not the one of its id".to_owned());
    }
    (is_planned && record.revision == study.revision)
        .then(|| "its params, seed, data, revision or device are not those of its id".to_owned())
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
    for metric in &record.metrics {
        let known = study.metrics.iter().find(|known| known.name == metric.name);
        let same = |known: &retrial_core::metric::MetricDef| {
            known.unit == metric.unit && known.direction == metric.direction
        };
        if !known.is_some_and(same) {
            let name = &metric.name;
            return Some(format!(
                "unit or direction of `{name}` is not that of the study"
            ));
        }
    }
    (seal::content_hash(record, study) != record.content)
        .then(|| "its numbers were changed after it was recorded".to_owned())
}
