//! Pictures within figures, and our way of storing them as PNG.
//!
//! Files are made by a coder without settings and without code for special processors, so that
//! the same pixels give the same bytes on every machine.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

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
