//! COCO: one JSON file with classes, pictures and objects.
//!
//! Outlines are polygons, run lengths as numbers or run lengths as text. Keys that are not known
//! are left alone, as everybody adds some.
//!
//! # Source
//! The data format of COCO, <https://cocodataset.org/#format-data>.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::check;
use super::fault::{Findings, Problem, Spot};
use super::model::{AnnotatedImage, Annotation, AnnotationSet, Category, Part, Segmentation};
use super::run_text;
use crate::error::DataError;

#[derive(Deserialize)]
struct WireSet {
    categories: Vec<WireCategory>,
    images: Vec<WireImage>,
    annotations: Vec<WireObject>,
}

#[derive(Deserialize)]
struct WireCategory {
    id: u64,
    name: String,
}

#[derive(Deserialize)]
struct WireImage {
    id: u64,
    file_name: String,
    temperature_file: Option<String>,
    width: usize,
    height: usize,
    preset: Option<String>,
    night: Option<bool>,
}

#[derive(Deserialize)]
struct WireObject {
    id: u64,
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    area: Option<f64>,
    segmentation: Option<Value>,
    #[serde(default)]
    mask_source: String,
    #[serde(default)]
    parts: Vec<WirePart>,
    iscrowd: Option<Value>,
    #[serde(default)]
    keypoints: Vec<f64>,
}

#[derive(Deserialize)]
struct WirePart {
    part: u32,
    centre: [f64; 2],
    bbox: [f64; 4],
    #[serde(default)]
    name: String,
}

/// Reads and checks the COCO file at `path`; the set is called `name`.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Text`] where it is not COCO's JSON, and
/// [`DataError::Annotations`] with every fault of its objects.
pub fn read_coco(name: &str, path: &Path) -> Result<AnnotationSet, DataError> {
    let bytes = fs::read(path).map_err(DataError::io("reading", path))?;
    let wire: WireSet = serde_json::from_slice(&bytes).map_err(DataError::json(path))?;
    let mut findings = Findings::default();
    let mut set = AnnotationSet {
        name: name.to_owned(),
        ..AnnotationSet::default()
    };
    let mut ids = Ids::new(path, "class");
    for WireCategory { id, name } in wire.categories {
        ids.add(id, &mut findings);
        set.categories.push(Category { id, name });
    }
    let mut ids = Ids::new(path, "picture");
    let mut sizes = BTreeMap::new();
    for wire in wire.images {
        ids.add(wire.id, &mut findings);
        sizes.insert(wire.id, [wire.width, wire.height]);
        set.images.push(AnnotatedImage {
            id: wire.id,
            file_name: wire.file_name,
            temperature_file: wire.temperature_file,
            width: wire.width,
            height: wire.height,
            preset: wire.preset,
            night: wire.night,
        });
    }
    let mut ids = Ids::new(path, "annotation");
    for wire in wire.annotations {
        let spot = ids.add(wire.id, &mut findings);
        if set.category(wire.category_id).is_none() {
            let class = wire.category_id.to_string();
            let known = set
                .categories
                .iter()
                .map(|c| format!("{} {}", c.id, c.name));
            let known = known.collect();
            findings.fault(&spot, "category_id", Problem::UnknownClass { class, known });
        }
        let Some(&size) = sizes.get(&wire.image_id) else {
            let (image, listed) = (wire.image_id, sizes.len());
            findings.fault(&spot, "image_id", Problem::UnknownPicture { image, listed });
            continue;
        };
        if let Some(object) = object(wire, &spot, &mut findings) {
            check::object(&mut findings, &spot, &object, size);
            set.annotations.push(object);
        }
    }
    check::finish(set, path, findings).map_err(DataError::Annotations)
}

/// The ids of one kind of thing.
struct Ids<'a> {
    path: &'a Path,
    kind: &'static str,
    seen: BTreeSet<u64>,
}

impl<'a> Ids<'a> {
    fn new(path: &'a Path, kind: &'static str) -> Self {
        let seen = BTreeSet::new();
        Self { path, kind, seen }
    }

    fn add(&mut self, id: u64, findings: &mut Findings) -> Spot {
        let spot = Spot {
            file: self.path.to_owned(),
            item: format!("{} {id}", self.kind),
        };
        if !self.seen.insert(id) {
            findings.fault(&spot, "id", Problem::DuplicateId { id });
        }
        spot
    }
}

/// The object, unless its outline cannot be read.
fn object(wire: WireObject, spot: &Spot, findings: &mut Findings) -> Option<Annotation> {
    let outline = match wire.segmentation {
        None | Some(Value::Null) => Ok(Segmentation::BoxOnly),
        Some(value) => outline(&value),
    };
    let crowd = match wire.iscrowd {
        None | Some(Value::Null | Value::Bool(false)) => Ok(false),
        Some(Value::Bool(true)) => Ok(true),
        Some(value) => match value.as_u64() {
            Some(flag @ 0..=1) => Ok(flag == 1),
            _ => Err(kind(&value, "0 or 1")),
        },
    };
    let mut kept = |key, problem| findings.fault(spot, key, problem);
    let outline = outline
        .map_err(|problem| kept("segmentation", problem))
        .ok();
    let crowd = crowd.map_err(|problem| kept("iscrowd", problem)).ok();
    if !wire.keypoints.len().is_multiple_of(3) {
        let found = format!("{} values", wire.keypoints.len());
        let expected = "x, y and visibility of each point";
        kept("keypoints", Problem::Kind { found, expected });
    }
    let (outline, crowd) = outline.zip(crowd)?;
    let parts = wire.parts.into_iter().map(|wire| Part {
        part: wire.part,
        centre: wire.centre,
        bbox: wire.bbox,
        name: wire.name,
        max_c: None,
        mean_c: None,
    });
    let of_box = Annotation::of_box(wire.id, wire.image_id, wire.category_id, wire.bbox);
    Some(Annotation {
        area: wire.area.or(outline.area()).unwrap_or(of_box.area),
        segmentation: outline,
        mask_source: wire.mask_source,
        parts: parts.collect(),
        crowd,
        keypoints: wire.keypoints,
        ..of_box
    })
}

fn outline(value: &Value) -> Result<Segmentation, Problem> {
    if let Value::Array(polygons) = value {
        return polygons
            .iter()
            .map(polygon)
            .collect::<Result<_, _>>()
            .map(Segmentation::Polygons);
    }
    let Value::Object(runs) = value else {
        return Err(kind(value, "a list of polygons or run lengths"));
    };
    let size = runs.get("size").unwrap_or(&Value::Null);
    let size =
        <[usize; 2]>::deserialize(size).map_err(|_| kind(size, "`size` with rows and columns"))?;
    let counts = runs.get("counts").unwrap_or(&Value::Null);
    let counts = match counts {
        Value::String(text) => run_text::read(text)?,
        _ => Vec::<u32>::deserialize(counts)
            .map_err(|_| kind(counts, "`counts` as whole numbers or text"))?,
    };
    Ok(Segmentation::Runs { size, counts })
}

fn polygon(value: &Value) -> Result<Vec<f64>, Problem> {
    Vec::deserialize(value).map_err(|_| kind(value, "a polygon as a list of numbers"))
}

fn kind(value: &Value, expected: &'static str) -> Problem {
    let text = value.to_string();
    let found = match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    Problem::Kind { found, expected }
}
