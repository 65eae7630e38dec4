//! From tree to [`Spec`]: every fault at once.

use std::collections::HashSet;

use super::keys::SpecKeys;
use super::sweep::{self, Allowed, DATASET_KEY};
use super::{Limits, Spec, Written, claims, report};
use crate::claim::{Claim, Expect};
use crate::fault::{Fault, Faults, Place, instead, never_renamed};
use crate::keys::{At, Entries, KeyType as _, Kind, Kinds};
use crate::params::{ParamValue, Params, accept_at, defaults};
use crate::plan::{self, MAX_TRIALS};
use crate::study::{DatasetInfo, StudyInfo};
use crate::yaml::{self, Node, Value};

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
    if !faults.is_empty() {
        return None;
    }
    let mut spec = Spec {
        file: written.file.clone(),
        name: written.name.clone(),
        study: study.name.to_owned(),
        question: question?.value,
        dataset,
        when_unavailable: keys.when_unavailable,
        default: keys.default,
        seeds: keys.seeds.0,
        params,
        axes,
        limits,
        claims: claims.iter().map(|(claim, _)| claim.clone()).collect(),
        report: report.unwrap_or_default(),
    };
    let unplanned = check_points(&spec, study, &claims, written, faults);
    spec.claims.retain(|claim| !unplanned.contains(&claim.id));
    Some(spec)
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

/// Checks that need the points of the plan: conflicts between params, and claims that select
/// nothing or too much. Returns claims that a change from the command line left without a point.
fn check_points(
    spec: &Spec,
    study: &StudyInfo,
    claims: &[(Claim, Place)],
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
    let mut points: Vec<Points> = claims.iter().map(|(claim, _)| Points::of(claim)).collect();
    for point in plan::points(spec) {
        for conflict in (study.conflicts)(&point.params) {
            if conflicts.len() < 20 && conflicts.insert(conflict.message.clone()) {
                let (place, parent) = place_of(&written.root, conflict.param);
                let path = yaml::join(parent, conflict.param);
                faults.add(place, &path, conflict.message);
            }
        }
        for (points, (claim, _)) in points.iter_mut().zip(claims) {
            points.count(claim, &point.params);
        }
    }
    let mut unplanned = Vec::new();
    for (i, ((claim, place), points)) in claims.iter().zip(points).enumerate() {
        let key = format!("claims[{i}].where");
        match (&claim.expect, points.chosen) {
            (Expect::NotTestable(_), _) => {}
            (Expect::Exceeds { .. }, 1) if points.beside != 1 => {
                if points.beside == 0 && !written.overridden.is_empty() {
                    unplanned.push(claim.id.clone());
                    continue;
                }
                let n = points.beside;
                let message = format!("claim `{}` compares with {n} points of the sweep", claim.id);
                let help = "name a value for every swept param, so that one point is left";
                faults.add_with_help(place, &format!("claims[{i}].expect.exceeds"), message, help);
            }
            (_, 1) => {}
            (_, 0) if !written.overridden.is_empty() => unplanned.push(claim.id.clone()),
            (_, 0) => {
                let message = format!("claim `{}` selects no planned trial", claim.id);
                let help = format!("the sweep has {}", spec.swept().join(", "));
                faults.add_with_help(place, &key, message, help);
            }
            (_, more) => {
                let message = format!(
                    "claim `{}` selects {more} points or more of the sweep",
                    claim.id
                );
                let help = "name a value for every swept param, so that one point is left";
                faults.add_with_help(place, &key, message, help);
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
    other: Option<Params>,
    /// Values of the param of an ordering that were seen.
    ordered: HashSet<String>,
}

impl Points {
    fn of(claim: &Claim) -> Self {
        Self {
            chosen: 0,
            beside: 0,
            other: claim.other(),
            ordered: HashSet::new(),
        }
    }

    fn count(&mut self, claim: &Claim, params: &Params) {
        if self
            .other
            .as_ref()
            .is_some_and(|other| params.contain(other))
        {
            self.beside += 1;
        }
        if !claim.selects(params) {
            return;
        }
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
}
