//! A second look at points that correlate badly: other places to start from, and no belief in a
//! low correlation that stands alone.
//!
//! Every step reads the results before it and writes new ones, so that the order in which threads
//! work makes no difference.

use rayon::prelude::*;

use crate::correlate::Job;
use crate::dispatch::Dispatch;
use crate::guess::{rigid, whole, zncc};
use crate::icgn::Match;
use crate::lattice::Lattice;
use crate::phase::Shift;
use crate::settings::InitialGuess;
use crate::shape::{Parameters, displacement_at, recentred};
use crate::status::Status;

/// ZNCC from which a result is believed without the agreement of other points, unless it is
/// clearly below the usual one.
const CLEAR: f64 = 0.8;

/// How far below the usual ZNCC a result is tried again and needs the agreement of a quarter of the
/// points around it.
const DROP: f64 = 0.1;

/// How far below the usual ZNCC a result needs the agreement of half of them.
const FAR_DROP: f64 = 0.2;

/// Share of unexplained points, one in so many, from which the whole picture is correlated.
const WORTH_THE_PICTURE: usize = 50;

/// Points that choose among the displacements of the whole picture.
const JURY: usize = 64;

/// Displacements of the whole picture that every point compares.
const FINALISTS: usize = 4;

/// The median; the lower one of two middle values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    let (_, value, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*value)
}

/// The state of a second look.
struct Look<'a> {
    job: Job<'a>,
    points: &'a [(usize, usize)],
    lattice: Lattice,
    /// Places of the lattice between points whose subsets barely overlap: wrong matches of
    /// overlapping subsets agree with each other.
    stride: usize,
    previous_zncc: Option<f64>,
    matches: Vec<Match>,
}

/// A displacement that neighbours may start from.
#[derive(Clone, Copy)]
struct Source {
    p: Parameters,
    /// Zero for the prediction of a point that has left the picture.
    zncc: f64,
}

impl Job<'_> {
    /// Tries doubtful `matches` again and lowers the status of those that stay incredible.
    ///
    /// `nodes` are the places of the points on the grid, `points` the centres of their subsets;
    /// `previous_zncc` is the ZNCC the series had so far.
    pub(crate) fn second_look(
        &self,
        nodes: &[(usize, usize)],
        points: &[(usize, usize)],
        previous_zncc: Option<f64>,
        matches: Vec<Match>,
    ) -> Vec<Match> {
        if self.settings.initial_guess == InitialGuess::PerSubset {
            return matches;
        }
        let step = self.settings.step_px;
        let mut look = Look {
            job: *self,
            points,
            lattice: Lattice::new(nodes, step),
            stride: self.settings.subset_size_px.div_ceil(step),
            previous_zncc,
            matches,
        };
        let mut unexplained = look.doubtful();
        if unexplained.is_empty() {
            return look.matches;
        }
        let lost = look.median_zncc().is_none_or(|zncc| zncc < CLEAR);
        if !lost {
            let good = look.usual_zncc() - DROP;
            unexplained = look.spread(unexplained, good);
        }
        if lost || unexplained.len() * WORTH_THE_PICTURE >= points.len() {
            look.try_whole_picture(&unexplained);
            // Clear matches first: where most are wrong, the usual ZNCC is that of wrong ones.
            let doubtful = look.doubtful();
            look.spread(doubtful, CLEAR);
            let (doubtful, good) = (look.doubtful(), look.usual_zncc() - DROP);
            look.spread(doubtful, good);
        }
        look.judge();
        look.matches
    }
}

