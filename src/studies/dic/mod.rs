//! The study `dic`: two-dimensional digital image correlation of an image series, compared with
//! the displacement that was imposed.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906.

mod foretold;
mod metrics;
mod output;
mod resolution;
mod stated;
mod tables;
mod trial;

use retrial_core::params::{ParamValue, Params};
use retrial_core::study::StudyInfo;
use retrial_data::Manifest;
use retrial_data::manifest::Settings;

use super::Study;
use crate::execute::context::{Context, TrialError};

/// The study.
pub(crate) struct Dic;

impl Study for Dic {
    fn info(&self) -> &'static StudyInfo {
        &tables::INFO
    }

    fn cost_s(&self, params: &Params, dataset: Option<&Manifest>) -> f64 {
        let number = |name| params.get(name).and_then(ParamValue::as_f64).unwrap_or(1.0);
        let images = dataset.map_or(1, |manifest| match &manifest.settings {
            Settings::Series(series) => series.images.len(),
            Settings::Speckle(speckle) => speckle.plan.images.len(),
            _ => 1,
        });
        // Pictures of half a megapixel; 25 ns a pixel of a subset and iteration, five iterations.
        let points = 512.0 * 512.0 / number("step_px").powi(2);
        let unscaled =
            matches!(params.get("gradient"), Some(ParamValue::Text(g)) if g == "prewitt_unscaled");
        let iterations = if unscaled { 30.0 } else { 5.0 };
        let subset = number("subset_size_px").powi(2) * (1.0 + 0.5 * number("order"));
        images as f64 * (0.05 + points * subset * iterations * 5e-9)
    }

    fn run(&self, context: &mut Context) -> Result<(), TrialError> {
        trial::run(context)
    }
}
