//! First parameters for points that have no previous result: whole-pixel displacements by phase
//! correlation.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::phase::{Fading, PhaseCorrelator, Shift};
use crate::plane::Plane;
use crate::settings::Settings;
use crate::shape::{Parameters, translation};

/// Peaks that are compared by ZNCC before one is believed.
const CANDIDATES: usize = 4;

/// Peaks of the whole picture that are compared.
const WHOLE_CANDIDATES: usize = 6;

/// Smallest side of a shared tile in px.
const SMALLEST_TILE: usize = 32;

/// Two pictures of a pair, of one size.
#[derive(Clone, Copy)]
pub(crate) struct Pictures<'a> {
    pub(crate) reference: &'a Plane,
    pub(crate) deformed: &'a Plane,
}

/// The parameters of a rigid displacement.
pub(crate) fn rigid((u, v): Shift) -> Parameters {
    translation(u as f64, v as f64)
}

/// Columns that [`zncc`] sums apart.
const ZNCC_PARTS: usize = 8;

/// The highest peak of the subset's own window, taken as it is.
pub(crate) fn own_peak(
    correlator: &mut PhaseCorrelator,
    pictures: Pictures<'_>,
    point: (usize, usize),
    half: usize,
) -> Shift {
    let corner = (point.0 - half, point.1 - half);
    let peaks = correlator.peaks(pictures.reference, pictures.deformed, corner, 1);
    peaks.first().copied().unwrap_or((0, 0))
}

/// The best by ZNCC of the highest peaks of the subset's own window.
pub(crate) fn own_best(
    correlator: &mut PhaseCorrelator,
    pictures: Pictures<'_>,
    point: (usize, usize),
    half: usize,
) -> Shift {
    let corner = (point.0 - half, point.1 - half);
    let peaks = correlator.peaks(pictures.reference, pictures.deformed, corner, CANDIDATES);
    best(pictures, point, half, &peaks)
}

/// Whole-pixel displacements from tiles that neighbouring points share; each tile is correlated when
/// a point first asks for it.
pub(crate) struct Tiles<'a> {
    pictures: Pictures<'a>,
    subset: usize,
    side: usize,
    correlator: PhaseCorrelator,
    /// By row and column of the tile.
    found: BTreeMap<(usize, usize), Shift>,
}

impl<'a> Tiles<'a> {
    /// No tile is correlated yet.
    pub(crate) fn new(pictures: Pictures<'a>, settings: &Settings) -> Self {
        let subset = settings.side_px();
        let power = subset.next_power_of_two().max(SMALLEST_TILE);
        let fits = power <= pictures.reference.width && power <= pictures.reference.height;
        let (side, fading) = match fits {
            true => (power, Fading::Hann),
            false => (subset, Fading::None),
        };
        Self {
            pictures,
            subset,
            side,
            correlator: PhaseCorrelator::new(side, fading),
            found: BTreeMap::new(),
        }
    }

    /// The displacement at each of `points`.
    pub(crate) fn shifts_at(&mut self, points: &[(usize, usize)]) -> Vec<Shift> {
        let subset = self.subset;
        let node_of = |&(x, y): &(usize, usize)| (y / subset, x / subset);
        let mut nodes: Vec<(usize, usize)> = points.iter().map(node_of).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes.retain(|node| !self.found.contains_key(node));
        let shifts: Vec<Shift> = nodes
            .par_iter()
            .map_init(
                || self.correlator.clone(),
                |correlator, &node| self.correlated(correlator, node),
            )
            .collect();
        self.found.extend(nodes.into_iter().zip(shifts));
        let shift = |point| self.found.get(&node_of(point)).copied();
        points
            .iter()
            .map(|point| shift(point).unwrap_or_default())
            .collect()
    }

