//! How the points of a picture are solved: an ordinary start, a cheap test of it, and a second look
//! at points that correlate badly. No low correlation that stands alone is believed.
//!
//! The ordinary start comes first at some points only. Where they fail, the others are not tried
//! in vain: the displacement of the whole picture and pairs of keypoints give places to begin from,
//! and good results spread from there.
//!
//! With [`InitialGuess::CoarseToFine`] most points start between what the middles of the blocks around them
//! found, whatever their own start would have been, and so do the middles of blocks from those of
//! larger ones.
//!
//! Every step reads the results before it and writes new ones, so that the order in which threads
//! work makes no difference.

use rayon::prelude::*;

use crate::dispatch::Dispatch;
use crate::guess::{Tiles, rigid};
use crate::job::{FEWEST_TOGETHER, Job};
use crate::neighbours::PointGrid;
use crate::settings::{InitialGuess, Settings};
use crate::shape::{PARAMETERS, Parameters, displacement, displacement_at, recentred};
use crate::site::Site;
use crate::starts::Starts;
use crate::status::Status;
use crate::task::Match;
use crate::trust::{CLEAR, DROP, median};

/// How far below the usual ZNCC a result needs the agreement of half of them.
const FAR_DROP: f64 = 0.2;

/// Share of unexplained points, one in so many, from which the whole picture is correlated.
const WORTH_THE_PICTURE: usize = 50;

/// Share of unexplained points, one in so many, from which keypoints are searched for.
const WORTH_THE_KEYPOINTS: usize = 20;

/// Places a side of the smallest blocks whose middle is a coarse point; every larger block holds so many
/// a side.
const BLOCK: usize = 3;

/// Side of the largest blocks, in subsets.
const FARTHEST: usize = 4;

/// How far apart the predictions of coarse points may lie that are averaged, px.
const AGREEING_PX: f64 = 0.5;

/// Points that try the ordinary start before the others.
const PROBES: usize = 96;

/// Nearest other probes that a probe is compared with.
const PROBE_NEIGHBOURS: usize = 4;

/// Updates after which an attempt from a prediction is given up.
const QUICK_ITERATIONS: usize = 30;

/// The state of a picture that is being solved.
pub(crate) struct PointSolver<'a> {
    pub(crate) job: Job<'a>,
    pub(crate) sites: &'a [Site<'a>],
    pub(crate) grid: PointGrid,
    /// Places of the grid between points whose subsets barely overlap: wrong matches of
    /// overlapping subsets agree with each other.
    pub(crate) stride: usize,
    pub(crate) previous_zncc: Option<f64>,
    quick_settings: Settings,
    pub(crate) matches: Vec<Match>,
    /// Whether the ordinary start of a point has been tried.
    started: Vec<bool>,
    /// Ordinary starts, as far as they are known.
    starts: Starts<'a>,
    tiles: Tiles<'a>,
}

/// Points between which others start.
struct CoarsePoints {
    /// Places a side of a block.
    side: usize,
    /// Where the parameters of each point stand in `fields`, if it is a coarse point.
    place: Vec<Option<u32>>,
    fields: Vec<Parameters>,
}

