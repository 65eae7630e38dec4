//! What every part of retrial agrees on: specs, plans, seeds, events, records, metrics,
//! statistics, claims and image types. It depends on no other crate of ours.

pub mod census;
pub mod claim;
pub mod declare;
pub mod displacement;
pub mod event;
pub mod exact;
pub mod experiment;
pub mod fault;
pub mod file;
pub mod float;
pub mod hash;
pub mod image;
pub mod instance_mask;
pub mod keys;
pub mod metric;
pub mod named;
pub mod params;
pub mod plan;
pub mod polygon;
pub mod record;
pub mod reference;
pub mod report_spec;
pub mod resize;
pub mod run_text;
pub mod seal;
pub mod seed;
pub mod spec;
pub mod statistics;
pub mod study;
pub mod yaml;
