//! Annotations: what is right is read, and each fault is named with its object and its key.

use std::fs;
use std::path::PathBuf;

use retrial_data::annotation::coco::read_coco;
use retrial_data::annotation::labelme::read_labelme;
use retrial_data::annotation::voc::read_voc;
use retrial_data::annotation::{AnnotationSet, Pictures, Segmentation};
use retrial_data::{Annotation, DataError};
use tempfile::TempDir;

const COCO: &str = r#"{
 "info": {"year": 2021}, "licenses": [],
 "categories": [{"id": 3, "name": "arrester"}, {"id": 9, "name": "bushing"}],
 "images": [{"id": 5, "file_name": "a.png", "width": 8, "height": 6},
            {"id": 70, "file_name": "b.png", "width": 8, "height": 6}],
 "annotations": [
  {"id": 11, "image_id": 5, "category_id": 3, "bbox": [1, 2, 3, 2],
   "segmentation": [[1, 2, 4, 2, 4, 4, 1, 4]]},
  {"id": 40, "image_id": 5, "category_id": 9, "bbox": [0, 0, 2, 6], "iscrowd": 1,
   "segmentation": {"size": [6, 8], "counts": [0, 12, 36]}}
 ]
}"#;

fn coco(text: &str) -> Result<AnnotationSet, DataError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.json");
    fs::write(&path, text).expect("written");
    read_coco("objects", &path, &Pictures::default())
}

/// The faults of a file, without the path in front.
fn lines(error: &DataError) -> Vec<String> {
    let text = error.to_string();
    let lines = text.lines();
    lines
        .map(|line| match line.split_once(": ") {
            Some((_, fault)) => fault.to_owned(),
            None => line.to_owned(),
        })
        .collect()
}

#[test]
fn the_good_one_is_read() {
    let set = coco(COCO).expect("good");
    let [first, second] = &set.annotations[..] else {
        panic!("two objects");
    };
    assert_eq!((first.area, first.crowd), (6.0, false));
    assert_eq!((second.area, second.crowd), (12.0, true));
    assert_eq!(set.of_image(70).count(), 0, "a picture without an object");
    assert!(set.warnings.is_empty());
    let pixels = |object: &Annotation| object.mask(6, 8).expect("a mask").area();
    assert_eq!((pixels(first), pixels(second)), (6, 12));
}

