//! Single pictures as grey values: TIFF, PNG, BMP, JPEG and PNM.
//!
//! A grey picture keeps its values. A colour picture whose channels are all equal keeps that
//! value; any other becomes its luma `0.299 R + 0.587 G + 0.114 B` (Rec. 601), not rounded.
//! Palettes are looked up first. A picture with an alpha channel must be opaque.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageFormat, ImageReader};
use retrial_core::image::{GrayImage, Mask};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

use super::jpeg;
use super::thermal::Depth;
use crate::error::DataError;

/// Largest picture that is decoded, in pixels.
const MAX_PIXELS: u64 = 1 << 28;

/// A picture with the grey value that its kind of file calls white.
#[derive(Clone, Debug, PartialEq)]
pub struct GradedImage {
    /// The picture.
    pub image: GrayImage,
    /// 255 or 65535; nothing for floats, which have no white.
    pub white: Option<f32>,
}

/// Reads a picture as grey values of its own range; nothing is rescaled.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Format`] for a file that is truncated, too large, no
/// picture, or of a kind that has no grey value.
pub fn read_gray(path: &Path) -> Result<GrayImage, DataError> {
    read_graded(path).map(|graded| graded.image)
}

/// As [`read_gray`], with the grey value of white.
///
/// # Errors
/// As [`read_gray`].
pub fn read_graded(path: &Path) -> Result<GradedImage, DataError> {
    let bytes = fs::read(path).map_err(DataError::io("reading", path))?;
    let tiff = bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*");
    let (width, height, pixels, white) = if tiff {
        tiff_pixels(&bytes).map_err(|what| DataError::format(path, what))?
    } else {
        other_pixels(&bytes).map_err(|what| DataError::format(path, what))?
    };
    let image = GrayImage::new(width, height, pixels).map_err(DataError::image(path))?;
    Ok(GradedImage { image, white })
}

/// Reads a mask: a pixel that is not black takes part.
///
/// # Errors
/// As [`read_gray`].
pub fn read_mask(path: &Path) -> Result<Mask, DataError> {
    let image = read_gray(path)?;
    let inside = image.pixels().iter().map(|&value| value > 0.0).collect();
    Mask::new(image.width(), image.height(), inside).map_err(DataError::image(path))
}

/// Columns, rows, grey values, and the value of white.
type Pixels = (usize, usize, Vec<f32>, Option<f32>);

const WHITE_8: Option<f32> = Some(255.0);
const WHITE_16: Option<f32> = Some(65535.0);

fn check_size(width: u64, height: u64) -> Result<(), String> {
    match width.checked_mul(height) {
        Some(pixels) if pixels <= MAX_PIXELS => Ok(()),
        _ => Err(format!(
            "{width} × {height} px, at most {MAX_PIXELS} pixels are read"
        )),
    }
}

fn tiff_pixels(bytes: &[u8]) -> Result<Pixels, String> {
    let broken = |error: tiff::TiffError| format!("not a readable TIFF: {error}");
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(broken)?;
    let (width, height) = decoder.dimensions().map_err(broken)?;
    check_size(width.into(), height.into())?;
    let photometric = decoder
        .find_tag(Tag::PhotometricInterpretation)
        .map_err(broken)?;
    if photometric.and_then(|value| value.into_u16().ok()) == Some(3) {
        let pixels = palette_pixels(&mut decoder, bytes)?;
        return Ok((width as usize, height as usize, pixels, WHITE_8));
    }
    let color = decoder.colortype().map_err(broken)?;
    let (values, white): (Vec<f32>, _) = match decoder.read_image().map_err(broken)? {
        DecodingResult::U8(values) => (values.into_iter().map(f32::from).collect(), WHITE_8),
        DecodingResult::U16(values) => (values.into_iter().map(f32::from).collect(), WHITE_16),
        DecodingResult::F32(values) => (values, None),
        other => {
            return Err(format!(
                "{} samples are not read; use unsigned 8 or 16-bit ones or 32-bit floats",
                sample_kind(&other)
            ));
        }
    };
    let pixels = match color {
        ColorType::Gray(_) => values,
        ColorType::RGB(_) => {
            let (pixels, _) = values.as_chunks::<3>();
            pixels.iter().map(|&[r, g, b]| luma(r, g, b)).collect()
        }
        _ => {
            return Err(format!(
                "a TIFF of {color:?} has no grey value that is read"
            ));
        }
    };
    let (width, height) = (width as usize, height as usize);
    if let Some(i) = pixels.iter().position(|value| !value.is_finite()) {
        let (x, y) = (i % width, i / width);
        return Err(format!("the pixel at x {x}, y {y} is {}", pixels[i]));
    }
    Ok((width, height, pixels, white))
}

