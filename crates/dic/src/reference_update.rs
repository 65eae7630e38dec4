//! Takes points from one reference image to the next: subsets around moved points, and the
//! composition of displacements.

use serde::{Deserialize, Serialize};

use crate::border_subsets::kept_rows;
use crate::field::{Field, PointResult, point_result};
use crate::job::Job;
use crate::part::Cut;
use crate::partial_subsets::solve_with_parts;
use crate::reference::{Deformed, Reference};
use crate::settings::Borders;
use crate::shape::{PARAMETERS, Parameters, compose, displacement, recentred};
use crate::site::Site;
use crate::starts::Starts;
use crate::status::Status;
use crate::subset::{SubsetRow, pixel_count};
use crate::task::Match;

/// A point on its way through a series.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Track {
    /// Displacement from the first image.
    total: Parameters,
    /// The result that ended the way, if any.
    lost: Option<Match>,
}

/// Where the points of a reference image were found.
pub(crate) struct TrackedField {
    /// Displacements from the first image.
    pub(crate) field: Field,
    /// Parameters between the two images, of the points that converged.
    pub(crate) relative: Vec<Option<Parameters>>,
}

/// The tracks of points that have not moved.
pub(crate) fn tracks_at(points: &[(usize, usize)]) -> Vec<Track> {
    let start = Track {
        total: [0.0; PARAMETERS],
        lost: None,
    };
    vec![start; points.len()]
}

/// The tracks of points as a field found them; those that did not converge are lost.
pub(crate) fn tracks_of(field: &Field) -> Vec<Track> {
    let track = |point: &PointResult| Track {
        total: point.p,
        lost: (point.status != Status::Converged).then_some(Match {
            p: point.p,
            zncc: point.zncc,
            icgn_iterations: 0,
            convergence_norm: point.convergence_norm,
            status: point.status,
        }),
    };
    field.points.iter().map(track).collect()
}

/// Moves all tracks on by one image.
///
/// `reference` holds the frame of the image that the tracks have reached, `relative` the parameters
/// between that image and one before `deformed`, if there was one.
pub(crate) fn advance_tracks(
    reference: &Reference,
    deformed: &Deformed,
    tracks: &mut [Track],
    relative: Option<&[Option<Parameters>]>,
    reference_changes: usize,
) -> TrackedField {
    let job = Job {
        settings: &reference.settings,
        frame: &reference.frame,
        deformed,
    };
    let mut moving = Vec::new();
    let mut placed = Vec::new();
    for (i, track) in tracks.iter_mut().enumerate() {
        if track.lost.is_some() {
            continue;
        }
        let site = reference.site(i);
        if site.rows.is_empty() {
            let status = reference.status_without_subset(i);
            track.lost = Some(Match::without_iteration(track.total, status));
            continue;
        }
        match moved_site(reference, &site, &track.total) {
            Some(place) => {
                moving.push(i);
                placed.push(place);
            }
            None => {
                track.lost = Some(Match::without_iteration(track.total, Status::OutOfImage));
            }
        }
    }
    let sites = moving.iter().zip(&placed);
    let sites: Vec<Site<'_>> = sites
        .map(|(&i, (centre, rows))| {
            let site = reference.site(i);
            Site {
                node: site.node,
                centre: *centre,
                rows: rows.as_deref().unwrap_or(site.rows),
            }
        })
        .collect();
    let known = moving.iter().map(|&i| relative.and_then(|all| all[i]));
    let known: Vec<Option<Parameters>> = known.collect();
    let solved = solve_with_parts(&job, &sites, &Starts::Given(&known), None);
    let sensitivities = solved.sensitivities(&job, &sites);
    let cut_sensitivity = sensitivities
        .into_iter()
        .map(|(at, known)| (moving[at], known));
    let cut_sensitivity = cut_sensitivity.collect();
    let mut remainders = vec![None; tracks.len()];
    for (&i, found) in moving.iter().zip(solved.remainders(&job, &sites)) {
        remainders[i] = found;
    }
    let whole = pixel_count(&reference.rows);
    let mut outlines = vec![(Cut::Whole, 0.0); tracks.len()];
    for (at, (&i, site)) in moving.iter().zip(&sites).enumerate() {
        outlines[i] = solved.outline(at, site, whole);
    }
    let mut results: Vec<Match> = tracks
        .iter()
        .map(|track| {
            let unmoved = Match::without_iteration(track.total, Status::OutOfImage);
            track.lost.unwrap_or(unmoved)
        })
        .collect();
    let mut relative = vec![None; tracks.len()];
    for ((i, site), found) in moving.into_iter().zip(sites).zip(solved.matches) {
        let track = &mut tracks[i];
        let (x, y) = site.node;
        let [u, v] = displacement(&track.total);
        let dx = x as f64 + u - site.centre.0 as f64;
        let dy = y as f64 + v - site.centre.1 as f64;
        let total = compose(&recentred(&found.p, dx, dy), &track.total);
        let followed = matches!(
            found.status,
            Status::Converged | Status::IterationLimit | Status::LowCorrelation
        );
        if followed && total.iter().all(|value| value.is_finite()) {
            relative[i] = (found.status == Status::Converged).then_some(found.p);
            track.total = total;
            results[i] = Match { p: total, ..found };
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
    let points = reference.points.iter().zip(&results).zip(outlines);
    TrackedField {
        field: Field {
            points: points
                .map(|((&point, result), (cut, share))| PointResult {
                    cut,
                    share,
                    reference_changes,
                    ..point_result(point, result)
                })
                .collect(),
            cut_sensitivity,
            remainders,
        },
        relative,
    }
}

/// Where a moved subset is taken up: its centre, and what is left of it where that is not all.
type Moved = ((usize, usize), Option<Vec<SubsetRow>>);

/// The place of the subset around the pixel nearest to the moved point; `None` where the subset, or too much of it, leaves the picture.
fn moved_site(reference: &Reference, site: &Site<'_>, total: &Parameters) -> Option<Moved> {
    let plane = &reference.frame.pixels;
    let (x, y) = site.node;
    let [u, v] = displacement(total);
    let (x, y) = ((x as f64 + u).round(), (y as f64 + v).round());
    let first = site.rows.iter().map(|row| row.first).min()?;
    let last = site.rows.iter().map(|row| row.last).max()?;
    let (top, bottom) = (site.rows.first()?.dy, site.rows.last()?.dy);
    let fits = |place: f64, before: i32, after: i32, n: usize| {
        place + f64::from(before) >= 0.0 && place + f64::from(after) <= n as f64 - 1.0
    };
    let centre = (x as usize, y as usize);
    if fits(x, first, last, plane.width) && fits(y, top, bottom, plane.height) {
        return Some((centre, None));
    }
    let Borders::Truncated { least_share } = reference.settings.borders else {
        return None;
    };
    let is_inside = fits(x, 0, 0, plane.width) && fits(y, 0, 0, plane.height);
    let rows = kept_rows(site.rows, |dx, dy| {
        fits(x, dx, dx, plane.width) && fits(y, dy, dy, plane.height)
    });
    let least = least_share * pixel_count(&reference.rows) as f64;
    let is_enough = is_inside && !rows.is_empty() && pixel_count(&rows) as f64 >= least;
    is_enough.then_some((centre, Some(rows)))
}
