//! A table of records, line by line: a line that is no row of a record harms no other.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::str;

use csv::StringRecord;
use retrial_core::hash;
use retrial_core::record::{RECORD_FORMAT, Record};

use super::{ID, KEPT, KEPT_SEAL, has_id, row, with_seal};
use crate::parallel;

/// A row of a pack.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Id of the trial; empty where the line says none.
    pub trial: String,
    /// Its record, or why the row is damaged.
    pub record: Result<Record, String>,
    /// Its files that are packed, too.
    pub kept: Vec<String>,
    /// By which its rows in tables are found, and its other files.
    pub(super) id: String,
    /// Its lines in the file, from 0.
    pub(super) lines: Range<usize>,
}

/// The format of a newer program.
pub(super) struct Newer(pub(super) u64);

/// Names of columns, and where some of them stand.
struct Columns {
    names: StringRecord,
    trial: usize,
    format: usize,
    kept: usize,
    seal: usize,
}

/// A line with as many cells as there are names of columns.
struct Line {
    number: usize,
    cells: StringRecord,
    /// Which of the lines of names holds there.
    columns: usize,
}

impl Packed {
    /// Whether it is the row of this record.
    #[must_use]
    pub fn is(&self, record: &Record) -> bool {
        (self.record.as_ref()).is_ok_and(|own| own.seal == record.seal)
    }

    /// Whether it is a sound row of another record than this one, which is of the same trial.
    #[must_use]
    pub fn contradicts(&self, record: &Record) -> bool {
        self.record.is_ok() && !self.is(record)
    }

    /// Whether a file of the trial is packed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.kept.iter().any(|kept| kept == name)
    }

    /// Why it is damaged, after the trial or the line that it is.
    pub(super) fn fault(&self) -> Option<String> {
        let reason = self.record.as_ref().err()?;
        Some(match self.trial.as_str() {
            "" => format!("line {}: {reason}", self.lines.start + 1),
            trial => format!("{trial}: {reason}"),
        })
    }

    /// A damaged one.
    pub(super) fn damaged(lines: Range<usize>, reason: String) -> Self {
        Self {
            trial: String::new(),
            record: Err(reason),
            kept: Vec::new(),
            id: String::new(),
            lines,
        }
    }
}

/// The lines of a file with their ends.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// The rows of a table of finished trials, or of failed attempts.
///
/// A line that names the columns again, as in the text of a merge, is damage; the rows below it are read by it.
pub(super) fn rows_of(
    bytes: &[u8],
    is_finished: bool,
    study: &str,
    experiment: &str,
) -> Result<Vec<Packed>, Newer> {
    let mut columns: Vec<Columns> = Vec::new();
    let mut found: Vec<Line> = Vec::new();
    let mut damaged: Vec<Packed> = Vec::new();
    for (number, line) in lines(bytes).enumerate() {
        let line = match cells(line) {
            Ok(cells) if cells.iter().next() == Some(ID) => match Columns::of(cells) {
                Ok(own) => {
                    columns.push(own);
                    if number == 0 {
                        continue;
                    }
                    Err("it names the columns again".to_owned())
                }
                Err(reason) => Err(reason),
            },
            other => other,
        };
        match (line, columns.last()) {
            (Ok(cells), Some(own)) if cells.len() == own.names.len() => found.push(Line {
                number,
                cells,
                columns: columns.len() - 1,
            }),
            (line, Some(own)) => {
                let (names, is) = (own.names.len(), number..number + 1);
                let count =
                    |cells: StringRecord| format!("it has {} of {names} cells", cells.len());
                damaged.push(Packed::damaged(
                    is,
                    line.map_or_else(|reason| reason, count),
                ));
            }
            // Without names of columns no line says anything: they are one damage.
            (line, None) => match damaged.last_mut() {
                Some(above) => above.lines.end = number + 1,
                None => {
                    let reason = line.err().unwrap_or_else(|| {
                        format!("it does not begin with the names of columns, `{ID}` first")
                    });
                    damaged.push(Packed::damaged(number..number + 1, reason));
                }
            },
        }
    }
    let formats = found.iter().filter_map(|line| {
        let cell = &line.cells[columns[line.columns].format];
        cell.parse::<u64>().ok()
    });
    let newest = u64::from(RECORD_FORMAT);
    if let Some(newer) = formats.max().filter(|found| *found > newest) {
        return Err(Newer(newer));
    }
    let read = |line: &Line| {
        let own = &columns[line.columns];
        let record = sound(own, &line.cells, study, experiment).and_then(|record| {
            match record.is_finished() == is_finished {
                true => Ok(record),
                false => Err("it belongs to the other table".to_owned()),
            }
        });
        let kept = match record {
            Ok(_) => line.cells[own.kept].split_whitespace(),
            Err(_) => "".split_whitespace(),
        };
        Packed {
            trial: line.cells[own.trial].to_owned(),
            kept: kept.map(str::to_owned).collect(),
            record,
            id: line.cells[0].to_owned(),
            lines: line.number..line.number + 1,
        }
    };
    let mut rows = parallel::each(&found, usize::MAX, read);
    rows.append(&mut damaged);
    rows.sort_by_key(|row| row.lines.start);
    once(&mut rows);
    Ok(rows)
}

