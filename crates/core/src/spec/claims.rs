//! What the claims of a spec say, checked against the tables of the study.

use std::collections::HashSet;

use super::keys::{ClaimKeys, ExceedsKeys, ExpectKeys, OrderingKeys, Trend};
use super::sweep::DATASET_KEY;
use crate::claim::{Claim, Expect};
use crate::fault::{Faults, Place, every, instead, never_renamed};
use crate::keys::{At, Entries};
use crate::params::{Param, ParamKind, ParamValue, Params, accept_at, accept_value};
use crate::study::StudyInfo;
use crate::yaml::join;

/// A claim, and where it states what, for checks that need the plan.
pub(super) struct Stated {
    pub(super) claim: Claim,
    /// Its dotted key.
    pub(super) path: String,
    /// Where it selects its trials; where it begins, if it selects none.
    pub(super) selection: Place,
    /// Where it says what it expects.
    pub(super) expect: Place,
}

/// All claims without a fault of their own.
pub(super) fn claims(
    stated: Vec<ClaimKeys>,
    study: &StudyInfo,
    faults: &mut Faults,
) -> Vec<Stated> {
    let mut ids: HashSet<String> = HashSet::new();
    let mut claims = Vec::new();
    for keys in stated {
        let site = keys.site.clone();
        if let Some(id) = &keys.id
            && !ids.insert(id.clone())
        {
            let message = format!("a second claim `{id}`");
            site.fault("id", message, "give every claim an id of its own", faults);
        }
        if let Some(claim) = claim(keys, study, faults) {
            claims.push(Stated {
                claim,
                path: site.path.clone(),
                selection: site.place_of("where").clone(),
                expect: site.place_of("expect").clone(),
            });
        }
    }
    claims
}

fn claim(keys: ClaimKeys, study: &StudyInfo, faults: &mut Faults) -> Option<Claim> {
    let texts = [("id", &keys.id), ("source", &keys.source)];
    for (key, text) in texts {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            let help = "name the claim, and where its value is published";
            keys.site.fault(key, "it is empty", help, faults);
        }
    }
    let metric = (keys.metric.as_ref()).and_then(|metric| metric_name(metric, study, faults));
    let selection = match &keys.chosen {
        Some(chosen) => selection(chosen, &keys.site.path("where"), study, faults),
        None => Some(Params::default()),
    };
    let expect = keys
        .expect
        .and_then(|keys| expectation(keys, study, faults));
    Some(Claim {
        id: keys.id?,
        source: keys.source?,
        origin: keys.origin,
        metric: metric?,
        selection: selection?,
        expect: expect?,
        note: keys.note,
    })
}

/// A metric of the study.
pub(super) fn metric_name(
    name: &At<String>,
    study: &StudyInfo,
    faults: &mut Faults,
) -> Option<String> {
    let mut metrics = study.metrics.iter();
    if metrics.any(|metric| metric.name == name.value) {
        return Some(name.value.clone());
    }
    let message = format!("the study has no metric `{}`", name.value);
    let known = study.metrics.iter();
    let help = instead(&name.value, known.map(|metric| (metric.name, metric.was)));
    name.fault_with_help(message, help, faults);
    None
}

/// Params that select trials, also used by tables and figures; `path` is the key under which they stand.
pub(super) fn selection(
    chosen: &Entries,
    path: &str,
    study: &StudyInfo,
    faults: &mut Faults,
) -> Option<Params> {
    let values = chosen.0.iter().map(|entry| {
        let value = ParamValue::from_node(&entry.node, &join(path, &entry.key), faults)?;
        let places = (&entry.place, &entry.node.place);
        let value = match entry.key == DATASET_KEY {
            true => value,
            false => accept_at(study.params, &entry.key, &value, places, path, faults)?,
        };
        Some((entry.key.clone(), value))
    });
    every(values).map(|values| values.into_iter().collect())
}

