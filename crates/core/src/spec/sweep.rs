//! Sweeps: what varies between the trials of an experiment.
//!
//! Every key of `sweep` is one axis; the plan is their grid, the first axis varying slowest.
//! Values are a list, `{linspace: {from, to, count}}` or `{logspace: {from, to, count}}`.
//! `zip` varies several params together, and `points` lists them point by point.

use std::collections::HashSet;

use super::keys::SpacedKeys;
use crate::fault::{Faults, Place, every};
use crate::keys::{Entries, KeyType as _};
use crate::params::{Param, ParamKind, ParamValue, accept_at};
use crate::yaml::{self, Entry, Node, Value, join};

/// The key that stands for the data set in a sweep and in claims.
pub(super) const DATASET_KEY: &str = "dataset";

/// One axis of a grid: each of its points sets one or several params.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The params it sets, in written order.
    pub names: Vec<String>,
    /// The values, one row a point, in the order of `names`.
    pub points: Vec<Vec<ParamValue>>,
}

/// What a sweep is checked against.
pub(super) struct Allowed<'a> {
    pub params: &'static [Param],
    pub datasets: &'a [&'a str],
}

/// The axes of the mapping `sweep`.
pub(super) fn axes(sweep: &Entries, allowed: &Allowed<'_>, faults: &mut Faults) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    for entry in &sweep.0 {
        let path = join("sweep", &entry.key);
        let axis = match entry.key.as_str() {
            "zip" => zip(&entry.node, &path, allowed, faults),
            "points" => points(&entry.node, &path, allowed, faults),
            _ => single(entry, &path, allowed, faults).map(|values| Axis {
                names: vec![entry.key.clone()],
                points: values.into_iter().map(|value| vec![value]).collect(),
            }),
        };
        let Some(axis) = axis else { continue };
        let twice = axis
            .names
            .iter()
            .find(|name| axes.iter().any(|other| other.names.contains(name)));
        if let Some(name) = twice {
            let message = format!("`{name}` is varied twice");
            faults.add(&entry.place, &path, message);
        }
        let mut seen = HashSet::with_capacity(axis.points.len());
        let twice = axis.points.iter().find(|point| !seen.insert(key_of(point)));
        if let Some(point) = twice {
            let values: Vec<String> = point.iter().map(ToString::to_string).collect();
            let message = format!("`{}` stands there twice", values.join(", "));
            let help = "each trial runs once; for repetition give several `seeds`";
            faults.add_with_help(&entry.node.place, &path, message, help);
        }
        axes.push(axis);
    }
    axes
}

/// A point as text in which `1` and `1.0` are the same.
fn key_of(point: &[ParamValue]) -> String {
    let values: Vec<String> = point
        .iter()
        .map(|value| {
            value
                .as_f64()
                .map_or_else(|| format!("{value:?}"), |v| v.to_string())
        })
        .collect();
    values.join("\u{1f}")
}

fn single(
    entry: &Entry,
    path: &str,
    allowed: &Allowed<'_>,
    faults: &mut Faults,
) -> Option<Vec<ParamValue>> {
    let values = match &entry.node.value {
        Value::List(items) => every(items.iter().enumerate().map(|(i, item)| {
            let value = ParamValue::from_node(item, &format!("{path}[{i}]"), faults)?;
            accept((&entry.key, &entry.place), &value, item, allowed, faults)
        }))?,
        Value::Map(_) => spaced(entry, path, allowed, faults)?,
        _ => {
            let message = format!(
                "expected what to vary over, found {}",
                entry.node.describe()
            );
            let help = "write a list, {linspace: {from, to, count}} or {logspace: {from, to, count}}; \
                        a fixed value belongs under `params`";
            faults.add_with_help(&entry.node.place, path, message, help);
            return None;
        }
    };
    if values.is_empty() {
        faults.add(&entry.node.place, path, "an empty sweep plans no trial");
        return None;
    }
    Some(values)
}

fn accept(
    (name, key): (&str, &Place),
    value: &ParamValue,
    node: &Node,
    allowed: &Allowed<'_>,
    faults: &mut Faults,
) -> Option<ParamValue> {
    if name != DATASET_KEY {
        return accept_at(
            allowed.params,
            name,
            value,
            (key, &node.place),
            "sweep",
            faults,
        );
    }
    match value {
        ParamValue::Text(text) if allowed.datasets.contains(&text.as_str()) => Some(value.clone()),
        _ => {
            let message = format!("there is no data set `{value}` for this study");
            let help = format!("known: {}", allowed.datasets.join(", "));
            faults.add_with_help(&node.place, "sweep.dataset", message, help);
            None
        }
    }
}

/// `{linspace: …}` or `{logspace: …}`; whole numbers are rounded for whole params.
fn spaced(
    entry: &Entry,
    path: &str,
    allowed: &Allowed<'_>,
    faults: &mut Faults,
) -> Option<Vec<ParamValue>> {
    let keys = SpacedKeys::read(&entry.node, path, faults)?;
    let (range, log) = match (keys.linspace, keys.logspace) {
        (Some(range), None) => (range, false),
        (None, Some(range)) => (range, true),
        _ => {
            let message = "expected one of linspace and logspace";
            faults.add(&entry.node.place, path, message);
            return None;
        }
    };
    let (from, to, count) = (range.from?, range.to?, range.count?.0);
    if log && (from <= 0.0 || to <= 0.0) {
        let message = format!("a logarithmic range from `{from}` to `{to}`");
        let help = "both ends must be above zero";
        faults.add_with_help(&range.site.place, path, message, help);
        return None;
    }
    let whole = allowed
        .params
        .iter()
        .find(|param| param.name == entry.key)
        .is_some_and(|p| matches!(p.kind, ParamKind::Int { .. } | ParamKind::OddInt { .. }));
    (0..count)
        .map(|i| {
            // The ends are exact, whatever the rounding between them.
            let number = if i == 0 {
                from
            } else if i == count - 1 {
                to
            } else if log {
                let share = i as f64 / (count - 1) as f64;
                decimal((from.ln() + share * (to.ln() - from.ln())).exp())
            } else {
                decimal(between(from, to, i, count - 1))
            };
            let value = if whole {
                ParamValue::Int(number.round() as i64)
            } else {
                ParamValue::Float(number)
            };
            accept(
                (&entry.key, &entry.place),
                &value,
                &entry.node,
                allowed,
                faults,
            )
        })
        .collect()
}

