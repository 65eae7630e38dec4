//! Annotation files as Python, editors and people write them by hand: read, or refused with what would be right.

use std::fs;

use retrial_data::annotation::coco::read_coco;
use retrial_data::annotation::labelme::read_labelme;
use retrial_data::annotation::voc::read_voc;
use retrial_data::annotation::{AnnotationSet, Pictures, Segmentation};

const COCO: &str = r#"{"categories": [{"id": 3, "name": "pole"}],
 "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 6}],
 "annotations": [
  {"id": 7, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 2], "area": 6,
   "segmentation": [[1, 2, 4, 2, 4, 4, 1, 4]]}
 ]}"#;

const VOC: &str = "<annotation><filename>a.png</filename><size><width>8</width><height>6</height></size>\
 <object><name>pole</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object>\
 </annotation>";

/// Reads a file of a form; what is said of it without the folder it is in.
fn read(form: &str, bytes: &[u8]) -> Result<AnnotationSet, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a");
    fs::write(&path, bytes).expect("written");
    let pictures = Pictures::new([("a.png", [8, 6])]);
    let (files, classes) = ([path.clone()], ["pole".to_owned()]);
    let set = match form {
        "coco" => read_coco("own", &path, &pictures),
        "labelme" => read_labelme("own", &files, &classes, &pictures),
        _ => read_voc("own", &files, &classes, &pictures),
    };
    let folder = format!("{}/", folder.path().display());
    set.map_err(|error| error.to_string().replace(&folder, ""))
}

fn coco(from: &str, to: &str) -> Result<AnnotationSet, String> {
    assert_eq!(COCO.matches(from).count(), 1, "{from}");
    read("coco", COCO.replace(from, to).as_bytes())
}

fn repairs(set: &AnnotationSet) -> Vec<String> {
    let repairs = set.repairs.iter();
    let said = repairs.map(|own| format!("{}: {}: {}", own.item, own.key, own.problem));
    said.collect()
}

#[test]
fn words_of_python_stand_for_nothing() {
    let set = coco(
        "\"area\": 6",
        "\"area\": NaN, \"note\": \"-Infinity \\\" NaN\"",
    )
    .expect("read");
    assert_eq!(set.annotations[0].area, 6.0, "that of the outline");
    assert_eq!(
        repairs(&set),
        [
            "whole file: numbers: 1 word `NaN` or `Infinity`, which no number is, are read as nothing"
        ]
    );
    assert_eq!(
        coco("[1, 2, 3, 2]", "[NaN, 2, -Infinity, 2]").expect_err("no box"),
        "a: annotation 7 of a.png: bbox: found [nothing,2,nothing,2], expected [x, y, width, height] in pixels"
    );
}

#[test]
fn run_lengths_in_a_list_are_those_of_the_object() {
    let runs = r#"{"size": [6, 8], "counts": [8, 2, 4, 2, 32]}"#;
    let polygon = "[[1, 2, 4, 2, 4, 4, 1, 4]]";
    let bare = coco(polygon, runs).expect("run lengths");
    let listed = coco(polygon, &format!("[{runs}]")).expect("run lengths");
    assert_eq!(listed.annotations, bare.annotations);
    assert!(matches!(
        listed.annotations[0].segmentation,
        Segmentation::Runs { .. }
    ));
    let several = coco(polygon, &format!("[{runs}, {runs}]")).expect_err("two");
    assert!(
        several.contains("segmentation: found a list of run lengths and more, expected one object"),
        "{several}"
    );
}

#[test]
fn a_line_as_an_outline_is_a_box() {
    let polygon = "[[1, 2, 4, 2, 4, 4, 1, 4]]";
    let set = coco(polygon, "[[1, 2, 4, 4]]").expect("a box");
    assert_eq!(set.annotations[0].segmentation, Segmentation::BoxOnly);
    assert_eq!(
        repairs(&set),
        [
            "annotation 7 of a.png: segmentation: the outline has fewer than 3 vertices; only the box is used"
        ]
    );
    let set = coco(polygon, "[[1, 2, 4, 4], [1, 2, 4, 2, 4, 4, 1, 4]]").expect("an outline");
    assert_eq!(
        repairs(&set),
        [
            "annotation 7 of a.png: segmentation: left out, with fewer than 3 vertices: 1 of 2 polygons"
        ]
    );
}

