//! Pictures whose coded data end early, alone and in a TIFF, and pictures behind others.

use std::io::Cursor;

use image::ImageFormat;
use tiff::encoder::TiffEncoder;
use tiff::tags::Tag;

use super::folder_set::{folder, load_files};
use super::picture_kinds::{GREY, encoded, faults, read, tiff};

const END: [u8; 2] = [0xff, 0xd9];

/// Where the segments behind the start marker begin, each with its marker, up to the end marker or the first that
/// `stop` names; there are neither restart markers nor padding in the pictures here.
fn segments(jpeg: &[u8], stop: u8) -> Vec<(usize, u8)> {
    let mut at = 2;
    let mut all = Vec::new();
    loop {
        let marker = jpeg[at + 1];
        all.push((at, marker));
        if marker == stop || marker == END[1] {
            return all;
        }
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        while jpeg[at] != 0xff || jpeg[at + 1] == 0 {
            at += 1;
        }
    }
}

/// A TIFF of one strip with a JPEG; its IFD stands before the strip.
fn with_jpeg(stream: &[u8]) -> Vec<u8> {
    let tags = [(258, 8), (259, 7), (262, 1), (277, 1)];
    tiff([40, 24], &tags, stream, false)
}

/// The same with tables that the strip lacks.
fn with_tables(stream: &[u8], tables: &[u8]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut file = TiffEncoder::new(&mut bytes).expect("an encoder");
    let mut page = file.image_directory().expect("a directory");
    let start = page.write_data(stream).expect("written") as u32;
    for (tag, value) in [
        (Tag::ImageWidth, 40),
        (Tag::ImageLength, 24),
        (Tag::BitsPerSample, 8),
        (Tag::Compression, 7),
        (Tag::PhotometricInterpretation, 1),
        (Tag::SamplesPerPixel, 1),
        (Tag::RowsPerStrip, 24),
        (Tag::StripOffsets, start),
        (Tag::StripByteCounts, stream.len() as u32),
    ] {
        page.write_tag(tag, value).expect("written");
    }
    page.write_tag(Tag::JPEGTables, tables).expect("written");
    page.finish().expect("written");
    bytes.into_inner()
}

/// What is said of a file as a picture, as a mask and as a picture for nets.
fn refused(bytes: &[u8]) -> [String; 3] {
    let [picture, mask, _, colour] = faults(bytes);
    [picture, mask, colour].map(|fault| fault.expect("a fault"))
}

/// Cut anywhere in its coded data, a JPEG in a TIFF is refused, or no pixel was lost.
#[test]
fn a_tiff_without_all_its_jpeg_data_is_refused() {
    let whole = encoded(ImageFormat::Jpeg);
    let pixels = read(&whole).expect("readable");
    let file = with_jpeg(&whole);
    assert_eq!(read(&file).as_ref(), Ok(&pixels));
    assert_eq!(faults(&file), [None, None, None, None]);
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        for fault in refused(&file[..file.len() - cut]) {
            let words = format!(
                "it is truncated: strip 1 of 1 ends at byte {}, the file has {}",
                file.len(),
                file.len() - cut
            );
            assert!(fault.contains(&words), "{fault}");
        }
    }
    let (scan, _) = *segments(&whole, 0xda).last().expect("a scan");
    let mut lost = 0;
    for end in scan + 10..whole.len() - 2 {
        match read(&with_jpeg(&[&whole[..end], &END].concat())) {
            Ok(found) => assert!(found == pixels, "cut at {end}"),
            Err(fault) => {
                assert!(
                    fault.contains("strip 1 of 1: not a readable JPEG"),
                    "{fault}"
                );
                lost += 1;
            }
        }
    }
    assert!(lost + 2 >= whole.len() - 2 - scan - 10, "{lost}");
    let half = [&whole[..scan + 10 + (whole.len() - scan) / 2], &END].concat();
    for fault in refused(&with_jpeg(&half)) {
        assert!(fault.contains("its coded data end before"), "{fault}");
    }
}

/// A changed bit moves the bits of every block behind it, unless it is one of a value.
#[test]
fn a_jpeg_with_a_changed_bit_that_shifts_its_blocks_is_refused() {
    let whole = encoded(ImageFormat::Jpeg);
    let pixels = read(&whole).expect("readable");
    let scan = segments(&whole, 0xda).last().expect("a scan").0 + 10;
    let (mut grave, mut refused) = (0, 0);
    for bit in (8 * scan..8 * (whole.len() - 2)).step_by(23) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(shown) = image::load_from_memory(&bytes) else {
            continue;
        };
        let shown = shown.into_luma8();
        let far = |(own, other): (&u8, &f32)| (f32::from(*own) - other).abs() > 20.0;
        let moved = shown.iter().zip(&pixels).filter(|pair| far(*pair));
        if moved.count() > pixels.len() / 10 {
            grave += 1;
            refused += usize::from(read(&bytes).is_err());
        }
    }
    assert!(
        grave > 5 && 10 * refused > 8 * grave,
        "{refused} of {grave}"
    );
}

