//! Spectra of matched tiles of a pair, divided into what moves with the picture and what does not.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use retrial_image::{GrayImage, Mask};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::transfer::{BINS, TILE, frequency, interpolated};
use crate::dispatch::Dispatch;
use crate::guess::{Pictures, best};
use crate::job::Job;
use crate::phase::{Fading, PhaseCorrelator, Shift, transform};
use crate::plane::Plane;
use crate::reference::{Deformed, Frame};
use crate::settings::{Settings, SplineDegree, SubsetShape};
use crate::shape::{PARAMETERS, Parameters, displacement, displacement_at, moved_by};
use crate::status::Status;
use crate::subset::{SubsetRow, subset_rows};
use crate::trust::median;

/// Side of the window in which the displacement of a tile is looked for, px.
const WINDOW: usize = 64;

/// Side of the part of both pictures that a tile is matched in, px: the tile, and room for filter,
/// spline and the last half pixel.
const CROP: usize = 57;

/// Largest displacement within that part, px.
const LARGEST_REST: f64 = 3.0;

/// Side of the part of both pictures in which that window moves, px.
const ROOM: usize = WINDOW + TILE + 1;

/// Pixels of the picture a tile, and the fewest and the most tiles that are tried.
const AREA: usize = 16_384;
const TILES: (usize, usize) = (12, 64);

/// The fewest matched tiles that say something.
const FEWEST: usize = 6;

/// ZNCC from which the match of a tile is believed.
const LEAST_ZNCC: f64 = 0.7;

/// Residuals of so many times the median one are no noise: a crack or a field that bends.
const UNUSUAL_REST: f64 = 4.0;

/// Share of the contrast below which a residual is rounding: the pictures are the same.
const SAME: f64 = 1e-9;

/// Powers by frequency along `y`, then `x`, of tiles with contrast one.
#[derive(Clone, Debug)]
pub(super) struct Spectra {
    /// Of the pattern that both pictures share.
    pub(super) moving: [[f64; BINS]; BINS],
    /// Of the difference of the two pictures after the match.
    pub(super) rest: [[f64; BINS]; BINS],
    pub(super) tiles: usize,
    /// Distance of the displacement from whole pixels along the axis where it is larger, median over
    /// tiles, px.
    pub(super) fraction: f64,
    /// Centres of all matched tiles with the parameters of their match.
    pub(super) matches: Vec<((usize, usize), Parameters)>,
}

/// What one tile adds, by frequency: power of the reference, cross power, power of the difference, and
/// the transfer of the spline at its position.
struct Tile {
    power: [[f64; BINS]; BINS],
    shared: [[f64; BINS]; BINS],
    rest: [[f64; BINS]; BINS],
    whole_rest: f64,
    along_x: [Complex<f64>; BINS],
    along_y: [Complex<f64>; BINS],
    fraction: f64,
    centre: (usize, usize),
    p: Parameters,
}

impl Spectra {
    pub(super) fn measure(
        first: &GrayImage,
        deformed: &GrayImage,
        mask: Option<&Mask>,
    ) -> Option<Self> {
        let (width, height) = (first.width(), first.height());
        if width < WINDOW || height < WINDOW {
            return None;
        }
        let places = places(width, height, mask);
        let settings = Settings {
            prefilter: None,
            spline_degree: SplineDegree::Five,
            ..Settings::default().with_side_px(TILE + 1)
        };
        let plan = FftPlanner::new().plan_fft_forward(TILE);
        let matcher = Matcher {
            first,
            deformed,
            plan,
            rows: subset_rows(settings.side_px(), SubsetShape::Square),
            settings,
            window: hann(),
        };
        let new = PhaseCorrelator::new(WINDOW, Fading::Hann);
        let found: Vec<Option<Tile>> = places
            .par_iter()
            .map_init(
                || new.clone(),
                |correlator, &centre| matcher.tile(correlator, centre),
            )
            .collect();
        let tiles: Vec<Tile> = found.into_iter().flatten().collect();
        let usual = median(tiles.iter().map(|tile| tile.whole_rest).collect())?;
        let kept = tiles
            .iter()
            .filter(|tile| tile.whole_rest <= UNUSUAL_REST * usual);
        let kept: Vec<&Tile> = kept.collect();
        let is_enough = kept.len() >= FEWEST && 3 * kept.len() >= places.len();
        (is_enough && usual > SAME).then(|| Self {
            matches: tiles.iter().map(|tile| (tile.centre, tile.p)).collect(),
            ..divided(&kept)
        })
    }
}

