//! Disconnector, breaker, capacitor rack and drop-out fuse.

use retrial_seed::Stream;

use crate::infrared::draw::{between, happens, whole};
use crate::infrared::solid::{
    METAL, Model, PAINT, PORCELAIN, RUBBER, STEEL, bar, block, capsule, ellipse, skirts, tube,
};

/// Parts: left column, right column, blade, base. The blade may stand open.
pub(super) fn disconnector(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let half = between(draw, (0.42, 0.62));
    let radius = between(draw, (0.05, 0.065));
    let count = whole(draw, (6, 9));
    let top = between(draw, (0.2, 0.26));
    model.add(3, STEEL, block([-half - 0.16, 0.9, half + 0.16, 1.0]));
    for (part, x) in [(0, -half), (1, half)] {
        let form = skirts([x, top], [x, 0.91], (radius, radius * 1.1), 1.45, count);
        model.add(part, PORCELAIN, form);
        model.add(
            part,
            METAL,
            block([x - 0.075, top - 0.03, x + 0.075, top + 0.02]),
        );
    }
    let y = top - 0.06;
    for side in [-1.0, 1.0] {
        let x = side * half;
        model.add(2, METAL, block([x - 0.05, y - 0.05, x + 0.05, y + 0.04]));
        let outer = [side * (half + 0.15), y];
        model.add(2, METAL, tube([x, y], outer, 0.02, 0.03));
        model.joint([side * (half + 0.1), y]);
        model.joint([x, y]);
    }
    if happens(draw, 0.25) {
        let angle = between(draw, (0.25, 0.5));
        let length = half * 0.95;
        for side in [-1.0, 1.0] {
            let end = [
                side * (half - length * angle.cos()),
                y - length * angle.sin() * 0.6,
            ];
            model.add(2, METAL, tube([side * half, y], end, 0.024, 0.02));
        }
    } else {
        model.add(2, METAL, tube([-half, y], [half, y], 0.026, 0.026));
        model.add(2, METAL, block([-0.06, y - 0.045, 0.06, y + 0.045]));
        model.joint([0.0, y]);
    }
    model
}

/// Parts: left interrupter, right interrupter, column, mechanism. The shape of a T or a Y.
pub(super) fn breaker(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let rise = between(draw, (0.0, 0.16));
    let reach = between(draw, (0.42, 0.55));
    let radius = between(draw, (0.055, 0.07));
    let count = whole(draw, (6, 8));
    let y = 0.2 + rise * 0.5;
    model.add(3, PAINT, block([-0.15, 0.8, 0.15, 1.0]));
    model.add(3, STEEL, block([-0.06, 0.72, 0.06, 0.82]));
    let column = skirts([0.0, y + 0.06], [0.0, 0.76], (0.055, 0.065), 1.4, count + 1);
    model.add(2, PORCELAIN, column);
    for (part, side) in [(0, -1.0), (1, 1.0)] {
        let at = |share: f64| [side * reach * share, y - rise * share];
        model.add(
            part,
            PORCELAIN,
            skirts(at(0.16), at(0.88), (radius, radius), 1.4, count),
        );
        model.add(
            part,
            METAL,
            tube(at(0.86), at(1.0), radius * 1.3, radius * 1.1),
        );
        let end = at(0.97);
        model.add(part, METAL, tube(end, [end[0], end[1] - 0.12], 0.02, 0.02));
        model.joint(at(0.93));
    }
    model.add(2, METAL, ellipse([0.0, y], 0.1, 0.1));
    model.joint([0.0, y]);
    model
}

/// Parts: cans, rack, insulators. Cans stand in one to three storeys.
pub(super) fn capacitor(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let storeys = whole(draw, (1, 3));
    let cans = whole(draw, (4, 7));
    let half = between(draw, (0.4, 0.6));
    let foot = 0.84;
    let height = foot / storeys as f64;
    for x in [-half * 0.85, 0.0, half * 0.85] {
        model.add(
            2,
            PORCELAIN,
            skirts([x, foot], [x, 1.0], (0.04, 0.04), 1.5, 3),
        );
    }
    for storey in 0..storeys {
        let floor = foot - height * storey as f64;
        let ceiling = floor - height;
        let pitch = 2.0 * half / cans as f64;
        for can in 0..cans {
            let x0 = -half + pitch * (can as f64 + 0.14);
            let x1 = x0 + pitch * 0.72;
            let upper = ceiling + height * 0.3;
            let rise = between(draw, (-0.5, 1.5));
            let body = block([x0, upper, x1, floor - 0.02]);
            model.add(
                0,
                PAINT.hotter(rise),
                body.banded([x0, 0.0], [x1, 0.0], 1.0, 1.0),
            );
            for x in [x0 + pitch * 0.2, x1 - pitch * 0.2] {
                let neck = tube(
                    [x, upper - height * 0.14],
                    [x, upper],
                    pitch * 0.06,
                    pitch * 0.1,
                );
                model.add(0, PORCELAIN, neck);
            }
            if can % 2 == 0 {
                model.joint([(x0 + x1) / 2.0, upper + height * 0.1]);
            }
        }
        model.add(
            1,
            STEEL,
            block([-half - 0.05, floor - 0.05, half + 0.05, floor + 0.02]),
        );
    }
    for side in [-1.0, 1.0] {
        let x = side * (half + 0.03);
        model.add(1, STEEL, bar([x, 0.0], [x, foot + 0.02], 0.05));
    }
    model.add(1, STEEL, block([-half - 0.055, 0.0, half + 0.055, 0.04]));
    model
}

/// Parts: upper contact, tube, lower contact, insulator. The tube stands off the insulator.
pub(super) fn fuse(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let away = between(draw, (0.24, 0.34));
    let slant = between(draw, (0.02, 0.12));
    let count = whole(draw, (5, 7));
    let radius = between(draw, (0.055, 0.07));
    let x = -0.12;
    model.add(
        3,
        PORCELAIN,
        skirts([x, 0.16], [x, 0.84], (radius, radius), 1.6, count),
    );
    model.add(3, STEEL, bar([x - 0.26, 0.5], [x, 0.5], 0.05));
    model.add(3, STEEL, block([x - 0.28, 0.42, x - 0.23, 0.58]));
    let (upper, lower) = ([x + away - slant, 0.1], [x + away + slant, 0.92]);
    model.add(1, RUBBER, tube(upper, lower, 0.03, 0.034));
    model.add(0, METAL, bar([x, 0.15], [upper[0] + 0.04, 0.07], 0.06));
    model.add(0, METAL, ellipse(upper, 0.06, 0.05));
    model.add(
        0,
        METAL,
        capsule([upper[0] + 0.02, 0.07], [upper[0] + 0.09, 0.02], 0.018),
    );
    model.add(2, METAL, bar([x, 0.84], [lower[0] + 0.03, 0.93], 0.065));
    model.add(2, METAL, ellipse(lower, 0.055, 0.05));
    model.joint(upper);
    model.joint(lower);
    model
}
