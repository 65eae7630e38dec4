//! What the claims of a spec say, checked against the tables of the study.

use super::keys::{ClaimKeys, ExceedsKeys, ExpectKeys, OrderingKeys, Trend};
use super::sweep::DATASET_KEY;
use crate::claim::{Claim, Expect};
use crate::fault::{Faults, Place, instead};
use crate::keys::{At, Entries, Site};
use crate::params::{ParamKind, ParamValue, Params, accept_at};
use crate::study::StudyInfo;
use crate::yaml::join;

/// All claims with the place of each, for checks that need the plan.
pub(super) fn claims(
    stated: Vec<ClaimKeys>,
    study: &StudyInfo,
    faults: &mut Faults,
) -> Vec<(Claim, Place)> {
    let mut claims: Vec<(Claim, Place)> = Vec::new();
    for keys in stated {
        let site = keys.site.clone();
        let Some(claim) = claim(keys, study, faults) else {
            continue;
        };
        if claims.iter().any(|(other, _)| other.id == claim.id) {
            let message = format!("a second claim `{}`", claim.id);
            faults.add(&site.place, &site.path, message);
        }
        claims.push((claim, site.place));
    }
    claims
}

fn claim(keys: ClaimKeys, study: &StudyInfo, faults: &mut Faults) -> Option<Claim> {
    let metric = (keys.metric.as_ref()).and_then(|metric| metric_name(metric, study, faults));
    let selection = match &keys.chosen {
        Some(chosen) => selection(chosen, &keys.site.path("where"), study, faults),
        None => Some(Params::default()),
    };
    let expect = keys
        .expect
        .and_then(|keys| expectation(keys, study, faults));
    let is_sign = |sign: char| sign.is_alphanumeric() || "._-".contains(sign);
    if let Some(id) = keys.id.as_ref().filter(|id| !id.chars().all(is_sign)) {
        let message = format!("`{id}` is no name of a claim");
        let help = "write letters, digits, hyphens, dots and underscores";
        keys.site.fault("id", message, help, faults);
        return None;
    }
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
    let mut selection = Params::default();
    for entry in &chosen.0 {
        let value = ParamValue::from_node(&entry.node, &join(path, &entry.key), faults)?;
        let value = if entry.key == DATASET_KEY {
            value
        } else {
            let places = (&entry.place, &entry.node.place);
            accept_at(study.params, &entry.key, &value, places, path, faults)?
        };
        selection.set(&entry.key, value);
    }
    Some(selection)
}

fn expectation(keys: ExpectKeys, study: &StudyInfo, faults: &mut Faults) -> Option<Expect> {
    let site = &keys.site;
    for (key, tolerance) in [("abs", keys.abs), ("rel", keys.rel)] {
        if let Some(tolerance) = tolerance.filter(|t| *t < 0.0) {
            let message = format!("a tolerance of `{tolerance}`");
            faults.add(&site.place, &site.path(key), message);
        }
    }
    let tolerances = usize::from(site.gives("abs")) + usize::from(site.gives("rel"));
    if tolerances != usize::from(site.gives("value")) {
        let help = "write {value: 0.5, abs: 0.01} or {value: 0.5, rel: 0.02}";
        site.fault("", "a value needs one tolerance", help, faults);
        return None;
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
    let value = keys.value.and_then(|value| {
        if value == 0.0 && keys.rel.is_some() {
            let help = "write {value: 0, abs: 0.01}";
            site.fault("rel", "a share of 0 is no tolerance", help, faults);
            return None;
        }
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
    let Site { place, path, .. } = &keys.site;
    let (param, values, direction) = (keys.param?, keys.values?, keys.direction?);
    let known = study.params.iter().find(|p| p.name == param);
    if known.is_none_or(|p| matches!(p.kind, ParamKind::IntList { .. })) && param != DATASET_KEY {
        let message = format!("the study has no param `{param}` to order by");
        faults.add(place, &join(path, "param"), message);
        return None;
    }
    let items = values.value.iter().map(|item| {
        let value = ParamValue::from_node(&item.value, &item.path, faults)?;
        if param == DATASET_KEY {
            return Some(value);
        }
        let places = (&item.place, &item.place);
        accept_at(study.params, &param, &value, places, path, faults)
    });
    let items = items.collect::<Option<Vec<_>>>()?;
    if items.len() < 2 {
        values.fault("an ordering needs two values or more", faults);
        return None;
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
