//! A grey picture as a TIFF without compression, for programs that are not ours.

use std::io::Cursor;

use retrial_image::GrayImage;
use tiff::TiffResult;
use tiff::encoder::colortype::{ColorType, Gray8, Gray16};
use tiff::encoder::{TiffEncoder, TiffValue};
use tiff::tags::Tag;

/// The bytes of the file: 8 bits a pixel where `bits` is 8, otherwise 16.
///
/// Values are rounded and clipped to `0..2^bits`; nothing is rescaled, so a picture of 12 bits
/// lies in the lower 12 of the 16. `description` becomes the tag `ImageDescription`; signs that
/// are not ASCII become `?`. The size of a pixel is not known: the resolution is 1, without a unit.
///
/// # Shapes
/// - `image`: at most 2³¹ bytes of pixels
///
/// # Panics
/// For a larger picture.
#[must_use]
pub fn gray(image: &GrayImage, bits: u32, description: &str) -> Vec<u8> {
    let most = ((1_u32 << bits.clamp(1, 16)) - 1) as f32;
    let pixels = image.pixels().iter();
    let pixels = pixels.map(|value| value.round().clamp(0.0, most) as u16);
    let is_plain = |c: char| c.is_ascii() && c != '\0';
    let signs = description.chars();
    let text: String = signs.map(|c| if is_plain(c) { c } else { '?' }).collect();
    let file = match bits {
        0..=8 => {
            let pixels: Vec<u8> = pixels.map(|value| value as u8).collect();
            coded::<Gray8>(image, &pixels, &text)
        }
        _ => coded::<Gray16>(image, &pixels.collect::<Vec<u16>>(), &text),
    };
    file.expect("memory takes every write, and offsets have 32 bits")
}

fn coded<C: ColorType>(
    image: &GrayImage,
    pixels: &[C::Inner],
    description: &str,
) -> TiffResult<Vec<u8>>
where
    [C::Inner]: TiffValue,
{
    let (width, height) = (
        u32::try_from(image.width())?,
        u32::try_from(image.height())?,
    );
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)?;
    let mut picture = encoder.new_image::<C>(width, height)?;
    let tags = picture.encoder();
    tags.write_tag(Tag::ImageDescription, description)?;
    picture.write_data(pixels)?;
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
    use tiff::decoder::{Decoder, DecodingResult};

    use super::*;

    #[test]
    fn values_are_rounded_clipped_and_stored_in_whole_bytes() {
        let image = GrayImage::new(3, 1, vec![-4.0, 1000.4, 70_000.0]).expect("a size");
        for (bits, pixels) in [
            (8, [0_u16, 255, 255]),
            (12, [0, 1000, 4095]),
            (16, [0, 1000, 65_535]),
        ] {
            let file = gray(&image, bits, "12 bits in 16, µm");
            let mut file = Decoder::new(Cursor::new(&file)).expect("a TIFF");
            let read = match file.read_image().expect("pixels") {
                DecodingResult::U8(read) if bits == 8 => read.into_iter().map(u16::from).collect(),
                DecodingResult::U16(read) if bits > 8 => read,
                other => panic!("{bits} bits became {other:?}"),
            };
            assert_eq!(read, pixels, "{bits}");
            let told = file.get_tag_ascii_string(Tag::ImageDescription);
            assert_eq!(told.expect("a text"), "12 bits in 16, ?m");
            for needed in [Tag::XResolution, Tag::YResolution, Tag::ResolutionUnit] {
                let found = file.find_tag(needed).expect("a sound file");
                assert!(found.is_some(), "{needed:?}, of a baseline file");
            }
        }
    }
}
