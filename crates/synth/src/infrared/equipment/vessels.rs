//! Large bodies: reactor, main transformer, conservator, radiator.

use retrial_seed::Stream;

use crate::infrared::draw::{between, happens, whole};
use crate::infrared::solid::{
    METAL, Model, PAINT, PORCELAIN, STEEL, bar, block, capsule, ellipse, plate, skirts, tube,
};

/// Parts: spider, winding, supports. The winding has upright stripes: gaps between its layers.
pub(super) fn reactor(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let half = between(draw, (0.36, 0.48));
    let top = between(draw, (0.12, 0.16));
    let floor = between(draw, (0.7, 0.78));
    let flat = between(draw, (0.05, 0.08));
    let layers = whole(draw, (6, 10)) as f64;
    for x in [-half * 0.75, -half * 0.25, half * 0.25, half * 0.75] {
        model.add(
            2,
            PORCELAIN,
            skirts([x, floor], [x, 0.98], (0.035, 0.04), 1.5, 3),
        );
        model.add(2, STEEL, block([x - 0.06, 0.97, x + 0.06, 1.0]));
    }
    let material = PAINT.hotter(between(draw, (1.0, 6.0))).cooling(5.0);
    model.add(1, material, ellipse([0.0, floor], half, flat));
    let winding = tube([0.0, top], [0.0, floor], half, half);
    let striped = winding.banded([-half, 0.0], [half, 0.0], layers, 1.6);
    model.add(1, material, striped);
    model.add(1, material.hotter(1.5), ellipse([0.0, top], half, flat));
    model.add(0, METAL, ellipse([0.0, top], half * 0.35, flat * 0.45));
    for (dx, dy) in [
        (1.05, 0.0),
        (-1.05, 0.0),
        (0.72, -0.75),
        (-0.72, -0.75),
        (0.72, 0.75),
        (-0.72, 0.75),
    ] {
        let end = [half * dx, top + flat * dy - 0.01];
        model.add(0, METAL, bar([0.0, top - 0.01], end, 0.03));
        model.joint([end[0] * 0.85, top + flat * dy * 0.85]);
    }
    model.add(
        0,
        METAL,
        tube([half * 0.3, 0.0], [half * 0.3, top], 0.016, 0.02),
    );
    model
}

/// Parts: tank, radiators, bushings, conservator.
pub(super) fn main_transformer(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let half = between(draw, (0.42, 0.55));
    let lid = between(draw, (0.42, 0.5));
    let oil = between(draw, (2.0, 14.0));
    let tank = PAINT.hotter(oil).cooling(oil * 0.9);
    let y = between(draw, (0.2, 0.26));
    let reach = half * between(draw, (0.95, 1.25));
    model.add(3, STEEL, bar([-half * 0.75, y], [-half * 0.75, lid], 0.05));
    model.add(3, STEEL, bar([-half * 0.15, y], [-half * 0.15, lid], 0.05));
    model.add(
        3,
        PAINT.hotter(oil * 0.6),
        capsule([-reach, y], [0.05, y], 0.085),
    );
    model.add(
        0,
        tank,
        block([-half, lid, half, 0.96]).banded([-half, 0.0], [half, 0.0], 6.0, 0.8),
    );
    model.add(
        0,
        METAL,
        block([-half * 1.04, lid - 0.01, half * 1.04, lid + 0.03]),
    );
    model.add(0, STEEL, block([-half * 0.95, 0.95, half * 0.95, 1.0]));
    let fins = whole(draw, (4, 7));
    let wide = between(draw, (0.035, 0.045));
    for fin in 0..fins {
        let x0 = half * 1.02 - wide * 2.0 + wide * 1.35 * fin as f64;
        let panel = block([x0, lid + 0.07, x0 + wide, 0.92]);
        model.add(1, tank.hotter(-oil * 0.15), panel);
    }
    let end = half * 1.02 - wide * 2.0 + wide * 1.35 * fins as f64;
    model.add(1, tank, block([half * 0.9, lid + 0.06, end, lid + 0.1]));
    model.add(1, tank, block([half * 0.9, 0.88, end, 0.92]));
    let lean = between(draw, (-0.05, 0.12));
    for k in 0..3 {
        let x = half * (0.18 + 0.33 * f64::from(k));
        let top = [x + lean * (f64::from(k) - 0.6), 0.05];
        let near = [x + (top[0] - x) * 0.15, lid - 0.06];
        model.add(2, METAL, tube(near, [x, lid + 0.01], 0.055, 0.06));
        model.add(2, PORCELAIN, skirts(top, near, (0.026, 0.042), 1.45, 7));
        model.add(2, METAL, tube([top[0], 0.0], [top[0], 0.07], 0.014, 0.022));
        model.joint([top[0], 0.03]);
    }
    model.joint([half, lid + 0.08]);
    model
}

