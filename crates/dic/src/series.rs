//! Correlates a whole case, one deformed image in memory at a time.

use std::ops::ControlFlow;

use retrial_image::{GrayImage, Mask};
use serde::{Deserialize, Serialize};

use crate::correlate::{check_deformed, correlate};
use crate::error::DicError;
use crate::field::{Field, PointResult};
use crate::reference::{Deformed, Frame, Reference, filtered, prepare};
use crate::reference_update::{Track, advance_tracks, tracks_at, tracks_of};
use crate::settings::{ReferenceStrategy, Settings};
use crate::shape::Parameters;
use crate::starts::Guess;
use crate::status::Status;
use crate::trust::median;

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
/// [`ControlFlow::Break`]. All fields are displacements from `first`; [`Series`] says how they are found.
///
/// Returns the number of fields handed over.
///
/// # Errors
/// Those of [`prepare`] and [`Series::correlate`], and whatever `deformed` yields.
pub fn correlate_series<E: From<DicError>>(
    first: &GrayImage,
    deformed: impl IntoIterator<Item = Result<GrayImage, E>>,
    mask: Option<&Mask>,
    settings: &Settings,
    mut on_image: impl FnMut(usize, Field) -> ControlFlow<()>,
) -> Result<usize, E> {
    let mut series = Series::new(prepare(first, mask, settings)?);
    for (index, image) in deformed.into_iter().enumerate() {
        let field = series.correlate(image?)?;
        if on_image(index, field).is_break() {
            break;
        }
    }
    Ok(series.done)
}

/// A series of images on its way, from one reference.
///
/// With [`ReferenceStrategy::First`] the parameters of the image before are the initial guess. With
/// [`ReferenceStrategy::Previous`] every pair starts by phase correlation; subsets are taken around
/// the pixel nearest to the moved point, the parameters are carried over to the point itself and
/// composed, and a point that is lost once keeps its status to the end. With
/// [`ReferenceStrategy::Automatic`] a series goes as with `First` until an image loses many of the
/// points that were followed so far, or correlates much worse; if the image before it does better,
/// it is the reference from there, and the displacements are composed.
pub struct Series {
    reference: Reference,
    way: Way,
    done: usize,
}

/// What the next image starts from.
enum Way {
    First {
        last: Option<Field>,
    },
    /// The frame of the reference is that of the last image.
    Previous {
        tracks: Vec<Track>,
    },
    Automatic(Box<Adapting>),
}

/// A series whose reference may change.
#[derive(Default)]
struct Adapting {
    base: Option<Base>,
    /// The ZNCC that the present reference began with.
    usual: Option<f64>,
    last: Option<(GrayImage, Field)>,
}

/// Where a series stands, to go on from later with the same pictures and settings: every later field is the same to
/// the last bit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bookmark {
    done: usize,
    way: WayMark,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum WayMark {
    First {
        last: Option<Vec<PointResult>>,
    },
    Previous {
        tracks: Vec<Track>,
    },
    Automatic {
        base: Option<BaseMark>,
        usual: Option<f64>,
        last: Option<Vec<PointResult>>,
    },
}

/// [`Base`] without pixels.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct BaseMark {
    image: usize,
    tracks: Vec<Track>,
    relative: Option<Vec<Option<Parameters>>>,
    changes: usize,
}

impl Series {
    /// A series that begins with the next image.
    #[must_use]
    pub fn new(reference: Reference) -> Self {
        let way = match reference.settings.reference_strategy {
            ReferenceStrategy::First => Way::First { last: None },
            ReferenceStrategy::Previous => Way::Previous {
                tracks: tracks_at(&reference.points),
            },
            ReferenceStrategy::Automatic => Way::Automatic(Box::default()),
        };
        Self {
            reference,
            way,
            done: 0,
        }
    }

    /// Goes on from a bookmark of a series of the same reference; `image` gives the deformed images before by their
    /// index, one or two of them.
    ///
    /// # Errors
    /// [`DicError::Bookmark`] where it belongs to other points or to another strategy, and whatever `image` gives.
    pub fn resume<E: From<DicError>>(
        reference: Reference,
        bookmark: Bookmark,
        image: impl Fn(usize) -> Result<GrayImage, E>,
    ) -> Result<Self, E> {
        let count = reference.points.len();
        let mut series = Self::new(reference);
        series.done = bookmark.done;
        let before = bookmark.done.checked_sub(1);
        let fits = |points: &Option<Vec<PointResult>>| {
            points.as_ref().is_none_or(|points| points.len() == count)
        };
        match (&mut series.way, bookmark.way) {
            (Way::First { last }, WayMark::First { last: mark }) if fits(&mark) => {
                *last = mark.map(Field::new);
            }
            (Way::Previous { tracks }, WayMark::Previous { tracks: mark })
                if mark.len() == count =>
            {
                *tracks = mark;
                if let Some(before) = before {
                    series.reference = at_image(&series.reference, &image(before)?)?;
                }
            }
            (
                Way::Automatic(adapting),
                WayMark::Automatic {
                    base: base_mark,
                    usual: usual_mark,
                    last: last_mark,
                },
            ) if fits(&last_mark)
                && base_mark
                    .as_ref()
                    .is_none_or(|mark| mark.tracks.len() == count) =>
            {
                if let Some(mark) = base_mark {
                    adapting.base = Some(Base {
                        reference: at_image(&series.reference, &image(mark.image)?)?,
                        image: mark.image,
                        tracks: mark.tracks,
                        relative: mark.relative,
                        changes: mark.changes,
                    });
                }
                adapting.usual = usual_mark;
                if let Some((points, before)) = last_mark.zip(before) {
                    adapting.last = Some((image(before)?, Field::new(points)));
                }
            }
            _ => return Err(DicError::Bookmark.into()),
        }
        Ok(series)
    }