/// Centres of the tiles: evenly over the picture, or the rectangle around the mask, those whose tile lies in the mask.
fn places(width: usize, height: usize, mask: Option<&Mask>) -> Vec<(usize, usize)> {
    let Some([across, down]) = mask.map_or(Some([(0, width), (0, height)]), extent) else {
        return Vec::new();
    };
    let (area_width, area_height) = ((across.1 - across.0) as f64, (down.1 - down.0) as f64);
    let wanted = (area_width * area_height) as usize / AREA;
    let wanted = wanted.clamp(TILES.0, TILES.1) as f64;
    let columns = (wanted * area_width / area_height).sqrt().round();
    let columns = columns.clamp(1.0, wanted);
    let rows = (wanted / columns).round().max(1.0);
    // Centres for which the window lies in the picture, and the tile in the rectangle.
    let range = |(from, to): (usize, usize), n: usize| {
        let first = (WINDOW / 2).max(from + TILE / 2);
        let last = (n - WINDOW / 2).min((to + 1).saturating_sub(TILE / 2));
        (first <= last).then(|| (first, (last - first) as f64))
    };
    let Some((left, top)) = range(across, width).zip(range(down, height)) else {
        return Vec::new();
    };
    let place = |i: usize, count: f64, (first, room): (usize, f64)| {
        first + (room * (i as f64 + 0.5) / count) as usize
    };
    let all = (0..rows as usize).flat_map(|j| {
        (0..columns as usize).map(move |i| (place(i, columns, left), place(j, rows, top)))
    });
    let is_inside = |&(x, y): &(usize, usize)| {
        mask.is_none_or(|mask| {
            let half = TILE / 2;
            (y - half..=y + half).all(|y| (x - half..=x + half).all(|x| mask.contains(x, y)))
        })
    };
    // In small pictures the windows lie on each other.
    let distinct: BTreeSet<(usize, usize)> = all.filter(is_inside).collect();
    distinct.into_iter().collect()
}

/// The columns and the rows from the first pixel of a mask to behind the last one.
fn extent(mask: &Mask) -> Option<[(usize, usize); 2]> {
    let (width, height) = (mask.width(), mask.height());
    let holds_column = |&x: &usize| (0..height).any(|y| mask.contains(x, y));
    let holds_row = |&y: &usize| (0..width).any(|x| mask.contains(x, y));
    let across = (
        (0..width).find(holds_column)?,
        (0..width).rfind(holds_column)? + 1,
    );
    let down = (
        (0..height).find(holds_row)?,
        (0..height).rfind(holds_row)? + 1,
    );
    Some([across, down])
}

/// What all tiles share.
struct Matcher<'a> {
    first: &'a GrayImage,
    deformed: &'a GrayImage,
    plan: Arc<dyn Fft<f32>>,
    settings: Settings,
    rows: Vec<SubsetRow>,
    /// Along one axis; the mean square of the whole window is one.
    window: [f64; TILE],
}

