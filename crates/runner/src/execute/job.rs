//! What the scheduler tells a worker, as one JSON line on its standard input.

use std::collections::BTreeMap;
use std::path::PathBuf;

use retrial_core::params::Params;
use serde::{Deserialize, Serialize};

use super::provenance::Host;
use crate::devices::Device;

/// Exit code of a worker whose trial another process holds.
pub(crate) const EXIT_HELD: i32 = 75;
/// Exit code of a worker that stopped when asked to.
pub(crate) const EXIT_STOPPED: i32 = 76;
/// Exit code of a worker whose trial another process had recorded.
pub(crate) const EXIT_ELSEWHERE: i32 = 77;
/// The line that asks a worker to stop at the next good moment.
pub(crate) const STOP_LINE: &str = "stop";

/// One trial to execute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// `results/`.
    pub(crate) results: PathBuf,
    /// Study.
    pub(crate) study: String,
    /// Experiment.
    pub(crate) experiment: String,
    /// Trial id.
    pub(crate) trial: String,
    /// The swept values.
    pub(crate) point: Params,
    /// All params.
    pub(crate) params: Params,
    /// Root seed.
    pub(crate) seed: u64,
    /// The data, fetched already.
    pub(crate) data: Option<JobData>,
    /// Attempt, from 1.
    pub(crate) attempt: u32,
    /// Its device.
    pub(crate) device: Device,
    /// Threads for this trial.
    pub(crate) threads: usize,
    /// Address space, MiB.
    pub(crate) memory_mib: Option<u64>,
    /// Hash of each claim, by id.
    pub(crate) claims: BTreeMap<String, String>,
    /// The machine and the source, looked up once for all trials.
    pub(crate) host: Host,
}

/// Where a worker finds its data without the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobData {
    /// Data set.
    pub(crate) name: String,
    /// Digest of the decoded content.
    pub(crate) content: String,
    /// `datasets/<name>/manifest.yaml`.
    pub(crate) manifest: PathBuf,
    /// The cache.
    pub(crate) cache: PathBuf,
    /// The mirror folder.
    pub(crate) mirror: Option<PathBuf>,
    /// Where the files came from, in words.
    pub(crate) source: String,
}
