//! A contact sheet: titled rows of pictures of any size, a number below each, without any record.

use super::picture::Pixels;
use super::png;
use super::scene::{Anchor, INK, LABEL_POINTS, POINT, Scene, Shape, TICK_POINTS};
use crate::number::of_log10;

/// Width of the sheet, mm.
const WIDTH: f64 = 180.0;
/// Room between pictures and at the edges, mm.
const GAP: f64 = 1.5;
const EDGE: f64 = 2.5;
/// Room between rows, mm.
const BETWEEN: f64 = 3.0;
/// Widest picture, mm.
const WIDEST: f64 = 40.0;
/// Most pixels of a side that the printed picture can show.
const MOST_PIXELS: usize = 512;

/// A row of a sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct SheetRow {
    /// What stands above it.
    pub title: String,
    /// From left to right.
    pub pictures: Vec<SheetPicture>,
}

/// A picture of a sheet.
///
/// # Shapes
/// - `rgb`: `[row, column, 3]`
#[derive(Clone, Debug, PartialEq)]
pub struct SheetPicture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The pixels.
    pub rgb: Vec<u8>,
    /// Decimal logarithm of the number below it; −∞ for zero.
    pub log10: f64,
}

/// Draws rows of pictures as a PNG file; `note` stands below all of them.
///
/// `None` without a picture, or where one does not hold as many pixels as it says.
#[must_use]
pub fn contact_sheet_png(rows: &[SheetRow], note: &str) -> Option<Vec<u8>> {
    let across = rows.iter().map(|row| row.pictures.len()).max()?.max(1);
    let room = (WIDTH - 2.0 * EDGE - GAP * (across - 1) as f64) / across as f64;
    let side = room.min(WIDEST);
    let mut scene = Scene::new(WIDTH, 0.0);
    let mut y = EDGE;
    let rows: Vec<&SheetRow> = (rows.iter())
        .filter(|row| !row.pictures.is_empty())
        .collect();
    for row in &rows {
        let baseline = y + 0.78 * LABEL_POINTS * POINT;
        scene.text((EDGE, baseline), &row.title, LABEL_POINTS, Anchor::Start);
        y += LABEL_POINTS * POINT + 1.4;
        let sizes: Vec<(f64, f64)> = (row.pictures.iter())
            .map(|picture| fitted(picture, side))
            .collect::<Option<_>>()?;
        let tallest = sizes.iter().map(|size| size.1).fold(0.0, f64::max);
        for (i, (picture, size)) in row.pictures.iter().zip(sizes).enumerate() {
            let left = EDGE + (side + GAP) * i as f64;
            let corner = (left + (side - size.0) / 2.0, y + (tallest - size.1) / 2.0);
            draw_picture(&mut scene, picture, corner, size);
            let baseline = y + tallest + 1.2 + 0.78 * TICK_POINTS * POINT;
            let at = (left + side / 2.0, baseline);
            scene.text(at, &of_log10(picture.log10), TICK_POINTS, Anchor::Middle);
        }
        y += tallest + 1.2 + TICK_POINTS * POINT + BETWEEN;
    }
    let baseline = y + 0.78 * TICK_POINTS * POINT;
    scene.text((EDGE, baseline), note, TICK_POINTS, Anchor::Start);
    scene.height = y + TICK_POINTS * POINT + EDGE;
    (!rows.is_empty()).then(|| png::render(&scene))
}

/// Width and height in the figure, mm; the longer side is `side`.
fn fitted(picture: &SheetPicture, side: f64) -> Option<(f64, f64)> {
    let (width, height) = (picture.width, picture.height);
    let pixels = width.checked_mul(height)?.checked_mul(3)?;
    if pixels == 0 || pixels != picture.rgb.len() {
        return None;
    }
    let scale = side / width.max(height) as f64;
    // A strip of one row still has a height that can be seen.
    let shown = |pixels: usize| (pixels as f64 * scale).max(0.3);
    Some((shown(width), shown(height)))
}

/// The picture with a faint frame, so that a white one has an edge.
fn draw_picture(scene: &mut Scene, picture: &SheetPicture, (x0, y0): (f64, f64), size: (f64, f64)) {
    scene.shapes.push(Shape::Picture {
        corner: (x0, y0),
        size,
        pixels: shrunk(picture),
    });
    let (x1, y1) = (x0 + size.0, y0 + size.1);
    let frame = vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)];
    scene.line(frame, INK.faded(0.4), 0.12);
}

/// The picture with squares of pixels replaced by their mean where it has more than can be shown.
fn shrunk(picture: &SheetPicture) -> Pixels {
    let (width, height) = (picture.width, picture.height);
    let square = width.max(height).div_ceil(MOST_PIXELS);
    let (columns, rows) = (width.div_ceil(square), height.div_ceil(square));
    let mean = |column: usize, row: usize| {
        let (mut sums, mut count) = ([0_u64; 3], 0);
        for y in row * square..((row + 1) * square).min(height) {
            for x in column * square..((column + 1) * square).min(width) {
                let at = 3 * (y * width + x);
                for (sum, value) in sums.iter_mut().zip(&picture.rgb[at..at + 3]) {
                    *sum += u64::from(*value);
                }
                count += 1;
            }
        }
        let [r, g, b] = sums.map(|sum| ((sum + count / 2) / count) as u8);
        (r, g, b)
    };
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    Pixels {
        columns,
        rows,
        cells: places.map(|(column, row)| mean(column, row)).collect(),
    }
}
