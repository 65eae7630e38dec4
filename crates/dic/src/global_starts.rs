//! Other places to begin from when the ordinary start has failed: the displacement of the whole
//! picture, and pairs of keypoints.

use rayon::prelude::*;

use crate::dispatch::Dispatch;
use crate::guess::{rigid, whole, zncc};
use crate::keypoint_starts::{Views, keypoint_starts};
use crate::phase::Shift;
use crate::solve_points::PointSolver;
use crate::status::Status;
use crate::task::Match;
use crate::trust::DROP;

/// Points that choose among the displacements of the whole picture.
const VOTERS: usize = 64;

/// Displacements of the whole picture that every point compares.
const CANDIDATES: usize = 4;

/// Starts that are tried at most.
const MOST_KEYPOINT_STARTS: usize = 600;

impl PointSolver<'_> {
    /// Tries points from the displacement of the whole picture that suits each best.
    pub(crate) fn try_whole_picture(&mut self, doubtful: &[usize]) {
        let shifts = whole(self.job.pictures(), self.job.settings.half_px());
        let voters: Vec<usize> = doubtful
            .iter()
            .copied()
            .step_by(doubtful.len().div_ceil(VOTERS).max(1))
            .collect();
        let votes: Vec<Option<Shift>> = voters
            .par_iter()
            .map(|&i| self.promising(i, &shifts))
            .collect();
        let mut ranked: Vec<(usize, Shift)> = shifts
            .iter()
            .map(|&shift| {
                (
                    votes.iter().filter(|&&vote| vote == Some(shift)).count(),
                    shift,
                )
            })
            .filter(|&(count, _)| count > 0)
            .collect();
        ranked.sort_by_key(|&(count, _)| std::cmp::Reverse(count));
        let candidates: Vec<Shift> = ranked
            .iter()
            .take(CANDIDATES)
            .map(|&(_, shift)| shift)
            .collect();
        let dispatch = Dispatch::best(self.job.settings.instruction_set);
        let found: Vec<Option<Match>> = doubtful
            .par_iter()
            .map(|&i| {
                let shift = self.promising(i, &candidates)?;
                Some(self.quick(dispatch, i, &rigid(shift)))
            })
            .collect();
        for (&i, found) in doubtful.iter().zip(found) {
            if let Some(found) = found {
                self.keep_better(i, found);
            }
        }
    }

    /// The one of `shifts` with the highest ZNCC at point `i`, if a match from it might be better
    /// than the result there is.
    fn promising(&self, i: usize, shifts: &[Shift]) -> Option<Shift> {
        if !self.job.square_is_inside(self.sites[i].centre) {
            return None;
        }
        let here = &self.matches[i];
        let mut best = None;
        let mut highest = match here.status {
            Status::Converged => here.zncc - DROP,
            _ => 0.0,
        };
        for &shift in shifts {
            let half = self.job.settings.half_px();
            let value = zncc(self.job.pictures(), self.sites[i].centre, half, shift);
            if value > highest {
                (best, highest) = (Some(shift), value);
            }
        }
        let is_here = |(u, v): Shift| {
            (u as f64 - here.u()).abs() <= 1.0 && (v as f64 - here.v()).abs() <= 1.0
        };
        best.filter(|&shift| here.status != Status::Converged || !is_here(shift))
    }

    /// Tries points from the affine maps of keypoint pairs, each map at the point nearest to it.
    pub(crate) fn try_keypoints(&mut self, unexplained: &[usize]) {
        let views = match self.previous_zncc {
            None => Views::Stretched,
            Some(_) => Views::Plain,
        };
        let mut tried = vec![false; self.sites.len()];
        let mut attempts = Vec::new();
        for start in keypoint_starts(self.job.pictures(), views) {
            let distance = |i: usize| {
                let (x, y) = self.position(i);
                (x - start.place.0).hypot(y - start.place.1)
            };
            let nearest = unexplained
                .iter()
                .copied()
                .min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
            let reach = self.job.settings.side_px().max(self.job.settings.step_px);
            if let Some(i) = nearest
                && distance(i) <= reach as f64
                && !tried[i]
                && attempts.len() < MOST_KEYPOINT_STARTS
            {
                tried[i] = true;
                attempts.push((i, start.map.parameters(self.position(i))));
            }
        }
        let dispatch = Dispatch::best(self.job.settings.instruction_set);
        let found: Vec<Match> = attempts
            .par_iter()
            .map(|(i, guess)| self.quick(dispatch, *i, guess))
            .collect();
        for ((i, _), found) in attempts.into_iter().zip(found) {
            self.keep_better(i, found);
        }
    }
}
