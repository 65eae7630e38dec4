//! Records of an experiment in few files, as they are committed.
//!
//! ```text
//! results/<study>/<experiment>/
//!   trials.csv                a row a finished trial: everything that its `trial.yaml` says
//!   attempts.csv              a row a failed attempt, where there is one
//!   tables/<table>.csv        rows of all trials, each after its trial's short id
//!   pictures/<id>.<file>      PNG pictures
//!   predictions/<id>.<file>   JSON files
//! ```
//!
//! A row has the seal of its record, and the record says the hash of each file. So what is read here
//! is what a trial left, byte for byte, or damaged. A short id is `t` and the last part of the trial's id: a letter
//! first, so that no reader takes it for a number. Where two trials end alike, it is the whole id of each.

mod read;
mod reduce;
mod row;
mod table;
pub(crate) mod write;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use retrial_core::file;
use retrial_core::record::{RECORD_FORMAT, Record};
use retrial_core::seal::sealed;

use crate::error::ReportError;
use crate::loaded::MAX_BYTES;
pub use read::Packed;
use read::{Newer, rows_of};
pub use reduce::Change;

/// The table of finished trials.
pub const TRIALS_FILE: &str = "trials.csv";
/// The table of failed attempts.
pub const ATTEMPTS_FILE: &str = "attempts.csv";
/// Folders of a packed experiment; none is a trial.
pub const PACK_FOLDERS: [&str; 3] = [TABLES, PICTURES, PREDICTIONS];
const TABLES: &str = "tables";
const PICTURES: &str = "pictures";
const PREDICTIONS: &str = "predictions";
/// The column of the trial's short id, by which tables are joined.
const ID: &str = "id";
/// The column that names the files of a trial that are here, too.
const KEPT: &str = "kept";
/// The column of a hash of the record's seal and of the names in [`KEPT`].
const KEPT_SEAL: &str = "kept_seal";

/// The packed records of an experiment; none where nothing is packed.
#[derive(Clone, Default)]
pub struct Pack {
    folder: PathBuf,
    trials: Vec<Packed>,
    /// Places among these by id.
    places: HashMap<String, usize>,
    attempts: Vec<Packed>,
    tables: Arc<Mutex<HashMap<String, Arc<Table>>>>,
}

/// A table of all trials.
struct Table {
    header: String,
    /// Lines of a trial by its short id.
    lines: HashMap<String, String>,
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.trials.len() + self.attempts.len();
        write!(f, "Pack({rows} rows of {})", self.folder.display())
    }
}

impl Pack {
    /// That of a folder without a row.
    #[must_use]
    pub fn nothing(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ..Self::default()
        }
    }

    /// What is packed in `results/<study>/<experiment>`, sound rows and damaged ones.
    ///
    /// # Errors
    /// A file that cannot be read, or is of a newer program.
    pub fn read(folder: &Path, study: &str, experiment: &str) -> Result<Self, ReportError> {
        let mut pack = Self::nothing(folder);
        for (name, rows) in [
            (TRIALS_FILE, &mut pack.trials),
            (ATTEMPTS_FILE, &mut pack.attempts),
        ] {
            let path = folder.join(name);
            let bytes = match file::read(&path, MAX_BYTES) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if file::is_damage(&error) => {
                    rows.push(Packed::damaged(0..usize::MAX, error.to_string()));
                    continue;
                }
                Err(error) => return Err(ReportError::io("read", &path)(error)),
            };
            let is_finished = name == TRIALS_FILE;
            *rows = rows_of(&bytes, is_finished, study, experiment).map_err(|Newer(found)| {
                ReportError::Newer {
                    path,
                    found,
                    newest: u64::from(RECORD_FORMAT),
                }
            })?;
        }
        for (place, row) in pack.trials.iter().enumerate() {
            let known = pack.places.entry(row.trial.clone()).or_insert(place);
            if pack.trials[*known].record.is_err() && row.record.is_ok() {
                *known = place;
            }
        }
        Ok(pack)
    }

    /// The rows of finished trials, in the order of the file.
    #[must_use]
    pub fn trials(&self) -> &[Packed] {
        &self.trials
    }

    /// The rows of failed attempts, in the order of the file.
    #[must_use]
    pub fn attempts(&self) -> &[Packed] {
        &self.attempts
    }

    /// The row of a finished trial, a sound one where there is one.
    #[must_use]
    pub fn trial(&self, id: &str) -> Option<&Packed> {
        self.places.get(id).map(|&place| &self.trials[place])
    }

    /// The failed attempts of a trial, the first one first.
    pub fn failures(&self, trial: &str) -> impl Iterator<Item = &Record> {
        let own = self.attempts.iter().filter(move |row| row.trial == trial);
        own.filter_map(|row| row.record.as_ref().ok())
    }

    /// The packed record of a finished trial, or of an attempt of this number.
    #[must_use]
    pub fn record(&self, of: &Record) -> Option<&Record> {
        match of.is_finished() {
            true => self.trial(&of.trial)?.record.as_ref().ok(),
            false => (self.failures(&of.trial)).find(|own| own.attempt == of.attempt),
        }
    }

    /// Files with what is damaged in them: rows, and in tables and other files what no row names.
    ///
    /// Of `trials`, which have folders, tables may say more than rows: a pack that was being written did not end.
    ///
    /// # Errors
    /// A folder that cannot be listed, or a table that cannot be read.
    pub fn faults(&self, trials: &[&str]) -> Result<Vec<(String, String)>, ReportError> {
        let mut faults = Vec::new();
        for (file, rows) in [(TRIALS_FILE, &self.trials), (ATTEMPTS_FILE, &self.attempts)] {
            let own = rows.iter().filter_map(Packed::fault);
            faults.extend(own.map(|reason| (file.to_owned(), reason)));
        }
        let wrong = |error| ReportError::io("read", &self.folder)(error);
        faults.extend(self.strays(trials).map_err(wrong)?);
        Ok(faults)
    }

    /// The bytes of a file that a trial left.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where it is not packed, and what the system says.
    pub fn file(&self, trial: &str, name: &str) -> io::Result<Vec<u8>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "it is not packed");
        let row = self.trial(trial).filter(|row| row.has(name));
        let row = row.ok_or_else(missing)?;
        let Some(table) = name.strip_suffix(".csv") else {
            return file::read(&self.folder.join(place(&row.id, name)), MAX_BYTES);
        };
        let table = self.table(table)?;
        let lines = table.lines.get(&row.id).map_or("", String::as_str);
        Ok(format!("{}{lines}", table.header).into_bytes())
    }

    /// Where a file of a trial is packed.
    #[must_use]
    pub fn path(&self, trial: &str, name: &str) -> PathBuf {
        let id = self.trial(trial).map_or("", |row| row.id.as_str());
        self.folder.join(match name.ends_with(".csv") {
            true => Path::new(TABLES).join(name),
            false => place(id, name),
        })
    }

    /// A table of all trials, which is read once.
    fn table(&self, name: &str) -> io::Result<Arc<Table>> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(name) {
            return Ok(Arc::clone(table));
        }
        let path = self.folder.join(TABLES).join(format!("{name}.csv"));
        let table = Table::of(&file::text(&path, MAX_BYTES)?);
        let table = Arc::new(table.map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?);
        tables.insert(name.to_owned(), Arc::clone(&table));
        Ok(table)
    }
}

