//! A record as the cells of a row, and back.
//!
//! A column is named after the way to its value in `trial.yaml`, with dots between: `params.lambda`,
//! `metrics.auroc`, `provenance.host`. A cell holds JSON, and a text without quotes where it reads as
//! nothing else and fits in a line. An empty cell says that the record has no such value.

use std::collections::BTreeMap;

use retrial_core::record::{Artifact, Record};
use serde_json::{Map, Value};

/// What a name of a column begins with where the rest is the name of one value.
const NAMED: [&str; 6] = ["params", "metrics", "claims", "files", "bytes", "contents"];
/// Lists and texts that stay whole.
const WHOLE: [&str; 2] = ["stages", "census"];
/// What a reader of the table looks for first.
const FIRST: [&str; 4] = ["trial", "seed", "params", "metrics"];
/// Numbers that may not be finite, for which JSON has no word.
const TIMES: [&str; 3] = [
    "provenance.duration_s",
    "provenance.cpu_s",
    "provenance.peak_memory_mib",
];

/// The cells of a record with the names of their columns. The folder says its study and experiment.
pub(super) fn cells(record: &Record) -> Result<Vec<(String, String)>, String> {
    let value = serde_json::to_value(record).map_err(|error| error.to_string())?;
    let Value::Object(mut fields) = value else {
        return Err("it is no mapping".to_owned());
    };
    let mut cells = Vec::new();
    for name in FIRST {
        if let Some(value) = fields.shift_remove(name) {
            push_field(record, name, &value, &mut cells);
        }
    }
    for (name, value) in &fields {
        push_field(record, name, value, &mut cells);
    }
    for (name, cell) in &mut cells {
        if let Some(at) = TIMES.iter().position(|time| time == name) {
            let p = &record.provenance;
            *cell = number([p.duration_s, p.cpu_s, p.peak_memory_mib][at]);
        }
    }
    Ok(cells)
}

fn push_field(record: &Record, name: &str, value: &Value, cells: &mut Vec<(String, String)>) {
    match name {
        "study" | "experiment" => {}
        "point" => {
            let names: Vec<&str> = record.point.iter().map(|(name, _)| name).collect();
            cells.push((name.to_owned(), names.join(" ")));
        }
        "metrics" => {
            let metrics = record.metrics.iter();
            cells.extend(metrics.map(|(name, value)| (format!("metrics.{name}"), number(*value))));
        }
        "artifacts" => {
            for artifact in &record.artifacts {
                let path = &artifact.path;
                cells.push((format!("bytes.{path}"), artifact.bytes.to_string()));
                if record.files.get(path) != Some(&artifact.content) {
                    cells.push((format!("contents.{path}"), artifact.content.clone()));
                }
            }
        }
        whole if WHOLE.contains(&whole) => cells.push((name.to_owned(), value.to_string())),
        _ => push(name, value, cells),
    }
}

/// The cells of a value and of all below it.
fn push(name: &str, value: &Value, cells: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                push(&format!("{name}.{key}"), value, cells);
            }
        }
        Value::String(text) => {
            let is_line = !text.is_empty() && !text.contains(char::is_control);
            let is_plain = is_line && serde_json::from_str::<Value>(text).is_err();
            let cell = match is_plain {
                true => text.clone(),
                false => value.to_string(),
            };
            cells.push((name.to_owned(), cell));
        }
        other => cells.push((name.to_owned(), other.to_string())),
    }
}

/// A number with the fewest digits that read back as the same one; `NaN`, `inf` and `-inf`.
fn number(value: f64) -> String {
    format!("{value:?}")
}

