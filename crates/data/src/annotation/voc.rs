//! Pascal VOC: one XML file a picture, with boxes.
//!
//! VOC counts pixels from one and its box ends *on* its last pixel, so `xmin` 1 and `xmax` 3 are the
//! corners 0 and 3 here. An object that is marked difficult is neither trained on nor judged, as VOC
//! has it: it is a crowd here.
//!
//! # Source
//! Everingham et al., development kit of the PASCAL visual object classes challenge.

use std::path::{Path, PathBuf};

use retrial_core::file;

use roxmltree::{Document, Node, ParsingOptions};

use super::draft::{Draft, Keys};
use super::fault::{Findings, Problem, Spot};
use super::json::without_mark;
use super::labelme::{categories, class_id};
use super::model::{AnnotatedImage, Annotation, AnnotationSet, Part};
use super::pictures::Pictures;
use super::repair;
use crate::error::DataError;

const KEYS: Keys = Keys {
    name: "filename",
    width: "width",
    height: "height",
};
/// Most elements of one file.
const MAX_NODES: u32 = 1 << 20;

/// Reads and checks VOC files, one a picture; the set is called `name`, and `classes` get the ids
/// 1, 2, … in their order. A file without an object is a picture without one.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Text`] for a file that is no XML, [`DataError::Format`] for one
/// that is no VOC, and [`DataError::Annotations`] with every fault of all files.
pub fn read_voc(
    name: &str,
    files: &[PathBuf],
    classes: &[String],
    pictures: &Pictures,
) -> Result<AnnotationSet, DataError> {
    let mut findings = Findings::default();
    let mut draft = Draft::new(name, &KEYS, categories(classes));
    for file in files {
        let bytes = file::read(file, file::LARGEST).map_err(DataError::io("reading", file))?;
        let text = std::str::from_utf8(without_mark(&bytes))
            .map_err(|error| DataError::format(file, format!("not UTF-8: {error}")))?;
        let options = ParsingOptions {
            nodes_limit: MAX_NODES,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(text, options).map_err(|error| {
            let place = error.pos();
            DataError::Text {
                path: file.clone(),
                line: place.row as usize,
                column: place.col as usize,
                what: format!("no readable XML: {error}"),
            }
        })?;
        let root = document.root_element();
        if let Some(odd) = misplaced_object(root) {
            let place = document.text_pos_at(odd.range().start);
            let (found, above) = (odd.tag_name().name(), odd.parent_element());
            let above = above.map_or("nothing", |above| above.tag_name().name());
            return Err(DataError::Text {
                path: file.clone(),
                line: place.row as usize,
                column: place.col as usize,
                what: format!(
                    "found `{found}` in `{above}`, expected `object` directly in `annotation`"
                ),
            });
        }
        picture(root, file, &mut draft, pictures, &mut findings)?;
    }
    let first = files.first().map_or(Path::new(name), PathBuf::as_path);
    draft
        .finish(first, findings)
        .map_err(DataError::Annotations)
}

/// An object that would be passed over: its tag is written in another case, or it is nested.
fn misplaced_object<'a, 'i>(root: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    root.descendants().find(|node| {
        let name = node.tag_name().name();
        let right = name == "object" && node.parent() == Some(root);
        name.eq_ignore_ascii_case("object") && !right
    })
}

/// Notes every element that stands twice where one is meant.
fn once(node: Node<'_, '_>, keys: &[&'static str], spot: &Spot, findings: &mut Findings) {
    for &key in keys {
        let count = node.children().filter(|child| child.has_tag_name(key));
        let count = count.count();
        if count > 1 {
            let found = format!("{count} elements `{key}`");
            let expected = "one";
            findings.fault(spot, key, Problem::Kind { found, expected });
        }
    }
}

fn picture(
    root: Node<'_, '_>,
    file: &Path,
    draft: &mut Draft,
    pictures: &Pictures,
    findings: &mut Findings,
) -> Result<(), DataError> {
    let missing = |what: &str| {
        let root = root.tag_name().name();
        DataError::format(file, format!("`{root}` has no {what}"))
    };
    if root.tag_name().name() != "annotation" {
        return Err(missing("root element `annotation`"));
    }
    let file_name = text(root, "filename").ok_or_else(|| missing("`filename`"))?;
    let picture = Spot {
        file: file.to_owned(),
        item: format!("picture {file_name}"),
    };
    once(root, &["filename", "size"], &picture, findings);
    let side = |key| match child(root, "size").and_then(|size| text(size, key)) {
        None | Some("") => Some(0),
        Some(side) => {
            let side = side.parse::<f64>().ok().filter(|side| side.fract() == 0.0);
            let side = side.filter(|side| (0.0..=1e9).contains(side));
            side.map(|side| side as usize)
        }
    };
    let size = side("width")
        .zip(side("height"))
        .ok_or_else(|| missing("`size` with whole numbers `width` and `height`"))?;
    let stated = [size.0, size.1];
    let placed = KEYS.placed(file_name, stated, &picture, pictures, findings);
    let Some((file_name, [width, height])) = placed else {
        return Ok(());
    };
    let image_id = draft.images.len() as u64 + 1;
    let image = AnnotatedImage {
        id: image_id,
        file_name,
        temperature_file: None,
        width,
        height,
        preset: None,
        night: None,
    };
    draft.images.push((picture, image));
    let objects = root.children().filter(|node| node.has_tag_name("object"));
    for (number, node) in objects.enumerate() {
        let label = text(node, "name").unwrap_or_default();
        let spot = Spot {
            file: file.to_owned(),
            item: format!("object {number} ({label})"),
        };
        once(node, &["name", "bndbox", "difficult"], &spot, findings);
        let class = class_id(&draft.categories, label, &spot, "name", findings);
        let bbox = bbox(node, &spot, findings);
        let difficult = match text(node, "difficult") {
            None | Some("" | "0") => false,
            Some("1") => true,
            Some(other) => {
                let (found, expected) = (format!("{other:?}"), "0 or 1");
                findings.fault(&spot, "difficult", Problem::Kind { found, expected });
                false
            }
        };
        let parts: Option<Vec<Part>> = node
            .children()
            .filter(|node| node.has_tag_name("part"))
            .zip(0..)
            .map(|(node, part)| {
                let bbox = self::bbox(node, &spot, findings)?;
                Some(Part {
                    part,
                    centre: [bbox[0] + bbox[2] / 2.0, bbox[1] + bbox[3] / 2.0],
                    bbox,
                    name: text(node, "name").unwrap_or_default().to_owned(),
                    max_c: None,
                    mean_c: None,
                })
            })
            .collect();
        let (Some(class), Some(bbox), Some(parts)) = (class, bbox, parts) else {
            continue;
        };
        let id = draft.objects.len() as u64 + 1;
        let object = Annotation {
            parts,
            crowd: difficult,
            ..Annotation::of_box(id, image_id, class, bbox)
        };
        if let Some(object) = repair::object(findings, &spot, object, [width, height]) {
            draft.objects.push((spot, object));
        }
    }
    Ok(())
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim)
}

/// `[x, y, width, height]` of a `bndbox`.
fn bbox(node: Node<'_, '_>, spot: &Spot, findings: &mut Findings) -> Option<[f64; 4]> {
    let found = child(node, "bndbox");
    let mut corners = [0.0; 4];
    let keys = ["xmin", "ymin", "xmax", "ymax"];
    if let Some(found) = found {
        once(found, &keys, spot, findings);
    }
    for (corner, key) in corners.iter_mut().zip(keys) {
        let value = found.and_then(|found| text(found, key));
        match value.and_then(|value| value.parse::<f64>().ok()) {
            Some(value) => *corner = value,
            None => {
                let found = value.map_or("nothing".to_owned(), |value| format!("{value:?}"));
                let expected = "a number";
                findings.fault(spot, key, Problem::Kind { found, expected });
                return None;
            }
        }
    }
    let [x0, y0, x1, y1] = corners;
    Some([x0 - 1.0, y0 - 1.0, x1 - x0 + 1.0, y1 - y0 + 1.0])
}
