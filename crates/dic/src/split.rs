//! Subsets across which the displacement jumps: they are divided, and the part on the side of the
//! centre is matched alone.
//!
//! A point is a *candidate* if the fields of the points to its two sides contradict each other there
//! by much more than is usual in the picture, or if it failed between points that did not, and some
//! of its neighbours do so, too. For a candidate the fields of either side, taken from points whose subsets do not reach it, lead to a
//! [dividing line](crate::boundary); both parts are matched from there, and line and parts improve
//! each other. Pixels next to the line belong to neither part, because filter and interpolation mix
//! the two sides there.
//!
//! The subset is divided only if two parts leave a significantly smaller sum of squares than one
//! field over the same pixels, be it of the order asked for or of second order: curvature alone
//! divides nothing. The part must also correlate as well as whole subsets do and agree with the
//! points on its side, and subsets around must have been divided along the same line. All of them
//! say together on which side of it the centre lies.
//!
//! Every candidate is judged by results of whole subsets alone, so that the order in which threads
//! work makes no difference. A picture without a candidate pays for the comparison of its points.
//!
//! # Source
//! The idea to divide a subset along a line and to match the part of its centre: Poissant &
//! Barthelat 2010, doi:10.1007/s11340-009-9220-2. How candidates, line and significance are found
//! is our own.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::border_subsets::kept_rows;
use crate::boundary::{Line, Pixels, Side};
use crate::dispatch::Dispatch;
use crate::gaussian::GaussianFilter;
use crate::job::Job;
use crate::neighbours::PointGrid;
use crate::part::{Cut, Part};
use crate::settings::{Settings, ShapeOrder};
use crate::shape::{Parameters, displacement, displacement_at, recentred};
use crate::site::Site;
use crate::status::Status;
use crate::subset::{SubsetRow, pixel_count};
use crate::task::Match;
use crate::trust::{CLEAR, DROP, median};

/// Contradiction from which a point is a candidate, as a multiple of the median one.
pub(crate) const UNUSUAL: f64 = 6.0;

/// Smallest jump that divides a subset, px.
pub(crate) const LEAST_JUMP: f64 = 0.02;

/// Candidates at most, one in so many points: where there are more, the largest contradictions.
const MOST_CANDIDATES: usize = 3;

/// Neighbours, of eight, that must be candidates beside a point: a jump shows over half a subset to
/// its two sides, a single bad result only in lines through it.
const LEAST_AROUND: usize = 3;

/// Smallest share of a subset on either side of the line.
const LEAST_SHARE: f64 = 0.04;

/// Smallest share of a subset that a matched part may have.
const LEAST_PART: f64 = 0.2;

/// Improvements of line and parts.
const ROUNDS: usize = 3;

/// By how many noise variances two parts must leave less than one field. They have eight more
/// unknowns, and the line was chosen among many.
const SIGNIFICANT: f64 = 20.0;

/// By how much of the jump a part may differ from the field that led to it, beside the smallest
/// jump.
const LARGEST_ERROR: f64 = 0.5;

/// Part of the jump that must be left between fields of second order: two planes through a
/// continuous bend disagree where they meet, too.
const LEAST_REMAINDER: f64 = 0.5;

/// How large `1 − ZNCC` of a part may be: so many times that of good points, and so much beyond it.
const LARGEST_REST: (f64, f64) = (3.0, 2e-4);

/// Distance between lines of neighbouring subsets that count as one, px.
const SAME_LINE_PX: f64 = 4.0;

/// Subsets that must be divided along a line beside the one in question, or as many as lie side by
/// side in half a subset: a discontinuity has a length.
const COMPANIONS: usize = 2;

/// Share of these lines that must say on which side a centre lies, as a fraction.
const MAJORITY: (usize, usize) = (3, 4);

/// Standard deviations of the filter within which the sides of a line are mixed.
const MIXED: f64 = 1.4;

/// Opposite directions in which points are compared, in places of the grid.
const DIRECTIONS: [(isize, isize); 4] = [(1, 0), (0, 1), (1, 1), (1, -1)];

