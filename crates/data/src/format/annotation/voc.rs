//! Pascal VOC: one XML file a picture, with boxes.
//!
//! VOC counts pixels from one and its box ends *on* its last pixel, so `xmin` 1 and `xmax` 3 are the
//! corners 0 and 3 here. An object that is marked difficult is an object like any other.
//!
//! # Source
//! Everingham et al., development kit of the PASCAL visual object classes challenge.

use std::fs;
use std::path::{Path, PathBuf};

use roxmltree::{Document, Node, ParsingOptions};

use super::coco::{placed, without_mark};
use super::fault::{Findings, Problem, Spot};
use super::labelme::{categories, class_id};
use super::model::{AnnotatedImage, Annotation, AnnotationSet, Part};
use super::pictures::Pictures;
use super::{check, repair};
use crate::error::DataError;

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
    let mut set = AnnotationSet {
        name: name.to_owned(),
        categories: categories(classes),
        ..AnnotationSet::default()
    };
    for file in files {
        let bytes = fs::read(file).map_err(DataError::io("reading", file))?;
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
        picture(document.root_element(), file, &mut set, pictures, &mut findings)?;
    }
    let first = files.first().map_or(Path::new(name), PathBuf::as_path);
    check::finish(set, first, findings).map_err(DataError::Annotations)
}

fn picture(
    root: Node<'_, '_>,
    file: &Path,
    set: &mut AnnotationSet,
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
    let side = |key| match child(root, "size").and_then(|size| text(size, key)) {
        None | Some("") => Some(0),
        Some(side) => side.parse::<usize>().ok(),
    };
    let size = side("width")
        .zip(side("height"))
        .ok_or_else(|| missing("`size` with whole numbers `width` and `height`"))?;
    let named = file_name.to_owned();
    let placed = placed(named, [size.0, size.1], &picture, pictures, findings);
    let Some((file_name, [width, height])) = placed else {
        return Ok(());
    };
    let image_id = set.images.len() as u64 + 1;
    set.images.push(AnnotatedImage {
        id: image_id,
        file_name,
        temperature_file: None,
        width,
        height,
        preset: None,
        night: None,
    });
    let objects = root.children().filter(|node| node.has_tag_name("object"));
    for (number, node) in objects.enumerate() {
        let label = text(node, "name").unwrap_or_default();
        let spot = Spot {
            file: file.to_owned(),
            item: format!("object {number} ({label})"),
        };
        let class = class_id(&set.categories, label, &spot, "name", findings);
        let bbox = bbox(node, &spot, findings);
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
        let id = set.annotations.len() as u64 + 1;
        let object = Annotation {
            parts,
            ..Annotation::of_box(id, image_id, class, bbox)
        };
        if let Some(object) = repair::object(findings, &spot, object, [width, height]) {
            set.annotations.push(object);
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
    for (corner, key) in corners.iter_mut().zip(["xmin", "ymin", "xmax", "ymax"]) {
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
