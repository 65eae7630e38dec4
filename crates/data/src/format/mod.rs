//! From files to content: one file a format, all of them in [`DECODERS`].

pub mod annotated;
pub mod annotation;
mod census;
mod csv_repair;
pub mod generated;
pub mod gray;
pub mod image_series;
pub(crate) mod jpeg;
pub mod labelled;
pub mod mnist_csv;
pub mod mnist_idx;
mod picture_end;
pub mod pictures;
pub mod scenes;
pub(crate) mod several;
pub mod target_points;
pub mod thermal;
mod tiff_chunks;
mod tiff_page;
pub mod torch_weights;
pub mod weights;

use std::path::{Path, PathBuf};

use crate::content::{Content, kind};
use crate::error::DataError;
use crate::fetch::Obtained;
use crate::manifest::{Manifest, Settings};

/// One way of turning files into content.
#[derive(Clone, Copy, Debug)]
pub struct Decoder {
    /// Its name in a manifest.
    pub name: &'static str,
    /// The manifest key of its settings; empty for none.
    pub settings: &'static str,
    /// The roles a file may have; an empty text stands for a file without a role.
    pub roles: &'static [&'static str],
    /// Whether it needs no file of its own.
    pub generates: bool,
    /// What it gives, as [`Content::kind`] says it.
    pub kind: &'static str,
    /// The decoding itself.
    pub(crate) decode: fn(&Inputs<'_>) -> Result<Content, DataError>,
}

/// What a decoder works on.
pub(crate) struct Inputs<'a> {
    pub(crate) dataset: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) files: &'a [InputFile],
    /// Whether what could be repaired is a fault.
    pub(crate) strict: bool,
    /// The data sets it is made of, with what was obtained of each.
    pub(crate) parts: Vec<(&'a Manifest, &'a Obtained)>,
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its path in the manifest.
    pub path: String,
    /// Its role.
    pub role: String,
    /// Where it lies.
    pub at: PathBuf,
}

/// Every format.
pub const DECODERS: &[Decoder] = &[
    Decoder {
        name: "image-series",
        settings: "series",
        roles: &["", "truth"],
        generates: false,
        kind: kind::SERIES,
        decode: image_series::decode,
    },
    Decoder {
        name: "speckle-series",
        settings: "speckle",
        roles: &[],
        generates: true,
        kind: kind::SERIES,
        decode: generated::speckle_series,
    },
    Decoder {
        name: "mnist-csv",
        settings: "",
        roles: &["train", "test"],
        generates: false,
        kind: kind::DIGITS,
        decode: mnist_csv::decode,
    },
    Decoder {
        name: "mnist-idx",
        settings: "",
        roles: &["train-images", "train-labels", "test-images", "test-labels"],
        generates: false,
        kind: kind::DIGITS,
        decode: mnist_idx::decode,
    },
    Decoder {
        name: "thermal-coco",
        settings: "thermal",
        roles: &["picture", "temperature", "annotations"],
        generates: false,
        kind: kind::THERMAL,
        decode: thermal::decode,
    },
    Decoder {
        name: "annotated-pictures",
        settings: "pictures",
        roles: &["picture", "annotations"],
        generates: false,
        kind: kind::THERMAL,
        decode: annotated::decode,
    },
    Decoder {
        name: "infrared-scenes",
        settings: "scenes",
        roles: &[],
        generates: true,
        kind: kind::THERMAL,
        decode: scenes::decode,
    },
    Decoder {
        name: "labelled-tar",
        settings: "",
        roles: &["train", "val", "labels", "classes"],
        generates: false,
        kind: kind::LABELLED,
        decode: labelled::decode,
    },
    Decoder {
        name: "picture-folder",
        settings: "",
        roles: &["picture"],
        generates: false,
        kind: kind::PICTURES,
        decode: pictures::decode,
    },
    Decoder {
        name: "weights-file",
        settings: "",
        roles: &["weights"],
        generates: false,
        kind: kind::WEIGHTS,
        decode: weights::decode,
    },
    Decoder {
        name: "target-points",
        settings: "targets",
        roles: &["image", "world"],
        generates: false,
        kind: kind::TARGETS,
        decode: target_points::decode,
    },
    Decoder {
        name: "several",
        settings: "parts",
        roles: &[],
        generates: true,
        kind: kind::SEVERAL,
        decode: several::decode,
    },
];

impl Inputs<'_> {
    /// The file at `path` of the manifest.
    pub(crate) fn file(&self, path: &str) -> Result<&Path, DataError> {
        self.files
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.at.as_path())
            .ok_or_else(|| DataError::format(Path::new(path), "the manifest names no such file"))
    }

    /// The one file of a role.
    pub(crate) fn role(&self, role: &str) -> Result<&Path, DataError> {
        let mut files = self.files.iter().filter(|file| file.role == role);
        match (files.next(), files.next()) {
            (Some(file), None) => Ok(&file.at),
            (found, _) => {
                let number = if found.is_some() {
                    "several files"
                } else {
                    "no file"
                };
                let what = format!(
                    "data set `{}` has {number} of the role `{role}`",
                    self.dataset
                );
                Err(DataError::format(Path::new(self.dataset), what))
            }
        }
    }
}

/// Decodes the files of one variant.
pub(crate) fn decode_files(
    manifest: &Manifest,
    decoder: &Decoder,
    obtained: &Obtained,
) -> Result<Content, DataError> {
    (decoder.decode)(&Inputs {
        dataset: &manifest.name,
        settings: &manifest.settings,
        files: &obtained.files,
        strict: manifest.strict,
        parts: manifest.parts.iter().zip(&obtained.parts).collect(),
    })
}
