//! Results folders as experiments: what was planned, what finished, what failed, what is damaged.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use retrial_core::experiment::{ExperimentSheet, Planned, SHEET_FILE, SHEET_FORMAT};
use retrial_core::file;
use retrial_core::params::Params;
use retrial_core::record::{ATTEMPT_FILE, RECORD_FILE, RECORD_FORMAT, Record};
use retrial_core::report_spec::ReportSpec;
use retrial_core::seal::unsealed;
use serde::de::DeserializeOwned;

use crate::error::ReportError;
use crate::loaded::{Loaded, MAX_BYTES};
use crate::pack::{ATTEMPTS_FILE, PACK_FOLDERS, Pack, Packed, TRIALS_FILE};
use crate::parallel;

/// An experiment with everything its trials left.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The experiment as planned.
    pub sheet: ExperimentSheet,
    /// Folder of its trials.
    pub folder: PathBuf,
    /// Its packed records, which are among those below.
    pub pack: Pack,
    /// Finished trials of the plan, in its order.
    pub finished: Vec<Record>,
    /// Finished trials that are in no plan any more; never pooled with the others.
    pub earlier: Vec<Record>,
    /// Failed attempts, by trial and number.
    pub attempts: Vec<Record>,
    /// Records that could not be read or no longer say what was recorded; they judge nothing. A
    /// damaged sheet is here, too; of its experiment nothing else is known.
    pub damaged: Vec<Damaged>,
    /// Trials that were begun and neither finished nor failed.
    pub unfinished: Vec<String>,
}

/// A record that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Its file, within the results folder.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Experiment {
    /// `study/experiment`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.sheet.study, self.sheet.experiment)
    }

    /// The bytes of a file that a trial left, from its folder or from the pack.
    ///
    /// # Errors
    /// [`std::io::ErrorKind::NotFound`] where neither has it, and what the system says.
    pub fn file(&self, trial: &str, name: &str) -> std::io::Result<Vec<u8>> {
        match file::read(&self.folder.join(trial).join(name), MAX_BYTES) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.pack.file(trial, name)
            }
            read => read,
        }
    }

    /// Whether its trials left anything, sound or damaged.
    pub(crate) fn has_records(&self) -> bool {
        let records = [&self.finished, &self.earlier, &self.attempts];
        records.iter().any(|list| !list.is_empty()) || !self.damaged.is_empty()
    }

    /// The planned trials, whether or not they have run.
    #[must_use]
    pub fn planned(&self) -> Vec<Planned> {
        self.sheet
            .planned(self.finished.iter().chain(&self.attempts))
    }
}

/// All experiments of a results folder, by study and name.
///
/// # Errors
/// A results folder that is missing, a folder that cannot be listed, and a record or sheet that
/// cannot be read or is of a newer program. A damaged one is no error: it is in
/// [`Experiment::damaged`].
pub fn load(results: &Path) -> Result<Vec<Experiment>, ReportError> {
    if !results.exists() {
        listed(results)?;
        return Err(ReportError::NoResults {
            path: results.to_owned(),
        });
    }
    let mut experiments = Vec::new();
    for study in listed(results)? {
        for experiment in listed(&results.join(&study))? {
            let folder = results.join(&study).join(&experiment);
            match read_sheet(&folder)? {
                Ok(sheet) => experiments.push(read_experiment(&folder, sheet)?),
                Err(_) if !has_records(&folder)? && !has_sheet(&folder) => {}
                Err(reason) => experiments.push(unknown(&study, &experiment, folder, reason)),
            }
        }
    }
    Ok(experiments)
}

/// What a results folder holds of the experiment on `sheet`, whatever its own sheet says.
///
/// # Errors
/// As [`load`]; a missing folder holds nothing.
pub fn load_experiment(results: &Path, sheet: ExperimentSheet) -> Result<Experiment, ReportError> {
    let folder = results.join(&sheet.study).join(&sheet.experiment);
    read_experiment(&folder, sheet)
}

/// The sheet in `results/<study>/<experiment>`.
///
/// # Errors
/// A sheet that cannot be read or is of a newer program.
pub fn read_sheet(folder: &Path) -> Loaded<ExperimentSheet> {
    let path = folder.join(SHEET_FILE);
    let text = match read_text(&path, SHEET_FORMAT)? {
        Ok(text) => text,
        Err(reason) => return Ok(Err(reason)),
    };
    let Some((body, true)) = unsealed(&text) else {
        return Ok(Err("its text was changed after it was written".to_owned()));
    };
    Ok(parse(body).and_then(|sheet: ExperimentSheet| {
        let (name, study) = (&sheet.experiment, &sheet.study);
        match above(folder) {
            [own, of, ..] if own == *name && of == *study => Ok(sheet),
            _ => Err(format!("it says that it is of `{study}/{name}`")),
        }
    }))
}