/// The value `i` of `steps` steps from `from` to `to`, rounded as rarely as may be.
fn between(from: f64, to: f64, i: u64, steps: u64) -> f64 {
    let (i, steps) = (i as f64, steps as f64);
    let number = (from * (steps - i) + to * i) / steps;
    if number.is_finite() {
        number
    } else {
        from + i / steps * (to - from)
    }
}

/// The decimal of few digits that a person would have written for `value`, where rounding alone
/// lies between them: 4 for 3.9999999999999996. Values enter ids and names of folders.
fn decimal(value: f64) -> f64 {
    let text = format!("{value:.13e}");
    let digits = text.split('e').next().unwrap_or_default();
    let few = digits.trim_end_matches('0').len() <= "-1.12345678901".len();
    match text.parse::<f64>() {
        Ok(short) if few && (short - value).abs() <= 4e-15 * value.abs() => short,
        _ => value,
    }
}

/// `zip: {a: [1, 2], b: [3, 4]}`: the points (1, 3) and (2, 4).
fn zip(node: &Node, path: &str, allowed: &Allowed<'_>, faults: &mut Faults) -> Option<Axis> {
    let entries = Entries::read(node, path, faults)?;
    let mut names = Vec::new();
    let mut columns: Vec<Vec<ParamValue>> = Vec::new();
    let read = entries
        .0
        .iter()
        .map(|entry| single(entry, &join(path, &entry.key), allowed, faults));
    for (entry, values) in entries.0.iter().zip(every(read)?) {
        let entry_path = join(path, &entry.key);
        if let Some(first) = columns.first()
            && first.len() != values.len()
        {
            let message = format!(
                "{} values beside {} of `{}`",
                values.len(),
                first.len(),
                names[0]
            );
            let help = "params that vary together need equally many values";
            faults.add_with_help(&entry.node.place, &entry_path, message, help);
            return None;
        }
        names.push(entry.key.clone());
        columns.push(values);
    }
    if columns.is_empty() {
        faults.add(&node.place, path, "an empty sweep plans no trial");
        return None;
    }
    let points = (0..columns[0].len())
        .map(|i| columns.iter().map(|column| column[i].clone()).collect())
        .collect();
    Some(Axis { names, points })
}

/// `points: [{a: 1, b: 3}, {a: 2, b: 4}]`: each point sets the same params.
fn points(node: &Node, path: &str, allowed: &Allowed<'_>, faults: &mut Faults) -> Option<Axis> {
    let items = yaml::list(node, path, faults)?.iter().enumerate();
    let items = items.map(|(i, item)| {
        let path = format!("{path}[{i}]");
        Some((item, Entries::read(item, &path, faults)?.0, path))
    });
    let items = every(items)?;
    let names: Vec<String> = items.first().map_or_else(Vec::new, |(_, entries, _)| {
        entries.iter().map(|entry| entry.key.clone()).collect()
    });
    let rows = items.iter().map(|(item, entries, path)| {
        let row = names.iter().map(|name| {
            let Some(entry) = entries.iter().find(|e| e.key == *name) else {
                let message = format!("`{name}` is missing");
                let help = "every point sets the same params";
                faults.add_with_help(&item.place, path, message, help);
                return None;
            };
            let value = ParamValue::from_node(&entry.node, path, faults)?;
            let name = (name.as_str(), &entry.place);
            accept(name, &value, &entry.node, allowed, faults)
        });
        let row = every(row);
        if entries.len() > names.len() {
            let own: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            let message = format!(
                "sets {} where the first point sets {}",
                own.join(", "),
                names.join(", ")
            );
            faults.add(&item.place, path, message);
            return None;
        }
        row
    });
    let rows = every(rows)?;
    if rows.is_empty() || names.is_empty() {
        faults.add(&node.place, path, "an empty sweep plans no trial");
        return None;
    }
    Some(Axis {
        names,
        points: rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaced_values_are_those_a_person_would_write() {
        let line = |from, to, count: u64| -> Vec<f64> {
            (0..count)
                .map(|i| decimal(between(from, to, i, count - 1)))
                .collect()
        };
        // `numpy.linspace(1, 48, 48)` gives whole numbers.
        let whole: Vec<f64> = (1..=48).map(f64::from).collect();
        assert_eq!(line(1.0, 48.0, 48), whole);
        assert_eq!(line(0.0, 1.0, 11)[3], 0.3);
        assert_eq!(line(0.1, 0.7, 7), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
        assert_eq!(line(-0.3, 0.3, 7)[3], 0.0);
        assert_eq!(line(0.0, 1.0, 4)[1], 1.0 / 3.0, "a third stays a third");
        assert!(line(-1e308, 1e308, 3)[1].is_finite());
        assert_eq!(decimal(999.999_999_999_999_8), 1000.0);
        assert_eq!(decimal(std::f64::consts::PI), std::f64::consts::PI);
    }
}
