//! Keypoints with a description that survives rotation, scale and moderate stretch.
//!
//! # Source
//! Lowe 2004, doi:10.1023/B:VISI.0000029664.99615.94, sections 5 and 6: histograms of gradient
//! directions in 4 × 4 cells of 8 directions, turned by the dominant direction.

use std::f32::consts::TAU;

use rayon::prelude::*;

use crate::scalespace::{Extremum, Octave, Raster, extrema};

/// Numbers of a description.
pub(crate) const LENGTH: usize = 128;

/// Cells along a side, and directions of a cell.
const CELLS: usize = 4;
const DIRECTIONS: usize = 8;

/// Side of a cell in multiples of the keypoint's size.
const CELL_SIZE: f32 = 3.0;

/// Directions of the histogram that finds the dominant one.
const TURNS: usize = 36;

/// A second direction as strong as this share of the strongest makes a second keypoint.
const SECOND_TURN: f32 = 0.8;

/// Largest number of a description before it is normalised again.
const LARGEST_SHARE: f32 = 0.2;

/// A described keypoint.
#[derive(Clone, Debug)]
pub(crate) struct Keypoint {
    /// Column and row in the picture, px.
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Size in the picture, px.
    pub(crate) sigma: f64,
    /// Unit length.
    pub(crate) description: [f32; LENGTH],
}

/// Length and direction of the gradient at every pixel.
struct Gradients {
    width: usize,
    height: usize,
    polar: Vec<(f32, f32)>,
}

/// At most `wanted` keypoints of a picture, spread over it: the strongest of every part.
pub(crate) fn keypoints(octaves: &[Octave], wanted: usize) -> Vec<Keypoint> {
    let chosen = spread_out(extrema(octaves), octaves, wanted);
    let mut out = Vec::new();
    for (index, octave) in octaves.iter().enumerate() {
        for (level, raster) in octave.levels.iter().enumerate() {
            let here: Vec<Extremum> = chosen
                .iter()
                .copied()
                .filter(|extremum| extremum.octave == index && extremum.level == level)
                .collect();
            if here.is_empty() {
                continue;
            }
            let gradients = Gradients::of(raster);
            let described: Vec<Vec<Keypoint>> = here
                .par_iter()
                .map(|extremum| {
                    directions(&gradients, extremum)
                        .into_iter()
                        .map(|turn| Keypoint {
                            x: octave.scale * f64::from(extremum.x),
                            y: octave.scale * f64::from(extremum.y),
                            sigma: octave.scale * f64::from(extremum.sigma),
                            description: describe(&gradients, extremum, turn),
                        })
                        .collect()
                })
                .collect();
            out.extend(described.into_iter().flatten());
        }
    }
    out
}

/// The strongest `wanted` extrema, in equal shares from square parts of the picture.
fn spread_out(mut all: Vec<Extremum>, octaves: &[Octave], wanted: usize) -> Vec<Extremum> {
    if all.len() <= wanted {
        return all;
    }
    const PARTS: f64 = 12.0;
    let side = octaves.first().map_or(1.0, |octave| {
        let first = &octave.levels[0];
        octave.scale * first.width.max(first.height) as f64 / PARTS
    });
    let part = |extremum: &Extremum| {
        let scale = octaves[extremum.octave].scale;
        let cell = |t: f32| (scale * f64::from(t) / side) as usize;
        (cell(extremum.y), cell(extremum.x))
    };
    // A stable sort: equal contrasts stay in the order of their places.
    all.sort_by(|a, b| {
        part(a)
            .cmp(&part(b))
            .then(b.contrast.total_cmp(&a.contrast))
    });
    let parts: Vec<&[Extremum]> = all.chunk_by(|a, b| part(a) == part(b)).collect();
    let mut left = wanted;
    let mut out = Vec::with_capacity(wanted);
    let mut by_size: Vec<usize> = (0..parts.len()).collect();
    by_size.sort_by_key(|&i| parts[i].len());
    for (done, i) in by_size.into_iter().enumerate() {
        let share = left / (parts.len() - done);
        let taken = &parts[i][..share.min(parts[i].len())];
        left -= taken.len();
        out.extend_from_slice(taken);
    }
    out
}

