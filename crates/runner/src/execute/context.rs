//! What a study sees of the trial it runs: params, data, seed, and where results go.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use retrial_core::census::Census;
use retrial_core::declare::{Cells, Row};
use retrial_core::event::Event;
use retrial_core::metric::{FileDef, MetricDef, Metrics};
use retrial_core::params::{ParamValue, Params};
use retrial_core::record::{Artifact, EVENTS_FILE, StageUse};
use retrial_core::study::StudyInfo;
use retrial_data::Content;
use retrial_seed::Seed;
use retrial_store::csv::Table;
use retrial_store::{StoreError, Tree, Value};
use thiserror::Error;

use super::folder::TrialFolders;
use super::job::Job;

/// Why a trial ended without a record.
#[derive(Debug, Error)]
pub enum TrialError {
    /// It was asked to stop, and did so at a good moment.
    #[error("stopped on request")]
    Stopped,
    /// Its data cannot be decoded.
    #[error(transparent)]
    Data(#[from] retrial_data::DataError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Anything else, in words for a person.
    #[error("{0}")]
    Other(String),
}

impl TrialError {
    /// An error of a crate that a study calls.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self::Other(error.to_string())
    }
}

/// A trial at work.
pub struct Context {
    pub(crate) job: Job,
    pub(crate) study: &'static StudyInfo,
    pub(crate) folders: TrialFolders,
    pub(crate) metrics: Metrics,
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) stages: Vec<StageUse>,
    /// What the study used of its data.
    pub(crate) census: Census,
    stop: Arc<AtomicBool>,
    journal: File,
    journal_bytes: u64,
}

const CHECKPOINTS: &str = "checkpoints";
const JOURNAL_BYTES: &str = "journal_bytes";
/// Attribute of a checkpoint that names its trial.
const TRIAL: &str = "trial";

impl Context {
    /// Opens the partial folder of a trial and its journal.
    pub(crate) fn open(
        job: Job,
        study: &'static StudyInfo,
        folders: TrialFolders,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, StoreError> {
        std::fs::create_dir_all(&folders.partial)
            .map_err(|source| io("create", &folders.partial, source))?;
        let path = folders.partial.join(EVENTS_FILE);
        if path.exists() && !path.is_file() {
            // A pipe would be waited for without end.
            let error = std::io::Error::other("it is no regular file");
            return Err(io("open", &path, error));
        }
        let journal = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| io("open", &path, source))?;
        Ok(Self {
            job,
            study,
            folders,
            metrics: Metrics::default(),
            artifacts: Vec::new(),
            stages: Vec::new(),
            census: Census::default(),
            stop,
            journal,
            journal_bytes: 0,
        })
    }

    /// The newest readable checkpoint, with the journal taken back to that moment.
    ///
    /// Called once, before anything else; without a checkpoint the journal starts anew.
    pub fn resume(&mut self) -> Result<Option<Tree>, TrialError> {
        // A checkpoint of another trial, copied here, would make numbers that belong to no trial.
        let folder = self.folders.partial.join(CHECKPOINTS);
        let (loaded, passed_over) =
            retrial_store::load_latest(folder, |tree| belongs(tree, TRIAL, &self.job.trial))?;
        let loaded = loaded.and_then(|loaded| {
            let bytes = match loaded.tree.attribute("", JOURNAL_BYTES) {
                Some(Value::I64(bytes)) => u64::try_from(*bytes).ok()?,
                _ => return None,
            };
            (bytes <= self.journal.metadata().ok()?.len()).then_some((loaded, bytes))
        });
        let (tree, bytes, resumed) = match loaded {
            Some((loaded, bytes)) => {
                let round = loaded.round;
                (
                    Some(loaded.tree),
                    bytes,
                    Some(format!("checkpoint {round}")),
                )
            }
            None => (None, 0, None),
        };
        for error in passed_over {
            healed(format!("a checkpoint was passed over: {error}"));
        }
        self.truncate_journal(bytes)?;
        let attempt = self.job.attempt;
        self.emit(&Event::Started { attempt, resumed })?;
        Ok(tree)
    }

