//! COCO: one JSON file with classes, pictures and objects.
//!
//! Outlines are polygons, run lengths as numbers or run lengths as text. Keys that are not known
//! are left alone, as everybody adds some. Ids are whole numbers; ids of other kinds get numbers
//! behind all others, and the set says so.
//!
//! # Source
//! The data format of COCO, <https://cocodataset.org/#format-data>.

use retrial_core::census::count;
use retrial_core::file;
use retrial_image::run_text;
use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::draft::{Draft, Keys};
use super::fault::{Findings, Problem, Spot};
use super::ids::Ids;
use super::json::{kind, shown, whole, without_mark};
use super::model::{AnnotatedImage, Annotation, AnnotationSet, Category, Part, Segmentation};
use super::pictures::Pictures;
use super::{check, repair};
use crate::error::DataError;

const KEYS: Keys = Keys {
    name: "file_name",
    width: "width",
    height: "height",
};

#[derive(Deserialize)]
struct WireSet {
    categories: Vec<Value>,
    images: Vec<Value>,
    annotations: Vec<Value>,
}

#[derive(Deserialize)]
struct WirePart {
    part: u32,
    centre: [f64; 2],
    bbox: [f64; 4],
    #[serde(default)]
    name: String,
}

fn wire<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<T, DataError> {
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let text = without_mark(&bytes);
    if text.trim_ascii_start().starts_with(b"[") {
        return Err(DataError::Text {
            path: path.to_owned(),
            line: 1,
            column: 1,
            what: "a list, such as of detections; expected a mapping with `images`, `annotations` \
                   and `categories`"
                .to_owned(),
        });
    }
    serde_json::from_slice(text).map_err(DataError::json(path))
}

/// The temperature files that the COCO file at `path` names, by the names of their pictures.
pub(crate) fn temperature_files(path: &Path) -> Result<BTreeMap<String, String>, DataError> {
    #[derive(Deserialize)]
    struct Set {
        images: Vec<Value>,
    }
    let set: Set = wire(path)?;
    let text = |image: &Value, key: &str| Some(image.get(key)?.as_str()?.to_owned());
    let images = set.images.iter();
    let pairs = images.filter_map(|i| Some((text(i, "file_name")?, text(i, "temperature_file")?)));
    Ok(pairs.collect())
}

/// Reads and checks the COCO file at `path`; the set is called `name`, and its pictures get the
/// names they have in `pictures`.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Text`] where it is not COCO's JSON, and
/// [`DataError::Annotations`] with every fault of its objects.
pub fn read_coco(name: &str, path: &Path, pictures: &Pictures) -> Result<AnnotationSet, DataError> {
    let wire: WireSet = wire(path)?;
    let mut findings = Findings::default();
    let mut draft = Draft::new(name, &KEYS, Vec::new());
    let mut classes = Ids::new(path, "class");
    // The class that bears a name first, and where; the first class of every id.
    let mut named: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let mut first: BTreeMap<u64, u64> = BTreeMap::new();
    for (place, value) in wire.categories.iter().enumerate() {
        let (id, spot) = classes.add(value, place, &mut findings);
        let name = text(value, "name", &spot, &mut findings);
        let (Some(id), Some(name)) = (id, name) else {
            continue;
        };
        if let Some((own, item)) = named.get(&name) {
            let what = format!("{name:?} is the name of {item} too; both are one class");
            findings.repair(&spot, "name", what);
            first.insert(id, *own);
            continue;
        }
        first.insert(id, id);
        named.insert(name.clone(), (id, spot.item));
        draft.categories.push(Category { id, name });
    }
    classes.finish(&mut findings);
    let mut images = Ids::new(path, "picture");
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    for (place, value) in wire.images.iter().enumerate() {
        let (id, mut spot) = images.add(value, place, &mut findings);
        let image = image(value, &mut spot, pictures, &mut findings);
        if let (Some(id), Some(image)) = (id, image) {
            places.insert(id, draft.images.len());
            draft.images.push((spot, AnnotatedImage { id, ..image }));
        }
    }
    images.finish(&mut findings);
    let mut ids = Ids::new(path, "annotation");
    let mut known: Vec<String> = Vec::new();
    for (place, value) in wire.annotations.iter().enumerate() {
        let named = value.get("image_id").and_then(|id| images.refer(id));
        let image = named.and_then(|id| draft.images.get(*places.get(&id)?));
        let image = image.map(|(_, image)| image);
        let (id, mut spot) = ids.add(value, place, &mut findings);
        if let Some(image) = image {
            spot.item = format!("{} of {}", spot.item, image.file_name);
        }
        let category = value.get("category_id").and_then(|id| classes.refer(id));
        let category = category.and_then(|id| first.get(&id).copied());
        if category.is_none() {
            if known.is_empty() {
                let all = draft.categories.iter();
                known.extend(all.map(|c| format!("{} {}", c.id, c.name)));
            }
            let class = shown(value.get("category_id").unwrap_or(&Value::Null));
            let known = known.clone();
            findings.fault(&spot, "category_id", Problem::UnknownClass { class, known });
        }
        let Some(image) = image else {
            // A picture that is listed and faulty is named already.
            if named.is_none() {
                let (image, listed) = (
                    shown(value.get("image_id").unwrap_or(&Value::Null)),
                    wire.images.len(),
                );
                findings.fault(&spot, "image_id", Problem::UnknownPicture { image, listed });
            }
            continue;
        };
        let of_box = Annotation::of_box(id.unwrap_or(0), image.id, category.unwrap_or(0), [0.0; 4]);
        let size = [image.width, image.height];
        if let Some(read) = object(value, of_box, &spot, &mut findings)
            && let Some(object) = repair::object(&mut findings, &spot, read, size)
        {
            draft.objects.push((spot, object));
        }
    }
    ids.finish(&mut findings);
    draft.finish(path, findings).map_err(DataError::Annotations)
}