/// Parts: vessel, supports, pipe. Above the level of the oil the vessel is colder.
pub(super) fn conservator(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let radius = between(draw, (0.19, 0.26));
    let half = between(draw, (0.6, 0.85));
    let y = radius + 0.02;
    let oil = between(draw, (1.0, 8.0));
    for x in [-half * 0.55, half * 0.5] {
        model.add(
            1,
            STEEL,
            plate(vec![
                [x - 0.05, y],
                [x + 0.05, y],
                [x + 0.1, 1.0],
                [x - 0.1, 1.0],
            ]),
        );
    }
    let x = half * between(draw, (-0.2, 0.2));
    let knee = [x, 2.0 * radius + 0.15];
    let foot = [x + 0.12, 0.98];
    model.add(2, PAINT.hotter(oil), bar([x, y], knee, 0.07));
    model.add(2, PAINT.hotter(oil), bar(knee, foot, 0.07));
    model.add(
        2,
        METAL,
        ellipse(
            [(knee[0] + foot[0]) / 2.0, (knee[1] + foot[1]) / 2.0],
            0.08,
            0.08,
        ),
    );
    model.add(0, PAINT, capsule([-half, y], [half, y], radius));
    // The oil fills a chord of the same vessel.
    let level = y + radius * between(draw, (-0.4, 0.4));
    let (sag, inset) = (y + radius - 0.004, radius * 0.3);
    let dip = plate(vec![
        [-half + radius * 0.12, level],
        [half - radius * 0.12, level],
        [half - inset, y + (sag - y) * 0.72],
        [half - 1.05 * radius, sag],
        [-half + 1.05 * radius, sag],
        [-half + inset, y + (sag - y) * 0.72],
    ]);
    model.add(0, PAINT.hotter(oil), dip);
    for share in [-0.6, 0.6] {
        let at = half * share;
        model.add(
            0,
            METAL,
            block([at - 0.015, 0.01, at + 0.015, 2.0 * radius + 0.03]),
        );
    }
    if happens(draw, 0.5) {
        model.add(0, METAL, ellipse([-half + radius * 0.55, y], 0.05, 0.05));
    }
    model.joint([x, y + 0.6 * radius]);
    model.joint([(knee[0] + foot[0]) / 2.0, (knee[1] + foot[1]) / 2.0]);
    model
}

/// Parts: upper header, fins, lower header. Warm above, cold below.
pub(super) fn radiator(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let fins = whole(draw, (6, 11));
    let pitch = between(draw, (0.085, 0.11));
    let half = pitch * fins as f64 / 2.0;
    let oil = between(draw, (3.0, 16.0));
    let blocked = if happens(draw, 0.2) {
        whole(draw, (0, fins - 1))
    } else {
        fins
    };
    for fin in 0..fins {
        let x0 = -half + pitch * (fin as f64 + 0.15);
        let (x1, cut) = (x0 + pitch * 0.68, 0.02);
        // A fin without flow stays cold.
        let warm = if fin == blocked { 0.0 } else { oil };
        let outline = vec![
            [x0 + cut, 0.06],
            [x1 - cut, 0.06],
            [x1, 0.1],
            [x1, 0.9],
            [x1 - cut, 0.94],
            [x0 + cut, 0.94],
            [x0, 0.9],
            [x0, 0.1],
        ];
        model.add(1, PAINT.hotter(warm).cooling(warm * 1.3), plate(outline));
    }
    let reach = half + between(draw, (0.05, 0.16));
    for (part, y) in [(0, 0.1), (2, 0.9)] {
        let warm = if part == 0 { oil * 1.5 } else { oil * 0.4 };
        model.add(
            part,
            PAINT.hotter(warm),
            tube([-half, y], [reach, y], 0.05, 0.05),
        );
        model.add(
            part,
            METAL,
            block([reach - 0.02, y - 0.085, reach + 0.02, y + 0.085]),
        );
        model.joint([reach - 0.02, y]);
    }
    model.add(0, METAL, block([-0.03, 0.0, 0.03, 0.06]));
    model
}
