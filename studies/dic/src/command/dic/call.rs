//! What makes a call of `retrial dic` the one that it is: an interrupted series goes on in the same call alone.

use std::path::Path;

use retrial_runner::Failure;

use serde_json::{Map, Value};

use super::provenance;
use crate::cli::FieldFormat;

/// Hex digits of a hash that are shown.
const SHOWN: usize = 12;

/// A call, as `run.yaml` has it.
pub(super) struct Call<'c> {
    pub(super) facts: Map<String, Value>,
    pub(super) formats: Vec<&'static str>,
    /// What the files of each deformed image begin with.
    pub(super) stems: &'c [String],
}

impl<'c> Call<'c> {
    pub(super) fn new(
        facts: &[(&'static str, String)],
        formats: &[FieldFormat],
        stems: &'c [String],
    ) -> Self {
        let fact = |(key, text): &(&'static str, String)| {
            ((*key).to_owned(), provenance::value(key, text))
        };
        Self {
            facts: facts.iter().map(fact).collect(),
            formats: formats.iter().map(|format| format.word()).collect(),
            stems,
        }
    }

    /// Refuses a run that is finished, and one that was interrupted in another call, with what differs.
    pub(super) fn check_interrupted(&self, file: &Path) -> Result<(), Failure> {
        let path = file.display();
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let run: Value = serde_yaml::from_str(&text).unwrap_or_default();
        if run["finished"] != false {
            return Err(Failure::usage(format!(
                "{path} is there already; use --force to replace its run"
            )));
        }
        let changes = self.changes(&run);
        match changes.is_empty() {
            true => Ok(()),
            false => Err(Failure::usage(format!(
                "{path}: the series was interrupted in another call: {}; repeat that call to go on, or use --force to \
                 begin anew",
                changes.join("; ")
            ))),
        }
    }

    /// What was otherwise in an earlier call.
    fn changes(&self, run: &Value) -> Vec<String> {
        let mut changes = Vec::new();
        let stems = run["begins"].as_array().cloned().unwrap_or_default();
        let images = self.stems.len().max(stems.len());
        let image = |place: usize| {
            let own = self.stems.get(place).map(|stem| Value::from(stem.as_str()));
            changed(
                &format!("image {}", place + 1),
                stems.get(place),
                own.as_ref(),
            )
        };
        // One tells enough: the images behind one that was left out all differ.
        changes.extend((0..images).find_map(image));
        let formats = Value::from(self.formats.clone());
        changes.extend(changed("format", run.get("formats"), Some(&formats)));
        let none = Map::new();
        let before = run["provenance"].as_object().unwrap_or(&none);
        let gone = before.keys().filter(|key| !self.facts.contains_key(*key));
        let keys = self.facts.keys().chain(gone);
        changes.extend(keys.filter_map(|key| changed(key, before.get(key), self.facts.get(key))));
        changes
    }
}

/// What is said of a value that is another one than before.
fn changed(key: &str, before: Option<&Value>, now: Option<&Value>) -> Option<String> {
    let shown = |value: Option<&Value>| match value {
        None => "not given".to_owned(),
        Some(Value::String(hash)) if key.ends_with("_sha256") => {
            format!("{}…", hash.get(..SHOWN).unwrap_or(hash))
        }
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            words.join(",")
        }
        Some(other) => other.to_string(),
    };
    (before != now).then(|| format!("`{key}` was {}, is {}", shown(before), shown(now)))
}
