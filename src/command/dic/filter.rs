//! The filter and the spline that suit the pictures, and the error to be expected.

use retrial_core::image::{GrayImage, Mask};
use retrial_data::read_gray;
use retrial_dic::{ErrorForecast, PairSpectra, Settings, SplineDegree};

use super::inputs::unreadable;
use super::{file_name, refused};
use crate::cli::{DicArgs, FilterChoice};
use crate::failure::Failure;

/// Pictures of a series that are asked, one after the other, for a telling pair.
const ASKED: usize = 5;

/// Settings with their filter, and what is foretold of them.
pub(super) struct Suited {
    pub(super) settings: Settings,
    by: By,
    forecast: Option<Forecast>,
}

/// Who chose the filter.
enum By {
    User,
    /// The picture of that name with the reference.
    Pair(String),
    /// No pair says which one suits.
    Default,
}

struct Forecast {
    error: ErrorForecast,
    tiles: usize,
}

impl Suited {
    /// Reads deformed images until one is telling with the reference; one in most series.
    pub(super) fn new(
        args: &DicArgs,
        reference: &GrayImage,
        mask: Option<&Mask>,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        settings.check().map_err(refused)?;
        let is_free = args.filter == FilterChoice::Automatic;
        let mut suited = Self {
            settings: settings.clone(),
            by: if is_free { By::Default } else { By::User },
            forecast: None,
        };
        for path in args.deformed.iter().take(ASKED) {
            let deformed = read_gray(path).map_err(unreadable)?;
            let spectra = PairSpectra::measure(reference, &deformed, mask).map_err(refused)?;
            let Some(spectra) = spectra.filter(PairSpectra::is_telling) else {
                continue;
            };
            if is_free {
                suited.settings = spectra.advise(settings).map_err(refused)?;
                suited.by = By::Pair(file_name(path));
            }
            let error = spectra.forecast(&suited.settings).map_err(refused)?;
            let tiles = spectra.tiles();
            suited.forecast = Some(Forecast { error, tiles });
            break;
        }
        Ok(suited)
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
        match &self.by {
            By::User => {}
            By::Pair(name) => {
                say!("{filter} and {degree} spline suit {name}");
            }
            By::Default => {
                say!("{filter} and {degree} spline, the default: no picture tells which ones suit");
            }
        }
        if let Some(Forecast { error, .. }) = &self.forecast {
            say!(
                "expected: bias up to {:.4} and {:.4} px, random error {:.4} and {:.4} px",
                error.bias.0,
                error.bias.1,
                error.random.0,
                error.random.1
            );
        }
    }

    /// The same for the files.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let by = match &self.by {
            By::User => "user".to_owned(),
            By::Pair(name) => format!("spectra of the pair with {name}"),
            By::Default => "default, no picture tells which one suits".to_owned(),
        };
        let mut facts = vec![("filter_chosen_by", by)];
        if let Some(Forecast { error, tiles }) = &self.forecast {
            let both = |(u, v): (f64, f64)| format!("{u:.5} px in u, {v:.5} px in v");
            facts.push(("expected_bias_up_to", both(error.bias)));
            facts.push(("expected_random_error", both(error.random)));
            facts.push(("expected_from_tiles", tiles.to_string()));
        }
        facts
    }
}