/// Divides the subsets that need it; the parts by the index of their point.
pub(crate) fn split(job: &Job<'_>, sites: &[Site<'_>], matches: &[Match]) -> BTreeMap<usize, Part> {
    let converged = || matches.iter().filter(|m| m.status == Status::Converged);
    let Some(usual) = median(converged().map(|m| m.zncc).collect()) else {
        return BTreeMap::new();
    };
    // The better half of the points, and its middle: on a field that bends more than subsets can
    // follow, the median is that of misfits.
    let better = converged().map(|m| m.zncc).filter(|zncc| *zncc >= usual);
    let clear = median(better.collect()).unwrap_or(usual);
    let settings = job.settings;
    let nodes: Vec<(usize, usize)> = sites.iter().map(|site| site.node).collect();
    let scan = Scan {
        job,
        sites,
        matches,
        grid: PointGrid::new(&nodes, settings.step_px),
        near: settings.side_px().div_ceil(2 * settings.step_px) as isize,
        far: settings.side_px().div_ceil(settings.step_px) as isize,
        usual,
        clear,
        significant: SIGNIFICANT * noise_gain(settings),
        band: 1.0 + settings.prefilter.map_or(0.0, reach_of),
        reach: settings.prefilter.map_or(0, |filter| filter.window_px / 2),
    };
    let candidates = scan.candidates();
    if candidates.is_empty() {
        return BTreeMap::new();
    }
    let mut is_candidate = vec![false; sites.len()];
    for &i in &candidates {
        is_candidate[i] = true;
    }
    let found: Vec<Option<Division>> = candidates
        .par_iter()
        .map(|&i| scan.division(i, &is_candidate))
        .collect();
    let mut divisions: Vec<Option<Division>> = sites.iter().map(|_| None).collect();
    for (&i, division) in candidates.iter().zip(found) {
        divisions[i] = division;
    }
    scan.extend(&mut divisions);
    let sides = (0..sites.len()).map(|i| scan.side(i, &divisions));
    let sides: Vec<Option<Side>> = sides.collect();
    let chosen = sides.into_iter().enumerate();
    chosen
        .filter_map(|(i, side)| {
            let Division { a, b, .. } = divisions[i].take()?;
            let part = match side? {
                Side::A => a,
                Side::B => b,
            };
            part.map(|part| (i, part))
        })
        .collect()
}

/// How far from a line a filter mixes its sides noticeably, px.
fn reach_of(filter: GaussianFilter) -> f64 {
    (MIXED * filter.sigma_px).ceil()
}

/// Power of filtered white noise at low frequencies over its variance: sums over many pixels vary
/// more by this factor than those of white noise do.
fn noise_gain(settings: &Settings) -> f64 {
    settings.prefilter.map_or(1.0, |filter| {
        let weights = filter.weights();
        let squares = weights.iter().map(|w| f64::from(w * w)).sum::<f64>();
        1.0 / (squares * squares)
    })
}

/// A solved picture in which discontinuities are looked for.
struct Scan<'a> {
    job: &'a Job<'a>,
    sites: &'a [Site<'a>],
    matches: &'a [Match],
    grid: PointGrid,
    /// Places of the grid over half a subset, and over a whole one.
    near: isize,
    far: isize,
    /// Median ZNCC.
    usual: f64,
    /// The ZNCC that a quarter of the points exceed.
    clear: f64,
    significant: f64,
    /// Distance from the line within which pixels belong to neither part, px.
    band: f64,
    /// How far the filter reaches, px.
    reach: usize,
}

/// A subset that two parts explain better than one.
struct Division {
    line: Line,
    fields: Fields,
    /// The parts that are large enough.
    a: Option<Part>,
    b: Option<Part>,
}

/// The parameters of the fields on the two sides, at the point between.
type Fields = (Parameters, Parameters);