/// The samples of a TIFF in words.
fn sample_kind(samples: &DecodingResult) -> &'static str {
    match samples {
        DecodingResult::U8(_) => "unsigned 8-bit",
        DecodingResult::U16(_) => "unsigned 16-bit",
        DecodingResult::U32(_) => "unsigned 32-bit",
        DecodingResult::U64(_) => "unsigned 64-bit",
        DecodingResult::I8(_) => "signed 8-bit",
        DecodingResult::I16(_) => "signed 16-bit",
        DecodingResult::I32(_) => "signed 32-bit",
        DecodingResult::I64(_) => "signed 64-bit",
        DecodingResult::F16(_) => "16-bit float",
        DecodingResult::F32(_) => "32-bit float",
        DecodingResult::F64(_) => "64-bit float",
    }
}

/// The pixels of a palette TIFF, which the TIFF library does not decode: its strips are read
/// here, uncompressed and with 8 bits only.
fn palette_pixels(decoder: &mut Decoder<Cursor<&[u8]>>, bytes: &[u8]) -> Result<Vec<f32>, String> {
    let broken = |error: tiff::TiffError| format!("not a readable palette TIFF: {error}");
    let mut whole = |tag: Tag, default: u64| -> Result<u64, String> {
        match decoder.find_tag(tag).map_err(broken)? {
            Some(value) => value.into_u64().map_err(broken),
            None => Ok(default),
        }
    };
    let (compression, bits) = (whole(Tag::Compression, 1)?, whole(Tag::BitsPerSample, 1)?);
    if (compression, bits) != (1, 8) {
        return Err(format!(
            "a palette TIFF with {bits} bits and compression {compression}; \
             only 8 bits without compression (1) are read"
        ));
    }
    let (width, height) = decoder.dimensions().map_err(broken)?;
    let map = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(broken)?;
    let grey = palette_grey(&map)
        .ok_or_else(|| format!("a colour map of {} values, expected {}", map.len(), 3 * 256))?;
    let offsets = decoder.get_tag_u64_vec(Tag::StripOffsets).map_err(broken)?;
    let counts = decoder
        .get_tag_u64_vec(Tag::StripByteCounts)
        .map_err(broken)?;
    let expected = width as usize * height as usize;
    let mut pixels = Vec::with_capacity(expected);
    for (offset, count) in offsets.into_iter().zip(counts) {
        let strip = usize::try_from(offset)
            .ok()
            .zip(usize::try_from(count).ok())
            .and_then(|(start, count)| bytes.get(start..start.checked_add(count)?))
            .ok_or_else(|| format!("the file is truncated: {} bytes", bytes.len()))?;
        pixels.extend(strip.iter().map(|&index| grey[usize::from(index)]));
    }
    if pixels.len() != expected {
        return Err(format!("{} pixels, expected {expected}", pixels.len()));
    }
    Ok(pixels)
}

/// The grey value of every index; a TIFF colour map holds 16 bits a channel, of which an 8-bit
/// picture uses the upper byte.
fn palette_grey(map: &[u16]) -> Option<Vec<f32>> {
    let (red, rest) = map.split_at_checked(256)?;
    let (green, blue) = rest.split_at_checked(256)?;
    let upper = |channel: &[u16], i: usize| f32::from(channel[i] >> 8);
    (blue.len() == 256).then(|| {
        (0..256)
            .map(|i| luma(upper(red, i), upper(green, i), upper(blue, i)))
            .collect()
    })
}