impl Look<'_> {
    fn median_zncc(&self) -> Option<f64> {
        let converged = self
            .matches
            .iter()
            .filter(|found| found.status == Status::Converged);
        median(converged.map(|found| found.zncc).collect())
    }

    /// The ZNCC to be expected of a right match.
    fn usual_zncc(&self) -> f64 {
        let before = self.previous_zncc.unwrap_or(0.0);
        self.median_zncc().unwrap_or(0.0).max(before)
    }

    /// The points worth another try.
    fn doubtful(&self) -> Vec<usize> {
        let usual = self.usual_zncc();
        let is_doubtful = |&i: &usize| match self.matches[i].status {
            Status::Converged => self.matches[i].zncc < usual - DROP || !self.is_credible(i, usual),
            Status::FlatSubset | Status::IllConditioned => false,
            Status::IterationLimit
            | Status::LowCorrelation
            | Status::OutOfImage
            | Status::Diverged => true,
        };
        (0..self.points.len()).filter(is_doubtful).collect()
    }

    /// Whether the ZNCC is clear, or enough of the points around predict the displacement.
    fn is_credible(&self, i: usize, usual: f64) -> bool {
        let here = &self.matches[i];
        if here.zncc >= CLEAR.max(usual - DROP) {
            return true;
        }
        let (mut around, mut agreeing) = (0, 0);
        for j in self.lattice.around(i, self.stride) {
            around += 1;
            let there = &self.matches[j];
            let measured = matches!(
                there.status,
                Status::Converged | Status::LowCorrelation | Status::IterationLimit
            );
            let (dx, dy) = self.between(j, i);
            let (u, v) = displacement_at(&there.p, dx, dy);
            let tolerance = 1.0 + 0.05 * dx.hypot(dy);
            let near = |a: f64, b: f64| (a - b).abs() <= tolerance;
            if measured && near(u, here.p[0]) && near(v, here.p[6]) {
                agreeing += 1;
            }
        }
        let parts = if here.zncc < usual - FAR_DROP { 2 } else { 4 };
        agreeing >= usize::div_ceil(around, parts)
    }

    /// The way from point `from` to point `to` in the reference image, px.
    fn between(&self, from: usize, to: usize) -> (f64, f64) {
        let (a, b) = (self.points[from], self.points[to]);
        (b.0 as f64 - a.0 as f64, b.1 as f64 - a.1 as f64)
    }

    /// Tries `waiting` points from their best neighbour, again and again as good results spread.
    /// Returns the points that are still bad although no neighbour says that they left the picture.
    /// Results below the ZNCC `good` do not spread.
    fn spread(&mut self, mut waiting: Vec<usize>, good: f64) -> Vec<usize> {
        let good_source = |found: &Match| source(found).filter(|here| here.zncc >= good);
        let mut sources: Vec<Option<Source>> = self.matches.iter().map(good_source).collect();
        for &i in &waiting {
            sources[i] = None;
        }
        let mut tried: Vec<Option<usize>> = vec![None; self.points.len()];
        let dispatch = Dispatch::best(self.job.settings.instruction_set);
        loop {
            let tries: Vec<Option<(usize, Parameters, Option<Match>)>> = waiting
                .par_iter()
                .map(|&i| {
                    let (j, guess) = self.prediction(i, &sources)?;
                    if tried[i] == Some(j) {
                        return None;
                    }
                    let inside = self.fits(i, &guess);
                    let found =
                        inside.then(|| self.job.match_from(dispatch, self.points[i], &guess));
                    Some((j, guess, found))
                })
                .collect();
            let mut news = false;
            for (&i, attempt) in waiting.iter().zip(tries) {
                let Some((j, guess, found)) = attempt else {
                    continue;
                };
                tried[i] = Some(j);
                match found {
                    None => {
                        sources[i] = Some(Source {
                            p: guess,
                            zncc: 0.0,
                        });
                    }
                    Some(found) => {
                        self.keep_better(i, found);
                        sources[i] = good_source(&self.matches[i]);
                    }
                }
                news |= sources[i].is_some();
            }
            waiting.retain(|&i| sources[i].is_none());
            if !news {
                return waiting;
            }
        }
    }

    /// The neighbour with the highest ZNCC and the parameters it predicts at point `i`.
    fn prediction(&self, i: usize, sources: &[Option<Source>]) -> Option<(usize, Parameters)> {
        let mut best: Option<(usize, Source)> = None;
        for j in self.lattice.around(i, 1) {
            if let Some(there) = sources[j]
                && best.is_none_or(|(_, other)| there.zncc > other.zncc)
            {
                best = Some((j, there));
            }
        }
        let (j, there) = best?;
        let (dx, dy) = self.between(j, i);
        Some((j, recentred(&there.p, dx, dy)))
    }

    /// Whether the moved square around point `i` lies inside the picture.
    fn fits(&self, i: usize, p: &Parameters) -> bool {
        let half = self.job.settings.half_px() as f64;
        let plane = &self.job.frame.pixels;
        let inside = |centre: f64, n: usize| (half..=n as f64 - 1.0 - half).contains(&centre);
        let (x, y) = self.points[i];
        inside(x as f64 + p[0], plane.width) && inside(y as f64 + p[6], plane.height)
    }

    /// Tries points from the displacement of the whole picture that suits each best.
    fn try_whole_picture(&mut self, doubtful: &[usize]) {
        let shifts = whole(self.job.pictures(), self.job.settings.half_px());
        let jury: Vec<usize> = doubtful
            .iter()
            .copied()
            .step_by(doubtful.len().div_ceil(JURY).max(1))
            .collect();
        let votes: Vec<Option<Shift>> = jury
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
        let finalists: Vec<Shift> = ranked
            .iter()
            .take(FINALISTS)
            .map(|&(_, shift)| shift)
            .collect();
        let dispatch = Dispatch::best(self.job.settings.instruction_set);
        let found: Vec<Option<Match>> = doubtful
            .par_iter()
            .map(|&i| {
                let shift = self.promising(i, &finalists)?;
                Some(self.job.match_from(dispatch, self.points[i], &rigid(shift)))
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
        let here = &self.matches[i];
        let mut best = None;
        let mut highest = match here.status {
            Status::Converged => here.zncc - DROP,
            _ => 0.0,
        };
        for &shift in shifts {
            let half = self.job.settings.half_px();
            let value = zncc(self.job.pictures(), self.points[i], half, shift);
            if value > highest {
                (best, highest) = (Some(shift), value);
            }
        }
        let is_here = |(u, v): Shift| {
            (u as f64 - here.p[0]).abs() <= 1.0 && (v as f64 - here.p[6]).abs() <= 1.0
        };
        best.filter(|&shift| here.status != Status::Converged || !is_here(shift))
    }

    /// Takes a converged result in place of one that has not, or that correlates worse.
    fn keep_better(&mut self, i: usize, found: Match) {
        let here = &mut self.matches[i];
        let is_worse = here.status != Status::Converged || here.zncc < found.zncc;
        if found.status == Status::Converged && is_worse {
            *here = found;
        }
    }

    /// Gives [`Status::LowCorrelation`] to every result that is not credible.
    fn judge(&mut self) {
        let usual = self.usual_zncc();
        let incredible: Vec<usize> = (0..self.points.len())
            .filter(|&i| self.matches[i].status == Status::Converged && !self.is_credible(i, usual))
            .collect();
        for i in incredible {
            self.matches[i].status = Status::LowCorrelation;
        }
    }
}

/// What neighbours may start from, if the result is one.
fn source(found: &Match) -> Option<Source> {
    (found.status == Status::Converged).then_some(Source {
        p: found.p,
        zncc: found.zncc,
    })
}
