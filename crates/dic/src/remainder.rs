//! What the residual of a subset says of the error at its centre.
//!
//! Where all pixels move as the shape function says, the residual is noise. Where they do not, as at a bend, a crack
//! or a body that stands still beside the specimen, it holds `∇f · δ` with what is left of the motion, `δ`. The shape
//! function and the next even degree of `x` and `y`, fitted to it together, place the centre elsewhere than the shape
//! function alone does: by the error of the match, as far as that degree follows the motion.
//!
//! Subsets overlap, and every pixel is looked at about once: each point sums the pixels of a *cell* around it under its
//! own parameters. Where all cells of a subset are there, the fit is a sum of them with known weights, for a texture
//! that is the same everywhere. Where some are missing or the subset is cut, the cells are summed anew and the
//! fit is made, if the subset correlates worse than most do.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::cholesky::Cholesky;
use crate::dispatch::Dispatch;
use crate::job::{FEWEST_TOGETHER, Job};
use crate::neighbours::PointGrid;
use crate::pair::Offsets;
use crate::settings::{Settings, ShapeOrder};
use crate::shape::{
    PARAMETERS, Parameters, deformation_gradient, displacement, displacement_at, recentred,
};
use crate::site::Site;
use crate::status::Status;
use crate::subset::{SubsetRow, pixel_count, subset_rows};
use crate::task::Match;
use crate::trust::median;
use crate::uncertainty::gradient_scale;

/// Cells over the width of a subset, where the step allows it.
const CELLS: f64 = 8.0;

/// How large `1 − ZNCC` is, by its median, where a subset without all its cells is looked at.
const UNUSUAL: f64 = 1.5;

/// What a subset leaves of the motion of its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Remainder {
    /// By how much `u` and `v` are too large, px.
    pub(crate) error: [f64; 2],
    /// Variance of these by noise alone, over that of `u` and `v`.
    pub(crate) noise: [f64; 2],
}

/// Monomials of the shape function and of the next even degree.
const MOST: usize = 11;

/// Sums over the pixels of a cell, under the parameters of a point.
struct Cell {
    /// The number of pixels, `Σ f`, `Σ f²`, `Σ g` and `Σ f g`; `Σ f_x²`, `Σ f_x f_y` and `Σ f_y²`.
    even: [f64; 8],
    /// `Σ ∇f`, `Σ ∇f f` and `Σ ∇f g`; the displacement of the point.
    odd: [f64; 8],
}

/// A cell of a whole subset: its places across and down, the share of it that lies in the subset, and what a unit of
/// motion left there moves the centre by.
struct Share {
    at: (isize, isize),
    share: f64,
    moves: f64,
}

/// A solved pair of images and its cells.
struct PairCells<'a> {
    job: &'a Job<'a>,
    sites: &'a [Site<'a>],
    matches: &'a [Match],
    /// What is left of subsets that this pair cut, by the index of their point.
    parts: &'a BTreeMap<usize, Vec<SubsetRow>>,
    grid: PointGrid,
    dispatch: Dispatch,
    /// Side of a cell in places of the grid, and in px.
    places: usize,
    side: usize,
    /// Pixels of a whole subset.
    whole: usize,
}

