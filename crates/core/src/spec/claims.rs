//! The `claims` of a spec.

use super::sweep::DATASET_KEY;
use crate::claim::{Claim, Expect, Origin};
use crate::fault::{Faults, Place, nearest};
use crate::params::{ParamKind, ParamValue, Params, accept_at};
use crate::study::StudyInfo;
use crate::yaml::{self, MapReader, Node};

/// All claims with the place of each, for checks that need the plan.
pub(super) fn claims(
    reader: &mut MapReader<'_>,
    study: &StudyInfo,
    faults: &mut Faults,
) -> Vec<(Claim, Place)> {
    let Some(items) = reader.list("claims", faults) else {
        return Vec::new();
    };
    let mut claims: Vec<(Claim, Place)> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let path = format!("{}[{i}]", reader.path("claims"));
        let Some(claim) = claim(item, &path, study, faults) else {
            continue;
        };
        if claims.iter().any(|(other, _)| other.id == claim.id) {
            let message = format!("a second claim `{}`", claim.id);
            faults.add(&item.place, &path, message);
        }
        claims.push((claim, item.place.clone()));
    }
    claims
}

fn claim(node: &Node, path: &str, study: &StudyInfo, faults: &mut Faults) -> Option<Claim> {
    let mut reader = MapReader::new(node, path, faults)?;
    let id = reader.require_text("id", faults);
    let source = reader.require_text("source", faults);
    let origin = origin(&mut reader, faults);
    let metric = reader.require("metric", faults);
    let metric = metric.and_then(|node| metric_name(node, &reader.path("metric"), study, faults));
    let selection = match reader.take("where") {
        Some(node) => selection(node, &reader.path("where"), study, faults),
        None => Some(Params::default()),
    };
    let expect = reader.require("expect", faults);
    let expect = expect.and_then(|node| expectation(node, &reader.path("expect"), study, faults));
    let note = reader.text("note", faults);
    reader.finish(faults);
    Some(Claim {
        id: id?,
        source: source?,
        origin: origin?,
        metric: metric?,
        selection: selection?,
        expect: expect?,
        note,
    })
}

fn origin(reader: &mut MapReader<'_>, faults: &mut Faults) -> Option<Origin> {
    let path = reader.path("origin");
    match reader.text("origin", faults).as_deref() {
        None | Some("publication") => Some(Origin::Publication),
        Some("project") => Some(Origin::Project),
        Some(other) => {
            let message = format!("`{other}` is none of the words known here");
            faults.add_with_help(
                reader.place(),
                &path,
                message,
                "write publication or project",
            );
            None
        }
    }
}

pub(super) fn metric_name(
    node: &Node,
    path: &str,
    study: &StudyInfo,
    faults: &mut Faults,
) -> Option<String> {
    let name = yaml::text(node, path, faults)?;
    let names = || study.metrics.iter().map(|metric| metric.name);
    if names().any(|known| known == name) {
        return Some(name);
    }
    let message = format!("the study has no metric `{name}`");
    let help = match nearest(&name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", names().collect::<Vec<_>>().join(", ")),
    };
    faults.add_with_help(&node.place, path, message, help);
    None
}

/// Params that select trials, also used by tables and figures.
pub(super) fn selection(
    node: &Node,
    path: &str,
    study: &StudyInfo,
    faults: &mut Faults,
) -> Option<Params> {
    let reader = MapReader::new(node, path, faults)?;
    let mut selection = Params::default();
    for entry in reader.entries() {
        let value = ParamValue::from_node(&entry.node, &reader.path(&entry.key), faults)?;
        let value = if entry.key == DATASET_KEY {
            value
        } else {
            let place = &entry.node.place;
            accept_at(
                study.params,
                &entry.key,
                &value,
                (&entry.place, place),
                path,
                faults,
            )?
        };
        selection.set(&entry.key, value);
    }
    Some(selection)
}

const KINDS: &str =
    "value (with abs or rel), at_least, at_most, within_ci, ordering, exceeds, not_testable";

