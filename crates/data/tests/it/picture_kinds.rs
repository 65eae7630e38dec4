//! Kinds of picture files that are read whole or refused with the reason.

use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageFormat, Luma, LumaA, Rgba, RgbaImage};
use retrial_data::{picture_pages, read_colour, read_gray, read_mask};
use tempfile::TempDir;
use tiff::encoder::{TiffEncoder, colortype};
use tiff::tags::Tag;

/// A little-endian TIFF of one strip; entries of tag and value beside size, offset and count.
pub(super) fn tiff(size: [u32; 2], entries: &[(u16, u32)], pixels: &[u8], is_big: bool) -> Vec<u8> {
    let strips = if entries.contains(&(284, 2)) { 3 } else { 1 };
    let mut all: Vec<(u16, Vec<u32>)> = entries.iter().map(|(t, v)| (*t, vec![*v])).collect();
    let part = pixels.len() as u32 / strips;
    all.extend([
        (256, vec![size[0]]),
        (257, vec![size[1]]),
        (278, vec![size[1]]),
    ]);
    all.extend([
        (273, (0..strips).map(|i| 512 + i * part).collect()),
        (279, vec![part; strips as usize]),
    ]);
    all.sort_by_key(|(tag, _)| *tag);
    let mut bytes = match is_big {
        true => [&b"II+\0\x08\0\0\0"[..], &16_u64.to_le_bytes()].concat(),
        false => b"II*\0\x08\0\0\0".to_vec(),
    };
    let mut far: Vec<u8> = Vec::new();
    match is_big {
        true => bytes.extend((all.len() as u64).to_le_bytes()),
        false => bytes.extend((all.len() as u16).to_le_bytes()),
    }
    for (tag, values) in all {
        bytes.extend(tag.to_le_bytes());
        // ExtraSamples is read as SHORT alone.
        let kind = if tag == 338 { 3_u16 } else { 4 };
        bytes.extend(kind.to_le_bytes());
        let list: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let room = if is_big { 8 } else { 4 };
        match is_big {
            true => bytes.extend((values.len() as u64).to_le_bytes()),
            false => bytes.extend((values.len() as u32).to_le_bytes()),
        }
        let mut cell = list.clone();
        if list.len() > room {
            cell = (400 + far.len() as u32).to_le_bytes().to_vec();
            far.extend(list);
        }
        cell.resize(room, 0);
        bytes.extend(cell);
    }
    bytes.resize(400, 0);
    bytes.extend(far);
    bytes.resize(512, 0);
    bytes.extend(pixels);
    bytes
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<f32>, String> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("picture");
    std::fs::write(&path, bytes).expect("written");
    let image = read_gray(&path).map_err(|error| error.to_string())?;
    Ok(image.pixels().to_vec())
}

pub(super) const GREY: [(u16, u32); 4] = [(258, 8), (259, 1), (262, 1), (277, 1)];

#[test]
fn kinds_of_tiff_give_the_same_values() {
    let values = [1_u8, 2, 3, 4, 5, 6];
    let expected = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    for is_big in [false, true] {
        assert_eq!(
            read(&tiff([3, 2], &GREY, &values, is_big)).expect("grey"),
            expected
        );
    }
    let colour = [(258, 8), (259, 1), (262, 2), (277, 3), (284, 2)];
    let planes = [values, values, values].concat();
    assert_eq!(
        read(&tiff([3, 2], &colour, &planes, false)).expect("planar"),
        expected
    );
}

