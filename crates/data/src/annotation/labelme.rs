//! LabelMe: one JSON file a picture, with polygons, rectangles and circles.
//!
//! A circle becomes a polygon; points and lines have no area and are left out.
//! Shapes of one label and one `group_id` are one object of several polygons. The coordinates are
//! those of COCO: `(0, 0)` is the outer corner of the first pixel.

use retrial_core::census::count;
use retrial_core::file;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::draft::{Draft, Keys};
use super::fault::{Findings, Problem, Spot};
use super::json::{kind, shown, whole, without_mark};
use super::model::{AnnotatedImage, Annotation, AnnotationSet, Category, Segmentation};
use super::pictures::Pictures;
use super::{check, repair};
use crate::error::DataError;

const KEYS: Keys = Keys {
    name: "imagePath",
    width: "imageWidth",
    height: "imageHeight",
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePicture {
    image_path: String,
    image_height: Option<Value>,
    image_width: Option<Value>,
    shapes: Vec<Value>,
}

#[derive(Deserialize)]
struct WireShape {
    label: String,
    points: Vec<[f64; 2]>,
    group_id: Option<Value>,
    shape_type: Option<String>,
}

/// Reads and checks LabelMe files, one a picture; the set is called `name`, and `classes` get the
/// ids 1, 2, … in their order. A file without a shape is a picture without an object.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Text`] for a file that is not LabelMe's JSON, and
/// [`DataError::Annotations`] with every fault of all files.
pub fn read_labelme(
    name: &str,
    files: &[PathBuf],
    classes: &[String],
    pictures: &Pictures,
) -> Result<AnnotationSet, DataError> {
    let mut findings = Findings::default();
    let mut draft = Draft::new(name, &KEYS, categories(classes));
    for file in files {
        let bytes = file::read(file, file::LARGEST).map_err(DataError::io("reading", file))?;
        let wire: WirePicture =
            serde_json::from_slice(without_mark(&bytes)).map_err(DataError::json(file))?;
        let image_id = draft.images.len() as u64 + 1;
        let spot = Spot {
            file: file.clone(),
            item: format!("picture {}", wire.image_path),
        };
        let mut side = |key, value: &Option<Value>| {
            let value = value.as_ref().filter(|value| !value.is_null());
            let side = value.map_or(Some(0), |value| usize::try_from(whole(value)?).ok());
            if side.is_none() {
                let found = value.unwrap_or(&Value::Null);
                findings.fault(&spot, key, kind(found, "a whole number of pixels"));
            }
            side
        };
        let width = side("imageWidth", &wire.image_width);
        let height = side("imageHeight", &wire.image_height);
        let (Some(width), Some(height)) = (width, height) else {
            continue;
        };
        let named = wire.image_path.as_str();
        let placed = KEYS.placed(named, [width, height], &spot, pictures, &mut findings);
        let Some((file_name, size)) = placed else {
            continue;
        };
        let image = AnnotatedImage {
            id: image_id,
            file_name,
            temperature_file: None,
            width: size[0],
            height: size[1],
            preset: None,
            night: None,
        };
        draft.images.push((spot, image));
        let mut groups: BTreeMap<(u64, String), usize> = BTreeMap::new();
        for (number, shape) in wire.shapes.iter().enumerate() {
            let Some(shape) = read_shape(shape, number, file, &mut findings) else {
                continue;
            };
            let spot = Spot {
                file: file.clone(),
                item: format!("shape {number} ({})", shape.label),
            };
            let class = class_id(
                &draft.categories,
                &shape.label,
                &spot,
                "label",
                &mut findings,
            );
            let points = outline(&shape, &spot, &mut findings);
            let (Some(class), Some(outline)) = (class, points) else {
                continue;
            };
            let id = draft.objects.len() as u64 + 1;
            let read = shaped(id, image_id, class, outline);
            let Some(object) = repair::object(&mut findings, &spot, read, size) else {
                continue;
            };
            let group = shape.group_id.as_ref().filter(|group| !group.is_null());
            let at = group.map(|group| (class, shown(group)));
            if let Some(&first) = at.as_ref().and_then(|at| groups.get(at)) {
                let whole = &mut draft.objects[first].1;
                let parts = (&mut whole.segmentation, object.segmentation);
                if let (Segmentation::Polygons(polygons), Segmentation::Polygons(more)) = parts {
                    polygons.extend(more);
                    *whole = outlined(whole.id, image_id, class, std::mem::take(polygons));
                } else {
                    findings.fault(&spot, "group_id", Problem::Repaired(MIXED.to_owned()));
                }
                continue;
            }
            if let Some(at) = at {
                groups.insert(at, draft.objects.len());
            }
            draft.objects.push((spot, object));
        }
    }
    let first = files.first().map_or(Path::new(name), PathBuf::as_path);
    draft
        .finish(first, findings)
        .map_err(DataError::Annotations)
}

/// Classes with ids from 1.
pub(super) fn categories(classes: &[String]) -> Vec<Category> {
    let classes = classes.iter().zip(1..);
    let category = |(name, id): (&String, u64)| Category {
        id,
        name: name.clone(),
    };
    classes.map(category).collect()
}

/// The id of a class by its name.
pub(super) fn class_id(
    categories: &[Category],
    label: &str,
    spot: &Spot,
    key: &'static str,
    findings: &mut Findings,
) -> Option<u64> {
    let found = categories.iter().find(|category| category.name == label);
    if found.is_none() {
        let known = categories.iter().map(|category| category.name.clone());
        let known = known.collect();
        let class = label.to_owned();
        findings.fault(spot, key, Problem::UnknownClass { class, known });
    }
    found.map(|category| category.id)
}

/// Why shapes of one group cannot be joined.
const MIXED: &str = "a shape with an outline and one with a box only are one group";
/// Corners of a circle as a polygon.
const CIRCLE_CORNERS: u32 = 64;

/// What a shape says of its object.
enum Outline {
    /// A polygon `[x0, y0, …]`.
    Polygon(Vec<f64>),
    /// Corners of a box.
    Box([f64; 4]),
}

fn read_shape(
    value: &Value,
    number: usize,
    file: &Path,
    findings: &mut Findings,
) -> Option<WireShape> {
    let shape = WireShape::deserialize(value);
    if let Err(error) = &shape {
        let label = value.get("label").unwrap_or(&Value::Null);
        let spot = Spot {
            file: file.to_owned(),
            item: format!("shape {number} ({})", shown(label)),
        };
        let found = error.to_string();
        let expected = "label, points as pairs of numbers, group_id and shape_type";
        findings.fault(&spot, "shapes", Problem::Kind { found, expected });
    }
    shape.ok()
}

/// The outline of a shape; nothing for a fault, and for a shape that is left out.
fn outline(shape: &WireShape, spot: &Spot, findings: &mut Findings) -> Option<Outline> {
    let points = shape.points.as_slice();
    let flat = || points.iter().flatten().copied().collect();
    let fault = |findings: &mut Findings, found: String, expected| {
        findings.fault(spot, "points", Problem::Kind { found, expected });
        None
    };
    match (shape.shape_type.as_deref().unwrap_or("polygon"), points) {
        ("polygon", [_, _, _, ..]) => Some(Outline::Polygon(flat())),
        ("polygon", points) => {
            let (polygon, vertices) = (0, points.len());
            findings.fault(spot, "points", Problem::FewVertices { polygon, vertices });
            None
        }
        ("rectangle", &[a, b]) => {
            let [x0, y0, x1, y1] = corners(a, b);
            Some(Outline::Polygon(vec![x0, y0, x1, y0, x1, y1, x0, y1]))
        }
        ("rectangle" | "rotation", [_, _, _, _]) => {
            let what = "a rectangle of four corners is read as a polygon";
            findings.repair(spot, "points", what);
            Some(Outline::Polygon(flat()))
        }
        ("rectangle", points) => {
            let found = format!("a rectangle of {}", count(points.len(), "point"));
            fault(findings, found, "two opposite corners, or all four")
        }
        ("circle", &[centre, on]) => {
            let what = format!("a circle is read as a polygon of {CIRCLE_CORNERS} corners");
            findings.repair(spot, "shape_type", what);
            let radius = (on[0] - centre[0]).hypot(on[1] - centre[1]);
            let corner = |i| {
                let angle = f64::from(i) * std::f64::consts::TAU / f64::from(CIRCLE_CORNERS);
                let (sin, cos) = angle.sin_cos();
                [centre[0] + radius * cos, centre[1] + radius * sin]
            };
            let polygon = (0..CIRCLE_CORNERS).flat_map(corner).collect();
            Some(Outline::Polygon(polygon))
        }
        ("circle", points) => {
            let found = format!("a circle of {}", count(points.len(), "point"));
            fault(findings, found, "its centre and a point on it")
        }
        ("mask", &[a, b]) => {
            let what = "the pixels of a mask are not read; only its box is used";
            findings.repair(spot, "shape_type", what);
            Some(Outline::Box(corners(a, b)))
        }
        (word @ ("point" | "points" | "line" | "linestrip"), _) => {
            findings.leave_out(spot, "shape_type", &format!("a {word} has no area"));
            None
        }
        (other, _) => fault(
            findings,
            format!("a {other}"),
            "a polygon, a rectangle or a circle",
        ),
    }
}

/// `[x0, y0, x1, y1]` of two opposite corners.
fn corners(a: [f64; 2], b: [f64; 2]) -> [f64; 4] {
    let [x0, x1] = [a[0].min(b[0]), a[0].max(b[0])];
    let [y0, y1] = [a[1].min(b[1]), a[1].max(b[1])];
    [x0, y0, x1, y1]
}

fn shaped(id: u64, image_id: u64, class: u64, outline: Outline) -> Annotation {
    match outline {
        Outline::Polygon(points) => outlined(id, image_id, class, vec![points]),
        Outline::Box([x0, y0, x1, y1]) => {
            Annotation::of_box(id, image_id, class, [x0, y0, x1 - x0, y1 - y0])
        }
    }
}

/// An object around its polygons.
fn outlined(id: u64, image_id: u64, class: u64, polygons: Vec<Vec<f64>>) -> Annotation {
    let [x0, y0, x1, y1] = check::bounds(&polygons).unwrap_or_default();
    let outline = Segmentation::Polygons(polygons);
    Annotation {
        area: outline.area().unwrap_or_default(),
        segmentation: outline,
        ..Annotation::of_box(id, image_id, class, [x0, y0, x1 - x0, y1 - y0])
    }
}