/// The record of a row of this experiment. Whether it is the one that was sealed is not looked at.
pub(super) fn record<'c>(
    cells: impl Iterator<Item = (&'c str, &'c str)>,
    study: &str,
    experiment: &str,
) -> Result<Record, String> {
    let mut fields = Map::new();
    let mut metrics = Vec::new();
    let mut bytes = Vec::new();
    let mut contents = BTreeMap::new();
    let mut point = Vec::new();
    let mut times = Vec::new();
    for (name, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
        let wrong = |expected: &str| format!("`{name}` is `{}`, expected {expected}", brief(cell));
        if TIMES.contains(&name) {
            let value: f64 = cell.parse().map_err(|_| wrong("a number"))?;
            times.push((name, value));
        }
        match name.split_once('.') {
            Some(("metrics", metric)) => {
                let value: f64 = cell.parse().map_err(|_| wrong("a number"))?;
                metrics.push((metric.to_owned(), value));
            }
            Some(("bytes", path)) => {
                let size: u64 = cell.parse().map_err(|_| wrong("a number of bytes"))?;
                bytes.push((path.to_owned(), size));
            }
            Some(("contents", path)) => {
                contents.insert(path, cell);
            }
            Some((group, key)) if NAMED.contains(&group) => {
                set(&mut fields, &[group, key], read(cell));
            }
            None if name == "point" => point.extend(cell.split(' ')),
            _ if TIMES.contains(&name) => {
                let way: Vec<&str> = name.split('.').collect();
                set(&mut fields, &way, Value::from(0.0));
            }
            _ => {
                let way: Vec<&str> = name.split('.').collect();
                set(&mut fields, &way, read(cell));
            }
        }
    }
    let params = fields.get("params").cloned();
    let of = |name: &&str| {
        let value = params
            .as_ref()
            .and_then(|params| params.get(*name))
            .cloned();
        value.ok_or_else(|| format!("`point` names `{name}`, which is no param of the row"))
    };
    let mut swept = Map::new();
    for name in &point {
        swept.insert((*name).to_owned(), of(name)?);
    }
    set(&mut fields, &["point"], Value::Object(swept));
    for (name, empty) in [
        ("study", Value::from(study)),
        ("experiment", Value::from(experiment)),
        ("metrics", Value::Object(Map::new())),
        ("artifacts", Value::Array(Vec::new())),
        ("dataset", Value::Null),
        ("params", Value::Object(Map::new())),
        ("claims", Value::Object(Map::new())),
        ("files", Value::Object(Map::new())),
    ] {
        fields.entry(name).or_insert(empty);
    }
    let mut record: Record =
        serde_json::from_value(Value::Object(fields)).map_err(|error| brief(&error.to_string()))?;
    record.metrics = metrics.into_iter().collect();
    for (name, value) in times {
        let p = &mut record.provenance;
        match name {
            "provenance.duration_s" => p.duration_s = value,
            "provenance.cpu_s" => p.cpu_s = value,
            _ => p.peak_memory_mib = value,
        }
    }
    for (path, bytes) in bytes {
        let content = contents
            .get(path.as_str())
            .map(|&content| content.to_owned());
        let content = content.or_else(|| record.files.get(&path).cloned());
        record.artifacts.push(Artifact {
            content: content.ok_or_else(|| format!("`files.{path}` is missing"))?,
            path,
            bytes,
        });
    }
    record.artifacts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(record)
}

/// A text that a message can hold.
fn brief(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

fn set(fields: &mut Map<String, Value>, way: &[&str], value: Value) {
    let [first, rest @ ..] = way else { return };
    if rest.is_empty() {
        fields.insert((*first).to_owned(), value);
        return;
    }
    let inner = fields
        .entry(*first)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        set(inner, rest, value);
    }
}

fn read(cell: &str) -> Value {
    serde_json::from_str(cell).unwrap_or_else(|_| Value::from(cell))
}

/// Columns of several rows in one order, in which each row's own stay.
pub(super) fn merged(rows: &[Vec<(String, String)>]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for row in rows {
        let mut at = 0;
        for (name, _) in row {
            if known.contains(name) {
                let place = columns.iter().position(|other| other == name);
                at = place.map_or(at, |place| place + 1).max(at);
            } else {
                known.insert(name.clone());
                columns.insert(at, name.clone());
                at += 1;
            }
        }
    }
    columns
}
