//! `thermal-coco`: infrared pictures, their temperature planes and COCO annotations.
//!
//! A temperature plane is either a 16-bit grey PNG beside the picture, whose value is the raw
//! value + 32768, or the plane of little-endian `i16` that the camera appended to the picture's
//! own file. Both give the same content.

use std::collections::BTreeMap;
use std::path::Path;

use retrial_core::file;
use retrial_core::hash::FieldHasher;

use super::Inputs;
use super::annotation::coco::{read_coco, temperature_files};
use super::annotation::{AnnotationSet, Pictures};
use super::gray::{Rgb, decode_rgb, read_gray};
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
    /// Black and white of 16-bit grey, where the manifest states them.
    pub stated_range: Option<[u16; 2]>,
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
    /// What the file holds.
    pub depth: Depth,
    /// The values of a file of 16-bit grey, which `rgb` shows by their upper byte.
    pub gray16: Option<Vec<u16>>,
}

/// What the pixels of a picture file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// One channel of 8 bits.
    Gray8,
    /// One channel of 16 bits, or three equal ones.
    Gray16,
    /// Three channels of 8 bits.
    Rgb8,
    /// Three channels of 16 bits that are not equal, read with 8.
    Rgb16,
}

/// Decodes pictures, temperatures and annotations.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<Content, DataError> {
    let Settings::Thermal(settings) = inputs.settings else {
        unreachable!("a manifest is checked to hold the settings of its decoder");
    };
    let mut beside = BTreeMap::new();
    for (_, file) in &settings.annotations {
        beside.extend(temperature_files(inputs.file(file)?)?);
    }
    let mut pictures = Vec::new();
    for file in inputs.files.iter().filter(|file| file.role == "picture") {
        let beside = beside.get(&file.path);
        let beside = beside.and_then(|path| inputs.file(path).ok());
        pictures.push(read_picture(&file.path, &file.at, beside, settings.plane)?);
    }
    let known = known(&pictures);
    let mut annotations = Vec::new();
    for (name, file) in &settings.annotations {
        let file = inputs.file(file)?;
        annotations.push(read_coco(name, file, &known)?);
    }
    collect(inputs, pictures, annotations, settings.grey_range)
}

/// Puts pictures and annotations together; there must be a picture.
pub(super) fn collect(
    inputs: &Inputs<'_>,
    mut pictures: Vec<ThermalPicture>,
    annotations: Vec<AnnotationSet>,
    stated_range: Option<[u16; 2]>,
) -> Result<Content, DataError> {
    if pictures.is_empty() {
        let what = "no file has the role `picture`";
        return Err(DataError::format(Path::new(inputs.dataset), what));
    }
    if inputs.strict {
        let repairs = annotations.iter().flat_map(|set| set.repairs.clone());
        let repairs: Vec<_> = repairs.collect();
        if !repairs.is_empty() {
            return Err(DataError::Annotations(repairs));
        }
    }
    pictures.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Content::Thermal(ThermalSet {
        pictures,
        annotations,
        stated_range,
    }))
}

/// Names and sizes of pictures, for those who read their annotations.
pub(super) fn known(pictures: &[ThermalPicture]) -> Pictures {
    Pictures::new(
        pictures
            .iter()
            .map(|p| (p.name.as_str(), [p.width, p.height])),
    )
}

pub(super) fn read_picture(
    name: &str,
    path: &Path,
    beside: Option<&Path>,
    plane: Option<PlaneSettings>,
) -> Result<ThermalPicture, DataError> {
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let encoded = match bytes.starts_with(&jpeg::START) {
        true => jpeg::picture(&bytes).ok_or_else(|| DataError::format(path, jpeg::NO_END))?,
        false => &bytes,
    };
    // What a camera appends is known where the manifest tells of a plane; else it may be another picture.
    let shown = if plane.is_some() { encoded } else { &bytes };
    let decoded = decode_rgb(shown).map_err(|what| DataError::format(path, what))?;
    let Rgb {
        width,
        height,
        rgb,
        depth,
        gray16,
    } = decoded;
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
        depth,
        gray16,
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

impl ThermalSet {
    /// Black and white of 16-bit grey: as stated, else the least and the greatest value of the
    /// set. Nothing without such pictures.
    #[must_use]
    pub fn grey_range(&self) -> Option<[u16; 2]> {
        let deep = || self.pictures.iter().filter_map(|p| p.gray16.as_ref());
        let least = deep().flatten().min()?;
        let greatest = deep().flatten().max()?;
        Some(self.stated_range.unwrap_or([*least, *greatest]))
    }

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
        if let Some([black, white]) = self.stated_range {
            hasher.field(b"grey range");
            hasher
                .field(&black.to_le_bytes())
                .field(&white.to_le_bytes());
        }
        for set in &self.annotations {
            // A struct without maps of other keys than text always becomes JSON.
            hasher.field(serde_json::to_string(set).unwrap_or_default().as_bytes());
        }
        hasher.tagged()
    }
}
