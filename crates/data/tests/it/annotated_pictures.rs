//! Pictures of any size and depth with annotations in three forms, and labelled pictures in tars.

use std::fs::{self, File};
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba};
use retrial_data::{Content, DataError, Depth, LabelledSet, ThermalPicture, ThermalSet};
use tiff::encoder::{TiffEncoder, colortype};

use super::folder_set::{folder, load_files};

const COCO: &str = r#"{"categories": [{"id": 1, "name": "arrester"}],
 "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 6},
            {"id": 2, "file_name": "b.png", "width": 5, "height": 4}],
 "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 2]}]}"#;
const VOC: &str = "<annotation><filename>a.png</filename><size><width>8</width><height>6</height></size>\
 <object><name>arrester</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>";
const LABELME: &str = r#"{"imagePath": "../elsewhere/a.png", "imageHeight": 6, "imageWidth": 8, "shapes": [
  {"label": "arrester", "points": [[1, 2], [4, 4]], "shape_type": "rectangle"}]}"#;

fn pictures(folder: &Path) {
    let grey = GrayImage::from_fn(8, 6, |x, y| Luma([(10 * y + x) as u8]));
    grey.save(folder.join("a.png")).expect("saved");
    let deep: ImageBuffer<Luma<u16>, _> =
        ImageBuffer::from_fn(5, 4, |x, y| Luma([0x1234 + (x + 5 * y) as u16]));
    deep.save(folder.join("b.png")).expect("saved");
    let colour = RgbImage::from_fn(8, 6, |x, _| Rgb([x as u8, 9, 200]));
    colour.save(folder.join("c.png")).expect("saved");
}

fn loaded(form: &str, text: &str) -> Result<ThermalSet, DataError> {
    let (_temporary, folder) = folder();
    pictures(&folder);
    fs::write(folder.join("a.txt"), text).expect("written");
    let classes = match form {
        "coco" => "",
        _ => ", classes: [arrester]",
    };
    let settings = format!("pictures: {{ annotations: {form}{classes} }}\n");
    let files = [
        ("a.png", "picture"),
        ("b.png", "picture"),
        ("c.png", "picture"),
        ("a.txt", "annotations"),
    ];
    match load_files(&folder, "annotated-pictures", &settings, &files)? {
        Content::Thermal(set) => Ok(set),
        other => panic!("{}", other.kind()),
    }
}

#[test]
fn pictures_of_several_sizes_and_depths_are_one_set() {
    let set = loaded("coco", COCO).expect("good");
    let kinds: Vec<(usize, usize, Depth)> = set
        .pictures
        .iter()
        .map(|p| (p.width, p.height, p.depth))
        .collect();
    assert_eq!(
        kinds,
        [
            (8, 6, Depth::Gray8),
            (5, 4, Depth::Gray16),
            (8, 6, Depth::Rgb8)
        ]
    );
    let [grey, deep, colour] = &set.pictures[..] else {
        panic!("three pictures");
    };
    assert_eq!(grey.rgb[3 * 13..3 * 14], [15; 3], "row 1, column 5");
    let values = deep.gray16.as_deref().expect("16 bits");
    assert_eq!((values[0], values[19]), (0x1234, 0x1247));
    assert_eq!(deep.rgb[..3], [0x12; 3]);
    assert_eq!(colour.rgb[..6], [0, 9, 200, 1, 9, 200]);
    let census = Content::Thermal(set).census();
    assert_eq!(
        census.facts,
        [
            "1 picture of 5 × 4 px, 16-bit grey",
            "1 picture of 8 × 6 px, 8-bit grey",
            "1 picture of 8 × 6 px, 8-bit colour",
            "16-bit grey from 4660 (black) to 4679 (white), the least and the greatest value of the set",
            "objects: 1 object: arrester (1, 1 with a box only)",
            "objects: 1 picture without an object (negatives)",
        ]
    );
    assert_eq!(
        census.warnings,
        ["objects: 1 picture not in its list, such as c.png; list a negative to use it"]
    );
}

/// The first picture of a set as an image writes it; its annotation is that of `COCO`.
fn first_of(image: impl Into<DynamicImage>, name: &str) -> Result<ThermalPicture, String> {
    let (_temporary, folder) = folder();
    image.into().save(folder.join(name)).expect("saved");
    read_one(&folder, name)
}

