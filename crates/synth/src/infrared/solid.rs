//! Outlines of which a piece of equipment is put together, in its own frame.
//!
//! The frame has `x` to the right and `y` *down*, in units of about the height of the equipment.
//! Solids are painted in order: later ones lie in front.

use std::f64::consts::{PI, TAU};

/// A point of an object's own frame.
pub(super) type Point = [f64; 2];

/// How a surface turns away from the camera.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shade {
    /// It faces the camera.
    Flat,
    /// A cylinder around an axis through `on` with unit direction `along`.
    Round {
        on: Point,
        along: Point,
        radius: f64,
    },
    /// A ball or a disc.
    Ball { centre: Point, radius: f64 },
}

/// Bands of a surface: skirts, windings, fins, panels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bands {
    /// Phase `0..1` of a band at a point `p` is the fraction of `dot(p, step) + offset`.
    pub(super) step: Point,
    pub(super) offset: f64,
    /// Temperature of the middle of a band against its edge, K.
    pub(super) depth_k: f64,
}

/// What a surface is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Material {
    /// Seen along the normal.
    pub(super) emissivity: f64,
    /// Hotter than the object as a whole, K.
    pub(super) rise_k: f64,
    /// Growth downwards, K per unit of the object's frame.
    pub(super) downward_k: f64,
}

pub(super) const PORCELAIN: Material = Material::of(0.91, 0.0);
pub(super) const RUBBER: Material = Material::of(0.94, 0.3);
pub(super) const PAINT: Material = Material::of(0.93, 1.0);
pub(super) const STEEL: Material = Material::of(0.82, -0.3);
pub(super) const METAL: Material = Material::of(0.6, 0.6);

impl Material {
    const fn of(emissivity: f64, rise_k: f64) -> Self {
        Self {
            emissivity,
            rise_k,
            downward_k: 0.0,
        }
    }

    /// The same, hotter by `rise_k`.
    pub(super) fn hotter(self, rise_k: f64) -> Self {
        Self {
            rise_k: self.rise_k + rise_k,
            ..self
        }
    }

    /// The same, colder towards the bottom.
    pub(super) fn cooling(self, downward_k: f64) -> Self {
        Self {
            downward_k: -downward_k,
            ..self
        }
    }
}

/// An outline and its shape in depth.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) outline: Vec<Point>,
    pub(super) shade: Shade,
    pub(super) bands: Option<Bands>,
}

/// One painted form.
#[derive(Clone, Debug)]
pub(super) struct Solid {
    pub(super) form: Form,
    pub(super) material: Material,
    pub(super) part: u8,
}

/// A piece of equipment.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) solids: Vec<Solid>,
    /// Where a joint may run hot.
    pub(super) joints: Vec<Point>,
}

impl Model {
    pub(super) fn add(&mut self, part: u8, material: Material, form: Form) {
        self.solids.push(Solid {
            form,
            material,
            part,
        });
    }

    pub(super) fn joint(&mut self, at: Point) {
        self.joints.push(at);
    }

    /// The smallest box around every outline, `[x0, y0, x1, y1]`.
    pub(super) fn bounds(&self) -> [f64; 4] {
        let mut b = [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ];
        for [x, y] in self.solids.iter().flat_map(|s| &s.form.outline) {
            b = [b[0].min(*x), b[1].min(*y), b[2].max(*x), b[3].max(*y)];
        }
        b
    }
}

impl Form {
    /// The same with `count` bands of `depth_k` from `from` to `to`.
    pub(super) fn banded(mut self, from: Point, to: Point, count: f64, depth_k: f64) -> Self {
        let along = [to[0] - from[0], to[1] - from[1]];
        let squared = along[0] * along[0] + along[1] * along[1];
        let step = along.map(|a| a * count / squared);
        self.bands = Some(Bands {
            step,
            offset: -(step[0] * from[0] + step[1] * from[1]),
            depth_k,
        });
        self
    }
}

/// A flat outline.
pub(super) fn plate(outline: Vec<Point>) -> Form {
    Form {
        outline,
        shade: Shade::Flat,
        bands: None,
    }
}