fn luma(r: f32, g: f32, b: f32) -> f32 {
    if r == g && g == b {
        return r;
    }
    (0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b)) as f32
}

fn other_pixels(bytes: &[u8]) -> Result<Pixels, String> {
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    let Some(format) = reader.format() else {
        return Err("not a TIFF, PNG, BMP, JPEG or PNM picture".to_owned());
    };
    let name = format!("{format:?}").to_uppercase();
    if format == ImageFormat::Jpeg && jpeg::picture(bytes).is_none() {
        return Err(jpeg::NO_END.to_owned());
    }
    let image = reader
        .decode()
        .map_err(|error| format!("not a readable {name}: {error}"))?;
    let (width, height) = (image.width(), image.height());
    check_size(width.into(), height.into())?;
    let white = match image {
        DynamicImage::ImageLuma16(_) | DynamicImage::ImageRgb16(_) => WHITE_16,
        _ => WHITE_8,
    };
    let pixels = gray_values(&image)?;
    Ok((width as usize, height as usize, pixels, white))
}

fn gray_values(image: &DynamicImage) -> Result<Vec<f32>, String> {
    let pixels = match image {
        DynamicImage::ImageLuma8(image) => image.iter().map(|&v| f32::from(v)).collect(),
        DynamicImage::ImageLuma16(image) => image.iter().map(|&v| f32::from(v)).collect(),
        DynamicImage::ImageRgb8(image) => image
            .pixels()
            .map(|p| luma(p[0].into(), p[1].into(), p[2].into()))
            .collect(),
        DynamicImage::ImageRgb16(image) => image
            .pixels()
            .map(|p| luma(p[0].into(), p[1].into(), p[2].into()))
            .collect(),
        DynamicImage::ImageLumaA8(_) | DynamicImage::ImageRgba8(_) => {
            let image = image.to_rgba8();
            if image.pixels().any(|p| p[3] != 255) {
                return Err("the picture is partly transparent".to_owned());
            }
            image
                .pixels()
                .map(|p| luma(p[0].into(), p[1].into(), p[2].into()))
                .collect()
        }
        other => return Err(format!("{:?} pixels are not read", other.color())),
    };
    Ok(pixels)
}

/// A picture in three channels, with what its file holds.
pub(crate) struct Rgb {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// `[row, column, channel]`
    pub(crate) rgb: Vec<u8>,
    pub(crate) depth: Depth,
    /// The values of 16-bit grey.
    pub(crate) gray16: Option<Vec<u16>>,
}

/// A picture with its three colour channels, 8 bits each.
pub(crate) fn read_rgb(path: &Path) -> Result<Rgb, DataError> {
    let bytes = fs::read(path).map_err(DataError::io("reading", path))?;
    decode_rgb(&bytes).map_err(|what| DataError::format(path, what))
}

/// The same from the bytes of a file.
pub(crate) fn decode_rgb(bytes: &[u8]) -> Result<Rgb, String> {
    let broken = |error: &dyn std::fmt::Display| format!("not a readable picture: {error}");
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let size = reader().map_err(|error| broken(&error))?.into_dimensions();
    let (width, height) = size.map_err(|error| broken(&error))?;
    check_size(width.into(), height.into())?;
    let image = reader().map_err(|error| broken(&error))?.decode();
    let image = image.map_err(|error| broken(&error))?;
    let depth = match &image {
        DynamicImage::ImageLuma8(_) => Depth::Gray8,
        DynamicImage::ImageLuma16(_) => Depth::Gray16,
        DynamicImage::ImageRgb8(_) => Depth::Rgb8,
        _ => Depth::Other,
    };
    let gray16 = image.as_luma16().map(|image| image.as_raw().clone());
    let rgb = match &gray16 {
        Some(values) => values
            .iter()
            .flat_map(|&value| [(value >> 8) as u8; 3])
            .collect(),
        None => image.into_rgb8().into_raw(),
    };
    Ok(Rgb {
        width: width as usize,
        height: height as usize,
        rgb,
        depth,
        gray16,
    })
}
