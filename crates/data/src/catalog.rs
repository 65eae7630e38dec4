//! The data sets of a folder: one sub-folder with a `manifest.yaml` each.

use std::fs;
use std::path::Path;

use crate::error::DataError;
use crate::manifest::{Manifest, read_manifest};

/// One data set of a folder.
#[derive(Debug)]
pub struct CatalogEntry {
    /// Its folder's name.
    pub name: String,
    /// Its manifest, or what is wrong with it.
    pub manifest: Result<Manifest, DataError>,
}

/// Every data set under `root`, by name.
///
/// # Errors
/// [`DataError::Io`] when `root` itself cannot be listed.
pub fn catalog(root: &Path) -> Result<Vec<CatalogEntry>, DataError> {
    Ok(names(root)?
        .into_iter()
        .map(|name| {
            let manifest = load_manifest(&root.join(&name).join("manifest.yaml"));
            CatalogEntry { name, manifest }
        })
        .collect())
}

/// The manifest of the data set `name` under `root`.
///
/// # Errors
/// [`DataError::Unknown`] with the names that exist, or as [`load_manifest`].
pub fn find_manifest(root: &Path, name: &str) -> Result<Manifest, DataError> {
    let known = names(root)?;
    if !known.iter().any(|candidate| candidate == name) {
        return Err(DataError::Unknown {
            name: name.to_owned(),
            folder: root.to_owned(),
            known,
        });
    }
    load_manifest(&root.join(name).join("manifest.yaml"))
}

/// Reads and checks one manifest; the folder it lies in must bear the data set's name.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Manifest`] with every fault.
pub fn load_manifest(path: &Path) -> Result<Manifest, DataError> {
    let text = retrial_core::yaml::read_file(path).map_err(DataError::io("reading", path))?;
    read_manifest(path, &text).map_err(DataError::Manifest)
}

/// The folders with a manifest under `root`, sorted.
pub(crate) fn names(root: &Path) -> Result<Vec<String>, DataError> {
    let entries = fs::read_dir(root).map_err(DataError::io("listing", root))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(DataError::io("listing", root))?;
        if entry.path().join("manifest.yaml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
