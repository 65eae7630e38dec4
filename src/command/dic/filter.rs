//! The filter and the spline that suit the first pair, and the error to be expected of it.

use retrial_core::image::{GrayImage, Mask};
use retrial_data::read_gray;
use retrial_dic::{ErrorForecast, PairSpectra, Settings, SplineDegree};

use super::inputs::unreadable;
use crate::cli::{DicArgs, FilterChoice};
use crate::failure::Failure;

/// Settings with their filter, and what is foretold of them.
pub(super) struct Suited {
    pub(super) settings: Settings,
    forecast: Option<Forecast>,
    is_chosen: bool,
}

struct Forecast {
    error: ErrorForecast,
    tiles: usize,
}

impl Suited {
    /// Reads the first deformed image. What does not fit the reference is left to the correlation to
    /// refuse.
    pub(super) fn new(
        args: &DicArgs,
        reference: &GrayImage,
        mask: Option<&Mask>,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let as_given = Self {
            settings: settings.clone(),
            forecast: None,
            is_chosen: false,
        };
        let Some(path) = args.deformed.first() else {
            return Ok(as_given);
        };
        let deformed = read_gray(path).map_err(unreadable)?;
        let Ok(Some(spectra)) = PairSpectra::measure(reference, &deformed, mask) else {
            return Ok(as_given);
        };
        let is_chosen = args.filter == FilterChoice::Automatic;
        let advised = is_chosen.then(|| spectra.advise(settings));
        let Ok(settings) = advised.unwrap_or_else(|| Ok(settings.clone())) else {
            return Ok(as_given);
        };
        let forecast = spectra.forecast(&settings).ok();
        Ok(Self {
            forecast: forecast.map(|error| Forecast {
                error,
                tiles: spectra.tiles(),
            }),
            settings,
            is_chosen,
        })
    }

    /// Says what was chosen and what is to be expected.
    pub(super) fn print(&self) {
        let filter = self.settings.prefilter.map_or_else(
            || "no filter".to_owned(),
            |filter| format!("filter of {} px", filter.sigma_px),
        );
        let degree = match self.settings.spline_degree {
            SplineDegree::Three => "cubic",
            SplineDegree::Five => "quintic",
        };
        if self.is_chosen {
            say!("{filter} and {degree} spline, by the first pair");
        }
        if let Some(Forecast { error, .. }) = &self.forecast {
            say!(
                "expected of the first pair: bias up to {:.4} and {:.4} px, random error {:.4} and {:.4} px",
                error.bias.0,
                error.bias.1,
                error.random.0,
                error.random.1
            );
        }
    }

    /// The same for the files.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let by = if self.is_chosen {
            "spectra of the first pair"
        } else {
            "given or default"
        };
        let mut facts = vec![("filter_chosen_by", by.to_owned())];
        if let Some(Forecast { error, tiles }) = &self.forecast {
            let both = |(u, v): (f64, f64)| format!("{u:.5} px in u, {v:.5} px in v");
            facts.push(("expected_bias_up_to", both(error.bias)));
            facts.push(("expected_random_error", both(error.random)));
            facts.push(("expected_from_tiles", tiles.to_string()));
        }
        facts
    }
}