/// A TIFF of 2 × 2 px whose colours are those of a palette.
fn palette() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut file = TiffEncoder::new(&mut bytes).expect("an encoder");
    let mut page = file.image_directory().expect("a directory");
    let start = page.write_data(&[0_u8, 1, 2, 2][..]).expect("written") as u32;
    for (tag, value) in [
        (Tag::ImageWidth, 2),
        (Tag::ImageLength, 2),
        (Tag::BitsPerSample, 8),
        (Tag::Compression, 1),
        (Tag::PhotometricInterpretation, 3),
        (Tag::SamplesPerPixel, 1),
        (Tag::RowsPerStrip, 2),
        (Tag::StripOffsets, start),
        (Tag::StripByteCounts, 4),
    ] {
        page.write_tag(tag, value).expect("written");
    }
    let mut map = [0_u16; 768];
    for (index, colour) in [[1, 1, 1], [2, 2, 2], [10, 20, 30]].into_iter().enumerate() {
        for (channel, value) in colour.into_iter().enumerate() {
            map[256 * channel + index] = 257 * value;
        }
    }
    page.write_tag(Tag::ColorMap, &map[..]).expect("written");
    page.finish().expect("written");
    bytes.into_inner()
}

#[test]
fn a_tiff_is_the_same_to_every_reader() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("p.tif");
    std::fs::write(&path, palette()).expect("written");
    let colours = read_colour(&path).expect("a palette").rgb;
    assert_eq!(colours, [1, 1, 1, 2, 2, 2, 10, 20, 30, 10, 20, 30]);
    assert_eq!(
        read_gray(&path).expect("a palette").pixels()[..2],
        [1.0, 2.0]
    );
    let veiled = [(258, 8), (259, 1), (262, 1), (277, 2), (338, 2)];
    let opaque = tiff([3, 1], &veiled, &[5, 255, 6, 255, 7, 255], false);
    assert_eq!(read(&opaque), Ok(vec![5.0, 6.0, 7.0]));
    assert_eq!(faults(&opaque), [None, None, None, None]);
    let with = |tag| GREY.into_iter().chain([tag]).collect::<Vec<_>>();
    let whole = tiff([3, 2], &GREY, &[9; 6], false);
    for (bytes, words) in [
        (
            tiff([3, 1], &veiled, &[5, 255, 6, 254, 7, 255], false),
            "the picture is partly transparent",
        ),
        (
            tiff([3, 2], &with((274, 9)), &[9; 6], false),
            "its orientation (EXIF or TIFF tag 274) is 9",
        ),
        (
            tiff(
                [3, 2],
                &[(258, 8), (259, 1), (262, 5), (277, 4)],
                &[9; 24],
                false,
            ),
            "a TIFF of CMYK(8) has no grey value that is read",
        ),
        (
            tiff(
                [3, 2],
                &[(258, 8), (259, 1), (262, 1), (277, 7)],
                &[9; 42],
                false,
            ),
            "it has 7 samples a pixel and does not say of which colours",
        ),
        (
            whole[..whole.len() - 1].to_vec(),
            "it is truncated: strip 1 of 1 ends at byte 518, the file has 517",
        ),
        (
            whole[..8].to_vec(),
            "it is truncated: it ends before data that it names; the file has 8 bytes",
        ),
    ] {
        let [picture, mask, _, colour] = faults(&bytes);
        for fault in [picture, mask, colour] {
            let fault = fault.expect("a fault");
            assert!(fault.contains(words), "{fault}");
        }
    }
    for (kind, name) in [(ImageFormat::Bmp, "BMP"), (ImageFormat::Pnm, "PNM")] {
        let whole = encoded(kind);
        let fault = read(&whole[..whole.len() - 5]).expect_err("cut");
        let words = format!(
            "not a readable {name}: it is truncated: its {} bytes",
            whole.len() - 5
        );
        assert!(fault.contains(&words), "{fault}");
    }
}

