//! JSON files and their values, as tools write them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use retrial_core::census::count;
use retrial_core::file;
use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fault::{Findings, Problem, Spot};
use crate::error::DataError;

/// A form of annotations that is one JSON value.
pub(super) struct Form {
    /// Its name in a manifest.
    pub(super) name: &'static str,
    /// Keys of the outermost mapping that hold lists.
    pub(super) lists: &'static [&'static str],
}

pub(super) const COCO: Form = Form {
    name: "coco",
    lists: &["categories", "images", "annotations"],
};
pub(super) const LABELME: Form = Form {
    name: "labelme",
    lists: &["shapes"],
};

/// Reads a file of a form. The words `NaN` and `Infinity`, which are no JSON and which Python writes, stand for nothing.
pub(super) fn read<T: DeserializeOwned>(
    path: &Path,
    form: &Form,
    findings: &mut Findings,
) -> Result<T, DataError> {
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let text = text(path, &bytes)?;
    let (text, unlike) = without_nan(text);
    if unlike > 0 {
        let spot = Spot {
            file: path.to_owned(),
            item: "whole file".to_owned(),
        };
        let words = count(unlike, "word");
        let what = format!("{words} `NaN` or `Infinity`, which no number is, are read as nothing");
        findings.repair(&spot, "numbers", what);
    }
    if text.trim_start().starts_with('[') {
        let keys: Vec<String> = form.lists.iter().map(|key| format!("`{key}`")).collect();
        return Err(DataError::Text {
            path: path.to_owned(),
            line: 1,
            column: 1,
            what: format!(
                "a list, such as of detections; expected a mapping with {}",
                keys.join(", ")
            ),
        });
    }
    let explained = |error: serde_json::Error| {
        let hint = hint(&text, form, &error);
        let mut fault = DataError::json(path)(error);
        if let DataError::Text { what, .. } = &mut fault {
            what.push_str(&hint);
        }
        fault
    };
    serde_json::from_str::<Unique>(&text).map_err(explained)?;
    serde_json::from_str(&text).map_err(explained)
}

/// The text of a file, without the byte order mark that some editors put before it.
pub(super) fn text<'b>(path: &Path, bytes: &'b [u8]) -> Result<&'b str, DataError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_wide = matches!(
        bytes,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..]
    );
    if is_wide {
        return Err(DataError::format(
            path,
            "UTF-16 or UTF-32; save it as UTF-8",
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        DataError::format(
            path,
            format!("not UTF-8 from line {line} on; save it as UTF-8"),
        )
    })
}

/// The text with `null` for every word that is no JSON, and how many there were.
fn without_nan(text: &str) -> (Cow<'_, str>, usize) {
    const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];
    let (mut whole, mut from, mut number) = (String::new(), 0, 0);
    let (mut in_quotes, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if at < from => {}
            _ if is_escaped => is_escaped = false,
            b'\\' if in_quotes => is_escaped = true,
            b'"' => in_quotes = !in_quotes,
            b'N' | b'I' | b'-' if !in_quotes => {
                if let Some(word) = WORDS.iter().find(|word| text[at..].starts_with(**word)) {
                    whole.push_str(&text[from..at]);
                    whole.push_str("null");
                    from = at + word.len();
                    number += 1;
                }
            }
            _ => {}
        }
    }
    whole.push_str(&text[from..]);
    match number {
        0 => (Cow::Borrowed(text), 0),
        number => (Cow::Owned(whole), number),
    }
}

/// What the message of the JSON reader does not say.
fn hint(text: &str, form: &Form, error: &serde_json::Error) -> String {
    let line = text
        .lines()
        .nth(error.line().saturating_sub(1))
        .unwrap_or("");
    let near = line.get(error.column().saturating_sub(2)..).unwrap_or("");
    if error.is_syntax() && near.trim_start().starts_with(['/', '#']) {
        return "; JSON has no comments: remove it".to_owned();
    }
    if !error.is_data() {
        return String::new();
    }
    let Ok(whole) = serde_json::from_str::<Value>(text) else {
        return String::new();
    };
    let other = [COCO, LABELME].into_iter().find(|other| {
        other.name != form.name && other.lists.iter().all(|key| whole.get(key).is_some())
    });
    if let Some(other) = other {
        return format!(
            "; it has the keys of a file for `annotations: {}`",
            other.name
        );
    }
    let is_other = |key: &&&str| whole.get(**key).is_some_and(|value| !value.is_array());
    match form.lists.iter().find(is_other) {
        Some(key) => format!("; `{key}` must be a list, found {}", shown(&whole[key])),
        None => String::new(),
    }
}

/// Any value; an error where a mapping has a key twice, of which readers keep the last in silence.
struct Unique;

impl<'d> Deserialize<'d> for Unique {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'d> Visitor<'d> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'d>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if keys.contains(&key) {
                let what = format!(
                    "the key `{key}` stands twice in one mapping; keep the one that is right"
                );
                return Err(A::Error::custom(what));
            }
            keys.insert(key);
            entries.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// A whole number, as a number with or without a point, or as text.
pub(super) fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        _ => value.as_u64().or_else(|| {
            let number = value.as_f64()?;
            let exact = number.fract() == 0.0 && (0.0..=9e15).contains(&number);
            exact.then_some(number as u64)
        }),
    }
}

/// A value of another kind than expected.
pub(super) fn kind(value: &Value, expected: &'static str) -> Problem {
    let found = shown(value);
    Problem::Kind { found, expected }
}

/// A value as a person would find it in the file.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(_) => value.to_string().replace("null", "nothing"),
        value => value.to_string(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
