//! The settings of the decoders: `series`, `speckle` and `thermal`.

use retrial_core::displacement::Displacement;
use retrial_core::fault::Faults;
use retrial_core::yaml::{MapReader, Node, text};
use retrial_synth::{Camera, Exposure, Profile, SeriesPlan, SpecklePattern};

use super::read::unknown_word;
use super::{
    PlaneSettings, SeriesSettings, Settings, SpeckleSettings, TableSettings, ThermalSettings,
    TruthSettings,
};

impl Settings {
    /// The key under which these settings stand in a manifest.
    pub(crate) fn key(&self) -> &'static str {
        match self {
            Self::None => "",
            Self::Series(_) => "series",
            Self::Speckle(_) => "speckle",
            Self::Thermal(_) => "thermal",
        }
    }

    /// The files the settings name.
    pub(crate) fn named_files(&self) -> Vec<&str> {
        match self {
            Self::None | Self::Speckle(_) => Vec::new(),
            Self::Thermal(thermal) => thermal.annotations.iter().map(|a| a.1.as_str()).collect(),
            Self::Series(series) => {
                let mut names = vec![series.reference.as_str()];
                for (file, truth) in &series.images {
                    names.push(file);
                    if let TruthSettings::Table(table) = truth {
                        names.push(&table.file);
                    }
                }
                names
            }
        }
    }
}

pub(super) fn read_settings(reader: &mut MapReader<'_>, faults: &mut Faults) -> Option<Settings> {
    let series = reader.take("series").is_some();
    let speckle = reader.take("speckle").is_some();
    let thermal = reader.take("thermal").is_some();
    match (series, speckle, thermal) {
        (false, false, false) => Some(Settings::None),
        (true, false, false) => {
            let reader = reader.map("series", faults)?;
            read_series(reader, faults).map(Settings::Series)
        }
        (false, true, false) => {
            let reader = reader.map("speckle", faults)?;
            read_speckle(reader, faults).map(Settings::Speckle)
        }
        (false, false, true) => {
            let reader = reader.map("thermal", faults)?;
            read_thermal(reader, faults).map(Settings::Thermal)
        }
        _ => {
            let help = "give one of series, speckle, thermal";
            faults.add_with_help(reader.place(), "", "settings of several kinds", help);
            None
        }
    }
}

fn read_series(mut reader: MapReader<'_>, faults: &mut Faults) -> Option<SeriesSettings> {
    let reference = reader.require_text("reference", faults);
    let rows = reader.map("reference_rows", faults).and_then(|mut rows| {
        let first = rows
            .require("first", faults)
            .and_then(|n| size(n, &rows.path("first"), faults));
        let number = rows
            .require("number", faults)
            .and_then(|n| size(n, &rows.path("number"), faults));
        rows.finish(faults);
        Some((first?, number?))
    });
    let key = reader.path("images");
    reader.require("images", faults);
    let items = reader.list("images", faults);
    let images = items.map(|items| {
        let mut images = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let Some(mut reader) = MapReader::new(item, &format!("{key}[{i}]"), faults) else {
                continue;
            };
            let file = reader.require_text("file", faults);
            let truth = reader.require("truth", faults).and_then(|node| {
                let path = reader.path("truth");
                read_truth(node, &path, faults)
            });
            reader.finish(faults);
            if let (Some(file), Some(truth)) = (file, truth) {
                images.push((file, truth));
            }
        }
        images
    });
    if items.is_some_and(<[Node]>::is_empty) {
        faults.add(
            reader.place(),
            &key,
            "a series needs at least one deformed picture",
        );
    }
    reader.finish(faults);
    Some(SeriesSettings {
        reference: reference?,
        images: images?,
        reference_rows: rows,
    })
}

fn size(node: &Node, path: &str, faults: &mut Faults) -> Option<usize> {
    retrial_core::yaml::whole(node, path, faults).and_then(|n| usize::try_from(n).ok())
}

/// A truth: `unknown`, a field, or a table.
fn read_truth(node: &Node, path: &str, faults: &mut Faults) -> Option<TruthSettings> {
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

const FIELDS: [&str; 6] = [
    "translation",
    "affine",
    "rotation",
    "sinusoid",
    "star",
    "step",
];

/// The keys of a [`Displacement`], in the form its serde derive writes.
fn read_field(reader: &mut MapReader<'_>, faults: &mut Faults) -> Option<Displacement> {
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
        _ => {
            let known = FIELDS.into_iter().chain(["table"]);
            unknown_word(node, &path, &kind, known, faults);
            None
        }
    }
}

fn read_speckle(mut reader: MapReader<'_>, faults: &mut Faults) -> Option<SpeckleSettings> {
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

fn read_thermal(mut reader: MapReader<'_>, faults: &mut Faults) -> Option<ThermalSettings> {
    let key = reader.path("annotations");
    reader.require("annotations", faults);
    let mut annotations = Vec::new();
    for (i, item) in reader
        .list("annotations", faults)
        .unwrap_or(&[])
        .iter()
        .enumerate()
    {
        let Some(mut reader) = MapReader::new(item, &format!("{key}[{i}]"), faults) else {
            continue;
        };
        let name = reader.require_text("name", faults);
        let file = reader.require_text("file", faults);
        reader.finish(faults);
        annotations.extend(name.zip(file));
    }
    let plane = reader.map("plane", faults).and_then(|mut reader| {
        let offset = reader
            .require("offset", faults)
            .and_then(|n| retrial_core::yaml::whole(n, &reader.path("offset"), faults));
        let width = reader
            .require("width", faults)
            .and_then(|n| size(n, &reader.path("width"), faults));
        let height = reader
            .require("height", faults)
            .and_then(|n| size(n, &reader.path("height"), faults));
        reader.finish(faults);
        Some(PlaneSettings {
            offset: offset?,
            width: width?,
            height: height?,
        })
    });
    reader.finish(faults);
    Some(ThermalSettings { annotations, plane })
}