impl CoarsePoints {
    /// What the coarse point of the block of point `i` and those next to it in its direction predict there, weighted
    /// as in linear interpolation between them, so that their noise averages out. Coarse points that
    /// predict something else, across a crack perhaps, do not count.
    fn prediction(&self, grid: &PointGrid, sites: &[Site<'_>], i: usize) -> Option<Parameters> {
        let of = |j: usize| {
            let field = &self.fields[self.place[j]? as usize];
            let (from, to) = (sites[j].centre, sites[i].centre);
            let between = |from: usize, to: usize| to as f64 - from as f64;
            Some(recentred(
                field,
                between(from.0, to.0),
                between(from.1, to.1),
            ))
        };
        let coarse_point = grid.block_centre(i, self.side)?;
        let own = of(coarse_point)?;
        let (across, down) = grid.places_between(coarse_point, i);
        let share = |places: isize| places.unsigned_abs() as f64 / self.side as f64;
        let (share_across, share_down) = (share(across), share(down));
        let next = |places: isize| places.signum() * self.side as isize;
        let others = [
            (next(across), 0, share_across * (1.0 - share_down)),
            (0, next(down), (1.0 - share_across) * share_down),
            (next(across), next(down), share_across * share_down),
        ];
        let mut total = (1.0 - share_across) * (1.0 - share_down);
        let mut sum = own.map(|value| total * value);
        for (across, down, weight) in others.into_iter().filter(|other| other.2 > 0.0) {
            let Some(other) = grid.at(coarse_point, across, down).and_then(of) else {
                continue;
            };
            let ([u, v], [own_u, own_v]) = (displacement(&other), displacement(&own));
            let apart = (u - own_u).abs().max((v - own_v).abs());
            if apart <= AGREEING_PX {
                total += weight;
                for (sum, value) in sum.iter_mut().zip(other) {
                    *sum += weight * value;
                }
            }
        }
        Some(sum.map(|value| value / total))
    }
}

/// Solves every point. Phase correlation finds the first parameters that `starts` does not know;
/// `previous_zncc` is the ZNCC that the series had so far.
pub(crate) fn solve(
    job: &Job<'_>,
    sites: &[Site<'_>],
    starts: &Starts<'_>,
    previous_zncc: Option<f64>,
) -> Vec<Match> {
    if job.settings.initial_guess == InitialGuess::PerSubset {
        let starts: Vec<Option<Parameters>> = (0..sites.len()).map(|i| starts.get(i)).collect();
        return job.run(sites, &starts);
    }
    let step = job.settings.step_px;
    let many = |count: usize| (0..count).into_par_iter().with_min_len(1024);
    let nodes: Vec<(usize, usize)> = many(sites.len()).map(|i| sites[i].node).collect();
    let untried = |i: usize| {
        let p = starts.get(i).unwrap_or([0.0; PARAMETERS]);
        Match::without_iteration(p, Status::Diverged)
    };
    let mut solver = PointSolver {
        job: *job,
        sites,
        grid: PointGrid::new(&nodes, step),
        stride: job.settings.side_px().div_ceil(step),
        previous_zncc,
        quick_settings: Settings {
            iteration_limit: job.settings.iteration_limit.min(QUICK_ITERATIONS),
            ..job.settings.clone()
        },
        matches: many(sites.len()).map(untried).collect(),
        started: vec![false; sites.len()],
        starts: *starts,
        tiles: Tiles::new(job.pictures(), job.settings),
    };
    solver.solve();
    solver.matches
}

impl PointSolver<'_> {
    fn solve(&mut self) {
        let all: Vec<usize> = (0..self.sites.len()).collect();
        let apart = all.len().div_ceil(PROBES).max(1);
        let probes: Vec<usize> = all.iter().copied().step_by(apart).collect();
        let kind = self.job.settings.initial_guess;
        match kind {
            InitialGuess::Keypoints => {}
            InitialGuess::PhaseCorrelation | InitialGuess::PerSubset => self.start(&all),
            InitialGuess::PhaseAndKeypoints | InitialGuess::CoarseToFine => {
                self.start(&probes);
                if self.probes_agree(&probes, 2) {
                    if kind == InitialGuess::CoarseToFine {
                        self.start_coarse_to_fine();
                    }
                    self.start(&all);
                }
            }
        }
        let mut unexplained = self.doubtful();
        if unexplained.is_empty() {
            return;
        }
        let has_started = self.started.iter().all(|&started| started);
        let lost = !has_started || self.median_zncc().is_none_or(|zncc| zncc < CLEAR);
        if !lost {
            let good = self.usual_zncc() - DROP;
            unexplained = self.propagate(&unexplained, good);
        }
        let many = |count: usize, part: usize| count * part >= all.len();
        if lost || many(unexplained.len(), WORTH_THE_PICTURE) {
            if kind != InitialGuess::Keypoints {
                if !has_started {
                    self.try_whole_picture(&probes);
                }
                if has_started || self.probes_agree(&probes, 4) {
                    self.try_whole_picture(&unexplained);
                }
                // Clear matches first: where most are wrong, the usual ZNCC is that of wrong ones.
                let doubtful = self.doubtful();
                unexplained = self.propagate(&doubtful, CLEAR);
            }
            if kind != InitialGuess::PhaseCorrelation
                && many(unexplained.len(), WORTH_THE_KEYPOINTS)
            {
                self.try_keypoints(&unexplained);
                let doubtful = self.doubtful();
                self.propagate(&doubtful, CLEAR);
            }
            let doubtful = self.doubtful();
            self.start(&doubtful);
            let (doubtful, good) = (self.doubtful(), self.usual_zncc() - DROP);
            unexplained = self.propagate(&doubtful, good);
        }
        if kind != InitialGuess::PhaseCorrelation {
            let good = self.usual_zncc() - DROP;
            self.rescue(unexplained, good);
        }
        self.reject_incredible();
    }

    /// Tries the ordinary start of those points of which it has not been tried.
    fn start(&mut self, which: &[usize]) {
        let which: Vec<usize> = which
            .iter()
            .copied()
            .filter(|&i| !self.started[i])
            .collect();
        let mut starts: Vec<Option<Parameters>> =
            which.iter().map(|&i| self.starts.get(i)).collect();
        let unknown: Vec<usize> = (0..which.len()).filter(|&k| starts[k].is_none()).collect();
        let centre = |&k: &usize| self.sites[which[k]].centre;
        let places: Vec<(usize, usize)> = unknown.iter().map(centre).collect();
        for (k, shift) in unknown.into_iter().zip(self.tiles.shifts_at(&places)) {
            starts[k] = Some(rigid(shift));
        }
        let sites: Vec<Site<'_>> = which.iter().map(|&i| self.sites[i]).collect();
        let found = self.job.run(&sites, &starts);
        for (i, found) in which.into_iter().zip(found) {
            // What spread to a point before its own start was tried is better explained.
            let is_explained = self.matches[i].status == Status::OutOfImage;
            if !is_explained || found.status == Status::Converged {
                self.keep_better(i, found);
                if self.matches[i].status != Status::Converged {
                    self.matches[i] = found;
                }
            }
            self.started[i] = true;
        }
    }

    /// Starts the points in the middle of large blocks; from the fields of those that match clearly and
    /// agree with the middles of the blocks around, the middles of the blocks within, and so on down
    /// to single points. Middles of blocks of which this finds no clear match start for themselves.
    fn start_coarse_to_fine(&mut self) {
        let settings = self.job.settings;
        if BLOCK * settings.step_px > settings.side_px() {
            return;
        }
        let sides = std::iter::successors(Some(BLOCK), |side| Some(BLOCK * side));
        let largest = FARTHEST * settings.side_px() / settings.step_px;
        let sides: Vec<usize> = sides
            .take_while(|side| *side <= largest.max(BLOCK))
            .collect();
        let mut finer = self.middles(sides[sides.len() - 1]);
        for (k, &side) in sides.iter().enumerate().rev() {
            self.start(&finer);
            finer = match k.checked_sub(1) {
                Some(within) => self.middles(sides[within]),
                None => (0..self.sites.len()).collect(),
            };
            finer.retain(|&i| !self.started[i]);
            self.start_between(side, &finer);
        }
    }

    /// The points in the middle of blocks of so many places a side.
    fn middles(&self, side: usize) -> Vec<usize> {
        let all = (0..self.sites.len()).into_par_iter().with_min_len(1024);
        all.filter(|&i| self.grid.block_centre(i, side) == Some(i))
            .collect()
    }

    /// Starts points between the middles of the blocks around them.
    fn start_between(&mut self, side: usize, finer: &[usize]) {
        let dispatch = Dispatch::best(self.job.settings.instruction_set);
        let least = CLEAR.max(self.usual_zncc() - DROP);
        let is_clear = |found: &Match| found.status == Status::Converged && found.zncc >= least;
        let coarse = self.coarse_points(side, is_clear);
        let mut is_finer = vec![false; self.sites.len()];
        for &i in finer {
            is_finer[i] = true;
        }
        let (job, sites, grid) = (&self.job, self.sites, &self.grid);
        let states = self.matches.par_iter_mut().zip(&mut self.started);
        states
            .enumerate()
            .with_min_len(FEWEST_TOGETHER)
            .for_each_init(
                || job.column_sums(),
                |column_sums, (i, (state, has_started))| {
                    if !is_finer[i] {
                        return;
                    }
                    let Some(guess) = coarse.prediction(grid, sites, i) else {
                        return;
                    };
                    let found = job.match_beside(dispatch, &sites[i], &guess, column_sums);
                    if is_clear(&found) {
                        *state = found;
                        *has_started = true;
                    }
                },
            );
    }

    /// The middles of blocks that match clearly and agree with those around them.
    fn coarse_points(&self, side: usize, is_clear: impl Fn(&Match) -> bool + Sync) -> CoarsePoints {
        let is_coarse = |&i: &usize| {
            // A wrong coarse point would mislead all points around it: those around must agree with it.
            let around = self.grid.around(i, side);
            let clear = around.filter(|&j| is_clear(&self.matches[j]));
            let (clear, agreeing) = clear.fold((0, 0), |(clear, agreeing), j| {
                (clear + 1, agreeing + usize::from(self.predicts(j, i)))
            });
            is_clear(&self.matches[i]) && 2 * agreeing >= clear
        };
        let middles = self.middles(side).into_par_iter().with_min_len(64);
        let coarse: Vec<usize> = middles.filter(is_coarse).collect();
        let mut place = vec![None; self.sites.len()];
        for (field, &i) in coarse.iter().enumerate() {
            place[i] = u32::try_from(field).ok();
        }
        let fields = coarse.iter().map(|&i| self.matches[i].p).collect();
        CoarsePoints {
            side,
            place,
            fields,
        }
    }

    /// Whether one in so many probes, or more, correlates clearly or agrees with the probes around.
    fn probes_agree(&self, probes: &[usize], part: usize) -> bool {
        let with_contrast: Vec<usize> = probes
            .iter()
            .copied()
            .filter(|&i| {
                let status = self.matches[i].status;
                !matches!(
                    status,
                    Status::FlatSubset | Status::IllConditioned | Status::Masked
                )
            })
            .collect();
        let agrees = |&i: &usize| {
            let here = &self.matches[i];
            if here.status == Status::Converged && here.zncc >= CLEAR {
                return true;
            }
            let mut near: Vec<(f64, usize)> = with_contrast
                .iter()
                .filter(|&&j| j != i)
                .map(|&j| {
                    let (dx, dy) = self.between(j, i);
                    (dx.hypot(dy), j)
                })
                .collect();
            near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            near.truncate(PROBE_NEIGHBOURS);
            let agreeing = near.iter().filter(|&&(_, j)| self.predicts(j, i)).count();
            2 * agreeing >= near.len().max(1)
        };
        let agreeing = with_contrast.iter().filter(|i| agrees(i)).count();
        part * agreeing >= with_contrast.len()
    }

    pub(crate) fn quick_settings(&self) -> &Settings {
        &self.quick_settings
    }

    /// Matches point `i` from a prediction that should be near.
    pub(crate) fn quick(&self, dispatch: Dispatch, i: usize, guess: &Parameters) -> Match {
        let site = &self.sites[i];
        self.job.match_at(
            dispatch,
            site.centre,
            site.rows,
            guess,
            &self.quick_settings,
        )
    }

    pub(crate) fn position(&self, i: usize) -> (f64, f64) {
        let (x, y) = self.sites[i].centre;
        (x as f64, y as f64)
    }

    fn median_zncc(&self) -> Option<f64> {
        let all = self.matches.par_iter().with_min_len(1024);
        let converged = all.filter(|found| found.status == Status::Converged);
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
            Status::FlatSubset | Status::IllConditioned | Status::Masked => false,
            Status::IterationLimit
            | Status::LowCorrelation
            | Status::OutOfImage
            | Status::Diverged
            | Status::Uncertain => true,
        };
        (0..self.sites.len())
            .into_par_iter()
            .filter(is_doubtful)
            .collect()
    }

