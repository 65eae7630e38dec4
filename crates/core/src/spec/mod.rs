//! Experiment specs: one YAML file, checked against the tables of its study.
//!
//! A spec is read twice. [`read`] gives the tree as written, with `extends` and `--set` applied
//! and every value knowing the file and line it came from. [`check`] turns the tree into a
//! [`Spec`] or into the list of all its faults. Nothing else ever sees the tree.

mod check;
mod claims;
#[cfg(test)]
mod id_tests;
pub mod keys;
mod report;
mod schema;
mod source;
mod sweep;
#[cfg(test)]
mod tests;

pub use check::check;
pub use schema::schema;
pub use source::{Override, Written, is_name, read};
pub use sweep::Axis;

use crate::claim::Claim;
use crate::params::Params;
use crate::report_spec::ReportSpec;

/// Version of the spec format; enters every trial id.
pub const SPEC_FORMAT: i64 = 1;
/// The longest limit on the time of a trial, s: some 31 years, which every clock can count.
pub const MAX_TIME_S: f64 = 1e9;
/// The smallest limit on the memory of a trial, MiB.
pub const MIN_MEMORY_MIB: i64 = 256;
/// The largest one: below 2⁶³ bytes.
pub const MAX_MEMORY_MIB: i64 = (1 << 43) - 1;

/// A checked experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The file, as the person named it.
    pub file: String,
    /// Name: the stem of the file, with a suffix where `--set` or `--seed` changed it.
    pub name: String,
    /// Study.
    pub study: String,
    /// The question it answers.
    pub question: String,
    /// The data set where the sweep names none; `None` for a study without data.
    pub dataset: Option<String>,
    /// What to do where its data cannot be had.
    pub when_unavailable: WhenUnavailable,
    /// Whether `retrial run` without a file runs it.
    pub default: bool,
    /// Seeds, in written order.
    pub seeds: Vec<u64>,
    /// All params with defaults, before the sweep.
    pub params: Params,
    /// What varies; the first axis varies slowest.
    pub axes: Vec<Axis>,
    /// Bounds on each trial.
    pub limits: Limits,
    /// Published values.
    pub claims: Vec<Claim>,
    /// What its report shows.
    pub report: ReportSpec,
}

crate::words! {
    /// What to do where an experiment's data cannot be had.
    pub enum WhenUnavailable {
        /// The run fails before any trial starts.
        Fail = "fail",
        /// The experiment is left out, and the run says why.
        Skip = "skip",
    }
}

/// Bounds on each trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Wall time, s, above 0 and at most [`MAX_TIME_S`].
    pub time_s: Option<f64>,
    /// Address space, MiB, from [`MIN_MEMORY_MIB`] to [`MAX_MEMORY_MIB`].
    pub memory_mib: Option<u64>,
}
