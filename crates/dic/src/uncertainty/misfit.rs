//! What the shape function cannot follow: shown by how the displacements bend from point to point.
//!
//! Where the texture is the same everywhere, a subset of order 0 or 1 measures the mean `S u` of the displacement
//! over its square. The error `S u − u` is not known, but `S(S u) − S u` is, from the points of the field that lie
//! within a subset; the same once more for what that leaves gives `e = 2 (m − S m) − S (m − S m)` from the measured
//! `m` (van Cittert's iteration). Where it exceeds what noise makes of it, it is part of the uncertainty.
//!
//! Windows that are not full, or that hold a subset which was divided, say nothing, nor do fields with fewer than five
//! points over a subset and a half. Order 2 follows what bends within a subset and is not asked.
//!
//! # Source
//! Schreier & Sutton 2002, doi:10.1007/BF02411077 (the mean over the subset); van Cittert 1931,
//! doi:10.1007/BF01391351.

use super::point::PointUncertainty;
use crate::correlate::Field;
use crate::cut::Cut;
use crate::lattice::Lattice;
use crate::settings::{Settings, ShapeOrder, SubsetShape};
use crate::status::Status;

/// Simpson's weights at five places a direction, from one end of the subset to the other.
const WEIGHTS: [f64; 5] = [1.0 / 12.0, 4.0 / 12.0, 2.0 / 12.0, 4.0 / 12.0, 1.0 / 12.0];

/// The square of `e` by what noise alone makes of it, from which it is more than noise: at one point (noise exceeds
/// it once in a thousand times) and in the mean over the points around it, which are some four independent ones
/// (three in a thousand).
const SIGNIFICANT: (f64, f64) = (11.0, 4.0);

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

/// Adds to the uncertainties of a field what its shape function cannot follow.
pub(super) fn add_misfit(
    field: &Field,
    settings: &Settings,
    stated: &mut [Option<PointUncertainty>],
) {
    let Some(windows) = Windows::new(field, settings) else {
        return;
    };
    for k in [0, 6] {
        let measured: Vec<Option<f64>> = (0..stated.len())
            .map(|i| windows.is_usable(i).then(|| field.points[i].p[k]))
            .collect();
        let once = windows.less_mean(&measured);
        let twice = windows.less_mean(&once);
        let errors: Vec<Option<f64>> = once
            .iter()
            .zip(&twice)
            .map(|(once, twice)| once.map(|once| windows.scale * (once + twice.unwrap_or(0.0))))
            .collect();
        let times: Vec<Option<f64>> = errors
            .iter()
            .zip(stated.iter())
            .map(|(error, one)| {
                let std = one.as_ref().map(|one| if k == 0 { one.u } else { one.v })?;
                error
                    .filter(|_| std > 0.0)
                    .map(|error| (error / std).powi(2) / windows.noise_gain)
            })
            .collect();
        let around = windows.mean(&times);
        for (i, one) in stated.iter_mut().enumerate() {
            let (Some(one), Some(error), Some(here)) = (one, errors[i], times[i]) else {
                continue;
            };
            let is_wide = around[i].is_some_and(|mean| mean > SIGNIFICANT.1);
            if here > SIGNIFICANT.0 || is_wide {
                let known = one.misfit.get_or_insert((0.0, 0.0));
                let (std, part) = if k == 0 {
                    (&mut one.u, &mut known.0)
                } else {
                    (&mut one.v, &mut known.1)
                };
                // Less what noise makes of it, which the uncertainty holds already.
                let beyond = (error * error - windows.noise_gain * *std * *std).max(0.0);
                *part = beyond.sqrt();
                *std = std.hypot(*part);
            }
        }
    }
}

/// The points around each point that cover its subset.
struct Windows<'a> {
    field: &'a Field,
    lattice: Lattice,
    step_px: usize,
    /// Places between two of the five.
    apart: usize,
    /// Variance of a pixel of the subset over that of the five places.
    scale: f64,
    /// Variance of `e` over that of a point where the field has nothing but noise.
    noise_gain: f64,
}

