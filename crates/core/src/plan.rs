//! Plans: the finite, ordered list of an experiment's trials.
//!
//! A pure function of spec, study tables and data digests; nothing is read and nothing is
//! drawn. What enters a trial id: study, revision, digest of the decoded data, params that differ
//! from their defaults, ids of amendments that touch them, seed and kind of device. Instruction set,
//! threads, host and source revision do not.

use crate::declare::Pairs;
use crate::hash::FieldHasher;
use crate::params::{ParamValue, Params};
use crate::record::Record;
use crate::spec::Spec;
use crate::study::{DatasetInfo, StudyInfo};

/// Most trials of one experiment.
pub const MAX_TRIALS: usize = 1_000_000;
/// Longest slug of a trial id.
const MAX_SLUG: usize = 72;
/// The param that names the data; their digest enters ids in its place.
pub(crate) const DATASET: &str = "dataset";
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
        let touching = study.amendments_of(&point.params);
        let hasher = identity(&Identity {
            study: study.name,
            revision: study.revision,
            digest,
            device,
            set: &study.set(point.params.iter()),
            amendments: &touching.map(|amendment| amendment.id).collect::<Vec<_>>(),
        });
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

/// Whether a record bears the id that follows from what it says of itself; nothing where it does not say which
/// params entered its id.
#[must_use]
pub fn bears_its_id(record: &Record) -> Option<bool> {
    let mut set = Vec::new();
    for name in record.set.as_ref()? {
        let Some(value) = record.params.get(name) else {
            return Some(false);
        };
        set.push((name.as_str(), value));
    }
    let mut hasher = identity(&Identity {
        study: &record.study,
        revision: record.revision,
        digest: record.dataset.as_ref().map(|data| data.content.as_str()),
        device: &record.device,
        set: &set,
        amendments: &record
            .amendments
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    });
    hasher.field(&record.seed.to_le_bytes());
    let stem = format!("{}-s{}", slug(&record.point), record.seed);
    Some(record.trial == format!("{stem}-{}", hasher.short()))
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
    /// Digests of the parts of the data that it reads.
    pub data: Vec<String>,
    /// The seed that its random numbers come from.
    pub seed: Option<u64>,
}

/// The id of a stage: a hash of study, revision, device, amendments and of all that it reads. Of the data only the
/// parts that it reads enter: a training on the same pictures is the same training, whatever is judged.
#[must_use]
pub fn stage_id(study: &StudyInfo, stage: &StageInput<'_>, trial: &Params, device: &str) -> String {
    let pairs = stage.params.iter().map(|(name, value)| (*name, value));
    let touching = study.amendments_of(trial);
    let touching = touching.filter(|own| own.stages.contains(&stage.name));
    let mut hasher = identity(&Identity {
        study: study.name,
        revision: study.revision,
        digest: None,
        device,
        set: &study.set(pairs),
        amendments: &touching.map(|amendment| amendment.id).collect::<Vec<_>>(),
    });
    hasher.field(b"stage");
    hasher.field(stage.name.as_bytes());
    hasher.field(b"inputs");
    for input in stage.inputs {
        hasher.field(input.as_bytes());
    }
    hasher.field(b"data");
    for part in &stage.data {
        hasher.field(part.as_bytes());
    }
    if let Some(seed) = stage.seed {
        hasher.field(&seed.to_le_bytes());
    }
    format!("{}-{}-{}", study.name, stage.name, hasher.short())
}

/// What an id is a hash of, seed and stage aside.
struct Identity<'i> {
    study: &'i str,
    revision: u32,
    digest: Option<&'i str>,
    device: &'i str,
    /// Params that differ from their defaults, by name: a new one at its default changes no id.
    set: &'i [(&'i str, &'i ParamValue)],
    /// Ids of amendments.
    amendments: &'i [&'i str],
}

fn identity(of: &Identity<'_>) -> FieldHasher {
    let mut hasher = FieldHasher::new("retrial id 2");
    hasher.field(of.study.as_bytes());
    hasher.field(&of.revision.to_le_bytes());
    hasher.field(of.digest.unwrap_or("").as_bytes());
    hasher.field(of.device.as_bytes());
    for (name, value) in of.set {
        hasher.field(name.as_bytes());
        hasher.field(value.to_string().as_bytes());
    }
    for amendment in of.amendments {
        hasher.field(b"amendment");
        hasher.field(amendment.as_bytes());
    }
    hasher
}

/// `order-1_step_px-5`: swept values as a folder name.
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
