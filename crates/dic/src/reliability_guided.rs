//! Reliability-guided propagation: good results spread to the points around them, the most reliable
//! first, each with the full prediction of its displacement field.
//!
//! Points leave the queue in batches whose size depends on the queue alone, so that the result is
//! the same for any number of threads.
//!
//! # Source
//! Pan 2009, doi:10.1364/AO.48.001535, for the order by correlation coefficient; the batches and
//! the rules for points that leave the picture are our own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use rayon::prelude::*;

use crate::affine::{Affine, Link};
use crate::dispatch::Dispatch;
use crate::shape::{Parameters, recentred};
use crate::solve_points::PointSolver;
use crate::status::Status;
use crate::task::Match;
use crate::trust::CLEAR;

/// Neighbours a point is tried from at most.
const TRIES: u8 = 5;

/// Points that are tried at once at least, and the part of the queue that is, one in so many.
const BATCH: usize = 64;
const BATCH_PART: usize = 4;

/// Places of the grid in every direction that predict a leftover point together.
const REGION: usize = 3;

/// Good points in that region from which a prediction is made.
const REGION_POINTS: usize = 6;

/// Pieces into which the way from a good point to a leftover one is divided.
const PACES: usize = 4;

/// Rounds of the rescue of leftover points.
const ROUNDS: usize = 3;

/// A displacement that neighbours may start from.
#[derive(Clone, Copy)]
struct Source {
    p: Parameters,
    /// Zero for the prediction of a point that has left the picture.
    zncc: f64,
}

/// A neighbour that waits for a source: the most reliable source first, then the first point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// The ZNCC of the source in units of 1e-9.
    reliability: i64,
    target: Reverse<usize>,
    source: Reverse<usize>,
}

