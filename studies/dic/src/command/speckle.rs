//! `retrial speckle`: generated speckle pictures whose displacement is exact, as files.

use std::path::Path;

use retrial_core::census::count;
use retrial_core::displacement::Displacement;
use retrial_data::{SpeckleSettings, find_manifest, read_speckle_settings};
use retrial_runner::{Call, Failure, say};
use retrial_seed::Seed;
use retrial_store::{atomic_write, tiff};
use retrial_synth::render_series;
use serde::Serialize;

use crate::cli::SpeckleArgs;

/// The file that says what the pictures show.
const FACTS: &str = "series.yaml";

/// What the pictures show.
#[derive(Serialize)]
struct Facts {
    program: String,
    seed: u64,
    width_px: usize,
    height_px: usize,
    /// Bits of the camera: grey levels are 0 to 2^bits - 1.
    bits: u32,
    /// Bits of a pixel in the files; nothing is rescaled.
    stored_bits: u32,
    /// Shares of full scale of the ground and of the densest speckles.
    dark: f64,
    bright: f64,
    pattern: Pattern,
    blur_px: f64,
    read_noise: f64,
    shot_noise: f64,
    reference: String,
    images: Vec<Image>,
}

/// The speckles, by the keys of the settings.
#[derive(Serialize)]
struct Pattern {
    profile: &'static str,
    spacing_px: f64,
    jitter: f64,
    radius_px: f64,
    radius_spread: f64,
}

/// A deformed picture: the material point at (x, y) of the reference is at (x + u, y + v).
#[derive(Serialize)]
struct Image {
    file: String,
    truth: Displacement,
    gain: f64,
    offset: f64,
}

pub(super) fn run(call: &Call<'_>, args: &SpeckleArgs) -> Result<(), Failure> {
    let settings = settings(call, args)?;
    let facts_file = args.out.join(FACTS);
    let plan = &settings.plan;
    let name = |i: usize| format!("{i:04}.tif");
    let pictures = (0..=plan.images.len()).map(|i| args.out.join(name(i)));
    let there = pictures
        .chain([facts_file.clone()])
        .find(|path| path.exists());
    if let Some(path) = there.filter(|_| !args.force) {
        let path = path.display();
        return Err(Failure::usage(format!(
            "{path} is there already; use --force to replace its series"
        )));
    }
    let pictures = render_series(plan, Seed(settings.seed))
        .map_err(|error| Failure::usage(format!("cannot generate: {error}")))?;
    std::fs::create_dir_all(&args.out).map_err(|error| {
        Failure::storage(format!("cannot create {}: {error}", args.out.display()))
    })?;
    // Pictures of a longer series would mix with those of this one.
    for old in (pictures.len()..).map(|i| args.out.join(name(i))) {
        if !facts_file.exists() || !old.exists() {
            break;
        }
        std::fs::remove_file(&old).map_err(|error| {
            Failure::storage(format!("cannot remove {}: {error}", old.display()))
        })?;
    }
    let bits = plan.camera.bits;
    let stored_bits = if bits == 8 { 8 } else { 16 };
    for (i, picture) in pictures.iter().enumerate() {
        let what = format!("retrial speckle: picture {i}, {bits} bits stored in {stored_bits}");
        atomic_write(args.out.join(name(i)), &tiff::gray(picture, bits, &what))?;
    }
    let images = plan.images.iter().enumerate();
    let facts = Facts {
        program: format!("retrial {}", env!("CARGO_PKG_VERSION")),
        seed: settings.seed,
        width_px: plan.width_px,
        height_px: plan.height_px,
        bits,
        stored_bits,
        dark: plan.camera.dark,
        bright: plan.camera.bright,
        pattern: Pattern {
            profile: plan.pattern.profile.name(),
            spacing_px: plan.pattern.spacing_px,
            jitter: plan.pattern.jitter,
            radius_px: plan.pattern.radius_px,
            radius_spread: plan.pattern.radius_spread,
        },
        blur_px: plan.camera.blur_px,
        read_noise: plan.camera.read_noise,
        shot_noise: plan.camera.shot_noise,
        reference: name(0),
        images: images
            .map(|(i, (truth, exposure))| Image {
                file: name(i + 1),
                truth: truth.clone(),
                gain: exposure.gain,
                offset: exposure.offset,
            })
            .collect(),
    };
    let text = serde_yaml::to_string(&facts)
        .map_err(|error| Failure::storage(format!("no YAML: {error}")))?;
    atomic_write(&facts_file, text.as_bytes())?;
    say!(
        "{} of {} × {} px, {bits} bits stored in {stored_bits}, in {}; {FACTS} says what they show",
        count(pictures.len(), "picture"),
        plan.width_px,
        plan.height_px,
        args.out.display()
    );
    Ok(())
}

/// The settings of a file, or of a data set of that name.
fn settings(call: &Call<'_>, args: &SpeckleArgs) -> Result<SpeckleSettings, Failure> {
    let path = Path::new(&args.settings);
    if path.is_file() {
        return Ok(read_speckle_settings(path)?);
    }
    let datasets = call.workspace()?.root.join("datasets");
    let manifest = find_manifest(&datasets, &args.settings)?;
    let settings = manifest.settings.of::<SpeckleSettings>().cloned();
    settings.ok_or_else(|| {
        Failure::usage(format!(
            "the data set `{}` is no generated speckle series",
            args.settings
        ))
    })
}
