//! Single pages of TIFF files, classic and BigTIFF, as grey values.

use image::{DynamicImage, ImageBuffer};
use tiff::ColorType;
use tiff::decoder::DecodingResult;
use tiff::tags::Tag;

use super::tiff_chunks::{self, LZW, PLAIN, Tiff, broken, chunks, compression_name};
use super::value::{Channel, Pixels, TRANSPARENT, WHITE_8, WHITE_16, check_size, upright};

/// The number of pages. Smaller copies of a page (thumbnails) and transparency masks count too.
///
/// Refuses the files of ImageJ whose pages are not one series: those that keep several pictures behind a single page,
/// and hyperstacks, whose pages change their channel, slice and time in turn.
pub(super) fn pages(bytes: &[u8]) -> Result<usize, String> {
    let mut decoder = tiff_chunks::open(bytes)?;
    let described = decoder
        .get_tag_ascii_string(Tag::ImageDescription)
        .unwrap_or_default();
    let mut pages = 1;
    let mut end = tiff_chunks::end(&mut decoder)?;
    while decoder.more_images() {
        decoder.next_image().map_err(|error| {
            let bytes = bytes.len();
            format!(
                "{} (after page {pages}, the file has {bytes} bytes)",
                broken(error)
            )
        })?;
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
    let mut decoder = tiff_chunks::open(bytes)?;
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
    let mut decoder = tiff_chunks::open(bytes)?;
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

/// A page: grey values, or red, green and blue of every pixel in turn. What an alpha channel says is checked.
pub(super) struct Page {
    width: usize,
    height: usize,
    is_colour: bool,
    samples: Samples,
}

enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
    F32(Vec<f32>),
}

/// How the samples of a page stand in it.
struct Layout {
    width: usize,
    height: usize,
    per_pixel: usize,
    is_planar: bool,
}

/// Floats farther from 0 leave the range in which sums of their squares are numbers.
const LARGEST_FLOAT: f32 = 1e15;
/// A picture of floats that are all nearer to 0 has squares that count as 0.
const SMALLEST_FLOAT: f32 = 1e-15;

/// One page, counted from 0.
pub(super) fn page(bytes: &[u8], page: usize) -> Result<Page, String> {
    let mut decoder = tiff_chunks::open(bytes)?;
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
    let (wide, high) = (width as usize, height as usize);
    if photometric == Some(3) {
        return Ok(Page {
            width: wide,
            height: high,
            is_colour: true,
            samples: Samples::U8(palette_colours(&mut decoder, bytes, compression)?),
        });
    }
    let color = decoder.colortype().map_err(broken)?;
    let depth = color.bit_depth();
    if !matches!(depth, 1 | 2 | 4 | 8 | 16 | 32 | 64) {
        return Err(format!(
            "its samples have {depth} bits without padding, which are not read; save it with 16 bits"
        ));
    }
    let samples = match color {
        ColorType::Gray(_) => 1,
        ColorType::GrayA(_) => 2,
        ColorType::Multiband { num_samples: 2, .. } if has_alpha(&mut decoder) => 2,
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
    let mut read = DecodingResult::U8(Vec::new());
    if let Err(error) = decoder.read_image_to_buffer(&mut read) {
        // A truncated file is the reason of every other fault.
        chunks(&mut decoder, bytes)?;
        let hint = if compression == LZW {
            "; its LZW data end without the code that TIFF 6.0 asks for: save it without compression"
        } else {
            ""
        };
        return Err(format!("{}{hint}", broken(error)));
    }
    let layout = Layout {
        width: wide,
        height: high,
        per_pixel,
        is_planar,
    };
    let samples = match (read, color) {
        (DecodingResult::U8(packed), ColorType::Gray(bits)) if bits < 8 => {
            if is_tiled {
                return Err(format!(
                    "{bits}-bit tiles are not read; save it with 8 bits"
                ));
            }
            Samples::U8(layout.colours(unpacked(&packed, wide, bits), u8::MAX)?)
        }
        (DecodingResult::U8(values), _) => Samples::U8(layout.colours(values, u8::MAX)?),
        (DecodingResult::U16(values), _) => Samples::U16(layout.colours(values, u16::MAX)?),
        (DecodingResult::F32(values), _) => {
            let values = layout.colours(values, 1.0)?;
            in_range(&values, wide, values.len() / (wide * high).max(1))?;
            Samples::F32(values)
        }
        (other, _) => {
            return Err(format!(
                "{} samples are not read; use unsigned 8 or 16-bit ones or 32-bit floats",
                sample_kind(&other)
            ));
        }
    };
    Ok(Page {
        width: wide,
        height: high,
        is_colour: per_pixel >= 3,
        samples,
    })
}

/// Whether the first sample behind those of the colours is stated to be one of transparency.
fn has_alpha(decoder: &mut Tiff<'_>) -> bool {
    let extra = decoder.get_tag_u16_vec(Tag::ExtraSamples);
    extra.is_ok_and(|extra| matches!(extra.first(), Some(1 | 2)))
}

/// Refuses floats whose squares, of which every measure of a picture consists, are no numbers.
fn in_range(values: &[f32], width: usize, per_pixel: usize) -> Result<(), String> {
    let place = |i: usize| {
        let pixel = i / per_pixel.max(1);
        format!("the pixel at x {}, y {}", pixel % width, pixel / width)
    };
    if let Some(i) = values.iter().position(|value| !value.is_finite()) {
        return Err(format!("{} is {}", place(i), values[i]));
    }
    let is_far = |value: &f32| value.abs() > LARGEST_FLOAT;
    if let Some(i) = values.iter().position(is_far) {
        return Err(format!(
            "{} is {:e}; floats up to {LARGEST_FLOAT:e} are read: divide all by one number, or mend the pixel",
            place(i),
            values[i]
        ));
    }
    let most = values
        .iter()
        .fold(0.0_f32, |most, value| most.max(value.abs()));
    match most > 0.0 && most < SMALLEST_FLOAT {
        true => Err(format!(
            "its largest value is {most:e}; floats from {SMALLEST_FLOAT:e} are told from 0: multiply all by one number"
        )),
        false => Ok(()),
    }
}

impl Layout {
    /// The samples without those of transparency, which must all be `opaque`, pixel by pixel.
    fn colours<T: Copy + PartialEq>(&self, values: Vec<T>, opaque: T) -> Result<Vec<T>, String> {
        let (area, per_pixel) = (self.width * self.height, self.per_pixel);
        if values.len() != per_pixel * area {
            return Err(format!(
                "{} samples, {} are expected of {} × {} px with {per_pixel} channels",
                values.len(),
                per_pixel * area,
                self.width,
                self.height
            ));
        }
        let sample = |pixel: usize, channel: usize| match self.is_planar {
            true => values[channel * area + pixel],
            false => values[pixel * per_pixel + channel],
        };
        let has_alpha = per_pixel.is_multiple_of(2);
        if has_alpha && (0..area).any(|pixel| sample(pixel, per_pixel - 1) != opaque) {
            return Err(TRANSPARENT.to_owned());
        }
        let colours = per_pixel - usize::from(has_alpha);
        if per_pixel == 1 || (!has_alpha && !self.is_planar) {
            return Ok(values);
        }
        let pixels = (0..area).flat_map(|pixel| (0..colours).map(move |channel| (pixel, channel)));
        Ok(pixels
            .map(|(pixel, channel)| sample(pixel, channel))
            .collect())
    }
}

impl Page {
    /// The grey values, by a channel of a colour picture.
    pub(super) fn grey(self, channel: Channel) -> Pixels {
        let is_colour = self.is_colour;
        let (pixels, white) = match self.samples {
            Samples::U8(values) => (grey(&values, is_colour, channel), WHITE_8),
            Samples::U16(values) => (grey(&values, is_colour, channel), WHITE_16),
            Samples::F32(values) if !is_colour => (values, None),
            Samples::F32(values) => (grey(&values, is_colour, channel), None),
        };
        (self.width, self.height, pixels, white)
    }

    /// The picture as those of other kinds of files are read. Floats are refused.
    pub(super) fn image(self) -> Result<DynamicImage, String> {
        let size = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let (width, height) = (size(self.width), size(self.height));
        let image = match (self.samples, self.is_colour) {
            (Samples::U8(values), false) => {
                ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma8)
            }
            (Samples::U8(values), true) => {
                ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb8)
            }
            (Samples::U16(values), false) => {
                ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma16)
            }
            (Samples::U16(values), true) => {
                ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb16)
            }
            (Samples::F32(_), _) => {
                return Err(
                    "32-bit floating-point samples are not read; save it with 8 or 16 bits"
                        .to_owned(),
                );
            }
        };
        image.ok_or_else(|| "its samples do not fill its pixels".to_owned())
    }
}