/// Variance of `e` without its scale, over that of a point, when the errors of two points agree by the share of pixels
/// that their subsets have in common; `length` is the way between two of the five places over the subset's width.
fn noise_gain(length: f64) -> f64 {
    // e = 2 (m − S m) − S (m − S m) = 2 m − 3 S m + S S m, and S is the same along both axes.
    let mut twice = [0.0; 9];
    for (i, a) in WEIGHTS.iter().enumerate() {
        for (j, b) in WEIGHTS.iter().enumerate() {
            twice[i + j] += a * b;
        }
    }
    let stencils: [(f64, &[f64]); 3] = [(2.0, &[1.0]), (-3.0, &WEIGHTS), (1.0, &twice)];
    let in_common = |a: &[f64], b: &[f64]| {
        let mut sum = 0.0;
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                let middle = |stencil: &[f64]| (stencil.len() - 1) as f64 / 2.0;
                let places = (i as f64 - middle(a)) - (j as f64 - middle(b));
                sum += x * y * (1.0 - places.abs() * length).max(0.0);
            }
        }
        sum
    };
    let mut variance = 0.0;
    for (factor, stencil) in stencils {
        for (other_factor, other) in stencils {
            variance += factor * other_factor * in_common(stencil, other).powi(2);
        }
    }
    variance
}

impl<'a> Windows<'a> {
    /// `None` where points are too far apart, or where nothing can be seen.
    fn new(field: &'a Field, settings: &Settings) -> Option<Self> {
        let (half, step_px) = (settings.half_px() as f64, settings.step_px);
        if settings.shape_order == ShapeOrder::Two || field.points.is_empty() {
            return None;
        }
        let apart = ((0.5 * half / step_px as f64).round() as usize).max(1);
        let length = (apart * step_px) as f64;
        if length > 0.75 * half {
            return None;
        }
        let nodes: Vec<(usize, usize)> = field.points.iter().map(|p| (p.x, p.y)).collect();
        let variance = match settings.subset_shape {
            SubsetShape::Square => half * (half + 1.0) / 3.0,
            SubsetShape::Circle => half * half / 4.0,
        };
        let scale = variance / (4.0 * length * length / 3.0);
        Some(Self {
            field,
            lattice: Lattice::new(&nodes, step_px),
            step_px,
            apart,
            scale,
            noise_gain: scale * scale * noise_gain(length / settings.subset_size_px as f64),
        })
    }

    fn is_usable(&self, i: usize) -> bool {
        let point = &self.field.points[i];
        point.status == Status::Converged && point.cut != Cut::Split
    }

    /// The weighted mean around every point; `None` where one of the values is missing.
    fn mean(&self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        (0..values.len())
            .map(|i| {
                let here = &self.field.points[i];
                let mut sum = 0.0;
                for (down, weight_y) in (-2_isize..).zip(WEIGHTS) {
                    for (across, weight_x) in (-2_isize..).zip(WEIGHTS) {
                        let apart = self.apart as isize;
                        let j = self.lattice.at(i, across * apart, down * apart)?;
                        let there = &self.field.points[j];
                        // Chosen points need not lie on the grid.
                        let lies = |from: usize, to: usize, places: isize| {
                            let way = places * apart * self.step_px as isize;
                            from.checked_add_signed(way) == Some(to)
                        };
                        if !(lies(here.x, there.x, across) && lies(here.y, there.y, down)) {
                            return None;
                        }
                        sum += weight_x * weight_y * values[j]?;
                    }
                }
                Some(sum)
            })
            .collect()
    }

    /// Every value less the mean around it.
    fn less_mean(&self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        let means = self.mean(values);
        let each = values.iter().zip(means);
        each.map(|(value, mean)| Some((*value)? - mean?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of another program (NumPy), for subsets of 41, 31 and 21 px with places 10, 8 and 5 px apart.
    #[test]
    fn the_gain_of_noise_is_that_of_overlapping_subsets() {
        for (width, length, half, expected) in [
            (41.0, 10.0, 20.0, 1.496_764_565),
            (31.0, 8.0, 15.0, 1.247_997_238),
            (21.0, 5.0, 10.0, 1.609_677_480),
        ] {
            let scale: f64 = half * (half + 1.0) / 3.0 / (4.0 * length * length / 3.0);
            let found = scale * scale * noise_gain(length / width);
            assert!((found - expected).abs() < 1e-8, "{width}: {found}");
        }
    }
}
