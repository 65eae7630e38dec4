//! Correlates a whole case, one deformed image in memory at a time.

use std::ops::ControlFlow;

use retrial_core::image::{GrayImage, Mask};

use crate::carry::{Carried, Track, carry, tracks_at, tracks_of};
use crate::correlate::{Field, Guess, check_deformed, correlate};
use crate::error::DicError;
use crate::recover::median;
use crate::reference::{Deformed, Frame, Reference, filtered, prepare};
use crate::settings::{ReferenceStrategy, Settings};
use crate::shape::Parameters;
use crate::status::Status;

/// Share of the points followed so far, one in so many, that must be lost before another
/// reference image is tried.
const WORTH_A_CHANGE: usize = 20;

/// How far the median ZNCC must fall for the same.
const FADED: f64 = 0.15;

/// Correlates `deformed` images with `first` and hands every field to `on_image` with its index,
/// which counts deformed images from zero.
///
/// `deformed` may decode images as it goes: the next one is asked for only when the field before
/// it has been handed over, and two deformed images at most are held. `on_image` ends the series early with
/// [`ControlFlow::Break`]. All fields are displacements from `first`.
///
/// With [`ReferenceStrategy::First`] the parameters of the image before are the initial guess. With
/// [`ReferenceStrategy::Previous`] every pair starts by phase correlation; subsets are taken around
/// the pixel nearest to the moved point, the parameters are carried over to the point itself and
/// composed, and a point that is lost once keeps its status to the end. With
/// [`ReferenceStrategy::Automatic`] a series goes as with `First` until an image loses many of the
/// points that were followed so far, or correlates much worse; if the image before it does better,
/// it is the reference from there, and the displacements are composed.
///
/// Returns the number of fields handed over.
///
/// # Errors
/// Those of [`prepare`] and [`correlate`], and whatever `deformed` yields.
pub fn correlate_series<E: From<DicError>>(
    first: &GrayImage,
    deformed: impl IntoIterator<Item = Result<GrayImage, E>>,
    mask: Option<&Mask>,
    settings: &Settings,
    on_image: impl FnMut(usize, Field) -> ControlFlow<()>,
) -> Result<usize, E> {
    correlate_series_from(prepare(first, mask, settings)?, deformed, on_image)
}

/// As [`correlate_series`], from a prepared reference.
///
/// # Errors
/// Those of [`correlate`], and whatever `deformed` yields.
pub fn correlate_series_from<E: From<DicError>>(
    reference: Reference,
    deformed: impl IntoIterator<Item = Result<GrayImage, E>>,
    mut on_image: impl FnMut(usize, Field) -> ControlFlow<()>,
) -> Result<usize, E> {
    match reference.settings.reference_strategy {
        ReferenceStrategy::First => {
            let mut previous: Option<Field> = None;
            let mut done = 0;
            for (index, image) in deformed.into_iter().enumerate() {
                let guess = previous.as_ref().map_or(Guess::Phase, Guess::Field);
                let field = correlate(&reference, &image?, guess)?;
                previous = Some(field.clone());
                done = index + 1;
                if on_image(index, field).is_break() {
                    break;
                }
            }
            Ok(done)
        }
        ReferenceStrategy::Previous => follow(reference, deformed, on_image),
        ReferenceStrategy::Automatic => adapt(&reference, deformed, on_image),
    }
}

/// The series with the previous image as reference.
fn follow<E: From<DicError>>(
    mut reference: Reference,
    deformed: impl IntoIterator<Item = Result<GrayImage, E>>,
    mut on_image: impl FnMut(usize, Field) -> ControlFlow<()>,
) -> Result<usize, E> {
    let mut tracks = tracks_at(&reference.points);
    let mut done = 0;
    for (index, image) in deformed.into_iter().enumerate() {
        let image = image?;
        check_deformed(&reference, &image)?;
        let image = filtered(&image, &reference.settings)?;
        let deformed = Deformed::new(image.clone(), &reference.settings);
        let Carried { field, .. } = carry(&reference, &deformed, &mut tracks, None, index);
        reference.frame = Frame::new(image, &reference.settings);
        done = index + 1;
        if on_image(index, field).is_break() {
            break;
        }
    }
    Ok(done)
}