    /// Whether the points next to it do not contradict it, and its ZNCC is clear or enough of the
    /// points around predict the displacement.
    fn is_credible(&self, i: usize, usual: f64) -> bool {
        if self.stands_alone(i) {
            return false;
        }
        let here = &self.matches[i];
        if here.zncc >= CLEAR.max(usual - DROP) {
            return true;
        }
        let (mut around, mut agreeing) = (0, 0);
        for j in self.grid.around(i, self.stride) {
            around += 1;
            agreeing += usize::from(self.predicts(j, i));
        }
        let parts = if here.zncc < usual - FAR_DROP { 2 } else { 4 };
        agreeing >= usize::div_ceil(around, parts)
    }

    /// Whether three of the points next to a point, or more, are clear, and hardly one of them
    /// leads to its displacement: the rim of a plate correlates clearly wherever it lies, and a
    /// subset that has left the picture finds some place inside.
    fn stands_alone(&self, i: usize) -> bool {
        let (mut clear, mut agreeing) = (0, 0);
        for j in self.grid.around(i, 1) {
            let there = &self.matches[j];
            if there.status == Status::Converged && there.zncc >= CLEAR {
                clear += 1;
                agreeing += usize::from(self.predicts(j, i));
            }
        }
        clear >= 3 && 4 * agreeing < clear
    }