impl Table {
    /// The table of a text, or why it is none.
    fn of(text: &str) -> Result<Self, String> {
        let mut lines = rows(text);
        let own = |line: &str| -> (String, String) {
            let (id, rest) = line.split_once(',').unwrap_or((line, ""));
            (id.to_owned(), rest.to_owned())
        };
        let (id, header) = lines.next().map(own).unwrap_or_default();
        if id != ID {
            return Err(format!(
                "its first column is `{}`, expected `{ID}`",
                id.trim_end()
            ));
        }
        let mut table = Self {
            header,
            lines: HashMap::new(),
        };
        for line in lines {
            let (id, rest) = own(line);
            table.lines.entry(id).or_default().push_str(&rest);
        }
        Ok(table)
    }
}

/// Where a file that is no table lies, of the trial with this short id.
fn place(id: &str, name: &str) -> PathBuf {
    let folder = match name.ends_with(".png") {
        true => PICTURES,
        false => PREDICTIONS,
    };
    Path::new(folder).join(format!("{id}.{name}"))
}

/// The short id of a trial of which no other trial ends alike.
pub(crate) fn short(trial: &str) -> String {
    format!("t{}", trial.rsplit('-').next().unwrap_or(trial))
}

/// Whether a row with this short id is of this trial.
fn has_id(id: &str, trial: &str) -> bool {
    id == trial || id == short(trial)
}

/// The short ids of trials, in their order.
fn short_ids(trials: &[&str]) -> Vec<String> {
    let mut owners: HashMap<String, &str> = HashMap::new();
    let mut alike = std::collections::HashSet::new();
    for trial in trials {
        let short = short(trial);
        if *owners.entry(short.clone()).or_insert(trial) != *trial {
            alike.insert(short);
        }
    }
    let own = |trial: &&str| match short(trial) {
        short if alike.contains(&short) => (*trial).to_owned(),
        short => short,
    };
    trials.iter().map(own).collect()
}

/// Rows of a CSV text with their ends; a text in quotes may have several lines.
fn rows(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut quoted = false;
        let end = rest.bytes().position(|byte| {
            quoted ^= byte == b'"';
            byte == b'\n' && !quoted
        });
        let (row, more) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        rest = more;
        (!row.is_empty()).then_some(row)
    })
}

/// The text of a record with its seal below, as `trial.yaml` and `attempt.yaml` hold it.
///
/// # Errors
/// A record that no YAML can say.
pub fn record_text(record: &Record) -> Result<String, String> {
    with_seal(record).map(|(text, _)| text)
}

/// The text of a record, and its seal.
fn with_seal(record: &Record) -> Result<(String, String), String> {
    let mut open = record.clone();
    open.seal.clear();
    let text = serde_yaml::to_string(&open).map_err(|error| error.to_string())?;
    let whole = sealed(&text);
    let seal = whole[text.len()..].trim_start_matches("seal: ").trim_end();
    let seal = seal.to_owned();
    Ok((whole, seal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_that_end_alike_have_their_whole_ids() {
        let trials = ["a-s0-12e4", "b-s0-12e4", "base-s0-77"];
        let ids = short_ids(&trials);
        assert_eq!(ids, ["a-s0-12e4", "b-s0-12e4", "t77"]);
        assert!(ids.iter().zip(trials).all(|(id, trial)| has_id(id, trial)));
        assert!(!has_id("12e4", trials[0]) && !has_id("t77", trials[0]));
        // A trial with several attempts is one trial.
        assert_eq!(short_ids(&["a-s0-1", "a-s0-1"]), ["t1", "t1"]);
    }
}