/// The remainder of every point, in the order of `sites`; `None` where it did not converge.
pub(crate) fn remainders(
    job: &Job<'_>,
    sites: &[Site<'_>],
    matches: &[Match],
    parts: &BTreeMap<usize, Vec<SubsetRow>>,
) -> Vec<Option<Remainder>> {
    let settings = job.settings;
    let (size, step) = (settings.side_px(), settings.step_px);
    let places = ((size as f64 / (CELLS * step as f64)).round() as usize).max(1);
    let side = places * step;
    let converged = matches.iter().filter(|m| m.status == Status::Converged);
    let usual = median(converged.map(|m| 1.0 - m.zncc).collect());
    let shares = shares(settings, side).filter(|_| 3 * side <= 2 * size);
    let Some((usual, (shares, noise))) = usual.zip(shares) else {
        return vec![None; sites.len()];
    };
    let nodes: Vec<(usize, usize)> = sites.iter().map(|site| site.node).collect();
    let pair_cells = PairCells {
        job,
        sites,
        matches,
        parts,
        grid: PointGrid::new(&nodes, step),
        dispatch: Dispatch::best(settings.instruction_set),
        places,
        side,
        whole: pixel_count(&subset_rows(size, settings.subset_shape)),
    };
    let points = || {
        let all = (0..sites.len()).into_par_iter();
        all.with_min_len(FEWEST_TOGETHER)
    };
    let full = (side * side) as f64;
    let own = |i: usize| {
        let is_whole = matches[i].status == Status::Converged && !parts.contains_key(&i);
        let cell = || pair_cells.cell(sites[i].centre, sites[i].rows, (0, 0), &matches[i].p);
        is_whole.then(cell)?.filter(|cell| cell.even[0] == full)
    };
    let cells: Vec<Option<Cell>> = points().map(own).collect();
    let of = |i: usize| {
        let found = &matches[i];
        if found.status != Status::Converged {
            return None;
        }
        let quick = pair_cells
            .by_cells(&cells, &shares, i)
            .map(|error| (error, noise));
        let is_unusual = 1.0 - found.zncc > UNUSUAL * usual;
        let (error, noise) = match quick {
            None if is_unusual => pair_cells.fitted(i)?,
            quick => quick.unwrap_or(([0.0; 2], noise)),
        };
        Some(Remainder { error, noise })
    };
    points().map(of).collect()
}

/// The cells of a whole subset, and the variance of what they say by noise over that of the match.
fn shares(settings: &Settings, side_px: usize) -> Option<(Vec<Share>, [f64; 2])> {
    let half = settings.half_px() as f64;
    let rows = subset_rows(settings.side_px(), settings.subset_shape);
    let side = side_px as f64;
    let reach = (half / side + 0.5).ceil() as isize;
    let aside = middle(side_px);
    let common = |t: f64| {
        let (from, to) = (t - 0.5 * side, t + 0.5 * side);
        ((to.min(half + 0.5) - from.max(-half - 0.5)) / side).max(0.0)
    };
    let mut sums = Sums::new(settings.shape_order);
    sums.grey = [1.0, 0.0, 1.0, 0.0, 1.0];
    let mut places = Vec::new();
    for down in -reach..=reach {
        for across in -reach..=reach {
            let (x, y) = (across as f64 * side + aside, down as f64 * side + aside);
            let row = rows.iter().find(|row| row.dy == y as i32);
            let holds = row.is_none_or(|row| (row.first..=row.last).contains(&(x as i32)));
            let is_square = row.is_none_or(|row| row.last == half as i32);
            let share = if holds || is_square {
                common(x) * common(y)
            } else {
                0.0
            };
            if share > 0.0 {
                let place = (x / half, y / half);
                let texture = Cell {
                    even: [0.0, 0.0, 0.0, 0.0, 0.0, share, 0.0, share],
                    odd: [0.0; 8],
                };
                sums.add(&texture, [0.0; 2], place, side / half);
                places.push(((across, down), share, place));
            }
        }
    }
    let (_, noise) = sums.at_centre()?;
    let each = places.into_iter().map(|(at, share, place)| {
        sums.gradient = [[[0.0; MOST]; 2]; 3];
        let moving = Cell {
            even: [0.0; 8],
            odd: [0.0, 0.0, 0.0, 0.0, share, 0.0, 0.0, 0.0],
        };
        sums.add(&moving, [0.0; 2], place, side / half);
        let moves = sums.at_centre()?.0[0];
        Some(Share { at, share, moves })
    });
    Some((each.collect::<Option<Vec<Share>>>()?, noise))
}

/// How far the middle of a cell lies from the pixel that it is around, px.
fn middle(side_px: usize) -> f64 {
    if side_px.is_multiple_of(2) { 0.5 } else { 0.0 }
}

impl PairCells<'_> {
    /// The sums over those of some pixels around a centre that lie in the cell `at` columns and rows from it.
    fn cell(
        &self,
        centre: (usize, usize),
        rows: &[SubsetRow],
        at: (i32, i32),
        p: &Parameters,
    ) -> Option<Cell> {
        let side = self.side as i32;
        let (least, most) = (-(side - 1) / 2, side / 2);
        let cut = |row: &SubsetRow| SubsetRow {
            first: row.first.max(at.0 + least),
            last: row.last.min(at.0 + most),
            ..*row
        };
        let lines = at.1 + least..=at.1 + most;
        let near = rows.iter().filter(|row| lines.contains(&row.dy)).map(cut);
        let rows: Vec<SubsetRow> = near.filter(|row| row.first <= row.last).collect();
        if rows.is_empty() {
            return None;
        }
        let settings = self.job.settings;
        let pair = self.job.pair(centre, &rows);
        let offset = self.job.frame.mean;
        let offsets = Offsets {
            reference: offset,
            deformed: offset,
        };
        let of_f = self.dispatch.moments(&pair, ShapeOrder::Zero, None);
        let of_g = self
            .dispatch
            .products(&pair, settings.shape_order, offsets, p)?;
        let scale = gradient_scale(settings.gradient);
        let count = pixel_count(&rows) as f64;
        let mean = of_f.mean - f64::from(offset);
        let [xx, xy, yy] = of_f.squares.map(|of| scale * scale * of[0][0]);
        let [jx, jy] = [0, 6].map(|k| scale * of_f.sum_j[k]);
        let [fx, fy] = [0, 6].map(|k| scale * (of_f.sum_jf[k] + mean * of_f.sum_j[k]));
        let [gx, gy] = [0, 6].map(|k| scale * of_g.sum_jg[k]);
        let energy = of_f.energy + count * mean * mean;
        let [u, v] = displacement(p);
        Some(Cell {
            even: [
                count,
                count * mean,
                energy,
                of_g.sum_g,
                of_g.sum_fg,
                xx,
                xy,
                yy,
            ],
            odd: [jx, jy, fx, fy, gx, gy, u, v],
        })
    }

    /// The error of a whole subset, from the cells that lie in it; `None` where one is missing.
    fn by_cells(&self, cells: &[Option<Cell>], shares: &[Share], i: usize) -> Option<[f64; 2]> {
        let (mut even, mut odd) = ([0.0; 8], [0.0; 8]);
        if pixel_count(self.sites[i].rows) < self.whole || self.parts.contains_key(&i) {
            return None;
        }
        let centre = self.sites[i].centre;
        let p = &self.matches[i].p;
        let mut weight = 0.0;
        for Share { at, share, moves } in shares {
            let places = self.places as isize;
            let j = self.grid.at(i, at.0 * places, at.1 * places)?;
            let cell = cells[j].as_ref()?;
            for k in 0..8 {
                even[k] += share * cell.even[k];
                odd[k] += moves * cell.odd[k];
            }
            weight += share;
            // Points that have moved, or were chosen, do not lie on a grid.
            let other = self.sites[j].centre;
            let dx = other.0 as f64 - centre.0 as f64;
            let dy = other.1 as f64 - centre.1 as f64;
            let (u, v) = displacement_at(p, dx, dy);
            odd[6] -= moves * u;
            odd[7] -= moves * v;
        }
        let [count, f, ff, g, fg, xx, xy, yy] = even;
        let (mean_f, mean_g) = (f / count, g / count);
        let gain = (fg - f * mean_g) / (ff - f * mean_f);
        let [jx, jy, fx, fy, gx, gy, u, v] = odd;
        let left = |j: f64, f: f64, g: f64| (g - mean_g * j) / gain - (f - mean_f * j);
        let (x, y) = (left(jx, fx, gx), left(jy, fy, gy));
        let det = (xx * yy - xy * xy) / weight;
        let moved = [(yy * x - xy * y) / det, (xx * y - xy * x) / det];
        let [a, b] = forward(p, moved);
        let error = [a - u, b - v];
        (gain > 0.0 && error.iter().all(|e| e.is_finite())).then_some(error)
    }

    /// The error of a subset by a fit to its own pixels, and the variance of it by noise over that of the match.
    fn fitted(&self, i: usize) -> Option<([f64; 2], [f64; 2])> {
        let site = &self.sites[i];
        let rows = self.parts.get(&i).map_or(site.rows, Vec::as_slice);
        let p = &self.matches[i].p;
        let settings = self.job.settings;
        let (half, side) = (settings.half_px() as f64, self.side as f64);
        let mut sums = Sums::new(settings.shape_order);
        let reach = (half / side + 0.5).ceil() as isize;
        for down in -reach..=reach {
            for across in -reach..=reach {
                let at = (
                    across as i32 * self.side as i32,
                    down as i32 * self.side as i32,
                );
                let places = self.places as isize;
                let j = self.grid.at(i, across * places, down * places);
                let j = j.filter(|&j| self.matches[j].status == Status::Converged);
                // Near the point where another was found, its parameters are better.
                let there = j.map_or(*p, |j| {
                    let other = &self.sites[j];
                    let dx = site.centre.0 as f64 - other.centre.0 as f64;
                    let dy = site.centre.1 as f64 - other.centre.1 as f64;
                    recentred(&self.matches[j].p, dx, dy)
                });
                let Some(cell) = self.cell(site.centre, rows, at, &there) else {
                    continue;
                };
                let aside = middle(self.side);
                let (dx, dy) = (f64::from(at.0) + aside, f64::from(at.1) + aside);
                let (other, own) = (displacement_at(&there, dx, dy), displacement_at(p, dx, dy));
                let moved = inverse(p, (other.0 - own.0, other.1 - own.1))?;
                sums.add(&cell, moved, (dx / half, dy / half), side / half);
            }
        }
        let (moved, noise) = sums.at_centre()?;
        Some((forward(p, moved), noise))
    }
}

