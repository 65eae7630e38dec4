//! Where a file of `retrial dic` comes from, as pairs of a key and a text.

use std::path::Path;

use retrial_data::hashing::sha256_file;
use retrial_dic::{Borders, Settings, ShapeOrder, SplineDegree};

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
    facts.extend(of_settings(settings));
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

/// Every setting of the correlation by its name.
fn of_settings(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings {
        subset_size_px,
        subset_shape,
        step_px,
        grid,
        borders,
        split,
        shape_order,
        prefilter,
        spline_degree,
        gradient,
        criterion,
        optimiser,
        reference_strategy,
        initial_guess,
        stop_value,
        iteration_limit,
        last_evaluation,
        min_zncc,
        instruction_set,
    } = settings;
    vec![
        ("subset_size_px", subset_size_px.to_string()),
        ("subset_shape", subset_shape.to_string()),
        ("step_px", step_px.to_string()),
        ("grid", grid.to_string()),
        (
            "borders",
            match borders {
                Borders::Whole => "whole".to_owned(),
                Borders::Truncated { least_share } => format!("truncated, share {least_share}"),
            },
        ),
        ("split", split.to_string()),
        (
            "shape_order",
            match shape_order {
                ShapeOrder::Zero => "0".to_owned(),
                ShapeOrder::One => "1".to_owned(),
                ShapeOrder::Two => "2".to_owned(),
            },
        ),
        (
            "prefilter",
            prefilter.map_or_else(
                || "none".to_owned(),
                |filter| {
                    format!(
                        "gaussian, {} px, window {} px",
                        filter.sigma_px, filter.window_px
                    )
                },
            ),
        ),
        (
            "spline_degree",
            match spline_degree {
                SplineDegree::Three => "3".to_owned(),
                SplineDegree::Five => "5".to_owned(),
            },
        ),
        ("gradient", gradient.to_string()),
        ("criterion", criterion.to_string()),
        ("optimiser", optimiser.to_string()),
        ("reference_strategy", reference_strategy.to_string()),
        ("initial_guess", initial_guess.to_string()),
        ("stop_value", stop_value.to_string()),
        ("iteration_limit", iteration_limit.to_string()),
        ("last_evaluation", last_evaluation.to_string()),
        ("min_zncc", min_zncc.to_string()),
        ("instruction_set", instruction_set.to_string()),
    ]
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
