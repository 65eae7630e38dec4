//! Values of JSON files, as tools write them.

use serde_json::Value;

use super::fault::Problem;

/// The text without the byte order mark that some editors put before it.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
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
        value => value.to_string(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