/// Makes each sound row damage that says what one above it says, or that has its id.
fn once(rows: &mut [Packed]) {
    let mut records = HashSet::new();
    let mut ids: HashMap<String, String> = HashMap::new();
    for row in rows {
        let Ok(record) = &row.record else { continue };
        let number = match record.is_finished() {
            true => 0,
            false => record.attempt,
        };
        let is_new = records.insert((row.trial.clone(), number));
        let owner = ids.entry(row.id.clone());
        let owner = owner.or_insert_with(|| row.trial.clone());
        if !is_new {
            row.record = Err("a line above it is of the same trial".to_owned());
        } else if *owner != row.trial {
            row.record = Err(format!("`{}` is the `{ID}` of {owner}", row.id));
        }
    }
}

/// The cells of a line.
fn cells(line: &[u8]) -> Result<StringRecord, String> {
    let text = str::from_utf8(line).map_err(|_| "it is no UTF-8 text".to_owned())?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut cells = StringRecord::new();
    reader
        .read_record(&mut cells)
        .map_err(|error| error.to_string())?;
    Ok(cells)
}

impl Columns {
    fn of(names: StringRecord) -> Result<Self, String> {
        let mut known = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !known.insert(*name)) {
            return Err(format!("it names the column `{twice}` twice"));
        }
        let column = |name: &str| names.iter().position(|other| other == name);
        let needed = ["trial", "format", KEPT, KEPT_SEAL];
        let [Some(trial), Some(format), Some(kept), Some(seal)] = needed.map(column) else {
            let needed = needed.join("`, `");
            return Err(format!("it lacks one of the columns `{needed}`"));
        };
        Ok(Self {
            names,
            trial,
            format,
            kept,
            seal,
        })
    }
}

/// The record of a row, if it is the one that was sealed and the row says nothing else.
fn sound(
    columns: &Columns,
    line: &StringRecord,
    study: &str,
    experiment: &str,
) -> Result<Record, String> {
    let changed = || "its row was changed after it was recorded".to_owned();
    let own = |name: &str| [ID, KEPT, KEPT_SEAL].contains(&name);
    let cells = || {
        let cells = columns.names.iter().zip(line);
        cells.filter(move |(name, cell)| !own(name) && !cell.is_empty())
    };
    let record = row::record(cells(), study, experiment)?;
    let names = record.artifacts.iter().map(|artifact| &artifact.path);
    if let Some(name) = names.chain([&record.trial]).find(|name| !is_name(name)) {
        return Err(format!("`{name}` is no name of a file"));
    }
    if record.format != RECORD_FORMAT {
        let format = record.format;
        return Err(format!(
            "it has format {format}, and only {RECORD_FORMAT} is read"
        ));
    }
    if with_seal(&record)?.1 != record.seal {
        return Err(changed());
    }
    let said: HashMap<String, String> = row::cells(&record)?.into_iter().collect();
    if let Some((name, _)) = cells().find(|(name, _)| !said.contains_key(*name)) {
        return Err(format!("its record has nothing in the column `{name}`"));
    }
    let is_said = |(name, cell): (&str, &str)| said.get(name).is_some_and(|own| own == cell);
    if said.len() != cells().count() || !cells().all(is_said) {
        return Err(changed());
    }
    if !has_id(&line[0], &record.trial) {
        return Err(format!("its `{ID}` is that of another trial"));
    }
    let kept = &line[columns.kept];
    let is_own = |name: &str| record.artifacts.iter().any(|own| own.path == name);
    match line[columns.seal] == kept_seal(&record, kept) && kept.split_whitespace().all(is_own) {
        true => Ok(record),
        false => Err(format!(
            "`{KEPT}` of its row was changed after it was packed"
        )),
    }
}

/// The hash of a record's seal and of the names of its files that are packed.
pub(super) fn kept_seal(record: &Record, kept: &str) -> String {
    hash::content(format!("{} {kept}", record.seal).as_bytes())
}

/// Whether a text names a file or folder within the folder in which it stands, and is not hidden.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.') && !text.contains(['/', '\\', '\0'])
}
