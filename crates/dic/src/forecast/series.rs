//! The filter, the spline and the order of the shape function that suit a series.

use retrial_core::image::{GrayImage, Mask};

use super::{OrderAdvice, PairSpectra};
use crate::error::DicError;
use crate::reference::{check_reference, with_points};
use crate::settings::{ReferenceStrategy, Settings};

/// Images of a series that are asked, one after the other, for a telling pair.
const ASKED: usize = 5;

/// What is to be chosen for a series; the rest stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The prefilter and the degree of the spline.
    pub filter: bool,
    /// The order of the shape function.
    pub order: bool,
}

/// The settings that suit a series, and what they come from.
#[derive(Clone, Debug)]
pub struct SeriesAdvice {
    /// The settings, those that were wanted chosen.
    pub settings: Settings,
    /// The first image, counted from zero, whose pair with the reference tells which filter suits, and the
    /// spectra of that pair; `None` where none of the first five does.
    pub telling: Option<(usize, PairSpectra)>,
    /// The image from which the order was taken, and why; `None` where the order was given, or where
    /// nothing tells against the one that was.
    pub order: Option<(usize, OrderAdvice)>,
}

/// Asks images of a series which settings suit them.
///
/// `image` reads the deformed image of an index in `0..count`; it is called for the first images until one
/// is [telling](PairSpectra::is_telling), and for the first and the last one if the order is wanted.
/// Of the orders that suit those two the higher one is taken; where either of them does not tell, the
/// order of `settings`, unless the other one needs order 2. The filter is then chosen once more for it. With
/// [`ReferenceStrategy::Previous`] only the first image is asked.
///
/// # Errors
/// [`DicError`] of settings and reference image, those of [`PairSpectra::measure`], and whatever `image` yields.
pub fn advise_series<E: From<DicError>>(
    first: &GrayImage,
    count: usize,
    mut image: impl FnMut(usize) -> Result<GrayImage, E>,
    mask: Option<&Mask>,
    settings: &Settings,
    wanted: Wanted,
) -> Result<SeriesAdvice, E> {
    check_reference(first, settings)?;
    let mut read = |index: usize| -> Result<Asked, E> {
        let image = image(index)?;
        let spectra = PairSpectra::measure(first, &image, mask)?;
        Ok(Asked {
            index,
            image,
            spectra,
        })
    };
    let mut advice = SeriesAdvice {
        settings: settings.clone(),
        telling: None,
        order: None,
    };
    let mut last_read = None;
    for index in 0..count.min(ASKED) {
        let asked = last_read.insert(read(index)?);
        if let Some(spectra) = asked.spectra.as_ref().filter(|pair| pair.is_telling()) {
            if wanted.filter {
                advice.settings = spectra.advise(settings)?;
            }
            advice.telling = Some((index, spectra.clone()));
            break;
        }
    }
    if !wanted.order || count == 0 {
        return Ok(advice);
    }
    let last = match settings.reference_strategy {
        // Later images are compared with others than this reference.
        ReferenceStrategy::Previous => 0,
        ReferenceStrategy::First | ReferenceStrategy::Automatic => count - 1,
    };
    let reference = with_points(first, Vec::new(), &advice.settings)?;
    for index in [0, last].into_iter().take(1 + usize::from(last > 0)) {
        let asked = match last_read.take_if(|asked| asked.index == index) {
            Some(asked) => asked,
            None => read(index)?,
        };
        let found = match &asked.spectra {
            Some(spectra) => spectra.advise_order(&reference, &asked.image)?,
            None => None,
        };
        let known = advice.order.map(|(_, known)| known.order);
        match found {
            Some(found) if known.is_none_or(|known| found.order > known) => {
                advice.order = Some((index, found));
            }
            Some(_) => {}
            None => {
                // An image that does not tell may need what the given order follows.
                let given = settings.shape_order;
                advice.order = advice.order.filter(|(_, known)| known.order > given);
                break;
            }
        }
    }
    if let Some((_, found)) = &advice.order {
        advice.settings.shape_order = found.order;
        if let (true, Some((_, spectra))) = (wanted.filter, &advice.telling) {
            advice.settings = spectra.advise(&advice.settings)?;
        }
    }
    Ok(advice)
}

/// A deformed image that was read, and what its pair with the reference says.
struct Asked {
    index: usize,
    image: GrayImage,
    spectra: Option<PairSpectra>,
}
