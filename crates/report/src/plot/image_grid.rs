//! Small pictures side by side, from PNG artifacts of the trials.
//!
//! The column `value` of the trials' table `table` names the artifacts. Rows of the grid are values
//! of `series`, or trials; its columns are values of `x`, or the order of the names. A single row
//! that is too long goes on below. Every pixel becomes a square of whole dots of the printed
//! figure, so that small pictures stay crisp; one picture may be a whole grid made by the study.

use image::ImageFormat;
use retrial_core::keys::Kind;

use super::drawing::Drawing;
use super::kind::{FigureKind, Title};
use super::picture::Pixels;
use super::scene::{Anchor, LABEL_POINTS, POINT, Scene, Shape, TICK_POINTS, text_width};
use super::source::Source;
use crate::error::ReportError;
use crate::frame::{Frame, TRIAL};
use crate::number::plain;
use crate::quantity;

/// Most pixels of a picture that is drawn.
const MOST_PIXELS: u64 = 16_000_000;
/// Widest grid, mm.
const WIDTH: f64 = 180.0;
/// Highest grid, mm.
const HEIGHT: f64 = 240.0;
/// Widest picture of few pixels, mm.
const WIDEST: f64 = 32.0;
/// Widest picture of many pixels, mm a pixel.
const PIXEL: f64 = 0.26;
/// Height up to which a single row goes on below with its pictures at full size, mm.
const LOW: f64 = 150.0;
/// Narrowest picture of a row that can go on below, mm.
const NARROWEST: f64 = 20.0;
/// Room between pictures and at the edges, mm.
const GAP: f64 = 1.5;
const EDGE: f64 = 2.5;
/// Most pictures of a row beside others.
const MOST: usize = 16;
/// A dot of a figure of 300 dpi, mm.
const DOT: f64 = 25.4 / 300.0;

/// A picture with its place: row and column as words.
struct Picture {
    row: String,
    column: String,
    pixels: Pixels,
}

/// A line of pictures with the words before and above them.
struct Strip<'p> {
    label: &'p str,
    heads: Vec<&'p str>,
    pictures: Vec<Option<&'p Pixels>>,
}

pub(super) const KIND: FigureKind = FigureKind {
    keys: Kind {
        word: "image_grid",
        doc: "PNG files that trials leave, side by side.",
        needs: &["table", "value"],
        takes: &["x"],
    },
    title: Title::Value("pictures"),
    draw,
};

fn draw(source: &Source<'_>) -> Result<Drawing, ReportError> {
    let mut notes = Vec::new();
    let pictures = pictures(source, &mut notes)?;
    let mut rows: Vec<&str> = Vec::new();
    let mut columns: Vec<&str> = Vec::new();
    for picture in &pictures {
        if !rows.contains(&picture.row.as_str()) {
            rows.push(&picture.row);
        }
        if !columns.contains(&picture.column.as_str()) {
            columns.push(&picture.column);
        }
    }
    let labels = rows.iter().map(|row| text_width(row, LABEL_POINTS));
    let left = match rows[..] {
        [""] => EDGE,
        _ => EDGE + labels.fold(0.0, f64::max) + 2.0,
    };
    let room = WIDTH - left - EDGE;
    let widest = (pictures.iter().map(|p| p.pixels.columns))
        .max()
        .unwrap_or(1);
    let wanted = WIDEST.max(PIXEL * widest as f64);
    let tallest = pictures.iter().map(|p| p.pixels.rows).max().unwrap_or(1);
    let per_strip = match rows.len() {
        1 => per_strip(columns.len(), room, wanted, (widest, tallest)),
        _ => columns.len().min(MOST),
    };
    if rows.len() > 1 && columns.len() > MOST {
        notes.push(format!(
            "The first {MOST} of {} pictures of each row.",
            columns.len()
        ));
        columns.truncate(MOST);
    }
    let headed = source.spec.x.is_some();
    let strips = strips(&pictures, &rows, &columns, per_strip);
    let width = (room - GAP * (per_strip - 1) as f64) / per_strip as f64;
    let width = crisp(width.min(wanted), widest);
    let heights = |width: f64| -> Vec<f64> {
        let heads = |i: usize| headed && (i == 0 || rows.len() == 1);
        let tall = |p: &Pixels| width * p.rows as f64 / p.columns as f64;
        (strips.iter().enumerate())
            .map(|(i, strip)| {
                let pictures = strip.pictures.iter().flatten().map(|p| tall(p));
                let head = if heads(i) { 4.0 } else { 0.0 };
                pictures.fold(0.0, f64::max) + head + GAP
            })
            .collect()
    };
    // A grid higher than a page shrinks as a whole.
    let total: f64 = heights(width).iter().sum();
    let width = match total > HEIGHT {
        true => crisp(width * HEIGHT / total, widest),
        false => width,
    };
    let across = (width + GAP) * per_strip as f64 - GAP;
    let named = head_name(source, &strips, width, left);
    let mut scene = Scene::new(left + across + EDGE, 0.0);
    let mut y = EDGE;
    for ((i, strip), height) in strips.iter().enumerate().zip(heights(width)) {
        let mut top = y;
        if headed && (i == 0 || rows.len() == 1) {
            top += 4.0;
            for (i, head) in strip.heads.iter().enumerate() {
                let middle = left + (width + GAP) * i as f64 + width / 2.0;
                let head = named(head);
                scene.text((middle, top - 1.2), &head, TICK_POINTS, Anchor::Middle);
            }
        }
        let tallest = y + height - GAP - top;
        for (i, pixels) in strip.pictures.iter().enumerate() {
            let Some(pixels) = pixels else {
                continue;
            };
            let tall = width * pixels.rows as f64 / pixels.columns as f64;
            let x = left + (width + GAP) * i as f64;
            scene.shapes.push(Shape::Picture {
                corner: (on_dots(x), on_dots(top)),
                size: (width, tall),
                pixels: (*pixels).clone(),
            });
        }
        if !strip.label.is_empty() {
            let baseline = top + tallest / 2.0 + 0.36 * LABEL_POINTS * POINT;
            scene.text(
                (left - 2.0, baseline),
                strip.label,
                LABEL_POINTS,
                Anchor::End,
            );
        }
        y += height;
    }
    scene.height = y - GAP + EDGE;
    notes.extend(attribution(source));
    Ok(Drawing { scene, notes })
}

