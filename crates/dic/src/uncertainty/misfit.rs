//! What the shape function cannot follow: shown by how the displacements bend from point to point, and by the residual
//! of every subset ([`remainder`](crate::remainder)).
//!
//! Where the texture is the same everywhere, a subset measures a weighted mean `S u` of the displacement over its
//! square: the plain mean with order 0 or 1, and with order 2 the one that leaves parabolas as they are. The error
//! `S u − u` is not known, but `S(S u) − S u` is, from the points of the field that lie
//! within a subset; the same once more for what that leaves gives `e = 2 (m − S m) − S (m − S m)` from the measured
//! `m` (van Cittert's iteration). Where it exceeds what noise makes of it, it is part of the uncertainty. `S e` holds
//! little noise: it shows bends that are wider than a subset and smaller than the noise of one point.
//!
//! Where a window is not full, or holds a subset which was divided, the mean square of `e` nearby stands for it. Fields
//! with fewer than five points over a subset and a half tell nothing ([`misfit_is_seen`]). What is much narrower than a
//! subset is hardly left in the displacements, so that less than all of its error shows. The residual holds it, and
//! what a crack or another body leaves of it; the largest of the three counts.
//!
//! # Source
//! Schreier & Sutton 2002, doi:10.1007/BF02411077 (the mean over the subset); van Cittert 1931,
//! doi:10.1007/BF01391351.

use rayon::prelude::*;

use super::value::PointUncertainty;
use crate::field::Field;
use crate::part::Cut;
use crate::settings::{Settings, ShapeOrder, SubsetShape};
use crate::shape::displacement;
use crate::status::Status;

/// Simpson's weights at five places a direction, from one end of the subset to the other.
const WEIGHTS: [f64; 5] = [1.0 / 12.0, 4.0 / 12.0, 2.0 / 12.0, 4.0 / 12.0, 1.0 / 12.0];

/// Weights at places apart by a quarter of the subset, a row each.
type Stencil = Vec<Vec<f64>>;

/// What interpolation and rounding leave of an error whatever the noise, px.
const LEAST_ERROR_PX: f64 = 0.001;

/// The square of `e` by what noise alone makes of it, from which it is more than noise: at one point (noise exceeds
/// it once in a thousand times) and in the mean over the points around it, which are some four independent ones
/// (three in a thousand).
const SIGNIFICANT: (f64, f64) = (11.0, 4.0);

/// Known places that stand for one that is not known.
const FEWEST_NEARBY: usize = 12;

/// Where the shape function does not follow the field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Misfit {
    /// Points where more than noise shows.
    pub points: usize,
    /// The largest part of the uncertainty of `u` or `v` that comes from it, px.
    pub largest_px: f64,
}

/// Where the shape function does not follow a field, by the uncertainties of its points; `None` where nothing shows.
#[must_use]
pub fn misfit(stated: &[Option<PointUncertainty>]) -> Option<Misfit> {
    let all = stated.iter().flatten().filter_map(|one| one.misfit);
    let (points, largest_px) = all.fold((0, 0.0_f64), |(points, largest), (u, v)| {
        (points + 1, largest.max(u).max(v))
    });
    (points > 0).then_some(Misfit { points, largest_px })
}

/// Whether points lie close enough for it to be seen what the shape function does not follow: five over a subset and a
/// half.
#[must_use]
pub fn misfit_is_seen(settings: &Settings) -> bool {
    reach(settings).is_some()
}

/// Places of the grid between two of the five, if they lie within the subset.
fn reach(settings: &Settings) -> Option<usize> {
    let (half, step_px) = (settings.half_px() as f64, settings.step_px);
    let apart = ((0.5 * half / step_px as f64).round() as usize).max(1);
    ((apart * step_px) as f64 <= 0.75 * half).then_some(apart)
}

