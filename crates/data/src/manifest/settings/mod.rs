//! The settings of the decoders: `series`, `speckle`, `thermal`, `pictures`, `scenes`, `targets`
//! and `parts`.

pub(in crate::manifest) mod parts;
mod pictures;
mod scenes;
mod speckle;

use std::path::Path;

use retrial_core::fault::{Fault, Faults};
use retrial_core::keys::KeyType as _;

use self::parts::part_names;
use self::pictures::pictures_of;
use self::scenes::scenes_of;
use self::speckle::speckle_of;
use super::keys::{ManifestKeys, SeriesKeys, SpeckleKeys, ThermalKeys};
use super::{
    PlaneSettings, SeriesSettings, Settings, SpeckleSettings, ThermalSettings, TruthSettings,
};
use crate::format::DECODERS;

impl Settings {
    /// The key under which these settings stand in a manifest.
    pub(crate) fn key(&self) -> &'static str {
        match self {
            Self::None => "",
            Self::Series(_) => "series",
            Self::Speckle(_) => "speckle",
            Self::Thermal(_) => "thermal",
            Self::Pictures(_) => "pictures",
            Self::Scenes(_) => "scenes",
            Self::Targets { .. } => "targets",
            Self::Parts(_) => "parts",
        }
    }

    /// The files the settings name.
    pub(crate) fn named_files(&self) -> Vec<&str> {
        match self {
            Self::None
            | Self::Speckle(_)
            | Self::Pictures(_)
            | Self::Scenes(_)
            | Self::Targets { .. }
            | Self::Parts(_) => Vec::new(),
            Self::Thermal(thermal) => thermal.annotations.iter().map(|a| a.1.as_str()).collect(),
            Self::Series(series) => {
                let mut names = vec![series.reference.as_str()];
                for (file, truth) in &series.images {
                    names.push(file);
                    if let TruthSettings::Table(table) = truth {
                        names.push(&table.file);
                    }
                }
                names
            }
        }
    }
}

pub(in crate::manifest) fn read_settings(
    keys: &mut ManifestKeys,
    faults: &mut Faults,
) -> Option<Settings> {
    let is_settings = |key: &&'static str| DECODERS.iter().any(|own| own.settings == *key);
    let given = keys.site.given.iter().copied().filter(is_settings).count();
    match given {
        0 => Some(Settings::None),
        1 => one_of(keys, faults),
        _ => {
            let known = ManifestKeys::MAP.keys.iter().map(|key| key.name);
            let known: Vec<&str> = known.filter(is_settings).collect();
            let help = format!("give one of {}", known.join(", "));
            keys.site
                .fault("", "settings of several kinds", help, faults);
            None
        }
    }
}

/// The settings that are given.
fn one_of(keys: &mut ManifestKeys, faults: &mut Faults) -> Option<Settings> {
    if let Some(series) = keys.series.take() {
        return series_of(series, faults).map(Settings::Series);
    }
    if let Some(speckle) = keys.speckle.take() {
        return speckle_of(speckle, faults).map(Settings::Speckle);
    }
    if let Some(thermal) = keys.thermal.take() {
        return Some(Settings::Thermal(thermal_of(thermal)));
    }
    if let Some(pictures) = keys.pictures.take() {
        return pictures_of(pictures, faults).map(Settings::Pictures);
    }
    if let Some(scenes) = keys.scenes.take() {
        return scenes_of(scenes, faults).map(Settings::Scenes);
    }
    if let Some(targets) = keys.targets.take() {
        let first_pixel = u8::try_from(targets.first_pixel?.0).ok()?;
        return Some(Settings::Targets { first_pixel });
    }
    let parts = keys.parts.as_ref()?;
    Some(Settings::Parts(part_names(parts, faults)))
}

fn series_of(keys: SeriesKeys, faults: &mut Faults) -> Option<SeriesSettings> {
    let images = keys.images.map(|images| {
        if images.is_empty() {
            let message = "a series needs at least one deformed picture";
            faults.add(&keys.site.place, &keys.site.path("images"), message);
        }
        let images = images.into_iter();
        images
            .filter_map(|image| Some((image.file?, image.truth?.0)))
            .collect()
    });
    let rows = keys.reference_rows;
    Some(SeriesSettings {
        reference: keys.reference?,
        images: images?,
        reference_rows: rows.and_then(|rows| rows.first.zip(rows.number)),
    })
}

/// The keys below `speckle:` as a file of their own.
pub(in crate::manifest) fn read_speckle_file(
    path: &Path,
    text: &str,
) -> Result<SpeckleSettings, Vec<Fault>> {
    let node = retrial_core::yaml::parse(&path.display().to_string(), text)?;
    let mut faults = Faults::default();
    let found =
        SpeckleKeys::read(&node, "", &mut faults).and_then(|keys| speckle_of(keys, &mut faults));
    faults.into_result(found)
}

fn thermal_of(keys: ThermalKeys) -> ThermalSettings {
    let annotations = keys.annotations.unwrap_or_default().into_iter();
    let plane = keys.plane.and_then(|plane| {
        Some(PlaneSettings {
            offset: plane.offset?,
            width: plane.width?,
            height: plane.height?,
        })
    });
    ThermalSettings {
        annotations: annotations
            .filter_map(|own| own.name.zip(own.file))
            .collect(),
        plane,
        grey_range: keys.grey_range.map(|range| range.0),
    }
}
