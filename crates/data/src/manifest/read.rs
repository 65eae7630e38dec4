//! Reads a manifest: every fault at once, each with file, line, column and key.

use std::path::Path;

use retrial_core::fault::{Fault, Faults, Place};
use retrial_core::keys::{At, KeyType as _, Site};
use retrial_core::yaml::{Node, Value, parse};

use super::files::read_files;
use super::keys::{ManifestKeys, VariantKeys};
use super::settings::parts::{ReadPart, check_digest, read_parts};
use super::settings::read_settings;
use super::sources::source;
use super::{FileEntry, Manifest, Settings, Source, Variant};

/// Reads the text of the manifest at `path`.
///
/// # Errors
/// Every fault of the text.
pub fn read_manifest(path: &Path, text: &str) -> Result<Manifest, Vec<Fault>> {
    read(path, text, Some(read_part))
}

/// Reads the manifest of a part, which has no parts itself; those it names all the same are left
/// alone, so that sets that name each other come to an end.
fn read_part(path: &Path, text: &str) -> Result<Manifest, Vec<Fault>> {
    read(path, text, None)
}

fn read(path: &Path, text: &str, part: Option<ReadPart>) -> Result<Manifest, Vec<Fault>> {
    let root = parse(&path.display().to_string(), text)?;
    let mut faults = Faults::default();
    let manifest = ManifestKeys::read(&root, "", &mut faults)
        .and_then(|keys| manifest(keys, &root, path, part, &mut faults));
    faults.into_result(manifest)
}

fn manifest(
    mut keys: ManifestKeys,
    root: &Node,
    path: &Path,
    part: Option<ReadPart>,
    faults: &mut Faults,
) -> Option<Manifest> {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    if let Some(name) = &keys.name
        && let Some(found) = folder.file_name()
        && found != name.0.value.as_str()
    {
        let message = format!("{:?} lies in the folder {found:?}", name.0.value);
        name.0
            .fault_with_help(message, "give both the same name", faults);
    }
    let settings = read_settings(&mut keys, faults);
    let parts = match (part, &settings) {
        (Some(read), Some(Settings::Parts(_))) => {
            let named = keys.parts.as_ref().map_or(&[][..], |own| &own.value[..]);
            read_parts(named, &folder, read, faults)
        }
        _ => Some(Vec::new()),
    };
    let content = keys.content.map(|content| content.0);
    if let (Some(stated), Some(parts)) = (&content, &parts)
        && !parts.is_empty()
    {
        check_digest(stated, parts, faults);
    }
    let variants = keys
        .variants
        .map(|stated| variants(stated, &folder, faults));
    if let (Some(settings), Some(variants)) = (&settings, &variants) {
        for variant in variants {
            check_settings(root, settings, variant, faults);
        }
    }
    Some(Manifest {
        name: keys.name?.0.value,
        title: keys.title?,
        kind: keys.kind?.0,
        licence: keys.licence?,
        redistribution: keys.redistribution?.0,
        citation: keys.citation?,
        homepage: keys.homepage,
        content: content?.value,
        strict: keys.strict,
        settings: settings?,
        variants: variants?,
        parts: parts?,
        folder,
    })
}

pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn variants(stated: At<Vec<VariantKeys>>, folder: &Path, faults: &mut Faults) -> Vec<Variant> {
    let At { value, place, path } = stated;
    if value.is_empty() {
        faults.add(&place, &path, "a data set needs at least one variant");
    }
    let mut variants: Vec<Variant> = Vec::new();
    for keys in value {
        let site = keys.site.clone();
        let Some(variant) = variant(keys, folder, faults) else {
            continue;
        };
        if variants.iter().any(|other| other.name == variant.name) {
            let message = format!("a second variant `{}`", variant.name);
            site.fault("", message, "give every variant its own name", faults);
        }
        variants.push(variant);
    }
    one_kind(&place, &variants, faults);
    variants
}

/// Studies choose data sets by the kind of their content, so all variants must have one.
fn one_kind(place: &Place, variants: &[Variant], faults: &mut Faults) {
    let Some(first) = variants.first() else {
        return;
    };
    for other in variants {
        if other.decoder.kind != first.decoder.kind {
            let message = format!(
                "`{}` decodes to {}, `{}` to {}",
                first.name, first.decoder.kind, other.name, other.decoder.kind
            );
            let help = "give the variants of one data set decoders of one kind";
            faults.add_with_help(place, "variants", message, help);
        }
    }
}

