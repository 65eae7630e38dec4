//! The filter, the spline and the order of the shape function that suit a series.

use retrial_image::{GrayImage, Mask};

use super::{OrderAdvice, PairSpectra};
use crate::error::DicError;
use crate::reference::{check_reference, with_points};
use crate::settings::{ReferenceStrategy, Settings, ShapeOrder};

/// Images of a series that are asked, one after the other, for an informative pair.
const ASKED: usize = 5;

/// Images of a series that are asked which order suits them, evenly over the series.
const ASKED_FOR_ORDER: usize = 12;

/// What is to be chosen for a series; the rest stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdviceScope {
    /// The prefilter and the degree of the spline.
    pub filter: bool,
    /// The order of the shape function.
    pub order: bool,
}

/// The settings that suit a series, and what they come from.
#[derive(Clone, Debug)]
pub struct SeriesAdvice {
    /// The settings; those of the scope are chosen.
    pub settings: Settings,
    /// The first image, counted from zero, whose pair with the reference tells which filter suits, and the
    /// spectra of that pair; `None` where none of the first five does.
    pub informative: Option<(usize, PairSpectra)>,
    /// Where the order comes from; `None` where it was not to be chosen.
    pub order: Option<OrderSource>,
}

/// Where the order of the shape function of a series comes from. Images are counted from zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OrderSource {
    /// It suits this image, and no image that was asked needs a higher one.
    Image {
        /// The image.
        index: usize,
        /// What its pair with the reference says.
        advice: OrderAdvice,
    },
    /// It is the one of the settings, as this image says nothing and none needs a higher one.
    Uninformative {
        /// The image.
        index: usize,
    },
    /// It is the one of the settings: a lower one suits all images that were asked, but others were not.
    NotAllAsked {
        /// How many images were asked.
        asked: usize,
    },
}

/// Asks images of a series which settings suit them.
///
/// `image` reads the deformed image of an index in `0..count`; it is called for the first images until one
/// is [informative](PairSpectra::is_informative), and for up to twelve evenly over the series if the order is to be
/// chosen. The highest order that suits one of those is taken, but none below that of `settings` if one of them says
/// nothing, or if there are more images than were asked: a load may come and go between. The filter is then
/// chosen once more for it. With [`ReferenceStrategy::Previous`] only the first image is asked for the order.
///
/// # Errors
/// [`DicError`] of settings and reference image, those of [`PairSpectra::measure`], and whatever `image` yields.
pub fn advise_series<E: From<DicError>>(
    first: &GrayImage,
    count: usize,
    mut image: impl FnMut(usize) -> Result<GrayImage, E>,
    mask: Option<&Mask>,
    settings: &Settings,
    scope: AdviceScope,
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
        informative: None,
        order: None,
    };
    let mut last_read = None;
    for index in 0..count.min(ASKED) {
        let asked = last_read.insert(read(index)?);
        if let Some(spectra) = asked.spectra.as_ref().filter(|pair| pair.is_informative()) {
            if scope.filter {
                advice.settings = spectra.advise(settings)?;
            }
            advice.informative = Some((index, spectra.clone()));
            break;
        }
    }
    if !scope.order || count == 0 {
        return Ok(advice);
    }
    let reference = with_points(first, Vec::new(), &advice.settings)?;
    let indices = asked_for_order(count, settings.reference_strategy);
    let mut found: Vec<(usize, Option<OrderAdvice>)> = Vec::with_capacity(indices.len());
    for index in indices {
        let asked = match last_read.take_if(|asked| asked.index == index) {
            Some(asked) => asked,
            None => read(index)?,
        };
        let order = match &asked.spectra {
            Some(spectra) => spectra.advise_order(&reference, &asked.image, mask)?,
            None => None,
        };
        found.push((index, order));
    }
    let source = order_of(&found, count, settings.shape_order);
    if let OrderSource::Image { advice: found, .. } = &source {
        advice.settings.shape_order = found.order;
    }
    advice.order = Some(source);
    if let (true, Some((_, spectra))) = (scope.filter, &advice.informative) {
        advice.settings = spectra.advise(&advice.settings)?;
    }
    Ok(advice)
}

