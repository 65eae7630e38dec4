//! `speckle:`: a generated series.

use std::f64::consts::TAU;

use retrial_core::displacement::Displacement;
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
    let listed = reader.list("images", faults);
    if listed.is_some_and(<[_]>::is_empty) {
        let message = "is empty: a series has at least one deformed picture";
        faults.add(reader.place(), &key, message);
    }
    for (i, item) in listed.unwrap_or(&[]).iter().enumerate() {
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
        let folded = field.as_ref().zip(width_px);
        if let Some((key, message)) = folded.and_then(|(field, width)| impossible(field, width)) {
            let path = reader.path("truth");
            faults.add(&item.place, &format!("{path}.{key}"), message);
        }
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

/// Why no picture shows a field: where material would fold over itself, or a wave has no length.
/// The key to change, and what is wrong.
fn impossible(field: &Displacement, width: usize) -> Option<(&'static str, String)> {
    let steepest = |amplitude: f64, period: f64| TAU * amplitude.abs() / period;
    match *field {
        Displacement::Affine { ux, uy, vx, vy, .. } => {
            let area = (1.0 + ux) * (1.0 + vy) - uy * vx;
            let message = format!(
                "a unit of area becomes {area}; expected more than 0, or the material folds over"
            );
            (area <= 1e-3).then_some(("ux", message))
        }
        Displacement::Sinusoid { period_px, .. } if period_px <= 0.0 => {
            Some(("period_px", format!("{period_px} px, expected more than 0")))
        }
        Displacement::Sinusoid {
            au, av, period_px, ..
        } => {
            let steepest = steepest(au, period_px).max(steepest(av, period_px));
            let message = format!(
                "the strain reaches {steepest:.3}; from 1 on the material folds over: \
                 use a smaller amplitude or a longer wave"
            );
            (steepest >= 1.0).then_some(("period_px", message))
        }
        Displacement::Star {
            amplitude,
            period_left,
            period_slope,
            ..
        } => {
            let right = period_left + period_slope * width as f64;
            let least = period_left.min(right);
            if least <= 0.0 {
                let message = format!("a wave of {least} px, expected more than 0");
                return Some(("period_left", message));
            }
            let steepest = steepest(amplitude, least);
            let message = format!("the strain reaches {steepest:.3}; from 1 on it folds over");
            (steepest >= 1.0).then_some(("amplitude", message))
        }
        Displacement::Crack { opening, .. } if opening < 0.0 => Some((
            "opening",
            format!("{opening} px: the halves would lie over each other; expected 0 or more"),
        )),
        _ => None,
    }
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
    let mut amount = |key, default| {
        let value = reader.number(key, faults).unwrap_or(default);
        if value < 0.0 {
            let message = format!("{value}, expected 0 or more");
            faults.add(reader.place(), &reader.path(key), message);
        }
        value
    };
    let (blur_px, read_noise, shot_noise) = (
        amount("blur_px", default.blur_px),
        amount("read_noise", default.read_noise),
        amount("shot_noise", default.shot_noise),
    );
    let mut number = |key, default| reader.number(key, faults).unwrap_or(default);
    let camera = Camera {
        bits,
        dark: number("dark", default.dark),
        bright: number("bright", default.bright),
        blur_px,
        read_noise,
        shot_noise,
    };
    if camera.dark >= camera.bright {
        let message = format!("{} is not below bright, {}", camera.dark, camera.bright);
        faults.add(reader.place(), &reader.path("dark"), message);
    }
    reader.finish(faults);
    camera
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_no_picture_shows() {
        let affine = |ux: f64| Displacement::Affine {
            u0: 0.0,
            v0: 0.0,
            ux,
            uy: 0.0,
            vx: 0.0,
            vy: 0.0,
            cx: 0.0,
            cy: 0.0,
        };
        let wave = |au: f64, period_px: f64| Displacement::Sinusoid {
            au,
            av: 0.0,
            period_px,
            phase: 0.0,
        };
        let star = |amplitude: f64, period_slope: f64| Displacement::Star {
            amplitude,
            cy: 0.0,
            period_left: 10.0,
            period_slope,
        };
        let crack = |opening: f64| Displacement::Crack {
            angle_deg: 0.0,
            cx: 0.0,
            cy: 0.0,
            opening,
            sliding: 0.0,
        };
        let key = |field: &Displacement| impossible(field, 100).map(|(key, _)| key);
        for shown in [
            affine(-0.9),
            affine(3.0),
            wave(1.0, 7.0),
            star(0.5, 0.1),
            crack(0.0),
        ] {
            assert_eq!(key(&shown), None, "{shown:?}");
        }
        assert_eq!(key(&affine(-1.0)), Some("ux"));
        assert_eq!(key(&affine(-1.5)), Some("ux"));
        assert_eq!(key(&wave(1.0, 0.0)), Some("period_px"));
        assert_eq!(key(&wave(1.0, 6.0)), Some("period_px"));
        assert_eq!(key(&star(0.5, -0.1)), Some("period_left"));
        assert_eq!(key(&star(1.6, 0.1)), Some("amplitude"));
        assert_eq!(key(&crack(-0.1)), Some("opening"));
    }
}