#[test]
fn floats_are_those_of_which_squares_are_numbers() {
    let tags = [(258, 32), (259, 1), (262, 1), (277, 1), (339, 3)];
    let read = |values: [f32; 3]| {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        read(&tiff([3, 1], &tags, &bytes, false))
    };
    for values in [[0.0; 3], [-1e15, 0.0, 1e15], [0.0, 1e-30, 1e-15]] {
        assert_eq!(read(values), Ok(values.to_vec()));
    }
    for (values, words) in [
        (
            [1.0, 1e32, 2.0],
            "the pixel at x 1, y 0 is 1e32; floats up to 1e15 are read",
        ),
        ([1.0, 2.0, -3e38], "the pixel at x 2, y 0 is -3e38"),
        (
            [1e-30, -2e-30, 0.0],
            "its largest value is 2e-30; floats from 1e-15 are told from 0",
        ),
        ([1.0, f32::NAN, 2.0], "the pixel at x 1, y 0 is NaN"),
    ] {
        let fault = read(values).expect_err("no picture");
        assert!(fault.contains(words), "{fault}");
    }
}

#[test]
fn single_bits_are_black_and_white() {
    let bits = [(258, 1), (259, 1), (262, 1), (277, 1)];
    let file = tiff([10, 2], &bits, &[0b1010_0000, 0b0100_0000, 0, 0], false);
    let mut expected = [0.0; 20];
    for lit in [0, 2, 9] {
        expected[lit] = 255.0;
    }
    assert_eq!(read(&file).expect("bits"), expected);
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("m.tif");
    let bits = [(258, 1), (259, 1), (262, 0), (277, 1)];
    std::fs::write(&path, tiff([8, 1], &bits, &[0xf0], false)).expect("written");
    let error = read_mask(&path).expect_err("in doubt").to_string();
    assert!(error.contains("0 is white"), "{error}");
}

#[test]
fn an_orientation_is_refused_by_its_number() {
    let turned: Vec<_> = GREY.into_iter().chain([(274, 6)]).collect();
    let error = read(&tiff([3, 2], &turned, &[0; 6], false)).expect_err("turned");
    assert!(
        error.contains("orientation") && error.contains('6'),
        "{error}"
    );
}

#[test]
fn what_is_hidden_is_refused_in_a_picture_and_left_out_of_a_mask() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.png");
    let image = RgbaImage::from_fn(3, 1, |x, _| {
        Rgba([
            255,
            255,
            if x < 2 { 255 } else { 0 },
            if x == 1 { 0 } else { 255 },
        ])
    });
    DynamicImage::from(image).save(&path).expect("saved");
    let error = read_gray(&path).expect_err("transparent").to_string();
    assert!(error.contains("partly transparent"), "{error}");
    assert_eq!(
        read_mask(&path).expect("a mask").mask.values(),
        [true, false, true]
    );
    let grey = GrayAlphaImage::from_fn(2, 1, |x, _| LumaA([200, 255 * x as u8]));
    DynamicImage::from(grey).save(&path).expect("saved");
    let read = read_mask(&path).expect("a mask");
    assert_eq!((read.mask.values(), read.doubt), (&[false, true][..], None));
    let veiled = GrayAlphaImage::from_fn(2, 1, |x, _| LumaA([200, 1 + 254 * x as u8]));
    DynamicImage::from(veiled).save(&path).expect("saved");
    let doubt = read_mask(&path).expect("a mask").doubt.expect("a doubt");
    assert!(doubt.contains("several values of alpha"), "{doubt}");
    assert_eq!(picture_pages(&path).expect("one"), 1);
}

/// Every file that ends early or has one byte changed is read or refused, and never ends the program.
#[test]
fn broken_palettes_and_headers_are_errors() {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        png.extend((data.len() as u32).to_be_bytes());
        let body = [&kind[..], data].concat();
        png.extend(&body);
        let mut crc = u32::MAX;
        for byte in body {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 {
                    crc >> 1 ^ 0xedb8_8320
                } else {
                    crc >> 1
                };
            }
        }
        png.extend((!crc).to_be_bytes());
    };
    chunk(b"IHDR", &[0, 0, 0, 2, 0, 0, 0, 1, 8, 3, 0, 0, 0]);
    // Two colours and a half; the picture asks for the third.
    chunk(b"PLTE", &[1, 2, 3, 4, 5, 6, 7]);
    chunk(b"IDAT", &[0x78, 1, 1, 3, 0, 252, 255, 0, 2, 2, 0, 12, 0, 5]);
    chunk(b"IEND", &[]);
    drop(read(&png));
    let whole = tiff([3, 2], &GREY, &[9; 6], false);
    for end in 0..whole.len() {
        drop(read(&whole[..end]));
    }
}

