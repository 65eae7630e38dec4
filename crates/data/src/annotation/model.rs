//! What the readers of annotations give, whatever the file was written in.
//!
//! The serialised form enters the digests of data sets, so a field that older files do not have is
//! left out where it is empty.
//!
//! # Coordinates
//! COCO's corner convention: pixel `i` covers `i..i + 1`, x to the right, y downwards.

use retrial_image::RunLengths;
use serde::Serialize;

use super::fault::AnnotationFault;

/// The labelled objects of a set of pictures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AnnotationSet {
    /// Its name in the manifest.
    pub name: String,
    /// The classes.
    pub categories: Vec<Category>,
    /// The pictures it speaks of; one without an object is a negative.
    pub images: Vec<AnnotatedImage>,
    /// The labelled objects.
    pub annotations: Vec<Annotation>,
    /// What looks wrong and can be used all the same: crossing outlines, masks beyond their box.
    #[serde(skip)]
    pub warnings: Vec<AnnotationFault>,
    /// What was changed or left out so that the rest can be used.
    #[serde(skip)]
    pub repairs: Vec<AnnotationFault>,
}

/// A class of objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Category {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// A picture that annotations speak of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnnotatedImage {
    /// Its id.
    pub id: u64,
    /// The picture's name.
    pub file_name: String,
    /// The PNG with its temperatures, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_file: Option<String>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The camera preset, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Whether it was taken at night, where that is known. No trial sees it but to split a set, and
    /// it is no part of the digest.
    #[serde(skip)]
    pub night: Option<bool>,
}

/// One labelled object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Annotation {
    /// Its id.
    pub id: u64,
    /// The picture it lies in.
    pub image_id: u64,
    /// Its class.
    pub category_id: u64,
    /// `[x, y, width, height]` in px.
    pub bbox: [f64; 4],
    /// Area of the mask in pixels, of the box where there is no mask.
    pub area: f64,
    /// Its outline.
    pub segmentation: Segmentation,
    /// Who made the outline.
    pub mask_source: String,
    /// Parts of the object, where they are labelled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Whether it is neither trained on nor judged: it stands for several objects that nobody told
    /// apart, or VOC calls it difficult.
    #[serde(rename = "iscrowd", skip_serializing_if = "is_false")]
    pub crowd: bool,
    /// COCO's `[x, y, visibility]`, one after the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keypoints: Vec<f64>,
    /// What only a generated scene can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<SceneTruth>,
}

/// What is known about an object of a generated scene.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SceneTruth {
    /// The outline with what others hide of it.
    pub whole: Segmentation,
    /// Share of the whole outline where another object is as well.
    pub overlap: f64,
    /// Share of the whole outline that is not seen.
    pub hidden: f64,
    /// Largest intersection over union of its box with another object's.
    pub box_iou: f64,
    /// Share of its entire box that lies outside the picture.
    pub cropped: f64,
    /// Highest surface temperature, °C.
    pub max_c: f64,
    /// Mean surface temperature, °C.
    pub mean_c: f64,
    /// The joint that runs hot, if there is one.
    pub hot_spot: Option<HotSpotTruth>,
}

/// A joint that runs hot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HotSpotTruth {
    /// The number of the part it lies on.
    pub part: u32,
    /// `[x, y]`, px.
    pub centre: [f64; 2],
    /// How much hotter it is than without the fault, K.
    pub rise_k: f64,
    /// Its surface temperature, °C.
    pub peak_c: f64,
}

/// A part of an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Its number along the object.
    pub part: u32,
    /// `[x, y]` of its centre, px.
    pub centre: [f64; 2],
    /// `[x, y, width, height]`, px.
    pub bbox: [f64; 4],
    /// Its name, where it has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Highest temperature inside, in °C, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_c: Option<f64>,
    /// Mean temperature inside, in °C, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_c: Option<f64>,
}

/// The outline of an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Segmentation {
    /// Polygons, each `[x0, y0, x1, y1, …]` in px.
    Polygons(Vec<Vec<f64>>),
    /// Run lengths, column by column, background first.
    Runs {
        /// `[rows, columns]`.
        size: [usize; 2],
        /// The run lengths.
        counts: Vec<u32>,
    },
    /// Nobody drew one; the box is all that is known.
    BoxOnly,
}

