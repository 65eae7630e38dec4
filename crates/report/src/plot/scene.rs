//! A figure as a list of shapes in millimetres, `x` to the right and `y` downwards.
//!
//! Plots make scenes, and [`super::svg`] and [`super::png`] paint them: a plot never knows in
//! which format it ends.

use super::font::{self, Weight};
use super::picture::Pixels;

/// Millimetres of a typographic point.
pub(crate) const POINT: f64 = 25.4 / 72.0;
/// Size of numbers at ticks, pt.
pub(crate) const TICK_POINTS: f64 = 7.5;
/// Size of labels and legends, pt.
pub(crate) const LABEL_POINTS: f64 = 8.5;

/// A colour with an opacity, `0..=1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ink {
    pub(crate) rgb: (u8, u8, u8),
    pub(crate) alpha: f64,
}

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
}

/// A part of a figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A line through points.
    Line {
        points: Vec<(f64, f64)>,
        ink: Ink,
        width: f64,
    },
    /// A filled area.
    Area { points: Vec<(f64, f64)>, ink: Ink },
    /// A disc, filled or hollow.
    Disc {
        centre: (f64, f64),
        radius: f64,
        fill: Option<Ink>,
        stroke: Option<(Ink, f64)>,
    },
    /// A line of text; `at` is its anchor on the baseline.
    Text {
        at: (f64, f64),
        text: String,
        points: f64,
        weight: Weight,
        anchor: Anchor,
        turned: bool,
        ink: Ink,
    },
    /// A grid of coloured cells; `None` is left blank.
    Cells {
        corner: (f64, f64),
        size: (f64, f64),
        columns: usize,
        rows: usize,
        cells: Vec<(u8, u8, u8)>,
    },
    /// A picture whose pixels are squares.
    Picture {
        corner: (f64, f64),
        size: (f64, f64),
        pixels: Pixels,
    },
}

/// Which part of a text lies at its anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Ink {
    pub(crate) const fn new(r: u8, g: u8, b: u8) -> Self {
        Self {
            rgb: (r, g, b),
            alpha: 1.0,
        }
    }

    pub(crate) const fn faded(self, alpha: f64) -> Self {
        Self {
            rgb: self.rgb,
            alpha,
        }
    }
}

/// Everything that is text or axis. Pages replace it by their own text colour.
pub(crate) const INK: Ink = Ink::new(0x1a, 0x1a, 0x1a);
/// The ground. Pages replace it by their own.
pub(crate) const PAPER: Ink = Ink::new(0xff, 0xff, 0xff);

impl Scene {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            shapes: Vec::new(),
        }
    }

    pub(crate) fn line(&mut self, points: Vec<(f64, f64)>, ink: Ink, width: f64) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line { points, ink, width });
        }
    }

    pub(crate) fn area(&mut self, points: Vec<(f64, f64)>, ink: Ink) {
        if points.len() > 2 {
            self.shapes.push(Shape::Area { points, ink });
        }
    }

    pub(crate) fn rectangle(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        self.area(vec![from, (to.0, from.1), to, (from.0, to.1)], ink);
    }

    /// Text of the normal weight in ink.
    pub(crate) fn text(&mut self, at: (f64, f64), text: &str, points: f64, anchor: Anchor) {
        self.shapes.push(Shape::Text {
            at,
            text: text.to_owned(),
            points,
            weight: Weight::Regular,
            anchor,
            turned: false,
            ink: INK,
        });
    }

    /// Text that reads upwards.
    pub(crate) fn turned_text(&mut self, at: (f64, f64), text: &str, points: f64) {
        self.shapes.push(Shape::Text {
            at,
            text: text.to_owned(),
            points,
            weight: Weight::Regular,
            anchor: Anchor::Middle,
            turned: true,
            ink: INK,
        });
    }

    /// Text of the bold weight, in the middle of `at`.
    pub(crate) fn bold_text(&mut self, at: (f64, f64), text: &str, points: f64) {
        self.shapes.push(Shape::Text {
            at,
            text: text.to_owned(),
            points,
            weight: Weight::Bold,
            anchor: Anchor::Middle,
            turned: false,
            ink: INK,
        });
    }
}

/// Width of a text of the normal weight, mm.
pub(crate) fn text_width(text: &str, points: f64) -> f64 {
    font::width(text, Weight::Regular) * points * POINT
}