/// The images that are asked for the order.
fn asked_for_order(count: usize, strategy: ReferenceStrategy) -> Vec<usize> {
    match strategy {
        // Later images are compared with others than this reference.
        ReferenceStrategy::Previous => vec![0],
        ReferenceStrategy::First | ReferenceStrategy::Automatic if count <= ASKED_FOR_ORDER => {
            (0..count).collect()
        }
        ReferenceStrategy::First | ReferenceStrategy::Automatic => (0..ASKED_FOR_ORDER)
            .map(|i| i * (count - 1) / (ASKED_FOR_ORDER - 1))
            .collect(),
    }
}

/// The highest order that suits one of the images that were asked, of a series of `count`.
fn order_of(
    asked: &[(usize, Option<OrderAdvice>)],
    count: usize,
    given: ShapeOrder,
) -> OrderSource {
    let mut highest: Option<(usize, OrderAdvice)> = None;
    for (index, advice) in asked {
        if let Some(advice) = advice
            && highest.is_none_or(|(_, known)| advice.order > known.order)
        {
            highest = Some((*index, *advice));
        }
    }
    let uninformative = asked.iter().find(|(_, advice)| advice.is_none());
    match (highest, uninformative) {
        (Some((index, advice)), _) if advice.order >= given => OrderSource::Image { index, advice },
        (_, Some((index, _))) => OrderSource::Uninformative { index: *index },
        (Some((index, advice)), None) if asked.len() == count => {
            OrderSource::Image { index, advice }
        }
        _ => OrderSource::NotAllAsked { asked: asked.len() },
    }
}

/// A deformed image that was read, and what its pair with the reference says.
struct Asked {
    index: usize,
    image: GrayImage,
    spectra: Option<PairSpectra>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suits(order: ShapeOrder) -> Option<OrderAdvice> {
        Some(OrderAdvice {
            order,
            places: 64,
            zero_to_one: 1.0,
            zero_to_one_in_a_quarter: 1.0,
            one_to_two: None,
        })
    }

    #[test]
    fn images_are_asked_evenly_from_the_first_to_the_last() {
        let asked = |count| asked_for_order(count, ReferenceStrategy::First);
        assert_eq!(asked(1), [0]);
        assert_eq!(asked(12), (0..12).collect::<Vec<_>>());
        let many = asked(300);
        assert_eq!((many.len(), many[0], many[11]), (12, 0, 299));
        assert!(many.windows(2).all(|pair| pair[1] - pair[0] >= 27));
        assert_eq!(asked_for_order(300, ReferenceStrategy::Previous), [0]);
    }

    #[test]
    fn the_highest_order_is_taken_and_none_below_the_given_one_on_little_evidence() {
        use ShapeOrder::{One, Two, Zero};
        let of = |asked: &[Option<OrderAdvice>], count: usize| {
            let asked: Vec<_> = asked.iter().copied().enumerate().collect();
            match order_of(&asked, count, One) {
                OrderSource::Image { index, advice } => (Some(index), advice.order),
                OrderSource::Uninformative { index } => (Some(100 + index), One),
                OrderSource::NotAllAsked { asked } => (Some(200 + asked), One),
            }
        };
        assert_eq!(of(&[suits(Zero), suits(Zero)], 2), (Some(0), Zero));
        assert_eq!(of(&[suits(Zero), suits(One)], 2), (Some(1), One));
        assert_eq!(of(&[suits(Zero), None], 2), (Some(101), One));
        assert_eq!(of(&[None, suits(Two)], 2), (Some(1), Two));
        assert_eq!(of(&[suits(Zero), suits(Zero)], 3), (Some(202), One));
        assert_eq!(of(&[suits(Zero), suits(Two)], 300), (Some(1), Two));
        assert_eq!(of(&[None], 1), (Some(100), One));
    }
}