    fn truncate_journal(&mut self, bytes: u64) -> Result<(), StoreError> {
        use std::io::{Seek as _, SeekFrom};
        let path = self.folders.partial.join(EVENTS_FILE);
        self.journal
            .set_len(bytes)
            .and_then(|()| self.journal.seek(SeekFrom::Start(bytes)))
            .map_err(|source| io("truncate", &path, source))?;
        self.journal_bytes = bytes;
        Ok(())
    }

    /// Saves what the trial needs to go on from here after a kill.
    pub fn checkpoint(&mut self, round: u64, mut tree: Tree) -> Result<(), TrialError> {
        let bytes = i64::try_from(self.journal_bytes).unwrap_or(i64::MAX);
        tree.set_attribute("", JOURNAL_BYTES, Value::I64(bytes))?;
        tree.set_attribute("", TRIAL, Value::Text(self.job.trial.clone()))?;
        let folder = self.folders.partial.join(CHECKPOINTS);
        std::fs::create_dir_all(&folder).map_err(|source| io("create", &folder, source))?;
        retrial_store::save_checkpoint(folder, round, &tree)?;
        Ok(())
    }

    /// An error when the trial was asked to stop; call it where stopping loses little.
    pub fn stop_point(&self) -> Result<(), TrialError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(TrialError::Stopped);
        }
        Ok(())
    }

    /// The flag that asks the trial to stop.
    pub(crate) fn stopped(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// All params.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.job.params
    }

    /// Root seed.
    #[must_use]
    pub fn seed(&self) -> Seed {
        Seed(self.job.seed)
    }

    /// The name of its device.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.job.device.name
    }

    /// Says what the study used of its data.
    pub fn set_census(&mut self, census: Census) {
        self.census = census;
    }

    /// The name of its data set, where it has one.
    #[must_use]
    pub fn data_name(&self) -> Option<&str> {
        Some(&self.job.data.as_ref()?.name)
    }

    /// Whether its data set is generated, so that pictures of it may be kept; not without one.
    pub fn data_is_generated(&self) -> Result<bool, TrialError> {
        match &self.job.data {
            Some(data) => Ok(retrial_data::load_manifest(&data.manifest)?.is_generated()),
            None => Ok(false),
        }
    }

    /// The data, decoded and checked against the digest of the plan.
    pub fn data(&self) -> Result<Content, TrialError> {
        let Some(data) = &self.job.data else {
            return Err(TrialError::Other(
                "this experiment has no data set".to_owned(),
            ));
        };
        let manifest = retrial_data::load_manifest(&data.manifest)?;
        if manifest.content != data.content {
            return Err(TrialError::Other(format!(
                "the manifest of `{}` changed while the run was going on",
                data.name
            )));
        }
        let options = retrial_data::FetchOptions {
            mirror: data.mirror.clone(),
            offline: true,
            ..retrial_data::FetchOptions::new(&data.cache)
        };
        Ok(retrial_data::load(&manifest, &options, &mut |_| {})?.0)
    }

    /// Reports how far the trial is.
    pub fn progress(&self, done: u64, total: u64, unit: &str) {
        self.announce(&Event::Progress {
            done,
            total,
            unit: unit.to_owned(),
        });
    }

    /// A metric, which the study must declare.
    pub fn metric(&mut self, metric: MetricDef, value: f64) -> Result<(), TrialError> {
        if !self.study.metrics.contains(&metric) {
            return Err(self.undeclared("metric", metric.name));
        }
        self.metrics.set(metric.name, value);
        self.emit(&Event::Metric {
            name: metric.name.to_owned(),
            value: value.is_finite().then_some(value),
        })?;
        Ok(())
    }

    /// A metric that is only left where it has a value.
    pub fn metric_if_any(
        &mut self,
        metric: MetricDef,
        value: Option<f64>,
    ) -> Result<(), TrialError> {
        value.map_or(Ok(()), |value| self.metric(metric, value))
    }

    fn undeclared(&self, what: &str, name: &str) -> TrialError {
        let study = self.study.name;
        TrialError::Other(format!("the study `{study}` declares no {what} `{name}`"))
    }

    /// Leaves rows as the table that they are of.
    pub fn rows<R: Row>(&mut self, rows: &[R]) -> Result<(), TrialError> {
        if !self.study.tables.contains(&R::TABLE) {
            return Err(self.undeclared("table", R::TABLE.name));
        }
        let mut table = Table::new();
        for (column, cells) in R::TABLE.columns.iter().zip(R::columns(rows)) {
            table = match cells {
                Cells::Float(cells) => table.with(column.name, cells)?,
                Cells::Int(cells) => table.with(column.name, cells)?,
                Cells::Text(cells) => table.with(column.name, cells)?,
            };
        }
        self.bytes(format!("{}.csv", R::TABLE.name), table.to_csv().as_bytes())
    }

    /// Leaves a text as a file that the study declares.
    pub fn text(&mut self, file: FileDef, text: &str) -> Result<(), TrialError> {
        self.declares(file)?;
        self.bytes(file.name.to_owned(), text.as_bytes())
    }

    /// Leaves named arrays as an HDF5 file that the study declares.
    pub fn arrays(&mut self, file: FileDef, tree: &Tree) -> Result<(), TrialError> {
        self.declares(file)?;
        let path = self.folders.partial.join(file.name);
        let content = retrial_store::write(&path, tree)?;
        let bytes = std::fs::metadata(&path).map_or(0, |data| data.len());
        self.artifact(file.name.to_owned(), content, bytes)
    }

    fn declares(&self, file: FileDef) -> Result<(), TrialError> {
        match self.study.files.contains(&file) {
            true => Ok(()),
            false => Err(self.undeclared("file", file.name)),
        }
    }

    /// Leaves an 8-bit grey picture of `width × height` pixels, row by row, as `<name>.png`.
    ///
    /// Small pictures are left as small as they are: a report magnifies them.
    pub fn picture(
        &mut self,
        name: &str,
        width: u32,
        height: u32,
        gray: &[u8],
    ) -> Result<(), TrialError> {
        let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 100 || !name.chars().all(safe) {
            let message = format!(
                "`{name}` is no name of a picture; use up to 100 letters, digits, `-` and `_`"
            );
            return Err(TrialError::Other(message));
        }
        let Some(bytes) = retrial_report::gray_png(width, height, gray) else {
            let held = gray.len();
            let message = format!("picture `{name}` of {width} × {height} px holds {held} pixels");
            return Err(TrialError::Other(message));
        };
        self.bytes(format!("{name}.png"), &bytes)
    }

    /// Leaves a file, whose content is the hash of its bytes.
    fn bytes(&mut self, name: String, bytes: &[u8]) -> Result<(), TrialError> {
        retrial_store::atomic_write(self.folders.partial.join(&name), bytes)?;
        let content = retrial_core::hash::content(bytes);
        self.artifact(name, content, bytes.len() as u64)
    }

    fn artifact(&mut self, path: String, content: String, bytes: u64) -> Result<(), TrialError> {
        self.emit(&Event::Artifact {
            path: path.clone(),
            content: content.clone(),
            bytes,
        })?;
        self.artifacts.retain(|artifact| artifact.path != path);
        self.artifacts.push(Artifact {
            path,
            content,
            bytes,
        });
        Ok(())
    }

    /// Keeps an event in the journal and announces it.
    pub(crate) fn emit(&mut self, event: &Event) -> Result<(), StoreError> {
        if event.is_kept() {
            self.keep(event)?;
        }
        self.announce(event);
        Ok(())
    }

    fn keep(&mut self, event: &Event) -> Result<(), StoreError> {
        let path = || self.folders.partial.join(EVENTS_FILE);
        let mut line = json(event);
        line.push('\n');
        self.journal
            .write_all(line.as_bytes())
            .map_err(|source| io("write", &path(), source))?;
        self.journal_bytes += line.len() as u64;
        Ok(())
    }

    /// Tells the scheduler.
    pub(crate) fn announce(&self, event: &Event) {
        announce(event);
    }

    /// Folder of the results, for stages.
    pub(crate) fn results(&self) -> &PathBuf {
        &self.job.results
    }
}

