//! The weather, and what is seen behind and in front of the equipment: sky with clouds, ground,
//! walls, girders and wires. None of it is labelled.

use std::f64::consts::PI;

use retrial_seed::Stream;

use super::draw::{between, happens, whole};
use super::pose::Pose;
use super::raster::{Heat, NOBODY, Samples, radiance};
use super::solid::{METAL, Model, Point, STEEL, bar, ribbon};
use super::spec::{Emissivity, SceneSpec};

/// What all surfaces of a scene share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    pub(super) ambient_c: f64,
    pub(super) zenith_c: f64,
    pub(super) sun_k: f64,
    pub(super) black: bool,
}

impl Weather {
    pub(super) fn draw(spec: &SceneSpec, draw: &mut Stream) -> Self {
        let ambient_c = between(draw, spec.ambient_c);
        Self {
            ambient_c,
            zenith_c: ambient_c - between(draw, spec.sky.depression_k),
            sun_k: between(draw, (-2.0, 2.0)),
            black: spec.emissivity == Emissivity::Black,
        }
    }

    /// Surfaces of that temperature under this weather.
    pub(super) fn heat(&self, base_c: f64) -> Heat {
        // Upright surfaces see as much sky as surroundings.
        let reflected = 0.5 * radiance(self.zenith_c) + 0.5 * radiance(self.ambient_c);
        Heat {
            base_c,
            sun_k: self.sun_k,
            reflected,
            black: self.black,
            hot: None,
        }
    }
}

/// Smooth noise: random numbers on a coarse grid, joined by cubics, in `-1..=1`.
struct Cloth {
    columns: usize,
    values: Vec<f64>,
    cell: f64,
}

impl Cloth {
    fn draw(size: (usize, usize), cell: f64, draw: &mut Stream) -> Self {
        // A cell more on every side, for places that a warp moves beyond the border.
        let cells = |length: usize| (length as f64 / cell).ceil() as usize + 4;
        let columns = cells(size.0);
        let values = (0..columns * cells(size.1))
            .map(|_| between(draw, (-1.0, 1.0)))
            .collect();
        Self {
            columns,
            values,
            cell,
        }
    }

    fn at(&self, x: f64, y: f64) -> f64 {
        let smooth = |t: f64| t * t * (3.0 - 2.0 * t);
        let (x, y) = (x / self.cell + 1.0, y / self.cell + 1.0);
        let (tx, ty) = (smooth(x.fract()), smooth(y.fract()));
        let first = y as usize * self.columns + x as usize;
        let row = |start: usize| {
            let (a, b) = (self.values[start], self.values[start + 1]);
            a + (b - a) * tx
        };
        let (upper, lower) = (row(first), row(first + self.columns));
        upper + (lower - upper) * ty
    }
}

/// A wall of a building to one side of a line.
struct Wall {
    edge: f64,
    slant: f64,
    to_the_right: bool,
    above_k: f64,
    panel_px: f64,
}

/// Radiance of every pixel behind the equipment, row by row.
pub(super) fn behind(spec: &SceneSpec, weather: &Weather, draw: &mut Stream) -> Vec<f32> {
    let (width, height) = (spec.width, spec.height);
    let size = (width as f64, height as f64);
    // Turned, so that the rows of its grid are not the rows of the picture.
    let turned = spec.width + spec.height;
    let coarse = Cloth::draw((turned, turned), size.0.max(size.1) / 5.0, draw);
    let fine = Cloth::draw((width, height), size.0.max(size.1) / 12.0, draw);
    // Where on the dome the picture looks: 0 at the horizon, 1 at the zenith.
    let low = between(draw, (0.05, 0.5));
    let high = low + between(draw, (0.15, 0.5));
    let clouds = if happens(draw, spec.sky.clouds) {
        between(draw, (0.3, 1.0))
    } else {
        0.0
    };
    let cover = between(draw, (-0.3, 0.4));
    let horizon = happens(draw, spec.sky.ground).then(|| between(draw, (0.55, 0.95)) * size.1);
    let soil_k = between(draw, (-4.0, 10.0));
    let rough = between(draw, (0.3, 2.0));
    let wall = happens(draw, spec.sky.wall).then(|| Wall {
        edge: between(draw, (-0.2, 1.0)) * size.0,
        slant: between(draw, (-0.5, 0.5)),
        to_the_right: happens(draw, 0.5),
        above_k: between(draw, (-6.0, 14.0)),
        panel_px: between(draw, (0.05, 0.15)) * size.0,
    });
    let near_horizon_c = weather.ambient_c - 3.0;
    let mut all = Vec::with_capacity(width * height);
    for y in 0..height {
        let up = high + (low - high) * (y as f64 / size.1);
        let thick = (1.0 - up.min(1.0)).powi(3);
        let clear_c = weather.zenith_c + (near_horizon_c - weather.zenith_c) * thick;
        for x in 0..width {
            let (px, py) = (x as f64, y as f64);
            let grain = fine.at(px, py);
            let across = 0.8 * px + 0.6 * (size.1 - py);
            let down = 0.6 * px + 0.8 * py;
            let warp = 0.6 * fine.cell * grain;
            let wave = coarse.at(across + warp, down - warp);
            let mixed = 0.7 * wave + 0.3 * grain;
            let thin = (mixed + cover + 0.25).clamp(0.0, 1.0);
            let cloud = clouds * thin * thin * (3.0 - 2.0 * thin);
            let mut t = clear_c + (near_horizon_c - 5.0 - clear_c) * cloud * 0.8;
            if horizon.is_some_and(|h| y as f64 > h + size.1 * 0.04 * (wave + grain)) {
                t = weather.ambient_c + soil_k + rough * (wave + grain);
            }
            if let Some(wall) = &wall {
                let from_edge = x as f64 - wall.edge - wall.slant * (y as f64 - size.1 / 2.0);
                if (from_edge > 0.0) == wall.to_the_right {
                    let panel = (from_edge / wall.panel_px).rem_euclid(1.0);
                    let seam = if panel < 0.12 { 0.8 } else { 0.0 };
                    t = weather.ambient_c + wall.above_k + 0.7 * wave + 0.3 * grain - seam;
                }
            }
            all.push(radiance(t) as f32);
        }
    }
    all
}

