//! Upright stacks: arrester, instrument transformers, bushings, post insulator.

use retrial_seed::Stream;

use crate::infrared::draw::{between, happens, whole};
use crate::infrared::solid::{
    METAL, Model, PAINT, PORCELAIN, RUBBER, STEEL, block, capsule, ellipse, ring, skirts, tube,
};

/// Parts: ring, housing, pedestal.
pub(super) fn arrester(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let units = whole(draw, (1, 3));
    let radius = between(draw, (0.035, 0.055));
    let per_unit = whole(draw, (7, 10));
    let (top, foot) = (0.1, 0.86);
    let material = if happens(draw, 0.5) {
        PORCELAIN
    } else {
        RUBBER
    };
    model.add(2, STEEL, block([-0.1, foot + 0.03, 0.1, 1.0]));
    model.add(
        2,
        METAL,
        tube([0.0, foot - 0.01], [0.0, foot + 0.04], 0.06, 0.075),
    );
    for unit in 0..units {
        let y = |share: f64| top + (foot - top) * (unit as f64 + share) / units as f64;
        let form = skirts(
            [0.0, y(0.0)],
            [0.0, y(1.0)],
            (radius, radius),
            1.5,
            per_unit,
        );
        // The upper units carry more of the voltage and are warmer.
        model.add(1, material.hotter(1.2 - 0.6 * unit as f64), form);
        if unit > 0 {
            let flange = [
                -1.35 * radius,
                y(0.0) - 0.015,
                1.35 * radius,
                y(0.0) + 0.015,
            ];
            model.add(1, METAL, block(flange));
            model.joint([0.0, y(0.0)]);
        }
    }
    let wide = between(draw, (0.15, 0.21));
    model.add(0, METAL, tube([0.0, 0.0], [0.0, top + 0.01], 0.02, 0.03));
    model.add(0, METAL, ring([0.0, 0.17], wide, 0.05, 0.026));
    model.add(
        0,
        METAL,
        tube([-wide + 0.02, 0.16], [0.0, 0.08], 0.008, 0.008),
    );
    model.add(
        0,
        METAL,
        tube([wide - 0.02, 0.16], [0.0, 0.08], 0.008, 0.008),
    );
    model.joint([0.0, 0.02]);
    model.joint([0.0, 0.45]);
    model
}

/// Parts: head, column, base. The head is wider than anything below, with a terminal on each side.
pub(super) fn current_transformer(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let wide = between(draw, (0.15, 0.2));
    let head = between(draw, (0.22, 0.28));
    let radius = between(draw, (0.06, 0.08));
    let count = whole(draw, (8, 12));
    model.add(2, PAINT, block([-0.14, 0.85, 0.14, 1.0]));
    model.add(2, METAL, block([0.14, 0.88, 0.18, 0.97]));
    let column = skirts(
        [0.0, head],
        [0.0, 0.86],
        (radius * 0.85, radius * 1.15),
        1.4,
        count,
    );
    model.add(1, PORCELAIN, column);
    let terminal = between(draw, (0.07, 0.11));
    let y = head * 0.62;
    for side in [-1.0, 1.0] {
        let end = [side * (wide + terminal), y];
        model.add(0, METAL, tube([side * wide * 0.8, y], end, 0.025, 0.025));
        model.add(
            0,
            METAL,
            block([end[0] - 0.015, y - 0.06, end[0] + 0.015, y + 0.04]),
        );
        model.joint([side * (wide + 0.5 * terminal), y]);
    }
    let dome = head * 0.3;
    model.add(0, PAINT, ellipse([0.0, dome], wide * 0.7, dome));
    model.add(
        0,
        PAINT.hotter(0.8),
        tube([0.0, dome], [0.0, head * 0.92], wide, wide * 0.95),
    );
    model.add(
        0,
        METAL,
        tube(
            [0.0, head * 0.9],
            [0.0, head + 0.02],
            wide * 0.6,
            radius * 1.3,
        ),
    );
    model
}