impl Scan<'_> {
    fn position(&self, i: usize) -> (f64, f64) {
        let (x, y) = self.sites[i].centre;
        (x as f64, y as f64)
    }

    /// Whether the field of a point may lead to others.
    fn is_good(&self, i: usize) -> bool {
        let here = &self.matches[i];
        here.status == Status::Converged && here.zncc >= CLEAR.min(self.usual - DROP)
    }

    /// The field of point `j` at point `i`.
    fn predicted(&self, j: usize, i: usize) -> Parameters {
        let (from, to) = (self.position(j), self.position(i));
        recentred(&self.matches[j].p, to.0 - from.0, to.1 - from.1)
    }

    /// By how much two fields disagree at the point, px.
    fn contradiction(fields: &Fields) -> f64 {
        let ([u, v], [other_u, other_v]) = (displacement(&fields.0), displacement(&fields.1));
        (u - other_u).hypot(v - other_v)
    }

    /// How far the points at `near` places to both sides of point `i` contradict each other in each
    /// direction, squared.
    fn contradictions(&self, i: usize) -> [Option<f64>; 4] {
        DIRECTIONS.map(|(across, down)| {
            let at = |k: isize| self.grid.at(i, k * across, k * down);
            let (a, b) = at(-self.near).zip(at(self.near))?;
            let measured = |j: usize| self.matches[j].status == Status::Converged;
            let predicted = |j: usize| {
                let (from, to) = (self.position(j), self.position(i));
                displacement_at(&self.matches[j].p, to.0 - from.0, to.1 - from.1)
            };
            (measured(a) && measured(b)).then(|| {
                let (a, b) = (predicted(a), predicted(b));
                (a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)
            })
        })
    }

    /// The points across whose subset the displacement may jump, in their order.
    fn candidates(&self) -> Vec<usize> {
        let n = self.sites.len();
        let all: Vec<[Option<f64>; 4]> = (0..n)
            .into_par_iter()
            .with_min_len(256)
            .map(|i| self.contradictions(i))
            .collect();
        let mut usual = [0.0; 4];
        usual.par_iter_mut().enumerate().for_each(|(k, usual)| {
            let values = all.iter().filter_map(|each| each[k]);
            *usual = median(values.collect())
                .unwrap_or(0.0)
                .max((LEAST_JUMP / UNUSUAL).powi(2));
        });
        let mut found: Vec<(f64, usize)> = (0..n)
            .into_par_iter()
            .with_min_len(256)
            .filter_map(|i| {
                let failed = matches!(
                    self.matches[i].status,
                    Status::LowCorrelation | Status::IterationLimit | Status::Diverged
                );
                let largest = all[i]
                    .iter()
                    .zip(usual)
                    .filter_map(|(value, usual)| value.map(|value| value / usual))
                    .fold(0.0, f64::max);
                let strength = if failed { f64::INFINITY } else { largest };
                (strength > UNUSUAL.powi(2)).then_some((strength, i))
            })
            .collect();
        let mut is_found = vec![false; n];
        for &(_, i) in &found {
            is_found[i] = true;
        }
        found.retain(|&(_, i)| {
            let around = self.grid.around(i, 1);
            around.filter(|&j| is_found[j]).count() >= LEAST_AROUND
        });
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(n.div_ceil(MOST_CANDIDATES));
        let mut found: Vec<usize> = found.into_iter().map(|(_, i)| i).collect();
        found.sort_unstable();
        found
    }

    /// The fields on two opposite sides of point `i` that contradict each other most, each from the
    /// nearest good point in its direction that is no candidate itself.
    fn fields(&self, i: usize, is_candidate: &[bool]) -> Option<Fields> {
        let from = |across: isize, down: isize| {
            let at = |k: isize| self.grid.at(i, k * across, k * down);
            let good = |range: &mut dyn Iterator<Item = isize>, even_candidates: bool| {
                range
                    .filter_map(at)
                    .find(|&j| self.is_good(j) && (even_candidates || !is_candidate[j]))
            };
            let beyond = good(&mut (self.near..=2 * self.far), false);
            beyond
                .or_else(|| good(&mut (self.near..=self.far).rev(), true))
                .map(|j| self.predicted(j, i))
        };
        let pairs = DIRECTIONS.iter().filter_map(|&(across, down)| {
            let fields = (from(-across, -down)?, from(across, down)?);
            // Along a diagonal the way is longer, and the fields are predicted less well.
            let trust = if across * down == 0 { 1.0 } else { 0.8 };
            Some((trust * Self::contradiction(&fields), fields))
        });
        let best = pairs.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 >= LEAST_JUMP).then_some(best.1)
    }

    /// Lets lines go on to points next to those that they divide, candidates or not.
    fn extend(&self, divisions: &mut [Option<Division>]) {
        let mut tried: Vec<bool> = divisions.iter().map(Option::is_some).collect();
        let mut ends: Vec<usize> = (0..tried.len()).filter(|&i| tried[i]).collect();
        while !ends.is_empty() {
            let mut next: Vec<usize> = ends
                .iter()
                .flat_map(|&j| self.grid.around(j, 1))
                .filter(|&i| !tried[i])
                .collect();
            next.sort_unstable();
            next.dedup();
            let found: Vec<Option<Division>> = next
                .par_iter()
                .map(|&i| {
                    let (known, line) = self.nearest_line(i, divisions)?;
                    let (dx, dy) = self.way(known, i);
                    let predicted = |p: &Parameters| recentred(p, f64::from(dx), f64::from(dy));
                    let fields = &divisions[known].as_ref()?.fields;
                    self.refined(i, (predicted(&fields.0), predicted(&fields.1)), line)
                })
                .collect();
            ends.clear();
            for (i, found) in next.into_iter().zip(found) {
                tried[i] = true;
                if found.is_some() {
                    divisions[i] = found;
                    ends.push(i);
                }
            }
        }
    }

    /// The line of a point next to point `i` that comes nearest to it, as seen from there, if it
    /// cuts the subset.
    fn nearest_line(&self, i: usize, divisions: &[Option<Division>]) -> Option<(usize, Line)> {
        let lines = self.grid.around(i, 1).filter_map(|j| {
            let line = divisions[j].as_ref()?.line.from(self.way(j, i));
            Some((line.distance((0, 0)).abs(), j, line))
        });
        let nearest = lines.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?;
        let reach = self.job.settings.half_px() as f64 * std::f64::consts::SQRT_2;
        (nearest.0 < reach).then_some((nearest.1, nearest.2))
    }

    /// The way between two points, px.
    fn way(&self, from: usize, to: usize) -> (i32, i32) {
        let (a, b) = (self.sites[from].centre, self.sites[to].centre);
        (b.0 as i32 - a.0 as i32, b.1 as i32 - a.1 as i32)
    }

    /// The line and the parts of the subset, if it is to be divided, from the points around.
    fn division(&self, i: usize, is_candidate: &[bool]) -> Option<Division> {
        let seeds = self.fields(i, is_candidate)?;
        let rows = self.clear_rows(i);
        let site = Site {
            rows: &rows,
            ..self.sites[i]
        };
        let coarse = Pixels::new(self.job, &site, 2);
        let of = |p: &Parameters| coarse.residuals(self.job, &site, p, |_| true);
        let line = coarse.best_line(&of(&seeds.0), &of(&seeds.1), LEAST_SHARE)?;
        self.refined(i, seeds, line)
    }

    /// As [`division`](Self::division), from a line and the fields on its sides.
    fn refined(&self, i: usize, seeds: Fields, mut line: Line) -> Option<Division> {
        let rows = self.clear_rows(i);
        let site = &Site {
            rows: &rows,
            ..self.sites[i]
        };
        let dispatch = Dispatch::best(self.job.settings.instruction_set);
        let pixels = Pixels::new(self.job, site, 1);
        let mut halves = self.halves(dispatch, site, line, &seeds)?;
        for _ in 1..ROUNDS {
            let fields = (halves.0.found.p, halves.1.found.p);
            let on = |side: Side| move |place: (i32, i32)| line.side(place) == side;
            let a = pixels.residuals(self.job, site, &fields.0, on(Side::A));
            let b = pixels.residuals(self.job, site, &fields.1, on(Side::B));
            let next = pixels.better_line(line, &a, &b, LEAST_SHARE)?;
            if next == line {
                break;
            }
            line = next;
            halves = self.halves(dispatch, site, line, &fields)?;
        }
        let is_sliver = |part: &Part| Self::share(part, site) < LEAST_PART;
        if !self.is_believed(&halves.0) || !self.is_believed(&halves.1) {
            return None;
        }
        if !self.is_significant(i, site, &pixels, line, &halves, &seeds) {
            return None;
        }
        let (a, b) = halves;
        let fields = (a.found.p, b.found.p);
        let usable = |part: Part| (!is_sliver(&part)).then_some(part);
        Some(Division {
            line,
            fields,
            a: usable(a),
            b: usable(b),
        })
    }

    /// The side on which the centre of a divided subset lies, by its own line and those of the
    /// subsets around that were divided along the same one; `None` where hardly another was, and
    /// where they do not agree.
    fn side(&self, i: usize, divisions: &[Option<Division>]) -> Option<Side> {
        let own = divisions[i].as_ref()?.line;
        let here = own.distance((0, 0));
        let mut distances = vec![here];
        for j in self.grid.window(i, self.near as usize) {
            let Some(line) = divisions[j]
                .as_ref()
                .and_then(|other| other.line.along(&own))
            else {
                continue;
            };
            let distance = line.distance(self.way(j, i));
            if (distance - here).abs() <= SAME_LINE_PX {
                distances.push(distance);
            }
        }
        if distances.len() <= COMPANIONS.max(self.near as usize) {
            return None;
        }
        let on_a = distances.iter().filter(|distance| **distance < 0.0).count();
        let all = distances.len();
        if MAJORITY.0 * all <= MAJORITY.1 * on_a {
            Some(Side::A)
        } else if MAJORITY.0 * all <= MAJORITY.1 * (all - on_a) {
            Some(Side::B)
        } else {
            None
        }
    }

    /// The pixels of a subset that the border of the picture has not changed: the filter repeats what
    /// lies there.
    fn clear_rows(&self, i: usize) -> Vec<SubsetRow> {
        let site = &self.sites[i];
        let plane = &self.job.frame.pixels;
        let reach = self.reach as i32;
        let clear = |at: usize, shift: i32, n: usize| {
            let place = at as i32 + shift;
            place >= reach && place < n as i32 - reach
        };
        kept_rows(site.rows, |dx, dy| {
            clear(site.centre.0, dx, plane.width) && clear(site.centre.1, dy, plane.height)
        })
    }

    /// The pixels of a side that are not next to the line.
    fn rows(&self, site: &Site<'_>, line: Line, side: Side) -> Vec<SubsetRow> {
        kept_rows(site.rows, |dx, dy| {
            let distance = line.distance((dx, dy));
            line.side((dx, dy)) == side && distance.abs() >= self.band
        })
    }

    /// Both parts, matched from the fields of their sides.
    fn halves(
        &self,
        dispatch: Dispatch,
        site: &Site<'_>,
        line: Line,
        fields: &Fields,
    ) -> Option<(Part, Part)> {
        let half = |side: Side, guess: &Parameters| {
            let rows = self.rows(site, line, side);
            if rows.is_empty() {
                return None;
            }
            let found = self
                .job
                .match_at(dispatch, site.centre, &rows, guess, self.job.settings);
            // A sliver may not hold all parameters; the field that led to it stands for it.
            let found = match found.status {
                Status::Converged => found,
                status => Match::without_iteration(*guess, status),
            };
            Some(Part {
                cut: Cut::Split,
                rows,
                found,
            })
        };
        Some((half(Side::A, &fields.0)?, half(Side::B, &fields.1)?))
    }

    /// Whether two parts explain the pixels so much better than one field, and disagree where they
    /// meet, also where they may bend, while each keeps to its side.
    fn is_significant(
        &self,
        i: usize,
        site: &Site<'_>,
        pixels: &Pixels,
        line: Line,
        (a, b): &(Part, Part),
        seeds: &Fields,
    ) -> bool {
        let dispatch = Dispatch::best(self.job.settings.instruction_set);
        let band = self.band;
        let of = |side: Side| {
            move |place: (i32, i32)| line.side(place) == side && line.distance(place).abs() >= band
        };
        let rest = |part: &Part, side: Side| {
            let (energy, count) = pixels.energy(of(side));
            let squares = match part.found.status {
                Status::Converged => 2.0 * (1.0 - part.found.zncc) * energy,
                _ => {
                    let own = of(side);
                    let all = pixels.residuals(self.job, site, &part.found.p, own);
                    let each = pixels.places.iter().zip(all);
                    each.filter(|(place, _)| own(**place)).map(|(_, r)| r).sum()
                }
            };
            (squares, count)
        };
        let ((rest_a, count_a), (rest_b, count_b)) = (rest(a, Side::A), rest(b, Side::B));
        let divided = rest_a + rest_b;
        let both = |place: (i32, i32)| line.distance(place).abs() >= band;
        let (energy, _) = pixels.energy(both);
        let rows = kept_rows(site.rows, |dx, dy| both((dx, dy)));
        let mut whole = f64::INFINITY;
        for shape_order in [self.job.settings.shape_order, ShapeOrder::Two] {
            let settings = Settings {
                shape_order,
                ..self.job.settings.clone()
            };
            for guess in [&self.matches[i].p, &a.found.p, &b.found.p] {
                let found = self
                    .job
                    .match_at(dispatch, site.centre, &rows, guess, &settings);
                if matches!(found.status, Status::Converged | Status::IterationLimit) {
                    whole = whole.min(2.0 * (1.0 - found.zncc) * energy);
                    break;
                }
            }
        }
        let variance = divided / (count_a + count_b) as f64;
        let near = pixels
            .places
            .iter()
            .filter(|p| line.distance(**p).abs() <= band);
        let (n, x, y) = near.fold((0.0, 0.0, 0.0), |(n, x, y), place| {
            (n + 1.0, x + f64::from(place.0), y + f64::from(place.1))
        });
        let (x, y) = (x / n, y / n);
        let jump = |a: &Parameters, b: &Parameters| {
            let (from, to) = (displacement_at(a, x, y), displacement_at(b, x, y));
            (to.0 - from.0, to.1 - from.1)
        };
        let first = jump(&a.found.p, &b.found.p);
        let size = first.0.hypot(first.1);
        if !(whole - divided > self.significant * variance && size >= LEAST_JUMP) {
            return false;
        }
        let keeps = |part: &Part, seed: &Parameters| {
            let [u, v] = displacement(seed);
            let error = (part.found.u() - u).hypot(part.found.v() - v);
            error <= LARGEST_ERROR * size + LEAST_JUMP
        };
        if !(keeps(a, &seeds.0) && keeps(b, &seeds.1)) {
            return false;
        }
        let bent = Settings {
            shape_order: ShapeOrder::Two,
            ..self.job.settings.clone()
        };
        let bend = |part: &Part| {
            let found = self
                .job
                .match_at(dispatch, site.centre, &part.rows, &part.found.p, &bent);
            if found.status == Status::Converged {
                found.p
            } else {
                part.found.p
            }
        };
        let second = jump(&bend(a), &bend(b));
        (first.0 * second.0 + first.1 * second.1) >= LEAST_REMAINDER * size * size
    }

    /// Whether a part correlates as whole subsets do.
    fn is_believed(&self, part: &Part) -> bool {
        let (factor, beyond) = LARGEST_REST;
        let rest = 1.0 - part.found.zncc;
        part.found.status == Status::Converged && rest <= factor * (1.0 - self.clear) + beyond
    }

    /// The share of a subset that a part is.
    fn share(part: &Part, site: &Site<'_>) -> f64 {
        pixel_count(&part.rows) as f64 / pixel_count(site.rows) as f64
    }
}
