//! What the formats of infrared pictures share: how a picture and its temperatures are read, and the range of grey.

use std::path::Path;

use retrial_core::fault::Faults;
use retrial_core::file;
use retrial_core::keys::{Form, KeyType};
use retrial_core::yaml::{Node, list, whole};
use serde_json::json;

use super::Inputs;
use crate::annotation::{AnnotationSet, Pictures};
use crate::content::thermal::{ThermalPicture, ThermalSet};
use crate::error::DataError;
use crate::picture::{Rgb, decode_rgb, jpeg, read_gray};

/// Black and white among 16-bit grey levels.
#[derive(Clone, Copy, Debug)]
pub struct GreyRange(pub [u16; 2]);

impl KeyType for GreyRange {
    fn form() -> Form {
        let level = json!({ "type": "integer", "minimum": 0, "maximum": 65535 });
        let pair = json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": level });
        Form::Special(
            pair,
            "`[BLACK, WHITE]`, 0 ≤ BLACK < WHITE ≤ 65535".to_owned(),
        )
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let values = list(node, path, faults)?.iter();
        let values = values.map(|node| u16::try_from(whole(node, path, faults)?).ok());
        let values: Vec<Option<u16>> = values.collect();
        if let [Some(black), Some(white)] = values[..]
            && black < white
        {
            return Some(Self([black, white]));
        }
        let help = "write [BLACK, WHITE] with 0 ≤ BLACK < WHITE ≤ 65535";
        let message = format!("found {}", node.describe());
        faults.add_with_help(&node.place, path, message, help);
        None
    }
}

/// A plane of little-endian `i16` inside a larger file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaneSettings {
    /// First byte.
    pub offset: u64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Puts pictures and annotations together; there must be a picture.
pub(super) fn collect(
    inputs: &Inputs<'_>,
    mut pictures: Vec<ThermalPicture>,
    annotations: Vec<AnnotationSet>,
    stated_range: Option<[u16; 2]>,
) -> Result<ThermalSet, DataError> {
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
    Ok(ThermalSet {
        pictures,
        annotations,
        stated_range,
    })
}

/// Names and sizes of pictures, for those who read their annotations.
pub(super) fn known(pictures: &[ThermalPicture]) -> Pictures {
    Pictures::new(
        pictures
            .iter()
            .map(|p| (p.name.as_str(), [p.width, p.height])),
    )
}

/// Reads a picture, with the temperatures of the file `beside` it or of the plane behind it.
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
