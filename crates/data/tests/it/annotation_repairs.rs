//! Annotations as everyday tools write them: repaired with a line that names picture and object.

use std::fs;
use std::path::PathBuf;

use retrial_data::annotation::coco::read_coco;
use retrial_data::annotation::labelme::read_labelme;
use retrial_data::annotation::voc::read_voc;
use retrial_data::annotation::{AnnotationSet, Pictures, Segmentation};
use serde_json::{Value, json};

use super::folder_set::{folder, load_files};

/// Two pictures of 8 × 6 px with a square each.
fn coco() -> Value {
    json!({
        "categories": [{"id": 3, "name": "pole"}],
        "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 6},
                   {"id": 2, "file_name": "b.png", "width": 8, "height": 6}],
        "annotations": [
            {"id": 7, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 2],
             "segmentation": [[1, 2, 4, 2, 4, 4, 1, 4]]},
            {"id": 8, "image_id": 2, "category_id": 3, "bbox": [1, 2, 3, 2],
             "segmentation": [[1, 2, 4, 2, 4, 4, 1, 4]]},
        ],
    })
}

fn pictures() -> Pictures {
    Pictures::new([("a.png", [8, 6]), ("b.png", [8, 6])])
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a");
    fs::write(&path, text).expect("written");
    (folder, path)
}

fn repairs(set: &AnnotationSet) -> Vec<String> {
    let repairs = set.repairs.iter();
    repairs
        .map(|r| format!("{}: {}: {}", r.item, r.key, r.problem))
        .collect()
}

fn read(value: &Value) -> Result<AnnotationSet, String> {
    let (_folder, path) = file(&value.to_string());
    read_coco("own", &path, &pictures()).map_err(|error| error.to_string())
}

/// The set after a change, and the one line that tells of it.
fn changed(change: impl Fn(&mut Value)) -> (AnnotationSet, String) {
    let mut value = coco();
    change(&mut value);
    let set = read(&value).expect("repaired");
    let lines = repairs(&set);
    assert_eq!(lines.len(), 1, "{lines:?}");
    (set, lines[0].clone())
}

#[test]
fn what_needs_no_repair_is_told_of_by_no_line() {
    assert!(read(&coco()).expect("good").repairs.is_empty());
}

#[test]
fn an_empty_outline_is_a_box() {
    for empty in [json!([]), json!([[]])] {
        let (set, line) = changed(|c| c["annotations"][0]["segmentation"] = empty.clone());
        assert_eq!(set.annotations[0].segmentation, Segmentation::BoxOnly);
        assert_eq!(
            line,
            "annotation 7 of a.png: segmentation: the outline is empty; only the box is used"
        );
    }
}

#[test]
fn what_overhangs_is_cut_and_what_lies_elsewhere_is_refused() {
    let (set, line) = changed(|c| {
        c["annotations"][0]["bbox"] = json!([6, 2, 3.5, 2]);
        c["annotations"][0]["segmentation"] = Value::Null;
    });
    let object = &set.annotations[0];
    assert_eq!((object.corners(), object.area), ([6.0, 2.0, 8.0, 4.0], 4.0));
    assert!(line.contains("annotation 7 of a.png: bbox: the box leaves the picture by 1.5 px"));
    let (set, line) = changed(|c| {
        c["annotations"][0]["bbox"] = json!([5, 2, 3, 2]);
        c["annotations"][0]["segmentation"] = json!([[5, 2, 9.5, 2, 9.5, 4, 5, 4]]);
    });
    let outline = Segmentation::Polygons(vec![vec![8.0, 4.0, 5.0, 4.0, 5.0, 2.0, 8.0, 2.0]]);
    assert_eq!(set.annotations[0].segmentation.area(), outline.area());
    assert!(
        line.contains("segmentation: the outline leaves the picture by 1.5 px"),
        "{line}"
    );
    let mut far = coco();
    far["annotations"][0]["bbox"] = json!([7, 2, 30, 2]);
    assert!(
        read(&far)
            .expect_err("elsewhere")
            .contains("leaves the picture of 8 × 6 px")
    );
}

