//! Places from which a correlation can begin although nothing is known of the deformation: pairs of
//! keypoints, and the affine maps on which neighbouring pairs agree.
//!
//! Where the two pictures share too few keypoints as they are, the reference is looked at from the
//! side: stretched along several directions before its keypoints are taken.
//!
//! # Source
//! Lowe 2004, doi:10.1023/B:VISI.0000029664.99615.94, section 7.1, for the ratio test; Morel & Yu
//! 2009, doi:10.1137/080732730, for simulated views. The local agreement is our own.

use rayon::prelude::*;

use crate::affine::{Affine, Link};
use crate::guess::Pictures;
use crate::keypoints::{Keypoint, LENGTH, keypoints};
use crate::plane::Plane;
use crate::scalespace::{Raster, octaves};

/// Keypoints that are taken from a picture at most.
const MOST_KEYPOINTS: usize = 6000;

/// Octaves of the scale space.
const OCTAVES: usize = 4;

/// Largest picture that is searched at its full resolution, px.
const LARGEST_PX: usize = 1_200_000;

/// Largest ratio of the distances to the nearest and the second nearest description.
const LARGEST_RATIO: f32 = 0.85;

/// Keypoints nearer than this many of their sizes show the same thing.
const SAME_PLACE: f64 = 1.5;

/// Neighbouring pairs asked for their agreement.
const NEIGHBOURS: usize = 16;

/// How many of them must agree with a map.
const SUPPORT: usize = 5;

/// Starts below which the reference is looked at from other sides.
const ENOUGH: usize = 12;

/// Stretches of the simulated views.
const STRETCHES: [f64; 2] = [1.7, 2.7];

/// Directions of the simulated views between 0° and 180°.
const SIDES: usize = 4;

/// A place of the reference with the affine map around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeypointStart {
    pub(crate) place: (f64, f64),
    pub(crate) map: Affine,
    /// Neighbouring pairs that agree with the map.
    pub(crate) support: usize,
}

/// Whether other sides are worth their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Views {
    Plain,
    Stretched,
}

/// The starts of a pair of pictures; empty where they share nothing.
pub(crate) fn keypoint_starts(pictures: Pictures<'_>, views: Views) -> Vec<KeypointStart> {
    let standardised = |plane: &Plane| Raster::standardised(plane);
    let (Some(reference), Some(deformed)) = (
        standardised(pictures.reference),
        standardised(pictures.deformed),
    ) else {
        return Vec::new();
    };
    let of = |raster: &Raster| keypoints(&octaves(raster, OCTAVES, LARGEST_PX), MOST_KEYPOINTS);
    let there = of(&deformed);
    let mut best = agreeing(&links(&of(&reference), &there));
    if best.len() >= ENOUGH || views == Views::Plain {
        return best;
    }
    for stretch in STRETCHES {
        for side in 0..SIDES {
            let angle = std::f64::consts::PI * side as f64 / SIDES as f64;
            let view = View::new(&reference, angle, stretch);
            let mut here = of(&view.picture);
            for keypoint in &mut here {
                (keypoint.x, keypoint.y) = view.origin(keypoint.x, keypoint.y);
            }
            let found = agreeing(&links(&here, &there));
            if found.len() > best.len() {
                best = found;
            }
        }
        if best.len() >= ENOUGH {
            break;
        }
    }
    best
}

/// The reference stretched along one direction.
struct View {
    picture: Raster,
    /// `reference = centre + inverse (view − view centre)`.
    inverse: [f64; 4],
    centre: (f64, f64),
    view_centre: (f64, f64),
}

impl View {
    fn new(reference: &Raster, angle: f64, stretch: f64) -> Self {
        let (sin, cos) = angle.sin_cos();
        let along = |factor: f64| {
            [
                factor * cos * cos + sin * sin,
                (factor - 1.0) * sin * cos,
                (factor - 1.0) * sin * cos,
                factor * sin * sin + cos * cos,
            ]
        };
        let (forward, inverse) = (along(stretch), along(1.0 / stretch));
        let half = |n: usize| 0.5 * (n as f64 - 1.0);
        let centre = (half(reference.width), half(reference.height));
        let reach_x = forward[0].abs() * centre.0 + forward[1].abs() * centre.1;
        let reach_y = forward[2].abs() * centre.0 + forward[3].abs() * centre.1;
        let (width, height) = ((2.0 * reach_x) as usize + 1, (2.0 * reach_y) as usize + 1);
        let mut out = Self {
            picture: Raster {
                width,
                height,
                data: vec![0.0; width * height],
            },
            inverse,
            centre,
            view_centre: (half(width), half(height)),
        };
        let mut data = std::mem::take(&mut out.picture.data);
        data.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
            for (x, value) in row.iter_mut().enumerate() {
                let (rx, ry) = out.origin(x as f64, y as f64);
                *value = bilinear(reference, rx, ry);
            }
        });
        out.picture.data = data;
        out
    }

    /// The place of the reference that the view shows at `(x, y)`.
    fn origin(&self, x: f64, y: f64) -> (f64, f64) {
        let (dx, dy) = (x - self.view_centre.0, y - self.view_centre.1);
        (
            self.centre.0 + self.inverse[0] * dx + self.inverse[1] * dy,
            self.centre.1 + self.inverse[2] * dx + self.inverse[3] * dy,
        )
    }
}