/// Whether the folder of an experiment has records, folders of trials or packed ones.
///
/// # Errors
/// A folder that cannot be listed.
pub fn has_records(folder: &Path) -> Result<bool, ReportError> {
    let is_packed = |name| folder.join(name).symlink_metadata().is_ok();
    Ok([TRIALS_FILE, ATTEMPTS_FILE].iter().any(is_packed) || !listed(folder)?.is_empty())
}

/// Whether something bears the name of a sheet in this folder.
fn has_sheet(folder: &Path) -> bool {
    folder.join(SHEET_FILE).symlink_metadata().is_ok()
}

/// The record of a finished trial in `results/<study>/<experiment>/<trial>`, whose names it must
/// bear. Its files are not looked at, and of a seal only that of its text.
///
/// # Errors
/// A record that cannot be read or is of a newer program.
pub fn read_finished(folder: &Path) -> Loaded<Record> {
    let read = read_record(&folder.join(RECORD_FILE))?;
    let [trial, experiment, study, _] = above(folder);
    Ok(read.and_then(|record| {
        if !record.is_finished() {
            return Err("it says that it did not finish".to_owned());
        }
        bears(record, &study, &experiment, &trial)
    }))
}

/// As [`read_finished`], of the failed attempt in
/// `results/<study>/<experiment>/<trial>.attempts/<n>`.
///
/// # Errors
/// As [`read_finished`].
pub fn read_attempt(folder: &Path) -> Loaded<Record> {
    let read = read_record(&folder.join(ATTEMPT_FILE))?;
    let [number, trial, experiment, study] = above(folder);
    let trial = trial.strip_suffix(".attempts").unwrap_or(&trial);
    Ok(read.and_then(|record| {
        if record.is_finished() {
            return Err("it says that it finished".to_owned());
        }
        if record.attempt.to_string() != number {
            return Err(format!("it says that it is attempt {}", record.attempt));
        }
        bears(record, &study, &experiment, trial)
    }))
}

/// The last four names of a path, the last one first.
fn above(folder: &Path) -> [String; 4] {
    let mut names = folder.iter().rev().map(|name| name.to_string_lossy());
    [(); 4].map(|()| names.next().unwrap_or_default().into_owned())
}

/// The record, if it is of the place where it lies.
fn bears(record: Record, study: &str, experiment: &str, trial: &str) -> Result<Record, String> {
    if record.trial != trial {
        return Err(format!("it says that it is trial `{}`", record.trial));
    }
    if record.study != study || record.experiment != experiment {
        let (study, name) = (&record.study, &record.experiment);
        return Err(format!("it says that it is of `{study}/{name}`"));
    }
    Ok(record)
}

/// An experiment of which nothing is known but that its sheet is damaged.
fn unknown(study: &str, experiment: &str, folder: PathBuf, reason: String) -> Experiment {
    let sheet = ExperimentSheet {
        format: SHEET_FORMAT,
        study: study.to_owned(),
        work: String::new(),
        experiment: experiment.to_owned(),
        question: "Its sheet is damaged, so that its plan and its question are not known here. \
                   Where its spec is there, this writes the sheet again."
            .to_owned(),
        command: "just report".to_owned(),
        changes: Vec::new(),
        datasets: Vec::new(),
        deterministic: false,
        swept: Vec::new(),
        trials: Vec::new(),
        seeds: Vec::new(),
        points: Vec::new(),
        fixed: Params::default(),
        metrics: Vec::new(),
        params: Vec::new(),
        columns: Vec::new(),
        claims: Vec::new(),
        report: ReportSpec::default(),
    };
    let path = format!("{study}/{experiment}/{SHEET_FILE}");
    Experiment {
        sheet,
        folder,
        pack: Pack::default(),
        finished: Vec::new(),
        earlier: Vec::new(),
        attempts: Vec::new(),
        damaged: vec![Damaged { path, reason }],
        unfinished: Vec::new(),
    }
}