    /// Whether the field of point `j` leads to the displacement of point `i`.
    pub(crate) fn predicts(&self, j: usize, i: usize) -> bool {
        let (here, there) = (&self.matches[i], &self.matches[j]);
        let measured = matches!(
            there.status,
            Status::Converged | Status::LowCorrelation | Status::IterationLimit
        );
        let (dx, dy) = self.between(j, i);
        let (u, v) = displacement_at(&there.p, dx, dy);
        let (error_u, error_v) = ((u - here.u()).abs(), (v - here.v()).abs());
        let within = |tolerance: f64| error_u <= tolerance && error_v <= tolerance;
        // Most are so near that the distance need not be known.
        measured && (within(1.0) || within(1.0 + 0.05 * dx.hypot(dy)))
    }

    /// The way from point `from` to point `to` in the reference image, px.
    pub(crate) fn between(&self, from: usize, to: usize) -> (f64, f64) {
        let (a, b) = (self.position(from), self.position(to));
        (b.0 - a.0, b.1 - a.1)
    }

    /// Whether the moved square around point `i` lies inside the picture.
    pub(crate) fn fits(&self, i: usize, p: &Parameters) -> bool {
        let half = match self.sites[i].is_whole(self.job.settings) {
            true => self.job.settings.half_px() as f64,
            false => 0.0,
        };
        let plane = &self.job.frame.pixels;
        let inside = |centre: f64, n: usize| (half..=n as f64 - 1.0 - half).contains(&centre);
        let (x, y) = self.position(i);
        let [u, v] = displacement(p);
        inside(x + u, plane.width) && inside(y + v, plane.height)
    }