    fn correlated(&self, correlator: &mut PhaseCorrelator, (row, column): (usize, usize)) -> Shift {
        let half = self.subset / 2;
        let Pictures {
            reference,
            deformed,
        } = self.pictures;
        let centre =
            |place: usize, n: usize| (place * self.subset + half).clamp(half, n - 1 - half);
        let (x, y) = (
            centre(column, reference.width),
            centre(row, reference.height),
        );
        let corner =
            |centre: usize, n: usize| centre.saturating_sub(self.side / 2).min(n - self.side);
        let corner = (corner(x, reference.width), corner(y, reference.height));
        let peaks = correlator.peaks(reference, deformed, corner, CANDIDATES);
        best(self.pictures, (x, y), half, &peaks)
    }
}

/// Displacements of the whole picture: the highest peaks, each with the larger displacements that
/// the periodic transform cannot tell from it, as far as a subset still fits into the overlap.
pub(crate) fn whole(pictures: Pictures<'_>, half: usize) -> Vec<Shift> {
    let (width, height) = (pictures.reference.width, pictures.reference.height);
    let mut correlator = PhaseCorrelator::with_sides(width, height, Fading::Rim);
    let peaks = correlator.peaks(
        pictures.reference,
        pictures.deformed,
        (0, 0),
        WHOLE_CANDIDATES,
    );
    let aliases = |shift: isize, n: usize| {
        let n = n as isize;
        let other = if shift > 0 { shift - n } else { shift + n };
        let fits = move |&shift: &isize| shift.abs() + 2 * (half as isize) < n;
        [shift, other].into_iter().filter(fits)
    };
    let mut shifts = Vec::new();
    for (u, v) in peaks {
        for u in aliases(u, width) {
            shifts.extend(aliases(v, height).map(|v| (u, v)));
        }
    }
    shifts
}

/// The displacement with the highest ZNCC of the square subset: one of `peaks`, or none at all.
pub(crate) fn best(
    pictures: Pictures<'_>,
    centre: (usize, usize),
    half: usize,
    peaks: &[Shift],
) -> Shift {
    let mut chosen = (0, 0);
    let mut highest = zncc(pictures, centre, half, chosen);
    for &peak in peaks {
        let value = zncc(pictures, centre, half, peak);
        if value > highest {
            (chosen, highest) = (peak, value);
        }
    }
    chosen
}

/// ZNCC of the square subset at a whole-pixel displacement; `-1` outside the picture or flat.
pub(crate) fn zncc(
    pictures: Pictures<'_>,
    (x, y): (usize, usize),
    half: usize,
    (u, v): Shift,
) -> f64 {
    let (f, g) = (pictures.reference, pictures.deformed);
    let size = 2 * half + 1;
    let left = (x - half) as isize + u;
    let top = (y - half) as isize + v;
    let fits = |start: isize, n: usize| start >= 0 && start as usize + size <= n;
    if !fits(left, g.width) || !fits(top, g.height) {
        return -1.0;
    }
    let (left, top) = (left as usize, top as usize);
    // Neighbouring columns are summed apart, so that no sum waits for the one before it.
    let mut sums = [[0.0_f64; ZNCC_PARTS]; 5];
    for row in 0..size {
        let from_f = f.index(x - half, y - half + row);
        let from_g = g.index(left, top + row);
        let a = f.data[from_f..from_f + size].chunks(ZNCC_PARTS);
        let b = g.data[from_g..from_g + size].chunks(ZNCC_PARTS);
        for (a, b) in a.zip(b) {
            for (k, (&a, &b)) in a.iter().zip(b).enumerate() {
                let (a, b) = (f64::from(a), f64::from(b));
                for (sum, term) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                    sum[k] += term;
                }
            }
        }
    }
    let n = (size * size) as f64;
    let [a, b, aa, bb, ab] = sums.map(|parts| parts.iter().sum::<f64>());
    let scale = ((aa - a * a / n) * (bb - b * b / n)).sqrt();
    let value = (ab - a * b / n) / scale;
    if value.is_finite() { value } else { -1.0 }
}