/// `F` times a way in the reference.
fn forward(p: &Parameters, [x, y]: [f64; 2]) -> [f64; 2] {
    deformation_gradient(p).map(|[a, b]| a * x + b * y)
}

/// `F⁻¹` times a way in the deformed image.
fn inverse(p: &Parameters, (u, v): (f64, f64)) -> Option<[f64; 2]> {
    let [[a, b], [c, d]] = deformation_gradient(p);
    let det = a * d - b * c;
    (det > 0.0).then(|| [(d * u - b * v) / det, (a * v - c * u) / det])
}

/// The normal equations of a subset, by monomials of the place in halves of its width.
struct Sums {
    /// Monomials that the shape function follows, and all.
    followed: usize,
    all: usize,
    /// The number of pixels, `Σ f`, `Σ f²`, `Σ g` and `Σ f g`.
    grey: [f64; 5],
    /// Of `Σ ∇f`, `Σ ∇f f` and `Σ ∇f g`.
    gradient: [[[f64; MOST]; 2]; 3],
    /// The lower triangle.
    squares: [[[f64; MOST]; MOST]; 3],
}

impl Sums {
    /// Order 0 leaves the gradient as well, which is no error at the centre.
    fn new(order: ShapeOrder) -> Self {
        let (followed, all) = match order {
            ShapeOrder::Zero | ShapeOrder::One => (3, 6),
            ShapeOrder::Two => (6, MOST),
        };
        Self {
            followed,
            all,
            grey: [0.0; 5],
            gradient: [[[0.0; MOST]; 2]; 3],
            squares: [[[0.0; MOST]; MOST]; 3],
        }
    }

