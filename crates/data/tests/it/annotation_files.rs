//! LabelMe and VOC, one file a picture: what is wrong is said of the file and by its own keys.

use std::fs;

use image::{GrayImage, Luma};
use retrial_data::{Content, ThermalSet};
use serde_json::{Value, json};

use super::folder_set::{folder, load_files};

/// Loads pictures of 8 × 6 px, each of its own grey, and texts of annotations `name, text`.
fn load(form: &str, pictures: &[&str], texts: &[(&str, String)]) -> Result<ThermalSet, String> {
    let (_temporary, folder) = folder();
    let mut files: Vec<(&str, &str)> = Vec::new();
    for (i, name) in pictures.iter().enumerate() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        let grey = GrayImage::from_fn(8, 6, |x, _| Luma([(i as u32 * 9 + x) as u8]));
        grey.save(path).expect("saved");
        files.push((*name, "picture"));
    }
    for (name, text) in texts {
        fs::write(folder.join(name), text).expect("written");
        files.push((*name, "annotations"));
    }
    let classes = match form {
        "coco" => "",
        _ => ", classes: [pole]",
    };
    let settings = format!("pictures: {{ annotations: {form}{classes} }}\n");
    match load_files(&folder, "annotated-pictures", &settings, &files) {
        Ok(Content::Thermal(set)) => Ok(set),
        Ok(other) => panic!("{}", other.kind()),
        Err(error) => {
            let folder = format!("{}/", folder.display());
            Err(error.to_string().replace(&folder, ""))
        }
    }
}

const TWO: [&str; 2] = ["a.png", "b.png"];

fn labelme(path: &str) -> Value {
    json!({"imagePath": path, "imageWidth": 8, "imageHeight": 6, "shapes": [
        {"label": "pole", "points": [[1, 2], [4, 4]], "shape_type": "rectangle"}]})
}

fn labelme_of(second: &Value) -> Result<ThermalSet, String> {
    let texts = [
        ("a.json", labelme("a.png").to_string()),
        ("b.json", second.to_string()),
    ];
    load("labelme", &TWO, &texts)
}

#[test]
fn faults_of_labelme_name_their_file_and_key() {
    let fault = |change: &dyn Fn(&mut Value)| {
        let mut second = labelme("b.png");
        change(&mut second);
        labelme_of(&second).expect_err("a fault")
    };
    assert_eq!(
        fault(&|b| b["imageHeight"] = json!(7)),
        "b.json: picture b.png: imageHeight: the picture is 8 × 6 px, its annotation says 8 × 7 px"
    );
    assert_eq!(
        fault(&|b| b["imagePath"] = json!("C:\\lost.png")),
        "b.json: picture C:\\lost.png: imagePath: \"C:\\\\lost.png\" is annotated and not among the 2 pictures"
    );
    assert_eq!(
        fault(&|b| b["imagePath"] = json!("a.png")),
        "b.json: picture a.png: imagePath: the picture has its objects in a.json already; a picture has one annotation file"
    );
}

#[test]
fn a_name_with_backslashes_is_said() {
    let set = labelme_of(&labelme("..\\images\\b.png")).expect("repaired");
    let census = Content::Thermal(set).census();
    assert_eq!(
        census.warnings,
        [
            "b.json: picture ..\\images\\b.png: imagePath: \"..\\\\images\\\\b.png\" is taken for \"b.png\""
        ]
    );
}

#[test]
fn where_nothing_is_left_the_reason_is_said() {
    let text = |kind: &str, points: Value| {
        let mut file = labelme("a.png");
        file["shapes"] = json!([{"label": "pole", "points": points, "shape_type": kind}]);
        let error = load("labelme", &TWO, &[("a.json", file.to_string())]);
        error.expect_err("no object")
    };
    let none = "a.json: whole set: annotations: no object is annotated in 1 picture; a picture may be without, a set \
                may not; 1 were left out, the first is a.json: shape 0 (pole): ";
    assert_eq!(
        text("linestrip", json!([[1, 1], [2, 2]])),
        format!("{none}a linestrip has no area")
    );
    assert_eq!(
        text("polygon", json!([[1, 1], [1, 1], [1, 1]])),
        format!("{none}the box is 0 × 0 px")
    );
}

const VOC: &str = "<annotation><filename>b.png</filename><size><width>8</width><height>6</height></size>\
 <object><name>pole</name><difficult>0</difficult><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>4</ymax>\
 </bndbox></object></annotation>";

