//! Plans: the finite, ordered list of an experiment's trials.
//!
//! A pure function of spec, study tables and data digests; nothing is read and nothing is
//! drawn. What enters a trial id: spec format, study, revision, digest of the decoded data,
//! resolved params, amendments that touch them, seed and kind of device. Instruction set, threads,
//! host and source revision do not.

use crate::declare::Pairs;
use crate::hash::FieldHasher;
use crate::params::{ParamValue, Params};
use crate::record::Record;
use crate::spec::{SPEC_FORMAT, Spec};
use crate::study::{DatasetInfo, StudyInfo};

/// Most trials of one experiment.
pub const MAX_TRIALS: usize = 1_000_000;
/// Longest slug of a trial id.
const MAX_SLUG: usize = 72;
/// Most amendments of one trial of which it is tried whether they were made before it ran.
const MAX_AMENDMENTS: usize = 10;
const DATASET: &str = "dataset";
/// The kind of device of trials that use no other.
const CPU: &str = "cpu";

/// A planned trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// `<slug>-s<seed>-<hash>`.
    pub id: String,
    /// The id without its hash, shared by what the same point was under other circumstances.
    pub stem: String,
    /// The swept values.
    pub point: Params,
    /// All params, `dataset` first where there is one.
    pub params: Params,
    /// Root seed.
    pub seed: u64,
    /// Name and digest of the data.
    pub dataset: Option<(String, String)>,
}

/// One point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The swept values.
    pub point: Params,
    /// All params.
    pub params: Params,
}

/// Number of points of the grid, saturating.
#[must_use]
pub fn point_count(spec: &Spec) -> usize {
    spec.axes
        .iter()
        .map(|axis| axis.points.len())
        .fold(1, usize::saturating_mul)
}

/// All points in written order, the first axis varying slowest.
pub fn points(spec: &Spec) -> impl Iterator<Item = Point> + '_ {
    let mut base = Params::default();
    if let Some(name) = &spec.dataset {
        base.set(DATASET, ParamValue::Text(name.clone()));
    } else if spec.swept().iter().any(|name| name == DATASET) {
        base.set(DATASET, ParamValue::Text(String::new()));
    }
    for (name, value) in spec.params.iter() {
        base.set(name, value.clone());
    }
    (0..point_count(spec)).map(move |index| {
        let mut params = base.clone();
        let mut point = Params::default();
        let mut block = point_count(spec);
        for axis in &spec.axes {
            block /= axis.points.len();
            let row = &axis.points[index / block % axis.points.len()];
            for (name, value) in axis.names.iter().zip(row) {
                params.set(name, value.clone());
                point.set(name, value.clone());
            }
        }
        Point { point, params }
    })
}

/// The trials of a spec, in order: points outside, seeds inside.
///
/// `device` is the kind of device: `cpu`, `cuda` or `wgpu`. Trials that do not use it are those of
/// the CPU.
#[must_use]
pub fn trials(
    spec: &Spec,
    study: &StudyInfo,
    datasets: &[DatasetInfo],
    device: &str,
) -> Vec<Trial> {
    let mut trials = Vec::with_capacity(point_count(spec) * spec.seeds.len());
    for point in points(spec) {
        let dataset = match point.params.get(DATASET) {
            Some(ParamValue::Text(name)) => datasets
                .iter()
                .find(|d| d.name == *name)
                .map(|d| (d.name.clone(), d.content.clone())),
            _ => None,
        };
        let slug = slug(&point.point);
        let digest = dataset.as_ref().map(|(_, content)| content.as_str());
        let device = match study.runs_on_device(&point.params) {
            true => device,
            false => CPU,
        };
        let mut hasher = identified(study, digest, device, &point.params);
        for amendment in study.amendments_of(&point.params) {
            hasher.field(b"amendment");
            hasher.field(amendment.what.as_bytes());
        }
        for &seed in &spec.seeds {
            let mut hasher = hasher.clone();
            hasher.field(&seed.to_le_bytes());
            let stem = format!("{slug}-s{seed}");
            trials.push(Trial {
                id: format!("{stem}-{}", hasher.short()),
                stem,
                point: point.point.clone(),
                params: point.params.clone(),
                seed,
                dataset: dataset.clone(),
            });
        }
    }
    trials
}

