//! The study `dic`: two-dimensional digital image correlation of an image series, compared with
//! the displacement that was imposed.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906.

mod cli;
mod command;
#[cfg(all(test, target_arch = "x86_64"))]
mod golden;
mod metrics;
mod output;
mod prediction;
mod resolution;
mod tables;
mod trial;
mod uncertainty;

use retrial_core::declare::ParamGroup as _;
use retrial_core::params::Params;
use retrial_core::study::StudyInfo;
use retrial_data::{Manifest, SeriesSettings, SpeckleSettings};
use retrial_dic::Gradient;
use retrial_runner::{Command, Context, Study, TrialError};

use self::tables::Correlation;

/// The study, with the commands `dic`, `calibrate` and `speckle`.
pub struct Dic;

impl Study for Dic {
    fn info(&self) -> &'static StudyInfo {
        &tables::INFO
    }

    fn cost_s(&self, params: &Params, dataset: Option<&Manifest>) -> f64 {
        let images = dataset.and_then(|manifest| {
            let series = manifest.settings.of::<SeriesSettings>();
            let speckle = manifest.settings.of::<SpeckleSettings>();
            let images = series.map(|own| own.images.len());
            images.or(speckle.map(|own| own.plan.images.len()))
        });
        let Ok(params) = Correlation::read(params) else {
            return 0.0;
        };
        // Pictures of half a megapixel; 25 ns a pixel of a subset and iteration, five iterations.
        let points = 512.0 * 512.0 / (params.step_px as f64).powi(2);
        let iterations = match params.gradient {
            Gradient::PrewittUnscaled => 30.0,
            Gradient::Prewitt | Gradient::Spline => 5.0,
        };
        let subset = (params.subset_size_px as f64).powi(2) * (1.0 + 0.5 * params.order as f64);
        images.unwrap_or(1) as f64 * (0.05 + points * subset * iterations * 5e-9)
    }

    fn commands(&self) -> &'static [Command] {
        command::COMMANDS
    }

    fn run(&self, context: &mut Context) -> Result<(), TrialError> {
        trial::run(context)
    }
}