/// Adds to the uncertainties of a field what its shape function cannot follow.
pub(super) fn add_misfit(
    field: &Field,
    settings: &Settings,
    stated: &mut [Option<PointUncertainty>],
) {
    let windows = Windows::new(field, settings);
    for side in 0..2 {
        let variance = |one: &PointUncertainty| if side == 0 { one.u } else { one.v }.powi(2);
        let noise: Vec<Option<f64>> = stated
            .iter()
            .map(|one| one.as_ref().map(variance))
            .collect();
        // By the residual of the subset: the square of its error, and what noise makes of that.
        let own = |i: usize| {
            let remainder = field.remainders.get(i)?.as_ref()?;
            Some((
                remainder.error[side].powi(2),
                remainder.noise[side] * noise[i]?,
            ))
        };
        let alone = (0..stated.len()).map(|i| {
            let known = own(i).filter(|known| in_noise(*known) > SIGNIFICANT.0);
            known.map_or(0.0, |(square, by_noise)| square - by_noise)
        });
        let mut beyond: Vec<f64> = alone.collect();
        if let Some(windows) = &windows {
            let measured = windows.spread(|i| {
                let point = &field.points[i];
                let is_usable = point.status == Status::Converged && point.cut != Cut::Split;
                is_usable.then_some(displacement(&point.p)[side])
            });
            let bent = windows.bent(&measured, &windows.spread(|i| noise[i]));
            let by_residual = windows.beyond(
                &windows.spread(|i| own(i).map(|known| known.0)),
                &windows.spread(|i| own(i).map(|known| known.1)),
            );
            for (value, cell) in beyond.iter_mut().zip(&windows.cells) {
                if let Some(cell) = *cell {
                    *value = value.max(bent[cell]).max(by_residual[cell]);
                }
            }
        }
        for (one, square) in stated.iter_mut().zip(beyond) {
            if let Some(one) = one.as_mut().filter(|_| square > 0.0) {
                let known = one.misfit.get_or_insert((0.0, 0.0));
                let (std, part) = match side {
                    0 => (&mut one.u, &mut known.0),
                    _ => (&mut one.v, &mut known.1),
                };
                *part = square.sqrt();
                *std = std.hypot(*part);
            }
        }
    }
}

/// The square of an error by what noise makes of it.
fn in_noise((square, by_noise): (f64, f64)) -> f64 {
    square / (by_noise + LEAST_ERROR_PX * LEAST_ERROR_PX)
}

/// The grid of a field, and the windows on it that cover a subset.
struct Windows {
    columns: usize,
    rows: usize,
    /// The place of every point in a row-major grid; `None` for chosen points that do not lie on it.
    cells: Vec<Option<usize>>,
    /// Places between two of the five.
    apart: usize,
    /// The weights of `S`.
    window: Stencil,
    /// What the error over the subset is by that over the five places.
    scale: f64,
    /// Variances of `e` and of `S e` over that of a point where the field has nothing but noise.
    noise_gain: [f64; 2],
}

/// By how much more a subset of an order takes of a place `(x, y)`, in halves of its width, than the plain mean does.
///
/// With order 2 it is `α + β (x² + y²)` such that parabolas stay what they are, from the moments of `x` along an axis.
fn emphasis(order: ShapeOrder, second: f64, fourth: f64) -> impl Fn(f64, f64) -> f64 {
    let beta = match order {
        ShapeOrder::Zero | ShapeOrder::One => 0.0,
        ShapeOrder::Two => -second / (fourth - second * second),
    };
    let alpha = 1.0 - 2.0 * beta * second;
    move |x, y| alpha + beta * (x * x + y * y)
}

/// The weights of `S` at five places a direction.
fn window(order: ShapeOrder) -> Stencil {
    let places = [-1.0, -0.5, 0.0, 0.5, 1.0_f64];
    let moment = |power: i32| -> f64 {
        let each = places.iter().zip(WEIGHTS);
        each.map(|(x, weight)| weight * x.powi(power)).sum()
    };
    let emphasis = emphasis(order, moment(2), moment(4));
    let row = |(y, down): (f64, f64)| {
        let each = places.iter().zip(WEIGHTS);
        each.map(|(x, across)| across * down * emphasis(*x, y))
            .collect()
    };
    places.into_iter().zip(WEIGHTS).map(row).collect()
}