/// Whether `record` can be the trial whose id it bears: the id is a hash of its params, seed, data,
/// revision and device, and of those amendments that were made before it ran.
#[must_use]
pub fn bears_its_id(record: &Record, study: &StudyInfo) -> bool {
    let digest = record.dataset.as_ref().map(|data| data.content.as_str());
    let plain = identified(study, digest, &record.device, &record.params);
    let stem = format!("{}-s{}", slug(&record.point), record.seed);
    let touching: Vec<_> = study
        .amendments_of(&record.params)
        .take(MAX_AMENDMENTS)
        .collect();
    (0..1_u32 << touching.len()).any(|made| {
        let mut hasher = plain.clone();
        for (place, amendment) in touching.iter().enumerate() {
            if made & (1 << place) != 0 {
                hasher.field(b"amendment");
                hasher.field(amendment.what.as_bytes());
            }
        }
        hasher.field(&record.seed.to_le_bytes());
        record.trial == format!("{stem}-{}", hasher.short())
    })
}

fn identified(
    study: &StudyInfo,
    digest: Option<&str>,
    device: &str,
    params: &Params,
) -> FieldHasher {
    let mut hasher = identity(study, digest, device);
    for (name, value) in params.iter().filter(|(name, _)| *name != DATASET) {
        hasher.field(name.as_bytes());
        hasher.field(value.to_string().as_bytes());
    }
    hasher
}

/// What the result of a stage depends on, but for the trial that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct StageInput<'i> {
    /// Name of the stage.
    pub name: &'static str,
    /// Params that it reads.
    pub params: Pairs,
    /// Ids of the stages whose results it uses.
    pub inputs: &'i [&'i str],
    /// The seed that its random numbers come from.
    pub seed: Option<u64>,
}

/// The id of a stage: a hash of study, revision, what it reads, amendments, and data digest and device where they matter.
#[must_use]
pub fn stage_id(
    study: &StudyInfo,
    stage: &StageInput<'_>,
    trial: &Params,
    digest: Option<&str>,
    device: &str,
) -> String {
    let mut hasher = identity(study, digest, device);
    hasher.field(b"stage");
    hasher.field(stage.name.as_bytes());
    for (param, value) in &stage.params {
        hasher.field(param.as_bytes());
        hasher.field(value.to_string().as_bytes());
    }
    let touching = study.amendments_of(trial);
    for amendment in touching.filter(|own| own.stages.contains(&stage.name)) {
        hasher.field(b"amendment");
        hasher.field(amendment.what.as_bytes());
    }
    hasher.field(b"inputs");
    for input in stage.inputs {
        hasher.field(input.as_bytes());
    }
    if let Some(seed) = stage.seed {
        hasher.field(&seed.to_le_bytes());
    }
    format!("{}-{}-{}", study.name, stage.name, hasher.short())
}

fn identity(study: &StudyInfo, digest: Option<&str>, device: &str) -> FieldHasher {
    let mut hasher = FieldHasher::new("retrial id");
    hasher.field(&SPEC_FORMAT.to_le_bytes());
    hasher.field(study.name.as_bytes());
    hasher.field(&study.revision.to_le_bytes());
    hasher.field(digest.unwrap_or("").as_bytes());
    hasher.field(device.as_bytes());
    hasher
}

/// `order-1,subset_size_px-41`: swept values as a folder name.
fn slug(point: &Params) -> String {
    if point.is_empty() {
        return "base".to_owned();
    }
    let parts: Vec<String> = point
        .iter()
        .map(|(name, value)| {
            let value = value.to_string();
            if name == DATASET {
                value
            } else {
                format!("{name}-{value}")
            }
        })
        .collect();
    let mut slug: String = parts
        .join("_")
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '.'
            }
        })
        .collect();
    slug.truncate(MAX_SLUG);
    slug
}
