//! Words at the ticks of a horizontal axis: on one line, broken into several, or turned.

use super::axis::Axis;
use super::font::Weight;
use super::scene::{Anchor, INK, POINT, Scene, Shape, TICK_POINTS, text_width};

/// Distance of lines, mm.
const LINE: f64 = 1.15 * TICK_POINTS * POINT;
/// Most lines of a label before all are turned.
const MOST: usize = 3;

/// How the labels of an axis stand below it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fit {
    /// Upright, broken into lines of at most this width, mm.
    Upright(f64),
    /// Reading upwards.
    Turned,
}

/// How labels fit below an axis of this length, mm. Numbers always stand upright on one line:
/// their ticks are chosen to fit.
pub(super) fn fit(axis: &Axis, length: f64) -> Fit {
    if !axis.words {
        return Fit::Upright(f64::INFINITY);
    }
    let room = length / axis.ticks.len().max(1) as f64 - 1.0;
    let fits = axis.ticks.iter().all(|(_, text)| {
        let lines = lines(text, room);
        lines.len() <= MOST && lines.iter().all(|l| text_width(l, TICK_POINTS) <= room)
    });
    if fits {
        Fit::Upright(room)
    } else {
        Fit::Turned
    }
}

/// Height that the labels need beyond that of one line, mm.
pub(super) fn extra(axis: &Axis, length: f64) -> f64 {
    let texts = axis.ticks.iter().map(|(_, text)| text);
    match fit(axis, length) {
        Fit::Upright(room) => {
            let most = texts.map(|text| lines(text, room).len()).max().unwrap_or(1);
            LINE * (most.max(1) - 1) as f64
        }
        Fit::Turned => {
            let widths = texts.map(|text| text_width(text, TICK_POINTS));
            (widths.fold(0.0, f64::max) - TICK_POINTS * POINT).max(0.0)
        }
    }
}

/// Draws a label whose upper edge is at `at`.
pub(super) fn draw(scene: &mut Scene, text: &str, (x, y): (f64, f64), fit: Fit) {
    match fit {
        Fit::Upright(room) => {
            let baseline = y + 0.75 * TICK_POINTS * POINT;
            for (i, line) in lines(text, room).iter().enumerate() {
                let at = (x, baseline + LINE * i as f64);
                scene.text(at, line, TICK_POINTS, Anchor::Middle);
            }
        }
        Fit::Turned => scene.shapes.push(Shape::Text {
            at: (x + 0.36 * TICK_POINTS * POINT, y),
            text: text.to_owned(),
            points: TICK_POINTS,
            weight: Weight::Regular,
            anchor: Anchor::End,
            turned: true,
            ink: INK,
        }),
    }
}

/// A text broken at blanks into lines no wider than `room` where that can be.
fn lines(text: &str, room: f64) -> Vec<String> {
    if text_width(text, TICK_POINTS) <= room {
        return vec![text.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(last) = lines.last_mut() {
            let longer = format!("{last} {word}");
            if text_width(&longer, TICK_POINTS) <= room {
                *last = longer;
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}
