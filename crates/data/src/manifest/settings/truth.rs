//! What is known about a picture: a field, a table, or nothing.

use retrial_core::displacement::Displacement;
use retrial_core::fault::Faults;
use retrial_core::yaml::{MapReader, Node, text};

use super::size;
use crate::manifest::read::unknown_word;
use crate::manifest::{TableSettings, TruthSettings};

/// A truth: `unknown`, a field, or a table.
pub(super) fn read_truth(node: &Node, path: &str, faults: &mut Faults) -> Option<TruthSettings> {
    if let retrial_core::yaml::Value::Text(word) = &node.value {
        if word == "unknown" {
            return Some(TruthSettings::Unknown);
        }
        unknown_word(node, path, word, ["unknown"].into_iter(), faults);
        return None;
    }
    let mut reader = MapReader::new(node, path, faults)?;
    if node
        .get("kind")
        .is_some_and(|kind| kind.value == retrial_core::yaml::Value::Text("table".to_owned()))
    {
        reader.take("kind");
        let file = reader.require_text("file", faults);
        let header_lines = reader.whole("header_lines", faults).unwrap_or(0);
        let u_field = reader
            .require("u_field", faults)
            .and_then(|n| size(n, &reader.path("u_field"), faults));
        let exx_field = reader
            .whole("exx_field", faults)
            .and_then(|n| usize::try_from(n).ok());
        reader.finish(faults);
        return Some(TruthSettings::Table(TableSettings {
            file: file?,
            header_lines: usize::try_from(header_lines).ok()?,
            u_field: u_field?,
            exx_field,
        }));
    }
    let field = read_field(&mut reader, faults);
    reader.finish(faults);
    field.map(TruthSettings::Field)
}

const FIELDS: [&str; 7] = [
    "translation",
    "affine",
    "rotation",
    "sinusoid",
    "star",
    "step",
    "crack",
];

/// The keys of a [`Displacement`], in the form its serde derive writes.
pub(super) fn read_field(reader: &mut MapReader<'_>, faults: &mut Faults) -> Option<Displacement> {
    let node = reader.require("kind", faults)?;
    let path = reader.path("kind");
    let kind = text(node, &path, faults)?;
    let mut number = |key: &'static str| {
        let node = reader.require(key, faults)?;
        retrial_core::yaml::number(node, &reader.path(key), faults)
    };
    match kind.as_str() {
        "translation" => {
            let (u, v) = (number("u"), number("v"));
            Some(Displacement::Translation { u: u?, v: v? })
        }
        "affine" => {
            let (u0, v0) = (number("u0"), number("v0"));
            let (ux, uy, vx, vy) = (number("ux"), number("uy"), number("vx"), number("vy"));
            let (cx, cy) = (number("cx"), number("cy"));
            Some(Displacement::Affine {
                u0: u0?,
                v0: v0?,
                ux: ux?,
                uy: uy?,
                vx: vx?,
                vy: vy?,
                cx: cx?,
                cy: cy?,
            })
        }
        "rotation" => {
            let (angle_deg, cx, cy) = (number("angle_deg"), number("cx"), number("cy"));
            Some(Displacement::Rotation {
                angle_deg: angle_deg?,
                cx: cx?,
                cy: cy?,
            })
        }
        "sinusoid" => {
            let (au, av) = (number("au"), number("av"));
            let (period_px, phase) = (number("period_px"), number("phase"));
            Some(Displacement::Sinusoid {
                au: au?,
                av: av?,
                period_px: period_px?,
                phase: phase?,
            })
        }
        "star" => {
            let (amplitude, cy) = (number("amplitude"), number("cy"));
            let (left, slope) = (number("period_left"), number("period_slope"));
            Some(Displacement::Star {
                amplitude: amplitude?,
                cy: cy?,
                period_left: left?,
                period_slope: slope?,
            })
        }
        "step" => {
            let (u, v, y0) = (number("u"), number("v"), number("y0"));
            Some(Displacement::Step {
                u: u?,
                v: v?,
                y0: y0?,
            })
        }
        "crack" => {
            let (angle_deg, cx, cy) = (number("angle_deg"), number("cx"), number("cy"));
            let (opening, sliding) = (number("opening"), number("sliding"));
            Some(Displacement::Crack {
                angle_deg: angle_deg?,
                cx: cx?,
                cy: cy?,
                opening: opening?,
                sliding: sliding?,
            })
        }
        _ => {
            let known = FIELDS.into_iter().chain(["table"]);
            unknown_word(node, &path, &kind, known, faults);
            None
        }
    }
}
