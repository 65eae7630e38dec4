//! Fetching a data set made of others: each part as it is alone.

use super::options::FetchOptions;
use super::state::{Availability, Obtained};
use crate::error::DataError;
use crate::manifest::{Manifest, Variant};

/// The options of every part. A variant `part/variant` is that of one part, and the others are
/// free; the data set's own name of a variant leaves all of them free.
pub(crate) fn part_options(
    manifest: &Manifest,
    options: &FetchOptions,
) -> Result<Vec<FetchOptions>, DataError> {
    let parts = &manifest.parts;
    let wanted = options.variant.as_deref().unwrap_or_default();
    let of_part = wanted.split_once('/');
    let known = match of_part {
        Some((name, variant)) => parts
            .iter()
            .any(|part| part.name == name && part.variant(variant).is_some()),
        None => wanted.is_empty() || manifest.variant(wanted).is_some(),
    };
    if !known {
        return Err(DataError::NoVariant {
            dataset: manifest.name.clone(),
            wanted: wanted.to_owned(),
            known: parts
                .iter()
                .flat_map(|part| {
                    let names = part.variants.iter().map(|v| &v.name);
                    names.map(|variant| format!("{}/{variant}", part.name))
                })
                .collect(),
        });
    }
    let variant = |part: &Manifest| {
        let (_, variant) = of_part.filter(|(name, _)| *name == part.name)?;
        Some(variant.to_owned())
    };
    Ok(parts
        .iter()
        .map(|part| FetchOptions {
            variant: variant(part),
            ..options.clone()
        })
        .collect())
}

/// What was obtained of every part, as one.
pub(crate) fn of_parts(manifest: &Manifest, parts: Vec<Obtained>) -> Obtained {
    let mut used: Vec<&str> = Vec::new();
    for kind in parts.iter().flat_map(|part| part.source_used.split(", ")) {
        if !used.contains(&kind) {
            used.push(kind);
        }
    }
    Obtained {
        dataset: manifest.name.clone(),
        variant: manifest
            .variants
            .first()
            .map_or_else(String::new, |v| v.name.clone()),
        source_used: used.join(", "),
        files: Vec::new(),
        parts,
    }
}

/// A whole is no nearer than its farthest part.
pub(super) fn farthest(
    manifest: &Manifest,
    parts: impl Iterator<Item = Availability>,
) -> Availability {
    let variant = manifest.variants.first();
    let variant = variant.map_or_else(String::new, |variant: &Variant| variant.name.clone());
    let mut whole = Availability::Generated;
    for part in parts {
        whole = match (whole, part) {
            (Availability::Offline, _) | (_, Availability::Offline) => Availability::Offline,
            (Availability::Remote { bytes: a }, Availability::Remote { bytes: b }) => {
                Availability::Remote { bytes: a + b }
            }
            (Availability::Remote { bytes }, _) | (_, Availability::Remote { bytes }) => {
                Availability::Remote { bytes }
            }
            (Availability::Local { .. }, _) | (_, Availability::Local { .. }) => {
                Availability::Local {
                    variant: variant.clone(),
                }
            }
            (Availability::Cached { .. }, _) | (_, Availability::Cached { .. }) => {
                Availability::Cached {
                    variant: variant.clone(),
                }
            }
            (Availability::Generated, Availability::Generated) => Availability::Generated,
        };
    }
    whole
}
