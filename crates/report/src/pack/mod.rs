//! Records of an experiment in few files, as they are committed.
//!
//! ```text
//! results/<study>/<experiment>/
//!   trials.csv                a row a finished trial: everything that its `trial.yaml` says
//!   attempts.csv              a row a failed attempt, where there is one
//!   tables/<table>.csv        rows of all trials, each after the last part of its trial's id
//!   pictures/<id>.<file>      PNG pictures
//!   predictions/<id>.<file>   JSON files
//! ```
//!
//! A row has the seal of its record, and the record says the hash of each file. So what is read here
//! is what a trial left, byte for byte, or damaged.

mod row;
mod table;
pub(crate) mod write;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use retrial_core::file;
use retrial_core::hash;
use retrial_core::record::{RECORD_FORMAT, Record};
use retrial_core::seal::sealed;

use crate::error::ReportError;
use crate::loaded::{Loaded, MAX_BYTES};
use crate::parallel;

/// The table of finished trials.
pub const TRIALS_FILE: &str = "trials.csv";
/// The table of failed attempts.
pub const ATTEMPTS_FILE: &str = "attempts.csv";
/// Folders of a packed experiment; none is a trial.
pub const PACK_FOLDERS: [&str; 3] = [TABLES, PICTURES, PREDICTIONS];
const TABLES: &str = "tables";
const PICTURES: &str = "pictures";
const PREDICTIONS: &str = "predictions";
/// The column of the last part of a trial's id, by which tables are joined.
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

/// A row of a pack.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Id of the trial.
    pub trial: String,
    /// Its record, or why the row is damaged.
    pub record: Result<Record, String>,
    /// Its files that are packed, too.
    pub kept: Vec<String>,
}

/// A table of all trials.
struct Table {
    header: String,
    /// Lines of a trial by the last part of its id.
    lines: HashMap<String, String>,
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.trials.len() + self.attempts.len();
        write!(f, "Pack({rows} rows of {})", self.folder.display())
    }
}

impl Pack {
    /// What is packed in `results/<study>/<experiment>`.
    ///
    /// # Errors
    /// A file that cannot be read, or is of a newer program.
    pub fn read(folder: &Path, study: &str, experiment: &str) -> Loaded<Self> {
        let mut pack = Self {
            folder: folder.to_owned(),
            ..Self::default()
        };
        for (name, rows) in [
            (TRIALS_FILE, &mut pack.trials),
            (ATTEMPTS_FILE, &mut pack.attempts),
        ] {
            match read_rows(&folder.join(name), study, experiment)? {
                Ok(read) => *rows = read,
                Err(reason) => return Ok(Err(format!("{name}: {reason}"))),
            }
        }
        let ids = pack.trials.iter().map(|row| row.trial.clone());
        pack.places = ids.zip(0..).collect();
        Ok(Ok(pack))
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

    /// The row of a finished trial.
    #[must_use]
    pub fn trial(&self, id: &str) -> Option<&Packed> {
        self.places.get(id).map(|&place| &self.trials[place])
    }

    /// The failed attempts of a trial, the first one first.
    pub fn failures(&self, trial: &str) -> impl Iterator<Item = &Record> {
        let own = self.attempts.iter().filter(move |row| row.trial == trial);
        own.filter_map(|row| row.record.as_ref().ok())
    }

    /// The bytes of a file that a trial left.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where it is not packed, and what the system says.
    pub fn file(&self, trial: &str, name: &str) -> io::Result<Vec<u8>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "it is not packed");
        if !self.trial(trial).is_some_and(|row| row.has(name)) {
            return Err(missing());
        }
        let Some(table) = name.strip_suffix(".csv") else {
            return file::read(&self.folder.join(place(trial, name)), MAX_BYTES);
        };
        let table = self.table(table)?;
        let lines = table.lines.get(short(trial)).map_or("", String::as_str);
        Ok(format!("{}{lines}", table.header).into_bytes())
    }

    /// What of the pack changes where these trials are taken out: paths within the experiment's folder with
    /// their new bytes, or nothing where the file goes. The table of trials is the first.
    ///
    /// # Errors
    /// What the system says.
    pub fn without(&self, trials: &[&str]) -> io::Result<Vec<(PathBuf, Option<Vec<u8>>)>> {
        let files = |inner: &str| -> io::Result<Vec<PathBuf>> {
            let entries = match std::fs::read_dir(self.folder.join(inner)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let names = entries.map(|entry| Ok(Path::new(inner).join(entry?.file_name())));
            names.collect()
        };
        let mut changed = Vec::new();
        let mut texts = vec![PathBuf::from(TRIALS_FILE), PathBuf::from(ATTEMPTS_FILE)];
        texts.extend(files(TABLES)?);
        for path in texts {
            let text = match file::text(&self.folder.join(&path), MAX_BYTES) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                text => text?,
            };
            let left = without_rows(&text, trials);
            if left != text {
                let is_empty = rows(&left).count() < 2;
                changed.push((path, (!is_empty).then(|| left.into_bytes())));
            }
        }
        for path in [files(PICTURES)?, files(PREDICTIONS)?]
            .into_iter()
            .flatten()
        {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let own = |trial: &&str| name.starts_with(&format!("{}.", short(trial)));
            if trials.iter().any(own) {
                changed.push((path, None));
            }
        }
        Ok(changed)
    }

    /// A table of all trials, which is read once.
    fn table(&self, name: &str) -> io::Result<Arc<Table>> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(name) {
            return Ok(Arc::clone(table));
        }
        let path = self.folder.join(TABLES).join(format!("{name}.csv"));
        let table = Arc::new(Table::of(&file::text(&path, MAX_BYTES)?));
        tables.insert(name.to_owned(), Arc::clone(&table));
        Ok(table)
    }
}