    /// Adds a cell of that width whose deformed pixels move by `moved` in the reference.
    fn add(&mut self, cell: &Cell, moved: [f64; 2], (x, y): (f64, f64), width: f64) {
        let [count, f, ff, g, fg, xx, xy, yy] = cell.even;
        let [jx, jy, fx, fy, gx, gy, ..] = cell.odd;
        let by = |x: f64, y: f64| x * moved[0] + y * moved[1];
        let grey = [count, f, ff, g - by(jx, jy), fg - by(fx, fy)];
        for (out, value) in self.grey.iter_mut().zip(grey) {
            *out += value;
        }
        let with_g = [gx - by(xx, xy), gy - by(xy, yy)];
        // Means over the width of the cell.
        let square = width * width / 12.0;
        let (x2, y2) = (x * x + square, y * y + square);
        let fourth = |t: f64| t.powi(4) + 6.0 * t * t * square + 1.8 * square * square;
        let third = |t: f64| t * (t * t + 3.0 * square);
        let mut places = [1.0, x, y, x2, x * y, y2, 0.0, 0.0, 0.0, 0.0, 0.0];
        if self.all == MOST {
            let quartic = [fourth(x), third(x) * y, x2 * y2, x * third(y), fourth(y)];
            places[6..].copy_from_slice(&quartic);
        }
        let places = &places[..self.all];
        for (out, of_cell) in self.gradient.iter_mut().zip([[jx, jy], [fx, fy], with_g]) {
            for (out, value) in out.iter_mut().zip(of_cell) {
                for (out, place) in out.iter_mut().zip(places) {
                    *out += value * place;
                }
            }
        }
        for (out, value) in self.squares.iter_mut().zip([xx, xy, yy]) {
            for (k, (out, place)) in out.iter_mut().zip(places).enumerate() {
                let value = value * place;
                for (out, place) in out.iter_mut().zip(&places[..=k]) {
                    *out += value * place;
                }
            }
        }
    }

