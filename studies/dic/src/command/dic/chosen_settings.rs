//! The filter, the spline and the order of the shape function that suit the pictures, and the error to
//! be expected.

use std::cell::RefCell;
use std::collections::BTreeMap;

use retrial_dic::{
    AdviceScope, ErrorForecast, OrderSource, SeriesAdvice, Settings, SplineDegree, advise_series,
};
use retrial_image::{GrayImage, Mask};
use retrial_runner::{Failure, say};

use super::Refused;
use super::frames::Frames;
use crate::cli::{DicArgs, FilterChoice, OrderChoice};

/// Settings with their filter and order, and where they come from.
pub(super) struct ChosenSettings {
    advice: SeriesAdvice,
    filter_by: By,
    order_by: String,
}

/// Who chose the filter.
enum By {
    User,
    /// The picture of that name with the reference.
    Pair(String),
    /// No pair says which one suits.
    Default,
}

impl ChosenSettings {
    /// Asks deformed images which settings suit them: the first of five that tells for the filter, up to twelve for
    /// the order.
    pub(super) fn new(
        args: &DicArgs,
        reference: &GrayImage,
        frames: &Frames,
        mask: Option<&Mask>,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let scope = AdviceScope {
            filter: args.filter == FilterChoice::Automatic,
            order: args.order == OrderChoice::Automatic,
        };
        let count = frames.list.len();
        let used = RefCell::new(BTreeMap::new());
        // In place of a picture that cannot be read, the nearest one that can is asked.
        let image = |index: usize| -> Result<GrayImage, Refused> {
            let mut why = String::new();
            for other in (index..count).chain((0..index).rev()) {
                match frames.read(other) {
                    Ok(image) => {
                        used.borrow_mut().insert(index, other);
                        return Ok(image);
                    }
                    Err(fault) => why = fault,
                }
            }
            Err(Refused(Failure::usage(why)))
        };
        let advice = advise_series(reference, count, image, mask, settings, scope)?;
        let used = used.into_inner();
        let name = |index: usize| {
            frames.list[*used.get(&index).unwrap_or(&index)]
                .name
                .clone()
        };
        let filter_by = match &advice.informative {
            _ if !scope.filter => By::User,
            Some((index, _)) => By::Pair(name(*index)),
            None => By::Default,
        };
        let order_by = match &advice.order {
            None => "user".to_owned(),
            Some(OrderSource::Image { index, .. }) => {
                format!("places of the pair with {}", name(*index))
            }
            Some(OrderSource::Uninformative { index }) => {
                format!("default, {} tells nothing of it", name(*index))
            }
            Some(OrderSource::NotAllAsked { asked }) => {
                format!("default, order 0 suits the {asked} asked of {count} pictures")
            }
        };
        Ok(Self {
            advice,
            filter_by,
            order_by,
        })
    }

    /// The settings that were chosen.
    pub(super) fn settings(&self) -> &Settings {
        &self.advice.settings
    }

    /// The error predicted for the settings, where a pair shows one.
    fn forecast(&self) -> Option<ErrorForecast> {
        let (_, spectra) = self.advice.informative.as_ref()?;
        spectra.forecast(self.settings()).ok()
    }

    /// Says what was chosen and what is to be expected.
    pub(super) fn print(&self) {
        let filter = self.settings().prefilter.map_or_else(
            || "no filter".to_owned(),
            |filter| format!("filter of {} px", filter.sigma_px),
        );
        let degree = match self.settings().spline_degree {
            SplineDegree::Three => "cubic",
            SplineDegree::Five => "quintic",
        };
        match &self.filter_by {
            By::User => {}
            By::Pair(name) => {
                say!("{filter} and {degree} spline suit {name}");
            }
            By::Default => {
                say!("{filter} and {degree} spline, the default: no picture tells which ones suit");
            }
        }
        let order = self.settings().shape_order.number();
        match (&self.advice.order, &self.order_by) {
            (None, _) => {}
            (Some(OrderSource::Image { .. }), by) => {
                say!("order {order} of the shape function, by {by}");
            }
            (Some(_), by) => say!("order {order} of the shape function, the {by}"),
        }
        if let Some(error) = self.forecast() {
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
        let filter_by = match &self.filter_by {
            By::User => "user".to_owned(),
            By::Pair(name) => format!("spectra of the pair with {name}"),
            By::Default => "default, no picture tells which one suits".to_owned(),
        };
        let mut facts = vec![
            ("filter_chosen_by", filter_by),
            ("order_chosen_by", self.order_by.clone()),
        ];
        if let Some(OrderSource::Image { advice, .. }) = &self.advice.order {
            let times = |ratio: Option<f64>| {
                ratio.map_or_else(|| "unknown".to_owned(), |ratio| format!("{ratio:.2}"))
            };
            let text = format!(
                "{} places; orders 0 and 1: {}, {} in a quarter of the picture; orders 1 and 2: {}; 1 is from \
                 noise alone, the error of both is the same at 2",
                advice.places,
                times(Some(advice.zero_to_one)),
                times(Some(advice.zero_to_one_in_a_quarter)),
                times(advice.one_to_two),
            );
            facts.push(("order_evidence", text));
        }
        if let Some((error, (_, spectra))) = self.forecast().zip(self.advice.informative.as_ref()) {
            let both = |(u, v): (f64, f64)| format!("{u:.5} px in u, {v:.5} px in v");
            facts.push(("expected_bias_up_to", both(error.bias)));
            facts.push(("expected_random_error", both(error.random)));
            facts.push(("expected_from_tiles", spectra.tiles().to_string()));
        }
        facts
    }
}
