//! From tree to [`Spec`]: every fault at once.

use std::collections::HashSet;

use super::source::root_reader;
use super::sweep::{self, Allowed, DATASET_KEY};
use super::{
    Limits, MAX_MEMORY_MIB, MAX_TIME_S, MIN_MEMORY_MIB, SPEC_FORMAT, Spec, WhenUnavailable,
    Written, claims, report,
};
use crate::claim::{Claim, Expect};
use crate::fault::{Fault, Faults, Place, nearest};
use crate::params::{ParamValue, Params, accept_at, defaults};
use crate::plan::{self, MAX_TRIALS};
use crate::study::{DatasetInfo, StudyInfo};
use crate::yaml::{self, MapReader, Node, Value};

/// Checks a spec against the tables of studies and data sets.
///
/// # Errors
/// Every fault, in the order of the lines.
pub fn check(
    written: &Written,
    studies: &[&'static StudyInfo],
    datasets: &[DatasetInfo],
) -> Result<Spec, Vec<Fault>> {
    let mut faults = Faults::default();
    let spec = check_all(written, studies, datasets, &mut faults);
    faults.into_result(spec)
}

fn check_all(
    written: &Written,
    studies: &[&'static StudyInfo],
    datasets: &[DatasetInfo],
    faults: &mut Faults,
) -> Option<Spec> {
    let mut reader = root_reader(written, faults)?;
    reader.take("extends");
    check_format(&mut reader, faults);
    let study = study(&mut reader, studies, faults);
    let question = reader.require_text("question", faults);
    if question.as_ref().is_some_and(|text| text.trim().is_empty()) {
        faults.add(reader.place(), "question", "the question is empty");
    }
    let Some(study) = study else {
        // Without the study's tables nothing else can be checked.
        return None;
    };
    let fitting: Vec<&DatasetInfo> = datasets
        .iter()
        .filter(|d| study.content_kinds.contains(&d.content_kind.as_str()))
        .collect();
    let names: Vec<&str> = fitting.iter().map(|d| d.name.as_str()).collect();
    let dataset = dataset(&mut reader, study, datasets, &names, faults);
    let default = reader.flag("default", faults).unwrap_or(false);
    let when_unavailable = when_unavailable(&mut reader, faults);
    let seeds = seeds(&mut reader, faults);
    let params = params(&mut reader, study, faults);
    let allowed = Allowed {
        params: study.params,
        datasets: &names,
    };
    let axes = reader
        .map("sweep", faults)
        .map(|sweep| sweep::axes(&sweep, &allowed, faults))
        .unwrap_or_default();
    let limits = limits(&mut reader, faults);
    let claims = claims::claims(&mut reader, study, faults);
    let report = report::report(&mut reader, study, faults);
    let root = reader.place().clone();
    reader.finish(faults);
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
        question: question?,
        dataset,
        when_unavailable,
        default,
        seeds,
        params,
        axes,
        limits,
        claims: claims.iter().map(|(claim, _)| claim.clone()).collect(),
        report,
    };
    let unplanned = check_points(&spec, study, &claims, written, faults);
    spec.claims.retain(|claim| !unplanned.contains(&claim.id));
    Some(spec)
}

fn check_format(reader: &mut MapReader<'_>, faults: &mut Faults) {
    if let Some(node) = reader.require("format", faults)
        && node.value != Value::Int(SPEC_FORMAT)
    {
        let message = format!("{} is no known format", node.describe());
        faults.add_with_help(
            &node.place,
            "format",
            message,
            format!("write {SPEC_FORMAT}"),
        );
    }
}

fn study(
    reader: &mut MapReader<'_>,
    studies: &[&'static StudyInfo],
    faults: &mut Faults,
) -> Option<&'static StudyInfo> {
    let node = reader.require("study", faults)?;
    let name = yaml::text(node, "study", faults)?;
    let found = studies.iter().find(|study| study.name == name).copied();
    if found.is_none() {
        let names = || studies.iter().map(|study| study.name);
        let help = match nearest(&name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known: {}", names().collect::<Vec<_>>().join(", ")),
        };
        faults.add_with_help(
            &node.place,
            "study",
            format!("there is no study `{name}`"),
            help,
        );
    }
    found
}

fn dataset(
    reader: &mut MapReader<'_>,
    study: &StudyInfo,
    datasets: &[DatasetInfo],
    fitting: &[&str],
    faults: &mut Faults,
) -> Option<String> {
    let node = reader.take(DATASET_KEY)?;
    let name = yaml::text(node, DATASET_KEY, faults)?;
    if fitting.contains(&name.as_str()) {
        return Some(name);
    }
    let (message, help) = if study.content_kinds.is_empty() {
        let message = format!("the study `{}` takes no data set", study.name);
        (message, "leave the key out".to_owned())
    } else if let Some(other) = datasets.iter().find(|d| d.name == name) {
        let message = format!("`{name}` holds {}", other.content_kind);
        (
            message,
            format!("the study takes {}", study.content_kinds.join(" or ")),
        )
    } else {
        let help = match nearest(&name, fitting.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known: {}", fitting.join(", ")),
        };
        (format!("there is no data set `{name}`"), help)
    };
    faults.add_with_help(&node.place, DATASET_KEY, message, help);
    None
}

fn when_unavailable(reader: &mut MapReader<'_>, faults: &mut Faults) -> WhenUnavailable {
    let path = reader.path("when_unavailable");
    match reader.text("when_unavailable", faults).as_deref() {
        None | Some("fail") => WhenUnavailable::Fail,
        Some("skip") => WhenUnavailable::Skip,
        Some(other) => {
            let message = format!("`{other}` is none of the words known here");
            faults.add_with_help(reader.place(), &path, message, "write fail or skip");
            WhenUnavailable::Fail
        }
    }
}

fn seeds(reader: &mut MapReader<'_>, faults: &mut Faults) -> Vec<u64> {
    let path = reader.path("seeds");
    let node = reader.take("seeds");
    let Some((node, items)) = node.and_then(|node| Some((node, yaml::list(node, &path, faults)?)))
    else {
        return vec![0];
    };
    if items.is_empty() {
        let help = "name one seed or more, such as seeds: [0]";
        faults.add_with_help(
            &node.place,
            &path,
            "an empty list of seeds plans no trial",
            help,
        );
    }
    let mut seen = HashSet::new();
    let mut seeds = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let Some(seed) = yaml::whole(item, &path, faults) else {
            continue;
        };
        if !seen.insert(seed) {
            faults.add(
                &item.place,
                &path,
                format!("the seed {seed} stands there twice"),
            );
        }
        seeds.push(seed);
    }
    seeds
}

