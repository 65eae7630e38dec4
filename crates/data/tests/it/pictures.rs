//! Single pictures in every format, right and broken.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use retrial_data::{read_graded, read_gray, read_mask};
use tempfile::TempDir;
use tiff::encoder::{TiffEncoder, colortype};

fn save(folder: &TempDir, name: &str, image: impl Into<DynamicImage>) -> PathBuf {
    let path = folder.path().join(name);
    image.into().save(&path).expect("saved");
    path
}

fn fault(path: &Path) -> String {
    read_gray(path).expect_err("a fault").to_string()
}

#[test]
fn grey_values_are_kept_in_every_format() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let grey = GrayImage::from_fn(3, 2, |x, y| Luma([(100 * y + 7 * x) as u8]));
    let expected = [0.0, 7.0, 14.0, 100.0, 107.0, 114.0];
    for name in ["a.tif", "a.png", "a.bmp", "a.pgm"] {
        let image = read_gray(&save(&folder, name, grey.clone())).expect("readable");
        assert_eq!((image.width(), image.height()), (3, 2), "{name}");
        assert_eq!(image.pixels(), expected, "{name}");
    }
    let deep: ImageBuffer<Luma<u16>, _> =
        ImageBuffer::from_fn(2, 1, |x, _| Luma([60_000 + x as u16]));
    for name in ["b.tif", "b.png"] {
        let image = read_gray(&save(&folder, name, deep.clone())).expect("readable");
        assert_eq!(image.pixels(), [60_000.0, 60_001.0], "{name}");
    }
}

#[test]
fn white_is_known_where_the_file_has_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let grey = GrayImage::from_pixel(2, 1, Luma([1]));
    let deep: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_pixel(2, 1, Luma([1_u16]));
    let float = folder.path().join("c.tif");
    let file = File::create(&float).expect("created");
    TiffEncoder::new(file)
        .and_then(|mut tiff| tiff.write_image::<colortype::Gray32Float>(2, 1, &[0.5, 300.0]))
        .expect("written");
    for (path, white) in [
        (save(&folder, "a.tif", grey.clone()), Some(255.0)),
        (save(&folder, "a.png", grey), Some(255.0)),
        (save(&folder, "b.tif", deep.clone()), Some(65535.0)),
        (save(&folder, "b.png", deep), Some(65535.0)),
        (float, None),
    ] {
        let read = read_graded(&path).expect("readable");
        assert_eq!(read.white, white, "{}", path.display());
    }
}

#[test]
fn the_suffix_does_not_matter() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let png = save(&folder, "a.png", GrayImage::from_pixel(1, 1, Luma([9])));
    let renamed = folder.path().join("a.tif");
    fs::rename(png, &renamed).expect("renamed");
    assert_eq!(read_gray(&renamed).expect("readable").pixels(), [9.0]);
}

#[test]
fn colour_becomes_luma_and_equal_channels_stay() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let colour = RgbImage::from_fn(2, 1, |x, _| {
        if x == 0 {
            Rgb([77; 3])
        } else {
            Rgb([255, 0, 10])
        }
    });
    for name in ["a.png", "a.tif", "a.bmp"] {
        let image = read_gray(&save(&folder, name, colour.clone())).expect("readable");
        // 0.299 · 255 + 0.114 · 10.
        assert_eq!(image.pixels(), [77.0, 77.385], "{name}");
    }
    let clear = RgbaImage::from_pixel(1, 1, Rgba([1, 2, 3, 128]));
    assert!(fault(&save(&folder, "c.png", clear)).contains("partly transparent"));
}

#[test]
fn a_mask_is_what_is_not_black() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let image = GrayImage::from_fn(3, 1, |x, _| Luma([x as u8]));
    let mask = read_mask(&save(&folder, "m.png", image)).expect("readable");
    assert_eq!(mask.mask.values(), [false, true, true]);
    let doubt = mask.doubt.expect("two grey values");
    assert!(doubt.contains("several grey values"), "{doubt}");
}

#[test]
fn broken_files_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let grey = GrayImage::from_fn(64, 64, |x, y| Luma([(x * y) as u8]));
    for name in ["a.tif", "a.png", "a.bmp", "a.jpg"] {
        let path = save(&folder, name, grey.clone());
        let bytes = fs::read(&path).expect("read");
        fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
        let fault = fault(&path);
        assert!(
            fault.contains(name) && fault.contains("not a readable"),
            "{fault}"
        );
    }
    let page = folder.path().join("page.tif");
    fs::write(&page, "<!doctype html>").expect("written");
    assert!(fault(&page).contains("not a TIFF, PNG, BMP, JPEG or PNM picture"));
    assert!(fault(&folder.path().join("absent.png")).starts_with("reading "));
    fs::write(&page, "").expect("written");
    assert!(fault(&page).contains("not a TIFF"));
}

#[test]
fn samples_that_are_not_read_are_named_with_their_sign() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("signed.tif");
    let mut tiff = tiff(&path);
    tiff.write_image::<colortype::GrayI16>(2, 1, &[-1, 2])
        .expect("written");
    let fault = fault(&path);
    assert!(fault.contains("signed 16-bit samples"), "{fault}");
    assert!(!fault.contains("unsigned 16-bit samples"), "{fault}");
}

#[test]
fn a_pixel_without_a_value_is_named_by_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("nan.tif");
    let mut pixels = [1.0_f32; 12];
    pixels[2 * 4 + 3] = f32::NAN;
    let mut tiff = tiff(&path);
    tiff.write_image::<colortype::Gray32Float>(4, 3, &pixels)
        .expect("written");
    let fault = fault(&path);
    assert!(fault.ends_with("the pixel at x 3, y 2 is NaN"), "{fault}");
}

fn tiff(path: &Path) -> TiffEncoder<File> {
    TiffEncoder::new(File::create(path).expect("created")).expect("an encoder")
}

#[test]
fn a_picture_that_claims_to_be_huge_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("huge.pgm");
    fs::write(&path, "P5\n4000000000 4000000000\n255\n").expect("written");
    assert!(fault(&path).contains("huge.pgm"));
}