#[test]
fn one_class_is_enough() {
    let set = coco(
        &COCO
            .replace(r#", {"id": 9, "name": "bushing"}"#, "")
            .replace("\"category_id\": 9", "\"category_id\": 3"),
    );
    assert_eq!(set.expect("good").categories.len(), 1);
}

#[test]
fn every_fault_of_coco_is_named() {
    const POLYGON: &str = "[[1, 2, 4, 2, 4, 4, 1, 4]]";
    const RUNS: &str = r#"{"size": [6, 8], "counts": [0, 12, 36]}"#;
    let cases = [
        (
            "\"category_id\": 9",
            "\"category_id\": 8",
            "annotation 40 of a.png: category_id: the class \"8\" is not known; known: 3 arrester, 9 bushing",
        ),
        (
            "\"image_id\": 5, \"category_id\": 9",
            "\"image_id\": 6, \"category_id\": 9",
            "annotation 40: image_id: the picture 6 is not listed among the 2 pictures",
        ),
        (
            "\"id\": 40",
            "\"id\": 11",
            "annotation 11: id: the id 11 is given twice; give each its own, gaps are allowed",
        ),
        (
            "\"id\": 70",
            "\"id\": 5",
            "picture 5: id: the id 5 is given twice; give each its own, gaps are allowed",
        ),
        (
            "{\"id\": 9,",
            "{\"id\": 9, \"name\": \"fuse\"}, {\"id\": 9,",
            "class 9: id: the id 9 is given twice; give each its own, gaps are allowed",
        ),
        (
            "[1, 2, 3, 2]",
            "[4, 4, -3, -2]",
            "annotation 11 of a.png: bbox: the box [4.0, 4.0, 1.0, 2.0] (x0, y0, x1, y1) is empty or inverted; x0 < x1 and y0 < y1 are needed",
        ),
        (
            "[1, 2, 3, 2]",
            "[1, 2, 19, 2]",
            "annotation 11 of a.png: bbox: the box [1.0, 2.0, 20.0, 4.0] (x0, y0, x1, y1) leaves the picture of 8 × 6 px",
        ),
        (
            "[1, 2, 3, 2]",
            "[0.25, 0.5, 0.5, 0.5]",
            "annotation 11 of a.png: bbox: the box [0.25, 0.5, 0.75, 1.0] (x0, y0, x1, y1) lies within the first pixel of a picture of 8 × 6 px; coordinates are pixels: multiply shares of a picture by its columns and rows",
        ),
        (
            POLYGON,
            "[[1, 2, 4, 2]]",
            "annotation 11 of a.png: segmentation: polygon 0 has fewer than 3 vertices: 2",
        ),
        (
            POLYGON,
            "[[1, 2, 4, 2, 4, 4, 1]]",
            "annotation 11 of a.png: segmentation: polygon 0 has 7 coordinates, pairs of x and y are needed",
        ),
        (
            POLYGON,
            "[[1, 2, 4, 2, 4, 40, 1, 4]]",
            "annotation 11 of a.png: segmentation: polygon 0 has the vertex [4.0, 40.0] outside the picture of 8 × 6 px",
        ),
        (
            POLYGON,
            "[\"1 2\"]",
            "annotation 11 of a.png: segmentation: found \"1 2\", expected a polygon as a list of numbers",
        ),
        (
            POLYGON,
            "7",
            "annotation 11 of a.png: segmentation: found 7, expected a list of polygons or run lengths",
        ),
        (
            RUNS,
            r#"{"size": [8, 6], "counts": [0, 12, 36]}"#,
            "annotation 40 of a.png: segmentation: run lengths of 6 × 8 px in a picture of 8 × 6 px",
        ),
        (
            RUNS,
            r#"{"size": [6, 8], "counts": [0, 12, 30]}"#,
            "annotation 40 of a.png: segmentation: run lengths cover 42 pixels of 48",
        ),
        (
            RUNS,
            r#"{"size": [6, 8], "counts": [0, -1, 49]}"#,
            "annotation 40 of a.png: segmentation: found [0,-1,49], expected `counts` as whole numbers or text",
        ),
        (
            RUNS,
            r#"{"size": [6], "counts": [48]}"#,
            "annotation 40 of a.png: segmentation: found [6], expected `size` with rows and columns",
        ),
        (
            RUNS,
            r#"{"size": [6, 8], "counts": "0P"}"#,
            "annotation 40 of a.png: segmentation: the text of run lengths breaks off at character 2",
        ),
        (
            "\"iscrowd\": 1",
            "\"iscrowd\": 2",
            "annotation 40 of a.png: iscrowd: found 2, expected 0 or 1",
        ),
        (
            "\"width\": 8, \"height\": 6},",
            "\"width\": 8, \"height\": 6, \"preset\": [3]},",
            "picture 5 (a.png): preset: found [3], expected text or a number",
        ),
        (
            "\"width\": 8, \"height\": 6},",
            "\"width\": 8, \"height\": 6, \"night\": 1},",
            "picture 5 (a.png): night: found 1, expected true or false",
        ),
        (
            "\"id\": 70, \"file_name\": \"b.png\", \"width\": 8",
            "\"id\": 70, \"file_name\": \"a.png\", \"width\": 16",
            "picture 70 (a.png): file_name: the picture is listed with 16 × 6 px, and before as picture 5 (a.png) with 8 × 6 px",
        ),
        (
            "\"bbox\": [1, 2, 3, 2],",
            "\"bbox\": [1, 2, 3, 2], \"iscrowd\": 1,",
            "whole set: annotations: of 2 objects each is a crowd (`iscrowd`) or `difficult`; one that is neither is needed",
        ),
        (
            "\"iscrowd\": 1",
            "\"keypoints\": [1, 2]",
            "annotation 40 of a.png: keypoints: found 2 values, expected x, y and visibility of each point",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(COCO.matches(from).count(), 1, "{from}");
        let error = coco(&COCO.replace(from, to)).expect_err(expected);
        assert_eq!(lines(&error), [expected]);
    }
}

#[test]
fn all_faults_are_named_at_once() {
    let text = COCO
        .replace("[1, 2, 3, 2]", "[1, 2, -1, 2]")
        .replace("\"category_id\": 9", "\"category_id\": 8");
    let error = coco(&text).expect_err("two faults");
    assert_eq!(lines(&error).len(), 2, "{error}");
}

#[test]
fn what_can_be_used_all_the_same_is_a_warning() {
    let warnings = |from: &str, to: &str| -> Vec<String> {
        let set = coco(&COCO.replace(from, to)).expect("usable");
        set.warnings
            .iter()
            .map(|fault| format!("{}: {}: {}", fault.item, fault.key, fault.problem))
            .collect()
    };
    assert_eq!(
        warnings("[[1, 2, 4, 2, 4, 4, 1, 4]]", "[[1, 2, 4, 4, 4, 2, 1, 4]]"),
        [
            "annotation 11 of a.png: segmentation: polygon 0 crosses itself: edge 0 and edge 2; what lies inside twice depends on the rule of filling"
        ]
    );
    assert_eq!(
        warnings("[0, 0, 2, 6]", "[0, 0, 2, 3]"),
        [
            "annotation 40 of a.png: segmentation: the mask reaches [0.0, 0.0, 2.0, 6.0], its box is [0.0, 0.0, 2.0, 3.0] (x0, y0, x1, y1)"
        ]
    );
}

#[test]
fn a_set_without_an_object_is_a_fault() {
    let cut = COCO.find("\"annotations\"").expect("there");
    let error = coco(&format!("{}\"annotations\": []}}", &COCO[..cut])).expect_err("a fault");
    assert_eq!(
        lines(&error),
        [
            "whole set: annotations: no object is annotated in 2 pictures; a picture may be without, a set may not"
        ]
    );
}

#[test]
fn what_is_not_coco_is_named_by_its_place() {
    for (text, expected) in [
        ("", "a.json:1:0: EOF"),
        ("[]", "a.json:1:1: a list, such as of detections"),
        ("{}", "missing field `categories`"),
        (&COCO[..COCO.len() / 2], "a.json:6:"),
        (
            &COCO.replace("\"width\": 8", "\"width\": -8"),
            "picture 5 (a.png): width: found -8, expected a whole number",
        ),
    ] {
        let error = coco(text).expect_err("no COCO").to_string();
        assert!(error.contains(expected), "{expected} is not in: {error}");
    }
}

/// Files of one text each.
fn files(texts: &[&str]) -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let paths = texts.iter().enumerate().map(|(i, text)| {
        let path = folder.path().join(format!("{i}"));
        fs::write(&path, text).expect("written");
        path
    });
    let paths = paths.collect();
    (folder, paths)
}

fn classes() -> [String; 2] {
    ["arrester", "bushing"].map(str::to_owned)
}

const LABELME: &str = r#"{"version": "5.0.1", "flags": {}, "imagePath": "..\\pictures\\a.png", "imageData": null,
 "imageHeight": 6, "imageWidth": 8, "shapes": [
  {"label": "bushing", "points": [[1, 2], [4, 2], [4, 4], [1, 4]], "group_id": 1, "shape_type": "polygon", "flags": {}},
  {"label": "bushing", "points": [[7, 5], [5, 4]], "group_id": 1, "shape_type": "rectangle", "flags": {}},
  {"label": "arrester", "points": [[0, 0], [2, 0], [0, 2]], "group_id": null}
]}"#;