fn read_experiment(folder: &Path, sheet: ExperimentSheet) -> Result<Experiment, ReportError> {
    let prefix = format!("{}/{}", sheet.study, sheet.experiment);
    let mut files = Vec::new();
    let mut unfinished = Vec::new();
    for name in listed(folder)? {
        if PACK_FOLDERS.contains(&name.as_str()) {
            continue;
        }
        if let Some(trial) = name.strip_suffix(".partial") {
            unfinished.push(trial.to_owned());
        } else if name.ends_with(".attempts") {
            let mut numbers = listed(&folder.join(&name))?;
            // One that is being written, or whose writer died, is no attempt.
            numbers.retain(|number| !number.ends_with(".partial"));
            numbers.sort_by_key(|n| (n.parse::<u32>().unwrap_or(u32::MAX), n.clone()));
            files.extend(
                numbers
                    .iter()
                    .map(|number| format!("{name}/{number}/{ATTEMPT_FILE}")),
            );
        } else {
            files.push(format!("{name}/{RECORD_FILE}"));
        }
    }
    let place: HashMap<&str, usize> = (sheet.trials.iter().enumerate())
        .map(|(i, id)| (id.as_str(), i))
        .collect();
    let (mut finished, mut earlier, mut attempts) = (Vec::new(), Vec::new(), Vec::new());
    let mut damaged = Vec::new();
    let mut harm = |file: &str, reason: String| {
        let path = format!("{prefix}/{file}");
        damaged.push(Damaged { path, reason });
    };
    let pack = match Pack::read(folder, &sheet.study, &sheet.experiment)? {
        Ok(pack) => pack,
        Err(reason) => {
            let (file, reason) = reason.split_once(": ").unwrap_or((TRIALS_FILE, &reason));
            harm(file, reason.to_owned());
            Pack::default()
        }
    };
    let mut packed: HashMap<(String, u32), (&str, &Packed)> = HashMap::new();
    for (file, rows) in [
        (TRIALS_FILE, pack.trials()),
        (ATTEMPTS_FILE, pack.attempts()),
    ] {
        for row in rows {
            let number = match &row.record {
                Ok(record) if !record.is_finished() => record.attempt,
                _ => 0,
            };
            if packed
                .insert((row.trial.clone(), number), (file, row))
                .is_some()
            {
                harm(file, format!("{}: it has two rows", row.trial));
            }
        }
    }
    let mut sort = |record: Record| match record.is_finished() {
        false => attempts.push(record),
        true if place.contains_key(record.trial.as_str()) => finished.push(record),
        true => earlier.push(record),
    };
    for (file, read) in files.iter().zip(read_all(folder, &files)) {
        match read? {
            Ok(record) => {
                let number = if record.is_finished() {
                    0
                } else {
                    record.attempt
                };
                match packed.remove(&(record.trial.clone(), number)) {
                    Some((of, row)) if !row.is(&record) => {
                        harm(file, format!("{of} has another record of it"));
                    }
                    _ => sort(record),
                }
            }
            Err(reason) => harm(file, reason),
        }
    }
    for (file, row) in packed.into_values() {
        match &row.record {
            Ok(record) => sort(record.clone()),
            Err(reason) => harm(file, format!("{}: {reason}", row.trial)),
        }
    }
    let in_plan = |record: &Record| {
        (
            place.get(record.trial.as_str()).copied(),
            record.trial.clone(),
        )
    };
    finished.sort_by_key(in_plan);
    earlier.sort_by_key(in_plan);
    attempts.sort_by_key(|record| (record.trial.clone(), record.attempt));
    damaged.sort_by(|a, b| (&a.path, &a.reason).cmp(&(&b.path, &b.reason)));
    let ended: HashSet<&str> = (finished.iter().chain(&attempts))
        .map(|r| r.trial.as_str())
        .collect();
    unfinished.retain(|trial| !ended.contains(trial.as_str()));
    Ok(Experiment {
        sheet,
        folder: folder.to_owned(),
        pack,
        finished,
        earlier,
        attempts,
        damaged,
        unfinished,
    })
}

/// Reads records on all cores: parsing ten thousand takes seconds on one.
fn read_all(folder: &Path, files: &[String]) -> Vec<Loaded<Record>> {
    let read = |file: &String| {
        let file = folder.join(file);
        let own = file.parent().unwrap_or(folder);
        match file.ends_with(RECORD_FILE) {
            true => read_finished(own),
            false => read_attempt(own),
        }
    };
    parallel::each(files, usize::MAX, read)
}

fn read_record(path: &Path) -> Loaded<Record> {
    let text = read_text(path, RECORD_FORMAT)?;
    Ok(text.and_then(|text| match unsealed(&text) {
        Some((_, true)) => parse(&text),
        _ => Err("its text was changed after it was recorded".to_owned()),
    }))
}

/// The text of a file that says this format.
fn read_text(path: &Path, known: u32) -> Loaded<String> {
    let text = match file::text(path, MAX_BYTES) {
        Ok(text) => text,
        Err(error) if file::is_damage(&error) => return Ok(Err(error.to_string())),
        Err(error) => return Err(ReportError::io("read", path)(error)),
    };
    let newest = u64::from(known);
    match format_of(&text) {
        Some(found) if found > newest => Err(ReportError::Newer {
            path: path.to_owned(),
            found,
            newest,
        }),
        Some(found) if found < newest => Ok(Err(format!(
            "it has format {found}, and only {newest} is read"
        ))),
        _ => Ok(Ok(text)),
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let first = |message: String| message.lines().next().unwrap_or_default().to_owned();
    serde_yaml::from_str(text).map_err(|error| first(error.to_string()))
}

/// The value of the top-level key `format`, read before the rest so that a file of another
/// version is told from a damaged one.
fn format_of(text: &str) -> Option<u64> {
    (text.lines())
        .find_map(|line| line.strip_prefix("format:"))
        .and_then(|value| value.trim().parse().ok())
}

/// Names of the folders in `path` in order; hidden ones hold no experiment.
fn listed(path: &Path) -> Result<Vec<String>, ReportError> {
    file::folders(path).map_err(ReportError::io("list", path))
}
