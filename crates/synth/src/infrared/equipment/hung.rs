//! What hangs and what it hangs from: wave trap, suspension string, lattice tower.

use retrial_seed::Stream;

use crate::infrared::draw::{between, whole};
use crate::infrared::solid::{
    METAL, Model, PAINT, PORCELAIN, Point, STEEL, bar, block, capsule, ellipse, skirts, tube,
};

/// Parts: suspension, coil, lower cross. The barrel has level stripes: its turns.
pub(super) fn wave_trap(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let half = between(draw, (0.18, 0.26));
    let top = between(draw, (0.3, 0.36));
    let floor = between(draw, (0.82, 0.88));
    let turns = whole(draw, (7, 12)) as f64;
    let warm = between(draw, (0.5, 6.0));
    model.add(
        0,
        PORCELAIN,
        skirts([0.0, 0.02], [0.0, top - 0.07], (0.022, 0.022), 2.4, 5),
    );
    model.add(0, METAL, block([-0.02, 0.0, 0.02, 0.04]));
    let coil = tube([0.0, top], [0.0, floor], half, half);
    model.add(
        1,
        PAINT.hotter(warm),
        coil.banded([0.0, top], [0.0, floor], turns, 2.0),
    );
    for side in [-1.0, 1.0] {
        let x = side * half * 1.1;
        model.add(0, METAL, bar([0.0, top - 0.08], [side * half, top], 0.02));
        model.add(
            0,
            METAL,
            block([x.min(0.0), top - 0.02, x.max(0.0), top + 0.015]),
        );
        model.add(
            2,
            METAL,
            block([x.min(0.0), floor - 0.015, x.max(0.0), floor + 0.02]),
        );
        model.add(
            2,
            METAL,
            bar([side * half, floor], [0.0, floor + 0.07], 0.02),
        );
        model.add(1, STEEL, block([x - 0.012, top, x + 0.012, floor]));
    }
    model.add(
        2,
        METAL,
        tube([0.0, floor + 0.05], [0.0, 1.0], 0.018, 0.018),
    );
    model.joint([half, top]);
    model.joint([half, floor]);
    model.joint([0.0, floor + 0.07]);
    model
}

/// Parts: upper fitting, discs, clamp. Separate discs on a thin pin, a conductor below.
pub(super) fn suspension_string(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let discs = whole(draw, (6, 11));
    let (top, floor) = (0.1, 0.86);
    let pitch = (floor - top) / discs as f64;
    let radius = between(draw, (0.85, 1.15)) * pitch;
    model.add(0, METAL, tube([0.0, 0.0], [0.0, top + 0.02], 0.018, 0.018));
    model.add(0, METAL, block([-0.035, 0.01, 0.035, 0.05]));
    model.add(1, METAL, tube([0.0, top], [0.0, floor], 0.014, 0.014));
    for disc in 0..discs {
        let y = top + pitch * disc as f64;
        model.add(
            1,
            METAL,
            tube(
                [0.0, y],
                [0.0, y + pitch * 0.45],
                radius * 0.3,
                radius * 0.38,
            ),
        );
        let bell: Vec<Point> = [(1.0, 0.72), (0.85, 0.5), (0.4, 0.34)]
            .into_iter()
            .flat_map(|(r, share)| [(-r, share), (r, share)])
            .map(|(r, share)| [r * radius, y + share * pitch])
            .collect();
        let outline = vec![bell[4], bell[2], bell[0], bell[1], bell[3], bell[5]];
        let rise = between(draw, (-0.3, 0.5));
        model.add(
            1,
            PORCELAIN.hotter(rise),
            crate::infrared::solid::plate(outline),
        );
    }
    let droop = between(draw, (0.0, 0.05));
    let reach = between(draw, (0.16, 0.26));
    model.add(
        2,
        METAL,
        tube([0.0, floor - 0.01], [0.0, 0.95], 0.018, 0.018),
    );
    for side in [-1.0, 1.0] {
        model.add(
            2,
            METAL,
            bar([0.0, 0.96], [side * reach, 0.96 + droop], 0.03),
        );
    }
    model.add(2, METAL, capsule([-0.09, 0.955], [0.09, 0.955], 0.035));
    model.joint([0.0, 0.955]);
    model.joint([0.0, top + pitch * (discs as f64 * 0.5).floor()]);
    model
}

/// Parts: peak, cross-arms, body. A mask with holes: the sky is seen between the members.
pub(super) fn lattice_tower(draw: &mut Stream) -> Model {
    let mut model = Model::default();
    let foot = between(draw, (0.2, 0.3));
    let waist = between(draw, (0.06, 0.09));
    let arms = whole(draw, (2, 3));
    let panels = whole(draw, (4, 6));
    let thick = between(draw, (0.02, 0.028));
    let shoulder = 0.14;
    let at = |side: f64, y: f64| {
        let share = ((y - shoulder) / (1.0 - shoulder)).max(0.0);
        [side * (waist + (foot - waist) * share * share), y]
    };
    // Panels grow downwards with the width.
    let height = |i: usize| {
        let share = i as f64 / panels as f64;
        shoulder + (1.0 - shoulder) * share * (0.6 + 0.4 * share)
    };
    for i in 0..panels {
        let (y0, y1) = (height(i), height(i + 1));
        for side in [-1.0, 1.0] {
            model.add(2, STEEL, bar(at(side, y0), at(-side, y1), thick * 0.6));
            model.add(2, STEEL, bar(at(side, y0), at(side, y1), thick));
        }
        model.add(2, STEEL, bar(at(-1.0, y0), at(1.0, y0), thick * 0.6));
    }
    let reach = between(draw, (0.28, 0.4));
    for arm in 0..arms {
        let y = shoulder + 0.02 + 0.13 * arm as f64;
        let reach = reach * (1.0 - 0.12 * arm as f64);
        for side in [-1.0, 1.0] {
            let tip = [side * reach, y];
            model.add(1, STEEL, bar(at(side, y), tip, thick * 0.8));
            model.add(1, STEEL, bar(at(side, y - 0.05), tip, thick * 0.7));
            let middle = [(at(side, y)[0] + tip[0]) / 2.0, y];
            model.add(1, STEEL, bar(middle, [middle[0], y - 0.025], thick * 0.6));
            model.add(1, METAL, ellipse(tip, 0.018, 0.018));
            model.joint(tip);
        }
    }
    for side in [-1.0, 1.0] {
        model.add(
            0,
            STEEL,
            bar([side * waist, shoulder], [0.0, 0.0], thick * 0.9),
        );
    }
    model.add(
        0,
        STEEL,
        bar(
            [-waist * 0.5, shoulder / 2.0],
            [waist * 0.5, shoulder / 2.0],
            thick * 0.6,
        ),
    );
    model
}
