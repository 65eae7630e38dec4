//! Single pictures as grey values: TIFF, PNG, BMP, JPEG and PNM.
//!
//! A grey picture keeps its values. A colour picture whose channels are all equal keeps that
//! value; any other becomes its luma `0.299 R + 0.587 G + 0.114 B` (Rec. 601), not rounded.
//! Palettes are looked up first. A picture with an alpha channel must be opaque, one with an orientation upright,
//! and a file holds one picture.

use std::cell::Cell;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use super::tiff_chunks::{first_compression, is_tiff};
use super::tiff_page::{mask_in_doubt, page_pixels, pages};
use super::value::{Channel, Pixels, TRANSPARENT, WHITE_8, WHITE_16, check_size, luma, upright};
use super::{jpeg, picture_end};
use crate::error::DataError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use retrial_core::file;
use retrial_image::{GrayImage, Mask};

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
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    single(&bytes).map_err(|what| DataError::format(path, what))?;
    decode_page(path, &bytes, 0, Channel::Luma)
}

/// The number of pictures that a file holds: the pages of a TIFF, 1 for every other kind.
///
/// # Errors
/// As [`read_gray`].
pub fn picture_pages(path: &Path) -> Result<usize, DataError> {
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let number = match is_tiff(&bytes) {
        true => pages_of(&bytes),
        false => single(&bytes).map(|()| 1),
    };
    number.map_err(|what| DataError::format(path, what))
}

/// One page of a file, counted from 0, as grey values of a channel.
///
/// # Errors
/// As [`read_gray`].
pub fn read_page(path: &Path, page: usize, channel: Channel) -> Result<GradedImage, DataError> {
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    decode_page(path, &bytes, page, channel)
}

fn pages_of(bytes: &[u8]) -> Result<usize, String> {
    match is_tiff(bytes) {
        true => contained(|| pages(bytes)),
        false if is_animated(bytes) => {
            Err("the PNG is animated; save its pictures one by one".to_owned())
        }
        false => Ok(1),
    }
}

/// Refuses a file of several pictures.
pub(crate) fn single(bytes: &[u8]) -> Result<(), String> {
    match pages_of(bytes)? {
        1 if is_tiff(bytes) => Ok(()),
        1 => picture_end::single(bytes),
        number => Err(format!(
            "the file holds {number} pictures; save the one you mean as a file"
        )),
    }
}

/// Whether a PNG holds several pictures: the chunk `acTL` stands before the first data.
fn is_animated(bytes: &[u8]) -> bool {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap_or(&[]);
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *head;
        match &kind {
            b"acTL" => return true,
            b"IDAT" => return false,
            _ => {}
        }
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        rest = after.get(length.saturating_add(4)..).unwrap_or(&[]);
    }
    false
}

fn decode_page(
    path: &Path,
    bytes: &[u8],
    page: usize,
    channel: Channel,
) -> Result<GradedImage, DataError> {
    let decoded = contained(|| match is_tiff(bytes) {
        true => page_pixels(bytes, page, channel),
        false => other_pixels(bytes, channel),
    });
    let (width, height, pixels, white) = decoded.map_err(|what| DataError::format(path, what))?;
    let image = GrayImage::new(width, height, pixels).map_err(DataError::image(path))?;
    Ok(GradedImage { image, white })
}

thread_local! {
    /// Whether a panic on this thread is caught and becomes an error.
    static IS_CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder of another crate: its panic on a broken file is an error, without a message on the terminal.
pub(super) fn contained<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_CONTAINED.get() {
                before(panic);
            }
        }));
    });
    let outer = IS_CONTAINED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(decode));
    IS_CONTAINED.set(outer);
    outcome.unwrap_or_else(|_| Err("the file is broken: its decoder gave up".to_owned()))
}

/// A mask with what is in doubt about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadMask {
    /// The pixels that take part: those that are neither black nor wholly transparent.
    pub mask: Mask,
    /// Why other pixels may be meant: those that take part differ in their grey value or their transparency.
    pub doubt: Option<&'static str>,
}