    /// By how much the fit of all monomials places the centre elsewhere than that of the followed ones, in the
    /// reference, and the variance of it by noise over that of the latter.
    fn at_centre(&self) -> Option<([f64; 2], [f64; 2])> {
        let [count, f, ff, g, fg] = self.grey;
        let mean = f / count;
        let (energy, with_g) = (ff - mean * f, fg - mean * g);
        let gain = with_g / energy;
        if !(energy > 0.0 && gain > 0.0) {
            return None;
        }
        let [sum, along, _] = &self.gradient;
        let free = |side: usize, k: usize| along[side][k] - mean * sum[side][k];
        let entry = |(s, k): (usize, usize), (t, l): (usize, usize)| {
            self.squares[s + t][k.max(l)][k.min(l)]
                - sum[s][k] * sum[t][l] / count
                - free(s, k) * free(t, l) / energy
        };
        let right = |(s, k): (usize, usize)| {
            self.gradient[2][s][k] - sum[s][k] * g / count - free(s, k) * gain
        };
        let of = |from: usize, to: usize| (0..2).flat_map(move |s| (from..to).map(move |k| (s, k)));
        let followed: Vec<(usize, usize)> = of(0, self.followed).collect();
        let others: Vec<(usize, usize)> = of(self.followed, self.all).collect();
        let matrix = |of: &dyn Fn(usize, usize) -> f64, n: usize| {
            let mut out = [[0.0; PARAMETERS]; PARAMETERS];
            for (i, row) in out.iter_mut().enumerate().take(n) {
                for (j, value) in row.iter_mut().enumerate().take(i + 1) {
                    *value = of(i, j);
                }
            }
            Cholesky::new(n, &out)
        };
        let n = followed.len();
        let base = matrix(&|i, j| entry(followed[i], followed[j]), n)?;
        let part = |other: (usize, usize)| {
            let mut column = [0.0; PARAMETERS];
            for (value, place) in column.iter_mut().zip(&followed) {
                *value = entry(*place, other);
            }
            column
        };
        let parts: Vec<[f64; PARAMETERS]> = others.iter().map(|other| part(*other)).collect();
        let solved = |mut column: [f64; PARAMETERS]| {
            base.solve(&mut column);
            column
        };
        let taken: Vec<[f64; PARAMETERS]> = parts.iter().map(|part| solved(*part)).collect();
        let dot = |a: &[f64; PARAMETERS], b: &[f64; PARAMETERS]| -> f64 {
            a.iter().zip(b).map(|(a, b)| a * b).sum()
        };
        let rest = matrix(
            &|i, j| entry(others[i], others[j]) - dot(&taken[i], &parts[j]),
            others.len(),
        )?;
        let mut of_base = [0.0; PARAMETERS];
        for (value, place) in of_base.iter_mut().zip(&followed) {
            *value = right(*place);
        }
        let mut found = [0.0; PARAMETERS];
        for ((value, other), taken) in found.iter_mut().zip(&others).zip(&taken) {
            *value = right(*other) - dot(taken, &of_base);
        }
        rest.solve(&mut found);
        let mut out = ([0.0; 2], [0.0; 2]);
        for side in 0..2 {
            let centre = side * self.followed;
            let mut at_centre = [0.0; PARAMETERS];
            for (value, taken) in at_centre.iter_mut().zip(&taken) {
                *value = -taken[centre];
            }
            out.0[side] = dot(&at_centre, &found) / gain;
            let mut spread = at_centre;
            rest.solve(&mut spread);
            let mut own = [0.0; PARAMETERS];
            own[centre] = 1.0;
            out.1[side] = dot(&at_centre, &spread) / solved(own)[centre];
        }
        let is_finite = out.0.iter().chain(&out.1).all(|value| value.is_finite());
        is_finite.then_some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A subset of order 1 measures the mean of a parabola, one of order 2 that of a quartic freed of its parabola.
    /// `α + β (x² + y²)` with `α = 3.5` and its next degree give the variances.
    #[test]
    fn the_cells_of_a_square_move_its_centre_by_what_the_order_does_not_follow() {
        for (shape_order, power, expected, noise) in [
            (ShapeOrder::One, 2, -1.0 / 3.0, 2.5),
            (ShapeOrder::Two, 4, 3.0 / 35.0, 4.094 / 3.5),
        ] {
            let settings = Settings {
                shape_order,
                ..Settings::default()
            };
            let (shares, variance) = shares(&settings, 5).expect("a regular fit");
            let of = |value: &dyn Fn(f64, f64) -> f64| -> f64 {
                let place = |at: isize| 5.0 * at as f64 / 20.5;
                let each = shares
                    .iter()
                    .map(|one| one.moves * value(place(one.at.0), place(one.at.1)));
                each.sum()
            };
            for followed in [of(&|_, _| 1.0), of(&|x, _| x), of(&|_, y| y)] {
                assert!(followed.abs() < 1e-9, "{shape_order:?}: {followed}");
            }
            // Cells that the rim cuts are taken at their middle.
            let found = of(&|x, _| x.powi(power));
            assert!(
                (found / expected - 1.0).abs() < 0.3,
                "{shape_order:?}: {found}"
            );
            for value in variance {
                assert!(
                    (value / noise - 1.0).abs() < 0.1,
                    "{shape_order:?}: {value}"
                );
            }
        }
    }
}