impl PointSolver<'_> {
    /// Tries `waiting` points from their best neighbours as good results spread, where results
    /// below the ZNCC `good` do not spread.
    ///
    /// Returns the points that are still bad although no neighbour says that they left the picture.
    pub(crate) fn propagate(&mut self, waiting: &[usize], good: f64) -> Vec<usize> {
        let mut sources: Vec<Option<Source>> = self
            .matches
            .iter()
            .map(|found| good_source(found, good))
            .collect();
        for &i in waiting {
            sources[i] = None;
        }
        let mut is_waiting = vec![false; sources.len()];
        for &i in waiting {
            is_waiting[i] = true;
        }
        let mut tries = vec![0_u8; sources.len()];
        let mut queue = BinaryHeap::new();
        for &target in waiting {
            for source in self.grid.around(target, 1) {
                if let Some(there) = sources[source] {
                    queue.push(entry(there.zncc, target, source));
                }
            }
        }
        let dispatch = Dispatch::best(self.job.settings.instruction_set);
        while !queue.is_empty() {
            let batch = next_batch(&mut queue, &is_waiting);
            let attempts: Vec<(Parameters, Option<Match>)> = batch
                .par_iter()
                .map(|entry| {
                    let (i, j) = (entry.target.0, entry.source.0);
                    let from = sources[j].map_or(self.matches[j].p, |there| there.p);
                    let (dx, dy) = self.between(j, i);
                    let guess = recentred(&from, dx, dy);
                    let found = self
                        .fits(i, &guess)
                        .then(|| self.quick(dispatch, i, &guess));
                    let left = found.is_some_and(|found| {
                        found.status == Status::OutOfImage && found.icgn_iterations == 0
                    });
                    (guess, found.filter(|_| !left))
                })
                .collect();
            for (entry, (guess, found)) in batch.into_iter().zip(attempts) {
                let i = entry.target.0;
                tries[i] += 1;
                sources[i] = match found {
                    None => {
                        self.place_outside(i, guess);
                        Some(Source {
                            p: guess,
                            zncc: 0.0,
                        })
                    }
                    Some(found) => {
                        self.keep_better(i, found);
                        good_source(&self.matches[i], good)
                    }
                };
                if tries[i] >= TRIES || sources[i].is_some() {
                    is_waiting[i] = false;
                }
                let Some(here) = sources[i] else {
                    continue;
                };
                for target in self.grid.around(i, 1) {
                    if is_waiting[target] {
                        queue.push(self::entry(here.zncc, target, i));
                    }
                }
            }
        }
        waiting
            .iter()
            .copied()
            .filter(|&i| sources[i].is_none())
            .collect()
    }

    /// Tries leftover points from a smooth field through the good points around them, and by
    /// walking to them from the best neighbour in small paces.
    pub(crate) fn rescue(&mut self, mut leftover: Vec<usize>, good: f64) {
        let dispatch = Dispatch::best(self.job.settings.instruction_set);
        for _ in 0..ROUNDS {
            let found: Vec<Option<Match>> = leftover
                .par_iter()
                .map(|&i| {
                    let from_region = self
                        .region_prediction(i, good)
                        .map(|guess| self.quick(dispatch, i, &guess))
                        .filter(|found| good_source(found, good).is_some());
                    from_region.or_else(|| self.walk_to(dispatch, i, good))
                })
                .collect();
            let mut news = false;
            for (&i, found) in leftover.iter().zip(found) {
                if let Some(found) = found {
                    self.keep_better(i, found);
                    news = true;
                }
            }
            leftover.retain(|&i| good_source(&self.matches[i], good).is_none());
            if !news || leftover.is_empty() {
                return;
            }
        }
    }

    /// The affine field that suits the good points around point `i` best, at the point.
    fn region_prediction(&self, i: usize, good: f64) -> Option<Parameters> {
        let (x, y) = self.position(i);
        let links: Vec<(Link, f64)> = self
            .grid
            .window(i, REGION)
            .filter(|&j| good_source(&self.matches[j], good).is_some())
            .map(|j| {
                let (from, there) = (self.position(j), &self.matches[j]);
                let to = (from.0 + there.u(), from.1 + there.v());
                let square = (from.0 - x).powi(2) + (from.1 - y).powi(2);
                (Link { from, to }, there.zncc / square)
            })
            .collect();
        if links.len() < REGION_POINTS {
            return None;
        }
        let map = Affine::fitted((x, y), &links)?;
        Some(map.parameters((x, y)))
    }

    /// Follows the field from the best neighbour to point `i` through subsets between them.
    fn walk_to(&self, dispatch: Dispatch, i: usize, good: f64) -> Option<Match> {
        let best = self
            .grid
            .around(i, 1)
            .filter(|&j| good_source(&self.matches[j], good).is_some())
            .max_by(|&a, &b| self.matches[a].zncc.total_cmp(&self.matches[b].zncc))?;
        let (from, to) = (self.sites[best].centre, self.sites[i].centre);
        let mut p = self.matches[best].p;
        let mut here = from;
        for pace in 1..=PACES {
            let between = |a: usize, b: usize| (a * (PACES - pace) + b * pace) / PACES;
            let next = (between(from.0, to.0), between(from.1, to.1));
            let (dx, dy) = (next.0 as f64 - here.0 as f64, next.1 as f64 - here.1 as f64);
            let guess = recentred(&p, dx, dy);
            if !self.job.rows_are_inside(next, self.sites[i].rows) {
                return None;
            }
            // A subset on the way has the outline of the one at its end.
            let found = self.job.match_at(
                dispatch,
                next,
                self.sites[i].rows,
                &guess,
                self.quick_settings(),
            );
            good_source(&found, CLEAR.min(good))?;
            if pace == PACES {
                return good_source(&found, good).map(|_| found);
            }
            (p, here) = (found.p, next);
        }
        None
    }
}

/// The most reliable entries of the queue, one a target; targets that wait no longer are dropped.
fn next_batch(queue: &mut BinaryHeap<Entry>, is_waiting: &[bool]) -> Vec<Entry> {
    let wanted = BATCH.max(queue.len() / BATCH_PART);
    let mut batch = Vec::with_capacity(wanted);
    let mut taken = HashSet::with_capacity(wanted);
    let mut later = Vec::new();
    while batch.len() < wanted
        && let Some(entry) = queue.pop()
    {
        if !is_waiting[entry.target.0] {
            continue;
        }
        if taken.insert(entry.target.0) {
            batch.push(entry);
        } else {
            later.push(entry);
        }
    }
    queue.extend(later);
    batch
}

fn entry(zncc: f64, target: usize, source: usize) -> Entry {
    Entry {
        reliability: (zncc * 1e9) as i64,
        target: Reverse(target),
        source: Reverse(source),
    }
}

/// What neighbours may start from, if the result is good.
fn good_source(found: &Match, good: f64) -> Option<Source> {
    let is_good = found.status == Status::Converged && found.zncc >= good;
    is_good.then_some(Source {
        p: found.p,
        zncc: found.zncc,
    })
}
