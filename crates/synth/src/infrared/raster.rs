//! A picture in samples: [`SAMPLES`]² per pixel, each with its radiance, its surface temperature
//! and its owner.
//!
//! The number of samples is odd, so that a pixel is covered by more or by less than half, never
//! by half: at most one object has the majority of a pixel.

use super::pose::Pose;
use super::solid::{Bands, Point, Shade, Solid};

/// Samples along one side of a pixel.
pub(super) const SAMPLES: usize = 3;
/// Samples that make the majority of a pixel.
pub(super) const MAJORITY: usize = SAMPLES * SAMPLES / 2 + 1;
/// Parts that an owner's number leaves room for.
const PARTS: u16 = 8;
/// The owner of what belongs to no object.
pub(super) const NOBODY: u16 = 0;

/// Radiance of a black body against one of 300 K.
///
/// # Source
/// Stefan–Boltzmann, as for a detector without spectral limits.
pub(super) fn radiance(celsius: f64) -> f64 {
    let t = (celsius + 273.15) / 300.0;
    t * t * t * t
}

/// The temperature of a black body of that radiance, °C.
pub(super) fn celsius(radiance: f64) -> f64 {
    radiance.max(0.0).sqrt().sqrt() * 300.0 - 273.15
}

/// The samples, row by row.
pub(super) struct Samples {
    /// Samples in a row.
    pub(super) columns: usize,
    /// Rows of samples.
    pub(super) rows: usize,
    pub(super) radiance: Vec<f32>,
    /// Of the surface, whatever it radiates, °C.
    pub(super) surface_c: Vec<f32>,
    pub(super) owner: Vec<u16>,
}

/// The number under which samples belong to part `part` of object `object`.
pub(super) fn owner(object: usize, part: u8) -> u16 {
    (object as u16 + 1) * PARTS + u16::from(part)
}

/// The object and the part that an owner's number stands for.
pub(super) fn owned(owner: u16) -> Option<(usize, usize)> {
    let object = (owner / PARTS).checked_sub(1)?;
    Some((usize::from(object), usize::from(owner % PARTS)))
}

/// What warms an object and what it reflects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heat {
    /// Temperature of the object as a whole, °C.
    pub(super) base_c: f64,
    /// Side towards the sun against the middle, K; negative when the sun is on the left.
    pub(super) sun_k: f64,
    /// Radiance of what a surface reflects.
    pub(super) reflected: f64,
    /// Whether surfaces are black.
    pub(super) black: bool,
    /// A hot joint.
    pub(super) hot: Option<Hot>,
}

/// A hot joint in the object's own frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hot {
    pub(super) at: Point,
    pub(super) radius: f64,
    pub(super) rise_k: f64,
}

impl Heat {
    /// Surface temperature, °C, and radiance at a point of a solid.
    fn at(&self, solid: &Solid, middle_y: f64, p: Point) -> (f64, f64) {
        let material = &solid.material;
        let turned = turned(solid.form.shade, p);
        let band = solid.form.bands.map_or(0.0, |bands| depth_of(bands, p));
        let mut surface = self.base_c
            + material.rise_k
            + material.downward_k * (p[1] - middle_y)
            + self.sun_k * turned
            + band;
        if let Some(hot) = &self.hot {
            let (dx, dy) = (p[0] - hot.at[0], p[1] - hot.at[1]);
            let far = (dx * dx + dy * dy) / (2.0 * hot.radius * hot.radius);
            if far < 12.0 {
                surface += hot.rise_k * (-far).exp();
            }
        }
        let own = radiance(surface);
        if self.black {
            return (surface, own);
        }
        // Towards the edge of a curved surface the emissivity falls, in dielectrics and paint late
        // and steeply.
        let fourth = turned.powi(4);
        let emissivity = material.emissivity * (1.0 - 0.35 * fourth * fourth);
        (
            surface,
            emissivity * own + (1.0 - emissivity) * self.reflected,
        )
    }
}

/// Sine of the angle to the line of sight, signed for cylinders.
fn turned(shade: Shade, p: Point) -> f64 {
    match shade {
        Shade::Flat => 0.0,
        Shade::Round { on, along, radius } => {
            // Positive to the right of an axis that points down.
            let across = (p[0] - on[0]) * along[1] - (p[1] - on[1]) * along[0];
            (across / radius).clamp(-1.0, 1.0)
        }
        Shade::Ball { centre, radius } => {
            ((p[0] - centre[0]).hypot(p[1] - centre[1]) / radius).min(1.0)
        }
    }
}

/// A triangle wave: `-depth / 2` at the border of a band, `depth / 2` in its middle.
fn depth_of(bands: Bands, p: Point) -> f64 {
    let phase = bands.step[0] * p[0] + bands.step[1] * p[1] + bands.offset;
    let phase = phase - phase.floor();
    bands.depth_k * (0.5 - 2.0 * (phase - 0.5).abs())
}