/// Read row by row, the rows of a wider JPEG would shift.
#[test]
fn a_jpeg_of_another_size_than_its_strip_is_refused() {
    let tags = [(258, 8), (259, 7), (262, 1), (277, 1)];
    let whole = encoded(ImageFormat::Jpeg);
    for (size, words) in [
        ([32, 24], "its JPEG has 40 × 24 px, 32 × 24 are to be read"),
        ([40, 25], "its JPEG has 40 × 24 px, 40 × 25 are to be read"),
    ] {
        for fault in refused(&tiff(size, &tags, &whole, false)) {
            assert!(fault.contains(words), "{fault}");
        }
    }
}

#[test]
fn tables_of_a_tiff_belong_to_its_jpeg_data() {
    let whole = encoded(ImageFormat::Jpeg);
    let all = segments(&whole, 0xda);
    let (mut tables, mut stream) = (whole[..2].to_vec(), whole[..2].to_vec());
    for pair in all.windows(2) {
        let segment = &whole[pair[0].0..pair[1].0];
        match pair[0].1 {
            0xc4 | 0xdb => tables.extend(segment),
            _ => stream.extend(segment),
        }
    }
    tables.extend(END);
    stream.extend(&whole[all[all.len() - 1].0..]);
    assert_eq!(
        read(&with_tables(&stream, &tables)),
        read(&whole),
        "the same picture"
    );
    let cut = [&stream[..stream.len() - 40], &END].concat();
    for fault in refused(&with_tables(&cut, &tables)) {
        assert!(fault.contains("its coded data end before"), "{fault}");
    }
}

/// A progressive JPEG of 8 × 8 px, as Pillow 13.0 writes it at quality 40, without its segment APP0.
const PROGRESSIVE: &str = "\
    ffd8ffdb004300140e0f120f0d14121012171514181e32211e1c1c1e3d2c2e243249404c4b47404645505a736250556d5645466488656d77\
    7b8182814e608d978c7d96737e817cffc2000b080008000801011100ffc40014000100000000000000000000000000000003ffda00080101\
    000000012fffc400161001010100000000000000000000000000020001ffda00080101000105020705ffc400181000020300000000000000\
    0000000000000011126171ffda0008010100063f028bda3fffc4001910010002030000000000000000000000000100311121f0ffda000801\
    0100013f2101b1b0d33da9ffda0008010100000010ff00ffc400191001000301010000000000000000000000011121413171ffda00080101\
    00013f10eab415c5618d62357e0fffd9";

#[test]
fn a_progressive_jpeg_without_all_its_scans_is_refused() {
    let (pairs, _) = PROGRESSIVE.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let text = std::str::from_utf8(pair).expect("text");
        u8::from_str_radix(text, 16).expect("hex digits")
    };
    let whole: Vec<u8> = pairs.iter().map(byte).collect();
    assert_eq!(faults(&whole), [None, None, None, None]);
    let all = segments(&whole, END[1]);
    let first = all.iter().position(|(_, marker)| *marker == 0xda);
    let later = &all[first.expect("a scan") + 1..all.len() - 1];
    assert_eq!(
        later.len(),
        9,
        "five scans behind the first, four with tables"
    );
    for (start, _) in later {
        for fault in refused(&[&whole[..*start], &END].concat()) {
            assert!(fault.contains("it ends before its last scan"), "{fault}");
        }
    }
}

#[test]
fn a_tiff_behind_another_is_refused() {
    let one = tiff([3, 2], &GREY, &[9; 6], false);
    assert_eq!(faults(&one), [None, None, None, None]);
    for second in [
        tiff([3, 2], &GREY, &[7; 6], false),
        tiff([3, 2], &GREY, &[7; 6], true),
    ] {
        for between in [&b""[..], b"\0\0\0"] {
            for fault in faults(&[&one[..], between, &second].concat()) {
                let fault = fault.expect("two files");
                let words = format!("a second TIFF begins at byte {}", one.len() + between.len());
                assert!(fault.contains(&words), "{fault}");
            }
        }
    }
    // Four bytes that look like a beginning are none.
    let noted = [&one[..], b"II*\0 made by hand"].concat();
    assert_eq!(faults(&noted), [None, None, None, None]);
}

/// A folder of pictures is refused when it is loaded, not when one of them is drawn.
#[test]
fn a_folder_of_pictures_holds_one_a_file() {
    let jpeg = encoded(ImageFormat::Jpeg);
    for (bytes, words) in [
        ([&jpeg[..], &jpeg].concat(), "the file holds 2 pictures"),
        (jpeg[..jpeg.len() - 9].to_vec(), "before its end marker"),
        (
            [
                tiff([3, 2], &GREY, &[9; 6], false),
                tiff([3, 2], &GREY, &[9; 6], false),
            ]
            .concat(),
            "a second TIFF begins",
        ),
    ] {
        let (_temporary, folder) = folder();
        std::fs::write(folder.join("p.jpg"), bytes).expect("written");
        let loaded = load_files(&folder, "picture-folder", "", &[("p.jpg", "picture")]);
        let fault = loaded.expect_err("a fault").to_string();
        assert!(fault.contains("p.jpg") && fault.contains(words), "{fault}");
    }
}
