//! A grey picture as a TIFF without compression, for programs that are not ours.
//!
//! # Source
//! Adobe 1992, "TIFF, Revision 6.0", section 4 (baseline grey-scale images).

use retrial_image::GrayImage;

/// The bytes of the file: 8 bits a pixel where `bits` is 8, otherwise 16.
///
/// Values are rounded and clipped to `0..2^bits`; nothing is rescaled, so a picture of 12 bits
/// lies in the lower 12 of the 16. `description` becomes the tag `ImageDescription`; signs that
/// are not ASCII become `?`.
///
/// # Shapes
/// - `image`: at most 2³¹ bytes of pixels
#[must_use]
pub fn gray(image: &GrayImage, bits: u32, description: &str) -> Vec<u8> {
    let most = ((1_u32 << bits.clamp(1, 16)) - 1) as f32;
    let mut pixels = Vec::with_capacity(2 * image.pixels().len());
    for value in image.pixels() {
        let value = value.round().clamp(0.0, most) as u16;
        match bits {
            0..=8 => pixels.push(value as u8),
            _ => pixels.extend(value.to_le_bytes()),
        }
    }
    let mut text: Vec<u8> = description
        .chars()
        .map(|c| {
            if c.is_ascii() && c != '\0' {
                c as u8
            } else {
                b'?'
            }
        })
        .collect();
    // Texts end in NUL; five bytes at least, so that the text never fits into its entry.
    text.resize((text.len() + 1).max(5).next_multiple_of(2), 0);
    let stored = if bits <= 8 { 8 } else { 16 };
    let size = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const ASCII: u16 = 2;
    const ENTRIES: u16 = 13;
    const RATIONAL: u16 = 5;
    let resolution_at = 8 + 2 + 12 * u32::from(ENTRIES) + 4;
    let text_at = resolution_at + 8;
    let pixels_at = text_at + size(text.len());
    let entries: [(u16, u16, u32, u32); ENTRIES as usize] = [
        (256, LONG, 1, size(image.width())),
        (257, LONG, 1, size(image.height())),
        (258, SHORT, 1, stored),
        // No compression, black is zero.
        (259, SHORT, 1, 1),
        (262, SHORT, 1, 1),
        (270, ASCII, size(text.len()), text_at),
        (273, LONG, 1, pixels_at),
        (277, SHORT, 1, 1),
        (278, LONG, 1, size(image.height())),
        (279, LONG, 1, size(pixels.len())),
        // One pixel a unit each way, and no unit: the size of a pixel is not known.
        (282, RATIONAL, 1, resolution_at),
        (283, RATIONAL, 1, resolution_at),
        (296, SHORT, 1, 1),
    ];
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend(ENTRIES.to_le_bytes());
    for (tag, kind, number, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(number.to_le_bytes());
        // A SHORT stands in the first half of its place; little-endian, that is the same.
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend([1_u32, 1].map(u32::to_le_bytes).concat());
    bytes.extend(text);
    bytes.extend(pixels);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_clipped_and_stored_in_whole_bytes() {
        let image = GrayImage::new(3, 1, vec![-4.0, 1000.4, 70_000.0]).expect("a size");
        for (bits, pixels) in [
            (8, &[0, 255, 255][..]),
            (12, &[0, 0, 0xe8, 3, 0xff, 0x0f]),
            (16, &[0, 0, 0xe8, 3, 0xff, 0xff]),
        ] {
            let file = gray(&image, bits, "12 bits in 16");
            assert!(file.ends_with(pixels), "{bits}");
            assert_eq!(&file[178..191], b"12 bits in 16");
        }
    }
}
