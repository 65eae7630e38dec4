//! Scenes onto surfaces. A surface is a plotters backend that also knows glyphs and cells.

use plotters_backend::{BackendColor, DrawingBackend};

use super::font::{self, Placed, Weight};
use super::picture::Pixels;
use super::scene::{Anchor, Ink, POINT, Scene, Shape};

/// Where glyphs of a text go: its start on the baseline in units of the surface, its size in the
/// same units, and whether it reads upwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextPlace {
    pub(crate) start: (f64, f64),
    pub(crate) size: f64,
    pub(crate) turned: bool,
}

/// A plotters backend that draws lines with round joints, glyphs and grids of cells.
pub(crate) trait Surface: DrawingBackend {
    /// A line with round joints and ends.
    fn stroke(&mut self, points: &[(i32, i32)], ink: Ink, width: f64);

    /// Glyphs of `text`.
    fn glyphs(&mut self, text: &str, placed: &[Placed], weight: Weight, place: TextPlace, ink: Ink);

    /// Cells, row by row, that fill the rectangle between two corners.
    fn cells(
        &mut self,
        corners: [(i32, i32); 2],
        columns: usize,
        rows: usize,
        cells: &[(u8, u8, u8)],
    );

    /// A picture that fills the rectangle between two corners.
    fn picture(&mut self, corners: [(i32, i32); 2], pixels: &Pixels) {
        self.cells(corners, pixels.columns, pixels.rows, &pixels.cells);
    }
}

/// A colour as plotters takes it.
pub(crate) fn colour(ink: Ink) -> BackendColor {
    BackendColor {
        alpha: ink.alpha,
        rgb: ink.rgb,
    }
}

/// Paints all shapes at `scale` units per mm.
pub(crate) fn paint<S: Surface>(scene: &Scene, surface: &mut S, scale: f64) {
    let unit = |mm: f64| (mm * scale).round() as i32;
    let at = |(x, y): (f64, f64)| (unit(x), unit(y));
    for shape in &scene.shapes {
        match shape {
            Shape::Line { points, ink, width } => {
                let points: Vec<(i32, i32)> = points.iter().copied().map(at).collect();
                surface.stroke(&points, *ink, width * scale);
            }
            Shape::Area { points, ink } => {
                let points: Vec<(i32, i32)> = points.iter().copied().map(at).collect();
                // Neither surface can fail: both write to memory.
                let _ = surface.fill_polygon(points, &colour(*ink));
            }
            Shape::Disc {
                centre,
                radius,
                fill,
                stroke,
            } => {
                let disc = |surface: &mut S, radius: f64, ink: Ink| {
                    let radius = (radius * scale).round().max(1.0) as u32;
                    let _ = surface.draw_circle(at(*centre), radius, &colour(ink), true);
                };
                if let Some((ink, width)) = stroke {
                    disc(surface, radius + width / 2.0, *ink);
                    if let Some(fill) = fill {
                        disc(surface, radius - width / 2.0, *fill);
                    }
                } else if let Some(fill) = fill {
                    disc(surface, *radius, *fill);
                }
            }
            Shape::Text {
                at: (x, y),
                text,
                points,
                weight,
                anchor,
                turned,
                ink,
            } => {
                let size = points * POINT * scale;
                let (placed, width) = font::lay_out(text, *weight);
                let back = width * size * anchor.share();
                let (x, y) = (x * scale, y * scale);
                let start = if *turned {
                    (x, y + back)
                } else {
                    (x - back, y)
                };
                let place = TextPlace {
                    start,
                    size,
                    turned: *turned,
                };
                surface.glyphs(text, &placed, *weight, place, *ink);
            }
            Shape::Cells {
                corner,
                size,
                columns,
                rows,
                cells,
            } => {
                let end = at((corner.0 + size.0, corner.1 + size.1));
                surface.cells([at(*corner), end], *columns, *rows, cells);
            }
            Shape::Picture {
                corner,
                size,
                pixels,
            } => {
                let end = at((corner.0 + size.0, corner.1 + size.1));
                surface.picture([at(*corner), end], pixels);
            }
        }
    }
}

impl Anchor {
    fn share(self) -> f64 {
        match self {
            Self::Start => 0.0,
            Self::Middle => 0.5,
            Self::End => 1.0,
        }
    }
}
