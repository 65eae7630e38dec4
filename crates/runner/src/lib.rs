//! Runs studies: from a spec to trials in processes of their own, their records, verdicts and reports.
//!
//! A program is a list of studies and a `main` of one line, [`main`]. A study implements [`Study`]; what its trial
//! sees of the runner is the [`Context`], and of a stage its [`Work`].

#[macro_use]
mod terminal;

mod cli;
mod command;
mod devices;
mod diagnostic;
mod execute;
mod experiment;
mod failure;
mod fake;
mod freshness;
mod integrity;
mod lookup;
mod program;
mod selected;
mod study;
mod workspace;

pub use cli::{arguments, one_of};
pub use devices::{Cpu, Device, Devices};
pub use execute::context::{Context, TrialError, typed};
pub use execute::provenance::{BuildInfo, cpu_seconds};
pub use execute::signals;
pub use execute::stage::{Built, Work, stage, stage_result};
pub use failure::Failure;
pub use fake::Fake;
pub use program::{Call, Program, main};
pub use study::{Command, Ends, Memo, Replaced, Study};
pub use terminal::write_line;
pub use workspace::Workspace;
