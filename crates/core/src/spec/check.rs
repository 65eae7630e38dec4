//! From tree to [`Spec`]: every fault at once.

use std::collections::HashSet;

use super::claims::Stated;
use super::keys::SpecKeys;
use super::report::{Chosen, SEED_KEY};
use super::sweep::{self, Allowed, DATASET_KEY};
use super::{Limits, Spec, Written, claims, report};
use crate::claim::{Claim, Expect};
use crate::fault::{Fault, Faults, Place, instead, nearest, never_renamed};
use crate::keys::{At, Entries, KeyType as _, Kind, Kinds};
use crate::params::{ParamValue, Params, accept_at, defaults};
use crate::plan::{self, MAX_TRIALS};
use crate::study::{DatasetInfo, StudyInfo};
use crate::yaml::{self, Node, Value};

/// How many planned values of a param are told.
const SHOWN: usize = 12;

/// Checks a spec against the tables of studies, data sets and kinds of figure.
///
/// # Errors
/// Every fault, in the order of the lines.
pub fn check(
    written: &Written,
    studies: &[&'static StudyInfo],
    datasets: &[DatasetInfo],
    figures: &[Kind],
) -> Result<Spec, Vec<Fault>> {
    let mut faults = Faults::default();
    let spec = check_all(written, studies, datasets, Kinds(figures), &mut faults);
    faults.into_result(spec)
}

fn check_all(
    written: &Written,
    studies: &[&'static StudyInfo],
    datasets: &[DatasetInfo],
    figures: Kinds<'_>,
    faults: &mut Faults,
) -> Option<Spec> {
    let keys = SpecKeys::read(&written.root, "", faults)?;
    let study = keys.study.as_ref();
    let study = study.and_then(|name| study_of(name, studies, faults));
    let question = keys.question;
    if let Some(empty) = question.as_ref().filter(|q| q.value.trim().is_empty()) {
        empty.fault("the question is empty", faults);
    }
    // Without the study's tables nothing else can be checked.
    let study = study?;
    params_at_root(&written.root, study, faults);
    let fitting: Vec<&DatasetInfo> = datasets
        .iter()
        .filter(|d| study.content_kinds.contains(&d.content_kind.as_str()))
        .collect();
    let names: Vec<&str> = fitting.iter().map(|d| d.name.as_str()).collect();
    let dataset = keys.dataset;
    let dataset = dataset.and_then(|name| dataset_of(name, study, datasets, &names, faults));
    let params = params(keys.params.unwrap_or_default(), study, faults);
    let allowed = Allowed {
        params: study.params,
        datasets: &names,
    };
    let axes = sweep::axes(&keys.sweep.unwrap_or_default(), &allowed, faults);
    let limits = keys.limits.map_or_else(Limits::default, |limits| Limits {
        time_s: limits.time_s.map(|seconds| seconds.0),
        memory_mib: limits.memory_mib.map(|mebibytes| mebibytes.0),
    });
    let claims = claims::claims(keys.claims.unwrap_or_default(), study, faults);
    let report = keys
        .report
        .map(|keys| report::report(keys, study, figures, faults));
    let (report, chosen) = report.unwrap_or_default();
    let root = keys.site.place;
    let swept_data = axes
        .iter()
        .any(|axis| axis.names.iter().any(|n| n == DATASET_KEY));
    let named = written.root.get(DATASET_KEY).is_some();
    if !study.content_kinds.is_empty() && !named && !swept_data {
        faults.add(&root, DATASET_KEY, "this key is missing");
    }
    for axis in &axes {
        for name in &axis.names {
            // The sweep wins, so that the change would do nothing.
            let key = yaml::join("params", name);
            if written.overridden.contains(&key) {
                let message = format!("`{name}` is swept, and the sweep's values count");
                let help = format!("write --set sweep.{name}=[VALUE]");
                faults.add_with_help(&root, &key, message, help);
            }
        }
    }
    let mut spec = Spec {
        file: written.file.clone(),
        name: written.name.clone(),
        study: study.name.to_owned(),
        question: question.map_or_else(String::new, |question| question.value),
        dataset,
        when_unavailable: keys.when_unavailable,
        default: keys.default,
        seeds: keys.seeds.0,
        params,
        axes,
        limits,
        claims: claims.iter().map(|stated| stated.claim.clone()).collect(),
        report,
    };
    // What a faulty plan would select says nothing.
    if !faults.concern(&["dataset", "params", "seeds", "sweep"]) {
        let unplanned = check_points(&spec, study, (&claims, &chosen), written, faults);
        spec.claims.retain(|claim| !unplanned.contains(&claim.id));
    }
    Some(spec)
}

/// Says of keys of the root that are params of the study, or nearly, where they belong.
fn params_at_root(root: &Node, study: &StudyInfo, faults: &mut Faults) {
    let Value::Map(entries) = &root.value else {
        return;
    };
    let keys = || SpecKeys::MAP.keys.iter().map(|key| key.name);
    for key in entries.iter().map(|entry| entry.key.as_str()) {
        let param = nearest(key, study.params.iter().map(|param| param.name));
        let Some(param) = param.filter(|_| keys().all(|own| own != key)) else {
            continue;
        };
        if param == key || nearest(key, keys()).is_none() {
            faults.help(key, &format!("did you mean `params.{param}`?"));
        }
    }
}

fn study_of(
    name: &At<String>,
    studies: &[&'static StudyInfo],
    faults: &mut Faults,
) -> Option<&'static StudyInfo> {
    let found = studies.iter().find(|study| study.name == name.value);
    if found.is_none() {
        let names = studies.iter().map(|study| never_renamed(study.name));
        let help = instead(&name.value, names);
        name.fault_with_help(format!("there is no study `{}`", name.value), help, faults);
    }
    found.copied()
}

fn dataset_of(
    name: At<String>,
    study: &StudyInfo,
    datasets: &[DatasetInfo],
    fitting: &[&str],
    faults: &mut Faults,
) -> Option<String> {
    if fitting.contains(&name.value.as_str()) {
        return Some(name.value);
    }
    let (message, help) = if study.content_kinds.is_empty() {
        let message = format!("the study `{}` takes no data set", study.name);
        (message, "leave the key out".to_owned())
    } else if let Some(other) = datasets.iter().find(|d| d.name == name.value) {
        let message = format!("`{}` holds {}", other.name, other.content_kind);
        (
            message,
            format!("the study takes {}", study.content_kinds.join(" or ")),
        )
    } else {
        let help = instead(&name.value, fitting.iter().copied().map(never_renamed));
        (format!("there is no data set `{}`", name.value), help)
    };
    name.fault_with_help(message, help, faults);
    None
}

fn params(given: Entries, study: &StudyInfo, faults: &mut Faults) -> Params {
    let mut params = defaults(study.params);
    for entry in given.0 {
        let path = yaml::join("params", &entry.key);
        let value = ParamValue::from_node(&entry.node, &path, faults);
        let places = (&entry.place, &entry.node.place);
        let value = value.and_then(|value| {
            accept_at(study.params, &entry.key, &value, places, "params", faults)
        });
        if let Some(value) = value {
            params.set(&entry.key, value);
        }
    }
    params
}

/// Where a param gets its value, and below which key: in the sweep, which wins, or under `params`;
/// the whole file for a default.
fn place_of<'w>(written: &'w Node, param: &str) -> (&'w Place, &'static str) {
    let sweep = written.get("sweep");
    let swept = [
        (sweep, "sweep"),
        (sweep.and_then(|sweep| sweep.get("zip")), "sweep.zip"),
        (written.get("params"), "params"),
    ];
    let points = sweep.and_then(|sweep| sweep.get("points"));
    if let Some(points) = points
        && let Value::List(items) = &points.value
        && items.iter().any(|item| item.get(param).is_some())
    {
        return (&points.place, "sweep.points");
    }
    let own =
        |(node, parent): (Option<&'w Node>, &'static str)| Some((&node?.get(param)?.place, parent));
    swept
        .into_iter()
        .find_map(own)
        .unwrap_or((&written.place, "params"))
}

/// Checks that need the points of the plan: conflicts between params, and claims, tables and figures that select
/// nothing or too much. Returns claims that a change from the command line left without a point.
fn check_points(
    spec: &Spec,
    study: &StudyInfo,
    (claims, chosen): (&[Stated], &[Chosen]),
    written: &Written,
    faults: &mut Faults,
) -> Vec<String> {
    let root = &written.root.place;
    let trials = plan::point_count(spec).saturating_mul(spec.seeds.len());
    if trials > MAX_TRIALS {
        let message = format!("the sweep plans {trials} trials");
        faults.add_with_help(root, "sweep", message, format!("at most {MAX_TRIALS}"));
        return Vec::new();
    }
    let mut conflicts = HashSet::new();
    let mut points: Vec<Points> = (claims.iter().map(|stated| &stated.claim))
        .map(Points::of)
        .collect();
    let mut is_empty = vec![true; chosen.len()];
    for point in plan::points(spec) {
        for conflict in (study.conflicts)(&point.params) {
            if conflicts.len() < 20 && conflicts.insert(conflict.message.clone()) {
                let (place, parent) = place_of(&written.root, conflict.param);
                let path = yaml::join(parent, conflict.param);
                faults.add(place, &path, conflict.message);
            }
        }
        for (points, stated) in points.iter_mut().zip(claims) {
            points.count(&stated.claim, &point.params);
        }
        for (is_empty, own) in is_empty.iter_mut().zip(chosen) {
            *is_empty = *is_empty && !spec.plans(&point.params, &own.filter);
        }
    }
    let is_changed = !written.overridden.is_empty();
    for (own, _) in (chosen.iter().zip(is_empty)).filter(|(_, is_empty)| *is_empty && !is_changed) {
        let (why, help) = spec.unplanned(&own.filter);
        let message = format!("this selects no planned trial: {why}");
        faults.add_with_help(&own.place, &own.path, message, help);
    }
    let mut unplanned = Vec::new();
    for (stated, points) in claims.iter().zip(points) {
        match points.fault(&stated.claim, spec) {
            None => {}
            Some(fault) if fault.is_unplanned && is_changed => {
                unplanned.push(stated.claim.id.clone());
            }
            Some(fault) => {
                let message = format!("claim `{}` {}", stated.claim.id, fault.message);
                let (key, place) = match fault.of {
                    Part::Selection => ("where", &stated.selection),
                    Part::Expect => ("expect", &stated.expect),
                };
                let path = yaml::join(&stated.path, key);
                faults.add_with_help(place, &path, message, fault.help);
            }
        }
    }
    unplanned
}

/// How many points of the sweep a claim speaks of.
struct Points {
    chosen: usize,
    /// Points that it compares with.
    beside: usize,
    /// Whether it compares a point with itself.
    same: bool,
    other: Option<Params>,
    /// Values of the param of an ordering that were seen.
    ordered: HashSet<String>,
}

/// Why a claim cannot be judged by the plan.
struct PointFault {
    of: Part,
    message: String,
    help: String,
    /// Whether a trial that it needs is not planned.
    is_unplanned: bool,
}

/// A part of a claim.
enum Part {
    Selection,
    Expect,
}

impl Points {
    fn of(claim: &Claim) -> Self {
        Self {
            chosen: 0,
            beside: 0,
            same: false,
            other: claim.other(),
            ordered: HashSet::new(),
        }
    }

    fn count(&mut self, claim: &Claim, params: &Params) {
        let other = self.other.as_ref();
        let is_beside = other.is_some_and(|other| params.contain(other));
        self.beside += usize::from(is_beside);
        if !claim.selects(params) {
            return;
        }
        self.same |= is_beside;
        if let Expect::Ordering { param, values, .. } = &claim.expect {
            let value = params.get(param);
            if let Some(at) = values.iter().find(|v| value.is_some_and(|w| w.same(v))) {
                self.chosen = self.chosen.max(1);
                if !self.ordered.insert(at.to_string()) {
                    self.chosen = 2;
                }
            }
        } else {
            self.chosen += 1;
        }
    }

    fn fault(&self, claim: &Claim, spec: &Spec) -> Option<PointFault> {
        const ONE: &str = "name a value for every swept param, so that one point is left";
        let unplanned = |of, verb: &str, chosen: &Params| {
            let (why, help) = spec.unplanned(chosen);
            Some(PointFault {
                of,
                message: format!("{verb} no planned trial: {why}"),
                help,
                is_unplanned: true,
            })
        };
        let wrong = |of, message: String, help: &str| {
            Some(PointFault {
                of,
                message,
                help: help.to_owned(),
                is_unplanned: false,
            })
        };
        match (&claim.expect, self.chosen) {
            (Expect::NotTestable(_), _) => None,
            (_, 0) => unplanned(Part::Selection, "selects", &claim.selection),
            (_, more @ 2..) => {
                let message = format!("selects {more} points or more of the sweep");
                wrong(Part::Selection, message, ONE)
            }
            (Expect::Exceeds { .. }, _) if self.same => {
                let help = "give a swept param another value under `exceeds: {where: …}`";
                wrong(
                    Part::Expect,
                    "compares a point with itself".to_owned(),
                    help,
                )
            }
            (Expect::Exceeds { than, .. }, _) if self.beside == 0 => {
                unplanned(Part::Expect, "compares with", than)
            }
            (Expect::Exceeds { .. }, _) if self.beside > 1 => {
                let message = format!("compares with {} points of the sweep", self.beside);
                wrong(Part::Expect, message, ONE)
            }
            (Expect::Ordering { param, values, .. }, _) => {
                let mut values = values.iter();
                let missing = values.find(|value| !self.ordered.contains(&value.to_string()))?;
                let at = [(param.clone(), missing.clone())].into_iter().collect();
                unplanned(Part::Expect, "orders by", &at)
            }
            _ => None,
        }
    }
}

impl Spec {
    /// The params that the sweep varies, in written order.
    #[must_use]
    pub fn swept(&self) -> Vec<String> {
        self.axes
            .iter()
            .flat_map(|axis| axis.names.clone())
            .collect()
    }
    /// Whether a point with these params is planned with what is chosen, the seed among it.
    fn plans(&self, params: &Params, chosen: &Params) -> bool {
        chosen.iter().all(|(name, value)| match params.get(name) {
            None if name == SEED_KEY => self.seed_values().any(|seed| seed.same(value)),
            own => own.is_some_and(|own| own.same(value)),
        })
    }

    fn seed_values(&self) -> impl Iterator<Item = ParamValue> + '_ {
        let seeds = self.seeds.iter();
        seeds.filter_map(|seed| i64::try_from(*seed).ok().map(ParamValue::Int))
    }

    /// Why no planned trial has these values, as far as one of them says it alone, and what is planned.
    fn unplanned(&self, chosen: &Params) -> (String, String) {
        for (name, value) in chosen.iter() {
            let planned = self.values_of(name);
            if !planned.iter().any(|own| own.same(value)) {
                let mut seen = HashSet::new();
                let mut planned: Vec<String> = planned.iter().map(ToString::to_string).collect();
                planned.retain(|value| seen.insert(value.clone()));
                if planned.len() > SHOWN {
                    planned.truncate(SHOWN);
                    planned.push("…".to_owned());
                }
                let help = match planned.is_empty() {
                    true => "no trial has it".to_owned(),
                    false => format!("in the plan it is {}", planned.join(", ")),
                };
                return (format!("`{name}` is never `{value}`"), help);
            }
        }
        let why = "these values do not stand together in the plan".to_owned();
        (why, format!("the sweep has {}", self.swept().join(", ")))
    }

    /// The planned values of a param, of the data set or of the seed.
    fn values_of(&self, name: &str) -> Vec<ParamValue> {
        for axis in &self.axes {
            if let Some(at) = axis.names.iter().position(|own| own == name) {
                return axis.points.iter().map(|point| point[at].clone()).collect();
            }
        }
        match (self.params.get(name), &self.dataset) {
            (Some(value), _) => vec![value.clone()],
            (None, Some(dataset)) if name == DATASET_KEY => vec![ParamValue::Text(dataset.clone())],
            (None, _) if name == SEED_KEY => self.seed_values().collect(),
            _ => Vec::new(),
        }
    }
}