/// One stencil after another.
fn composed(first: &Stencil, second: &Stencil) -> Stencil {
    let side = first.len() + second.len() - 1;
    let mut out = vec![vec![0.0; side]; side];
    for (i, row) in first.iter().enumerate() {
        for (j, a) in row.iter().enumerate() {
            for (k, other) in second.iter().enumerate() {
                for (l, b) in other.iter().enumerate() {
                    out[i + k][j + l] += a * b;
                }
            }
        }
    }
    out
}

/// The weights of `e` without its scale, `2 (m − S m) − S (m − S m) = 2 m − 3 S m + S S m`.
fn error_stencil(order: ShapeOrder) -> Stencil {
    let once = window(order);
    let mut out = composed(&once, &once);
    for (i, row) in once.iter().enumerate() {
        for (j, weight) in row.iter().enumerate() {
            out[i + 2][j + 2] -= 3.0 * weight;
        }
    }
    out[4][4] += 2.0;
    out
}

/// Variance that a stencil makes, over that of a point, when the errors of two points agree by what their subsets
/// take of common pixels; `length` is the way between two of the five places over the subset's width.
fn noise_gain(order: ShapeOrder, stencil: &Stencil, length: f64) -> f64 {
    let side = stencil.len();
    let emphasis = emphasis(order, 1.0 / 3.0, 1.0 / 5.0);
    // Places over what two subsets have in common.
    const PLACES: usize = 12;
    let taken = |across: usize, down: usize| -> f64 {
        let apart = |places: usize| 2.0 * places as f64 * length;
        let common = |places: usize| (2.0 - apart(places)).max(0.0);
        let share = common(across) * common(down) / (PLACES * PLACES) as f64;
        let place = |i: usize, of: usize| (i as f64 + 0.5) / PLACES as f64 * common(of) - 1.0;
        let mut sum = 0.0;
        for y in (0..PLACES).map(|i| place(i, down)) {
            for x in (0..PLACES).map(|i| place(i, across)) {
                sum += emphasis(x, y) * emphasis(x + apart(across), y + apart(down));
            }
        }
        sum * share
    };
    let common: Vec<Vec<f64>> = (0..side)
        .map(|down| (0..side).map(|across| taken(across, down)).collect())
        .collect();
    let mut variance = 0.0;
    let cells = || (0..side).flat_map(|row| (0..side).map(move |column| (row, column)));
    for (i, j) in cells() {
        for (k, l) in cells() {
            variance += stencil[i][j] * stencil[k][l] * common[i.abs_diff(k)][j.abs_diff(l)];
        }
    }
    variance / common[0][0]
}

