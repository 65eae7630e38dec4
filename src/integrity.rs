//! Whether records still say what was recorded.
//!
//! A record of today names the hash of every file beside it and seals itself with a hash of all it
//! says. One of the first format has neither: its id is computed again from its params, seed, data,
//! revision and device, its metrics are compared with their hash and with its journal, and the
//! tables with their hashes; only its host, its times and its claims stand without proof.

use std::fs;
use std::path::Path;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use retrial_core::event::Event;
use retrial_core::experiment::ExperimentSheet;
use retrial_core::params::ParamValue;
use retrial_core::plan::bears_its_id;
use retrial_core::record::{
    ATTEMPT_FILE, EVENTS_FILE, METRICS_FILE, OLD_RECORD_FORMAT, RECORD_FILE, Record,
};
use retrial_core::study::StudyInfo;
use retrial_report::{Damaged, Experiment};

use crate::execute::folder::{self, TrialFolders};
use crate::execute::{lease, seal};
use crate::failure::Failure;
use crate::studies;

/// All experiments of a results folder; damaged records are apart from those that judge.
pub(crate) fn load(results: &Path) -> Result<Vec<Experiment>, Failure> {
    let mut experiments = retrial_report::load(results)?;
    for experiment in &mut experiments {
        set_apart(experiment);
    }
    Ok(experiments)
}

/// As [`load`], of one experiment, whose sheet need not be there.
pub(crate) fn load_one(results: &Path, sheet: ExperimentSheet) -> Result<Experiment, Failure> {
    let mut experiment = retrial_report::load_experiment(results, sheet)?;
    set_apart(&mut experiment);
    Ok(experiment)
}

/// Moves records that are not what was recorded to those that are damaged.
fn set_apart(experiment: &mut Experiment) {
    let folder = experiment.folder.clone();
    let name = experiment.name();
    let check = |records: &mut Vec<Record>, place: &(dyn Fn(&Record) -> String + Sync)| {
        let found: Vec<(Record, Option<String>)> = std::mem::take(records)
            .into_par_iter()
            .map(|record| {
                let reason = fault(&record, &folder.join(place(&record)));
                (record, reason)
            })
            .collect();
        let mut damaged = Vec::new();
        for (record, reason) in found {
            match reason {
                None => records.push(record),
                Some(reason) => {
                    let file = if record.is_finished() {
                        RECORD_FILE
                    } else {
                        ATTEMPT_FILE
                    };
                    damaged.push(Damaged {
                        path: format!("{name}/{}/{file}", place(&record)),
                        reason,
                    });
                }
            }
        }
        damaged
    };
    let attempt = |record: &Record| format!("{}.attempts/{}", record.trial, record.attempt);
    let mut damaged = check(&mut experiment.finished, &|record| record.trial.clone());
    damaged.extend(check(&mut experiment.earlier, &|record| {
        record.trial.clone()
    }));
    damaged.extend(check(&mut experiment.attempts, &attempt));
    experiment.damaged.extend(damaged);
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

/// Prints them as warnings to standard error.
pub(crate) fn warn(experiments: &[Experiment]) {
    for fault in faults(experiments) {
        eprintln!("warning: damaged record, left out: {fault}");
    }
}

/// Why the finished trial in `folder` is no record, or nothing.
pub(crate) fn fault_of(folder: &Path) -> Option<String> {
    let record = match folder::read_record(&folder.join(RECORD_FILE)) {
        Ok(record) => record,
        Err(error) => return Some(error.lines().next().unwrap_or_default().to_owned()),
    };
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    if record.trial != name {
        return Some(format!("it says that it is trial `{}`", record.trial));
    }
    if !record.is_finished() {
        return Some("it says that it did not finish".to_owned());
    }
    fault(&record, folder)
}

/// Moves the damaged records of an experiment out of the way, so that their trials run again.
pub(crate) fn set_aside(results: &Path, sheet: ExperimentSheet) -> Result<(), Failure> {
    let (study, name) = (sheet.study.clone(), sheet.experiment.clone());
    for damaged in load_one(results, sheet)?.damaged {
        let file = results.join(&damaged.path);
        let Some(folder) = file.parent() else {
            continue;
        };
        let within = folder.strip_prefix(results.join(&study).join(&name));
        let within = within.unwrap_or(folder).display().to_string();
        let folders = TrialFolders::new(results, &study, &name, &within);
        // Another run may be at it, or may have recorded it anew meanwhile.
        let Some(_lease) = lease::try_take(&folders.lease)? else {
            continue;
        };
        if file.ends_with(RECORD_FILE) && fault_of(folder).is_none() {
            continue;
        }
        let place = seal::set_aside(results, &study, &name, &within, folder)?;
        eprintln!(
            "set aside: {} ({}); it lies in {}",
            damaged.path,
            damaged.reason,
            place.display()
        );
    }
    Ok(())
}

/// Why a record that could be read is not what was recorded, or nothing.
pub(crate) fn fault(record: &Record, folder: &Path) -> Option<String> {
    let old = record.format == OLD_RECORD_FORMAT && record.seal.is_empty();
    if !old && record.seal != record.sealed() {
        return Some("its text was changed after it was recorded".to_owned());
    }
    if let Some(fault) = changed_file(record, folder) {
        return Some(fault);
    }
    if !record.is_finished() {
        return None;
    }
    let foreign = |(name, value): (&str, &ParamValue)| {
        (record.params.get(name) != Some(value)).then(|| name.to_owned())
    };
    if let Some(name) = record.point.iter().find_map(foreign) {
        return Some(format!("its point and its params differ in `{name}`"));
    }
    if old && let Some(fault) = unlike_journal(record, folder) {
        return Some(fault);
    }
    let study = studies::find(&record.study)?.info();
    // What another revision declared is not known any more.
    if record.revision == study.revision {
        return unlike_study(record, study);
    }
    None
}

/// A file whose bytes are not those that were recorded. HDF5 files are not committed, so a clone
/// lacks them.
fn changed_file(record: &Record, folder: &Path) -> Option<String> {
    let tables = record.artifacts.iter().filter(|artifact| {
        let kept = |end: &str| artifact.path.ends_with(end);
        !record.files.contains_key(&artifact.path) && (kept(".csv") || kept(".png"))
    });
    let tables = tables.map(|artifact| (&artifact.path, &artifact.content));
    for (name, content) in record.files.iter().chain(tables) {
        match fs::read(folder.join(name)) {
            Ok(bytes) if retrial_core::hash::content(&bytes) == *content => {}
            Ok(_) => return Some(format!("{name} was changed after it was recorded")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !name.ends_with(".h5") {
                    return Some(format!("{name} is missing"));
                }
            }
            Err(error) => return Some(format!("{name} cannot be read: {error}")),
        }
    }
    None
}

/// What a record of the first format and its journal say differently.
fn unlike_journal(record: &Record, folder: &Path) -> Option<String> {
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))
    };
    let (journal, metrics) = match (read(EVENTS_FILE), read(METRICS_FILE)) {
        (Ok(journal), Ok(metrics)) => (journal, metrics),
        (Err(fault), _) | (_, Err(fault)) => return Some(fault),
    };
    match seal::metrics_csv(&journal) {
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

/// What a record and its study say differently.
fn unlike_study(record: &Record, study: &StudyInfo) -> Option<String> {
    if !bears_its_id(record, study) {
        let what = "its params, seed, data, revision or device are not those of its id";
        return Some(what.to_owned());
    }
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