/// Paints girders, columns and wires behind the equipment.
pub(super) fn clutter(
    samples: &mut Samples,
    spec: &SceneSpec,
    weather: &Weather,
    draw: &mut Stream,
) {
    let size = [spec.width as f64, spec.height as f64];
    let mut model = Model::default();
    if happens(draw, spec.clutter * 0.7) {
        for _ in 0..whole(draw, (1, 2)) {
            girder(&mut model, size, draw);
        }
    }
    if happens(draw, spec.clutter * 0.6) {
        let x = between(draw, (0.0, 1.0)) * size[0];
        let lean = between(draw, (-0.1, 0.1)) * size[0];
        let wide = between(draw, (0.02, 0.06)) * size[0];
        model.add(0, STEEL, bar([x, -5.0], [x + lean, size[1] + 5.0], wide));
    }
    wires(&mut model, size, (spec.clutter * 6.0) as usize, draw);
    let offset = between(draw, (-2.0, 1.0));
    paint(samples, &model, &weather.heat(weather.ambient_c + offset));
}

/// Paints wires that pass in front of everything.
pub(super) fn before(
    samples: &mut Samples,
    spec: &SceneSpec,
    weather: &Weather,
    draw: &mut Stream,
) {
    let mut model = Model::default();
    if happens(draw, spec.clutter * 0.5) {
        wires(&mut model, [spec.width as f64, spec.height as f64], 2, draw);
    }
    let offset = between(draw, (-1.0, 3.0));
    paint(samples, &model, &weather.heat(weather.ambient_c + offset));
}

fn paint(samples: &mut Samples, model: &Model, heat: &Heat) {
    let still = Pose {
        middle: [0.0, 0.0],
        centre: [0.0, 0.0],
        scale: 1.0,
        aspect: 1.0,
        keystone: 0.0,
        tilt: 0.0,
    };
    for solid in &model.solids {
        samples.paint(solid, &still, heat, NOBODY, |_, _| {});
    }
}

/// Two parallel bars with a zigzag between them, from border to border.
fn girder(model: &mut Model, [width, height]: Point, draw: &mut Stream) {
    let angle = between(draw, (-0.7, 0.7));
    let (sin, cos) = angle.sin_cos();
    let deep = between(draw, (0.06, 0.16)) * height;
    let thick = deep * between(draw, (0.1, 0.2));
    let middle = [
        between(draw, (0.1, 0.9)) * width,
        between(draw, (0.0, 0.8)) * height,
    ];
    let reach = width + height;
    let at = |share: f64, side: f64| {
        let (a, b) = (reach * (share - 0.5) * 2.0, side * deep / 2.0);
        [middle[0] + a * cos - b * sin, middle[1] + a * sin + b * cos]
    };
    for side in [-1.0, 1.0] {
        model.add(0, STEEL, bar(at(0.0, side), at(1.0, side), thick));
    }
    let fields = (2.0 * reach / (deep * 1.1)).ceil();
    let mut side = 1.0;
    for i in 0..fields as usize {
        let share = |i: usize| i as f64 / fields;
        model.add(
            0,
            STEEL,
            bar(at(share(i), side), at(share(i + 1), -side), thick * 0.7),
        );
        side = -side;
    }
}

/// At most `most` sagging wires across the picture.
fn wires(model: &mut Model, [width, height]: Point, most: usize, draw: &mut Stream) {
    for _ in 0..whole(draw, (0, most)) {
        let from = between(draw, (-0.2, 1.1)) * height;
        let to = from + between(draw, (-0.6, 0.6)) * height;
        let sag = between(draw, (0.0, 0.25)) * height;
        let line: Vec<_> = (0..=12)
            .map(|i| {
                let t = f64::from(i) / 12.0;
                let hang = sag * (PI * t).sin();
                [width * (1.2 * t - 0.1), from + (to - from) * t + hang]
            })
            .collect();
        let wide = between(draw, (0.004, 0.011)) * width;
        model.add(0, METAL, ribbon(&line, wide));
    }
}