impl Windows {
    /// `None` where points are too far apart, or where nothing can be seen.
    fn new(field: &Field, settings: &Settings) -> Option<Self> {
        let (half, step_px) = (settings.half_px() as f64, settings.step_px);
        let apart = reach(settings)?;
        let left = field.points.iter().map(|point| point.x).min()?;
        let top = field.points.iter().map(|point| point.y).min()?;
        let places = field.points.iter().map(|point| {
            let (across, down) = (point.x - left, point.y - top);
            let is_on_grid = across.is_multiple_of(step_px) && down.is_multiple_of(step_px);
            is_on_grid.then_some((across / step_px, down / step_px))
        });
        let places: Vec<Option<(usize, usize)>> = places.collect();
        let size = |of: fn(&(usize, usize)) -> usize| {
            let each = places.iter().flatten().map(of);
            each.max().map(|last| last + 1)
        };
        let (columns, rows) = (size(|place| place.0)?, size(|place| place.1)?);
        let cells = places
            .iter()
            .map(|place| place.map(|(x, y)| y * columns + x));
        let length = (apart * step_px) as f64;
        let variance = match settings.subset_shape {
            SubsetShape::Square => half * (half + 1.0) / 3.0,
            SubsetShape::Circle => half * half / 4.0,
        };
        let ratio = variance / (4.0 * length * length / 3.0);
        // What parabolas do not hold grows with the fourth power of the width.
        let (order, scale) = match settings.shape_order {
            ShapeOrder::Two => (ShapeOrder::Two, ratio * ratio),
            order => (order, ratio),
        };
        let error = error_stencil(order);
        let smooth = composed(&error, &window(order));
        let stencils = [error, smooth];
        let share = length / settings.side_px() as f64;
        Some(Self {
            columns,
            rows,
            cells: cells.collect(),
            apart,
            scale,
            window: window(order),
            noise_gain: stencils.map(|stencil| scale * scale * noise_gain(order, &stencil, share)),
        })
    }

    /// A value of every point on the grid, NaN elsewhere.
    fn spread(&self, value: impl Fn(usize) -> Option<f64>) -> Vec<f64> {
        let mut grid = vec![f64::NAN; self.columns * self.rows];
        for (i, cell) in self.cells.iter().enumerate() {
            if let (Some(cell), Some(value)) = (cell, value(i)) {
                grid[*cell] = value;
            }
        }
        grid
    }

    /// The square of `e`, from the displacements `measured` with noise of that variance, as [`beyond`](Self::beyond)
    /// has it, or that of `S e` where it is larger: less of it is noise where the field bends widely.
    fn bent(&self, measured: &[f64], noise: &[f64]) -> Vec<f64> {
        let once = self.less_mean(measured);
        let twice = self.less_mean(&once);
        let known = |value: f64| if value.is_nan() { 0.0 } else { value };
        let both = once.iter().zip(&twice);
        let errors: Vec<f64> = both
            .map(|(once, twice)| self.scale * (once + known(*twice)))
            .collect();
        let smooth = self.mean(&self.window, &errors);
        let [sharp, wide] = [(&errors, 0), (&smooth, 1)].map(|(errors, k)| {
            let squares: Vec<f64> = errors.iter().map(|error| error * error).collect();
            let by_noise: Vec<f64> = noise.iter().map(|one| self.noise_gain[k] * one).collect();
            self.beyond(&squares, &by_noise)
        });
        let both = sharp.into_iter().zip(wide);
        both.map(|(sharp, wide)| sharp.max(wide)).collect()
    }

    /// The squares of errors less what noise makes of them, zero where they are no more than noise; NaN where there is
    /// none, and none around.
    fn beyond(&self, squares: &[f64], by_noise: &[f64]) -> Vec<f64> {
        let each = squares.iter().zip(by_noise);
        let times: Vec<f64> = each
            .map(|(square, noise)| in_noise((*square, *noise)))
            .collect();
        let around = self.mean(&window(ShapeOrder::One), &times);
        let mut beyond: Vec<f64> = (0..times.len())
            .map(|cell| {
                let is_more = times[cell] > SIGNIFICANT.0 || around[cell] > SIGNIFICANT.1;
                match times[cell].is_nan() {
                    true => f64::NAN,
                    // Less what noise makes of it, which the uncertainty holds already.
                    false if is_more => (squares[cell] - by_noise[cell]).max(0.0),
                    false => 0.0,
                }
            })
            .collect();
        // At borders and beside subsets that tell nothing the field is taken to bend as it does nearby.
        let seen = beyond.clone();
        for (cell, value) in beyond.iter_mut().enumerate() {
            if value.is_nan() && self.mean_nearby(&times, cell) > SIGNIFICANT.1 {
                *value = self.mean_nearby(&seen, cell);
            }
        }
        beyond
    }