    /// Takes a converged result in place of one that has not, or that correlates worse.
    pub(crate) fn keep_better(&mut self, i: usize, found: Match) {
        let here = &mut self.matches[i];
        let is_worse = here.status != Status::Converged || here.zncc < found.zncc;
        if found.status == Status::Converged && is_worse {
            *here = found;
        }
    }

    /// Notes that the neighbours place point `i` outside the picture, unless it was found inside.
    pub(crate) fn place_outside(&mut self, i: usize, p: Parameters) {
        let here = &mut self.matches[i];
        if here.status != Status::Converged && p.iter().all(|value| value.is_finite()) {
            *here = Match::without_iteration(p, Status::OutOfImage);
        }
    }

    /// Gives [`Status::LowCorrelation`] to every result that is not credible.
    fn reject_incredible(&mut self) {
        let usual = self.usual_zncc();
        let incredible: Vec<usize> = (0..self.sites.len())
            .into_par_iter()
            .filter(|&i| self.matches[i].status == Status::Converged && !self.is_credible(i, usual))
            .collect();
        for i in incredible {
            self.matches[i].status = Status::LowCorrelation;
        }
        self.mark_outside(usual);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{affine, moved_by};

    /// Nine coarse points of one affine field, of which one is missing and one says something else.
    #[test]
    fn coarse_points_of_one_field_predict_it_everywhere() {
        let nodes: Vec<(usize, usize)> = (0..81)
            .map(|k| (50 + 4 * (k % 9), 60 + 4 * (k / 9)))
            .collect();
        let grid = PointGrid::new(&nodes, 4);
        let site = |&node: &(usize, usize)| Site {
            node,
            centre: node,
            rows: &[],
        };
        let sites: Vec<Site<'_>> = nodes.iter().map(site).collect();
        let field = affine([3.0, 0.02, -0.01], [-1.5, 0.03, 0.04]);
        let at = |i: usize| recentred(&field, nodes[i].0 as f64, nodes[i].1 as f64);
        let mut coarse = CoarsePoints {
            side: 3,
            place: vec![None; 81],
            fields: Vec::new(),
        };
        let middles = (0..81).filter(|&i| grid.block_centre(i, 3) == Some(i));
        for (k, i) in middles.enumerate() {
            let mut own = at(i);
            match k {
                4 => continue,
                8 => own = moved_by(&own, [2.0 * AGREEING_PX, 0.0]),
                _ => {}
            }
            coarse.place[i] = u32::try_from(coarse.fields.len()).ok();
            coarse.fields.push(own);
        }
        for i in 0..81 {
            let block = (i % 9 / 3, i / 27);
            let found = coarse.prediction(&grid, &sites, i);
            let [u, _] = displacement(&at(i));
            match block {
                (1, 1) => assert_eq!(found, None),
                (2, 2) => assert!(found.is_some_and(|p| displacement(&p)[0] - u > AGREEING_PX)),
                _ => {
                    let found = found.expect("a prediction");
                    for (got, expected) in found.iter().zip(at(i)) {
                        assert!((got - expected).abs() < 1e-9, "{i}: {got} {expected}");
                    }
                }
            }
        }
    }
}
