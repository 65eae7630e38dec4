//! Correlates a whole case, one deformed image in memory at a time.

use std::ops::ControlFlow;

use retrial_core::image::{GrayImage, Mask};

use crate::correlate::{Field, Guess, Job, check_deformed, correlate, point_result};
use crate::error::DicError;
use crate::icgn::Match;
use crate::reference::{Deformed, Frame, Reference, filtered, prepare};
use crate::settings::{ReferenceStrategy, Settings};
use crate::shape::{PARAMETERS, Parameters, compose, recentred};
use crate::status::Status;

/// Correlates `deformed` images with `first` and hands every field to `on_image` with its index,
/// which counts deformed images from zero.
///
/// `deformed` may decode images as it goes: the next one is asked for only when the field before
/// it has been handed over, and two images at most are held. `on_image` ends the series early with
/// [`ControlFlow::Break`]. All fields are displacements from `first`.
///
/// With [`ReferenceStrategy::First`] the parameters of the image before are the initial guess. With
/// [`ReferenceStrategy::Previous`] every pair starts by phase correlation; subsets are taken around
/// the pixel nearest to the moved point, the parameters are carried over to the point itself and
/// composed, and a point that is lost once keeps its status to the end.
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
    }
}

/// A point on its way through a series.
#[derive(Clone, Copy)]
struct Track {
    /// Displacement from the first image.
    total: Parameters,
    /// The result that ended the way, if any.
    lost: Option<Match>,
}

/// The series with the previous image as reference.
fn follow<E: From<DicError>>(
    mut reference: Reference,
    deformed: impl IntoIterator<Item = Result<GrayImage, E>>,
    mut on_image: impl FnMut(usize, Field) -> ControlFlow<()>,
) -> Result<usize, E> {
    let start = Track {
        total: [0.0; PARAMETERS],
        lost: None,
    };
    let mut tracks = vec![start; reference.points.len()];
    let mut done = 0;
    for (index, image) in deformed.into_iter().enumerate() {
        let image = image?;
        check_deformed(&reference, &image)?;
        let image = filtered(&image, &reference.settings)?;
        let deformed = Deformed::new(&image, &reference.settings);
        let field = advance(&reference, &deformed, &mut tracks)?;
        reference.frame = Frame::new(&image, &reference.settings);
        done = index + 1;
        if on_image(index, field).is_break() {
            break;
        }
    }
    Ok(done)
}

/// Moves all tracks on by one image.
fn advance(
    reference: &Reference,
    deformed: &Deformed,
    tracks: &mut [Track],
) -> Result<Field, DicError> {
    let job = Job {
        settings: &reference.settings,
        frame: &reference.frame,
        deformed,
        rows: &reference.rows,
    };
    let mut moving = Vec::new();
    let mut centres = Vec::new();
    for (i, (track, &point)) in tracks.iter_mut().zip(&reference.points).enumerate() {
        if track.lost.is_some() {
            continue;
        }
        match nearest_centre(reference, point, &track.total) {
            Some(centre) => {
                moving.push(i);
                centres.push(centre);
            }
            None => {
                track.lost = Some(Match::without_iteration(track.total, Status::OutOfImage));
            }
        }
    }
    let starts = job.starts(&centres, Guess::Phase)?;
    let matches = job.run(&centres, &starts);
    let nodes: Vec<(usize, usize)> = moving.iter().map(|&i| reference.points[i]).collect();
    let matches = job.second_look(&nodes, &centres, None, matches);
    let mut results: Vec<Match> = tracks
        .iter()
        .map(|track| Match::without_iteration(track.total, Status::OutOfImage))
        .collect();
    for ((i, centre), found) in moving.into_iter().zip(centres).zip(matches) {
        let track = &mut tracks[i];
        let (x, y) = reference.points[i];
        let dx = x as f64 + track.total[0] - centre.0 as f64;
        let dy = y as f64 + track.total[6] - centre.1 as f64;
        let total = compose(&recentred(&found.p, dx, dy), &track.total);
        let result = Match { p: total, ..found };
        let followed = matches!(
            found.status,
            Status::Converged | Status::IterationLimit | Status::LowCorrelation
        );
        if followed && total.iter().all(|value| value.is_finite()) {
            track.total = total;
            results[i] = result;
        } else {
            let ended = Match {
                p: track.total,
                ..found
            };
            results[i] = ended;
            track.lost = Some(Match {
                icgn_iterations: 0,
                ..ended
            });
        }
    }
    let points = reference.points.iter().zip(tracks.iter().zip(&results));
    Ok(Field {
        points: points
            .map(|(&point, (track, result))| {
                let lost_before = track.lost.filter(|_| result.icgn_iterations == 0);
                point_result(point, &lost_before.unwrap_or(*result))
            })
            .collect(),
    })
}

/// The pixel nearest to the moved point, unless the subset around it leaves the picture.
fn nearest_centre(
    reference: &Reference,
    (x, y): (usize, usize),
    total: &Parameters,
) -> Option<(usize, usize)> {
    let half = reference.settings.half_px() as f64;
    let plane = &reference.frame.pixels;
    let nearest = |position: f64, n: usize| {
        let pixel = position.round();
        (half..=n as f64 - 1.0 - half)
            .contains(&pixel)
            .then_some(pixel as usize)
    };
    Some((
        nearest(x as f64 + total[0], plane.width)?,
        nearest(y as f64 + total[6], plane.height)?,
    ))
}
