//! Subsets that leave the deformed picture: the pixels that stay inside go on.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::dispatch::Dispatch;
use crate::job::Job;
use crate::neighbours::PointGrid;
use crate::part::{Cut, Part};
use crate::settings::Settings;
use crate::shape::{PARAMETERS, Parameters, displacement, displacement_at, recentred};
use crate::site::Site;
use crate::status::Status;
use crate::subset::{SubsetRow, pixel_count, subset_rows};
use crate::task::Match;
use crate::truncate::edge_reach;
use crate::trust::{CLEAR, DROP, median};

/// How far inside the outermost pixel centres a predicted position must lie at least, px: room for the
/// updates that follow.
const ROOM: f64 = 1.0;

/// How far inside a position must lie whose grey value depends on nothing beyond the border of the picture.
fn room(settings: &Settings) -> f64 {
    (edge_reach(settings) as f64).max(ROOM)
}

/// What became of points whose subset leaves the deformed picture, by their index.
#[derive(Default)]
pub(crate) struct BorderSubsets {
    /// Those of which enough stays inside.
    pub(crate) parts: BTreeMap<usize, Part>,
    /// Those of which too little does: where the points around place them.
    pub(crate) outside: BTreeMap<usize, Match>,
}

/// Tries every failed point that leaves the picture with the pixels of its subset that stay inside, from the
/// best point next to it, as long as that finds points whose parts are `least_share` of a subset. A point that was
/// found goes without the pixels that the prefilter or the spline fill from beyond the border.
///
/// A part that a displacement leads out after all, or that does not correlate as the others do,
/// is none: the point has left the picture.
pub(crate) fn match_inside(
    job: &Job<'_>,
    sites: &[Site<'_>],
    matches: &[Match],
    least_share: f64,
) -> BorderSubsets {
    let mut out = BorderSubsets::default();
    let has_failed = |&i: &usize| {
        matches!(
            matches[i].status,
            Status::OutOfImage | Status::LowCorrelation | Status::IterationLimit | Status::Diverged
        )
    };
    let room = room(job.settings);
    let stays = |i: usize, p: &Parameters| rows_inside(job, &sites[i], p, room);
    let reaches_rim = |i: usize| {
        let found = &matches[i];
        found.status == Status::Converged
            && pixel_count(&stays(i, &found.p)) < pixel_count(sites[i].rows)
    };
    let mut waiting: Vec<usize> = (0..sites.len())
        .into_par_iter()
        .filter(|i| has_failed(i) || reaches_rim(*i))
        .collect();
    if waiting.is_empty() {
        return out;
    }
    let nodes: Vec<(usize, usize)> = sites.iter().map(|site| site.node).collect();
    let grid = PointGrid::new(&nodes, job.settings.step_px);
    let is_good = |found: &&Match| found.status == Status::Converged;
    let usual = median(matches.iter().filter(is_good).map(|m| m.zncc).collect());
    let good = usual.map_or(CLEAR, |usual| usual - DROP);
    let whole = pixel_count(&subset_rows(
        job.settings.side_px(),
        job.settings.subset_shape,
    ));
    let least = ((least_share * whole as f64).ceil() as usize).max(PARAMETERS);
    let dispatch = Dispatch::best(job.settings.instruction_set);
    loop {
        let found: Vec<Option<Result<Part, Match>>> = waiting
            .par_iter()
            .map(|&i| {
                let here = |j: usize| out.parts.get(&j).map_or(&matches[j], |part| &part.found);
                let is_clear = |j: &usize| is_good(&here(*j)) && here(*j).zncc >= good;
                let own = Some(i).filter(is_clear);
                let found = own.or_else(|| {
                    let around = grid.around(i, 1).filter(is_clear);
                    around.max_by(|&a, &b| here(a).zncc.total_cmp(&here(b).zncc).then(b.cmp(&a)))
                });
                // Where nothing was found, the prediction for a point that is gone leads on.
                let source = found.or_else(|| {
                    let mut around = grid.around(i, 1);
                    around.find(|j| out.outside.contains_key(j))
                })?;
                let from_p = match found {
                    Some(j) => here(j).p,
                    None => out.outside.get(&source)?.p,
                };
                let (from, to) = (sites[source].centre, sites[i].centre);
                let (dx, dy) = (to.0 as f64 - from.0 as f64, to.1 as f64 - from.1 as f64);
                let guess = recentred(&from_p, dx, dy);
                let rows = stays(i, &guess);
                let left = pixel_count(&rows);
                if left == pixel_count(sites[i].rows) {
                    return None;
                }
                let gone = Match::without_iteration(guess, Status::OutOfImage);
                if left < least {
                    return Some(Err(gone));
                }
                let found = job.match_at(dispatch, sites[i].centre, &rows, &guess, job.settings);
                let tolerance = 1.0 + 0.05 * dx.hypot(dy);
                let [u, v] = displacement(&guess);
                let agrees = (found.u() - u).hypot(found.v() - v) <= tolerance;
                let is_believed = is_good(&&found) && found.zncc >= good && agrees;
                is_believed.then_some(Ok(Part {
                    cut: Cut::DeformedBorder,
                    rows,
                    found,
                }))
            })
            .collect();
        let before = (out.parts.len(), out.outside.len());
        for (&i, found) in waiting.iter().zip(found) {
            match found {
                Some(Ok(part)) => {
                    out.parts.insert(i, part);
                    out.outside.remove(&i);
                }
                Some(Err(gone)) => {
                    out.outside.insert(i, gone);
                }
                None => {}
            }
        }
        if (out.parts.len(), out.outside.len()) == before {
            return out;
        }
        waiting.retain(|i| !out.parts.contains_key(i));
    }
}

/// The pixels of a subset that the parameters leave inside the picture by `room` px, row by row.
fn rows_inside(job: &Job<'_>, site: &Site<'_>, p: &Parameters, room: f64) -> Vec<SubsetRow> {
    let plane = &job.frame.pixels;
    let inside = |t: f64, n: usize| (room..=n as f64 - 1.0 - room).contains(&t);
    let (x, y) = (site.centre.0 as f64, site.centre.1 as f64);
    kept_rows(site.rows, |dx, dy| {
        let (dx, dy) = (f64::from(dx), f64::from(dy));
        let (u, v) = displacement_at(p, dx, dy);
        inside(x + dx + u, plane.width) && inside(y + dy + v, plane.height)
    })
}

/// The pixels of some rows that `keep` takes, as rows of consecutive pixels.
pub(crate) fn kept_rows(rows: &[SubsetRow], keep: impl Fn(i32, i32) -> bool) -> Vec<SubsetRow> {
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let mut start = None;
        for dx in row.first..=row.last + 1 {
            let inside = dx <= row.last && keep(dx, row.dy);
            match (inside, start) {
                (true, None) => start = Some(dx),
                (false, Some(first)) => {
                    kept.push(SubsetRow {
                        dy: row.dy,
                        first,
                        last: dx - 1,
                    });
                    start = None;
                }
                _ => {}
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_divided_where_pixels_are_missing() {
        let rows = [0, 1].map(|dy| SubsetRow {
            dy,
            first: -2,
            last: 3,
        });
        let kept = kept_rows(&rows, |dx, dy| dx != 0 && dy == 0);
        let row = |first, last| SubsetRow { dy: 0, first, last };
        assert_eq!(kept, [row(-2, -1), row(1, 3)]);
    }
}
