//! Matches one deformed image with a prepared reference.

use rayon::prelude::*;
use retrial_image::GrayImage;

use crate::error::DicError;
use crate::field::{Field, PointResult, point_result};
use crate::job::Job;
use crate::partial_subsets::solve_with_parts;
use crate::reference::{Deformed, Reference, check_pixels, filtered};
use crate::starts::{Guess, Starts};
use crate::status::Status;
use crate::subset::pixel_count;
use crate::trust::median;

/// Matches every point of `reference` with the image `deformed`.
///
/// Unless [`InitialGuess::PerSubset`](crate::InitialGuess::PerSubset) is set, points that correlate
/// badly are compared with their neighbours and tried again from other displacements, and a badly
/// correlating result that disagrees with the points around it gets [`Status::LowCorrelation`]. The
/// result does not depend on the number of threads.
///
/// # Errors
/// [`DicError::ImageSize`], [`DicError::NonFinitePixel`] and [`DicError::GuessSize`].
pub fn correlate(
    reference: &Reference,
    deformed: &GrayImage,
    guess: Guess<'_>,
) -> Result<Field, DicError> {
    check_deformed(reference, deformed)?;
    let settings = &reference.settings;
    let deformed = Deformed::new(filtered(deformed, settings)?, settings);
    let job = Job {
        settings,
        frame: &reference.frame,
        deformed: &deformed,
    };
    let sites = reference.sites();
    let starts = Starts::of(guess, settings, sites.len())?;
    let solved = solve_with_parts(&job, &sites, &starts, previous_zncc(guess));
    let whole = pixel_count(&reference.rows);
    let points = (0..sites.len()).into_par_iter().with_min_len(1024);
    Ok(Field {
        points: points
            .map(|i| {
                let (cut, share) = solved.outline(i, &sites[i], whole);
                let found = point_result(reference.points[i], &solved.matches[i]);
                let status = match found.status {
                    Status::Masked => reference.status_without_subset(i),
                    status => status,
                };
                PointResult {
                    cut,
                    share,
                    status,
                    ..found
                }
            })
            .collect(),
        cut_sensitivity: solved.sensitivities(&job, &sites),
        remainders: solved.remainders(&job, &sites),
    })
}

/// Refuses a deformed image of another size or with grey values that are not finite.
pub(crate) fn check_deformed(reference: &Reference, deformed: &GrayImage) -> Result<(), DicError> {
    let (width, height) = (reference.frame.pixels.width, reference.frame.pixels.height);
    if (deformed.width(), deformed.height()) != (width, height) {
        return Err(DicError::ImageSize {
            width,
            height,
            got_width: deformed.width(),
            got_height: deformed.height(),
        });
    }
    check_pixels(deformed)
}

/// The ZNCC that the image before led to expect: the median of its converged points.
fn previous_zncc(guess: Guess<'_>) -> Option<f64> {
    let Guess::Field(field) = guess else {
        return None;
    };
    let converged = field
        .points
        .iter()
        .filter(|point| point.status == Status::Converged);
    median(converged.map(|point| point.zncc).collect())
}