#[test]
fn a_box_without_an_extent_takes_the_outline_or_is_left_out() {
    let (set, line) = changed(|c| c["annotations"][0]["bbox"] = json!([1, 2, 0, 2]));
    assert_eq!(set.annotations[0].corners(), [1.0, 2.0, 4.0, 4.0]);
    assert!(line.contains("that of the outline is used"), "{line}");
    let (set, line) = changed(|c| {
        c["annotations"][0]["bbox"] = json!([1, 2, 0, 2]);
        c["annotations"][0]["segmentation"] = Value::Null;
    });
    assert_eq!(set.annotations.len(), 1);
    assert!(
        line.contains("the box is 0 × 2 px; the object is left out"),
        "{line}"
    );
}

#[test]
fn names_of_pictures_are_found() {
    for name in [
        "C:\\pictures\\a.png",
        "0123abcd-a.png",
        "/data/upload/1/0123abcd-a.png",
    ] {
        let (set, line) = changed(|c| c["images"][0]["file_name"] = json!(name));
        assert_eq!(set.images[0].file_name, "a.png");
        assert!(line.contains("is taken for \"a.png\""), "{line}");
    }
}

#[test]
fn ids_of_any_kind_keep_their_relations() {
    let (set, line) = changed(|c| {
        for (place, name) in ["left", "right"].into_iter().enumerate() {
            c["images"][place]["id"] = json!(name);
            c["annotations"][place]["image_id"] = json!(name);
        }
    });
    assert_eq!(
        line,
        "picture ids: id: 2 are no whole numbers, such as \"left\"; they are numbered"
    );
    assert_eq!(set.of_image(set.images[1].id).count(), 1);
    let (set, _) = changed(|c| {
        c["categories"][0]["id"] = json!(3.0);
        c["annotations"][1]["category_id"] = json!("3");
    });
    assert!(set.annotations.iter().all(|object| object.category_id == 3));
    let (set, line) = changed(|c| {
        for object in c["annotations"].as_array_mut().expect("objects") {
            object.as_object_mut().expect("a mapping").remove("id");
        }
    });
    assert!(
        line.starts_with("annotation ids: id: 2 are no whole numbers"),
        "{line}"
    );
    assert_ne!(set.annotations[0].id, set.annotations[1].id);
    let mut unknown = coco();
    unknown["annotations"][1]["image_id"] = json!("nowhere");
    let error = read(&unknown).expect_err("no such picture");
    assert!(
        error.contains("the picture \"nowhere\" is not listed"),
        "{error}"
    );
}

#[test]
fn a_missing_size_is_the_picture_s() {
    for size in [Value::Null, json!(0)] {
        let (set, line) = changed(|c| c["images"][1]["width"] = size.clone());
        assert_eq!((set.images[1].width, set.images[1].height), (8, 6));
        assert!(
            line.starts_with("picture 2 (b.png): width: no size is stated"),
            "{line}"
        );
    }
    let mut point = coco();
    point["images"][1]["width"] = json!(8.0);
    assert!(read(&point).expect("a whole number").repairs.is_empty());
}

#[test]
fn a_byte_order_mark_is_passed_over_and_places_are_said_once() {
    let (_folder, path) = file(&format!("\u{feff}{}", coco()));
    assert!(read_coco("own", &path, &pictures()).is_ok());
    let (_folder, path) = file("{\"images\": [,]}");
    let error = read_coco("own", &path, &pictures())
        .expect_err("no JSON")
        .to_string();
    assert!(!error.contains("at line"), "{error}");
}

#[test]
fn a_picture_listed_twice_is_one() {
    let mut value = coco();
    value["images"][1]["file_name"] = json!("a.png");
    let set = read(&value).expect("repaired");
    assert_eq!((set.images.len(), set.annotations.len()), (1, 1));
    assert_eq!(
        repairs(&set),
        [
            "picture 2 (a.png): file_name: the picture is listed before as picture 1 (a.png); both entries are one",
            "annotation 8 of a.png: bbox: the same object as annotation 7 of a.png; it counts once",
        ]
    );
    let (set, line) = changed(|c| {
        c["images"][1]["file_name"] = json!("a.png");
        c["annotations"][1]["bbox"] = json!([1, 2, 3, 2.5]);
    });
    assert_eq!((set.images.len(), set.of_image(1).count()), (1, 2));
    assert!(line.starts_with("picture 2 (a.png): file_name: the picture is listed before"));
}