fn labelme(texts: &[&str]) -> Result<AnnotationSet, DataError> {
    let (_folder, files) = files(texts);
    read_labelme("objects", &files, &classes(), &Pictures::default())
}

#[test]
fn shapes_of_one_group_are_one_object() {
    let empty = r#"{"imagePath": "b.png", "imageHeight": 3, "imageWidth": 4, "shapes": []}"#;
    let set = labelme(&[LABELME, empty]).expect("good");
    let names: Vec<&str> = set.images.iter().map(|i| i.file_name.as_str()).collect();
    assert_eq!(names, ["../pictures/a.png", "b.png"]);
    let [bushing, arrester] = &set.annotations[..] else {
        panic!("two objects");
    };
    let two = vec![
        vec![1.0, 2.0, 4.0, 2.0, 4.0, 4.0, 1.0, 4.0],
        vec![5.0, 4.0, 7.0, 4.0, 7.0, 5.0, 5.0, 5.0],
    ];
    assert_eq!(bushing.segmentation, Segmentation::Polygons(two));
    assert_eq!((bushing.category_id, bushing.area), (2, 8.0));
    assert_eq!(bushing.corners(), [1.0, 2.0, 7.0, 5.0]);
    assert_eq!((arrester.category_id, arrester.image_id), (1, 1));
    assert_eq!((bushing.id, arrester.id), (1, 2));
}

