//! The data sets of a folder: one sub-folder with a `manifest.yaml` each.

use std::fs;
use std::path::Path;

use retrial_core::census::count;
use retrial_core::fault::{Fault, Faults, nearest};
use retrial_core::keys::At;

use crate::error::DataError;
use crate::manifest::{Manifest, ParsedManifest, parse_manifest};

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

/// Reads the text of the manifest at `path`, and the manifests of its parts in the folders beside.
///
/// # Errors
/// Every fault of the text and of the parts.
pub fn read_manifest(path: &Path, text: &str) -> Result<Manifest, Vec<Fault>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    // A manifest named without its folder lies in the current one.
    let beside = folder.parent().unwrap_or(Path::new(".."));
    parse_manifest(path, text)?.resolve(&|name, faults| part(name, beside, faults))
}

/// The manifest of a part, which has no parts itself: sets that name each other come to an end.
fn part(stated: &At<String>, beside: &Path, faults: &mut Faults) -> Option<Manifest> {
    let name = &stated.value;
    let known = names(beside).unwrap_or_default();
    if !known.contains(name) {
        let help = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("in {}: {}", beside.display(), known.join(", ")),
        };
        let message = format!("there is no data set {name:?}");
        stated.fault_with_help(message, help, faults);
        return None;
    }
    let file = beside.join(name).join("manifest.yaml");
    let manifest = match fs::read_to_string(&file) {
        Ok(text) => parse_manifest(&file, &text).and_then(ParsedManifest::alone),
        Err(error) => {
            let message = format!("cannot read {}: {error}", file.display());
            stated.fault(message, faults);
            return None;
        }
    };
    match manifest {
        Ok(part) if !part.settings.parts().is_empty() => {
            let message = format!("{name:?} is made of parts itself");
            let help = "name its parts here instead";
            stated.fault_with_help(message, help, faults);
            None
        }
        Ok(part) => Some(part),
        Err(found) => {
            let first = found.first().map(ToString::to_string).unwrap_or_default();
            let message = format!(
                "{name:?} has {} itself: {first}",
                count(found.len(), "fault")
            );
            stated.fault(message, faults);
            None
        }
    }
}

/// The folders with a manifest under `root`, sorted.
fn names(root: &Path) -> Result<Vec<String>, DataError> {
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
