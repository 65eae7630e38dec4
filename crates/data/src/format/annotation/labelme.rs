//! LabelMe: one JSON file a picture, with polygons and rectangles.
//!
//! Shapes of one label and one `group_id` are one object of several polygons. The coordinates are
//! those of COCO: `(0, 0)` is the outer corner of the first pixel.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::check;
use super::fault::{Findings, Problem, Spot};
use super::model::{AnnotatedImage, Annotation, AnnotationSet, Category, Segmentation};
use crate::error::DataError;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePicture {
    image_path: String,
    image_height: usize,
    image_width: usize,
    shapes: Vec<WireShape>,
}

#[derive(Deserialize)]
struct WireShape {
    label: String,
    points: Vec<[f64; 2]>,
    group_id: Option<i64>,
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
) -> Result<AnnotationSet, DataError> {
    let mut findings = Findings::default();
    let mut set = AnnotationSet {
        name: name.to_owned(),
        categories: categories(classes),
        ..AnnotationSet::default()
    };
    for file in files {
        let bytes = fs::read(file).map_err(DataError::io("reading", file))?;
        let wire: WirePicture = serde_json::from_slice(&bytes).map_err(DataError::json(file))?;
        let image_id = set.images.len() as u64 + 1;
        let size = [wire.image_width, wire.image_height];
        set.images.push(AnnotatedImage {
            id: image_id,
            file_name: wire.image_path.replace('\\', "/"),
            temperature_file: None,
            width: size[0],
            height: size[1],
            preset: None,
            night: None,
        });
        let mut groups: BTreeMap<(u64, i64), usize> = BTreeMap::new();
        for (number, shape) in wire.shapes.into_iter().enumerate() {
            let spot = Spot {
                file: file.clone(),
                item: format!("shape {number} ({})", shape.label),
            };
            let class = class_id(&set.categories, &shape.label, &spot, "label", &mut findings);
            let points = points(&shape).map_err(|problem| findings.fault(&spot, "points", problem));
            let (Some(class), Ok(points)) = (class, points) else {
                continue;
            };
            let at = shape.group_id.map(|group| (class, group));
            if let Some(&first) = at.and_then(|at| groups.get(&at)) {
                let object: &mut Annotation = &mut set.annotations[first];
                check::object(
                    &mut findings,
                    &spot,
                    &outlined(0, 0, 0, vec![points.clone()]),
                    size,
                );
                if let Segmentation::Polygons(polygons) = &mut object.segmentation {
                    polygons.push(points);
                    *object = outlined(object.id, image_id, class, std::mem::take(polygons));
                }
                continue;
            }
            let id = set.annotations.len() as u64 + 1;
            let object = outlined(id, image_id, class, vec![points]);
            check::object(&mut findings, &spot, &object, size);
            if let Some(at) = at {
                groups.insert(at, set.annotations.len());
            }
            set.annotations.push(object);
        }
    }
    let first = files.first().map_or(Path::new(name), PathBuf::as_path);
    check::finish(set, first, findings).map_err(DataError::Annotations)
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

/// The outline of a shape as one polygon `[x0, y0, …]`.
fn points(shape: &WireShape) -> Result<Vec<f64>, Problem> {
    match (shape.shape_type.as_deref(), shape.points.as_slice()) {
        (Some("polygon") | None, points) if points.len() >= 3 => {
            Ok(points.iter().flatten().copied().collect())
        }
        (Some("polygon") | None, points) => Err(Problem::FewVertices {
            polygon: 0,
            vertices: points.len(),
        }),
        (Some("rectangle"), &[a, b]) => {
            let (x0, x1) = (a[0].min(b[0]), a[0].max(b[0]));
            let (y0, y1) = (a[1].min(b[1]), a[1].max(b[1]));
            Ok(vec![x0, y0, x1, y0, x1, y1, x0, y1])
        }
        (Some("rectangle"), points) => Err(Problem::Kind {
            found: format!("a rectangle of {} points", points.len()),
            expected: "two opposite corners",
        }),
        (Some(other), _) => Err(Problem::Kind {
            found: format!("a {other}"),
            expected: "a polygon or a rectangle",
        }),
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
