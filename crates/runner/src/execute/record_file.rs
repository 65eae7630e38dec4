//! The end of a trial: from the journal to a record, or to a failed attempt.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use retrial_core::census::Census;
use retrial_core::event::Event;
use retrial_core::hash::FieldHasher;
use retrial_core::metric::Metrics;
use retrial_core::record::{
    ATTEMPT_FILE, DatasetUse, EVENTS_FILE, Outcome, RECORD_FILE, RECORD_FORMAT, Record,
};
use retrial_core::study::StudyInfo;
use retrial_store::StoreError;

use super::context::{Context, TrialError, io};
use super::folder::{self, TrialFolders};
use super::job::Job;
use super::lease;
use super::provenance::provenance;

/// Where an experiment's folder keeps what bore the name of a trial and was no record.
const ASIDE: &str = ".aside";

/// Writes the record of a trial that ended well and puts it in place.
pub(crate) fn finish(
    mut context: Context,
    started: SystemTime,
    duration_s: f64,
) -> Result<(), TrialError> {
    context.emit(&Event::Finished)?;
    let partial = context.folders.partial.clone();
    let mut record = blank(&context.job, context.study, started, duration_s);
    record.metrics = std::mem::take(&mut context.metrics);
    record.stages = std::mem::take(&mut context.stages);
    record.artifacts = std::mem::take(&mut context.artifacts);
    record.census = std::mem::take(&mut context.census);
    record.artifacts.sort_by(|a, b| a.path.cmp(&b.path));
    record.content = content_hash(&record, context.study);
    let names = record.artifacts.iter().map(|a| a.path.clone());
    let known: Vec<String> = names.chain([EVENTS_FILE.to_owned()]).collect();
    hash_files(&mut record, &partial, &known)?;
    write_yaml(&partial.join(RECORD_FILE), &record)?;
    let checkpoints = partial.join("checkpoints");
    folder::remove(&checkpoints).map_err(|source| io("remove", &checkpoints, source))?;
    // An artifact of an earlier attempt that this one did not leave is no part of the record.
    for entry in fs::read_dir(&partial).map_err(|source| io("read", &partial, source))? {
        let path = entry.map_err(|source| io("read", &partial, source))?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if known.contains(&name) || name == RECORD_FILE {
            File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(|source| io("sync", &path, source))?;
        } else if path.is_file() {
            fs::remove_file(&path).map_err(|source| io("remove", &path, source))?;
        }
    }
    retrial_store::sync_folder(&partial)?;
    let target = &context.folders.record;
    if target.exists() {
        set_aside(&context.folders.experiment, target)?;
    }
    fs::rename(&partial, target).map_err(|source| io("rename", target, source))?;
    if let Some(parent) = target.parent() {
        retrial_store::sync_folder(parent)?;
    }
    Ok(())
}

/// Moves a folder of a trial that holds no sound record out of the way, without losing it, and says
/// where to: into the folder of its experiment, which is of the same file system.
pub(crate) fn set_aside(experiment: &Path, folder: &Path) -> Result<PathBuf, StoreError> {
    let aside = experiment.join(ASIDE);
    fs::create_dir_all(&aside).map_err(|source| io("create", &aside, source))?;
    let within = folder.strip_prefix(experiment).unwrap_or(folder);
    let name = within.display().to_string().replace('/', ".");
    let free = (1_u32..)
        .map(|number| aside.join(format!("{name}.{number}")))
        .find(|path| !path.exists());
    let target = free.unwrap_or_else(|| aside.join(name));
    fs::rename(folder, &target).map_err(|source| io("rename", &target, source))?;
    Ok(target)
}

/// Puts files of a record under their hash.
fn hash_files(record: &mut Record, folder: &Path, names: &[String]) -> Result<(), StoreError> {
    for name in names {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|source| io("read", &path, source))?;
        record
            .files
            .insert(name.clone(), retrial_core::hash::content(&bytes));
    }
    Ok(())
}

