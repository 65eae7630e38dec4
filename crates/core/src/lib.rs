//! What every part of retrial agrees on: specs, plans, seeds, events, records, metrics,
//! statistics, claims and image types. It depends on no other crate of ours.

pub mod displacement;
pub mod fault;
pub mod hash;
pub mod image;
pub mod seed;
pub mod yaml;