    /// Where the series stands.
    #[must_use]
    pub fn bookmark(&self) -> Bookmark {
        let way = match &self.way {
            Way::First { last } => WayMark::First {
                last: last.as_ref().map(|field| field.points.clone()),
            },
            Way::Previous { tracks } => WayMark::Previous {
                tracks: tracks.clone(),
            },
            Way::Automatic(adapting) => WayMark::Automatic {
                base: adapting.base.as_ref().map(|base| BaseMark {
                    image: base.image,
                    tracks: base.tracks.clone(),
                    relative: base.relative.clone(),
                    changes: base.changes,
                }),
                usual: adapting.usual,
                last: adapting
                    .last
                    .as_ref()
                    .map(|(_, field)| field.points.clone()),
            },
        };
        Bookmark {
            done: self.done,
            way,
        }
    }

    /// The field of the next image.
    ///
    /// # Errors
    /// Those of [`correlate`]; the series then stands where it stood.
    pub fn correlate(&mut self, image: GrayImage) -> Result<Field, DicError> {
        let field = match &mut self.way {
            Way::First { last } => {
                let guess = last.as_ref().map_or(Guess::Phase, Guess::Field);
                let field = correlate(&self.reference, &image, guess)?;
                *last = Some(field.clone());
                field
            }
            Way::Previous { tracks } => {
                check_deformed(&self.reference, &image)?;
                let image = filtered(&image, &self.reference.settings)?;
                let deformed = Deformed::new(image.clone(), &self.reference.settings);
                let found = advance_tracks(&self.reference, &deformed, tracks, None, self.done);
                self.reference.frame = Frame::new(image, &self.reference.settings);
                found.field
            }
            Way::Automatic(adapting) => {
                let field = adapting.correlate(&self.reference, &image, self.done)?;
                adapting.usual = adapting.usual.or_else(|| median_zncc(&field));
                adapting.last = Some((image, field.clone()));
                field
            }
        };
        self.done += 1;
        Ok(field)
    }
}

/// A reference image inside a series.
struct Base {
    /// The settings and points of the first image with the frame of this one.
    reference: Reference,
    /// Its place among the deformed images.
    image: usize,
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
        let found = advance_tracks(
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

/// The settings and points of a reference with the frame of another image.
fn at_image(reference: &Reference, image: &GrayImage) -> Result<Reference, DicError> {
    let settings = &reference.settings;
    Ok(Reference {
        frame: Frame::new(filtered(image, settings)?, settings),
        ..reference.clone()
    })
}

impl Adapting {
    /// The field of an image, with the first image as reference as long as it leads to the points; sets what the
    /// reference is from here, and the ZNCC that it begins with.
    fn correlate(
        &mut self,
        reference: &Reference,
        image: &GrayImage,
        index: usize,
    ) -> Result<Field, DicError> {
        let mut field = match &mut self.base {
            Some(base) => base.correlate(image)?,
            None => {
                let guess = match &self.last {
                    Some((_, field)) => Guess::Field(field),
                    None => Guess::Phase,
                };
                correlate(reference, image, guess)?
            }
        };
        let Some((before, known)) = &self.last else {
            return Ok(field);
        };
        let lost = lost_points(known, &field);
        let now = median_zncc(&field);
        let fades = now
            .zip(self.usual)
            .is_some_and(|(now, usual)| now < usual - FADED);
        if fades || lost.len() * WORTH_A_CHANGE > known.count(Status::Converged) {
            let mut next = Base {
                reference: at_image(reference, before)?,
                image: index - 1,
                tracks: tracks_of(known),
                relative: None,
                changes: self.base.as_ref().map_or(0, |base| base.changes) + 1,
            };
            let other = next.correlate(image)?;
            let is_found = |&&i: &&usize| other.points[i].status == Status::Converged;
            let finds = 2 * lost.iter().filter(is_found).count() > lost.len();
            let is_clearer = median_zncc(&other) > now.map(|now| now + 0.5 * FADED);
            if finds || (fades && is_clearer) {
                field = other;
                self.base = Some(next);
            }
            self.usual = median_zncc(&field);
        }
        Ok(field)
    }
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