/// Keeps a failed attempt beside the trial, under the first free number.
///
/// A trial that was cut off keeps its checkpoints for the next attempt; one that ended with an
/// error of its own starts anew.
pub(crate) fn fail(
    job: &Job,
    study: &StudyInfo,
    folders: &TrialFolders,
    cause: &str,
    error: &str,
    started: SystemTime,
    duration_s: f64,
) -> Result<(), StoreError> {
    let mut record = blank(job, study, started, duration_s);
    // The scheduler writes this record; its own CPU time and memory say nothing of the trial.
    record.provenance.cpu_s = f64::NAN;
    record.provenance.peak_memory_mib = f64::NAN;
    record.outcome = Outcome::Failed {
        cause: cause.to_owned(),
        error: error.to_owned(),
    };
    // The worker is gone. Whoever has the lease now works on the trial, or tidies it.
    let lease = lease::try_take(&folders.lease)?;
    // Another run may have kept an attempt of this number meanwhile.
    while folders.attempts.join(record.attempt.to_string()).exists() {
        record.attempt += 1;
    }
    let attempt = folders.attempts.join(format!("{}.partial", record.attempt));
    folder::remove(&attempt).map_err(|source| io("remove", &attempt, source))?;
    fs::create_dir_all(&attempt).map_err(|source| io("create", &attempt, source))?;
    let journal = folders.partial.join(EVENTS_FILE);
    if journal.is_file() {
        let copy = attempt.join(EVENTS_FILE);
        fs::copy(&journal, &copy).map_err(|source| io("copy", &copy, source))?;
        hash_files(&mut record, &attempt, &[EVENTS_FILE.to_owned()])?;
    }
    let target = folders.attempts.join(record.attempt.to_string());
    write_yaml(&attempt.join(ATTEMPT_FILE), &record)?;
    retrial_store::sync_folder(&attempt)?;
    fs::rename(&attempt, &target).map_err(|source| io("rename", &target, source))?;
    retrial_store::sync_folder(&folders.attempts)?;
    if lease.is_some() && matches!(cause, "error" | "panic") {
        folder::remove(&folders.partial)
            .map_err(|source| io("remove", &folders.partial, source))?;
    }
    Ok(())
}

fn blank(job: &Job, study: &StudyInfo, started: SystemTime, duration_s: f64) -> Record {
    let set = study.set(job.params.iter());
    let touching = study.amendments_of(&job.params);
    Record {
        format: RECORD_FORMAT,
        migrated_from: None,
        trial: job.trial.clone(),
        study: job.study.clone(),
        revision: study.revision,
        experiment: job.experiment.clone(),
        point: job.point.clone(),
        params: job.params.clone(),
        set: Some(set.iter().map(|(name, _)| (*name).to_owned()).collect()),
        amendments: touching.map(|amendment| amendment.id.to_owned()).collect(),
        seed: job.seed,
        device: job.device.kind.clone(),
        dataset: job.data.as_ref().map(|data| DatasetUse {
            name: data.name.clone(),
            content: data.content.clone(),
            source: data.source.clone(),
        }),
        outcome: Outcome::Finished,
        attempt: job.attempt,
        metrics: Metrics::default(),
        stages: Vec::new(),
        artifacts: Vec::new(),
        content: String::new(),
        census: Census::default(),
        claims: job.claims.clone(),
        provenance: provenance(
            &job.host,
            job.threads,
            &job.device.name,
            started,
            duration_s,
        ),
        files: BTreeMap::new(),
        seal: String::new(),
    }
}

/// The hash of everything that the same trial run again must give again.
pub(crate) fn content_hash(record: &Record, study: &StudyInfo) -> String {
    let mut hasher = FieldHasher::new("record");
    hasher.field(record.trial.as_bytes());
    let mut metrics: Vec<_> = record
        .metrics
        .iter()
        .filter(|(name, _)| {
            let definition = study.metrics.iter().find(|known| known.name == *name);
            definition.is_none_or(|known| known.repeatable)
        })
        .collect();
    metrics.sort_by_key(|(name, _)| *name);
    for (name, value) in metrics {
        hasher.field(name.as_bytes());
        // Every NaN is read back as the same one, whatever its bits were.
        let value = if value.is_nan() { f64::NAN } else { *value };
        hasher.field(&value.to_bits().to_le_bytes());
    }
    for stage in &record.stages {
        hasher.field(stage.id.as_bytes());
        hasher.field(stage.content.as_bytes());
    }
    for artifact in &record.artifacts {
        hasher.field(artifact.path.as_bytes());
        hasher.field(artifact.content.as_bytes());
    }
    hasher.tagged()
}

/// Writes a record with its seal below.
fn write_yaml(path: &Path, record: &Record) -> Result<(), StoreError> {
    let text = retrial_report::record_text(record)
        .map_err(|error| io("write", path, std::io::Error::other(error)))?;
    retrial_store::atomic_write(path, text.as_bytes())
}
