//! From the records of an experiment to the files of its pack.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use retrial_core::record::Record;

use super::table::Table as Rows;
use super::{
    ATTEMPTS_FILE, ID, KEPT, KEPT_SEAL, TABLES, TRIALS_FILE, Table, kept_seal, place, row, rows,
    rows_of, short,
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

/// The files of a pack.
#[derive(Clone, Debug, Default)]
pub struct Packing {
    /// Bytes by path within the experiment's folder. The table of trials is the last to be written: before
    /// that, the earlier pack still holds.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Finished trials.
    pub trials: usize,
    /// Failed attempts.
    pub attempts: usize,
    /// Tables and predictions that the sheet asks for and a trial no longer has, each once.
    pub gone: Vec<String>,
}

/// The pack of an experiment: its planned and failed trials in the order of the plan, the tables that its
/// figures show, those that its `keep` names, and all pictures. The same records give the same bytes.
///
/// # Errors
/// A file that cannot be read, and a record or table that would not be read back as it is.
pub fn pack(experiment: &Experiment) -> Result<Packing, ReportError> {
    let fault = |record: &Record, reason: String| ReportError::Pack {
        experiment: experiment.name(),
        trial: record.trial.clone(),
        reason,
    };
    let report = &experiment.sheet.report;
    let drawn = report.figures.iter().filter_map(|f| f.table.as_ref());
    let wanted: HashSet<&str> = drawn.chain(&report.keep).map(String::as_str).collect();
    let mut packing = Packing {
        trials: experiment.finished.len(),
        attempts: experiment.attempts.len(),
        ..Packing::default()
    };
    let mut ids = HashSet::new();
    let mut tables: BTreeMap<&str, (String, String)> = BTreeMap::new();
    let mut kept = Vec::new();
    for record in &experiment.finished {
        let id = short(&record.trial);
        if !ids.insert(id) {
            return Err(fault(
                record,
                format!("another trial ends with `{id}`, too"),
            ));
        }
        let mut names = Vec::new();
        for artifact in &record.artifacts {
            let name = artifact.path.as_str();
            let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
            let is_wanted = match end {
                "png" => true,
                "csv" | "json" => wanted.contains(stem),
                _ => false,
            };
            if !is_wanted {
                continue;
            }
            let bytes = match experiment.file(&record.trial, name) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if !packing.gone.contains(&name.to_owned()) {
                        packing.gone.push(name.to_owned());
                    }
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
                packing.files.push((place(&record.trial, name), bytes));
            }
            names.push(name);
        }
        kept.push(names.join(" "));
    }
    for (name, (header, lines)) in tables {
        let path = Path::new(TABLES).join(format!("{name}.csv"));
        packing.files.push((path, (header + &lines).into_bytes()));
    }
    for (file, records, kept) in [
        (ATTEMPTS_FILE, &experiment.attempts, &Vec::new()),
        (TRIALS_FILE, &experiment.finished, &kept),
    ] {
        if !records.is_empty() {
            let text = table(records, kept).map_err(|(record, reason)| fault(record, reason))?;
            packing.files.push((file.into(), text));
        }
    }
    Ok(packing)
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
    let back = Table::of(&format!("{known}{}", &lines[start..]));
    let lines = back.lines.get(id).map_or("", String::as_str);
    match format!("{}{lines}", back.header) == text {
        true => Ok(()),
        false => Err("it would not be read back as it is".to_owned()),
    }
}

/// The rows of these records; of which files are kept says the second list, where there is one.
fn table<'r>(records: &'r [Record], kept: &[String]) -> Result<Vec<u8>, (&'r Record, String)> {
    let mut all = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let cells = row::cells(record).map_err(|reason| (record, reason))?;
        let kept = kept.get(at).cloned().unwrap_or_default();
        let mut row = vec![(ID.to_owned(), short(&record.trial).to_owned())];
        row.extend(cells);
        row.push((KEPT_SEAL.to_owned(), kept_seal(record, &kept)));
        row.push((KEPT.to_owned(), kept));
        all.push(row);
    }
    let text = Rows::new(all).csv();
    let (study, experiment) = (&records[0].study, &records[0].experiment);
    let back = match rows_of(&text, study, experiment) {
        Ok(Ok(back)) => back,
        Ok(Err(reason)) => return Err((&records[0], reason)),
        Err(_) => return Err((&records[0], "its format is a newer one".to_owned())),
    };
    for (record, row) in records.iter().zip(back) {
        match row.record {
            Ok(read) if read.seal == record.seal => {}
            Ok(_) => return Err((record, "it would not be read back as it is".to_owned())),
            Err(reason) => return Err((record, reason)),
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
