//! What a trial leaves, and from what it came.
//!
//! A record is the folder `results/<study>/<experiment>/<trial>/` with `trial.yaml` (this type),
//! `events.jsonl` and the study's artifacts. It is written once, atomically, and never changed; its
//! existence under the trial's id *is* "finished". A failed attempt leaves `<trial>.attempts/<n>/`
//! with an `attempt.yaml` of the same type. The records of an experiment can be packed
//! (`retrial_report::Pack`), with the same values and the same seals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::census::Census;
use crate::metric::Metrics;
use crate::params::Params;

/// Version of [`Record`] and of its file, whose last line is the seal of the others; raised when a
/// field changes. No other version is read.
pub const RECORD_FORMAT: u32 = 5;
/// The file of a finished trial.
pub const RECORD_FILE: &str = "trial.yaml";
/// The file of a failed attempt.
pub const ATTEMPT_FILE: &str = "attempt.yaml";
/// The name of the program whose studies are those of this repository.
pub const RETRIAL: &str = "retrial";
/// The journal of events.
pub const EVENTS_FILE: &str = "events.jsonl";
/// The last that a worker printed, beside the record of its failed attempt.
pub const OUTPUT_FILE: &str = "output.txt";

/// One execution of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`RECORD_FORMAT`].
    pub format: u32,
    /// The format in which it was first written, where a program brought it into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrated_from: Option<u32>,
    /// Trial id: slug and short hash.
    pub trial: String,
    /// Study.
    pub study: String,
    /// Revision of the study's code.
    pub revision: u32,
    /// Experiment, the stem of its file.
    pub experiment: String,
    /// The swept params.
    pub point: Params,
    /// All params, defaults filled in.
    pub params: Params,
    /// Names of the params that differed from their defaults, which enter the id; missing in records before it was
    /// kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Vec<String>>,
    /// Ids of the amendments of the study that touched it, which enter its id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amendments: Vec<String>,
    /// Root seed.
    pub seed: u64,
    /// `cpu`, `cuda` or `wgpu`.
    pub device: String,
    /// The data.
    pub dataset: Option<DatasetUse>,
    /// How it ended.
    pub outcome: Outcome,
    /// Which attempt this was, from 1.
    pub attempt: u32,
    /// Metrics of the whole trial.
    pub metrics: Metrics,
    /// Stages it was built from.
    pub stages: Vec<StageUse>,
    /// Files that the study left.
    pub artifacts: Vec<Artifact>,
    /// Hash of everything repeatable: params, metrics that repeat, stage and artifact contents.
    pub content: String,
    /// What of the data was used, left out or repaired; no part of the hash.
    #[serde(default, skip_serializing_if = "Census::is_empty")]
    pub census: Census,
    /// Hash of each claim of the experiment when the trial ran, by claim id.
    pub claims: BTreeMap<String, String>,
    /// Where, when and from what source it ran.
    pub provenance: Provenance,
    /// Hash of the bytes of every file beside this one, by name.
    pub files: BTreeMap<String, String>,
    /// Hash of the text above; empty before it is written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seal: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// All went well.
    Finished,
    /// It did not.
    Failed {
        /// `error`, `panic`, `signal`, `out_of_memory`, `time_limit`.
        cause: String,
        /// What was said, as a person would read it.
        error: String,
    },
}

/// The data of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetUse {
    /// Name under `datasets/`.
    pub name: String,
    /// Digest of the decoded content.
    pub content: String,
    /// Which source it came from, in words; not part of any id.
    pub source: String,
}

/// A stage of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageUse {
    /// Name in the study's chain.
    pub name: String,
    /// Stage id.
    pub id: String,
    /// Content hash of its result.
    pub content: String,
    /// Whether this trial found it ready.
    pub reused: bool,
    /// What built it; absent where the stage was built before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<StageOrigin>,
}