/// A reference image inside a series.
struct Base {
    /// The settings and points of the first image with the frame of this one.
    reference: Reference,
    /// The points at this image.
    tracks: Vec<Track>,
    /// Parameters between this image and the last one, of the points that were found there.
    relative: Option<Vec<Option<Parameters>>>,
    /// The changes of the reference that led here.
    changes: usize,
}

impl Base {
    /// Matches all points with an image; a point that it loses may be found in the next.
    fn correlate(&mut self, image: &GrayImage) -> Result<Field, DicError> {
        let settings = &self.reference.settings;
        check_deformed(&self.reference, image)?;
        let deformed = Deformed::new(filtered(image, settings)?, settings);
        let mut tracks = self.tracks.clone();
        let found = carry(
            &self.reference,
            &deformed,
            &mut tracks,
            self.relative.as_deref(),
            self.changes,
        );
        self.relative = Some(found.relative);
        Ok(found.field)
    }
}

/// The series with the first image as reference as long as it leads to the points.
fn adapt<E: From<DicError>>(
    reference: &Reference,
    deformed: impl IntoIterator<Item = Result<GrayImage, E>>,
    mut on_image: impl FnMut(usize, Field) -> ControlFlow<()>,
) -> Result<usize, E> {
    let mut base: Option<Base> = None;
    // The ZNCC that the present reference began with.
    let mut usual: Option<f64> = None;
    let mut previous: Option<(GrayImage, Field)> = None;
    let mut done = 0;
    for (index, image) in deformed.into_iter().enumerate() {
        let image = image?;
        let mut field = match &mut base {
            Some(base) => base.correlate(&image)?,
            None => {
                let guess = match &previous {
                    Some((_, field)) => Guess::Field(field),
                    None => Guess::Phase,
                };
                correlate(reference, &image, guess)?
            }
        };
        if let Some((before, known)) = &previous {
            let lost = lost_points(known, &field);
            let now = median_zncc(&field);
            let fades = now
                .zip(usual)
                .is_some_and(|(now, usual)| now < usual - FADED);
            if fades || lost.len() * WORTH_A_CHANGE > known.count(Status::Converged) {
                let settings = &reference.settings;
                let mut next = Base {
                    reference: Reference {
                        frame: Frame::new(filtered(before, settings)?, settings),
                        ..reference.clone()
                    },
                    tracks: tracks_of(known),
                    relative: None,
                    changes: base.as_ref().map_or(0, |base| base.changes) + 1,
                };
                let other = next.correlate(&image)?;
                let is_found = |&&i: &&usize| other.points[i].status == Status::Converged;
                let finds = 2 * lost.iter().filter(is_found).count() > lost.len();
                let is_clearer = median_zncc(&other) > now.map(|now| now + 0.5 * FADED);
                if finds || (fades && is_clearer) {
                    field = other;
                    base = Some(next);
                }
                usual = median_zncc(&field);
            }
        }
        usual = usual.or_else(|| median_zncc(&field));
        previous = Some((image, field.clone()));
        done = index + 1;
        if on_image(index, field).is_break() {
            break;
        }
    }
    Ok(done)
}

/// The median ZNCC of the converged points.
fn median_zncc(field: &Field) -> Option<f64> {
    let converged = field
        .points
        .iter()
        .filter(|point| point.status == Status::Converged);
    median(converged.map(|point| point.zncc).collect())
}

/// The points that were found in the image before and are missing although they did not leave.
fn lost_points(before: &Field, now: &Field) -> Vec<usize> {
    let pairs = before.points.iter().zip(&now.points).enumerate();
    pairs
        .filter(|(_, (before, now))| {
            before.status == Status::Converged
                && !matches!(now.status, Status::Converged | Status::OutOfImage)
        })
        .map(|(i, _)| i)
        .collect()
}