fn grey<T: Copy + Into<f32>>(values: &[T], is_colour: bool, channel: Channel) -> Vec<f32> {
    match is_colour {
        false => values.iter().map(|&value| value.into()).collect(),
        true => {
            let (pixels, _) = values.as_chunks::<3>();
            let grey = |&[r, g, b]: &[T; 3]| channel.of(r.into(), g.into(), b.into());
            pixels.iter().map(grey).collect()
        }
    }
}

/// Samples of fewer than 8 bits, each row in whole bytes, as values up to 255.
fn unpacked(packed: &[u8], width: usize, bits: u8) -> Vec<u8> {
    let bits = usize::from(bits);
    let most = (1_u32 << bits) - 1;
    let row = (width * bits).div_ceil(8);
    let value = |bytes: &[u8], x: usize| {
        let (mut value, start) = (0_u32, x * bits);
        for bit in start..start + bits {
            value = value << 1 | u32::from(bytes[bit / 8] >> (7 - bit % 8) & 1);
        }
        (255 * value / most) as u8
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

/// The colours of a palette TIFF, which the TIFF library does not decode: its strips are read
/// here, uncompressed and with 8 bits only. Tiles would come in another order.
fn palette_colours(
    decoder: &mut Tiff<'_>,
    bytes: &[u8],
    compression: u16,
) -> Result<Vec<u8>, String> {
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
    let colours = palette(&map)
        .ok_or_else(|| format!("a colour map of {} values, expected {}", map.len(), 3 * 256))?;
    let expected = 3 * width as usize * height as usize;
    let mut pixels = Vec::with_capacity(expected);
    for (_, strip) in chunks(decoder, bytes)? {
        pixels.extend(strip.iter().flat_map(|&index| colours[usize::from(index)]));
    }
    if pixels.len() != expected {
        let (found, expected) = (pixels.len() / 3, expected / 3);
        return Err(format!("{found} pixels, expected {expected}"));
    }
    Ok(pixels)
}

/// The colour of every index; a TIFF colour map holds 16 bits a channel, of which an 8-bit
/// picture uses the upper byte.
fn palette(map: &[u16]) -> Option<Vec<[u8; 3]>> {
    let (red, rest) = map.split_at_checked(256)?;
    let (green, blue) = rest.split_at_checked(256)?;
    let upper = |value: u16| value.to_be_bytes()[0];
    (blue.len() == 256).then(|| {
        (0..256)
            .map(|i| [red[i], green[i], blue[i]].map(upper))
            .collect()
    })
}