impl Matcher<'_> {
    fn tile(&self, correlator: &mut PhaseCorrelator, (x, y): (usize, usize)) -> Option<Tile> {
        let shift = self.shift(correlator, (x, y));
        let f = crop(self.first, (x, y), (0, 0))?;
        let g = crop(self.deformed, (x, y), shift)?;
        let settings = &self.settings;
        let g = Deformed::new(Plane::from_image(&g), settings);
        let p = self.matched(&f, &g)?;
        let half = CROP / 2;
        let mut pairs = Vec::with_capacity(TILE * TILE);
        for row in 0..TILE {
            for column in 0..TILE {
                let (dx, dy) = (column as f64 - 16.0, row as f64 - 16.0);
                let (u, v) = displacement_at(&p, dx, dy);
                let there = g.spline.value(half as f64 + dx + u, half as f64 + dy + v)?;
                let here = f.get(half + column - TILE / 2, half + row - TILE / 2)?;
                pairs.push((f64::from(here), there));
            }
        }
        Some(Tile {
            centre: (x, y),
            p: moved_by(&p, [shift.0 as f64, shift.1 as f64]),
            ..self.spectra(&pairs, displacement(&p))?
        })
    }

    /// The displacement of a tile in whole pixels.
    fn shift(&self, correlator: &mut PhaseCorrelator, (x, y): (usize, usize)) -> Shift {
        let (width, height) = (self.first.width(), self.first.height());
        let (across, down) = (ROOM.min(width), ROOM.min(height));
        let left = x.saturating_sub(ROOM / 2).min(width - across);
        let top = y.saturating_sub(ROOM / 2).min(height - down);
        let part = |image: &GrayImage| {
            let mut plane = Plane::zeros(across, down);
            for row in 0..down {
                let source = &image.row(top + row)[left..left + across];
                plane.row_mut(row).copy_from_slice(source);
            }
            plane
        };
        let (reference, deformed) = (part(self.first), part(self.deformed));
        let pictures = Pictures {
            reference: &reference,
            deformed: &deformed,
        };
        let (x, y) = (x - left, y - top);
        let corner = (x - WINDOW / 2, y - WINDOW / 2);
        let peaks = correlator.peaks(&reference, &deformed, corner, 4);
        best(pictures, (x, y), TILE / 2, &peaks)
    }

    /// The parameters of the tile in the middle of two crops.
    fn matched(&self, f: &GrayImage, g: &Deformed) -> Option<Parameters> {
        let settings = &self.settings;
        let job = Job {
            settings,
            frame: &Frame::new(Plane::from_image(f), settings),
            deformed: g,
        };
        let centre = (CROP / 2, CROP / 2);
        let dispatch = Dispatch::best(settings.instruction_set);
        let found = job.match_at(dispatch, centre, &self.rows, &[0.0; PARAMETERS], settings);
        let is_near = found.u().abs().max(found.v().abs()) < LARGEST_REST;
        let is_good = found.status == Status::Converged && found.zncc >= LEAST_ZNCC;
        (is_near && is_good).then_some(found.p)
    }

    /// The spectra of the grey values `(f, g)` of a tile, brought to mean zero and contrast one.
    fn spectra(&self, pairs: &[(f64, f64)], [u, v]: [f64; 2]) -> Option<Tile> {
        let n = pairs.len() as f64;
        let sum = pairs.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
        let mean = (sum.0 / n, sum.1 / n);
        let mut products = (0.0, 0.0, 0.0);
        for (f, g) in pairs {
            let (f, g) = (f - mean.0, g - mean.1);
            products = (products.0 + f * f, products.1 + f * g, products.2 + g * g);
        }
        let contrast = (products.0 / n).sqrt();
        // Both have contrast one, as in ZNSSD.
        let gain = (products.0 / products.2).sqrt();
        if !(contrast > 0.0 && gain.is_finite() && products.1 > 0.0) {
            return None;
        }
        // Both pictures in one transform: the reference in the real part, the difference in the other.
        let mut data: Vec<Complex<f32>> = pairs
            .iter()
            .enumerate()
            .map(|(i, (f, g))| {
                let weight = self.window[i % TILE] * self.window[i / TILE] / contrast / TILE as f64;
                let (f, g) = (f - mean.0, gain * (g - mean.1));
                Complex::new((weight * f) as f32, (weight * (f - g)) as f32)
            })
            .collect();
        let mut turned = vec![Complex::new(0.0, 0.0); TILE * TILE];
        let plan = &self.plan;
        let mut scratch = vec![Complex::new(0.0, 0.0); plan.get_inplace_scratch_len()];
        transform(
            (plan, plan),
            (TILE, TILE),
            &mut data,
            &mut turned,
            &mut scratch,
        );
        let mut tile = Tile {
            power: [[0.0; BINS]; BINS],
            shared: [[0.0; BINS]; BINS],
            rest: [[0.0; BINS]; BINS],
            whole_rest: 0.0,
            along_x: std::array::from_fn(|k| interpolated(SplineDegree::Five, frequency(k), u)),
            along_y: std::array::from_fn(|k| interpolated(SplineDegree::Five, frequency(k), v)),
            fraction: (u - u.round()).abs().max((v - v.round()).abs()),
            centre: (0, 0),
            p: [0.0; PARAMETERS],
        };
        for kx in 0..TILE {
            for ky in 0..TILE {
                let here = turned[kx * TILE + ky];
                let there = turned[(TILE - kx) % TILE * TILE + (TILE - ky) % TILE].conj();
                let f = (here + there) * 0.5;
                let difference = (here - there) * 0.5;
                let rest = Complex::new(difference.im, -difference.re);
                let shared = f64::from((f.conj() * (f - rest)).re);
                let power = f64::from(rest.norm_sqr());
                let (bx, by) = (kx.min(TILE - kx), ky.min(TILE - ky));
                let times = |k: usize| if k == 0 || k == BINS - 1 { 1.0 } else { 2.0 };
                let part = 1.0 / times(bx) / times(by);
                tile.power[by][bx] += part * f64::from(f.norm_sqr());
                tile.shared[by][bx] += part * shared;
                tile.rest[by][bx] += part * power;
                tile.whole_rest += power / (TILE * TILE) as f64;
            }
        }
        Some(tile)
    }
}

