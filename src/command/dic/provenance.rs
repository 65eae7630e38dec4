//! Where a file of `retrial dic` comes from, as pairs of a key and a text.

use std::path::Path;

use retrial_data::hashing::sha256_file;
use retrial_dic::Settings;

use super::file_name;
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
        ("settings", format!("{settings:?}")),
    ];
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
    if let Some(scale) = args.scale {
        facts.push(("scale", format!("{scale} mm/px")));
    }
    facts
}

/// What the files of one deformed image say of it.
pub(super) fn of_image(path: &Path) -> [(&'static str, String); 2] {
    [
        ("deformed", file_name(path)),
        ("deformed_sha256", sha256(path)),
    ]
}

fn sha256(path: &Path) -> String {
    sha256_file(path).map_or_else(|_| "unknown".to_owned(), |(hash, _)| hash)
}
