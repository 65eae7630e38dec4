//! Marks at points of data.

use super::palette;
use super::scene::{INK, Ink, PAPER, Scene, Shape};

/// Which mark stands at a point of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Disc,
    Square,
    Diamond,
    Up,
    Down,
    /// A published value: hollow.
    Hollow,
}

/// The mark of a series by its place.
pub(crate) fn mark(i: usize) -> Mark {
    [
        Mark::Disc,
        Mark::Square,
        Mark::Up,
        Mark::Diamond,
        Mark::Down,
    ][i % 5]
}

impl Scene {
    /// A mark of data.
    pub(crate) fn draw_mark(&mut self, (x, y): (f64, f64), mark: Mark, ink: Ink) {
        let r = 0.85;
        let mut shape = |corners: &[(f64, f64)]| {
            let points = corners.iter().map(|(dx, dy)| (x + dx * r, y + dy * r));
            self.area(points.collect(), ink);
        };
        match mark {
            Mark::Disc => self.shapes.push(Shape::Disc {
                centre: (x, y),
                radius: r,
                fill: Some(ink),
                stroke: None,
            }),
            Mark::Hollow => self.shapes.push(Shape::Disc {
                centre: (x, y),
                radius: 1.6,
                fill: Some(PAPER),
                stroke: Some((ink, 0.35)),
            }),
            Mark::Square => shape(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Mark::Diamond => shape(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
            Mark::Up => shape(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]),
            Mark::Down => shape(&[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)]),
        }
    }
}

/// The ink of the published points of a figure: never that of a series.
pub(crate) fn reference_ink(series: usize) -> Ink {
    if series < palette::SERIES.len() {
        INK
    } else {
        palette::series(6)
    }
}
