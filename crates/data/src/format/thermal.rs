//! `thermal-coco`: infrared pictures, their temperature planes and COCO annotations.
//!
//! A temperature plane is either a 16-bit grey PNG beside the picture, whose value is the raw
//! value + 32768, or the plane of little-endian `i16` that the camera appended to the picture's
//! own file. Both give the same content.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use retrial_core::hash::FieldHasher;
use serde::{Deserialize, Serialize};

use super::Inputs;
use super::gray::{read_gray, read_rgb};
use super::jpeg;
use crate::content::Content;
use crate::error::DataError;
use crate::manifest::{PlaneSettings, Settings};

/// Infrared pictures with annotations.
#[derive(Clone, Debug, PartialEq)]
pub struct ThermalSet {
    /// The pictures, sorted by name.
    pub pictures: Vec<ThermalPicture>,
    /// The annotation sets, in the manifest's order.
    pub annotations: Vec<AnnotationSet>,
}

/// One infrared picture.
///
/// # Shapes
/// - `rgb`: `[row, column, 3]`, the camera's pseudo-colour
/// - `temperature`: `[row, column]`, raw units of the camera
#[derive(Clone, Debug, PartialEq)]
pub struct ThermalPicture {
    /// Name, as annotations use it.
    pub name: String,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Pseudo-colour.
    pub rgb: Vec<u8>,
    /// Temperatures, where the camera's plane is at hand.
    pub temperature: Option<Vec<i16>>,
    /// blake3 of the compressed picture up to its end marker. It enters the digest in place of
    /// `rgb`, because two JPEG decoders may differ by a grey level.
    pub encoded: String,
}

/// A COCO file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnnotationSet {
    /// Its name in the manifest.
    #[serde(default)]
    pub name: String,
    /// The classes.
    pub categories: Vec<Category>,
    /// The pictures it speaks of.
    pub images: Vec<AnnotatedImage>,
    /// The labelled objects.
    pub annotations: Vec<Annotation>,
}

/// A class of objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: String,
}

/// A picture in an annotation file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotatedImage {
    /// Its id.
    pub id: u32,
    /// The picture's name.
    pub file_name: String,
    /// The PNG with its temperatures, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_file: Option<String>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The camera preset, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
}

/// One labelled object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// Its id.
    pub id: u32,
    /// The picture it lies in.
    pub image_id: u32,
    /// Its class.
    pub category_id: u32,
    /// `[x, y, width, height]` in px; COCO's corner convention: pixel `i` covers `i..i + 1`.
    pub bbox: [f64; 4],
    /// Area of the mask in pixels.
    pub area: f64,
    /// Its outline.
    pub segmentation: Segmentation,
    /// Who made the outline.
    #[serde(default)]
    pub mask_source: String,
    /// Parts of the object, where they are labelled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// A part of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its number along the object.
    pub part: u32,
    /// `[x, y]` of its centre, px.
    pub centre: [f64; 2],
    /// `[x, y, width, height]`, px.
    pub bbox: [f64; 4],
}

/// The outline of an object, as COCO writes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Segmentation {
    /// Polygons, each `[x0, y0, x1, y1, …]` in px.
    Polygons(Vec<Vec<f64>>),
    /// Uncompressed run lengths, column by column, background first.
    Runs {
        /// `[rows, columns]`.
        size: [usize; 2],
        /// The run lengths.
        counts: Vec<u32>,
    },
}

/// Decodes pictures, temperatures and annotations.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<Content, DataError> {
    let Settings::Thermal(settings) = inputs.settings else {
        unreachable!("a manifest is checked to hold the settings of its decoder");
    };
    let mut annotations = Vec::new();
    for (name, file) in &settings.annotations {
        annotations.push(read_annotations(name, inputs.file(file)?)?);
    }
    let temperature_files: BTreeMap<&str, &str> = annotations
        .iter()
        .flat_map(|set| &set.images)
        .filter_map(|image| Some((image.file_name.as_str(), image.temperature_file.as_deref()?)))
        .collect();
    let mut pictures = Vec::new();
    for file in inputs.files.iter().filter(|file| file.role == "picture") {
        let beside = temperature_files
            .get(file.path.as_str())
            .and_then(|path| inputs.file(path).ok());
        pictures.push(read_picture(&file.path, &file.at, beside, settings.plane)?);
    }
    pictures.sort_by(|a, b| a.name.cmp(&b.name));
    for set in &annotations {
        check_against(set, &pictures, inputs.dataset)?;
    }
    Ok(Content::Thermal(ThermalSet {
        pictures,
        annotations,
    }))
}

/// Every annotation must speak of a picture that is there, in its size.
fn check_against(
    set: &AnnotationSet,
    pictures: &[ThermalPicture],
    dataset: &str,
) -> Result<(), DataError> {
    for image in &set.images {
        let found = pictures
            .iter()
            .find(|picture| picture.name == image.file_name);
        let what = match found {
            None => "is annotated and not among the files".to_owned(),
            Some(p) if (p.width, p.height) != (image.width, image.height) => format!(
                "is {} × {} px, its annotation says {} × {} px",
                p.width, p.height, image.width, image.height
            ),
            Some(_) => continue,
        };
        let path = Path::new(dataset).join(&image.file_name);
        return Err(DataError::format(&path, what));
    }
    Ok(())
}