impl Packed {
    /// Whether it is the row of this record.
    #[must_use]
    pub fn is(&self, record: &Record) -> bool {
        (self.record.as_ref()).is_ok_and(|own| own.seal == record.seal)
    }

    /// Whether a file of the trial is packed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.kept.iter().any(|kept| kept == name)
    }
}

impl Table {
    fn of(text: &str) -> Self {
        let mut lines = rows(text);
        let own = |line: &str| -> (String, String) {
            let (id, rest) = line.split_once(',').unwrap_or((line, ""));
            (id.to_owned(), rest.to_owned())
        };
        let header = lines.next().map(own).unwrap_or_default().1;
        let mut table = Self {
            header,
            lines: HashMap::new(),
        };
        for line in lines {
            let (id, rest) = own(line);
            table.lines.entry(id).or_default().push_str(&rest);
        }
        table
    }
}

/// Where a file of a trial lies that is no table.
fn place(trial: &str, name: &str) -> PathBuf {
    let folder = match name.ends_with(".png") {
        true => PICTURES,
        false => PREDICTIONS,
    };
    Path::new(folder).join(format!("{}.{name}", short(trial)))
}

/// The last part of a trial's id, a hash.
fn short(trial: &str) -> &str {
    trial.rsplit('-').next().unwrap_or(trial)
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

/// The text of a table of records without the rows of these trials.
#[must_use]
pub fn without_rows(text: &str, trials: &[&str]) -> String {
    let is_left = |row: &&str| {
        let id = row.split(',').next().unwrap_or_default();
        !trials.iter().any(|trial| short(trial) == id)
    };
    rows(text).filter(is_left).collect()
}

fn read_rows(path: &Path, study: &str, experiment: &str) -> Loaded<Vec<Packed>> {
    let text = match file::text(path, MAX_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(Vec::new())),
        Err(error) if file::is_damage(&error) => return Ok(Err(error.to_string())),
        Err(error) => return Err(ReportError::io("read", path)(error)),
    };
    match rows_of(&text, study, experiment) {
        Err(Newer(found)) => Err(ReportError::Newer {
            path: path.to_owned(),
            found,
            newest: u64::from(RECORD_FORMAT),
        }),
        Ok(rows) => Ok(rows),
    }
}

/// The format of a newer program.
struct Newer(u64);

/// The rows of a table of records, or why it is none.
fn rows_of(
    text: &str,
    study: &str,
    experiment: &str,
) -> Result<Result<Vec<Packed>, String>, Newer> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let lines: Result<Vec<csv::StringRecord>, csv::Error> = reader.records().collect();
    let (names, lines) = match (reader.headers(), lines) {
        (Ok(names), Ok(lines)) => (names, lines),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error.to_string())),
    };
    let column = |name: &str| names.iter().position(|other| other == name);
    let needed = ["trial", "format", KEPT, KEPT_SEAL];
    let [Some(trial), Some(format), Some(kept), Some(seal)] = needed.map(column) else {
        return Ok(Err(format!(
            "it lacks one of the columns `{}`",
            needed.join("`, `")
        )));
    };
    let formats = lines.iter().filter_map(|line| line[format].parse().ok());
    if let Some(found) = formats
        .max()
        .filter(|found| *found > u64::from(RECORD_FORMAT))
    {
        return Err(Newer(found));
    }
    let read = |line: &csv::StringRecord| {
        let record = sound(names, line, study, experiment);
        let record =
            record.and_then(
                |record| match line[seal] == kept_seal(&record, &line[kept]) {
                    true => Ok(record),
                    false => Err(format!(
                        "`{KEPT}` of its row was changed after it was packed"
                    )),
                },
            );
        Packed {
            trial: line[trial].to_owned(),
            kept: match record {
                Ok(_) => line[kept].split_whitespace().map(str::to_owned).collect(),
                Err(_) => Vec::new(),
            },
            record,
        }
    };
    Ok(Ok(parallel::each(&lines, usize::MAX, read)))
}

/// The hash of a record's seal and of the names of its files that are packed.
fn kept_seal(record: &Record, kept: &str) -> String {
    hash::content(format!("{} {kept}", record.seal).as_bytes())
}

/// Whether a text names a file or folder within the folder in which it stands, and is not hidden.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.') && !text.contains(['/', '\\', '\0'])
}

/// The record of a row, if it is the one that was sealed.
fn sound(
    names: &csv::StringRecord,
    line: &csv::StringRecord,
    study: &str,
    experiment: &str,
) -> Result<Record, String> {
    let cells = names
        .iter()
        .zip(line)
        .filter(|(name, _)| ![ID, KEPT, KEPT_SEAL].contains(name));
    let record = row::record(cells, study, experiment)?;
    let files = record.artifacts.iter().map(|artifact| &artifact.path);
    if let Some(name) = files.chain([&record.trial]).find(|name| !is_name(name)) {
        return Err(format!("`{name}` is no name of a file"));
    }
    if record.format != RECORD_FORMAT {
        let format = record.format;
        return Err(format!(
            "it has format {format}, and only {RECORD_FORMAT} is read"
        ));
    }
    match with_seal(&record)?.1 == record.seal {
        true => Ok(record),
        false => Err("its row was changed after it was recorded".to_owned()),
    }
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
