//! Scenes as PNG of 300 dpi.
//!
//! plotters draws edges without smoothing, so a scene is drawn three times as fine and averaged.

use ab_glyph::{Font as _, PxScale, point};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use plotters::backend::BitMapBackend;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind,
};

use super::font::{self, Placed, Weight};
use super::paint::{Surface, TextPlace, colour, paint};
use super::scene::{Ink, Scene};

/// Pixels per mm of the picture.
const SCALE: f64 = 300.0 / 25.4;
/// Pixels drawn per pixel of the picture, along each axis.
const FINER: usize = 3;

/// The bitmap of plotters without its short cut for upright and level lines, which mixes colours another way.
struct Raster<'b>(BitMapBackend<'b>);

/// A scene as the bytes of a PNG file.
pub(crate) fn render(scene: &Scene) -> Vec<u8> {
    let width = (scene.width * SCALE).round().max(1.0) as usize;
    let height = (scene.height * SCALE).round().max(1.0) as usize;
    let (fine_width, fine_height) = (width * FINER, height * FINER);
    let mut fine = vec![255u8; fine_width * fine_height * 3];
    {
        let size = (fine_width as u32, fine_height as u32);
        let mut raster = Raster(BitMapBackend::with_buffer(&mut fine, size));
        paint(scene, &mut raster, SCALE * FINER as f64);
    }
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let mut sum = 0u32;
                for dy in 0..FINER {
                    let row = (y * FINER + dy) * fine_width;
                    for dx in 0..FINER {
                        sum += u32::from(fine[(row + x * FINER + dx) * 3 + channel]);
                    }
                }
                let count = (FINER * FINER) as u32;
                pixels.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    encode(width as u32, height as u32, &pixels)
}

/// RGB pixels as the bytes of a PNG file, with one channel where all are grey.
pub(crate) fn encode(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let grey: Option<Vec<u8>> = (pixels.chunks_exact(3))
        .map(|p| (p[0] == p[1] && p[1] == p[2]).then_some(p[0]))
        .collect();
    let (pixels, kind) = match &grey {
        Some(grey) => (grey.as_slice(), ExtendedColorType::L8),
        None => (pixels, ExtendedColorType::Rgb8),
    };
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    encoder
        .write_image(pixels, width, height, kind)
        .expect("the buffer has the stated size and memory takes every write");
    bytes
}

impl DrawingBackend for Raster<'_> {
    type ErrorType = <BitMapBackend<'static> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.0.get_size()
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.0.ensure_prepared()
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.0.present()
    }

    fn draw_pixel(
        &mut self,
        point: BackendCoord,
        color: BackendColor,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.0.draw_pixel(point, color)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>> {
        self.0.draw_rect(upper_left, bottom_right, style, fill)
    }
}

impl Surface for Raster<'_> {
    fn stroke(&mut self, points: &[(i32, i32)], ink: Ink, width: f64) {
        let half = width / 2.0;
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let (dx, dy) = (f64::from(x1 - x0), f64::from(y1 - y0));
            let length = dx.hypot(dy);
            if length == 0.0 {
                continue;
            }
            let (nx, ny) = (-dy / length * half, dx / length * half);
            let corner = |x: i32, y: i32, sign: f64| {
                let x = f64::from(x) + sign * nx;
                let y = f64::from(y) + sign * ny;
                (x.round() as i32, y.round() as i32)
            };
            let quad = [
                corner(x0, y0, 1.0),
                corner(x1, y1, 1.0),
                corner(x1, y1, -1.0),
                corner(x0, y0, -1.0),
            ];
            let _ = self.fill_polygon(quad, &colour(ink));
        }
        let inner = points.len().saturating_sub(1);
        for &joint in points.get(1..inner).unwrap_or_default() {
            let radius = half.round().max(1.0) as u32;
            let _ = self.draw_circle(joint, radius, &colour(ink), true);
        }
    }

    fn glyphs(&mut self, _: &str, placed: &[Placed], weight: Weight, place: TextPlace, ink: Ink) {
        let font = font::font(weight);
        let em = f64::from(font.units_per_em().unwrap_or(1000.0));
        let per_size = f64::from(font.height_unscaled()) / em;
        for glyph in placed {
            let scale = PxScale::from((place.size * glyph.size * per_size) as f32);
            let at = point(
                (glyph.x * place.size) as f32,
                (-glyph.lift * place.size) as f32,
            );
            let Some(outlined) = font.outline_glyph(glyph.glyph.with_scale_and_position(scale, at))
            else {
                continue;
            };
            let bounds = outlined.px_bounds();
            let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
            let (x0, y0) = (place.start.0.round() as i32, place.start.1.round() as i32);
            outlined.draw(|x, y, cover| {
                let (x, y) = (left + x as i32, top + y as i32);
                let at = if place.turned {
                    (x0 + y, y0 - x)
                } else {
                    (x0 + x, y0 + y)
                };
                let shade = colour(ink.faded(ink.alpha * f64::from(cover.min(1.0))));
                let _ = self.draw_pixel(at, shade);
            });
        }
    }

    fn cells(
        &mut self,
        [(x0, y0), (x1, y1)]: [(i32, i32); 2],
        columns: usize,
        rows: usize,
        cells: &[(u8, u8, u8)],
    ) {
        let (width, height) = ((x1 - x0).max(1) as usize, (y1 - y0).max(1) as usize);
        for y in 0..height {
            for x in 0..width {
                let rgb = cells[(y * rows / height) * columns + x * columns / width];
                let at = (x0 + x as i32, y0 + y as i32);
                let _ = self.draw_pixel(at, BackendColor { alpha: 1.0, rgb });
            }
        }
    }
}