/// Reads a mask: a pixel that is neither black nor wholly transparent takes part.
///
/// # Errors
/// As [`read_gray`].
pub fn read_mask(path: &Path) -> Result<ReadMask, DataError> {
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let wrong = |what: String| DataError::format(path, what);
    single(&bytes).map_err(wrong)?;
    let with_alpha = match is_tiff(&bytes) {
        true => contained(|| mask_in_doubt(&bytes)).map(|()| None),
        false => contained(|| alpha_pixels(&bytes)),
    };
    let (width, height, pixels) = match with_alpha.map_err(wrong)? {
        Some(pixels) => pixels,
        None => {
            let image = decode_page(path, &bytes, 0, Channel::Luma)?.image;
            let pixels = image.pixels().iter().map(|&grey| (grey, u16::MAX));
            (image.width(), image.height(), pixels.collect())
        }
    };
    let takes_part = |(grey, alpha): (f32, u16)| grey > 0.0 && alpha > 0;
    let mut part = pixels.iter().copied().filter(|&pixel| takes_part(pixel));
    let doubt = part.next().and_then(|first| {
        let other = part.find(|pixel| *pixel != first)?;
        Some(match other.1 == first.1 {
            true => "has several grey values; every pixel that is not black takes part",
            false => {
                "has several values of alpha; every pixel that is not wholly transparent takes part"
            }
        })
    });
    let inside = pixels.iter().map(|&pixel| takes_part(pixel)).collect();
    let mask = Mask::new(width, height, inside).map_err(DataError::image(path))?;
    Ok(ReadMask { mask, doubt })
}

/// Columns, rows, and grey value and alpha of every pixel.
type Veiled = (usize, usize, Vec<(f32, u16)>);

/// The pixels of a picture with an alpha channel; nothing for one without.
fn alpha_pixels(bytes: &[u8]) -> Result<Option<Veiled>, String> {
    let image = decoded(bytes)?;
    if !image.color().has_alpha() {
        return Ok(None);
    }
    let image = image.into_rgba16();
    let pixels = image.pixels().map(|pixel| {
        let [r, g, b, alpha] = pixel.0;
        (luma(r.into(), g.into(), b.into()), alpha)
    });
    let pixels = pixels.collect();
    Ok(Some((
        image.width() as usize,
        image.height() as usize,
        pixels,
    )))
}

/// A whole picture, upright; the first of a TIFF.
pub(super) fn decoded(bytes: &[u8]) -> Result<DynamicImage, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    if is_tiff(bytes) {
        reader.set_format(ImageFormat::Tiff);
        first_compression(bytes)?;
    }
    let Some(format) = reader.format() else {
        return Err(
            "not a TIFF, PNG, BMP, JPEG or PNM picture; convert it to PNG or TIFF".to_owned(),
        );
    };
    let name = format!("{format:?}").to_uppercase();
    if !format.reading_enabled() {
        return Err(format!(
            "{name} pictures are not read; convert it to PNG or TIFF"
        ));
    }
    let broken = |error: image::ImageError| format!("not a readable {name}: {error}");
    if format == ImageFormat::Jpeg {
        jpeg::ended(bytes)?;
    }
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    check_size(width.into(), height.into())?;
    // A file whose EXIF data cannot be read says nothing of an orientation.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    upright(orientation.to_exif())?;
    let image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    if format == ImageFormat::Jpeg {
        jpeg::filled(bytes, &image)?;
    }
    Ok(image)
}

fn other_pixels(bytes: &[u8], channel: Channel) -> Result<Pixels, String> {
    let image = decoded(bytes)?;
    let (width, height) = (image.width(), image.height());
    let white = match image {
        DynamicImage::ImageLuma16(_)
        | DynamicImage::ImageLumaA16(_)
        | DynamicImage::ImageRgb16(_)
        | DynamicImage::ImageRgba16(_) => WHITE_16,
        _ => WHITE_8,
    };
    let pixels = gray_values(&image, channel)?;
    Ok((width as usize, height as usize, pixels, white))
}

fn gray_values(image: &DynamicImage, channel: Channel) -> Result<Vec<f32>, String> {
    let pixels = match image {
        DynamicImage::ImageLuma8(image) => image.iter().map(|&v| f32::from(v)).collect(),
        DynamicImage::ImageLuma16(image) => image.iter().map(|&v| f32::from(v)).collect(),
        DynamicImage::ImageRgb8(image) => image
            .pixels()
            .map(|p| channel.of(p[0].into(), p[1].into(), p[2].into()))
            .collect(),
        DynamicImage::ImageRgb16(image) => image
            .pixels()
            .map(|p| channel.of(p[0].into(), p[1].into(), p[2].into()))
            .collect(),
        DynamicImage::ImageLumaA8(_) | DynamicImage::ImageRgba8(_) => {
            let image = image.to_rgba8();
            if image.pixels().any(|p| p[3] != u8::MAX) {
                return Err(TRANSPARENT.to_owned());
            }
            image
                .pixels()
                .map(|p| channel.of(p[0].into(), p[1].into(), p[2].into()))
                .collect()
        }
        DynamicImage::ImageLumaA16(_) | DynamicImage::ImageRgba16(_) => {
            let image = image.to_rgba16();
            if image.pixels().any(|p| p[3] != u16::MAX) {
                return Err(TRANSPARENT.to_owned());
            }
            image
                .pixels()
                .map(|p| channel.of(p[0].into(), p[1].into(), p[2].into()))
                .collect()
        }
        other => return Err(format!("{:?} pixels are not read", other.color())),
    };
    Ok(pixels)
}