/// Params of a trial as their study declares them.
pub fn typed<P>(
    params: &Params,
    read: impl FnOnce(&Params) -> Result<P, &'static str>,
) -> Result<P, TrialError> {
    read(params).map_err(|name| not_declared(name, params.get(name)))
}

/// The study's table and its code disagree: an error of ours, but never a panic.
fn not_declared(name: &str, found: Option<&ParamValue>) -> TrialError {
    let found = found.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    TrialError::Other(format!(
        "the param `{name}` is {found}, which the study cannot use"
    ))
}

/// Tells the scheduler; a scheduler that went away is noticed elsewhere.
pub(super) fn announce(event: &Event) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", json(event)).and_then(|()| out.flush());
}

/// Says that something damaged or foreign was left out and is made anew.
pub(crate) fn healed(what: String) {
    announce(&Event::Healed { what });
}

/// Whether `tree` says in its attribute `key` that it is of `id`; if not, of what it is.
pub(crate) fn belongs(tree: &Tree, key: &str, id: &str) -> Result<(), String> {
    match tree.attribute("", key) {
        Some(Value::Text(of)) if of == id => Ok(()),
        Some(Value::Text(of)) => Err(format!("it is of the {key} {of}, not of {id}")),
        _ => Err(format!("it does not say that it is of the {key} {id}")),
    }
}

