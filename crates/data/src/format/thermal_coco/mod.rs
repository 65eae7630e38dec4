//! `thermal-coco`: infrared pictures, their temperature planes and COCO annotations.
//!
//! A temperature plane is either a 16-bit grey PNG beside the picture, whose value is the raw
//! value + 32768, or the plane of little-endian `i16` that the camera appended to the picture's
//! own file. Both give the same content.

pub mod settings;

use std::collections::BTreeMap;

use self::settings::ThermalSettings;
use super::thermal::{collect, known, read_picture};
use super::{Format, Inputs};
use crate::annotation::coco::{read_coco, temperature_files};
use crate::content::thermal::ThermalSet;
use crate::error::DataError;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "thermal-coco",
    settings: Some(settings::KEY),
    roles: &["picture", "temperature", "annotations"],
    generates: false,
};

/// Decodes pictures, temperatures and annotations.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<ThermalSet, DataError> {
    let settings: &ThermalSettings = inputs.settings();
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
