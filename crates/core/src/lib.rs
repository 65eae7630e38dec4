//! What every part of retrial agrees on: specs, plans, events, records, metrics, statistics and
//! claims. Of our crates it depends on [`retrial_words`] alone.

pub mod census;
pub mod claim;
pub mod declare;
pub mod displacement;
pub mod event;
pub mod exact;
pub mod experiment;
pub mod fault;
pub mod file;
pub mod hash;
pub mod keys;
pub mod metric;
pub mod named;
pub mod params;
pub mod plan;
pub mod record;
pub mod reference;
pub mod report_spec;
pub mod seal;
pub mod spec;
pub mod statistics;
pub mod study;
pub mod yaml;

pub use retrial_words::words;