/// Pattern and rest, from the mean over tiles: a spline passes the share `h` of a frequency, so that the
/// cross power is `h S`, and leaves the difference `|h − 1|² S` beside the noise. Half way between pixels
/// nothing of the highest frequency is left; no more than the reference holds is taken to be there.
fn divided(tiles: &[&Tile]) -> Spectra {
    let mut spectra = Spectra {
        moving: [[0.0; BINS]; BINS],
        rest: [[0.0; BINS]; BINS],
        tiles: tiles.len(),
        fraction: median(tiles.iter().map(|tile| tile.fraction).collect()).unwrap_or(0.0),
        matches: Vec::new(),
    };
    for ky in 0..BINS {
        for kx in 0..BINS {
            if (kx, ky) == (0, 0) {
                continue;
            }
            let (mut cross, mut passed, mut rest, mut misfit) = (0.0, 0.0, 0.0, 0.0);
            let mut most = 0.0;
            for tile in tiles {
                let (hx, hy) = (tile.along_x[kx], tile.along_y[ky]);
                let h = hx.re * hy.re;
                most += tile.power[ky][kx];
                cross += h * tile.shared[ky][kx];
                passed += h * h;
                rest += tile.rest[ky][kx];
                misfit += hx.norm_sqr() * hy.norm_sqr() + 1.0 - 2.0 * h;
            }
            let count = tiles.len() as f64;
            let moving = (cross / passed.max(f64::MIN_POSITIVE)).max(0.0);
            let moving = moving.min(most / count);
            spectra.moving[ky][kx] = moving;
            spectra.rest[ky][kx] = ((rest - misfit * moving) / count).max(0.0);
        }
    }
    spectra
}

/// The part of a picture around a pixel moved by `shift`; `None` where it leaves the picture.
fn crop(image: &GrayImage, (x, y): (usize, usize), shift: Shift) -> Option<GrayImage> {
    let start = |place: usize, shift: isize, n: usize| {
        let start = (place - CROP / 2).checked_add_signed(shift)?;
        (start + CROP <= n).then_some(start)
    };
    let left = start(x, shift.0, image.width())?;
    let top = start(y, shift.1, image.height())?;
    let rows = (0..CROP).flat_map(|row| &image.row(top + row)[left..left + CROP]);
    GrayImage::new(CROP, CROP, rows.copied().collect()).ok()
}

/// A Hann window whose mean square is one.
fn hann() -> [f64; TILE] {
    let raw: [f64; TILE] = std::array::from_fn(|i| {
        let turn = std::f64::consts::TAU * i as f64 / TILE as f64;
        0.5 - 0.5 * turn.cos()
    });
    let square = raw.iter().map(|w| w * w).sum::<f64>() / TILE as f64;
    raw.map(|w| w / square.sqrt())
}