fn read_picture(
    name: &str,
    path: &Path,
    beside: Option<&Path>,
    plane: Option<PlaneSettings>,
) -> Result<ThermalPicture, DataError> {
    let bytes = fs::read(path).map_err(DataError::io("reading", path))?;
    let (width, height, rgb) = read_rgb(path)?;
    let encoded = match bytes.starts_with(&jpeg::START) {
        true => jpeg::picture(&bytes).ok_or_else(|| DataError::format(path, jpeg::NO_END))?,
        false => &bytes,
    };
    let encoded_bytes = encoded.len();
    let encoded = retrial_core::hash::content(encoded);
    let temperature = match (beside, plane) {
        (Some(beside), _) => Some(temperature_png(beside, width, height)?),
        // A file that ends with its picture has no plane behind it.
        (None, Some(plane)) if bytes.len() > encoded_bytes => {
            Some(temperature_plane(path, &bytes, plane, width, height)?)
        }
        _ => None,
    };
    Ok(ThermalPicture {
        name: name.to_owned(),
        width,
        height,
        rgb,
        temperature,
        encoded,
    })
}

fn temperature_png(path: &Path, width: usize, height: usize) -> Result<Vec<i16>, DataError> {
    let image = read_gray(path)?;
    if (image.width(), image.height()) != (width, height) {
        return Err(DataError::MixedSizes {
            path: path.to_owned(),
            width,
            height,
            got_width: image.width(),
            got_height: image.height(),
        });
    }
    // Grey values of 16 bits are exact in f32.
    Ok(image
        .pixels()
        .iter()
        .map(|&value| (value as i32 - 32768) as i16)
        .collect())
}

fn temperature_plane(
    path: &Path,
    bytes: &[u8],
    plane: PlaneSettings,
    width: usize,
    height: usize,
) -> Result<Vec<i16>, DataError> {
    if (plane.width, plane.height) != (width, height) {
        let what = format!(
            "the picture is {width} × {height} px, its plane {} × {}",
            plane.width, plane.height
        );
        return Err(DataError::format(path, what));
    }
    let needed = 2 * width * height;
    let values = usize::try_from(plane.offset)
        .ok()
        .and_then(|start| bytes.get(start..start.checked_add(needed)?))
        .ok_or_else(|| {
            let what = format!(
                "{} bytes, the temperature plane needs {}",
                bytes.len(),
                plane.offset + needed as u64
            );
            DataError::format(path, what)
        })?;
    let (pairs, _) = values.as_chunks::<2>();
    Ok(pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect())
}

fn read_annotations(name: &str, path: &Path) -> Result<AnnotationSet, DataError> {
    let text = fs::read_to_string(path).map_err(DataError::io("reading", path))?;
    let mut set: AnnotationSet = serde_json::from_str(&text).map_err(|error| DataError::Text {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        what: error.to_string(),
    })?;
    name.clone_into(&mut set.name);
    for annotation in &set.annotations {
        let Annotation {
            id,
            image_id,
            category_id,
            ..
        } = *annotation;
        let what = if !set.images.iter().any(|image| image.id == image_id) {
            format!("annotation {id} is in picture {image_id}, which is not listed")
        } else if !set
            .categories
            .iter()
            .any(|category| category.id == category_id)
        {
            format!("annotation {id} has the class {category_id}, which is not listed")
        } else {
            continue;
        };
        return Err(DataError::format(path, what));
    }
    Ok(set)
}

impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        #[derive(Deserialize)]
        struct Runs {
            size: [usize; 2],
            counts: Vec<u32>,
        }
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_array() {
            return serde_json::from_value(value)
                .map(Self::Polygons)
                .map_err(D::Error::custom);
        }
        let Runs { size, counts } = serde_json::from_value(value).map_err(D::Error::custom)?;
        let covered: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        let pixels = size[0] as u64 * size[1] as u64;
        if covered != pixels {
            return Err(D::Error::custom(format!(
                "run lengths cover {covered} pixels of {pixels}"
            )));
        }
        Ok(Self::Runs { size, counts })
    }
}

impl ThermalSet {
    /// The picture of that name.
    #[must_use]
    pub fn picture(&self, name: &str) -> Option<&ThermalPicture> {
        let i = self
            .pictures
            .binary_search_by(|picture| picture.name.as_str().cmp(name));
        i.ok().map(|i| &self.pictures[i])
    }

    /// See [`Content::digest`].
    pub(crate) fn digest(&self) -> String {
        let mut hasher = FieldHasher::new("retrial infrared pictures v1");
        for picture in &self.pictures {
            hasher
                .field(picture.name.as_bytes())
                .field(&(picture.width as u64).to_le_bytes())
                .field(&(picture.height as u64).to_le_bytes())
                .field(picture.encoded.as_bytes());
            let temperature = picture.temperature.as_deref().unwrap_or(&[]);
            let bytes: Vec<u8> = temperature.iter().flat_map(|v| v.to_le_bytes()).collect();
            hasher.field(&bytes);
        }
        for set in &self.annotations {
            // A struct without maps of other keys than text always becomes JSON.
            hasher.field(serde_json::to_string(set).unwrap_or_default().as_bytes());
        }
        hasher.tagged()
    }
}