/// What is said of a file as a picture, as a mask, as a series and as a picture for nets.
pub(super) fn faults(bytes: &[u8]) -> [Option<String>; 4] {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("picture");
    std::fs::write(&path, bytes).expect("written");
    let said = [
        read_gray(&path).err(),
        read_mask(&path).err(),
        picture_pages(&path).err(),
        read_colour(&path).err(),
    ];
    said.map(|error| error.map(|error| error.to_string()))
}

/// A textured picture of 40 × 24 px as a file of a format.
pub(super) fn encoded(format: ImageFormat) -> Vec<u8> {
    let image = GrayImage::from_fn(40, 24, |x, y| Luma([(x * x * 7 + y * y * 5 + x * y) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("written");
    bytes.into_inner()
}

#[test]
fn a_second_picture_in_a_file_is_refused_and_padding_is_not() {
    let head = |text: &str, pixels: &[u8]| [text.as_bytes(), pixels].concat();
    for (kind, whole) in [
        ("PNG", encoded(ImageFormat::Png)),
        ("JPEG", encoded(ImageFormat::Jpeg)),
        ("BMP", encoded(ImageFormat::Bmp)),
        ("P1", head("P1 9 2\n010101010\n1 0 1 0 1 0 1 0 1", b"")),
        ("P2", head("P2\n# a comment\n3 1\n255\n1 22 3", b"")),
        ("P4", head("P4\n9 2\n", &[0, 0, 255, 0])),
        ("P5", head("P5\n3 1\n255\n", &[1, 2, 3])),
        ("P5 of 16 bits", head("P5\n3 1\n4095\n", &[1; 6])),
        ("P6", head("P6 1 1 255\n", &[1, 2, 3])),
        (
            "P7",
            head(
                "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\n",
                &[1, 2],
            ),
        ),
    ] {
        assert_eq!(faults(&whole), [None, None, None, None], "{kind}");
        let padded = [&whole[..], b"\n\0\0\r\n"].concat();
        assert_eq!(faults(&padded), [None, None, None, None], "{kind}");
        let twice = [&whole[..], b"\n", &whole].concat();
        for fault in faults(&twice) {
            let fault = fault.expect("two pictures");
            assert!(fault.contains("holds 2 pictures"), "{kind}: {fault}");
        }
        let more = [&whole[..], b"\nrest"].concat();
        for fault in faults(&more) {
            let fault = fault.expect("four bytes");
            assert!(
                fault.contains("4 bytes behind the picture"),
                "{kind}: {fault}"
            );
        }
    }
}

/// Cut anywhere in its coded data and closed by an end marker, a JPEG is refused, or no pixel was lost.
#[test]
fn a_jpeg_without_all_its_data_is_refused() {
    let whole = encoded(ImageFormat::Jpeg);
    let pixels = read(&whole).expect("readable");
    let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]);
    let scan = scan.expect("a scan") + 12;
    let mut refused = 0;
    for end in scan..whole.len() - 2 {
        let cut = [&whole[..end], &[0xff, 0xd9]].concat();
        match read(&cut) {
            Ok(found) => assert!(found == pixels, "cut at {end}"),
            Err(fault) => {
                assert!(fault.contains("not a readable JPEG"), "{fault}");
                refused += 1;
            }
        }
    }
    assert!(refused + 2 >= whole.len() - 2 - scan, "{refused}");
}

/// A TIFF with so many pages and the same description on each.
fn described(pages: u8, text: &str) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut file = TiffEncoder::new(&mut bytes).expect("an encoder");
    for page in 0..pages {
        let mut image = file
            .new_image::<colortype::Gray8>(2, 1)
            .expect("a directory");
        let tag = Tag::ImageDescription;
        image.encoder().write_tag(tag, text).expect("written");
        image.write_data(&[page, 1]).expect("written");
    }
    bytes.into_inner()
}

