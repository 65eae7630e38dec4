//! Points that failed because their subset has left the deformed picture.

use rayon::prelude::*;

use crate::icgn::Match;
use crate::recover::{CLEAR, DROP, Look};
use crate::shape::{Parameters, displacement_at, recentred};
use crate::status::Status;

/// Good points next to a failed one that must agree that its subset leaves.
const WITNESSES: usize = 4;

/// Places of the lattice in every direction that are searched for them first.
const NEAR: usize = 4;

/// Good points, evenly over the picture, among which they are searched for otherwise.
const FAR: usize = 512;

impl Look<'_> {
    /// Gives [`Status::OutOfImage`] to failed points, and to those that correlate badly, whose subset lies partly
    /// outside the picture by what each of the nearest good points predicts.
    pub(crate) fn tell_the_left(&mut self, usual: f64) {
        let least = CLEAR.min(usual - DROP);
        let failed = |&i: &usize| match self.matches[i].status {
            Status::Converged => self.matches[i].zncc < least,
            Status::IterationLimit | Status::LowCorrelation | Status::Diverged => true,
            _ => false,
        };
        let all = 0..self.matches.len();
        let failed: Vec<usize> = all.clone().filter(failed).collect();
        if failed.is_empty() {
            return;
        }
        let is_good = |i: usize| {
            let found = &self.matches[i];
            found.status == Status::Converged && found.zncc >= least
        };
        let good: Vec<usize> = all.filter(|&i| is_good(i)).collect();
        let every = good.len().div_ceil(FAR).max(1);
        let far: Vec<usize> = good.into_iter().step_by(every).collect();
        let left: Vec<Option<Parameters>> = failed
            .par_iter()
            .map(|&i| {
                let near = self.lattice.window(i, NEAR).filter(|&j| is_good(j));
                let near: Vec<usize> = near.collect();
                let nearest = match near.len() {
                    ..WITNESSES => self.nearest(i, far.clone()),
                    _ => self.nearest(i, near),
                };
                let predictions: Vec<Parameters> = nearest
                    .into_iter()
                    .map(|j| {
                        let (dx, dy) = self.between(j, i);
                        recentred(&self.matches[j].p, dx, dy)
                    })
                    .collect();
                let leaves = predictions.iter().all(|p| self.leaves(i, p));
                predictions.first().copied().filter(|_| leaves)
            })
            .collect();
        for (i, p) in failed.into_iter().zip(left) {
            if let Some(p) = p {
                self.matches[i] = Match::without_iteration(p, Status::OutOfImage);
            }
        }
    }

    fn nearest(&self, i: usize, mut among: Vec<usize>) -> Vec<usize> {
        let distance = |j: usize| {
            let (dx, dy) = self.between(j, i);
            dx.hypot(dy)
        };
        among.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)));
        among.truncate(WITNESSES);
        among
    }

    /// Whether parameters lead an end of a row of a subset out of the picture, where no spline goes.
    fn leaves(&self, i: usize, p: &Parameters) -> bool {
        let plane = &self.job.frame.pixels;
        let (x, y) = self.position(i);
        let outside = |t: f64, n: usize| !(-0.5..=n as f64 - 0.5).contains(&t);
        self.sites[i].rows.iter().any(|row| {
            [row.first, row.last].into_iter().any(|dx| {
                let (dx, dy) = (f64::from(dx), f64::from(row.dy));
                let (u, v) = displacement_at(p, dx, dy);
                outside(x + dx + u, plane.width) || outside(y + dy + v, plane.height)
            })
        })
    }
}
