//! `speckle:` what to generate.

use std::f64::consts::TAU;
use std::path::Path;
use std::sync::Arc;

use retrial_core::displacement::Displacement;
use retrial_core::fault::Faults;
use retrial_core::keys::{At, Form, Key, KeyType as _};
use retrial_core::yaml::Node;
use retrial_core::{bounded, keys};
use retrial_synth::{Camera, Exposure, Profile, SeriesPlan, SpecklePattern};

use crate::error::DataError;
use crate::format::exact_field::ExactField;
use crate::format::{FormatSettings, SettingsKey};
use crate::words::Known;

/// Where they stand in a manifest.
pub(super) const KEY: SettingsKey = SettingsKey {
    key: Key::new(
        "speckle",
        SpeckleKeys::form,
        "Settings of `speckle-series`.",
    ),
    read: read_settings,
};

keys! {
    /// A generated speckle series.
    pub struct SpeckleKeys {
        /// Seed of pattern and noise.
        seed: u64 [needed()];
        /// Columns of the pictures.
        width_px: Side [needed()];
        /// Rows of the pictures.
        height_px: Side [needed()];
        /// What the speckles look like.
        pattern: PatternKeys;
        /// The camera.
        camera: CameraKeys;
        /// The deformed pictures.
        images: At<Vec<SpeckleImageKeys>> [needed()];
    }
}

keys! {
    /// What the speckles look like.
    pub struct PatternKeys {
        /// Shape of a speckle.
        profile: Known<Profile> = Known(SpecklePattern::default().profile);
        /// Side of the square cell that holds one speckle, px.
        spacing_px: f64 = SpecklePattern::default().spacing_px;
        /// How far a speckle may lie from the centre of its cell, as a share of the cell: 0 is a regular lattice.
        jitter: f64 = SpecklePattern::default().jitter;
        /// Mean radius, px.
        radius_px: f64 = SpecklePattern::default().radius_px;
        /// Half width of the uniform distribution of radii, as a share of the mean.
        radius_spread: f64 = SpecklePattern::default().radius_spread;
    }
}

keys! {
    /// The camera of a generated series.
    pub struct CameraKeys {
        /// Bits of a pixel.
        bits: Bits = Bits(Camera::default().bits.into());
        /// Grey level of intensity 0, as a share of full scale.
        dark: f64 = Camera::default().dark;
        /// Grey level of intensity 1, as a share of full scale.
        bright: f64 = Camera::default().bright;
        /// Standard deviation of the blur by the optics, px.
        blur_px: Amount = Amount(Camera::default().blur_px);
        /// Standard deviation of the noise that does not depend on the light, grey levels.
        read_noise: Amount = Amount(Camera::default().read_noise);
        /// Variance of the noise a grey level of signal, grey levels.
        shot_noise: Amount = Amount(Camera::default().shot_noise);
    }
}

keys! {
    /// A generated deformed picture.
    pub struct SpeckleImageKeys {
        /// Its displacement, exactly.
        truth: ExactField [needed()];
        /// Factor of the grey levels.
        gain: f64 = Exposure::default().gain;
        /// Grey levels added.
        offset: f64 = Exposure::default().offset;
    }
}

bounded! {
    /// Columns or rows of a picture.
    pub struct Side(usize) in Form::Int(1, 8192);
    side => format!("{side} px"), "expected 1 to 8192";
}

bounded! {
    /// A number of 0 or more.
    pub struct Amount(f64) in Form::Float(0.0, f64::INFINITY);
    value => format!("{value}, expected 0 or more"), "write 0 for none";
}

bounded! {
    /// Bits of a pixel.
    pub struct Bits(u64) in Form::Either([8, 12, 16].map(Form::Fixed).to_vec());
    bits => format!("found {bits}"), "use 8, 12 or 16";
}

/// A generated speckle series.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeckleSettings {
    /// The seed of pattern and noise.
    pub seed: u64,
    /// Everything else.
    pub plan: SeriesPlan,
}

impl FormatSettings for SpeckleSettings {}

fn read_settings(node: &Node, path: &str, faults: &mut Faults) -> Option<Arc<dyn FormatSettings>> {
    let keys = SpeckleKeys::read(node, path, faults)?;
    Some(Arc::new(speckle_of(keys, faults)?))
}

/// Reads the settings of a speckle series, the keys below `speckle:`, from a file of their own.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Manifest`] with every fault.
pub fn read_speckle_settings(path: &Path) -> Result<SpeckleSettings, DataError> {
    let text = std::fs::read_to_string(path).map_err(DataError::io("reading", path))?;
    let node = retrial_core::yaml::parse(&path.display().to_string(), &text);
    let mut faults = Faults::default();
    let found = node.and_then(|node| {
        let keys = SpeckleKeys::read(&node, "", &mut faults);
        let found = keys.and_then(|keys| speckle_of(keys, &mut faults));
        faults.into_result(found)
    });
    found.map_err(DataError::Manifest)
}

/// What the keys mean together.
fn speckle_of(keys: SpeckleKeys, faults: &mut Faults) -> Option<SpeckleSettings> {
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
