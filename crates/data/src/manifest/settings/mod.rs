//! The settings of the decoders: `series`, `speckle`, `thermal`, `pictures`, `scenes`, `targets`
//! and `parts`.

pub(in crate::manifest) mod parts;
mod pictures;
mod scenes;
mod speckle;
mod truth;

use std::path::Path;

use retrial_core::fault::{Fault, Faults};
use retrial_core::yaml::{MapReader, Node};

use self::parts::read_names;
use self::pictures::read_pictures;
use self::scenes::read_scenes;
use self::speckle::read_speckle;
use self::truth::read_truth;
use super::{
    PlaneSettings, SeriesSettings, Settings, SpeckleSettings, ThermalSettings, TruthSettings,
};

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
    reader: &mut MapReader<'_>,
    faults: &mut Faults,
) -> Option<Settings> {
    const KEYS: [&str; 7] = [
        "series", "speckle", "thermal", "pictures", "scenes", "targets", "parts",
    ];
    let given = KEYS.map(|key| reader.take(key).is_some().then_some(key));
    let given: Vec<&'static str> = given.into_iter().flatten().collect();
    match given[..] {
        [] => Some(Settings::None),
        ["parts"] => read_names(reader, faults).map(Settings::Parts),
        [key] => {
            let reader = reader.map(key, faults)?;
            match key {
                "series" => read_series(reader, faults).map(Settings::Series),
                "speckle" => read_speckle(reader, faults).map(Settings::Speckle),
                "thermal" => read_thermal(reader, faults).map(Settings::Thermal),
                "pictures" => read_pictures(reader, faults).map(Settings::Pictures),
                "targets" => read_targets(reader, faults),
                _ => read_scenes(reader, faults).map(Settings::Scenes),
            }
        }
        _ => {
            let help = format!("give one of {}", KEYS.join(", "));
            faults.add_with_help(reader.place(), "", "settings of several kinds", help);
            None
        }
    }
}

fn read_series(mut reader: MapReader<'_>, faults: &mut Faults) -> Option<SeriesSettings> {
    let reference = reader.require_text("reference", faults);
    let rows = reader.map("reference_rows", faults).and_then(|mut rows| {
        let first = rows
            .require("first", faults)
            .and_then(|n| size(n, &rows.path("first"), faults));
        let number = rows
            .require("number", faults)
            .and_then(|n| size(n, &rows.path("number"), faults));
        rows.finish(faults);
        Some((first?, number?))
    });
    let key = reader.path("images");
    reader.require("images", faults);
    let items = reader.list("images", faults);
    let images = items.map(|items| {
        let mut images = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let Some(mut reader) = MapReader::new(item, &format!("{key}[{i}]"), faults) else {
                continue;
            };
            let file = reader.require_text("file", faults);
            let truth = reader.require("truth", faults).and_then(|node| {
                let path = reader.path("truth");
                read_truth(node, &path, faults)
            });
            reader.finish(faults);
            if let (Some(file), Some(truth)) = (file, truth) {
                images.push((file, truth));
            }
        }
        images
    });
    if items.is_some_and(<[Node]>::is_empty) {
        faults.add(
            reader.place(),
            &key,
            "a series needs at least one deformed picture",
        );
    }
    reader.finish(faults);
    Some(SeriesSettings {
        reference: reference?,
        images: images?,
        reference_rows: rows,
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
        MapReader::new(&node, "", &mut faults).and_then(|reader| read_speckle(reader, &mut faults));
    faults.into_result(found)
}

fn read_targets(mut reader: MapReader<'_>, faults: &mut Faults) -> Option<Settings> {
    let node = reader.require("first_pixel", faults);
    let path = reader.path("first_pixel");
    let first = node.and_then(|node| {
        let number = retrial_core::yaml::whole(node, &path, faults)?;
        let known = u8::try_from(number).ok().filter(|first| *first <= 1);
        if known.is_none() {
            let message = format!("the first pixel's centre is at {number}");
            faults.add_with_help(&node.place, &path, message, "use 0, or 1 as in MATLAB");
        }
        known
    });
    reader.finish(faults);
    first.map(|first_pixel| Settings::Targets { first_pixel })
}

fn size(node: &Node, path: &str, faults: &mut Faults) -> Option<usize> {
    retrial_core::yaml::whole(node, path, faults).and_then(|n| usize::try_from(n).ok())
}

/// `grey_range: [black, white]`, two values of 16-bit grey.
fn grey_range(reader: &mut MapReader<'_>, faults: &mut Faults) -> Option<[u16; 2]> {
    let node = reader.take("grey_range")?;
    let path = reader.path("grey_range");
    let values = retrial_core::yaml::list(node, &path, faults)?;
    let value = |node: &Node, faults: &mut Faults| {
        let value = retrial_core::yaml::whole(node, &path, faults)?;
        u16::try_from(value).ok()
    };
    let values: Vec<Option<u16>> = values.iter().map(|node| value(node, faults)).collect();
    if let [Some(black), Some(white)] = values[..]
        && black < white
    {
        return Some([black, white]);
    }
    let help = "write [BLACK, WHITE] with 0 ≤ BLACK < WHITE ≤ 65535";
    let message = format!("found {}", node.describe());
    faults.add_with_help(&node.place, &path, message, help);
    None
}

fn read_thermal(mut reader: MapReader<'_>, faults: &mut Faults) -> Option<ThermalSettings> {
    let key = reader.path("annotations");
    reader.require("annotations", faults);
    let mut annotations = Vec::new();
    for (i, item) in reader
        .list("annotations", faults)
        .unwrap_or(&[])
        .iter()
        .enumerate()
    {
        let Some(mut reader) = MapReader::new(item, &format!("{key}[{i}]"), faults) else {
            continue;
        };
        let name = reader.require_text("name", faults);
        let file = reader.require_text("file", faults);
        reader.finish(faults);
        annotations.extend(name.zip(file));
    }
    let plane = reader.map("plane", faults).and_then(|mut reader| {
        let offset = reader
            .require("offset", faults)
            .and_then(|n| retrial_core::yaml::whole(n, &reader.path("offset"), faults));
        let width = reader
            .require("width", faults)
            .and_then(|n| size(n, &reader.path("width"), faults));
        let height = reader
            .require("height", faults)
            .and_then(|n| size(n, &reader.path("height"), faults));
        reader.finish(faults);
        Some(PlaneSettings {
            offset: offset?,
            width: width?,
            height: height?,
        })
    });
    let grey_range = grey_range(&mut reader, faults);
    reader.finish(faults);
    Some(ThermalSettings {
        annotations,
        plane,
        grey_range,
    })
}