/// The grey value between pixels; the mean grey value, zero, outside.
fn bilinear(raster: &Raster, x: f64, y: f64) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    if column < 0.0
        || row < 0.0
        || column + 1.0 >= raster.width as f64
        || row + 1.0 >= raster.height as f64
    {
        return 0.0;
    }
    let (tx, ty) = ((x - column) as f32, (y - row) as f32);
    let at = row as usize * raster.width + column as usize;
    let along = |at: usize| raster.data[at] + tx * (raster.data[at + 1] - raster.data[at]);
    let (above, below) = (along(at), along(at + raster.width));
    above + ty * (below - above)
}

/// Pairs of keypoints that are clearly nearer to each other than to any other.
fn links(here: &[Keypoint], there: &[Keypoint]) -> Vec<Link> {
    const TOGETHER: usize = 16;
    here.par_chunks(TOGETHER)
        .flat_map_iter(|block| {
            let mut nearest = vec![Nearest::default(); block.len()];
            for (index, candidate) in there.iter().enumerate() {
                for (best, keypoint) in nearest.iter_mut().zip(block) {
                    let likeness = dot(&keypoint.description, &candidate.description);
                    best.consider(index, likeness, there);
                }
            }
            let found: Vec<Link> = block
                .iter()
                .zip(nearest)
                .filter_map(|(keypoint, best)| {
                    let candidate = &there[best.clear()?];
                    Some(Link {
                        from: (keypoint.x, keypoint.y),
                        to: (candidate.x, candidate.y),
                    })
                })
                .collect();
            found
        })
        .collect()
}

/// The most alike candidate and the likeness of the best one at another place.
#[derive(Clone, Copy)]
struct Nearest {
    index: Option<usize>,
    likeness: f32,
    other: f32,
}

impl Default for Nearest {
    fn default() -> Self {
        Self {
            index: None,
            likeness: -1.0,
            other: -1.0,
        }
    }
}

impl Nearest {
    fn consider(&mut self, index: usize, likeness: f32, there: &[Keypoint]) {
        if likeness <= self.other {
            return;
        }
        let same_place = |i: usize| {
            let (a, b) = (&there[i], &there[index]);
            (a.x - b.x).hypot(a.y - b.y) <= SAME_PLACE * a.sigma.max(b.sigma)
        };
        let is_apart = !self.index.is_some_and(same_place);
        if likeness > self.likeness {
            if is_apart {
                self.other = self.likeness;
            }
            (self.index, self.likeness) = (Some(index), likeness);
        } else if is_apart {
            self.other = likeness;
        }
    }

    /// The candidate, if the next best is clearly farther.
    fn clear(&self) -> Option<usize> {
        // Descriptions have unit length: the squared distance is 2 − 2 likeness.
        let distance = |likeness: f32| (2.0 - 2.0 * likeness).max(0.0);
        let limit = LARGEST_RATIO * LARGEST_RATIO * distance(self.other);
        self.index.filter(|_| distance(self.likeness) < limit)
    }
}

fn dot(a: &[f32; LENGTH], b: &[f32; LENGTH]) -> f32 {
    // Sixteen sums side by side are vectors on any processor, and always in the same order.
    let mut sums = [0.0_f32; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// The pairs that agree with enough of their neighbours on one affine map, best supported first.
fn agreeing(links: &[Link]) -> Vec<KeypointStart> {
    let mut out: Vec<KeypointStart> = links
        .par_iter()
        .filter_map(|&link| agreement(link, links))
        .collect();
    out.sort_by_key(|start| std::cmp::Reverse(start.support));
    out
}

/// The affine map through a pair and two of its neighbours with which most of them agree.
fn agreement(link: Link, links: &[Link]) -> Option<KeypointStart> {
    let distance = |other: &Link| (other.from.0 - link.from.0).hypot(other.from.1 - link.from.1);
    // Keypoints with two directions make the same pair twice.
    let mut near: Vec<(f64, usize)> = links
        .iter()
        .enumerate()
        .map(|(index, other)| (distance(other), index))
        .filter(|&(distance, _)| distance > 1.0)
        .collect();
    let count = NEIGHBOURS.min(near.len());
    if count + 1 < SUPPORT {
        return None;
    }
    if near.len() > count {
        near.select_nth_unstable_by(count - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.truncate(count);
    }
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let near: Vec<Link> = near.iter().map(|&(_, index)| links[index]).collect();
    let agrees = |map: &Affine, other: &Link| map.miss(*other) <= 1.5 + 0.03 * distance(other);
    let mut best: Option<(usize, Affine)> = None;
    for (i, &a) in near.iter().enumerate() {
        for &b in &near[..i] {
            let Some(map) = Affine::through(link, a, b).filter(Affine::is_plausible) else {
                continue;
            };
            let support = near.iter().filter(|other| agrees(&map, other)).count();
            if best.is_none_or(|(most, _)| support > most) {
                best = Some((support, map));
            }
        }
    }
    let (support, map) = best.filter(|&(support, _)| support >= SUPPORT)?;
    let agreeing: Vec<(Link, f64)> = near
        .iter()
        .filter(|other| agrees(&map, other))
        .chain(std::iter::once(&link))
        .map(|&other| (other, 1.0))
        .collect();
    let fitted = Affine::fitted(link.from, &agreeing).filter(Affine::is_plausible);
    Some(KeypointStart {
        place: link.from,
        map: fitted.unwrap_or(map),
        support,
    })
}
