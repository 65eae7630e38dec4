//! Pictures that trials leave as PNG artifacts, and figures' own way of storing them.
//!
//! Files are made by a coder without settings and without code for special processors, so that
//! the same pixels give the same bytes on every machine.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _, ImageFormat};

use super::source::Source;
use crate::error::ReportError;

/// Most pixels of a picture that is drawn.
const MOST_PIXELS: u64 = 16_000_000;

/// Grey or coloured pixels, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pixels {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    pub(crate) cells: Vec<(u8, u8, u8)>,
}

/// An 8-bit grey picture as the bytes of a PNG file; `0` is black.
///
/// The same pixels give the same bytes on every machine. `None` where `gray` does not hold
/// `width × height` pixels, row by row, or there is none.
#[must_use]
pub fn gray_png(width: u32, height: u32, gray: &[u8]) -> Option<Vec<u8>> {
    let pixels = usize::try_from(u64::from(width) * u64::from(height)).ok()?;
    if pixels == 0 || gray.len() != pixels {
        return None;
    }
    Some(coded(width, height, gray, ExtendedColorType::L8))
}

/// Pixels as the bytes of a PNG file, each as a square of `times × times`; grey where all are.
pub(super) fn magnified_png(pixels: &Pixels, times: usize) -> Vec<u8> {
    let (width, height) = (pixels.columns * times, pixels.rows * times);
    let grey = pixels.cells.iter().all(|(r, g, b)| r == g && g == b);
    let mut bytes = Vec::with_capacity(width * height * if grey { 1 } else { 3 });
    for y in 0..height {
        for x in 0..width {
            let (r, g, b) = pixels.cells[(y / times) * pixels.columns + x / times];
            match grey {
                true => bytes.push(r),
                false => bytes.extend([r, g, b]),
            }
        }
    }
    let kind = match grey {
        true => ExtendedColorType::L8,
        false => ExtendedColorType::Rgb8,
    };
    coded(width as u32, height as u32, &bytes, kind)
}

fn coded(width: u32, height: u32, bytes: &[u8], kind: ExtendedColorType) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive);
    encoder
        .write_image(bytes, width, height, kind)
        .expect("the buffer has the stated size and memory takes every write");
    file
}

/// The pixels of a PNG artifact of a trial.
pub(super) fn read(source: &Source<'_>, trial: &str, file: &str) -> Result<Pixels, ReportError> {
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