fn params(reader: &mut MapReader<'_>, study: &StudyInfo, faults: &mut Faults) -> Params {
    let mut params = defaults(study.params);
    let Some(given) = reader.map("params", faults) else {
        return params;
    };
    for entry in given.entries() {
        let path = given.path(&entry.key);
        if let Some(value) = ParamValue::from_node(&entry.node, &path, faults)
            && let Some(value) = accept_at(
                study.params,
                &entry.key,
                &value,
                (&entry.place, &entry.node.place),
                "params",
                faults,
            )
        {
            params.set(&entry.key, value);
        }
    }
    params
}

fn limits(reader: &mut MapReader<'_>, faults: &mut Faults) -> Limits {
    let Some(mut inner) = reader.map("limits", faults) else {
        return Limits::default();
    };
    let (time, memory) = (inner.take("time_s"), inner.take("memory_mib"));
    let (time_path, memory_path) = (inner.path("time_s"), inner.path("memory_mib"));
    let time_s = time.and_then(|node| yaml::number(node, &time_path, faults));
    let memory_mib = memory.and_then(|node| yaml::whole(node, &memory_path, faults));
    if let (Some(node), Some(seconds)) = (time, time_s)
        && !(seconds > 0.0 && seconds <= MAX_TIME_S)
    {
        let message = format!("a time limit of `{seconds}` s");
        let help = format!("a number above 0, at most {MAX_TIME_S} (31 years)");
        faults.add_with_help(&node.place, &time_path, message, help);
    }
    if let (Some(node), Some(mib)) = (memory, memory_mib)
        && !(MIN_MEMORY_MIB..=MAX_MEMORY_MIB).contains(&mib)
    {
        let message = format!("a memory limit of {mib} MiB");
        let help = format!("a whole number from {MIN_MEMORY_MIB} to {MAX_MEMORY_MIB}");
        faults.add_with_help(&node.place, &memory_path, message, help);
    }
    inner.finish(faults);
    Limits { time_s, memory_mib }
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