impl Samples {
    /// Samples of a picture whose pixels have the given radiance and belong to nobody.
    pub(super) fn behind(width: usize, radiance: &[f32]) -> Self {
        let height = radiance.len() / width;
        let (columns, rows) = (width * SAMPLES, height * SAMPLES);
        let mut all = Vec::with_capacity(columns * rows);
        for line in radiance.chunks_exact(width) {
            let start = all.len();
            all.extend(line.iter().flat_map(|value| [*value; SAMPLES]));
            for _ in 1..SAMPLES {
                all.extend_from_within(start..start + columns);
            }
        }
        Self {
            columns,
            rows,
            surface_c: vec![f32::NAN; all.len()],
            owner: vec![NOBODY; all.len()],
            radiance: all,
        }
    }

    /// Paints one solid. `claimed` hears of every sample that was not of this object before.
    pub(super) fn paint(
        &mut self,
        solid: &Solid,
        pose: &Pose,
        heat: &Heat,
        owner: u16,
        mut claimed: impl FnMut(usize, usize),
    ) {
        let side = SAMPLES as f64;
        let outline: Vec<Point> = solid
            .form
            .outline
            .iter()
            .map(|point| pose.seen(*point).map(|c| c * side))
            .collect();
        let back = pose.back();
        let columns = self.columns;
        spans(&outline, (columns, self.rows), |row, start, end| {
            let y = (row as f64 + 0.5) / side;
            for column in start..end {
                let own = back.own([(column as f64 + 0.5) / side, y]);
                let (surface, radiance) = heat.at(solid, pose.middle[1], own);
                let at = row * columns + column;
                if self.owner[at] / PARTS != owner / PARTS {
                    claimed(column, row);
                }
                self.owner[at] = owner;
                self.radiance[at] = radiance as f32;
                self.surface_c[at] = surface as f32;
            }
        });
    }
}

/// Runs of samples whose centres lie inside `outline` (even–odd rule): row, first, end.
fn spans(
    outline: &[Point],
    (columns, rows): (usize, usize),
    mut span: impl FnMut(usize, usize, usize),
) {
    let (top, bottom) = outline
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| {
            (low.min(p[1]), high.max(p[1]))
        });
    // The first centre at or after `at`; a negative number becomes 0.
    let first = |at: f64, most: usize| ((at - 0.5).ceil().max(0.0) as usize).min(most);
    let mut crossings: Vec<f64> = Vec::new();
    for row in first(top, rows)..first(bottom, rows) {
        let y = row as f64 + 0.5;
        crossings.clear();
        for (i, b) in outline.iter().enumerate() {
            let a = outline[(i + outline.len() - 1) % outline.len()];
            if (a[1] <= y) != (b[1] <= y) {
                crossings.push(a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]));
            }
        }
        crossings.sort_unstable_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            span(row, first(pair[0], columns), first(pair[1], columns));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infrared::solid::{PAINT, block, ring};

    const STILL: Pose = Pose {
        middle: [0.0, 0.0],
        centre: [0.0, 0.0],
        scale: 1.0,
        aspect: 1.0,
        keystone: 0.0,
        tilt: 0.0,
    };

    fn area(solid: &Solid, pose: &Pose) -> usize {
        let mut samples = Samples::behind(20, &[1.0; 20 * 16]);
        let heat = Heat {
            base_c: 10.0,
            sun_k: 0.0,
            reflected: 0.5,
            black: true,
            hot: None,
        };
        let mut claimed = 0;
        samples.paint(solid, pose, &heat, owner(2, 1), |_, _| claimed += 1);
        let owned = samples.owner.iter().filter(|o| **o == owner(2, 1)).count();
        assert_eq!(claimed, owned);
        owned
    }

    #[test]
    fn a_block_covers_its_samples_and_no_more() {
        let solid = |form| Solid {
            form,
            material: PAINT,
            part: 1,
        };
        let per_pixel = SAMPLES * SAMPLES;
        let inside = solid(block([2.0, 3.0, 7.0, 5.0]));
        assert_eq!(area(&inside, &STILL), 10 * per_pixel);
        // What lies beyond the picture is cut.
        let beyond = solid(block([-5.0, -5.0, 2.0, 40.0]));
        assert_eq!(area(&beyond, &STILL), 2 * 16 * per_pixel);
        // Moved by a quarter turn about its centre, 5 × 2 covers as much.
        let turned = Pose {
            centre: [10.5, 8.5],
            middle: [4.5, 4.0],
            tilt: std::f64::consts::FRAC_PI_2,
            ..STILL
        };
        let covered = area(&inside, &turned).abs_diff(10 * per_pixel);
        assert!(covered <= 5 * SAMPLES, "{covered}");
        // π (6² − 4²) = 62.8 pixels; polygons of 24 corners have 1.1 % less.
        let hole = area(&solid(ring([10.0, 8.0], 6.0, 6.0, 2.0)), &STILL);
        assert!(
            (hole as f64 / per_pixel as f64 - 62.1).abs() < 2.0,
            "{hole}"
        );
    }

    #[test]
    fn owners_and_radiance_are_read_back() {
        assert_eq!(owned(owner(11, 3)), Some((11, 3)));
        assert_eq!(owned(NOBODY), None);
        assert!((celsius(radiance(-40.0)) + 40.0).abs() < 1e-9);
    }
}
