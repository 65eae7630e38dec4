//! The filter, the spline and the order of the shape function that suit the pictures, and the error to
//! be expected.

use std::path::Path;

use retrial_core::image::{GrayImage, Mask};
use retrial_data::read_gray;
use retrial_dic::{
    ErrorForecast, OrderAdvice, PairSpectra, Reference, ReferenceStrategy, Settings, ShapeOrder,
    SplineDegree,
};

use super::inputs::unreadable;
use super::{file_name, refused};
use crate::cli::{DicArgs, FilterChoice, OrderChoice};
use crate::failure::Failure;

/// Pictures of a series that are asked, one after the other, for a telling pair.
const ASKED: usize = 5;

/// Settings with their filter and order, and what is foretold of them.
pub(super) struct Suited {
    pub(super) settings: Settings,
    filter_by: By,
    order_by: By,
    /// Why the order was chosen.
    advice: Option<OrderAdvice>,
    /// Of the first pair that tells which filter suits.
    telling: Option<PairSpectra>,
}

/// A deformed image that was read, by its place in the series, and what its pair with the reference says.
pub(super) struct Asked {
    index: usize,
    image: GrayImage,
    spectra: Option<PairSpectra>,
}

/// The reference image, as it was read and as it was prepared.
pub(super) struct Pictures<'a> {
    pub(super) first: &'a GrayImage,
    pub(super) mask: Option<&'a Mask>,
    pub(super) reference: &'a Reference,
}

/// Who chose the filter or the order.
enum By {
    User,
    /// The picture of that name with the reference.
    Pair(String),
    /// No pair says which one suits.
    Default,
}

impl Suited {
    /// Reads deformed images until one is telling with the reference; one in most series. The last one that was
    /// read is returned for further questions.
    pub(super) fn new(
        args: &DicArgs,
        reference: &GrayImage,
        mask: Option<&Mask>,
        settings: &Settings,
    ) -> Result<(Self, Option<Asked>), Failure> {
        settings.check().map_err(refused)?;
        let is_free = args.filter == FilterChoice::Automatic;
        let mut suited = Self {
            settings: settings.clone(),
            filter_by: if is_free { By::Default } else { By::User },
            order_by: match args.order {
                OrderChoice::Automatic => By::Default,
                OrderChoice::Order(_) => By::User,
            },
            advice: None,
            telling: None,
        };
        let mut last = None;
        for (index, path) in args.deformed.iter().enumerate().take(ASKED) {
            let asked = last.insert(Asked::new(index, path, reference, mask)?);
            let telling = asked.spectra.as_ref().filter(|pair| pair.is_telling());
            let Some(spectra) = telling else {
                continue;
            };
            if is_free {
                suited.settings = spectra.advise(settings).map_err(refused)?;
                suited.filter_by = By::Pair(file_name(path));
            }
            suited.telling = Some(spectra.clone());
            break;
        }
        Ok((suited, last))
    }

    /// Takes the order that suits the first and the last image, the higher one of both; order 1 where either of
    /// them does not tell. The filter is then chosen once more, for that order.
    pub(super) fn choose_order(
        &mut self,
        args: &DicArgs,
        pictures: &Pictures<'_>,
        asked: Option<Asked>,
    ) -> Result<(), Failure> {
        let last = match self.settings.reference_strategy {
            // Later images are compared with others than this reference.
            ReferenceStrategy::Previous => 0,
            ReferenceStrategy::First | ReferenceStrategy::Automatic => args.deformed.len() - 1,
        };
        let mut asked = asked;
        let mut highest: Option<(OrderAdvice, usize)> = None;
        for index in [0, last].into_iter().take(1 + usize::from(last > 0)) {
            let known = asked.take_if(|asked| asked.index == index);
            let known = match known {
                Some(known) => known,
                None => Asked::new(index, &args.deformed[index], pictures.first, pictures.mask)?,
            };
            let advice = match &known.spectra {
                Some(spectra) => spectra
                    .advise_order(pictures.reference, &known.image)
                    .map_err(refused)?,
                None => None,
            };
            let Some(advice) = advice else {
                highest = highest.filter(|(known, _)| known.order == ShapeOrder::Two);
                break;
            };
            if highest.is_none_or(|(known, _)| advice.order > known.order) {
                highest = Some((advice, index));
            }
        }
        if let Some((advice, index)) = highest {
            self.settings.shape_order = advice.order;
            self.order_by = By::Pair(file_name(&args.deformed[index]));
            self.advice = Some(advice);
        }
        if let (By::Pair(_), Some(telling)) = (&self.filter_by, &self.telling) {
            self.settings = telling.advise(&self.settings).map_err(refused)?;
        }
        Ok(())
    }

    /// What is foretold of the settings, if a pair tells.
    fn forecast(&self) -> Option<ErrorForecast> {
        self.telling.as_ref()?.forecast(&self.settings).ok()
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
        match &self.filter_by {
            By::User => {}
            By::Pair(name) => {
                say!("{filter} and {degree} spline suit {name}");
            }
            By::Default => {
                say!("{filter} and {degree} spline, the default: no picture tells which ones suit");
            }
        }
        let order = self.settings.shape_order as u8;
        match &self.order_by {
            By::User => {}
            By::Pair(name) => say!("order {order} of the shape function suits {name}"),
            By::Default => {
                say!(
                    "order {order} of the shape function, the default: no picture tells which one suits"
                );
            }
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
        let by = |by: &By, what: &str| match by {
            By::User => "user".to_owned(),
            By::Pair(name) => format!("{what} of the pair with {name}"),
            By::Default => "default, no picture tells which one suits".to_owned(),
        };
        let mut facts = vec![
            ("filter_chosen_by", by(&self.filter_by, "spectra")),
            ("order_chosen_by", by(&self.order_by, "places")),
        ];
        if let Some(advice) = &self.advice {
            let times = |ratio: Option<f64>| {
                ratio.map_or_else(|| "unknown".to_owned(), |ratio| format!("{ratio:.2}"))
            };
            let text = format!(
                "{} places; square difference of orders 0 and 1 {} times that from noise, {} in a quarter of \
                 the picture; of orders 1 and 2 {}; even at 2",
                advice.places,
                times(Some(advice.zero_to_one)),
                times(Some(advice.zero_to_one_in_a_quarter)),
                times(advice.one_to_two),
            );
            facts.push(("order_evidence", text));
        }
        if let Some((error, telling)) = self.forecast().zip(self.telling.as_ref()) {
            let both = |(u, v): (f64, f64)| format!("{u:.5} px in u, {v:.5} px in v");
            facts.push(("expected_bias_up_to", both(error.bias)));
            facts.push(("expected_random_error", both(error.random)));
            facts.push(("expected_from_tiles", telling.tiles().to_string()));
        }
        facts
    }
}

impl Asked {
    fn new(
        index: usize,
        path: &Path,
        reference: &GrayImage,
        mask: Option<&Mask>,
    ) -> Result<Self, Failure> {
        let image = read_gray(path).map_err(unreadable)?;
        let spectra = PairSpectra::measure(reference, &image, mask).map_err(refused)?;
        Ok(Self {
            index,
            image,
            spectra,
        })
    }
}