/// What built a stage, where and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageOrigin {
    /// Version of the program.
    pub version: String,
    /// Commit that the program was built from, if known.
    pub source_revision: Option<String>,
    /// Whether the source of the program differed from that commit.
    pub source_dirty: Option<bool>,
    /// The build of the program.
    pub build: Build,
    /// Host name.
    pub host: String,
    /// CPU model.
    pub cpu: String,
    /// Device as asked for.
    pub device: String,
    /// When it was finished, RFC 3339 in UTC.
    pub finished: String,
}

/// How a program was built, and the C library that it runs with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Profile of cargo, such as `release`.
    pub profile: String,
    /// Cargo features, in alphabetical order.
    pub features: Vec<String>,
    /// The compiler, as `rustc --version` prints it.
    pub rustc: String,
    /// Target triple.
    pub target: String,
    /// The C library, as `getconf GNU_LIBC_VERSION` prints it; nothing where there is no such command.
    pub c_library: Option<String>,
    /// Name of the program; absent from records before it was kept, which are those of [`RETRIAL`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The retrial that it was built with; absent from records before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrial: Option<Library>,
}

/// The retrial that a program was built with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// Its version.
    pub version: String,
    /// The commit of its checkout, if known.
    pub revision: Option<String>,
}

/// A file of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// File name within the record.
    pub path: String,
    /// Content hash: of the bytes, or of the named arrays of an HDF5 file.
    pub content: String,
    /// Size on disk.
    pub bytes: u64,
}

/// Where, when and from what source a trial ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Commit that the program was built from, if known.
    pub source_revision: Option<String>,
    /// Whether the source of the program differed from that commit.
    pub source_dirty: Option<bool>,
    /// How the program was built; absent from records before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The project folder; absent from records before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectState>,
    /// Hash of `Cargo.lock` at build time.
    pub lock_file: String,
    /// Host name.
    pub host: String,
    /// Operating system and architecture.
    pub system: String,
    /// CPU model.
    pub cpu: String,
    /// Instruction-set features that numerics use.
    pub cpu_features: Vec<String>,
    /// Threads of this trial.
    pub threads: usize,
    /// Device as asked for.
    pub device: String,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// Wall time, s.
    pub duration_s: f64,
    /// CPU time of the worker, s.
    pub cpu_s: f64,
    /// Peak resident memory, MiB.
    pub peak_memory_mib: f64,
}

/// The project folder when a trial ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectState {
    /// Commit of the repository around it, if there is one that git trusts.
    pub revision: Option<String>,
    /// Whether anything in it but results and reports was changed or not committed.
    pub dirty: Option<bool>,
    /// Hash of the bytes of the spec.
    pub spec: Option<String>,
    /// Whether the spec was `committed`, `changed` or `untracked`; nothing without a repository.
    pub spec_state: Option<String>,
}

impl Build {
    /// All of it in a line.
    #[must_use]
    pub fn line(&self) -> String {
        let features = match self.features.is_empty() {
            true => "no features".to_owned(),
            false => format!("features {}", self.features.join(", ")),
        };
        let library = self.c_library.as_deref().unwrap_or("unknown C library");
        format!(
            "{} for {}, {features}, {}, {library}",
            self.profile, self.target, self.rustc
        )
    }
}

impl Provenance {
    /// Name and version of the program that ran.
    #[must_use]
    pub fn program(&self) -> String {
        format!("{} {}", self.name(), self.version)
    }

    /// The retrial that another program was built with.
    #[must_use]
    pub fn library(&self) -> Option<&Library> {
        let library = self.build.as_ref()?.retrial.as_ref();
        library.filter(|_| self.name() != RETRIAL)
    }

    fn name(&self) -> &str {
        let program = self
            .build
            .as_ref()
            .and_then(|build| build.program.as_deref());
        program.unwrap_or(RETRIAL)
    }
}

impl Record {
    /// The value of a metric.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied()
    }

    /// Whether the trial ended well.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.outcome == Outcome::Finished
    }
}
