//! What carries the current from one to the other: clamp, busbar, cable termination.

use std::f64::consts::PI;

use retrial_seed::Stream;

use crate::infrared::draw::{between, happens, whole};
use crate::infrared::solid::{
    METAL, Model, RUBBER, along, arc, bar, block, capsule, ellipse, plate, ribbon, skirts, tube,
};

/// Parts: clamp, conductor, branch. The branch leaves in a bend.
pub(super) fn line_clamp(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let y = between(draw, (0.25, 0.32));
    let left = between(draw, (0.45, 0.65));
    let right = between(draw, (0.45, 0.65));
    let radius = between(draw, (0.035, 0.05));
    let bend = between(draw, (0.25, 0.35));
    let down = between(draw, (0.0, 0.6));
    let mut branch = vec![[0.0, y]];
    let centre = [bend, y + 0.18];
    branch.extend(arc(centre, bend, PI, PI - 0.9 - down));
    model.add(2, METAL, ribbon(&branch, radius * 1.7));
    if let Some(end) = branch.last().copied() {
        model.add(
            2,
            METAL,
            tube(end, [end[0] + 0.2, 1.0], radius * 0.85, radius * 0.85),
        );
    }
    model.add(
        1,
        METAL,
        tube([-left, y - 0.03], [right, y + 0.03], radius, radius),
    );
    let half = between(draw, (0.17, 0.22));
    model.add(
        0,
        METAL.hotter(0.5),
        block([-half, y - 0.11, half, y + 0.11]),
    );
    let ear = vec![[-0.09, y], [0.09, y], [0.06, y + 0.26], [-0.06, y + 0.26]];
    model.add(0, METAL, plate(ear));
    for x in [-0.6, 0.6] {
        for dy in [-0.09, 0.09] {
            let bolt = [x * half, y + dy];
            model.add(0, METAL.hotter(0.3), ellipse(bolt, 0.05, 0.05));
        }
    }
    if happens(draw, 0.5) {
        model.add(
            0,
            METAL,
            block([-half * 1.15, y - 0.02, half * 1.15, y + 0.02]),
        );
    }
    model.joint([0.0, y]);
    model.joint([0.0, y + 0.2]);
    model
}

/// Parts: left tube, right tube, link. Flexible bands bridge the gap of two tubes.
pub(super) fn busbar(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let left = between(draw, (0.6, 0.95));
    let right = between(draw, (0.6, 0.95));
    let radius = between(draw, (0.07, 0.1));
    let y = 0.45;
    let gap = between(draw, (0.05, 0.09));
    for (part, side, reach) in [(0, -1.0, left), (1, 1.0, right)] {
        let end = [side * reach, y];
        model.add(part, METAL, tube([side * gap, y], end, radius, radius));
        model.add(part, METAL, ellipse(end, radius * 0.8, radius));
        let x = side * reach * 0.72;
        model.add(
            part,
            METAL,
            block([x - 0.04, y - radius * 1.3, x + 0.04, y + radius * 1.3]),
        );
        model.add(part, METAL, tube([x, y + radius], [x, 0.72], 0.035, 0.05));
    }
    let bands = whole(draw, (1, 2));
    let wide = between(draw, (0.16, 0.22));
    for band in 0..bands {
        let height = radius * 1.2 + 0.07 * band as f64;
        let from = arc(
            [0.0, y - radius * 0.4],
            wide + 0.04 * band as f64,
            PI,
            2.0 * PI,
        );
        let bent: Vec<_> = from
            .into_iter()
            .map(|[x, py]| [x, y - radius + (py - y) * height / wide])
            .collect();
        model.add(2, METAL, ribbon(&bent, 0.05));
    }
    for side in [-1.0, 1.0] {
        let x = side * wide;
        model.add(
            2,
            METAL.hotter(0.4),
            block([x - 0.07, y - radius * 1.4, x + 0.07, y + radius * 1.4]),
        );
        model.joint([x, y]);
    }
    model
}

/// Parts: lug, skirts, cable. A cone under a few wide skirts; the cable bends away below.
pub(super) fn cable_termination(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let radius = between(draw, (0.045, 0.06));
    let count = whole(draw, (3, 6));
    let foot = between(draw, (0.5, 0.58));
    let bend = between(draw, (0.22, 0.4)) * if happens(draw, 0.5) { 1.0 } else { -1.0 };
    let cable: Vec<_> = (0..=8)
        .map(|i| {
            let t = f64::from(i) / 8.0;
            [bend * t * t, foot + 0.1 + (0.9 - foot) * t]
        })
        .collect();
    model.add(2, RUBBER, ribbon(&cable, radius * 1.5));
    let cone = [
        (0.0, radius),
        (0.4, radius * 1.9),
        (0.6, radius * 1.9),
        (1.0, radius * 0.8),
    ];
    model.add(
        2,
        RUBBER.hotter(0.5),
        along([0.0, foot], [0.0, foot + 0.2], &cone),
    );
    model.add(
        2,
        METAL,
        bar(
            [-radius * 1.6, foot + 0.14],
            [radius * 3.5, foot + 0.18],
            0.025,
        ),
    );
    model.add(
        1,
        RUBBER,
        skirts(
            [0.0, 0.17],
            [0.0, foot + 0.01],
            (radius * 0.8, radius),
            2.3,
            count,
        ),
    );
    model.add(0, METAL, capsule([0.0, 0.06], [0.0, 0.19], radius * 0.75));
    model.add(0, METAL, block([-0.035, 0.0, 0.035, 0.1]));
    model.joint([0.0, 0.04]);
    model.joint([0.0, 0.17]);
    model.joint([0.0, foot + 0.1]);
    model
}