/// The width near `width` and not above it at which every pixel has whole dots, unless there are
/// more pixels than dots.
fn crisp(width: f64, pixels: usize) -> f64 {
    let dots = (width / DOT / pixels as f64 + 1e-9).floor();
    match dots >= 1.0 {
        true => dots * DOT * pixels as f64,
        false => width,
    }
}

/// How many pictures of a single row stand side by side: pictures are as large as a figure of
/// [`LOW`] allows, and strips are equally long.
fn per_strip(count: usize, room: f64, wanted: f64, (columns, rows): (usize, usize)) -> usize {
    let mut width = crisp(wanted.min(room), columns);
    let dot = DOT * columns as f64;
    let at = |width: f64| ((room + GAP) / (width + GAP) + 1e-9).floor().max(1.0) as usize;
    loop {
        let strips = count.div_ceil(at(width));
        let height = strips as f64 * (width * rows as f64 / columns as f64 + 4.0 + GAP);
        if height <= LOW || width - dot < NARROWEST.min(wanted) {
            return count.div_ceil(strips);
        }
        width -= dot;
    }
}

fn on_dots(mm: f64) -> f64 {
    (mm / DOT).round() * DOT
}

fn strips<'p>(
    pictures: &'p [Picture],
    rows: &[&'p str],
    columns: &[&'p str],
    per_strip: usize,
) -> Vec<Strip<'p>> {
    let at = |row: &str, column: &str| {
        let mut here = pictures.iter();
        here.find(|p| p.row == row && p.column == column)
            .map(|p| &p.pixels)
    };
    let mut strips = Vec::new();
    for &row in rows {
        for (i, heads) in columns.chunks(per_strip.max(1)).enumerate() {
            strips.push(Strip {
                label: if i == 0 { row } else { "" },
                heads: heads.to_vec(),
                pictures: heads.iter().map(|&column| at(row, column)).collect(),
            });
        }
    }
    strips
}

