//! Small pictures side by side, from PNG artifacts of the trials.
//!
//! The column `value` of the trials' table `table` names the artifacts. Rows of the grid are values
//! of `series`, or trials; its columns are values of `x`, or the order of the names.

use std::fs;

use image::ImageFormat;

use super::Drawing;
use super::chart::{LABEL_POINTS, TICK_POINTS};
use super::scene::{Anchor, POINT, Scene, Shape, text_width};
use super::source::Source;
use crate::error::ReportError;
use crate::frame::TRIAL;

/// Widest grid, mm.
const WIDTH: f64 = 180.0;
/// Widest picture, mm.
const WIDEST: f64 = 32.0;
/// Room between pictures, mm.
const GAP: f64 = 1.5;
/// Most pictures of a row.
const MOST: usize = 16;

/// A picture with its place: row and column as words.
struct Picture {
    row: String,
    column: String,
    trial: String,
    file: String,
}

pub(super) fn draw(source: &Source<'_>) -> Result<Drawing, ReportError> {
    let pictures = pictures(source)?;
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
    if pictures.is_empty() {
        return Err(source.fault("its table names no picture".to_owned()));
    }
    let mut notes = Vec::new();
    if columns.len() > MOST {
        notes.push(format!(
            "The first {MOST} of {} pictures of each row.",
            columns.len()
        ));
        columns.truncate(MOST);
    }
    let labels = rows.iter().map(|row| text_width(row, LABEL_POINTS));
    let left = match rows.len() {
        1 => 2.5,
        _ => 2.5 + labels.fold(0.0, f64::max) + 2.0,
    };
    let room = WIDTH - left - 2.5 - GAP * (columns.len() - 1) as f64;
    let width = (room / columns.len() as f64).min(WIDEST);
    let headed = source.spec.x.is_some();
    let top = 2.5 + if headed { 4.0 } else { 0.0 };
    let mut scene = Scene::new(left + (width + GAP) * columns.len() as f64 - GAP + 2.5, 0.0);
    let mut y = top;
    for row in &rows {
        let mut tallest: f64 = 0.0;
        for picture in pictures.iter().filter(|p| p.row == **row) {
            let Some(i) = columns.iter().position(|c| **c == picture.column) else {
                continue;
            };
            let (columns, rows, cells) = decode(source, picture)?;
            let height = width * rows as f64 / columns as f64;
            tallest = tallest.max(height);
            scene.shapes.push(Shape::Cells {
                corner: (left + (width + GAP) * i as f64, y),
                size: (width, height),
                columns,
                rows,
                cells,
            });
        }
        if rows.len() > 1 {
            let baseline = y + tallest / 2.0 + 0.36 * LABEL_POINTS * POINT;
            scene.text((left - 2.0, baseline), row, LABEL_POINTS, Anchor::End);
        }
        y += tallest + GAP;
    }
    for (i, column) in columns.iter().enumerate().filter(|_| headed) {
        let x = left + (width + GAP) * i as f64 + width / 2.0;
        scene.text((x, top - 1.5), column, TICK_POINTS, Anchor::Middle);
    }
    scene.height = y - GAP + 2.5;
    Ok(Drawing { scene, notes })
}

fn pictures(source: &Source<'_>) -> Result<Vec<Picture>, ReportError> {
    let frame = source.frame()?;
    let files = source.texts(&frame, source.value()?)?;
    let trials = source.texts(&frame, TRIAL)?;
    let rows = match &source.spec.series {
        Some(series) => (source.texts(&frame, series)?.iter())
            .map(|value| source.series_label(value))
            .collect(),
        None => trials.clone(),
    };
    let columns = match &source.spec.x {
        Some(x) => source.texts(&frame, x)?,
        None => {
            let mut last = "";
            let mut count = 0;
            let mut columns = Vec::new();
            for row in &rows {
                count = if row == last { count + 1 } else { 1 };
                last = row;
                columns.push(count.to_string());
            }
            columns
        }
    };
    let pictures = rows.into_iter().zip(columns).zip(trials).zip(files);
    let pictures = pictures.map(|(((row, column), trial), file)| Picture {
        row,
        column,
        trial,
        file,
    });
    Ok(pictures.collect())
}

type Cells = (usize, usize, Vec<(u8, u8, u8)>);

fn decode(source: &Source<'_>, picture: &Picture) -> Result<Cells, ReportError> {
    let record = source.records.iter().find(|r| r.trial == picture.trial);
    let listed = record.is_some_and(|r| r.artifacts.iter().any(|a| a.path == picture.file));
    if !listed {
        return Err(source.fault(format!(
            "`{}` is no artifact of trial {}",
            picture.file, picture.trial
        )));
    }
    let path = source
        .experiment
        .folder
        .join(&picture.trial)
        .join(&picture.file);
    let bytes = fs::read(&path).map_err(ReportError::io("read", &path))?;
    let decoded = image::load_from_memory_with_format(&bytes, ImageFormat::Png)
        .map_err(|source| ReportError::Picture { path, source })?;
    let rgb = decoded.to_rgb8();
    let cells = rgb.pixels().map(|p| (p.0[0], p.0[1], p.0[2])).collect();
    Ok((rgb.width() as usize, rgb.height() as usize, cells))
}
