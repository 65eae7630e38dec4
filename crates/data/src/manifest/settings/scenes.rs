//! `scenes:`: generated thermograms; what is left out is the generator's default.

use retrial_core::fault::Faults;
use retrial_core::yaml::{MapReader, text};
use retrial_synth::infrared::{Emissivity, EquipmentClass, SceneError, SceneSpec};

use crate::manifest::SceneSettings;
use crate::manifest::read::unknown_word;

/// Most scenes of one set, which is held in memory.
const MOST_SCENES: u64 = 20_000;

pub(super) fn read_scenes(mut reader: MapReader<'_>, faults: &mut Faults) -> Option<SceneSettings> {
    let mut whole = |key: &'static str| {
        let node = reader.require(key, faults)?;
        retrial_core::yaml::whole(node, &reader.path(key), faults)
    };
    let (seed, count) = (whole("seed"), whole("count"));
    let sides = (whole("width_px"), whole("height_px"));
    let default = SceneSpec::default();
    let classes = classes(&mut reader, faults);
    let objects = reader.map("objects", faults).and_then(|mut reader| {
        let mut whole = |key: &'static str| {
            let node = reader.require(key, faults)?;
            let value = retrial_core::yaml::whole(node, &reader.path(key), faults)?;
            usize::try_from(value).ok()
        };
        let ends = (whole("least"), whole("most"));
        reader.finish(faults);
        ends.0.zip(ends.1)
    });
    let emissivity = match reader.take("emissivity") {
        None => default.emissivity,
        Some(node) => {
            let path = reader.path("emissivity");
            match text(node, &path, faults).as_deref() {
                Some("black") => Emissivity::Black,
                Some("real") | None => Emissivity::Real,
                Some(word) => {
                    unknown_word(node, &path, word, ["black", "real"].into_iter(), faults);
                    default.emissivity
                }
            }
        }
    };
    let mut number = |key, default| reader.number(key, faults).unwrap_or(default);
    let spec = SceneSpec {
        seed: seed?,
        width: usize::try_from(sides.0?).ok()?,
        height: usize::try_from(sides.1?).ok()?,
        classes: classes.unwrap_or(default.classes),
        objects: objects.unwrap_or(default.objects),
        emissivity,
        alike: number("alike", default.alike),
        overlap: number("overlap", default.overlap),
        crop: number("crop", default.crop),
        tilt_deg: number("tilt_deg", default.tilt_deg),
        hot_spots: number("hot_spots", default.hot_spots),
        clutter: number("clutter", default.clutter),
        noise_k: number("noise_k", default.noise_k),
        column_k: number("column_k", default.column_k),
        blur_px: number("blur_px", default.blur_px),
        ..default
    };
    let path = reader.path("");
    let key = path.trim_end_matches('.');
    if let Err(SceneError::Spec { faults: found }) = spec.check() {
        for fault in found {
            faults.add(reader.place(), key, fault.to_string());
        }
    }
    let count = count?;
    if !(1..=MOST_SCENES).contains(&count) {
        let message = format!("{count} scenes, expected 1 to {MOST_SCENES}");
        faults.add(reader.place(), &reader.path("count"), message);
    }
    reader.finish(faults);
    Some(SceneSettings { count, spec })
}

/// The classes by name; `None` where they are left out.
fn classes(reader: &mut MapReader<'_>, faults: &mut Faults) -> Option<Vec<EquipmentClass>> {
    let key = reader.path("classes");
    let nodes = reader.list("classes", faults)?;
    let mut classes = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        let path = format!("{key}[{i}]");
        let Some(name) = text(node, &path, faults) else {
            continue;
        };
        match name.parse() {
            Ok(class) if classes.contains(&class) => {
                faults.add(&node.place, &path, format!("{name:?} is given twice"));
            }
            Ok(class) => classes.push(class),
            Err(_) => {
                let known = EquipmentClass::ALL.iter().map(|class| class.name());
                unknown_word(node, &path, &name, known, faults);
            }
        }
    }
    Some(classes)
}