impl Gradients {
    fn of(raster: &Raster) -> Self {
        let (width, height) = (raster.width, raster.height);
        let mut polar = vec![(0.0, 0.0); width * height];
        polar
            .par_chunks_mut(width)
            .enumerate()
            .skip(1)
            .take(height - 2)
            .for_each(|(y, out)| {
                for (x, value) in out.iter_mut().enumerate().take(width - 1).skip(1) {
                    let at = y * width + x;
                    let dx = raster.data[at + 1] - raster.data[at - 1];
                    let dy = raster.data[at + width] - raster.data[at - width];
                    *value = (dx.hypot(dy), dy.atan2(dx));
                }
            });
        Self {
            width,
            height,
            polar,
        }
    }

    /// Hands every pixel within `radius` of the extremum to `visit`: distance along x and y,
    /// length and direction of the gradient.
    fn around(&self, extremum: &Extremum, radius: f32, mut visit: impl FnMut(f32, f32, f32, f32)) {
        let range = |centre: f32, n: usize| {
            let first = (centre - radius).ceil().max(1.0) as usize;
            let last = (centre + radius).floor().min(n as f32 - 2.0).max(0.0) as usize;
            first..=last
        };
        for y in range(extremum.y, self.height) {
            let dy = y as f32 - extremum.y;
            for x in range(extremum.x, self.width) {
                let dx = x as f32 - extremum.x;
                if dx * dx + dy * dy <= radius * radius {
                    let (length, direction) = self.polar[y * self.width + x];
                    visit(dx, dy, length, direction);
                }
            }
        }
    }
}

/// The dominant directions of the gradient around an extremum, one or two.
fn directions(gradients: &Gradients, extremum: &Extremum) -> Vec<f32> {
    let width = 1.5 * extremum.sigma;
    let mut histogram = [0.0_f32; TURNS];
    gradients.around(extremum, 3.0 * width, |dx, dy, length, direction| {
        let weight = (-(dx * dx + dy * dy) / (2.0 * width * width)).exp();
        let bin = (direction / TAU).rem_euclid(1.0) * TURNS as f32;
        histogram[bin as usize % TURNS] += weight * length;
    });
    for _ in 0..4 {
        let before = histogram;
        for (i, value) in histogram.iter_mut().enumerate() {
            let (left, right) = (before[(i + TURNS - 1) % TURNS], before[(i + 1) % TURNS]);
            *value = (left + before[i] + right) / 3.0;
        }
    }
    let mut peaks: Vec<(f32, f32)> = (0..TURNS)
        .filter_map(|i| {
            let (left, here) = (histogram[(i + TURNS - 1) % TURNS], histogram[i]);
            let right = histogram[(i + 1) % TURNS];
            let bend = left + right - 2.0 * here;
            (here > left && here >= right && bend < 0.0).then(|| {
                let shift = 0.5 * (left - right) / bend;
                (here, (i as f32 + 0.5 + shift) * TAU / TURNS as f32)
            })
        })
        .collect();
    peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
    let strongest = peaks.first().map_or(0.0, |peak| peak.0);
    peaks
        .into_iter()
        .take(2)
        .filter(|peak| peak.0 >= SECOND_TURN * strongest)
        .map(|peak| peak.1)
        .collect()
}

