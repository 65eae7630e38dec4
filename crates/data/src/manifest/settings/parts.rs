//! `parts:`: the data sets a data set is made of; their manifests lie in the folders beside.

use std::path::Path;

use retrial_core::census::count;
use retrial_core::fault::{Faults, nearest};
use retrial_core::keys::At;

use crate::catalog::names;
use crate::format::several;
use crate::manifest::{Manifest, Settings};

/// How the manifest of a part is read.
pub(in crate::manifest) type ReadPart =
    fn(&Path, &str) -> Result<Manifest, Vec<retrial_core::fault::Fault>>;

/// The names under `parts`.
pub(super) fn part_names(stated: &At<Vec<At<String>>>, faults: &mut Faults) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for name in &stated.value {
        if parts.contains(&name.value) {
            name.fault(format!("{:?} is given twice", name.value), faults);
        }
        parts.push(name.value.clone());
    }
    if parts.is_empty() {
        stated.fault("a data set of parts needs at least one", faults);
    }
    parts
}

/// The manifests of the parts of the manifest in `folder`.
pub(in crate::manifest) fn read_parts(
    named: &[At<String>],
    folder: &Path,
    read: ReadPart,
    faults: &mut Faults,
) -> Option<Vec<Manifest>> {
    // A manifest named without its folder lies in the current one.
    let beside = folder.parent().unwrap_or(Path::new(".."));
    let parts = named.iter().map(|name| part(name, beside, read, faults));
    let parts: Vec<Option<Manifest>> = parts.collect();
    parts.into_iter().collect()
}

fn part(
    stated: &At<String>,
    beside: &Path,
    read: ReadPart,
    faults: &mut Faults,
) -> Option<Manifest> {
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
    let manifest = match std::fs::read_to_string(&file) {
        Ok(text) => read(&file, &text),
        Err(error) => {
            let message = format!("cannot read {}: {error}", file.display());
            stated.fault(message, faults);
            return None;
        }
    };
    match manifest {
        Ok(part) if matches!(part.settings, Settings::Parts(_)) => {
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

/// The stated digest must be that of the parts.
pub(in crate::manifest) fn check_digest(
    stated: &At<String>,
    parts: &[Manifest],
    faults: &mut Faults,
) {
    let digests = parts.iter().map(|p| (p.name.as_str(), p.content.clone()));
    let expected = several::digest(digests);
    if stated.value != expected {
        let message = format!("{:?} is not the digest of the parts", stated.value);
        let help = format!("write `{expected}`, which follows from their names and digests");
        stated.fault_with_help(message, help, faults);
    }
}
