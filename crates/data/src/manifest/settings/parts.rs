//! `parts:`: the data sets a data set is made of; their manifests lie in the folders beside.

use std::path::Path;

use retrial_core::census::count;
use retrial_core::fault::{Faults, nearest};
use retrial_core::yaml::{MapReader, Node, text};

use crate::catalog::names;
use crate::format::several;
use crate::manifest::{Manifest, Settings};

/// How the manifest of a part is read.
pub(in crate::manifest) type ReadPart =
    fn(&Path, &str) -> Result<Manifest, Vec<retrial_core::fault::Fault>>;

/// The names under `parts`.
pub(super) fn read_names(reader: &mut MapReader<'_>, faults: &mut Faults) -> Option<Vec<String>> {
    let key = reader.path("parts");
    let node = reader.take("parts")?;
    let items = retrial_core::yaml::list(node, &key, faults)?;
    let mut parts: Vec<String> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let path = format!("{key}[{i}]");
        let Some(name) = text(item, &path, faults) else {
            continue;
        };
        if parts.contains(&name) {
            faults.add(&item.place, &path, format!("{name:?} is given twice"));
        }
        parts.push(name);
    }
    if items.is_empty() {
        faults.add(&node.place, &key, "a data set of parts needs at least one");
    }
    Some(parts)
}

/// The manifests of the parts of the manifest in `folder`.
pub(in crate::manifest) fn read_parts(
    reader: &mut MapReader<'_>,
    folder: &Path,
    read: ReadPart,
    faults: &mut Faults,
) -> Option<Vec<Manifest>> {
    let Some(items) = reader.list("parts", faults) else {
        return Some(Vec::new());
    };
    let key = reader.path("parts");
    // A manifest named without its folder lies in the current one.
    let beside = folder.parent().unwrap_or(Path::new(".."));
    let parts: Vec<Option<Manifest>> = items
        .iter()
        .enumerate()
        .map(|(i, item)| part(item, &format!("{key}[{i}]"), beside, read, faults))
        .collect();
    parts.into_iter().collect()
}

fn part(
    node: &Node,
    path: &str,
    beside: &Path,
    read: ReadPart,
    faults: &mut Faults,
) -> Option<Manifest> {
    let name = text(node, path, faults)?;
    let known = names(beside).unwrap_or_default();
    if !known.contains(&name) {
        let help = match nearest(&name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("in {}: {}", beside.display(), known.join(", ")),
        };
        let message = format!("there is no data set {name:?}");
        faults.add_with_help(&node.place, path, message, help);
        return None;
    }
    let file = beside.join(&name).join("manifest.yaml");
    let manifest = match std::fs::read_to_string(&file) {
        Ok(text) => read(&file, &text),
        Err(error) => {
            let message = format!("cannot read {}: {error}", file.display());
            faults.add(&node.place, path, message);
            return None;
        }
    };
    match manifest {
        Ok(part) if matches!(part.settings, Settings::Parts(_)) => {
            let message = format!("{name:?} is made of parts itself");
            let help = "name its parts here instead";
            faults.add_with_help(&node.place, path, message, help);
            None
        }
        Ok(part) => Some(part),
        Err(found) => {
            let first = found.first().map(ToString::to_string).unwrap_or_default();
            let message = format!(
                "{name:?} has {} itself: {first}",
                count(found.len(), "fault")
            );
            faults.add(&node.place, path, message);
            None
        }
    }
}

/// The stated digest must be that of the parts.
pub(in crate::manifest) fn check_digest(
    node: &Node,
    stated: &str,
    parts: &[Manifest],
    faults: &mut Faults,
) {
    let digests = parts.iter().map(|p| (p.name.as_str(), p.content.clone()));
    let expected = several::digest(digests);
    if stated != expected {
        let message = format!("{stated:?} is not the digest of the parts");
        let help = format!("write `{expected}`, which follows from their names and digests");
        faults.add_with_help(&node.place, "content", message, help);
    }
}
