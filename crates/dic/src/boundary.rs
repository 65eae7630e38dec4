//! The line that divides a subset between two displacement fields.
//!
//! With the squared residuals `r_A²` and `r_B²` of every pixel under either field, a line that puts
//! side A to its left and side B to its right leaves `Σ_A r_A² + Σ_B r_B²`. For white noise the
//! line that leaves least is the most likely one. All lines of a direction are compared in one pass
//! over the pixels: these are summed by their distance along the normal, and the sums accumulated.

use crate::job::Job;
use crate::shape::{Parameters, displacement_at};
use crate::site::Site;

/// Directions that are compared first, over the full turn: they say on which side A lies, too.
const DIRECTIONS: usize = 32;

/// Finer directions to either side of the best one.
const FINER: i32 = 3;

/// Width of the strips in which pixels are summed, px.
const STRIP_PX: f64 = 0.5;

/// Cosine of the angle between two lines that count as one.
const LEAST_COSINE: f64 = 0.9;

/// Pixels of a subset, by their place from its centre, and their grey values in the reference.
pub(crate) struct Pixels {
    pub(crate) places: Vec<(i32, i32)>,
    grey: Vec<f64>,
    half: f64,
}

/// A directed line `x cos α + y sin α = offset` with side A where the left side is smaller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    normal: (f64, f64),
    offset: f64,
}

/// A side of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    A,
    B,
}

impl Line {
    /// How far a place lies on side B of the line, px; negative on side A.
    pub(crate) fn distance(&self, (dx, dy): (i32, i32)) -> f64 {
        f64::from(dx) * self.normal.0 + f64::from(dy) * self.normal.1 - self.offset
    }

    /// The same line, turned so that its normal points to where that of `other` does; `None` where
    /// their directions differ by more than some 25°.
    pub(crate) fn along(&self, other: &Line) -> Option<Line> {
        let cosine = self.normal.0 * other.normal.0 + self.normal.1 * other.normal.1;
        let (x, y) = self.normal;
        if cosine.abs() < LEAST_COSINE {
            None
        } else if cosine > 0.0 {
            Some(*self)
        } else {
            Some(Line {
                normal: (-x, -y),
                offset: -self.offset,
            })
        }
    }

    /// The same line as seen from another centre.
    pub(crate) fn from(&self, centre: (i32, i32)) -> Line {
        Line {
            normal: self.normal,
            offset: -self.distance(centre),
        }
    }

    pub(crate) fn side(&self, place: (i32, i32)) -> Side {
        match self.distance(place) < 0.0 {
            true => Side::A,
            false => Side::B,
        }
    }
}

impl Pixels {
    /// Every pixel of a subset, or every so many columns and rows of it.
    pub(crate) fn new(job: &Job<'_>, site: &Site<'_>, every: i32) -> Self {
        let plane = &job.frame.pixels;
        let (x, y) = site.centre;
        let rows = site.rows.iter().filter(|row| row.dy % every == 0);
        let places: Vec<(i32, i32)> = rows
            .flat_map(|row| (row.first..=row.last).map(move |dx| (dx, row.dy)))
            .filter(|place| place.0 % every == 0)
            .collect();
        let at = |&(dx, dy): &(i32, i32)| {
            let (column, line) = (x as i32 + dx, y as i32 + dy);
            f64::from(plane.data[plane.index(column as usize, line as usize)])
        };
        Self {
            grey: places.iter().map(at).collect(),
            places,
            half: job.settings.half_px() as f64,
        }
    }

    /// `Σ (f − f̄)²` of some of the pixels, and their number.
    pub(crate) fn energy(&self, keep: impl Fn((i32, i32)) -> bool) -> (f64, usize) {
        let chosen = self.places.iter().zip(&self.grey);
        let chosen = chosen.filter(|(place, _)| keep(**place)).map(|(_, f)| *f);
        let (n, sum, squares) = chosen.fold((0, 0.0, 0.0), |(n, sum, squares), f| {
            (n + 1, sum + f, squares + f * f)
        });
        (squares - sum * sum / f64::from(n.max(1)), n as usize)
    }

    /// Squared residuals under parameters `p`, the grey values of the deformed image brought to mean
    /// and contrast of the pixels that `own` takes; where a pixel leaves the picture, and where the
    /// grey values have no contrast, as much as the contrast of the reference.
    pub(crate) fn residuals(
        &self,
        job: &Job<'_>,
        site: &Site<'_>,
        p: &Parameters,
        own: impl Fn((i32, i32)) -> bool,
    ) -> Vec<f64> {
        let (x, y) = (site.centre.0 as f64, site.centre.1 as f64);
        let moved: Vec<Option<f64>> = self
            .places
            .iter()
            .map(|&(dx, dy)| {
                let (dx, dy) = (f64::from(dx), f64::from(dy));
                let (u, v) = displacement_at(p, dx, dy);
                job.deformed.spline.value(x + dx + u, y + dy + v)
            })
            .collect();
        let mut sums = [0.0_f64; 5];
        let each = || self.places.iter().zip(&self.grey).zip(&moved);
        for ((&place, &f), g) in each() {
            if let Some(g) = g.filter(|_| own(place)) {
                for (sum, term) in sums.iter_mut().zip([1.0, f, g, f * f, g * g]) {
                    *sum += term;
                }
            }
        }
        let [n, f, g, ff, gg] = sums;
        let (mean_f, mean_g) = (f / n, g / n);
        let (squares_f, squares_g) = (ff - f * mean_f, gg - g * mean_g);
        let gain = (squares_f / squares_g).sqrt();
        let missing = squares_f / n;
        each()
            .map(|((_, &f), g)| {
                let square = g.map(|g| (gain * (g - mean_g) - (f - mean_f)).powi(2));
                square.filter(|r| r.is_finite()).unwrap_or(missing)
            })
            .collect()
    }

