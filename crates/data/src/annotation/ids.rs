//! Ids of classes, pictures and objects, as tools write them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::fault::{Findings, Problem, Spot};
use super::json::{kind, shown, whole};

/// The first number given to a thing whose id is no whole number.
const FIRST_GIVEN: u64 = 1 << 40;

/// The ids of one kind of thing.
pub(super) struct Ids {
    path: PathBuf,
    kind: &'static str,
    /// Numbers by what stands in the file.
    numbers: HashMap<Key, u64>,
    /// How many are written in another way than as a whole number, and the first of them.
    odd: (usize, String),
}

/// An id as it stands: the number 7 for `7`, `7.0` and `"7"`.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Number(u64),
    Text(String),
    /// No id; the place in the list.
    None(usize),
}

impl Ids {
    pub(super) fn new(path: &Path, kind: &'static str) -> Self {
        Self {
            path: path.to_owned(),
            kind,
            numbers: HashMap::new(),
            odd: (0, String::new()),
        }
    }

    /// The id of the thing at a place of its list, and where that is.
    pub(super) fn add(
        &mut self,
        thing: &Value,
        place: usize,
        findings: &mut Findings,
    ) -> (Option<u64>, Spot) {
        let value = thing.get("id").unwrap_or(&Value::Null);
        let item = match value {
            Value::Null => format!("{} at place {place}", self.kind),
            Value::String(text) => format!("{} {text}", self.kind),
            other => format!("{} {}", self.kind, shown(other)),
        };
        let spot = Spot {
            file: self.path.clone(),
            item,
        };
        // Others refer to classes and pictures, but nobody to an object.
        let nameless = value.is_null() && self.kind == "annotation";
        let Some(key) = key(value).or(nameless.then_some(Key::None(place))) else {
            findings.fault(&spot, "id", kind(value, "a whole number"));
            return (None, spot);
        };
        if !value.is_u64() {
            self.odd.0 += 1;
            if self.odd.0 == 1 {
                self.odd.1 = shown(value);
            }
        }
        let number = match key {
            Key::Number(number) => number,
            _ => FIRST_GIVEN + self.numbers.len() as u64,
        };
        if self.numbers.contains_key(&key) {
            let id = shown(value);
            findings.fault(&spot, "id", Problem::DuplicateId { id });
        }
        self.numbers.insert(key, number);
        (Some(number), spot)
    }

    /// The id that another thing refers to.
    pub(super) fn refer(&self, value: &Value) -> Option<u64> {
        self.numbers.get(&key(value)?).copied()
    }

    /// Notes ids that are no whole numbers.
    pub(super) fn finish(&self, findings: &mut Findings) {
        let (count, first) = &self.odd;
        if *count > 0 {
            let spot = Spot {
                file: self.path.clone(),
                item: format!("{} ids", self.kind),
            };
            let what = format!("{count} are no whole numbers, such as {first}; they are numbered");
            findings.repair(&spot, "id", what);
        }
    }
}

fn key(value: &Value) -> Option<Key> {
    match (whole(value), value) {
        (Some(number), _) => Some(Key::Number(number)),
        (None, Value::String(text)) => Some(Key::Text(text.clone())),
        _ => None,
    }
}
