//! Where a file of `retrial dic` comes from, as pairs of a key and a text.

use std::path::Path;

use retrial_data::hashing::sha256_file;
use retrial_dic::Settings;

use super::file_name;
use super::frames::Frame;
use crate::cli::DicArgs;

/// What all files of one call share.
pub(super) fn shared(
    args: &DicArgs,
    settings: &Settings,
    size: (usize, usize),
) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("program", format!("retrial {}", env!("CARGO_PKG_VERSION"))),
        ("reference", file_name(&args.reference)),
        ("reference_sha256", sha256(&args.reference)),
        ("image_size", format!("{} x {} px", size.0, size.1)),
    ];
    facts.extend(settings.facts());
    for (name, hash, path) in [
        ("mask", "mask_sha256", &args.mask),
        ("points", "points_sha256", &args.points),
        ("calibration", "calibration_sha256", &args.calibration),
    ] {
        if let Some(path) = path {
            facts.push((name, file_name(path)));
            facts.push((hash, sha256(path)));
        }
    }
    if args.channel != retrial_data::Channel::Luma {
        facts.push(("channel", args.channel.to_string()));
    }
    if let Some(scale) = args.scale {
        facts.push(("scale", format!("{scale} mm/px")));
    }
    facts
}

/// The settings that are plain numbers.
const NUMBERS: [&str; 7] = [
    "subset_size_px",
    "step_px",
    "shape_order",
    "spline_degree",
    "stop_value",
    "iteration_limit",
    "min_zncc",
];

/// A fact as YAML has it: settings that are numbers as numbers, everything else as text.
pub(super) fn value(key: &str, text: &str) -> serde_json::Value {
    let number = NUMBERS.contains(&key).then(|| serde_json::from_str(text));
    number
        .and_then(Result::ok)
        .unwrap_or_else(|| text.to_owned().into())
}

/// What the files of one deformed image say of it.
pub(super) fn of_image(frame: &Frame) -> [(&'static str, String); 2] {
    [
        ("deformed", frame.name.clone()),
        ("deformed_sha256", sha256(&frame.path)),
    ]
}

fn sha256(path: &Path) -> String {
    sha256_file(path).map_or_else(|_| "unknown".to_owned(), |(hash, _)| hash)
}