#[test]
fn an_id_of_many_is_named_once_with_its_places() {
    let objects =
        r#"{"id": 7, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 2]}, "#.repeat(23);
    let fault = coco("{\"id\": 7,", &format!("{objects}{{\"id\": 7,")).expect_err("one id");
    assert_eq!(
        fault,
        "a: annotation 7: id: the id 7 is given 24 times, first at the places 0, 1 and 2; give each its own, gaps are \
         allowed"
    );
}

#[test]
fn what_is_no_coco_is_named_with_its_key() {
    for (from, to, words) in [
        (
            "\"id\": 7",
            "\"id\": -1",
            "id: found -1, expected a whole number from 0",
        ),
        (
            "\"category_id\": 3, ",
            "",
            "category_id: found nothing, expected the id of a class",
        ),
        (
            "\"image_id\": 1, ",
            "",
            "image_id: found nothing, expected the id of a picture",
        ),
        (
            "\"name\": \"pole\"",
            "\"name\": \" \"",
            "class 3: name: found \" \", expected the name of a class",
        ),
        (
            "\"area\": 6",
            "\"area\": 6, \"area\": 7",
            "a:4:84: the key `area` stands twice in one mapping",
        ),
        (
            "[1, 2, 3, 2]",
            "[1, 2, 8, 6]",
            "its numbers fit as two corners, and a box is written x, y, width, height",
        ),
        ("a.png\", \"w", "A.PNG\", \"w", "did you mean \"a.png\"?"),
        (
            "\"annotations\": [",
            "// objects\n\"annotations\": [",
            "JSON has no comments: remove it",
        ),
        (
            "\"annotations\": [",
            "\"annotations\": null, \"others\": [",
            "`annotations` must be a list, found nothing",
        ),
    ] {
        let fault = coco(from, to).expect_err("a fault");
        assert!(fault.contains(words), "{fault}");
    }
    let set = coco("\"name\": \"pole\"", "\"name\": \"pole \"").expect("a class");
    assert_eq!(set.categories[0].name, "pole");
    assert_eq!(
        repairs(&set),
        ["class 3: name: \"pole \" is taken for \"pole\""]
    );
    let other = read("labelme", COCO.as_bytes()).expect_err("a COCO file");
    assert!(
        other.contains("it has the keys of a file for `annotations: coco`"),
        "{other}"
    );
}

#[test]
fn files_that_are_not_utf_8_are_refused_with_what_is() {
    let wide: Vec<u8> = COCO.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe][..], &wide].concat();
    for form in ["coco", "labelme", "voc"] {
        for (bytes, words) in [
            (&wide[..], "UTF-16 or UTF-32; save it as UTF-8"),
            (&marked, "UTF-16 or UTF-32; save it as UTF-8"),
            (
                b"{\n \"a\": \"\xb8\xcb\"}",
                "not UTF-8 from line 2 on; save it as UTF-8",
            ),
        ] {
            let fault = read(form, bytes).expect_err("no UTF-8");
            assert!(fault.ends_with(words), "{form}: {fault}");
        }
    }
}

#[test]
fn comments_of_voc_are_no_text_and_a_doctype_is_to_be_removed() {
    let commented = VOC.replace("<name>pole", "<name><!-- a mast -->pole");
    let set = read("voc", commented.as_bytes()).expect("a pole");
    assert_eq!(
        set.annotations,
        read("voc", VOC.as_bytes()).expect("a pole").annotations
    );
    let fault = read("voc", format!("<!DOCTYPE annotation>{VOC}").as_bytes()).expect_err("a DTD");
    assert!(
        fault.ends_with("remove the lines of `<!DOCTYPE`"),
        "{fault}"
    );
}