#[test]
fn an_object_given_twice_counts_once() {
    let (set, line) = changed(|c| {
        let mut again = c["annotations"][0].clone();
        again["id"] = json!(70);
        c["annotations"]
            .as_array_mut()
            .expect("objects")
            .push(again);
    });
    assert_eq!(set.annotations.len(), 2);
    assert_eq!(
        line,
        "annotation 70 of a.png: bbox: the same object as annotation 7 of a.png; it counts once"
    );
    // Another outline in the same box is another object.
    let mut other = coco();
    let mut again = other["annotations"][0].clone();
    again["id"] = json!(70);
    again["segmentation"] = json!([[1, 2, 4, 2, 4, 4]]);
    other["annotations"]
        .as_array_mut()
        .expect("objects")
        .push(again);
    assert_eq!(read(&other).expect("good").annotations.len(), 3);
}

#[test]
fn classes_of_one_name_are_one() {
    let (set, line) = changed(|c| {
        c["categories"] = json!([{"id": 3, "name": "pole"}, {"id": 9, "name": "pole"}]);
        c["annotations"][1]["category_id"] = json!(9);
    });
    assert_eq!(set.categories.len(), 1);
    assert!(set.annotations.iter().all(|object| object.category_id == 3));
    assert_eq!(
        line,
        "class 9: name: \"pole\" is the name of class 3 too; both are one class"
    );
}

#[test]
fn an_outline_without_a_pixel_is_a_box() {
    for outline in [
        json!([[0, 0, 3.5, 2.2, 7, 4.4]]),
        json!([[1.6, 2.6, 1.8, 2.6, 1.8, 2.8]]),
        json!([[1, 2, 4, 2, 4, 2, 1, 2]]),
        json!({"size": [6, 8], "counts": [48]}),
    ] {
        let (set, line) = changed(|c| c["annotations"][0]["segmentation"] = outline.clone());
        let object = &set.annotations[0];
        assert_eq!(object.segmentation, Segmentation::BoxOnly);
        assert_eq!((object.area, object.corners()), (6.0, [1.0, 2.0, 4.0, 4.0]));
        assert_eq!(
            line,
            "annotation 7 of a.png: segmentation: the outline encloses no pixel; only the box is used"
        );
    }
}

#[test]
fn boxes_far_from_their_outlines_are_one_warning() {
    let mut value = coco();
    let far = json!({"category_id": 3, "image_id": 1, "bbox": [1, 2, 4, 4],
        "segmentation": [[1, 2, 3, 2, 3, 4, 1, 4]]});
    for id in 20..25 {
        let mut object = far.clone();
        object["id"] = json!(id);
        object["bbox"][2] = json!(f64::from(id) / 5.0);
        value["annotations"]
            .as_array_mut()
            .expect("objects")
            .push(object);
    }
    let set = read(&value).expect("usable");
    let warnings: Vec<String> = set
        .warnings
        .iter()
        .map(|w| format!("{}: {}: {}", w.item, w.key, w.problem))
        .collect();
    assert_eq!(
        warnings,
        [
            "annotation 20 of a.png, annotation 21 of a.png, annotation 22 of a.png and 2 more: bbox: the box \
          [1.0, 2.0, 5.0, 6.0] and the outline's own box [1.0, 2.0, 3.0, 4.0] (x0, y0, x1, y1) share less than half \
          of their area; a box is written x, y, width, height"
        ]
    );
}

#[test]
fn presets_are_text_or_numbers() {
    let mut value = coco();
    value["images"][0]["preset"] = json!(10);
    value["images"][1]["preset"] = json!("10");
    let set = read(&value).expect("good");
    assert!(
        set.images
            .iter()
            .all(|image| image.preset.as_deref() == Some("10"))
    );
    value["annotations"][0]["area"] = json!("12");
    let set = read(&value).expect("repaired");
    assert_eq!(
        repairs(&set),
        ["annotation 7 of a.png: area: \"12\" is no area; that of the outline is used"]
    );
}

fn labelme(shape: &Value, sizes: [Value; 2]) -> Result<AnnotationSet, String> {
    let [width, height] = sizes;
    let good = json!({"label": "pole", "points": [[1, 1], [3, 3]], "shape_type": "rectangle"});
    let value = json!({
        "imagePath": "a.png", "imageWidth": width, "imageHeight": height, "shapes": [shape, good]
    });
    let (_folder, path) = file(&value.to_string());
    let read = read_labelme("own", &[path], &["pole".to_owned()], &pictures());
    read.map_err(|error| error.to_string())
}

