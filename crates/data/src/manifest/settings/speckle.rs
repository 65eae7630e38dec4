//! `speckle:`: a generated series.

use retrial_core::fault::Faults;
use retrial_core::yaml::{MapReader, text};
use retrial_synth::{Camera, Exposure, Profile, SeriesPlan, SpecklePattern};

use super::size;
use super::truth::read_field;
use crate::manifest::SpeckleSettings;
use crate::manifest::read::unknown_word;

pub(super) fn read_speckle(
    mut reader: MapReader<'_>,
    faults: &mut Faults,
) -> Option<SpeckleSettings> {
    let seed = reader
        .require("seed", faults)
        .and_then(|n| retrial_core::yaml::whole(n, &reader.path("seed"), faults));
    let mut side = |key: &'static str| {
        let node = reader.require(key, faults)?;
        let path = reader.path(key);
        let side = size(node, &path, faults)?;
        if (1..=8192).contains(&side) {
            return Some(side);
        }
        faults.add(&node.place, &path, format!("{side} px, expected 1 to 8192"));
        None
    };
    let (width_px, height_px) = (side("width_px"), side("height_px"));
    let pattern = match reader.map("pattern", faults) {
        Some(reader) => read_pattern(reader, faults),
        None => SpecklePattern::default(),
    };
    let camera = match reader.map("camera", faults) {
        Some(reader) => read_camera(reader, faults),
        None => Camera::default(),
    };
    let key = reader.path("images");
    reader.require("images", faults);
    let mut images = Vec::new();
    for (i, item) in reader
        .list("images", faults)
        .unwrap_or(&[])
        .iter()
        .enumerate()
    {
        let Some(mut reader) = MapReader::new(item, &format!("{key}[{i}]"), faults) else {
            continue;
        };
        let field = reader.map("truth", faults).and_then(|mut reader| {
            let field = read_field(&mut reader, faults);
            reader.finish(faults);
            field
        });
        let exposure = Exposure {
            gain: reader.number("gain", faults).unwrap_or(1.0),
            offset: reader.number("offset", faults).unwrap_or(0.0),
        };
        match field {
            Some(field) => images.push((field, exposure)),
            None => faults.add(
                &item.place,
                &reader.path("truth"),
                "a generated picture needs its field",
            ),
        }
        reader.finish(faults);
    }
    reader.finish(faults);
    Some(SpeckleSettings {
        seed: seed?,
        plan: SeriesPlan {
            width_px: width_px?,
            height_px: height_px?,
            pattern,
            camera,
            images,
        },
    })
}

fn read_pattern(mut reader: MapReader<'_>, faults: &mut Faults) -> SpecklePattern {
    let default = SpecklePattern::default();
    let profile = match reader.take("profile") {
        None => default.profile,
        Some(node) => match text(node, &reader.path("profile"), faults).as_deref() {
            Some("disc") => Profile::Disc,
            Some("gaussian") | None => Profile::Gaussian,
            Some(word) => {
                let path = reader.path("profile");
                unknown_word(node, &path, word, ["gaussian", "disc"].into_iter(), faults);
                default.profile
            }
        },
    };
    let mut number = |key, default| reader.number(key, faults).unwrap_or(default);
    let pattern = SpecklePattern {
        profile,
        spacing_px: number("spacing_px", default.spacing_px),
        jitter: number("jitter", default.jitter),
        radius_px: number("radius_px", default.radius_px),
        radius_spread: number("radius_spread", default.radius_spread),
    };
    reader.finish(faults);
    pattern
}

fn read_camera(mut reader: MapReader<'_>, faults: &mut Faults) -> Camera {
    let default = Camera::default();
    let bits = match reader.take("bits") {
        None => default.bits,
        Some(node) => {
            let path = reader.path("bits");
            match retrial_core::yaml::whole(node, &path, faults) {
                Some(bits @ (8 | 12 | 16)) => bits as u32,
                Some(bits) => {
                    faults.add_with_help(
                        &node.place,
                        &path,
                        format!("found {bits}"),
                        "use 8, 12 or 16",
                    );
                    default.bits
                }
                None => default.bits,
            }
        }
    };
    let mut number = |key, default| reader.number(key, faults).unwrap_or(default);
    let camera = Camera {
        bits,
        dark: number("dark", default.dark),
        bright: number("bright", default.bright),
        blur_px: number("blur_px", default.blur_px),
        read_noise: number("read_noise", default.read_noise),
        shot_noise: number("shot_noise", default.shot_noise),
    };
    reader.finish(faults);
    camera
}