/// A picture without its id, with the name it has on disk; its spot gets the name it has in the file.
fn image(
    value: &Value,
    spot: &mut Spot,
    pictures: &Pictures,
    findings: &mut Findings,
) -> Option<AnnotatedImage> {
    let named = text(value, "file_name", spot, findings)?;
    spot.item = format!("{} ({named})", spot.item);
    let side = |key: &'static str, findings: &mut Findings| match value.get(key) {
        None | Some(Value::Null) => Some(0),
        Some(value) => {
            let side = whole(value).and_then(|side| usize::try_from(side).ok());
            if side.is_none() {
                findings.fault(spot, key, kind(value, "a whole number of pixels"));
            }
            side
        }
    };
    let size = [side("width", findings), side("height", findings)];
    let mut word = |key: &'static str| match value.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => {
            let number = whole(&value[key]).map_or(number.to_string(), |whole| whole.to_string());
            Some(number)
        }
        Some(other) => {
            findings.fault(spot, key, kind(other, "text or a number"));
            None
        }
    };
    let (preset, temperature_file) = (word("preset"), word("temperature_file"));
    let night = match value.get("night") {
        None | Some(Value::Null) => None,
        Some(&Value::Bool(night)) => Some(night),
        Some(other) => {
            findings.fault(spot, "night", kind(other, "true or false"));
            None
        }
    };
    let size = [size[0]?, size[1]?];
    let (file_name, [width, height]) = KEYS.placed(&named, size, spot, pictures, findings)?;
    Some(AnnotatedImage {
        id: 0,
        file_name,
        temperature_file,
        width,
        height,
        preset,
        night,
    })
}

fn text(value: &Value, key: &'static str, spot: &Spot, findings: &mut Findings) -> Option<String> {
    let found = value.get(key).unwrap_or(&Value::Null);
    let text = found.as_str().map(str::to_owned);
    if text.is_none() {
        findings.fault(spot, key, kind(found, "text"));
    }
    text
}

/// The object without checks; nothing where a value of it cannot be read.
fn object(
    value: &Value,
    of_box: Annotation,
    spot: &Spot,
    findings: &mut Findings,
) -> Option<Annotation> {
    let outline = match value.get("segmentation") {
        None | Some(Value::Null) => Ok(Segmentation::BoxOnly),
        Some(value) => outline(value),
    };
    let crowd = match value.get("iscrowd") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(false),
        Some(Value::Bool(true)) => Ok(true),
        Some(value) => match whole(value) {
            Some(flag @ 0..=1) => Ok(flag == 1),
            _ => Err(kind(value, "0 or 1")),
        },
    };
    let mut kept = |key, problem| findings.fault(spot, key, problem);
    let outline = outline
        .map_err(|problem| kept("segmentation", problem))
        .ok();
    let crowd = crowd.map_err(|problem| kept("iscrowd", problem)).ok();
    let found = |key: &str| value.get(key).filter(|value| !value.is_null());
    let bbox = match (found("bbox"), &outline) {
        (Some(value), _) => {
            let bbox = <[f64; 4]>::deserialize(value);
            bbox.map_err(|_| kept("bbox", kind(value, "[x, y, width, height] in pixels")))
                .ok()
        }
        (None, Some(Segmentation::Polygons(polygons))) if check::bounds(polygons).is_some() => {
            let [x0, y0, x1, y1] = check::bounds(polygons).unwrap_or_default();
            let what = "no box is stated; that of the outline is used".to_owned();
            findings.repair(spot, "bbox", what);
            Some([x0, y0, x1 - x0, y1 - y0])
        }
        _ => {
            kept(
                "bbox",
                kind(&Value::Null, "[x, y, width, height] in pixels"),
            );
            None
        }
    };
    let mut kept = |key, problem| findings.fault(spot, key, problem);
    let keypoints = match found("keypoints").map(Vec::<f64>::deserialize) {
        None => Vec::new(),
        Some(Ok(points)) if points.len().is_multiple_of(3) => points,
        Some(points) => {
            let found = points.map_or_else(
                |_| "values that are no numbers".to_owned(),
                |points| count(points.len(), "value"),
            );
            let expected = "x, y and visibility of each point";
            kept("keypoints", Problem::Kind { found, expected });
            Vec::new()
        }
    };
    let parts = match found("parts").map(|value| (value, Vec::<WirePart>::deserialize(value))) {
        None => Vec::new(),
        Some((_, Ok(parts))) => parts,
        Some((value, Err(_))) => {
            kept("parts", kind(value, "parts with part, centre and bbox"));
            Vec::new()
        }
    };
    let (outline, crowd) = outline.zip(crowd)?;
    let bbox = bbox?;
    let parts = parts.into_iter().map(|wire| Part {
        part: wire.part,
        centre: wire.centre,
        bbox: wire.bbox,
        name: wire.name,
        max_c: None,
        mean_c: None,
    });
    let area = found("area").and_then(|value| {
        let area = value.as_f64().filter(|area| *area >= 0.0);
        if area.is_none() {
            let what = format!("{} is no area; that of the outline is used", shown(value));
            findings.repair(spot, "area", what);
        }
        area
    });
    let mask_source = found("mask_source").and_then(Value::as_str);
    Some(Annotation {
        bbox,
        area: area.or(outline.area()).unwrap_or(bbox[2] * bbox[3]),
        segmentation: outline,
        mask_source: mask_source.unwrap_or_default().to_owned(),
        parts: parts.collect(),
        crowd,
        keypoints,
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
