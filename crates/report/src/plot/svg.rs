//! Scenes as SVG.
//!
//! Letters are outlines, so that a figure looks the same in every viewer; what they say is in
//! `aria-label`. Ink is `currentColor` and the ground has the class `paper`, so that a page can
//! show a figure in its own colours.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;

use ab_glyph::{Font as _, GlyphId, OutlineCurve};
use base64::Engine as _;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind,
};

use super::font::{self, Placed, Weight};
use super::paint::{Surface, TextPlace, paint};
use super::picture::{self, Pixels};
use super::png;
use super::scene::{INK, Ink, PAPER, Scene};

/// Units of the drawing per mm.
const SCALE: f64 = 100.0;

struct Svg {
    size: (u32, u32),
    body: String,
    /// Outlines in use, by weight and glyph.
    outlines: BTreeMap<(Weight, u16), String>,
    /// Start of all names, so that several figures can stand in one page.
    prefix: String,
}

/// A scene as an SVG file. `prefix` starts the names within it.
pub(crate) fn render(scene: &Scene, prefix: &str, title: &str) -> String {
    let unit = |mm: f64| (mm * SCALE).round() as u32;
    let mut svg = Svg {
        size: (unit(scene.width), unit(scene.height)),
        body: String::new(),
        outlines: BTreeMap::new(),
        prefix: prefix.to_owned(),
    };
    paint(scene, &mut svg, SCALE);
    let (width, height) = svg.size;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" \
         viewBox=\"0 0 {width} {height}\" color=\"{}\" role=\"img\">\n<title>{}</title>\n",
        scene.width,
        scene.height,
        hex(INK.rgb),
        escape(title),
    );
    if !svg.outlines.is_empty() {
        text.push_str("<defs>\n");
        for ((weight, glyph), outline) in &svg.outlines {
            let name = glyph_name(&svg.prefix, *weight, *glyph);
            let _ = writeln!(text, "<path id=\"{name}\" d=\"{outline}\"/>");
        }
        text.push_str("</defs>\n");
    }
    let paper = hex(PAPER.rgb);
    let _ = writeln!(
        text,
        "<rect class=\"paper\" width=\"{width}\" height=\"{height}\" fill=\"{paper}\"/>"
    );
    text.push_str(&svg.body);
    text.push_str("</svg>\n");
    text
}

impl DrawingBackend for Svg {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn draw_pixel(
        &mut self,
        (x, y): BackendCoord,
        color: BackendColor,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let fill = paint_of("fill", color);
        let _ = writeln!(self.body, "<path d=\"M{x} {y}h1v1h-1z\" {fill}/>");
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let fill = paint_of("fill", style.color());
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {fill}/>"
        );
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        points: I,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let points: Vec<BackendCoord> = points.into_iter().collect();
        let fill = paint_of("fill", style.color());
        let _ = writeln!(self.body, "<path d=\"{}z\" {fill}/>", path(&points));
        Ok(())
    }
}

impl Surface for Svg {
    fn stroke(&mut self, points: &[(i32, i32)], ink: Ink, width: f64) {
        let stroke = paint_of("stroke", super::paint::colour(ink));
        let _ = writeln!(
            self.body,
            "<path d=\"{}\" fill=\"none\" {stroke} stroke-width=\"{}\" \
             stroke-linejoin=\"round\" stroke-linecap=\"round\"/>",
            path(points),
            width.round()
        );
    }

    fn glyphs(
        &mut self,
        text: &str,
        placed: &[Placed],
        weight: Weight,
        place: TextPlace,
        ink: Ink,
    ) {
        let font = font::font(weight);
        let em = f64::from(font.units_per_em().unwrap_or(1000.0));
        let (x, y) = (place.start.0.round(), place.start.1.round());
        let turn = if place.turned { " rotate(-90)" } else { "" };
        let fill = paint_of("fill", super::paint::colour(ink));
        let label = escape(&font::bare(text));
        let _ = write!(
            self.body,
            "<g aria-label=\"{label}\" transform=\"translate({x} {y}){turn} scale({:.4})\" {fill}>",
            place.size / em
        );
        for glyph in placed {
            let id = glyph.glyph.0;
            let outline = outline(&font, glyph.glyph);
            if outline.is_empty() {
                continue;
            }
            self.outlines.entry((weight, id)).or_insert(outline);
            let name = glyph_name(&self.prefix, weight, id);
            let (x, y) = ((glyph.x * em).round(), -(glyph.lift * em).round());
            if glyph.size == 1.0 {
                let _ = write!(self.body, "<use href=\"#{name}\" x=\"{x}\"/>");
            } else {
                let _ = write!(
                    self.body,
                    "<use href=\"#{name}\" transform=\"translate({x} {y}) scale({})\"/>",
                    glyph.size
                );
            }
        }
        self.body.push_str("</g>\n");
    }