#[test]
fn every_fault_of_labelme_is_named() {
    let cases = [
        (
            "\"arrester\"",
            "\"arester\"",
            "shape 2 (arester): label: the class \"arester\" is not known; known: arrester, bushing",
        ),
        (
            "[[0, 0], [2, 0], [0, 2]]",
            "[[0, 0], [2, 0]]",
            "shape 2 (arrester): points: polygon 0 has fewer than 3 vertices: 2",
        ),
        (
            "[[7, 5], [5, 4]]",
            "[[7, 5]]",
            "shape 1 (bushing): points: found a rectangle of 1 point, expected two opposite corners, or all four",
        ),
        (
            "\"rectangle\"",
            "\"ellipse\"",
            "shape 1 (bushing): points: found a ellipse, expected a polygon, a rectangle or a circle",
        ),
        (
            "[[7, 5], [5, 4]]",
            "[[70, 5], [5, 4]]",
            "shape 1 (bushing): bbox: the box [5.0, 4.0, 70.0, 5.0] (x0, y0, x1, y1) leaves the picture of 8 × 6 px",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(LABELME.matches(from).count(), 1, "{from}");
        let error = labelme(&[&LABELME.replace(from, to)]).expect_err(expected);
        let lines = lines(&error);
        assert!(lines.contains(&expected.to_owned()), "{lines:?}");
    }
    let error = labelme(&["{\n\"shapes\": 1}"]).expect_err("no LabelMe");
    assert!(error.to_string().contains("0:2:"), "{error}");
    let none = r#"{"imagePath": "b.png", "imageHeight": 3, "imageWidth": 4, "shapes": []}"#;
    let error = labelme(&[none]).expect_err("no object").to_string();
    assert!(
        error.contains("no object is annotated in 1 picture"),
        "{error}"
    );
}

const VOC: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<annotation>
  <folder>VOC</folder><filename> a.png </filename>
  <size><width>8</width><height>6</height><depth>3</depth></size>
  <object>
    <name>bushing</name><difficult>0</difficult>
    <bndbox><xmax>4</xmax><xmin>1</xmin><ymin>2</ymin><ymax>3</ymax></bndbox>
    <part><name>flange</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>
  </object>
</annotation>"#;

fn voc(texts: &[&str]) -> Result<AnnotationSet, DataError> {
    let (_folder, files) = files(texts);
    read_voc("objects", &files, &classes(), &Pictures::default())
}

#[test]
fn boxes_of_voc_become_corners() {
    let set = voc(&[VOC]).expect("good");
    assert_eq!(set.images[0].file_name, "a.png");
    let object = &set.annotations[0];
    assert_eq!(object.corners(), [0.0, 1.0, 4.0, 3.0]);
    assert_eq!((object.category_id, object.area), (2, 8.0));
    assert_eq!(object.segmentation, Segmentation::BoxOnly);
    let part = &object.parts[0];
    assert_eq!(part.bbox, [0.0, 1.0, 2.0, 1.0]);
    assert_eq!((part.name.as_str(), part.centre), ("flange", [1.0, 1.5]));
}

#[test]
fn every_fault_of_voc_is_named() {
    let cases = [
        (
            "<name>bushing</name>",
            "<name>Bushing</name>",
            "object 0 (Bushing): name: the class \"Bushing\" is not known; known: arrester, bushing",
        ),
        (
            "<xmax>4</xmax>",
            "<xmax>40</xmax>",
            "object 0 (bushing): bbox: the box [0.0, 1.0, 40.0, 3.0] (x0, y0, x1, y1) leaves the picture of 8 × 6 px",
        ),
        (
            "<xmax>4</xmax><xmin>1</xmin><ymin>2</ymin><ymax>3</ymax>",
            "<xmax>0.75</xmax><xmin>0.5</xmin><ymin>0.25</ymin><ymax>1.0</ymax>",
            "object 0 (bushing): bbox: the box [-0.5, -0.75, 0.75, 1.0] (x0, y0, x1, y1) lies within the first pixel of a picture of 8 × 6 px; coordinates are pixels: multiply shares of a picture by its columns and rows",
        ),
        (
            "<xmax>4</xmax>",
            "<xmax>four</xmax>",
            "object 0 (bushing): xmax: found \"four\", expected a number",
        ),
        (
            "<xmax>4</xmax>",
            "",
            "object 0 (bushing): xmax: found nothing, expected a number",
        ),
        (
            "<xmax>4</xmax>",
            "<xmax>NaN</xmax>",
            "object 0 (bushing): bbox: NaN is not a finite number",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(VOC.matches(from).count(), 1, "{from}");
        let error = voc(&[&VOC.replace(from, to)]).expect_err(expected);
        assert_eq!(lines(&error), [expected]);
    }
    for (from, to, expected) in [
        (
            "annotation>",
            "picture>",
            "has no root element `annotation`",
        ),
        ("filename>", "file>", "`annotation` has no `filename`"),
        (
            "<width>8</width>",
            "<width>8.5</width>",
            "whole numbers `width` and `height`",
        ),
        ("</object>", "", "0:10:"),
    ] {
        let error = voc(&[&VOC.replace(from, to)])
            .expect_err(expected)
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn entities_of_a_document_are_not_expanded() {
    let bomb =
        r#"<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>"#;
    let error = voc(&[bomb]).expect_err("a fault").to_string();
    assert!(error.contains("DTD"), "{error}");
}

#[test]
fn what_is_nested_deeply_is_refused_without_harm() {
    let depth = 200_000;
    let xml = format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(voc(&[&xml]).is_err());
    let parts = format!(
        "<annotation><filename>a</filename><size><width>8</width><height>6</height></size>{}{}</annotation>",
        "<object>".repeat(depth),
        "</object>".repeat(depth)
    );
    assert!(voc(&[&parts]).is_err());
    let json = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(coco(&json).is_err());
    assert!(labelme(&[&json]).is_err());
    let inside = COCO.replace("[[1, 2, 4, 2, 4, 4, 1, 4]]", &json);
    assert!(coco(&inside).is_err());
}