impl Annotation {
    /// An object of which only the box is known.
    #[must_use]
    pub fn of_box(id: u64, image_id: u64, category_id: u64, bbox: [f64; 4]) -> Self {
        Self {
            id,
            image_id,
            category_id,
            bbox,
            area: bbox[2] * bbox[3],
            segmentation: Segmentation::BoxOnly,
            mask_source: String::new(),
            parts: Vec::new(),
            crowd: false,
            keypoints: Vec::new(),
            truth: None,
        }
    }

    /// Whether somebody drew its outline.
    #[must_use]
    pub fn is_outlined(&self) -> bool {
        self.segmentation != Segmentation::BoxOnly
    }

    /// The box as its corners `[x0, y0, x1, y1]`, px.
    #[must_use]
    pub fn corners(&self) -> [f64; 4] {
        let [x, y, width, height] = self.bbox;
        [x, y, x + width, y + height]
    }
}

impl AnnotatedImage {
    /// The last number in the picture's file name, by which a series is cut in time: 3 of
    /// `images/sub_003.jpg`.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        let name = self.file_name.rsplit('/').next()?;
        let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let digits = name.rsplit(|c: char| !c.is_ascii_digit());
        let mut digits = digits.filter(|run| !run.is_empty());
        digits.next()?.parse().ok()
    }
}

impl AnnotationSet {
    /// The class of that id.
    #[must_use]
    pub fn category(&self, id: u64) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    /// The objects of a picture, in the order of the file.
    pub fn of_image(&self, image_id: u64) -> impl Iterator<Item = &Annotation> {
        let objects = self.annotations.iter();
        objects.filter(move |object| object.image_id == image_id)
    }
}

impl Segmentation {
    /// Area in pixels: of the pixels for run lengths, by the trapezoid rule for polygons.
    #[must_use]
    pub fn area(&self) -> Option<f64> {
        match self {
            Self::BoxOnly => None,
            Self::Polygons(polygons) => Some(polygons.iter().map(|p| polygon_area(p)).sum()),
            Self::Runs { counts, .. } => {
                let inside = counts.iter().skip(1).step_by(2);
                Some(inside.map(|&count| f64::from(count)).sum())
            }
        }
    }

    /// The run lengths, where the outline is given so.
    #[must_use]
    pub fn runs(&self) -> Option<RunLengths> {
        match self {
            Self::Runs { size, counts } => RunLengths::new(size[0], size[1], counts.clone()).ok(),
            Self::Polygons(_) | Self::BoxOnly => None,
        }
    }

    /// Run lengths as an outline.
    #[must_use]
    pub fn from_runs(runs: &RunLengths) -> Self {
        Self::Runs {
            size: [runs.height(), runs.width()],
            counts: runs.counts().to_vec(),
        }
    }
}

fn polygon_area(polygon: &[f64]) -> f64 {
    let (points, _) = polygon.as_chunks::<2>();
    let next = points.iter().cycle().skip(1);
    let twice: f64 = points
        .iter()
        .zip(next)
        .map(|(a, b)| a[0] * b[1] - b[0] * a[1])
        .sum();
    twice.abs() / 2.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_picture() {
        let number = |name: &str| {
            let image = AnnotatedImage {
                id: 1,
                file_name: name.to_owned(),
                temperature_file: None,
                width: 1,
                height: 1,
                preset: None,
                night: None,
            };
            image.number()
        };
        assert_eq!(number("images/sub_003.jpg"), Some(3));
        assert_eq!(number("7/preset00_0_14.v2.jpg"), Some(2));
        assert_eq!(number("12/none.jpg"), None);
    }

    #[test]
    fn areas() {
        let square = Segmentation::Polygons(vec![vec![1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]]);
        assert_eq!(square.area(), Some(6.0));
        let counts = vec![2, 3, 1];
        let size = [3, 2];
        assert_eq!(Segmentation::Runs { size, counts }.area(), Some(3.0));
        assert_eq!(Segmentation::BoxOnly.area(), None);
    }
}
