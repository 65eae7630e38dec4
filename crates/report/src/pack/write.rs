//! From the records of an experiment to the files of its pack.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use retrial_core::record::Record;

use super::read::{kept_seal, rows_of};
use super::reduce::Change;
use super::table::Table as Rows;
use super::{
    ATTEMPTS_FILE, ID, KEPT, KEPT_SEAL, TABLES, TRIALS_FILE, Table, place, row, rows, short,
    short_ids,
};
use crate::error::ReportError;
use crate::load::Experiment;

/// How a table of all trials is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// As text.
    Csv,
    /// As an Arrow IPC file, with types.
    Arrow,
}

/// A pack to be written.
#[derive(Clone, Debug, Default)]
pub struct Packing {
    /// Files within the experiment's folder in the order in which they are to be written: the table of trials after
    /// those that it names, so that until then the earlier pack holds; then what goes.
    pub changes: Vec<Change>,
    /// Finished trials.
    pub trials: usize,
    /// Failed attempts.
    pub attempts: usize,
    /// Tables and predictions that the sheet asks for and a trial no longer has, each once.
    pub gone: Vec<String>,
    /// Those that the sheet does not ask for and that only the earlier pack has, each once: they stay.
    pub stays: Vec<String>,
}

impl Packing {
    /// Its files with their bytes.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        let files = self.changes.iter();
        files.filter_map(|(path, bytes)| Some((path.as_path(), bytes.as_deref()?)))
    }
}

/// The pack of an experiment: all its records, the planned ones first, in the order of the plan. Of their files it has
/// all pictures, the tables that its figures show, those that its `keep` names, and those that only the earlier pack
/// has. The same records give the same bytes.
///
/// # Errors
/// A file that cannot be read, a record or table that would not be read back as it is, and one of the earlier pack that
/// would be lost.
pub fn pack(experiment: &Experiment) -> Result<Packing, ReportError> {
    let fault = |record: &Record, reason: String| ReportError::Pack {
        experiment: experiment.name(),
        trial: record.trial.clone(),
        reason,
    };
    let report = &experiment.sheet.report;
    let drawn = report.figures.iter().filter_map(|f| f.table.as_ref());
    let wanted: HashSet<&str> = drawn.chain(&report.keep).map(String::as_str).collect();
    let finished: Vec<&Record> = (experiment.finished.iter())
        .chain(&experiment.earlier)
        .collect();
    let attempts: Vec<&Record> = experiment.attempts.iter().collect();
    let mut packing = Packing {
        trials: finished.len(),
        attempts: attempts.len(),
        ..Packing::default()
    };
    let all: Vec<&str> = (finished.iter().chain(&attempts))
        .map(|record| record.trial.as_str())
        .collect();
    let ids = short_ids(&all);
    let mut tables: BTreeMap<&str, (String, String)> = BTreeMap::new();
    let mut kept = Vec::new();
    for (record, id) in finished.iter().zip(&ids) {
        let mut names = Vec::new();
        for artifact in &record.artifacts {
            let name = artifact.path.as_str();
            let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
            let is_wanted = match end {
                "png" => true,
                "csv" | "json" => wanted.contains(stem),
                _ => false,
            };
            let is_only_here = || {
                let row = experiment.pack.trial(&record.trial);
                let folder = experiment.folder.join(&record.trial);
                row.is_some_and(|row| row.has(name)) && !folder.join(name).exists()
            };
            if !is_wanted && !is_only_here() {
                continue;
            }
            let note = |list: &mut Vec<String>| {
                if list.iter().all(|known| known != name) {
                    list.push(name.to_owned());
                }
            };
            if !is_wanted {
                note(&mut packing.stays);
            }
            let bytes = match experiment.file(&record.trial, name) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    note(&mut packing.gone);
                    continue;
                }
                Err(error) => return Err(fault(record, format!("{name}: {error}"))),
            };
            if end == "csv" {
                let text = String::from_utf8(bytes)
                    .map_err(|_| fault(record, format!("{name} is no UTF-8 text")))?;
                add(&mut tables, stem, id, &text)
                    .map_err(|reason| fault(record, format!("{name}: {reason}")))?;
            } else {
                packing.changes.push((place(id, name), Some(bytes)));
            }
            names.push(name);
        }
        kept.push(names.join(" "));
    }
    for (name, (header, lines)) in tables {
        let path = Path::new(TABLES).join(format!("{name}.csv"));
        let text = (header + &lines).into_bytes();
        packing.changes.push((path, Some(text)));
    }
    let (of_finished, of_attempts) = ids.split_at(finished.len());
    for (file, records, ids, kept) in [
        (ATTEMPTS_FILE, &attempts, of_attempts, &Vec::new()),
        (TRIALS_FILE, &finished, of_finished, &kept),
    ] {
        if !records.is_empty() {
            let text = table(records, ids, kept);
            let text = text.map_err(|(record, reason)| fault(record, reason))?;
            packing.changes.push((file.into(), Some(text)));
        }
    }
    nothing_is_lost(experiment, finished.iter().chain(&attempts))
        .map_err(|record| fault(record, "its row would be lost".to_owned()))?;
    let mut old = vec![PathBuf::from(TRIALS_FILE), PathBuf::from(ATTEMPTS_FILE)];
    let inner = experiment.pack.inner();
    old.extend(inner.map_err(ReportError::io("list", &experiment.folder))?);
    let new: HashSet<&Path> = packing.files().map(|(path, _)| path).collect();
    old.retain(|path| !new.contains(path.as_path()));
    packing
        .changes
        .extend(old.into_iter().map(|path| (path, None)));
    Ok(packing)
}