fn expectation(node: &Node, path: &str, study: &StudyInfo, faults: &mut Faults) -> Option<Expect> {
    let mut reader = MapReader::new(node, path, faults)?;
    let value = reader.number("value", faults);
    let absolute = reader.number("abs", faults);
    let relative = reader.number("rel", faults);
    let at_least = reader.number("at_least", faults);
    let at_most = reader.number("at_most", faults);
    let within_ci = reader.number("within_ci", faults);
    let ordering = reader.take("ordering");
    let ordering = ordering.map(|n| ordered(n, &reader.path("ordering"), study, faults));
    let exceeds = reader.take("exceeds");
    let exceeds = exceeds.map(|n| exceeding(n, &reader.path("exceeds"), study, faults));
    let not_testable = reader.text("not_testable", faults);
    let place = reader.place();
    reader.finish(faults);
    if matches!(ordering, Some(None)) || matches!(exceeds, Some(None)) {
        // It is stated, and its faults are told.
        return None;
    }
    for (name, tolerance) in [("abs", absolute), ("rel", relative)] {
        if let Some(tolerance) = tolerance.filter(|t| *t < 0.0) {
            let message = format!("a tolerance of `{tolerance}`");
            faults.add(place, &yaml::join(path, name), message);
        }
    }
    let value = match (value, absolute, relative) {
        (Some(value), Some(tolerance), None) => Some(Expect::Value { value, tolerance }),
        (Some(value), None, Some(share)) => Some(Expect::Value {
            value,
            tolerance: share * value.abs(),
        }),
        (None, None, None) => None,
        _ => {
            let help = "write {value: 0.5, abs: 0.01} or {value: 0.5, rel: 0.02}";
            faults.add_with_help(place, path, "a value needs one tolerance", help);
            return None;
        }
    };
    let stated = [
        value,
        at_least.map(Expect::AtLeast),
        at_most.map(Expect::AtMost),
        within_ci.map(Expect::WithinCi),
        ordering.flatten(),
        exceeds.flatten(),
        not_testable.map(Expect::NotTestable),
    ];
    let mut stated = stated.into_iter().flatten();
    match (stated.next(), stated.next()) {
        (Some(expect), None) => Some(expect),
        (first, _) => {
            let message = match first {
                None => "nothing is expected",
                Some(_) => "more than one thing is expected",
            };
            faults.add_with_help(place, path, message, format!("write one of {KINDS}"));
            None
        }
    }
}

fn ordered(node: &Node, path: &str, study: &StudyInfo, faults: &mut Faults) -> Option<Expect> {
    let mut reader = MapReader::new(node, path, faults)?;
    let param = reader.require_text("param", faults);
    let values = reader.require("values", faults);
    let direction = reader.require_text("direction", faults);
    let place = reader.place();
    let direction_path = reader.path("direction");
    let values_path = reader.path("values");
    reader.finish(faults);
    let (param, values, direction) = (param?, values?, direction?);
    let rising = match direction.as_str() {
        "rising" => true,
        "falling" => false,
        other => {
            let message = format!("`{other}` is no direction");
            faults.add_with_help(place, &direction_path, message, "write rising or falling");
            return None;
        }
    };
    let known = study.params.iter().find(|p| p.name == param);
    if known.is_none_or(|p| matches!(p.kind, ParamKind::IntList { .. })) && param != DATASET_KEY {
        let message = format!("the study has no param `{param}` to order by");
        faults.add(place, &yaml::join(path, "param"), message);
        return None;
    }
    let items = yaml::list(values, &values_path, faults)?;
    let values = items
        .iter()
        .map(|item| {
            let value = ParamValue::from_node(item, &values_path, faults)?;
            if param == DATASET_KEY {
                return Some(value);
            }
            accept_at(
                study.params,
                &param,
                &value,
                (&item.place, &item.place),
                path,
                faults,
            )
        })
        .collect::<Option<Vec<_>>>()?;
    if values.len() < 2 {
        faults.add(place, &values_path, "an ordering needs two values or more");
        return None;
    }
    Some(Expect::Ordering {
        param,
        values,
        rising,
    })
}

/// `{where: {method: pca}, by: 0.02}`: params of the other point, and by how much.
fn exceeding(node: &Node, path: &str, study: &StudyInfo, faults: &mut Faults) -> Option<Expect> {
    let mut reader = MapReader::new(node, path, faults)?;
    let than = reader.require("where", faults);
    let than = than.and_then(|node| selection(node, &reader.path("where"), study, faults));
    let by = reader.number("by", faults).unwrap_or(0.0);
    reader.finish(faults);
    Some(Expect::Exceeds { than: than?, by })
}
