//! Kinds of picture files that are read whole or refused with the reason.

use image::{DynamicImage, GrayAlphaImage, LumaA, Rgba, RgbaImage};
use retrial_data::{picture_pages, read_gray, read_mask};
use tempfile::TempDir;

/// A little-endian TIFF of one strip; entries of tag and value beside size, offset and count.
fn tiff(size: [u32; 2], entries: &[(u16, u32)], pixels: &[u8], is_big: bool) -> Vec<u8> {
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
        bytes.extend(4_u16.to_le_bytes());
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

fn read(bytes: &[u8]) -> Result<Vec<f32>, String> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("picture");
    std::fs::write(&path, bytes).expect("written");
    let image = read_gray(&path).map_err(|error| error.to_string())?;
    Ok(image.pixels().to_vec())
}

const GREY: [(u16, u32); 4] = [(258, 8), (259, 1), (262, 1), (277, 1)];

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
        read_mask(&path).expect("a mask").values(),
        [true, false, true]
    );
    let grey = GrayAlphaImage::from_fn(2, 1, |x, _| LumaA([200, 255 * x as u8]));
    DynamicImage::from(grey).save(&path).expect("saved");
    assert_eq!(read_mask(&path).expect("a mask").values(), [false, true]);
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
