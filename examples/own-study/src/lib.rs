//! The study `buffon`: how near to π the throws of a needle come.
//!
//! # Source
//! Lazzarini 1901, as Badger 1994 reports him, doi:10.1080/0025570X.1994.11996194.

mod metrics;
mod needle;
mod output;
mod tables;
mod trial;

use retrial_core::declare::ParamGroup as _;
use retrial_core::params::Params;
use retrial_core::study::StudyInfo;
use retrial_data::Manifest;
use retrial_runner::{Context, Study, TrialError};

use crate::tables::Throwing;

/// The study.
pub struct Buffon;

impl Study for Buffon {
    fn info(&self) -> &'static StudyInfo {
        &tables::INFO
    }

    fn cost_s(&self, params: &Params, _dataset: Option<&Manifest>) -> f64 {
        // 30 ns a throw.
        Throwing::read(params).map_or(0.0, |own| own.throws as f64 * own.repeats as f64 * 30e-9)
    }

    fn run(&self, context: &mut Context) -> Result<(), TrialError> {
        trial::run(context)
    }
}