/// The description of an extremum turned by `turn` radians.
fn describe(gradients: &Gradients, extremum: &Extremum, turn: f32) -> [f32; LENGTH] {
    let cell = CELL_SIZE * extremum.sigma;
    let radius = cell * 0.5 * (CELLS as f32 + 1.0) * std::f32::consts::SQRT_2;
    let (sin, cos) = turn.sin_cos();
    let half = 0.5 * CELLS as f32;
    // One more cell all round takes what interpolation puts outside.
    let mut histogram = [[[0.0_f32; DIRECTIONS]; CELLS + 2]; CELLS + 2];
    gradients.around(extremum, radius, |dx, dy, length, direction| {
        let column = (cos * dx + sin * dy) / cell;
        let row = (cos * dy - sin * dx) / cell;
        if column.abs() >= half + 0.5 || row.abs() >= half + 0.5 {
            return;
        }
        let weight = length * (-(column * column + row * row) / (2.0 * half * half)).exp();
        let (column, row) = (column + half + 0.5, row + half + 0.5);
        let bin = ((direction - turn) / TAU).rem_euclid(1.0) * DIRECTIONS as f32;
        let (c, r, b) = (column as usize, row as usize, bin as usize);
        let (fc, fr, fb) = (column - c as f32, row - r as f32, bin - b as f32);
        for (i, wr) in [(r, 1.0 - fr), (r + 1, fr)] {
            for (j, wc) in [(c, 1.0 - fc), (c + 1, fc)] {
                let Some(cell) = histogram.get_mut(i).and_then(|row| row.get_mut(j)) else {
                    continue;
                };
                let part = weight * wr * wc;
                cell[b % DIRECTIONS] += part * (1.0 - fb);
                cell[(b + 1) % DIRECTIONS] += part * fb;
            }
        }
    });
    let mut out = [0.0; LENGTH];
    let cells = (0..CELLS * CELLS).flat_map(|i| histogram[i / CELLS + 1][i % CELLS + 1]);
    for (value, sum) in out.iter_mut().zip(cells) {
        *value = sum;
    }
    normalise(&mut out);
    out.iter_mut()
        .for_each(|value| *value = value.min(LARGEST_SHARE));
    normalise(&mut out);
    out
}

fn normalise(values: &mut [f32; LENGTH]) {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        values.iter_mut().for_each(|value| *value /= length);
    }
}

/// The difference of two directions in `-π..=π`; for tests of turned pictures.
#[cfg(test)]
fn turned_by(from: f32, to: f32) -> f32 {
    (to - from + 0.5 * TAU).rem_euclid(TAU) - 0.5 * TAU
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;
    use crate::scalespace::octaves;

    /// A picture whose grey value is known everywhere, turned by 90°: pixel `(x, y)` of the turned
    /// picture is pixel `(y, 79 − x)` of the first.
    #[test]
    fn a_quarter_turn_turns_the_direction_and_keeps_the_description() {
        let value = |x: f32, y: f32| {
            (-((x - 40.0).powi(2) + (y - 38.0).powi(2)) / 18.0).exp()
                + 0.5 * (-((x - 48.0).powi(2) + (y - 33.0).powi(2)) / 12.0).exp()
                + 0.3 * (-((x - 33.0).powi(2) + (y - 47.0).powi(2)) / 30.0).exp()
        };
        let picture = |turned: bool| {
            let pixels: Vec<f32> = (0..80 * 80)
                .map(|i| {
                    let (x, y) = ((i % 80) as f32, (i / 80) as f32);
                    if turned {
                        value(y, 79.0 - x)
                    } else {
                        value(x, y)
                    }
                })
                .collect();
            let raster = Raster::standardised(&Plane::from_pixels(80, 80, &pixels));
            octaves(&raster.expect("a picture with contrast"), 1, 10_000)
        };
        let strongest = |octaves: &[Octave]| {
            extrema(octaves)
                .into_iter()
                .max_by(|a, b| a.contrast.total_cmp(&b.contrast))
                .expect("a blob")
        };
        let (plain, turned) = (picture(false), picture(true));
        let (a, b) = (strongest(&plain), strongest(&turned));
        assert!((b.x - (79.0 - a.y)).abs() < 0.01 && (b.y - a.x).abs() < 0.01);
        let of = |octaves: &[Octave], extremum: &Extremum| {
            let gradients = Gradients::of(&octaves[extremum.octave].levels[extremum.level]);
            let turn = directions(&gradients, extremum)[0];
            (turn, describe(&gradients, extremum, turn))
        };
        let ((turn_a, a), (turn_b, b)) = (of(&plain, &a), of(&turned, &b));
        assert!((turned_by(turn_a, turn_b) - 0.25 * TAU).abs() < 0.02);
        let dot: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
        assert!(dot > 0.995, "{dot}");
    }
}