#[test]
fn shapes_of_labelme() {
    let shape =
        |kind: &str, points: Value| json!({"label": "pole", "points": points, "shape_type": kind});
    let size = || [json!(8), json!(6)];
    let set = labelme(&shape("circle", json!([[4, 3], [4, 5]])), size()).expect("a circle");
    let circle = &set.annotations[0];
    assert!(
        (circle.area - std::f64::consts::PI * 4.0).abs() < 0.05,
        "{}",
        circle.area
    );
    assert_eq!(circle.corners(), [2.0, 1.0, 6.0, 5.0]);
    let four = json!([[1, 2], [4, 2], [4, 4], [1, 4]]);
    let set = labelme(&shape("rectangle", four), size()).expect("four corners");
    assert_eq!((set.annotations[0].area, repairs(&set).len()), (6.0, 1));
    for (kind, points) in [
        ("point", json!([[1, 1]])),
        ("line", json!([[1, 1], [2, 2]])),
    ] {
        let set = labelme(&shape(kind, points), size()).expect("left out");
        assert_eq!(set.annotations.len(), 1);
        let line =
            format!("shape 0 (\"pole\"): shape_type: a {kind} has no area; the object is left out");
        assert_eq!(repairs(&set), [line.replace('"', "")]);
    }
    let line = labelme(&shape("polygon", json!([[1, 1], [3, 3], [5, 5]])), size());
    let set = line.expect("a box");
    assert_eq!(set.annotations[0].corners(), [1.0, 1.0, 5.0, 5.0]);
    assert_eq!(set.annotations[0].segmentation, Segmentation::BoxOnly);
    let mask = labelme(&shape("mask", json!([[1, 1], [5, 4]])), size()).expect("a box");
    assert_eq!(mask.annotations[0].segmentation, Segmentation::BoxOnly);
    let good = shape("rectangle", json!([[4, 4], [1, 2]]));
    let set = labelme(&good, [Value::Null, Value::Null]).expect("sizes of the picture");
    assert_eq!((set.images[0].width, set.images[0].height), (8, 6));
    let error = labelme(&json!({"label": "pole", "points": [["x", 1]]}), size());
    assert!(
        error
            .expect_err("no number")
            .contains("shape 0 (\"pole\"): shapes: found")
    );
}

#[test]
fn sizes_of_voc_come_from_the_picture() {
    let text = |size: &str| {
        format!(
            "\u{feff}<annotation><filename>a.png</filename>{size}<object><name>pole</name><bndbox>\
             <xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>"
        )
    };
    for size in [
        "",
        "<size><width>0</width><height>0</height><depth>0</depth></size>",
        "<size/>",
    ] {
        let (_folder, path) = file(&text(size));
        let set = read_voc("own", &[path], &["pole".to_owned()], &pictures()).expect("repaired");
        assert_eq!(
            (set.images[0].width, set.images[0].height),
            (8, 6),
            "{size}"
        );
        assert_eq!(set.annotations[0].corners(), [1.0, 2.0, 4.0, 4.0]);
        assert_eq!(set.repairs.len(), 1);
    }
}

#[test]
fn a_table_that_is_repaired_is_a_fault_where_the_manifest_is_strict() {
    let (_temporary, folder) = folder();
    let row = |label: u8| format!("{label}.0{}\n", ",0.0".repeat(784));
    for part in ["train.csv", "test.csv"] {
        fs::write(folder.join(part), row(7) + &row(2)).expect("written");
    }
    let files = [("train.csv", "train"), ("test.csv", "test")];
    let load = |settings: &str| load_files(&folder, "mnist-csv", settings, &files);
    let content = load("").expect("repaired");
    let warnings = content.census().warnings;
    let dark = "the greatest pixel of all training items is 0 of 255; are they in another scale, such as 0 and 1?";
    assert!(warnings.iter().any(|line| line == dark), "{warnings:?}");
    assert_eq!(
        warnings[2],
        "train.csv: read as whole numbers: 1570 fields with quotes, spaces or a point"
    );
    let error = load("strict: true\n").expect_err("strict").to_string();
    assert!(
        error.contains("train.csv:1:1: expected a whole number"),
        "{error}"
    );
}