/// An error with a record of the earlier pack that these are without.
fn nothing_is_lost<'r>(
    experiment: &'r Experiment,
    records: impl Iterator<Item = &'r &'r Record>,
) -> Result<(), &'r Record> {
    let own = |record: &'r Record| (record.trial.as_str(), record.is_finished(), record.attempt);
    let known: HashSet<_> = records.map(|record| own(record)).collect();
    let pack = &experiment.pack;
    let rows = pack.trials().iter().chain(pack.attempts());
    let mut rows = rows.filter_map(|row| row.record.as_ref().ok());
    match rows.find(|record| !known.contains(&own(record))) {
        None => Ok(()),
        Some(record) => Err(record),
    }
}

/// Adds a trial's table to that of all trials.
fn add<'t>(
    tables: &mut BTreeMap<&'t str, (String, String)>,
    name: &'t str,
    id: &str,
    text: &str,
) -> Result<(), String> {
    if !text.ends_with('\n') {
        return Err("its last line has no end".to_owned());
    }
    let mut own = rows(text);
    let header = format!("{ID},{}", own.next().unwrap_or_default());
    let (known, lines) = tables
        .entry(name)
        .or_insert_with(|| (header.clone(), String::new()));
    if *known != header {
        return Err("its columns are not those of the trials before".to_owned());
    }
    let start = lines.len();
    for row in own {
        lines.push_str(id);
        lines.push(',');
        lines.push_str(row);
    }
    let back = Table::of(&format!("{known}{}", &lines[start..]))?;
    let lines = back.lines.get(id).map_or("", String::as_str);
    match format!("{}{lines}", back.header) == text {
        true => Ok(()),
        false => Err("it would not be read back as it is".to_owned()),
    }
}

/// The rows of these records under their short ids; of which files are kept says the last list, where there is one.
fn table<'r>(
    records: &[&'r Record],
    ids: &[String],
    kept: &[String],
) -> Result<Vec<u8>, (&'r Record, String)> {
    let mut all = Vec::new();
    for (at, (record, id)) in records.iter().zip(ids).enumerate() {
        let cells = row::cells(record).map_err(|reason| (*record, reason))?;
        let kept = kept.get(at).cloned().unwrap_or_default();
        let mut row = vec![(ID.to_owned(), id.clone())];
        row.extend(cells);
        row.push((KEPT_SEAL.to_owned(), kept_seal(record, &kept)));
        row.push((KEPT.to_owned(), kept));
        all.push(row);
    }
    let text = Rows::new(all).csv();
    let first = records[0];
    let (study, experiment) = (&first.study, &first.experiment);
    let back = rows_of(text.as_bytes(), first.is_finished(), study, experiment);
    let back = back.map_err(|_| (first, "its format is a newer one".to_owned()))?;
    for (at, record) in records.iter().enumerate() {
        match back.get(at).map(|row| &row.record) {
            Some(Ok(read)) if read.seal == record.seal => {}
            Some(Err(reason)) => return Err((record, reason.clone())),
            _ => return Err((record, "it would not be read back as it is".to_owned())),
        }
    }
    Ok(text.into_bytes())
}

/// One table of records of any experiments, as CSV or as an Arrow file: a row each, with all that its `trial.yaml` says.
///
/// # Errors
/// A record that no row can say.
pub fn export(records: &[&Record], form: Export) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    for record in records {
        let mut row = vec![
            (ID.to_owned(), short(&record.trial)),
            ("study".to_owned(), record.study.clone()),
            ("experiment".to_owned(), record.experiment.clone()),
        ];
        row.extend(row::cells(record)?);
        all.push(row);
    }
    let table = Rows::new(all);
    match form {
        Export::Csv => Ok(table.csv().into_bytes()),
        Export::Arrow => table.arrow().map_err(|error| error.to_string()),
    }
}