    /// The mean of the values that there are within a subset's width; NaN where most are missing.
    fn mean_nearby(&self, values: &[f64], cell: usize) -> f64 {
        let (x, y) = (cell % self.columns, cell / self.columns);
        let (mut sum, mut count) = (0.0, 0_usize);
        for down in -4..=4_isize {
            for across in -4..=4_isize {
                let apart = self.apart as isize;
                let column = x.checked_add_signed(across * apart);
                let row = y.checked_add_signed(down * apart);
                let (Some(column), Some(row)) = (column, row) else {
                    continue;
                };
                if column < self.columns && row < self.rows {
                    let value = values[row * self.columns + column];
                    if !value.is_nan() {
                        sum += value;
                        count += 1;
                    }
                }
            }
        }
        if count >= FEWEST_NEARBY {
            sum / count as f64
        } else {
            f64::NAN
        }
    }

    /// The weighted mean around every place; NaN where one of the values is missing.
    fn mean(&self, window: &Stencil, values: &[f64]) -> Vec<f64> {
        let mut means = vec![f64::NAN; values.len()];
        let margin = 2 * self.apart;
        let inside = margin..self.columns.saturating_sub(margin);
        if inside.is_empty() {
            return means;
        }
        let rows = means.par_chunks_mut(self.columns).enumerate();
        rows.for_each(|(row, means)| {
            if row < margin || row + margin >= self.rows {
                return;
            }
            let means = &mut means[inside.clone()];
            means.fill(0.0);
            for (down, weights) in window.iter().enumerate() {
                let above = (row + down * self.apart - margin) * self.columns;
                for (across, weight) in weights.iter().enumerate() {
                    let from = &values[above + across * self.apart..];
                    for (mean, value) in means.iter_mut().zip(from) {
                        *mean += weight * value;
                    }
                }
            }
        });
        means
    }

    /// Every value less the mean around it.
    fn less_mean(&self, values: &[f64]) -> Vec<f64> {
        let means = self.mean(&self.window, values);
        let each = values.iter().zip(means);
        each.map(|(value, mean)| value - mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `S` leaves what its order follows as it is, and takes the mean of the rest.
    #[test]
    fn the_window_of_an_order_leaves_what_it_follows() {
        let of = |order, f: fn(f64, f64) -> f64| -> f64 {
            let place = |i: usize| i as f64 / 2.0 - 1.0;
            let rows = window(order).into_iter().enumerate();
            rows.flat_map(|(i, row)| row.into_iter().enumerate().map(move |(j, w)| (i, j, w)))
                .map(|(i, j, weight)| weight * f(place(j), place(i)))
                .sum()
        };
        for order in [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two] {
            assert!((of(order, |x, y| 1.0 + x - 2.0 * y) - 1.0).abs() < 1e-12);
        }
        assert!((of(ShapeOrder::One, |x, _| x * x) - 1.0 / 3.0).abs() < 1e-12);
        assert!(of(ShapeOrder::Two, |x, y| x * x - 3.0 * x * y).abs() < 1e-12);
        assert!(of(ShapeOrder::Two, |x, _| x.powi(4)).abs() > 0.05);
    }

    /// Values of another program (NumPy), for subsets of 41, 31 and 21 px with places 10, 8 and 5 px apart.
    #[test]
    fn the_gain_of_noise_is_that_of_overlapping_subsets() {
        for (width, length, half, expected) in [
            (41.0, 10.0, 20.0, 1.496_764_565),
            (31.0, 8.0, 15.0, 1.247_997_238),
            (21.0, 5.0, 10.0, 1.609_677_480),
        ] {
            let scale: f64 = half * (half + 1.0) / 3.0 / (4.0 * length * length / 3.0);
            let error = error_stencil(ShapeOrder::One);
            let found = scale * scale * noise_gain(ShapeOrder::One, &error, length / width);
            assert!((found - expected).abs() < 1e-8, "{width}: {found}");
        }
    }
}