/// Parts: cap, column, tank. The tank below is wider than anything above.
pub(super) fn potential_transformer(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let wide = between(draw, (0.16, 0.22));
    let tank = between(draw, (0.62, 0.7));
    let radius = between(draw, (0.06, 0.075));
    let units = whole(draw, (1, 2));
    let count = whole(draw, (6, 9));
    model.add(
        2,
        PAINT.hotter(1.5).cooling(4.0),
        block([-wide, tank, wide, 0.97]),
    );
    model.add(2, STEEL, block([-wide * 1.1, 0.95, wide * 1.1, 1.0]));
    model.add(
        2,
        METAL,
        block([wide, tank + 0.08, wide + 0.06, tank + 0.2]),
    );
    model.add(
        2,
        PAINT.hotter(0.6),
        block([-wide * 1.06, tank, wide * 1.06, tank + 0.03]),
    );
    let top = 0.09;
    for unit in 0..units {
        let y = |share: f64| top + (tank - top) * (unit as f64 + share) / units as f64;
        let form = skirts([0.0, y(0.0)], [0.0, y(1.0)], (radius, radius), 1.45, count);
        model.add(1, PORCELAIN, form);
        if unit > 0 {
            model.add(
                1,
                METAL,
                block([-radius * 1.4, y(0.0) - 0.02, radius * 1.4, y(0.0) + 0.02]),
            );
        }
    }
    model.add(0, PAINT, tube([0.0, 0.03], [0.0, top + 0.01], 0.06, 0.075));
    model.add(0, METAL, tube([0.0, 0.0], [0.0, 0.04], 0.018, 0.018));
    model.joint([0.0, 0.02]);
    model.joint([0.0, tank]);
    model.joint([wide * 0.5, tank + 0.12]);
    model
}

/// Parts: terminal, housing, turret. A cone of skirts that leans.
pub(super) fn bushing(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let lean = between(draw, (-0.35, 0.35));
    let at = |share: f64| [lean * (0.8 - share), share];
    let upper = between(draw, (0.035, 0.05));
    let lower = upper * between(draw, (1.7, 2.3));
    let count = whole(draw, (9, 14));
    let turret = between(draw, (0.17, 0.22));
    model.add(
        2,
        PAINT.hotter(2.0),
        tube([0.0, 0.84], [0.0, 1.0], turret, turret * 1.05),
    );
    model.add(2, METAL, tube(at(0.77), at(0.86), lower * 1.5, lower * 1.7));
    model.add(
        1,
        PORCELAIN,
        skirts(at(0.14), at(0.79), (upper, lower), 1.4, count),
    );
    model.add(0, METAL, tube(at(0.08), at(0.15), upper * 1.6, upper * 1.6));
    model.add(0, METAL, tube(at(0.0), at(0.09), 0.016, 0.016));
    model.joint(at(0.05));
    model.joint(at(0.12));
    model.joint(at(0.81));
    model
}

/// Parts: ring, housing, gas tank. The tank is a lying vessel with an upright neck.
pub(super) fn gis_bushing(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let radius = between(draw, (0.09, 0.12));
    let left = between(draw, (0.16, 0.24));
    let right = between(draw, (0.45, 0.7));
    let upper = between(draw, (0.035, 0.045));
    let count = whole(draw, (14, 18));
    let y = 1.0 - radius;
    let vessel = capsule([-left, y], [right, y], radius);
    model.add(2, PAINT, vessel.banded([-left, y], [right, y], 3.0, 0.5));
    for x in [-left * 0.4, right * 0.35, right * 0.75] {
        model.add(
            2,
            METAL,
            block([x - 0.015, y - radius * 1.18, x + 0.015, 1.0]),
        );
    }
    model.add(2, PAINT, tube([0.0, 0.68], [0.0, y], 0.075, 0.085));
    model.add(2, METAL, block([-0.1, 0.665, 0.1, 0.695]));
    model.add(
        1,
        RUBBER,
        skirts([0.0, 0.07], [0.0, 0.67], (upper, upper * 1.7), 1.3, count),
    );
    let wide = between(draw, (0.14, 0.19));
    model.add(0, METAL, tube([0.0, 0.0], [0.0, 0.1], 0.02, 0.03));
    model.add(0, METAL, ring([0.0, 0.11], wide, 0.035, 0.018));
    model.add(
        0,
        METAL,
        tube([-wide + 0.01, 0.11], [wide - 0.01, 0.11], 0.01, 0.01),
    );
    model.joint([0.0, 0.02]);
    model.joint([0.0, 0.68]);
    model.joint([right * 0.35, y]);
    model
}

/// Parts: cap, body, foot. Nothing but an insulator of constant width.
pub(super) fn post_insulator(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let radius = between(draw, (0.06, 0.1));
    let count = whole(draw, (6, 11));
    let wider = between(draw, (1.35, 1.7));
    model.add(
        2,
        STEEL,
        tube([0.0, 0.91], [0.0, 1.0], radius * 1.2, radius * 1.7),
    );
    model.add(
        1,
        PORCELAIN,
        skirts([0.0, 0.09], [0.0, 0.92], (radius, radius), wider, count),
    );
    model.add(
        0,
        METAL,
        tube([0.0, 0.02], [0.0, 0.1], radius * 1.25, radius * 1.1),
    );
    model.add(0, METAL, block([-radius * 1.7, 0.0, radius * 1.7, 0.03]));
    model.joint([0.0, 0.05]);
    model.joint([0.0, 0.93]);
    model
}
