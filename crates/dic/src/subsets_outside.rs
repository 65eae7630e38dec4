//! Points that failed because their subset has left the deformed picture.

use rayon::prelude::*;

use crate::shape::{Parameters, displacement_at, recentred};
use crate::solve_points::PointSolver;
use crate::status::Status;
use crate::task::Match;
use crate::trust::{CLEAR, DROP};

/// Good points next to a failed one that must agree that its subset leaves.
const AGREEING_POINTS: usize = 4;

/// Places of the grid in every direction that are searched for them first.
const NEAR: usize = 4;

/// Good points, evenly over the picture, among which they are searched for otherwise.
const FAR: usize = 512;

/// How far beyond the outermost pixel centres the spline goes, px. The updates of a subset that ends there lead it out.
const BEYOND: f64 = 0.5;

impl PointSolver<'_> {
    /// Gives [`Status::OutOfImage`] to failed points, and to those that correlate badly, whose subset lies partly
    /// outside the picture by what each of the nearest good points predicts; and to a good one where most of the good
    /// points around predict that, and do not lead to its displacement.
    pub(crate) fn mark_outside(&mut self, usual: f64) {
        let least = CLEAR.min(usual - DROP);
        let failed = |&i: &usize| match self.matches[i].status {
            Status::Converged => self.matches[i].zncc < least,
            Status::IterationLimit | Status::LowCorrelation | Status::Diverged => true,
            _ => false,
        };
        let all = 0..self.matches.len();
        let failed: Vec<usize> = all.clone().filter(failed).collect();
        let is_good = |i: usize| {
            let found = &self.matches[i];
            found.status == Status::Converged && found.zncc >= least
        };
        let good: Vec<usize> = all.filter(|&i| is_good(i)).collect();
        let strayed: Vec<(usize, Parameters)> = good
            .par_iter()
            .with_min_len(256)
            .filter_map(|&i| Some((i, self.strayed(i, is_good)?)))
            .collect();
        let every = good.len().div_ceil(FAR).max(1);
        let far: Vec<usize> = good.into_iter().step_by(every).collect();
        let left: Vec<Option<Parameters>> = failed
            .par_iter()
            .map(|&i| {
                let near = self.grid.window(i, NEAR).filter(|&j| is_good(j));
                let near: Vec<usize> = near.collect();
                let nearest = match near.len() {
                    ..AGREEING_POINTS => self.nearest(i, far.clone()),
                    _ => self.nearest(i, near),
                };
                let predictions: Vec<Parameters> = nearest
                    .into_iter()
                    .map(|j| {
                        let (dx, dy) = self.between(j, i);
                        recentred(&self.matches[j].p, dx, dy)
                    })
                    .collect();
                let beyond = match self.matches[i].status {
                    Status::Converged => BEYOND,
                    _ => 0.0,
                };
                let leaves = predictions.iter().all(|p| self.leaves(i, p, beyond));
                predictions.first().copied().filter(|_| leaves)
            })
            .collect();
        let left = failed.into_iter().zip(left);
        let left = left.filter_map(|(i, p)| Some((i, p?)));
        for (i, p) in left.chain(strayed) {
            self.matches[i] = Match::without_iteration(p, Status::OutOfImage);
        }
    }

    /// Where the points around a good point lead it, if most of them lead it out of the picture and not to the place
    /// that it found: a coarse pattern may look alike elsewhere, to some overlapping subsets at once.
    fn strayed(&self, i: usize, is_good: impl Fn(usize) -> bool) -> Option<Parameters> {
        let mut beside = self.grid.around(i, 1);
        if beside.all(|j| is_good(j) && self.predicts(j, i)) {
            return None;
        }
        let near: Vec<usize> = self
            .grid
            .window(i, NEAR.max(self.stride))
            .filter(|&j| is_good(j))
            .collect();
        let predicted = |j: usize| {
            let (dx, dy) = self.between(j, i);
            recentred(&self.matches[j].p, dx, dy)
        };
        let agreeing = near.iter().filter(|&&j| self.predicts(j, i)).count();
        let leaving = near
            .iter()
            .filter(|&&j| self.leaves(i, &predicted(j), BEYOND))
            .count();
        let is_most = |count: usize| 2 * count > near.len();
        let is_lost = near.len() >= AGREEING_POINTS && is_most(leaving) && !is_most(agreeing);
        let nearest = self.nearest(i, near);
        let outside = nearest
            .into_iter()
            .map(predicted)
            .find(|p| self.leaves(i, p, BEYOND));
        outside.filter(|_| is_lost)
    }

    fn nearest(&self, i: usize, mut among: Vec<usize>) -> Vec<usize> {
        let distance = |j: usize| {
            let (dx, dy) = self.between(j, i);
            dx.hypot(dy)
        };
        among.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)));
        among.truncate(AGREEING_POINTS);
        among
    }

    /// Whether parameters lead an end of a row of a subset so far beyond the outermost pixel centres, px.
    fn leaves(&self, i: usize, p: &Parameters, beyond: f64) -> bool {
        let plane = &self.job.frame.pixels;
        let (x, y) = self.position(i);
        let outside = |t: f64, n: usize| !(-beyond..=(n - 1) as f64 + beyond).contains(&t);
        self.sites[i].rows.iter().any(|row| {
            [row.first, row.last].into_iter().any(|dx| {
                let (dx, dy) = (f64::from(dx), f64::from(row.dy));
                let (u, v) = displacement_at(p, dx, dy);
                outside(x + dx + u, plane.width) || outside(y + dy + v, plane.height)
            })
        })
    }
}