fn voc_of(second: &str) -> Result<ThermalSet, String> {
    let texts = [
        ("a.xml", VOC.replace("b.png", "a.png")),
        ("b.xml", second.to_owned()),
    ];
    load("voc", &TWO, &texts)
}

#[test]
fn faults_of_voc_name_their_file_and_key() {
    let cases = [
        (
            "b.png",
            "b.jpg",
            "b.xml: picture b.jpg: filename: \"b.jpg\" is annotated and not among the 2 pictures; did you mean \"b.png\"?",
        ),
        (
            "<height>6",
            "<height>5",
            "b.xml: picture b.png: height: the picture is 8 × 6 px, its annotation says 8 × 5 px",
        ),
        (
            "object>",
            "Object>",
            "b.xml:1:86: found `Object` in `annotation`, expected `object` directly in `annotation`",
        ),
        (
            "</size>",
            "</size><objects>",
            "b.xml:1:95: found `object` in `objects`, expected `object` directly in `annotation`",
        ),
        (
            "<bndbox>",
            "<bndbox><xmin>1</xmin></bndbox><bndbox>",
            "b.xml: object 0 (pole): bndbox: found 2 elements `bndbox`, expected one",
        ),
        (
            "<xmax>",
            "<xmax>5</xmax><xmax>",
            "b.xml: object 0 (pole): xmax: found 2 elements `xmax`, expected one",
        ),
        (
            "<difficult>0",
            "<difficult>yes",
            "b.xml: object 0 (pole): difficult: found \"yes\", expected 0 or 1",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(VOC.contains(from), "{from}");
        let mut text = VOC.replace(from, to);
        if to.ends_with("<objects>") {
            text = text.replace("</annotation>", "</objects></annotation>");
        }
        let error = voc_of(&text).expect_err(expected);
        assert!(error.lines().any(|line| line == expected), "{error}");
    }
}

#[test]
fn difficult_objects_are_counted_and_are_no_examples() {
    let difficult = VOC.replace("<difficult>0", "<difficult>1");
    let set = voc_of(&difficult).expect("good");
    let crowds: Vec<bool> = set.annotations[0]
        .annotations
        .iter()
        .map(|a| a.crowd)
        .collect();
    assert_eq!(crowds, [false, true]);
    let facts = Content::Thermal(set).census().facts;
    let expected = "objects: 2 objects: pole (2, 2 with a box only); 1 of them is a crowd or difficult, neither trained \
                    on nor judged";
    assert!(facts.contains(&expected.to_owned()), "{facts:?}");
    let alone = load("voc", &["b.png"], &[("b.xml", difficult)]).expect_err("none");
    assert!(
        alone.contains("of 1 object each is a crowd (`iscrowd`) or `difficult`"),
        "{alone}"
    );
}

fn coco(names: [&str; 2]) -> Value {
    json!({"categories": [{"id": 1, "name": "pole"}],
        "images": [{"id": 1, "file_name": names[0], "width": 8, "height": 6, "preset": 3},
                   {"id": 2, "file_name": names[1], "width": 8, "height": 6}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 2]}]})
}

#[test]
fn a_name_that_fits_two_pictures_is_refused() {
    let file = [("all.json", coco(["a.png", "elsewhere/b.png"]).to_string())];
    let error = load("coco", &["a.png", "x/b.png", "y/b.png"], &file);
    assert_eq!(
        error.expect_err("two fit"),
        "all.json: picture 2 (elsewhere/b.png): file_name: \"elsewhere/b.png\" fits 2 pictures: x/b.png, y/b.png; write \
         the path of the one meant"
    );
}

#[test]
fn equal_pictures_and_presets_of_some_are_warnings() {
    let (_temporary, folder) = folder();
    let grey = GrayImage::from_pixel(8, 6, Luma([7]));
    for name in TWO {
        grey.save(folder.join(name)).expect("saved");
    }
    fs::write(folder.join("all.json"), coco(TWO).to_string()).expect("written");
    let files = [
        ("a.png", "picture"),
        ("b.png", "picture"),
        ("all.json", "annotations"),
    ];
    let settings = "pictures: { annotations: coco, name: own }\n";
    let content = load_files(&folder, "annotated-pictures", settings, &files).expect("good");
    assert_eq!(
        content.census().warnings,
        [
            "own: 1 of 2 pictures has a camera `preset`, the others, such as b.png, have none",
            "a.png and b.png are the same picture; one may be trained on and the other judged",
        ]
    );
}