/// How a head is written: with the name of its column where that fits, else alone.
fn head_name(
    source: &Source<'_>,
    strips: &[Strip<'_>],
    width: f64,
    left: f64,
) -> impl Fn(&str) -> String {
    let name = source.spec.x.as_ref().map_or(String::new(), |x| {
        let unit = quantity::unit(&source.experiment.sheet, source.spec.table.as_deref(), x);
        quantity::spoken(x, unit)
    });
    let write = move |head: &str, named: bool| match head.parse::<f64>() {
        Ok(number) if named => format!("{name} {}", plain(number)),
        Ok(number) => plain(number),
        Err(_) => head.replace('_', " "),
    };
    let heads = strips.iter().flat_map(|strip| &strip.heads);
    let widths = heads.map(|head| text_width(&write(head, true), TICK_POINTS));
    // The outermost heads may reach into the margins.
    let named =
        widths.fold(0.0, f64::max) <= (width + GAP - 0.5).max(width + 2.0 * left.min(EDGE) - 1.0);
    move |head| write(head, named)
}

/// The pictures in the order of the table, each place filled once.
fn pictures(source: &Source<'_>, notes: &mut Vec<String>) -> Result<Vec<Picture>, ReportError> {
    let frame = source.frame()?;
    let files = source.texts(&frame, source.value()?)?;
    let trials = source.texts(&frame, TRIAL)?;
    let rows = rows(source, &frame, &trials)?;
    let columns = match &source.spec.x {
        Some(x) => source.texts(&frame, x)?,
        None => {
            let mut columns: Vec<String> = Vec::new();
            for (i, row) in rows.iter().enumerate() {
                let before = rows[..i].iter().filter(|other| *other == row).count();
                columns.push(before.to_string());
            }
            columns
        }
    };
    let mut pictures: Vec<Picture> = Vec::new();
    let mut hidden = 0;
    let places = rows.into_iter().zip(columns);
    for ((row, column), (trial, file)) in places.zip(trials.iter().zip(&files)) {
        if file.trim().is_empty() {
            continue;
        }
        if (pictures.iter()).any(|p| p.row == row && p.column == column) {
            hidden += 1;
            continue;
        }
        pictures.push(Picture {
            row,
            column,
            pixels: read(source, trial, file)?,
        });
    }
    if pictures.is_empty() {
        return Err(source.fault("its table names no picture".to_owned()));
    }
    if hidden > 0 {
        notes.push(format!(
            "{hidden} more at the same places (other trials or repeated names) not shown."
        ));
    }
    Ok(pictures)
}

/// The pixels of a PNG artifact of a trial.
fn read(source: &Source<'_>, trial: &str, file: &str) -> Result<Pixels, ReportError> {
    let record = source.records.iter().find(|r| r.trial == trial);
    let listed = record.is_some_and(|r| r.artifacts.iter().any(|a| a.path == file));
    if !listed {
        return Err(source.fault(format!("`{file}` is no artifact of trial {trial}")));
    }
    let path = source.experiment.folder.join(trial).join(file);
    let read = source.experiment.file(trial, file);
    let bytes = read.map_err(ReportError::io("read", &path))?;
    let decoder = image::ImageReader::with_format(std::io::Cursor::new(&bytes), ImageFormat::Png);
    let picture = |error| ReportError::Picture {
        path: path.clone(),
        source: error,
    };
    let (width, height) = decoder.into_dimensions().map_err(picture)?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        let reason =
            format!("`{file}` has {width} × {height} pixels, at most 16 million are drawn");
        return Err(source.fault(reason));
    }
    let decoded = image::load_from_memory_with_format(&bytes, ImageFormat::Png).map_err(picture)?;
    let rgb = decoded.to_rgb8();
    Ok(Pixels {
        columns: rgb.width() as usize,
        rows: rgb.height() as usize,
        cells: rgb.pixels().map(|p| (p.0[0], p.0[1], p.0[2])).collect(),
    })
}

/// The row of every picture: its value of the series, or what tells its trial from the others.
fn rows(source: &Source<'_>, frame: &Frame, trials: &[String]) -> Result<Vec<String>, ReportError> {
    if let Some(series) = &source.spec.series {
        let values = source.texts(frame, series)?;
        return Ok(values.iter().map(|v| source.series_label(v)).collect());
    }
    if source.records.len() == 1 {
        return Ok(vec![String::new(); trials.len()]);
    }
    let seeds = source
        .records
        .iter()
        .any(|r| r.seed != source.records[0].seed);
    let name = |trial: &String| {
        let record = source.records.iter().find(|r| r.trial == *trial);
        record.map_or(trial.clone(), |record| {
            let point = record.point.iter();
            let mut words: Vec<String> = point
                .map(|(name, value)| format!("{} {value}", name.replace('_', " ")))
                .collect();
            if seeds {
                words.push(format!("seed {}", record.seed));
            }
            words.join(", ")
        })
    };
    Ok(trials.iter().map(name).collect())
}

/// Where the pictures come from, which licences ask to be said.
fn attribution(source: &Source<'_>) -> Vec<String> {
    let datasets = source.experiment.sheet.datasets.iter();
    let used = datasets.filter(|data| {
        let mut names = source.records.iter().filter_map(|r| r.dataset.as_ref());
        !data.generated && names.any(|used| used.name == data.name)
    });
    used.map(|data| {
        format!(
            "Pictures of or made from {}: {}. Licence: {}.",
            data.title,
            data.citation.trim_end_matches('.'),
            data.licence.trim_end_matches('.')
        )
    })
    .collect()
}
