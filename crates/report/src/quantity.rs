//! Names, units and directions of what tables and figures show.

use retrial_core::experiment::{ExperimentSheet, QuantitySheet};
use retrial_core::metric::Direction;

/// The quantity behind a name: a column of `table`, else a param, else a metric.
pub(crate) fn find<'s>(
    sheet: &'s ExperimentSheet,
    table: Option<&str>,
    name: &str,
) -> Option<&'s QuantitySheet> {
    let column = table.map(|table| format!("{table}.{name}"));
    (sheet.columns.iter())
        .find(|q| Some(&q.name) == column.as_ref())
        .or_else(|| sheet.params.iter().find(|q| q.name == name))
        .or_else(|| sheet.metrics.iter().find(|q| q.name == name))
}

/// A name as a person writes it: without underscores and without the unit that a param's name
/// ends with (`step_px` in px).
pub(crate) fn spoken(name: &str, unit: &str) -> String {
    let stem = name
        .strip_suffix(unit)
        .and_then(|stem| stem.strip_suffix('_'))
        .filter(|_| !unit.is_empty())
        .unwrap_or(name);
    stem.replace('_', " ")
}

/// `subset size (px)`.
pub(crate) fn label(sheet: &ExperimentSheet, table: Option<&str>, name: &str) -> String {
    match find(sheet, table, name) {
        Some(quantity) if !quantity.unit.is_empty() => {
            format!("{} ({})", spoken(name, &quantity.unit), quantity.unit)
        }
        _ => spoken(name, ""),
    }
}

/// The unit of a name, or empty.
pub(crate) fn unit<'s>(sheet: &'s ExperimentSheet, table: Option<&str>, name: &str) -> &'s str {
    find(sheet, table, name).map_or("", |q| &q.unit)
}

/// An arrow that shows which way a quantity gets better.
pub(crate) fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Higher => " ↑",
        Direction::Lower => " ↓",
        Direction::Zero => " → 0",
        Direction::None => "",
    }
}

/// Words as a part of a file name: lower case, digits and dashes.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    slug.chars().take(60).collect()
}