#[test]
fn the_pages_of_a_file_are_one_series_or_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.tif");
    let pages = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("written");
        picture_pages(&path).map_err(|error| error.to_string())
    };
    for (number, text, expected) in [
        (3, "made by hand", Ok(3)),
        (4, "ImageJ=1.54\nimages=4\nslices=4\nloop=false\n", Ok(4)),
        (
            4,
            "ImageJ=1.11a\nimages=4\nchannels=4\nhyperstack=true\n",
            Ok(4),
        ),
        (
            4,
            "ImageJ=1.11a\nimages=4\nchannels=2\nframes=2\nhyperstack=true\n",
            Err("a hyperstack of 2 channels and 2 frames"),
        ),
        (
            1,
            "ImageJ=1.53t\nimages=4000000000\nslices=4000000000\n",
            Err("4000000000 pictures in it behind a single page"),
        ),
        (1, "ImageJ=1.53t\nimages=0\n", Ok(1)),
    ] {
        match (pages(&described(number, text)), expected) {
            (Ok(found), Ok(number)) => assert_eq!(found, number, "{text}"),
            (Err(fault), Err(words)) => assert!(fault.contains(words), "{fault}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
    let whole = described(3, "");
    let fault = pages(&whole[..2 * whole.len() / 3]).expect_err("a page is lost");
    assert!(fault.contains("not a readable TIFF"), "{fault}");
    assert!(fault.contains("after page"), "{fault}");
}

#[test]
fn kinds_that_are_not_read_are_named_with_what_is() {
    let kind = |tags: &[(u16, u32)]| tiff([3, 2], tags, &[9; 24], false);
    for (bytes, words) in [
        (
            b"GIF89a\x01\0\x01\0".to_vec(),
            "GIF pictures are not read; convert it to PNG or TIFF",
        ),
        (b"RIFF\x04\0\0\0WEBP".to_vec(), "WEBP pictures are not read"),
        (b"Pf\n1 1\n-1.0\n0000".to_vec(), "convert it to PNG or TIFF"),
        (
            kind(&[(258, 8), (259, 50_000), (262, 1), (277, 1)]),
            "Zstandard (50000), is not read; save it without compression",
        ),
        (
            kind(&[(258, 8), (259, 50_001), (262, 2), (277, 3)]),
            "its compression, WebP (50001), is not read",
        ),
        (
            kind(&[(258, 8), (259, 52_546), (262, 1), (277, 1)]),
            "its compression, JPEG XL (52546), is not read",
        ),
        (
            kind(&[(258, 1), (259, 3), (262, 0), (277, 1)]),
            "its compression, CCITT Group 3 (3), is not read",
        ),
        (
            kind(&[(258, 8), (259, 12_345), (262, 1), (277, 1)]),
            "its compression, an unknown one (12345), is not read",
        ),
        (
            kind(&[(258, 8), (259, 5), (262, 3), (277, 1)]),
            "the compression LZW (5); only strips with 8 bits and without compression are read",
        ),
        (
            kind(&[(258, 12), (259, 1), (262, 1), (277, 1)]),
            "have 12 bits without padding, which are not read; save it with 16 bits",
        ),
        (
            kind(&[(258, 8), (259, 1), (262, 2), (277, 4), (338, 0)]),
            "it has 4 samples a pixel, 3 of them grey or colour",
        ),
    ] {
        let fault = read(&bytes).expect_err("not read");
        assert!(fault.contains(words), "{fault}");
    }
    let [.., colour] = faults(&kind(&[(258, 8), (259, 50_001), (262, 2), (277, 3)]));
    let colour = colour.expect("not read by nets");
    assert!(
        colour.contains("compression, WebP (50001), is not read"),
        "{colour}"
    );
}