    /// The line that leaves the smallest sum of squares, with the share `least` of the pixels or
    /// more on either side; `None` where no line leaves less than one side alone.
    pub(crate) fn best_line(&self, a: &[f64], b: &[f64], least: f64) -> Option<Line> {
        let turn = std::f64::consts::TAU / DIRECTIONS as f64;
        let coarse = (0..DIRECTIONS).map(|k| k as f64 * turn);
        let line = self.best_of(coarse, a, b, least)?;
        self.better_line(line, a, b, least)
    }

    /// As [`best_line`](Self::best_line), among directions near that of `line`.
    pub(crate) fn better_line(&self, line: Line, a: &[f64], b: &[f64], least: f64) -> Option<Line> {
        let turn = std::f64::consts::TAU / DIRECTIONS as f64;
        let angle = line.normal.1.atan2(line.normal.0);
        let finer = f64::from(FINER + 1);
        let fine = (-FINER..=FINER).map(|k| angle + f64::from(k) * turn / finer);
        self.best_of(fine, a, b, least)
    }

    fn best_of(
        &self,
        angles: impl Iterator<Item = f64>,
        a: &[f64],
        b: &[f64],
        least: f64,
    ) -> Option<Line> {
        let least = ((least * self.places.len() as f64).ceil() as usize).max(1);
        let each = angles.filter_map(|angle| self.best_offset(angle, a, b, least));
        let (line, rest) = each.min_by(|x, y| x.1.total_cmp(&y.1))?;
        let alone = a.iter().sum::<f64>() - b.iter().sum::<f64>();
        (rest < 0.0_f64.min(alone)).then_some(line)
    }

    /// The best line of a direction, and what it leaves beyond `Σ r_B²`.
    fn best_offset(&self, angle: f64, a: &[f64], b: &[f64], least: usize) -> Option<(Line, f64)> {
        let normal = (angle.cos(), angle.sin());
        // The corners of the square are farthest away.
        let reach = self.half * std::f64::consts::SQRT_2 + 1.0;
        let strips = (2.0 * reach / STRIP_PX).ceil() as usize + 1;
        let mut sums = vec![(0.0, 0_usize); strips];
        for ((&(dx, dy), a), b) in self.places.iter().zip(a).zip(b) {
            let along = f64::from(dx) * normal.0 + f64::from(dy) * normal.1;
            let strip = &mut sums[((along + reach) / STRIP_PX) as usize];
            *strip = (strip.0 + a - b, strip.1 + 1);
        }
        let (mut rest, mut count) = (0.0, 0);
        let mut best: Option<(usize, f64)> = None;
        for (i, &(difference, pixels)) in sums.iter().enumerate() {
            (rest, count) = (rest + difference, count + pixels);
            let both = count >= least && self.places.len() - count >= least;
            if both && best.is_none_or(|(_, lowest)| rest < lowest) {
                best = Some((i, rest));
            }
        }
        let (strip, rest) = best?;
        let offset = (strip + 1) as f64 * STRIP_PX - reach;
        Some((Line { normal, offset }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(half: i32) -> Pixels {
        let places: Vec<(i32, i32)> = (-half..=half)
            .flat_map(|dy| (-half..=half).map(move |dx| (dx, dy)))
            .collect();
        Pixels {
            grey: vec![0.0; places.len()],
            places,
            half: f64::from(half),
        }
    }

    /// Residuals that a line of known place divides without error are divided there again.
    #[test]
    fn a_known_line_is_found() {
        let pixels = square(15);
        for (degrees, offset) in [(0.0, 3.0), (30.0, -6.0), (135.0, 0.5), (290.0, 9.0)] {
            let angle = f64::to_radians(degrees);
            let truth = Line {
                normal: (angle.cos(), angle.sin()),
                offset,
            };
            let of = |side: Side| -> Vec<f64> {
                let wrong = |place: &(i32, i32)| f64::from(u8::from(truth.side(*place) != side));
                pixels.places.iter().map(wrong).collect()
            };
            let found = pixels
                .best_line(&of(Side::A), &of(Side::B), 0.02)
                .expect("a line");
            let wrong = pixels.places.iter().filter(|place| {
                found.side(**place) != truth.side(**place) && truth.distance(**place).abs() > 1.0
            });
            assert_eq!(wrong.count(), 0, "{degrees}°, {offset} px: {found:?}");
        }
    }

    #[test]
    fn one_field_that_explains_everything_needs_no_line() {
        let pixels = square(10);
        let n = pixels.places.len();
        assert_eq!(pixels.best_line(&vec![0.0; n], &vec![1.0; n], 0.02), None);
        assert_eq!(pixels.best_line(&vec![1.0; n], &vec![1.0; n], 0.02), None);
    }
}
