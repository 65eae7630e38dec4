//! `datasets/<name>/manifest.yaml`: what a data set is, where its files are and what they decode to.

mod files;
pub mod keys;
mod model;
mod read;
mod sources;

use retrial_core::keys::titled;
use retrial_core::reference::maps;

use self::keys::map;
pub(crate) use self::model::fill;
pub use self::model::{
    FORMAT, FileEntry, Kind, Manifest, Redistribution, Registry, Source, Variant,
};
pub use self::read::{ParsedManifest, parse_manifest};

/// The JSON Schema (2020-12) of `datasets/<name>/manifest.yaml`, for editors.
#[must_use]
pub fn schema() -> serde_json::Value {
    titled("retrial data set", map().schema())
}

/// The page of reference of manifests, as Markdown.
#[must_use]
pub fn reference() -> String {
    let sections = maps(&[("", map())]);
    format!(
        "# Reference of manifests\n\nWhat `datasets/<name>/manifest.yaml` can say. [README.md](README.md) says what data \
         sets are and how they are read.\n{sections}"
    )
}
