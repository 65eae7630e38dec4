//! The coded strips or tiles of a TIFF page: whether their compression is read, and whether they are whole.
//!
//! # Sources
//! TIFF 6.0, section 3; TIFF Technical Note 2 (JPEG); names of compressions as libtiff has them.

use std::io::Cursor;

use image::ImageFormat;
use tiff::decoder::Decoder;
use tiff::tags::Tag;

use super::jpeg;

/// The number of a TIFF for data without compression.
pub(super) const PLAIN: u16 = 1;
/// That of LZW.
pub(super) const LZW: u16 = 5;
const JPEG: u16 = 7;

/// Compressions that are read.
const READ: [u16; 7] = [PLAIN, 4, LZW, JPEG, 8, 32773, 32946];

/// Compressions by their number.
const NAMES: [(u16, &str); 27] = [
    (PLAIN, "none"),
    (2, "CCITT modified Huffman"),
    (3, "CCITT Group 3"),
    (4, "CCITT Group 4"),
    (LZW, "LZW"),
    (6, "JPEG of the old kind"),
    (JPEG, "JPEG"),
    (8, "Deflate"),
    (9, "JBIG"),
    (10, "JBIG in colour"),
    (32766, "NeXT"),
    (32773, "PackBits"),
    (32809, "ThunderScan"),
    (32909, "PixarLog"),
    (32946, "Deflate of the old kind"),
    (33003, "JPEG 2000"),
    (33005, "JPEG 2000"),
    (34661, "JBIG"),
    (34676, "LogLuv"),
    (34677, "LogLuv"),
    (34712, "JPEG 2000"),
    (34887, "LERC"),
    (34925, "LZMA"),
    (50000, "Zstandard"),
    (50001, "WebP"),
    (50002, "JPEG XL"),
    (52546, "JPEG XL"),
];

/// A TIFF in memory.
pub(super) type Tiff<'b> = Decoder<Cursor<&'b [u8]>>;

/// Whether the bytes are those of a TIFF or a BigTIFF.
pub(super) fn is_tiff(bytes: &[u8]) -> bool {
    [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]
        .iter()
        .any(|start| bytes.starts_with(*start))
}

/// What is wrong with a TIFF, in words.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub(super) fn broken(error: tiff::TiffError) -> String {
    format!("not a readable TIFF: {error}")
}

/// The name of a compression with its number.
pub(super) fn compression_name(code: u16) -> String {
    let known = NAMES.iter().find(|(own, _)| *own == code);
    let name = known.map_or("an unknown one", |(_, name)| name);
    format!("{name} ({code})")
}

/// The compression of the present page. Refuses one that is not read, and JPEG data that are not whole, for which the
/// decoder invents pixels; it finds out itself where other data end early.
pub(super) fn compression(tiff: &mut Tiff<'_>, bytes: &[u8]) -> Result<u16, String> {
    let code = tiff.find_tag(Tag::Compression).map_err(broken)?;
    let code = code.map_or(Ok(PLAIN), |value| value.into_u16().map_err(broken))?;
    if !READ.contains(&code) {
        return Err(format!(
            "its compression, {}, is not read; save it without compression",
            compression_name(code)
        ));
    }
    if code == JPEG {
        whole_jpegs(tiff, bytes)?;
    }
    Ok(code)
}

/// The same of the first page.
pub(super) fn first_compression(bytes: &[u8]) -> Result<u16, String> {
    let mut tiff = Decoder::new(Cursor::new(bytes)).map_err(broken)?;
    compression(&mut tiff, bytes)
}

fn whole_jpegs(tiff: &mut Tiff<'_>, bytes: &[u8]) -> Result<(), String> {
    let tables = tiff.find_tag(Tag::JPEGTables).map_err(broken)?;
    let tables = tables.map_or(Ok(Vec::new()), |value| value.into_u8_vec().map_err(broken))?;
    let (width, _) = tiff.chunk_dimensions();
    for ((name, part), place) in chunks(tiff, bytes)?.into_iter().zip(0..) {
        // Shared tables have an end marker of their own, and the data behind them a start marker.
        let stream = match tables.split_last_chunk::<2>() {
            Some((tables, _)) => [tables, part.get(2..).unwrap_or(&[])].concat(),
            None => part.to_vec(),
        };
        let is_whole = jpeg::ended(&stream).and_then(|()| {
            let image = image::load_from_memory_with_format(&stream, ImageFormat::Jpeg)
                .map_err(|error| format!("not a readable JPEG: {error}"))?;
            let (_, height) = tiff.chunk_data_dimensions(place);
            let (wide, high) = (image.width(), image.height());
            if wide != width || high < height {
                return Err(format!(
                    "its JPEG has {wide} × {high} px, {width} × {height} are to be read"
                ));
            }
            jpeg::filled(&stream, &image)
        });
        is_whole.map_err(|what| format!("{name}: {what}"))?;
    }
    Ok(())
}

/// The coded data of every strip or tile of the present page, with its name; an error where one leaves the file.
pub(super) fn chunks<'b>(
    tiff: &mut Tiff<'_>,
    bytes: &'b [u8],
) -> Result<Vec<(String, &'b [u8])>, String> {
    let (word, places) = places(tiff)?;
    let number = places.len();
    let chunk = |((start, count), place): ((u64, u64), usize)| {
        let name = format!("{word} {place} of {number}");
        let range = usize::try_from(start).ok().zip(usize::try_from(count).ok());
        let part = range.and_then(|(start, count)| bytes.get(start..start.checked_add(count)?));
        match part {
            Some(part) => Ok((name, part)),
            None => Err(format!(
                "not a readable TIFF: it is truncated: {name} ends at byte {}, the file has {}",
                start.saturating_add(count),
                bytes.len()
            )),
        }
    };
    places.into_iter().zip(1..).map(chunk).collect()
}

/// What the parts of a page are called, and offset and length of each, in bytes.
type Places = (&'static str, Vec<(u64, u64)>);

/// Whether strips or tiles hold the present page, and first byte and number of bytes of each.
fn places(tiff: &mut Tiff<'_>) -> Result<Places, String> {
    let is_tiled = tiff.find_tag(Tag::TileOffsets).map_err(broken)?.is_some();
    let (word, starts, counts) = match is_tiled {
        true => ("tile", Tag::TileOffsets, Tag::TileByteCounts),
        false => ("strip", Tag::StripOffsets, Tag::StripByteCounts),
    };
    let starts = tiff.get_tag_u64_vec(starts).map_err(broken)?;
    let counts = tiff.get_tag_u64_vec(counts).map_err(broken)?;
    Ok((word, starts.into_iter().zip(counts).collect()))
}

/// The byte behind the last data of the present page.
pub(super) fn end(tiff: &mut Tiff<'_>) -> Result<usize, String> {
    let ends = places(tiff)?.1.into_iter();
    let ends = ends.map(|(start, count)| start.saturating_add(count));
    Ok(ends
        .max()
        .map_or(0, |end| usize::try_from(end).unwrap_or(usize::MAX)))
}

/// Refuses a file in which another TIFF begins behind the data of all pages, of which no page of the first knows.
pub(super) fn alone(bytes: &[u8], from: usize) -> Result<(), String> {
    let begins = |at: &usize| {
        let rest = &bytes[*at..];
        is_tiff(rest) && Decoder::new(Cursor::new(rest)).is_ok()
    };
    match (from..bytes.len()).find(begins) {
        None => Ok(()),
        Some(at) => Err(format!(
            "a second TIFF begins at byte {at} of the file; save its pictures as files of their own"
        )),
    }
}
