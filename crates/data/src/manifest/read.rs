//! Reads a manifest: every fault at once, each with file, line, column and key.

use std::path::Path;

use retrial_core::fault::{Fault, Faults, Place, nearest};
use retrial_core::yaml::{MapReader, Node, Value, parse, text};

use super::settings::parts::{ReadPart, check_digest, read_parts};
use super::settings::read_settings;
use super::{FORMAT, FileEntry, Kind, Manifest, Redistribution, Settings, Source, Variant};
use super::{files::read_files, sources::read_sources};
use crate::format::DECODERS;

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
    let node = parse(&path.display().to_string(), text)?;
    let mut faults = Faults::default();
    let manifest = MapReader::new(&node, "", &mut faults)
        .and_then(|reader| manifest(reader, path, part, &mut faults));
    faults.into_result(manifest)
}

fn manifest(
    mut reader: MapReader<'_>,
    path: &Path,
    part: Option<ReadPart>,
    faults: &mut Faults,
) -> Option<Manifest> {
    check_format(&mut reader, faults);
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let name = reader
        .require("name", faults)
        .and_then(|node| dataset_name(node, &folder, faults));
    let title = reader.require_text("title", faults);
    let kind = choice(
        &mut reader,
        "kind",
        &[("real", Kind::Real), ("generated", Kind::Generated)],
        faults,
    );
    let licence = reader.require_text("licence", faults);
    let redistribution = choice(
        &mut reader,
        "redistribution",
        &[
            ("allowed", Redistribution::Allowed),
            ("not-stated", Redistribution::NotStated),
            ("forbidden", Redistribution::Forbidden),
        ],
        faults,
    );
    let citation = reader.require_text("citation", faults);
    let homepage = reader.text("homepage", faults);
    let content_node = reader.require("content", faults);
    let content = content_node.and_then(|node| content_digest(node, faults));
    let strict = reader.flag("strict", faults).unwrap_or(false);
    let settings = read_settings(&mut reader, faults);
    let parts = match (part, &settings) {
        (Some(read), Some(Settings::Parts(_))) => read_parts(&mut reader, &folder, read, faults),
        _ => Some(Vec::new()),
    };
    if let (Some(node), Some(stated), Some(parts)) = (content_node, &content, &parts)
        && !parts.is_empty()
    {
        check_digest(node, stated, parts, faults);
    }
    let variants = variants(&mut reader, &folder, faults);
    if let (Some(settings), Some(variants)) = (&settings, &variants) {
        for variant in variants {
            check_settings(&mut reader, settings, variant, faults);
        }
    }
    reader.finish(faults);
    Some(Manifest {
        name: name?,
        title: title?,
        kind: kind?,
        licence: licence?,
        redistribution: redistribution?,
        citation: citation?,
        homepage,
        content: content?,
        strict,
        settings: settings?,
        variants: variants?,
        parts: parts?,
        folder,
    })
}

fn check_format(reader: &mut MapReader<'_>, faults: &mut Faults) {
    let Some(node) = reader.require("format", faults) else {
        return;
    };
    if retrial_core::yaml::whole(node, "format", faults).is_some_and(|format| format != FORMAT) {
        let message = format!("found {}", node.describe());
        let help = format!("this program reads format {FORMAT}");
        faults.add_with_help(&node.place, "format", message, help);
    }
}

fn dataset_name(node: &Node, folder: &Path, faults: &mut Faults) -> Option<String> {
    let name = text(node, "name", faults)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 64 || name.starts_with('-') || !name.chars().all(plain) {
        let message = format!("{name:?} is no name for a data set");
        let help = "use a to z, 0 to 9 and `-`, at most 64 characters";
        faults.add_with_help(&node.place, "name", message, help);
        return None;
    }
    if let Some(found) = folder.file_name()
        && found != name.as_str()
    {
        let message = format!("{name:?} lies in the folder {found:?}");
        faults.add_with_help(&node.place, "name", message, "give both the same name");
    }
    Some(name)
}

fn content_digest(node: &Node, faults: &mut Faults) -> Option<String> {
    let digest = text(node, "content", faults)?;
    if digest
        .strip_prefix("blake3:")
        .is_some_and(|hex| is_hex(hex, 64))
    {
        return Some(digest);
    }
    let message = format!("{digest:?} is no digest");
    let help = "write `blake3:` and 64 hex digits (the example `digests` computes it)";
    faults.add_with_help(&node.place, "content", message, help);
    None
}

pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn variants(
    reader: &mut MapReader<'_>,
    folder: &Path,
    faults: &mut Faults,
) -> Option<Vec<Variant>> {
    let node = reader.require("variants", faults)?;
    let items = retrial_core::yaml::list(node, "variants", faults)?;
    let mut variants: Vec<Variant> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let path = format!("variants[{i}]");
        let Some(reader) = MapReader::new(item, &path, faults) else {
            continue;
        };
        let Some(variant) = variant(reader, folder, faults) else {
            continue;
        };
        if variants.iter().any(|other| other.name == variant.name) {
            let message = format!("a second variant `{}`", variant.name);
            faults.add_with_help(
                &item.place,
                &path,
                message,
                "give every variant its own name",
            );
        }
        variants.push(variant);
    }
    if items.is_empty() {
        faults.add(
            &node.place,
            "variants",
            "a data set needs at least one variant",
        );
    }
    one_kind(node, &variants, faults);
    Some(variants)
}

/// Studies choose data sets by the kind of their content, so all variants must have one.
fn one_kind(node: &Node, variants: &[Variant], faults: &mut Faults) {
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
            faults.add_with_help(&node.place, "variants", message, help);
        }
    }
}

fn variant(mut reader: MapReader<'_>, folder: &Path, faults: &mut Faults) -> Option<Variant> {
    let name = reader.require("name", faults).and_then(|node| {
        let path = reader.path("name");
        let name = text(node, &path, faults)?;
        if safe_path(&name) && !name.contains('/') {
            return Some(name);
        }
        let message = format!("{name:?} is no name for a variant");
        faults.add_with_help(
            &node.place,
            &path,
            message,
            "use letters, digits, `-` and `_`",
        );
        None
    });
    let decoder_node = reader.require("decoder", faults);
    let decoder = decoder_node.and_then(|node| {
        let path = reader.path("decoder");
        let name = text(node, &path, faults)?;
        let found = DECODERS.iter().find(|decoder| decoder.name == name);
        if found.is_none() {
            unknown_word(node, &path, &name, DECODERS.iter().map(|d| d.name), faults);
        }
        found
    });
    let sources: Option<Vec<Source>> = read_sources(&mut reader, faults);
    let files: Option<Vec<FileEntry>> = read_files(&mut reader, folder, faults);
    if let (Some(decoder), Some(files), Some(sources)) = (decoder, &files, &sources) {
        let path = reader.path("files");
        if decoder.generates && !(files.is_empty() && sources.is_empty()) {
            let message = format!("`{}` generates its data", decoder.name);
            faults.add_with_help(
                reader.place(),
                &path,
                message,
                "leave files and sources out",
            );
        } else if !decoder.generates && (files.is_empty() || sources.is_empty()) {
            let message = format!("`{}` needs files and sources", decoder.name);
            faults.add(reader.place(), &path, message);
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
                faults.add_with_help(reader.place(), &path, message, help);
            }
        }
    }
    reader.finish(faults);
    Some(Variant {
        name: name?,
        decoder: decoder?,
        files: files?,
        sources: sources?,
    })
}

fn check_settings(
    reader: &mut MapReader<'_>,
    settings: &Settings,
    variant: &Variant,
    faults: &mut Faults,
) {
    let wanted = variant.decoder.settings;
    let found = settings.key();
    let node = reader.take(found);
    let place = node.map_or(reader.place(), |node| &node.place);
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

/// The value of `key` among `known` words.
pub(super) fn choice<T: Copy>(
    reader: &mut MapReader<'_>,
    key: &'static str,
    known: &[(&'static str, T)],
    faults: &mut Faults,
) -> Option<T> {
    let node = reader.require(key, faults)?;
    let path = reader.path(key);
    let word = text(node, &path, faults)?;
    if let Some(&(_, value)) = known.iter().find(|(name, _)| *name == word) {
        return Some(value);
    }
    unknown_word(node, &path, &word, known.iter().map(|k| k.0), faults);
    None
}

/// A word that is not among those known.
pub(in crate::manifest) fn unknown_word(
    node: &Node,
    path: &str,
    word: &str,
    known: impl Iterator<Item = &'static str>,
    faults: &mut Faults,
) {
    let known: Vec<&str> = known.collect();
    let help = match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    faults.add_with_help(&node.place, path, format!("{word:?} is not known"), help);
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
