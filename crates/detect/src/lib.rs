//! Detectors judged: curves, thresholds, intervals; and detectors without a net as baselines.
//!
//! Anomalous is the positive class and a larger score is more anomalous, always. An item is
//! flagged when its score is **at least** the threshold, in the curves as in the decisions.
//!
#![doc = include_str!("../README.md")]

pub mod baseline;
pub mod bootstrap;
pub mod confusion;
pub mod correlation;
mod error;
pub mod generator;
mod items;
pub mod local;
pub mod precision_recall;
mod ranking;
pub mod roc;
mod scaling;
pub mod threshold;

pub use error::DetectError;
pub use items::{Items, Norm};
pub use scaling::Scaling;