/// A flat upright rectangle.
pub(super) fn block([x0, y0, x1, y1]: [f64; 4]) -> Form {
    plate(vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
}

/// A flat bar of the given width.
pub(super) fn bar(from: Point, to: Point, width: f64) -> Form {
    let mut form = tube(from, to, width / 2.0, width / 2.0);
    form.shade = Shade::Flat;
    form
}

/// A cylinder or cone from `from` with radius `r0` to `to` with radius `r1`.
pub(super) fn tube(from: Point, to: Point, r0: f64, r1: f64) -> Form {
    along(from, to, &[(0.0, r0), (1.0, r1)])
}

/// A cylinder whose ends are half balls.
pub(super) fn capsule(from: Point, to: Point, radius: f64) -> Form {
    let length = (to[0] - from[0]).hypot(to[1] - from[1]);
    let mut profile = Vec::new();
    for i in 0..=5 {
        let (sin, cos) = (PI / 2.0 * f64::from(i) / 5.0).sin_cos();
        profile.push((radius * (1.0 - cos) / length, radius * sin));
    }
    let other: Vec<_> = profile.iter().rev().map(|&(t, r)| (1.0 - t, r)).collect();
    profile.extend(other);
    along(from, to, &profile)
}

/// A stack of skirts: an insulator with `count` skirts, its radii at both ends of the core, and
/// how much wider a skirt is than the core.
pub(super) fn skirts(
    from: Point,
    to: Point,
    (r0, r1): (f64, f64),
    wider: f64,
    count: usize,
) -> Form {
    let mut profile = Vec::with_capacity(4 * count);
    for i in 0..count {
        let base = |t: f64| (i as f64 + t) / count as f64;
        let core = |t: f64| r0 + (r1 - r0) * t;
        for (t, factor) in [(0.05, 1.0), (0.35, wider), (0.6, wider), (0.95, 1.0)] {
            profile.push((base(t), core(base(t)) * factor));
        }
    }
    if let (Some(first), Some(last)) = (profile.first().copied(), profile.last().copied()) {
        profile.insert(0, (0.0, first.1));
        profile.push((1.0, last.1));
    }
    along(from, to, &profile).banded(from, to, count as f64, 0.8)
}

/// A body of revolution: `profile` holds (share of the way, radius).
pub(super) fn along(from: Point, to: Point, profile: &[(f64, f64)]) -> Form {
    let way = [to[0] - from[0], to[1] - from[1]];
    let length = way[0].hypot(way[1]).max(1e-9);
    let unit = way.map(|w| w / length);
    let side = |t: f64, r: f64| {
        [
            from[0] + way[0] * t - unit[1] * r,
            from[1] + way[1] * t + unit[0] * r,
        ]
    };
    let near = profile.iter().map(|&(t, r)| side(t, r));
    let far = profile.iter().rev().map(|&(t, r)| side(t, -r));
    let radius = profile.iter().map(|p| p.1).fold(1e-9, f64::max);
    Form {
        outline: near.chain(far).collect(),
        shade: Shade::Round {
            on: from,
            along: unit,
            radius,
        },
        bands: None,
    }
}

/// A filled ellipse, shaded as a ball of its larger radius.
pub(super) fn ellipse(centre: Point, rx: f64, ry: f64) -> Form {
    let count = 20;
    let outline = (0..count).map(|i| {
        let (sin, cos) = (TAU * f64::from(i) / f64::from(count)).sin_cos();
        [centre[0] + rx * cos, centre[1] + ry * sin]
    });
    Form {
        outline: outline.collect(),
        shade: Shade::Ball {
            centre,
            radius: rx.max(ry),
        },
        bands: None,
    }
}

/// A ring seen obliquely: an ellipse with a hole.
///
/// Both borders are one outline; the bridge between them is run twice and cancels.
pub(super) fn ring(centre: Point, rx: f64, ry: f64, thick: f64) -> Form {
    let count = 24;
    let border = |rx: f64, ry: f64| {
        (0..=count).map(move |i| {
            let (sin, cos) = (TAU * f64::from(i) / f64::from(count)).sin_cos();
            [centre[0] + rx * cos, centre[1] + ry * sin]
        })
    };
    let inner = border((rx - thick).max(0.0), (ry - thick).max(0.0));
    plate(border(rx, ry).chain(inner).collect())
}

/// A line of the given width through `points`.
pub(super) fn ribbon(points: &[Point], width: f64) -> Form {
    let normal = |i: usize| {
        let (a, b) = (
            points[i.saturating_sub(1)],
            points[(i + 1).min(points.len() - 1)],
        );
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = dx.hypot(dy).max(1e-9);
        [-dy / length * width / 2.0, dx / length * width / 2.0]
    };
    let side = |sign: f64| {
        let shifted = points.iter().enumerate().map(move |(i, p)| {
            let n = normal(i);
            [p[0] + sign * n[0], p[1] + sign * n[1]]
        });
        shifted.collect::<Vec<_>>()
    };
    let mut outline = side(1.0);
    outline.extend(side(-1.0).into_iter().rev());
    plate(outline)
}

/// Points of a circular arc around `centre`, from angle `a0` to `a1`, counted from right to down.
pub(super) fn arc(centre: Point, radius: f64, a0: f64, a1: f64) -> Vec<Point> {
    (0..=10)
        .map(|i| {
            let (sin, cos) = (a0 + (a1 - a0) * f64::from(i) / 10.0).sin_cos();
            [centre[0] + radius * cos, centre[1] + radius * sin]
        })
        .collect()
}