    fn cells(
        &mut self,
        [(x0, y0), (x1, y1)]: [(i32, i32); 2],
        columns: usize,
        rows: usize,
        cells: &[(u8, u8, u8)],
    ) {
        // Each cell becomes several pixels, so that viewers which smooth pictures hardly blur it.
        let times = (480 / columns.max(rows).max(1)).clamp(1, 12);
        let mut pixels = Vec::with_capacity(cells.len() * times * times * 3);
        for y in 0..rows * times {
            for x in 0..columns * times {
                let (r, g, b) = cells[(y / times) * columns + x / times];
                pixels.extend([r, g, b]);
            }
        }
        let bytes = png::encode((columns * times) as u32, (rows * times) as u32, &pixels);
        self.embed([(x0, y0), (x1, y1)], &bytes);
    }

    fn picture(&mut self, corners: [(i32, i32); 2], pixels: &Pixels) {
        let times = (128 / pixels.columns.max(pixels.rows)).clamp(1, 4);
        self.embed(corners, &picture::magnified_png(pixels, times));
    }
}

impl Svg {
    fn embed(&mut self, [(x0, y0), (x1, y1)]: [(i32, i32); 2], png: &[u8]) {
        let data = base64::engine::general_purpose::STANDARD.encode(png);
        let _ = writeln!(
            self.body,
            "<image x=\"{x0}\" y=\"{y0}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{data}\"/>",
            x1 - x0,
            y1 - y0
        );
    }
}

fn path(points: &[(i32, i32)]) -> String {
    let mut d = String::new();
    let mut last: Option<(i32, i32)> = None;
    for &(x, y) in points {
        let _ = match last {
            None => write!(d, "M{x} {y}"),
            Some((a, b)) => write!(d, "l{} {}", x - a, y - b),
        };
        last = Some((x, y));
    }
    d
}

fn outline(font: &impl ab_glyph::Font, glyph: GlyphId) -> String {
    let mut d = String::new();
    let Some(outline) = font.outline(glyph) else {
        return d;
    };
    let mut last = None;
    for curve in &outline.curves {
        let (from, to) = match curve {
            OutlineCurve::Line(a, b) => (a, b),
            OutlineCurve::Quad(a, _, b) => (a, b),
            OutlineCurve::Cubic(a, _, _, b) => (a, b),
        };
        let _ = if last == Some((from.x, from.y)) {
            Ok(())
        } else {
            write!(d, "M{} {}", from.x, -from.y)
        };
        let _ = match curve {
            OutlineCurve::Line(..) => write!(d, "L{} {}", to.x, -to.y),
            OutlineCurve::Quad(_, c, _) => write!(d, "Q{} {} {} {}", c.x, -c.y, to.x, -to.y),
            OutlineCurve::Cubic(_, b, c, _) => {
                write!(d, "C{} {} {} {} {} {}", b.x, -b.y, c.x, -c.y, to.x, -to.y)
            }
        };
        last = Some((to.x, to.y));
    }
    d
}

fn glyph_name(prefix: &str, weight: Weight, glyph: u16) -> String {
    let weight = match weight {
        Weight::Regular => 'r',
        Weight::Bold => 'b',
    };
    format!("{prefix}-{weight}{glyph}")
}

/// A `fill` or `stroke` attribute.
fn paint_of(attribute: &str, color: BackendColor) -> String {
    let mut text = if color.rgb == INK.rgb {
        format!("{attribute}=\"currentColor\"")
    } else if color.rgb == PAPER.rgb {
        format!("class=\"paper\" {attribute}=\"{}\"", hex(color.rgb))
    } else {
        format!("{attribute}=\"{}\"", hex(color.rgb))
    };
    if color.alpha < 1.0 {
        let _ = write!(text, " {attribute}-opacity=\"{:.2}\"", color.alpha);
    }
    text
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
