//! `speckle:`: a generated series.

use std::f64::consts::TAU;

use retrial_core::displacement::Displacement;
use retrial_core::fault::Faults;
use retrial_synth::{Camera, Exposure, SeriesPlan, SpecklePattern};

use crate::manifest::SpeckleSettings;
use crate::manifest::keys::{CameraKeys, ExactField, PatternKeys, SpeckleKeys};

pub(super) fn speckle_of(keys: SpeckleKeys, faults: &mut Faults) -> Option<SpeckleSettings> {
    let pattern = keys.pattern.as_ref();
    let pattern = pattern.map_or_else(SpecklePattern::default, pattern_of);
    let camera = keys.camera.as_ref();
    let camera = camera.map_or_else(Camera::default, |camera| camera_of(camera, faults));
    if let Some(stated) = &keys.images
        && stated.value.is_empty()
    {
        let message = "is empty: a series has at least one deformed picture";
        stated.fault(message, faults);
    }
    let mut images = Vec::new();
    for image in keys.images.map_or(Vec::new(), |stated| stated.value) {
        let Some(ExactField(field)) = image.truth else {
            continue;
        };
        let width = keys.width_px.map(|side| side.0);
        if let Some((key, message)) = width.and_then(|width| impossible(&field, width)) {
            let path = image.site.path(&format!("truth.{key}"));
            faults.add(&image.site.place, &path, message);
        }
        let exposure = Exposure {
            gain: image.gain,
            offset: image.offset,
        };
        images.push((field, exposure));
    }
    Some(SpeckleSettings {
        seed: keys.seed?,
        plan: SeriesPlan {
            width_px: keys.width_px?.0,
            height_px: keys.height_px?.0,
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

fn pattern_of(keys: &PatternKeys) -> SpecklePattern {
    SpecklePattern {
        profile: keys.profile.0,
        spacing_px: keys.spacing_px,
        jitter: keys.jitter,
        radius_px: keys.radius_px,
        radius_spread: keys.radius_spread,
    }
}

fn camera_of(keys: &CameraKeys, faults: &mut Faults) -> Camera {
    if keys.dark >= keys.bright {
        let message = format!("{} is not below bright, {}", keys.dark, keys.bright);
        faults.add(&keys.site.place, &keys.site.path("dark"), message);
    }
    Camera {
        bits: keys.bits.0 as u32,
        dark: keys.dark,
        bright: keys.bright,
        blur_px: keys.blur_px.0,
        read_noise: keys.read_noise.0,
        shot_noise: keys.shot_noise.0,
    }
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
