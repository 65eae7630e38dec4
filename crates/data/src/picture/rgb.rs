//! Single pictures in three colour channels.

use image::DynamicImage;

use super::gray::{contained, decoded, single};
use super::tiff_chunks::is_tiff;
use super::tiff_page::unsigned;
use super::value::TRANSPARENT;

/// What the pixels of a picture file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// One channel of 8 bits.
    Gray8,
    /// One channel of 16 bits, or three equal ones.
    Gray16,
    /// Three channels of 8 bits.
    Rgb8,
    /// Three channels of 16 bits that are not equal, read with 8.
    Rgb16,
}

/// A picture in three channels, with what its file holds.
pub(crate) struct Rgb {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// `[row, column, channel]`
    pub(crate) rgb: Vec<u8>,
    pub(crate) depth: Depth,
    /// The values of 16-bit grey, which may be written with an alpha channel that is opaque or in
    /// three equal channels.
    pub(crate) gray16: Option<Vec<u16>>,
}

/// A picture with its three colour channels, 8 bits each, from the bytes of its file.
pub(crate) fn decode_rgb(bytes: &[u8]) -> Result<Rgb, String> {
    contained(|| decode_rgb_here(bytes))
}

fn decode_rgb_here(bytes: &[u8]) -> Result<Rgb, String> {
    single(bytes)?;
    if is_tiff(bytes) {
        unsigned(bytes)?;
    }
    let image = decoded(bytes)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    if image.color().has_alpha() && image.to_rgba16().pixels().any(|p| p[3] != u16::MAX) {
        return Err(TRANSPARENT.to_owned());
    }
    let (depth, gray16) = match &image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLumaA8(_) => (Depth::Gray8, None),
        DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => (Depth::Rgb8, None),
        DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA16(_) => {
            (Depth::Gray16, Some(image.to_luma16().into_raw()))
        }
        DynamicImage::ImageRgb16(_) | DynamicImage::ImageRgba16(_) => {
            let colours = image.to_rgb16();
            match colours.pixels().all(|p| p[0] == p[1] && p[1] == p[2]) {
                true => {
                    let values = colours.pixels().map(|p| p[0]).collect();
                    (Depth::Gray16, Some(values))
                }
                false => (Depth::Rgb16, None),
            }
        }
        other => return Err(format!("{:?} pixels are not read", other.color())),
    };
    let rgb = match &gray16 {
        Some(values) => values
            .iter()
            .flat_map(|&value| [(value >> 8) as u8; 3])
            .collect(),
        None => image.into_rgb8().into_raw(),
    };
    Ok(Rgb {
        width,
        height,
        rgb,
        depth,
        gray16,
    })
}