fn variant(keys: VariantKeys, folder: &Path, faults: &mut Faults) -> Option<Variant> {
    let Site { place, .. } = &keys.site;
    let key = keys.site.path("files");
    let name = keys.name.and_then(|name| {
        if safe_path(&name.value) && !name.value.contains('/') {
            return Some(name.value);
        }
        let message = format!("{:?} is no name for a variant", name.value);
        name.fault_with_help(message, "use letters, digits, `-` and `_`", faults);
        None
    });
    let decoder = keys.decoder.map(|decoder| decoder.0);
    // What is stated and cannot be read is not what is left out.
    let sources: Option<Vec<Source>> = match keys.sources {
        None if keys.site.gives("sources") => None,
        stated => {
            // Every item is read before one that is faulty spoils the list.
            let sources = stated.unwrap_or_default().into_iter();
            let sources: Vec<Option<Source>> = sources.map(|keys| source(keys, faults)).collect();
            sources.into_iter().collect()
        }
    };
    let files: Option<Vec<FileEntry>> = match keys.files {
        None if keys.site.gives("files") => None,
        None => Some(Vec::new()),
        Some(stated) => read_files(stated, folder, faults),
    };
    if let (Some(decoder), Some(files), Some(sources)) = (decoder, &files, &sources) {
        if decoder.generates && !(files.is_empty() && sources.is_empty()) {
            let message = format!("`{}` generates its data", decoder.name);
            faults.add_with_help(place, &key, message, "leave files and sources out");
        } else if !decoder.generates && (files.is_empty() || sources.is_empty()) {
            let message = format!("`{}` needs files and sources", decoder.name);
            faults.add(place, &key, message);
        }
        for (i, file) in files.iter().enumerate() {
            if !decoder.roles.contains(&file.role.as_str()) {
                let known: Vec<&str> = decoder
                    .roles
                    .iter()
                    .copied()
                    .filter(|r| !r.is_empty())
                    .collect();
                let message = format!("file {i} ({}) has the role {:?}", file.path, file.role);
                let help = match known.is_empty() {
                    true => format!("`{}` knows no roles", decoder.name),
                    false => format!("`{}` knows {}", decoder.name, known.join(", ")),
                };
                faults.add_with_help(place, &key, message, help);
            }
        }
    }
    Some(Variant {
        name: name?,
        decoder: decoder?,
        files: files?,
        sources: sources?,
    })
}

fn check_settings(root: &Node, settings: &Settings, variant: &Variant, faults: &mut Faults) {
    let wanted = variant.decoder.settings;
    let found = settings.key();
    let node = root.get(found);
    let place = node.map_or(&root.place, |node| &node.place);
    if wanted != found {
        let message = match wanted {
            "" => format!("`{}` takes no settings", variant.decoder.name),
            _ => format!("`{}` needs the settings `{wanted}`", variant.decoder.name),
        };
        faults.add(place, found, message);
    }
    for name in settings.named_files() {
        if !variant.files.iter().any(|file| file.path == name) {
            let place = node.and_then(|node| place_of(node, name)).unwrap_or(place);
            let message = format!(
                "{name:?} is not among the files of variant `{}`",
                variant.name
            );
            faults.add(place, found, message);
        }
    }
}

/// Where a text first stands below a node.
fn place_of<'n>(node: &'n Node, wanted: &str) -> Option<&'n Place> {
    match &node.value {
        Value::Text(text) if text == wanted => Some(&node.place),
        Value::List(items) => items.iter().find_map(|item| place_of(item, wanted)),
        Value::Map(entries) => entries.iter().find_map(|e| place_of(&e.node, wanted)),
        _ => None,
    }
}

/// Whether a path stays inside the folder it is joined to on every system.
pub(crate) fn safe_path(path: &str) -> bool {
    let plain =
        |c: char| !c.is_control() && !matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    !path.is_empty()
        && path.len() <= 240
        && path.chars().all(plain)
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != ".." && !part.starts_with('.'))
}