fn json(event: &Event) -> String {
    serde_json::to_string(event).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

pub(crate) fn io(
    action: &'static str,
    path: &std::path::Path,
    source: std::io::Error,
) -> StoreError {
    StoreError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use std::collections::BTreeMap;
    use std::path::Path;

    use super::super::provenance::Host;
    use super::*;
    use crate::devices::Device;
    use crate::fake::Fake;
    use crate::study::Study as _;

    fn context(results: &Path, trial: &str) -> Context {
        let job = Job {
            results: results.to_owned(),
            study: "fake".to_owned(),
            experiment: "a".to_owned(),
            trial: trial.to_owned(),
            point: Params::default(),
            params: Params::default(),
            seed: 0,
            data: None,
            attempt: 1,
            device: Device::default(),
            threads: 1,
            memory_mib: None,
            claims: BTreeMap::new(),
            host: Host::default(),
        };
        let folders = TrialFolders::new(results, "fake", "a", trial);
        Context::open(job, Fake.info(), folders, Arc::default()).unwrap()
    }

    #[test]
    fn a_checkpoint_of_another_trial_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path();
        let mut first = context(results, "order-1");
        assert!(first.resume().unwrap().is_none());
        first.checkpoint(3, Tree::new()).unwrap();
        assert!(context(results, "order-1").resume().unwrap().is_some());

        // The folder of one trial, copied or renamed to be that of another.
        let mut second = context(results, "order-2");
        let (from, to) = (&first.folders.partial, &second.folders.partial);
        std::fs::rename(from, from.with_extension("away")).unwrap();
        std::fs::remove_dir_all(to).unwrap();
        std::fs::rename(from.with_extension("away"), to).unwrap();
        assert!(second.resume().unwrap().is_none());
        let mut third = context(results, "order-2");
        assert!(third.resume().unwrap().is_none());
        third.checkpoint(5, Tree::new()).unwrap();
        assert!(context(results, "order-2").resume().unwrap().is_some());
    }
}
