//! Single pages of TIFF files, classic and BigTIFF, as grey values.

use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

use super::tiff_chunks::{self, LZW, PLAIN, Tiff, broken, chunks, compression_name};
use super::value::{Channel, Pixels, TRANSPARENT, WHITE_8, WHITE_16, check_size, upright};

/// The number of pages. Smaller copies of a page (thumbnails) and transparency masks count too.
///
/// Refuses the files of ImageJ whose pages are not one series: those that keep several pictures behind a single page,
/// and hyperstacks, whose pages change their channel, slice and time in turn.
pub(super) fn pages(bytes: &[u8]) -> Result<usize, String> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(broken)?;
    let described = decoder
        .get_tag_ascii_string(Tag::ImageDescription)
        .unwrap_or_default();
    let mut pages = 1;
    let mut end = tiff_chunks::end(&mut decoder)?;
    while decoder.more_images() {
        decoder
            .next_image()
            .map_err(|error| format!("{} (after page {pages})", broken(error)))?;
        pages += 1;
        end = end.max(tiff_chunks::end(&mut decoder)?);
    }
    tiff_chunks::alone(bytes, end)?;
    if !described.starts_with("ImageJ=") {
        return Ok(pages);
    }
    let stated = |key: &str| -> usize {
        let mut values = described.lines().filter_map(|line| line.split_once('='));
        let value = values.find(|(own, _)| *own == key);
        value
            .and_then(|(_, value)| value.trim().parse().ok())
            .unwrap_or(1)
    };
    let images = stated("images");
    if pages == 1 && images > 1 {
        return Err(format!(
            "ImageJ keeps {images} pictures in it behind a single page; save them as an image sequence"
        ));
    }
    let axes = ["channels", "slices", "frames"].map(|key| (stated(key), key));
    let several: Vec<String> = axes
        .iter()
        .filter(|(number, _)| pages > 1 && *number > 1)
        .map(|(number, key)| format!("{number} {key}"))
        .collect();
    match several.len() {
        0 | 1 => Ok(pages),
        _ => Err(format!(
            "a hyperstack of {}, whose pages are no series in time; save the one channel and slice that is meant",
            several.join(" and ")
        )),
    }
}

/// Refuses a mask of one bit whose zeros are white: some programs that write them mean the ones.
pub(super) fn mask_in_doubt(bytes: &[u8]) -> Result<(), String> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(broken)?;
    let mut tag = |tag: Tag| decoder.find_tag_unsigned::<u16>(tag).ok().flatten();
    let photometric = tag(Tag::PhotometricInterpretation);
    if tag(Tag::BitsPerSample).unwrap_or(1) == 1 && photometric == Some(0) {
        return Err(
            "a mask of 1 bit in which 0 is white (PhotometricInterpretation 0): programs disagree which pixels \
             are meant; save it with 8 bits"
                .to_owned(),
        );
    }
    Ok(())
}

/// Refuses samples that are signed or floating-point, by their kind.
pub(super) fn unsigned(bytes: &[u8]) -> Result<(), String> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(broken)?;
    let mut first = |tag: Tag| {
        let values = decoder.get_tag_u16_vec(tag).ok()?;
        values.first().copied()
    };
    let kind = match first(Tag::SampleFormat) {
        Some(2) => "signed",
        Some(3) => "floating-point",
        _ => return Ok(()),
    };
    let bits = first(Tag::BitsPerSample).unwrap_or(1);
    Err(format!(
        "{bits}-bit {kind} samples are not read; save it with unsigned 16-bit samples, such as hundredths of a kelvin"
    ))
}

/// One page, counted from 0.
pub(super) fn page_pixels(bytes: &[u8], page: usize, channel: Channel) -> Result<Pixels, String> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(broken)?;
    for before in 0..page {
        if !decoder.more_images() {
            let (page, pages) = (page + 1, before + 1);
            return Err(format!("it has no page {page}, the last one is {pages}"));
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
    let per_pixel = usize::from(tag(Tag::SamplesPerPixel)?.unwrap_or(1));
    let is_tiled = decoder.find_tag(Tag::TileWidth).map_err(broken)?.is_some();
    let compression = tiff_chunks::compression(&mut decoder, bytes)?;
    if photometric == Some(3) {
        let pixels = palette_pixels(&mut decoder, bytes, compression, channel)?;
        return Ok((width as usize, height as usize, pixels, WHITE_8));
    }
    let color = decoder.colortype().map_err(broken)?;
    let depth = color.bit_depth();
    if !matches!(depth, 1 | 2 | 4 | 8 | 16 | 32 | 64) {
        return Err(format!(
            "its samples have {depth} bits without padding, which are not read; save it with 16 bits"
        ));
    }
    let mut samples = DecodingResult::U8(Vec::new());
    if let Err(error) = decoder.read_image_to_buffer(&mut samples) {
        // A truncated file is the reason of every other fault.
        chunks(&mut decoder, bytes)?;
        let hint = if compression == LZW {
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
        ColorType::Multiband { num_samples, .. } => {
            return Err(format!(
                "it has {num_samples} samples a pixel and does not say of which colours; save it as grey or RGB"
            ));
        }
        _ => {
            return Err(format!(
                "a TIFF of {color:?} has no grey value that is read; save it as grey or RGB"
            ));
        }
    };
    if per_pixel != samples {
        return Err(format!(
            "it has {per_pixel} samples a pixel, {samples} of them grey or colour; what the others mean (tag 338) is \
             not stated: save it without them"
        ));
    }
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
            return Err(TRANSPARENT.to_owned());
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
/// here, uncompressed and with 8 bits only. Tiles would come in another order.
fn palette_pixels(
    decoder: &mut Tiff<'_>,
    bytes: &[u8],
    compression: u16,
    channel: Channel,
) -> Result<Vec<f32>, String> {
    let bits = decoder.find_tag_unsigned::<u16>(Tag::BitsPerSample);
    let bits = bits.map_err(broken)?.unwrap_or(1);
    let is_tiled = decoder.find_tag(Tag::TileWidth).map_err(broken)?.is_some();
    if (compression, bits, is_tiled) != (PLAIN, 8, false) {
        return Err(format!(
            "a palette TIFF of {} with {bits} bits and the compression {}; only strips with 8 bits and without \
             compression are read: save it as grey or RGB",
            if is_tiled { "tiles" } else { "strips" },
            compression_name(compression)
        ));
    }
    let (width, height) = decoder.dimensions().map_err(broken)?;
    let map = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(broken)?;
    let grey = palette_grey(&map, channel)
        .ok_or_else(|| format!("a colour map of {} values, expected {}", map.len(), 3 * 256))?;
    let expected = width as usize * height as usize;
    let mut pixels = Vec::with_capacity(expected);
    for (_, strip) in chunks(decoder, bytes)? {
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