fn read_one(folder: &Path, name: &str) -> Result<ThermalPicture, String> {
    let text = r#"{"categories": [{"id": 1, "name": "arrester"}], "images": [{"id": 1, "file_name": "NAME"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 1]}]}"#;
    fs::write(folder.join("a.txt"), text.replace("NAME", name)).expect("written");
    let settings = "pictures: { annotations: coco }\n";
    let files = [(name, "picture"), ("a.txt", "annotations")];
    match load_files(folder, "annotated-pictures", settings, &files) {
        Ok(Content::Thermal(mut set)) => Ok(set.pictures.remove(0)),
        Ok(other) => panic!("{}", other.kind()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn sixteen_bits_are_kept_in_equal_channels_and_beside_an_opaque_alpha() {
    let values = [0x1234_u16, 0x1235];
    let at = |x: u32| values[x as usize];
    let alpha: ImageBuffer<LumaA<u16>, _> =
        ImageBuffer::from_fn(2, 1, |x, _| LumaA([at(x), u16::MAX]));
    let equal: ImageBuffer<Rgb<u16>, _> = ImageBuffer::from_fn(2, 1, |x, _| Rgb([at(x); 3]));
    let opaque: ImageBuffer<Rgba<u16>, _> =
        ImageBuffer::from_fn(2, 1, |x, _| Rgba([at(x), at(x), at(x), u16::MAX]));
    let images: [DynamicImage; 3] = [alpha.into(), equal.into(), opaque.into()];
    for image in images {
        let picture = first_of(image, "a.png").expect("read");
        assert_eq!(picture.depth, Depth::Gray16);
        assert_eq!(picture.gray16.as_deref(), Some(&values[..]));
        assert_eq!(picture.rgb, [0x12; 6]);
    }
    let colour: ImageBuffer<Rgb<u16>, _> = ImageBuffer::from_pixel(2, 1, Rgb([256, 512, 768]));
    let picture = first_of(colour, "a.png").expect("read");
    assert_eq!((picture.depth, picture.gray16), (Depth::Rgb16, None));
    let grey: ImageBuffer<LumaA<u8>, _> = ImageBuffer::from_pixel(2, 1, LumaA([9, 255]));
    assert_eq!(first_of(grey, "a.png").expect("read").depth, Depth::Gray8);
}

#[test]
fn samples_of_a_tiff_that_are_not_read_are_named_with_advice() {
    let (_temporary, folder) = folder();
    let file = || {
        let file = File::create(folder.join("a.tif")).expect("created");
        TiffEncoder::new(file).expect("an encoder")
    };
    let fault = || read_one(&folder, "a.tif").expect_err("refused");
    let mut tiff = file();
    tiff.write_image::<colortype::Gray32Float>(2, 1, &[21.5, 22.0])
        .expect("written");
    let advice = "samples are not read; save it with unsigned 16-bit samples, such as hundredths of a kelvin";
    let error = fault();
    assert!(
        error.ends_with(&format!("a.tif: 32-bit floating-point {advice}")),
        "{error}"
    );
    let mut tiff = file();
    tiff.write_image::<colortype::GrayI16>(2, 1, &[-1, 2])
        .expect("written");
    let error = fault();
    assert!(
        error.ends_with(&format!("a.tif: 16-bit signed {advice}")),
        "{error}"
    );
}

#[test]
fn the_same_box_is_the_same_in_every_form() {
    for (form, text) in [("coco", COCO), ("labelme", LABELME), ("voc", VOC)] {
        let set = loaded(form, text).unwrap_or_else(|error| panic!("{form}: {error}"));
        let annotations = &set.annotations[0];
        let object = &annotations.annotations[0];
        assert_eq!(object.corners(), [1.0, 2.0, 4.0, 4.0], "{form}");
        assert_eq!(object.mask(6, 8).expect("a mask").area(), 6, "{form}");
        assert_eq!(annotations.images[0].file_name, "a.png", "{form}");
        assert!(set.picture("a.png").is_some());
        assert!(annotations.is_photographed());
    }
}

#[test]
fn a_picture_that_is_not_as_annotated_is_named() {
    let missing = COCO.replace("b.png", "d.png");
    let size = COCO.replace("\"width\": 5", "\"width\": 6");
    for (text, expected) in [
        (
            missing,
            "a.txt: picture 2 (d.png): file_name: \"d.png\" is annotated and not among the 3 pictures",
        ),
        (
            size,
            "a.txt: picture 2 (b.png): width: the picture is 5 × 4 px, its annotation says 6 × 4 px",
        ),
    ] {
        let error = loaded("coco", &text).expect_err(expected).to_string();
        assert!(error.ends_with(expected), "{error}");
        assert!(error.contains("/t/a.txt"), "the person's own file: {error}");
    }
}

const CLASSES: &str = "n1\tfish\nn2\tbird\n";
const LABELS: &str = "split\twnid\tpath\txmin\tymin\txmax\tymax\n\
    train\tn2\ta.png\t0\t0\t3\t1\n\
    train\tn1\tb.png\t1\t1\t1\t1\n\
    val\tn1\tc.png\t0\t0\t3\t3\n";

/// Tars of pictures of 4 × 4 px, each of one colour.
fn tar(folder: &Path, name: &str, pictures: &[(&str, u8, u32)]) {
    let file = File::create(folder.join(name)).expect("created");
    let mut tar = tar::Builder::new(file);
    for &(name, value, side) in pictures {
        let path = folder.join("picture.png");
        let picture = RgbImage::from_pixel(side, 4, Rgb([value, 0, 1]));
        picture.save(&path).expect("saved");
        tar.append_path_with_name(&path, name).expect("appended");
    }
    tar.finish().expect("written");
}

fn labelled(labels: &str, classes: &str, val_side: u32) -> Result<LabelledSet, DataError> {
    let (_temporary, folder) = folder();
    // The order of the tar is not that of the table, and a picture without a row is left out.
    tar(
        &folder,
        "train.tar",
        &[("b.png", 2, 4), ("x.png", 9, 7), ("a.png", 1, 4)],
    );
    tar(&folder, "val.tar", &[("c.png", 3, val_side)]);
    fs::write(folder.join("labels.tsv"), labels).expect("written");
    fs::write(folder.join("classes.tsv"), classes).expect("written");
    let files = [
        ("train.tar", "train"),
        ("val.tar", "val"),
        ("labels.tsv", "labels"),
        ("classes.tsv", "classes"),
    ];
    match load_files(&folder, "labelled-tar", "", &files)? {
        Content::Labelled(set) => Ok(set),
        other => panic!("{}", other.kind()),
    }
}

#[test]
fn labelled_pictures_come_in_the_order_of_the_table() {
    let set = labelled(LABELS, CLASSES, 4).expect("good");
    assert_eq!(set.classes[1].words, "bird");
    assert_eq!((set.train.len(), set.val.len()), (2, 1));
    assert_eq!(set.train.labels, [1, 0]);
    assert_eq!(
        set.train.boxes,
        [[0.0, 0.0, 4.0, 2.0], [1.0, 1.0, 2.0, 2.0]]
    );
    let first = |i| set.train.item(i).expect("there")[..3].to_vec();
    assert_eq!((first(0), first(1)), (vec![1, 0, 1], vec![2, 0, 1]));
    assert_eq!(set.train.item(2), None);
}

#[test]
fn every_fault_of_labelled_pictures_is_named() {
    let cases = [
        (
            "\tn2\t",
            "\tn7\t",
            "labels.tsv:2:2: the class \"n7\" is not listed",
        ),
        (
            "val\t",
            "test\t",
            "labels.tsv:4:1: the split \"test\" is not known; it is train or val",
        ),
        ("\t3\t1\n", "\t3\n", "labels.tsv:2:1: 6 fields, expected 7"),
        (
            "\t3\t1\n",
            "\t3\tone\n",
            "labels.tsv:2:7: \"one\" is no number",
        ),
        (
            "\t3\t1\n",
            "\t3\tinf\n",
            "labels.tsv:2:7: \"inf\" is no number",
        ),
        (
            "\t0\t0\t3\t1\n",
            "\t4\t0\t3\t1\n",
            "labels.tsv:2:4: the box [4.0, 0.0, 3.0, 1.0] is inverted",
        ),
        (
            "\t0\t0\t3\t1\n",
            "\t0\t0\t4\t1\n",
            "leaves the picture of 4 × 4 px",
        ),
        (
            "a.png",
            "d.png",
            "train.tar: no picture d.png, which is in ",
        ),
        ("b.png", "a.png", "labels.tsv: 2 rows name 1 picture"),
        ("a.png", "x.png", "4 × 4 px"),
    ];
    for (from, to, expected) in cases {
        assert!(LABELS.contains(from), "{from:?}");
        let error = labelled(&LABELS.replacen(from, to, 1), CLASSES, 4).expect_err(expected);
        let error = error.to_string();
        assert!(error.contains(expected), "{expected} is not in: {error}");
    }
    for (classes, expected) in [
        (
            "n1\tfish\nn1\tbird\n",
            "classes.tsv:2:1: a class that is listed before",
        ),
        ("n1 fish\n", "classes.tsv:1:1: no tab"),
        ("\n", "classes.tsv:1:1: no tab"),
    ] {
        let error = labelled(LABELS, classes, 4)
            .expect_err(expected)
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_parts_of_a_labelled_set_may_differ_in_size() {
    let set = labelled(LABELS, CLASSES, 5).expect("good");
    assert_eq!((set.train.width, set.val.width), (4, 5));
}
