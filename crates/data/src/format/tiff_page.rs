//! Single pages of TIFF files, classic and BigTIFF, as grey values.

use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

use super::gray::{Channel, Pixels, WHITE_8, WHITE_16, check_size, upright};

/// Whether the bytes are those of a TIFF or a BigTIFF.
pub(super) fn is_tiff(bytes: &[u8]) -> bool {
    [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]
        .iter()
        .any(|start| bytes.starts_with(*start))
}

fn broken(error: &tiff::TiffError) -> String {
    format!("not a readable TIFF: {error}")
}

/// The number of pages. Smaller copies of a page (thumbnails) and transparency masks count too, and so do
/// pictures that ImageJ keeps behind a single page.
pub(super) fn pages(bytes: &[u8]) -> Result<usize, String> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    let described = decoder
        .get_tag_ascii_string(Tag::ImageDescription)
        .unwrap_or_default();
    let mut pages = 1;
    while decoder.more_images() {
        decoder.next_image().map_err(|error| broken(&error))?;
        pages += 1;
    }
    let kept = described
        .lines()
        .find_map(|line| line.strip_prefix("images="));
    let kept = kept.and_then(|number| number.trim().parse().ok());
    Ok(match kept {
        Some(kept) if pages == 1 && described.starts_with("ImageJ=") => kept,
        _ => pages,
    })
}

/// One page, counted from 0.
pub(super) fn page_pixels(bytes: &[u8], page: usize, channel: Channel) -> Result<Pixels, String> {
    let broken = |error: tiff::TiffError| broken(&error);
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(broken)?;
    for before in 0..page {
        if !decoder.more_images() {
            return Err(format!(
                "page {page} has no directory of its own, the file has {}; save its pages one by one",
                before + 1
            ));
        }
        decoder.next_image().map_err(broken)?;
    }
    let (width, height) = decoder.dimensions().map_err(broken)?;
    check_size(width.into(), height.into())?;
    let mut tag = |tag: Tag| {
        let value = decoder.find_tag(tag).map_err(broken)?;
        Ok::<_, String>(value.and_then(|value| value.into_u16().ok()))
    };
    upright(u8::try_from(tag(Tag::Orientation)?.unwrap_or(1)).unwrap_or(u8::MAX))?;
    let photometric = tag(Tag::PhotometricInterpretation)?;
    let is_planar = tag(Tag::PlanarConfiguration)? == Some(2);
    let is_tiled = decoder.find_tag(Tag::TileWidth).map_err(broken)?.is_some();
    if photometric == Some(3) {
        let pixels = palette_pixels(&mut decoder, bytes, channel)?;
        return Ok((width as usize, height as usize, pixels, WHITE_8));
    }
    let color = decoder.colortype().map_err(broken)?;
    let mut samples = DecodingResult::U8(Vec::new());
    if let Err(error) = decoder.read_image_to_buffer(&mut samples) {
        let compression = decoder.find_tag(Tag::Compression).ok().flatten();
        let lzw = compression.and_then(|value| value.into_u16().ok()) == Some(5);
        let hint = if lzw {
            "; its LZW data end without the code that TIFF 6.0 asks for: save it without compression"
        } else {
            ""
        };
        return Err(format!("{}{hint}", broken(error)));
    }
    let (values, white): (Vec<f32>, _) = match (samples, color) {
        (DecodingResult::U8(packed), ColorType::Gray(bits)) if bits < 8 => {
            if is_tiled {
                return Err(format!(
                    "{bits}-bit tiles are not read; save it with 8 bits"
                ));
            }
            (unpacked(&packed, width as usize, bits), WHITE_8)
        }
        (DecodingResult::U8(values), _) => (values.into_iter().map(f32::from).collect(), WHITE_8),
        (DecodingResult::U16(values), _) => (values.into_iter().map(f32::from).collect(), WHITE_16),
        (DecodingResult::F32(values), _) => (values, None),
        (other, _) => {
            return Err(format!(
                "{} samples are not read; use unsigned 8 or 16-bit ones or 32-bit floats",
                sample_kind(&other)
            ));
        }
    };
    let samples = match color {
        ColorType::Gray(_) => 1,
        ColorType::GrayA(_) => 2,
        ColorType::RGB(_) => 3,
        ColorType::RGBA(_) => 4,
        _ => {
            return Err(format!(
                "a TIFF of {color:?} has no grey value that is read; save it as grey or RGB"
            ));
        }
    };
    let (width, height) = (width as usize, height as usize);
    let area = width * height;
    if values.len() != samples * area {
        return Err(format!(
            "{} samples, {} are expected of {width} × {height} px with {samples} channels",
            values.len(),
            samples * area
        ));
    }
    let sample = |pixel: usize, channel: usize| match is_planar {
        true => values[channel * area + pixel],
        false => values[pixel * samples + channel],
    };
    if samples % 2 == 0 {
        let opaque = white.unwrap_or(1.0);
        if (0..area).any(|pixel| sample(pixel, samples - 1) != opaque) {
            return Err(super::gray::TRANSPARENT.to_owned());
        }
    }
    let pixels: Vec<f32> = (0..area)
        .map(|pixel| match samples {
            1 | 2 => sample(pixel, 0),
            _ => channel.of(sample(pixel, 0), sample(pixel, 1), sample(pixel, 2)),
        })
        .collect();
    if let Some(i) = pixels.iter().position(|value| !value.is_finite()) {
        let (x, y) = (i % width, i / width);
        return Err(format!("the pixel at x {x}, y {y} is {}", pixels[i]));
    }
    Ok((width, height, pixels, white))
}

/// Samples of fewer than 8 bits, each row in whole bytes, as values up to 255.
fn unpacked(packed: &[u8], width: usize, bits: u8) -> Vec<f32> {
    let bits = usize::from(bits);
    let most = (1_u32 << bits) - 1;
    let row = (width * bits).div_ceil(8);
    let value = |bytes: &[u8], x: usize| {
        let (mut value, start) = (0_u32, x * bits);
        for bit in start..start + bits {
            value = value << 1 | u32::from(bytes[bit / 8] >> (7 - bit % 8) & 1);
        }
        (255 * value / most) as f32
    };
    packed
        .chunks_exact(row.max(1))
        .flat_map(|bytes| (0..width).map(move |x| value(bytes, x)))
        .collect()
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
fn palette_pixels(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    bytes: &[u8],
    channel: Channel,
) -> Result<Vec<f32>, String> {
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
    let grey = palette_grey(&map, channel)
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
fn palette_grey(map: &[u16], channel: Channel) -> Option<Vec<f32>> {
    let (red, rest) = map.split_at_checked(256)?;
    let (green, blue) = rest.split_at_checked(256)?;
    let upper = |channel: &[u16], i: usize| f32::from(channel[i] >> 8);
    (blue.len() == 256).then(|| {
        (0..256)
            .map(|i| channel.of(upper(red, i), upper(green, i), upper(blue, i)))
            .collect()
    })
}