fn expectation(keys: ExpectKeys, study: &StudyInfo, faults: &mut Faults) -> Option<Expect> {
    let site = &keys.site;
    for (key, tolerance) in [("abs", keys.abs), ("rel", keys.rel)] {
        if let Some(tolerance) = tolerance.filter(|t| *t < 0.0) {
            let message = format!("a tolerance of `{tolerance}`");
            faults.add(&site.place, &site.path(key), message);
        }
    }
    let stated = site.alternatives(ExpectKeys::MAP);
    if stated.len() != 1 {
        let message = match stated[..] {
            [] => "nothing is expected",
            _ => "more than one thing is expected",
        };
        site.fault("", message, format!("write one of {}", kinds()), faults);
        return None;
    }
    let tolerances = usize::from(site.gives("abs")) + usize::from(site.gives("rel"));
    let message = match (site.gives("value"), tolerances) {
        (true, 0) => "a value needs a tolerance",
        (true, 2) => "a value has one tolerance",
        (false, 1..) => "a tolerance goes with `value` alone",
        _ => "",
    };
    if !message.is_empty() {
        let help = "write {value: 0.5, abs: 0.01} or {value: 0.5, rel: 0.02}";
        site.fault("", message, help, faults);
        return None;
    }
    let value = keys.value.and_then(|value| {
        let share = || Some(keys.rel? * value.abs());
        let tolerance = keys.abs.or_else(share)?;
        Some(Expect::Value { value, tolerance })
    });
    let expect = [
        value,
        keys.at_least.map(Expect::AtLeast),
        keys.at_most.map(Expect::AtMost),
        keys.within_ci.map(Expect::WithinCi),
        keys.ordering.and_then(|keys| ordered(keys, study, faults)),
        keys.exceeds.and_then(|keys| exceeding(keys, study, faults)),
        keys.not_testable.map(Expect::NotTestable),
    ];
    expect.into_iter().flatten().next()
}

/// What may be expected, in words.
fn kinds() -> String {
    let kinds = ExpectKeys::MAP.keys.iter().filter(|key| key.one);
    let kinds: Vec<&str> = kinds.map(|key| key.name).collect();
    kinds
        .join(", ")
        .replacen("value", "value (with abs or rel)", 1)
}

fn ordered(keys: OrderingKeys, study: &StudyInfo, faults: &mut Faults) -> Option<Expect> {
    let site = &keys.site;
    let (param, values, direction) = (keys.param?, keys.values?, keys.direction?);
    let is_ordered = |own: &&Param| !matches!(own.kind, ParamKind::IntList { .. });
    let known = || study.params.iter().filter(is_ordered);
    if known().all(|own| own.name != param) && param != DATASET_KEY {
        let message = format!("the study has no param `{param}` to order by");
        let names = known().map(|own| (own.name, own.was));
        let help = instead(&param, names.chain([never_renamed(DATASET_KEY)]));
        site.fault("param", message, help, faults);
        return None;
    }
    let items = values.value.iter().map(|item| {
        let value = ParamValue::from_node(&item.value, &item.path, faults)?;
        match known().find(|own| own.name == param) {
            Some(own) => accept_value(own, &value, &item.place, &item.path, faults),
            None => Some(value),
        }
    });
    let items = every(items)?;
    if items.len() < 2 {
        values.fault("an ordering needs two values or more", faults);
        return None;
    }
    for (i, item) in items.iter().enumerate() {
        if items[..i].iter().any(|other| other.same(item)) {
            let message = format!("`{item}` stands there twice");
            let help = "an ordering has each value once";
            values.value[i].fault_with_help(message, help, faults);
            return None;
        }
    }
    Some(Expect::Ordering {
        param,
        values: items,
        rising: direction == Trend::Rising,
    })
}

fn exceeding(keys: ExceedsKeys, study: &StudyInfo, faults: &mut Faults) -> Option<Expect> {
    let other = keys.other?;
    let than = selection(&other, &keys.site.path("where"), study, faults)?;
    Some(Expect::Exceeds { than, by: keys.by })
}
