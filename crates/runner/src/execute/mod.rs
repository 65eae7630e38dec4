//! Running trials: one worker process each, leased, resumable, recorded atomically.
//!
//! [`schedule::run`] starts workers and draws their events; [`worker::main`] is what such a
//! process does; [`context::Context`] is what a study sees of it.

pub(crate) mod context;
pub(crate) mod executable;
pub(crate) mod folder;
pub(crate) mod job;
pub(crate) mod lease;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod provenance;
pub(crate) mod record_file;
pub(crate) mod schedule;
pub mod signals;
pub(crate) mod stage;
pub(crate) mod sweep;
pub(crate) mod worker;
