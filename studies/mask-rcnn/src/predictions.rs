//! What was found and what is there, in COCO's formats: other programs compute the same precision from these files.
//!
//! # Coordinates
//! Pixels of the judged picture, which is the file's picture at the size of `image_width` and `image_height`. Masks
//! cannot be brought back to the pixels of the file without changing their overlaps, so boxes are not either; the
//! list of pictures has both sizes.

use retrial_core::metric::FileDef;
use retrial_image::RunLengths;
use retrial_image::run_text;
use retrial_instances::boxes::Corners;
use retrial_instances::evaluate::ImageCase;
use retrial_runner::{Context, TrialError};
use serde::Serialize;

use super::items::Items;

pub(super) const DETECTIONS: FileDef = FileDef {
    name: "detections.json",
    doc: "What was found in the judged pictures, in COCO's format of results.",
};

pub(super) const TRUTH: FileDef = FileDef {
    name: "truth.json",
    doc: "The judged pictures and the objects in them, in COCO's format of annotations.",
};

const INFO: Info = Info {
    description: "Judged pictures and the objects in them; detections.json says what was found",
    pixels: "of the judged picture; times original_width / width and original_height / height, of its file",
    outlined: "false where only the box of an object is known: for masks its iscrowd is 1",
};

#[derive(Serialize)]
struct Info {
    description: &'static str,
    pixels: &'static str,
    outlined: &'static str,
}

#[derive(Serialize)]
struct Picture<'i> {
    id: usize,
    file_name: &'i str,
    width: usize,
    height: usize,
    original_width: usize,
    original_height: usize,
}

#[derive(Serialize)]
struct Category<'i> {
    id: usize,
    name: &'i str,
}

#[derive(Serialize)]
struct Annotation {
    id: usize,
    image_id: usize,
    category_id: usize,
    bbox: [f64; 4],
    area: f64,
    iscrowd: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    segmentation: Option<Segmentation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outlined: Option<bool>,
}

#[derive(Serialize)]
struct Prediction {
    image_id: usize,
    category_id: usize,
    bbox: [f64; 4],
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    segmentation: Option<Segmentation>,
}

#[derive(Serialize)]
struct Segmentation {
    size: [usize; 2],
    counts: String,
}

/// Leaves both files. Ids count from 1, in the order of the pictures, the classes and the objects.
pub(super) fn write(
    context: &mut Context,
    items: &Items,
    cases: &[ImageCase],
) -> Result<(), TrialError> {
    let judged = || (1_usize..).zip(items.test.iter().zip(cases));
    let pictures = judged().map(|(id, (item, _))| Picture {
        id,
        file_name: &item.name,
        width: items.train.frame.width,
        height: items.train.frame.height,
        original_width: item.file_size.1,
        original_height: item.file_size.0,
    });
    let categories = (1_usize..).zip(&items.train.frame.classes);
    let categories = categories.map(|(id, name)| Category { id, name });
    let objects = judged().flat_map(|(picture, (item, case))| {
        let objects = item.objects.iter().zip(&case.truths);
        objects.map(move |(object, truth)| (picture, object.outlined, truth))
    });
    let annotations = (1_usize..).zip(objects);
    let annotations = annotations.map(|(id, (image_id, outlined, truth))| Annotation {
        id,
        image_id,
        category_id: truth.class + 1,
        bbox: bbox(truth.corners),
        area: truth.area,
        iscrowd: truth.crowd.into(),
        segmentation: truth.mask.as_ref().map(segmentation),
        outlined: (!outlined).then_some(false),
    });
    let truth = format!(
        "{{\"info\": {},\n\"images\": {},\n\"categories\": {},\n\"annotations\": {}}}\n",
        serde_json::to_string(&INFO).map_err(TrialError::of)?,
        lines(pictures)?,
        lines(categories)?,
        lines(annotations)?,
    );
    context.text(TRUTH, &truth)?;
    let predictions = judged().flat_map(|(image_id, (_, case))| {
        let detections = case.detections.iter();
        detections.map(move |detection| Prediction {
            image_id,
            category_id: detection.class + 1,
            bbox: bbox(detection.corners),
            score: detection.confidence,
            segmentation: detection.mask.as_ref().map(segmentation),
        })
    });
    context.text(DETECTIONS, &(lines(predictions)? + "\n"))
}

/// `[x, y, width, height]`, exactly: the sum of two of them is the corner again.
fn bbox(corners: Corners) -> [f64; 4] {
    let [x0, y0, x1, y1] = corners.map(f64::from);
    [x0, y0, x1 - x0, y1 - y0]
}

fn segmentation(runs: &RunLengths) -> Segmentation {
    Segmentation {
        size: [runs.height(), runs.width()],
        counts: run_text::write(runs.counts()),
    }
}

/// A JSON list with a line an item.
fn lines<T: Serialize>(items: impl Iterator<Item = T>) -> Result<String, TrialError> {
    let lines: Result<Vec<String>, _> = items.map(|item| serde_json::to_string(&item)).collect();
    Ok(format!(
        "[\n{}\n]",
        lines.map_err(TrialError::of)?.join(",\n")
    ))
}
