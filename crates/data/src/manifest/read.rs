//! Reads a manifest: every fault at once, each with file, line, column and key.

use std::path::{Path, PathBuf};

use retrial_core::fault::{Fault, Faults, Place};
use retrial_core::keys::{At, Site};
use retrial_core::yaml::{Node, Value, parse};

use super::files::{read_files, safe_path};
use super::keys::{ManifestKeys, VariantKeys, map};
use super::model::{FileEntry, Manifest, Source, Variant};
use super::sources::source;
use crate::format::{Settings, settings_keys, several};

/// A manifest whose parts are not looked up yet, with the faults found so far.
#[derive(Debug)]
pub struct ParsedManifest {
    /// All but the parts; nothing where a fault hides some of it.
    manifest: Option<Manifest>,
    /// The digest that it states.
    content: Option<At<String>>,
    /// The data sets it is made of, as it names them.
    parts: Vec<At<String>>,
    faults: Faults,
}

/// Parses the text of the manifest at `path`; of other files it reads the tables that list its own.
///
/// # Errors
/// The fault of a text that is no mapping in YAML; other faults are kept until the parts are known.
pub fn parse_manifest(path: &Path, text: &str) -> Result<ParsedManifest, Vec<Fault>> {
    let root = parse(&path.display().to_string(), text)?;
    let mut faults = Faults::default();
    let Some(site) = map().site(&root, "", &mut faults) else {
        return faults.into_result(None);
    };
    let mut keys = ManifestKeys::at(site, &root, &mut faults);
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    if let Some(name) = &keys.name
        && let Some(found) = folder.file_name()
        && found != name.0.value.as_str()
    {
        let message = format!("{:?} lies in the folder {found:?}", name.0.value);
        name.0
            .fault_with_help(message, "give both the same name", &mut faults);
    }
    let settings = read_settings(&root, &keys.site, &mut faults);
    let variants = keys.variants.take();
    let variants = variants.map(|stated| read_variants(stated, &folder, &mut faults));
    if let (Some(settings), Some(variants)) = (&settings, &variants) {
        for variant in variants {
            check_settings(&root, settings, variant, &mut faults);
        }
    }
    let parts = settings.as_ref().map(|settings| settings.parts().to_vec());
    Ok(ParsedManifest {
        content: keys.content.as_ref().map(|content| content.0.clone()),
        parts: parts.unwrap_or_default(),
        manifest: whole(keys, settings, variants, folder),
        faults,
    })
}

/// The manifest without its parts, where nothing of it is missing.
fn whole(
    keys: ManifestKeys,
    settings: Option<Settings>,
    variants: Option<Vec<Variant>>,
    folder: PathBuf,
) -> Option<Manifest> {
    Some(Manifest {
        name: keys.name?.0.value,
        title: keys.title?,
        kind: keys.kind?.0,
        licence: keys.licence?,
        redistribution: keys.redistribution?.0,
        citation: keys.citation?,
        homepage: keys.homepage,
        content: keys.content?.0.value,
        strict: keys.strict,
        settings: settings?,
        variants: variants?,
        parts: Vec::new(),
        folder,
    })
}

impl ParsedManifest {
    /// The manifest alone; those it names as parts are left out.
    ///
    /// # Errors
    /// Every fault of the text.
    pub fn alone(self) -> Result<Manifest, Vec<Fault>> {
        self.faults.into_result(self.manifest)
    }

    /// The manifest with its parts, for which `find` gives the manifest of a name.
    ///
    /// # Errors
    /// Every fault of the text and of the parts.
    pub fn resolve(
        self,
        find: &dyn Fn(&At<String>, &mut Faults) -> Option<Manifest>,
    ) -> Result<Manifest, Vec<Fault>> {
        let mut faults = self.faults;
        let parts = self.parts.iter().map(|name| find(name, &mut faults));
        let parts: Vec<Option<Manifest>> = parts.collect();
        let parts: Option<Vec<Manifest>> = parts.into_iter().collect();
        if let (Some(stated), Some(parts)) = (&self.content, &parts)
            && !parts.is_empty()
        {
            check_digest(stated, parts, &mut faults);
        }
        let manifest = self.manifest.zip(parts);
        faults.into_result(manifest.map(|(manifest, parts)| Manifest { parts, ..manifest }))
    }
}

/// The stated digest must be that of the parts.
fn check_digest(stated: &At<String>, parts: &[Manifest], faults: &mut Faults) {
    let digests = parts.iter().map(|p| (p.name.as_str(), p.content.clone()));
    let expected = several::digest(digests);
    if stated.value != expected {
        let message = format!("{:?} is not the digest of the parts", stated.value);
        let help = format!("write `{expected}`, which follows from their names and digests");
        stated.fault_with_help(message, help, faults);
    }
}

/// The settings that are given, read by their format.
fn read_settings(root: &Node, site: &Site, faults: &mut Faults) -> Option<Settings> {
    let mut read = Vec::new();
    for own in settings_keys().filter(|own| site.gives(own.key.name)) {
        let name = own.key.name;
        if let Some(node) = root.get(name) {
            let settings = (own.read)(node, name, faults);
            read.push(settings.map(|settings| Settings::new(name, settings)));
        }
    }
    match read.len() {
        0 => Some(Settings::default()),
        1 => read.pop().flatten(),
        _ => {
            let known: Vec<&str> = settings_keys().map(|own| own.key.name).collect();
            let help = format!("give one of {}", known.join(", "));
            site.fault("", "settings of several kinds", help, faults);
            None
        }
    }
}

fn read_variants(stated: At<Vec<VariantKeys>>, folder: &Path, faults: &mut Faults) -> Vec<Variant> {
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
        let format = &decoder.format;
        if format.generates && !(files.is_empty() && sources.is_empty()) {
            let message = format!("`{}` generates its data", format.name);
            faults.add_with_help(place, &key, message, "leave files and sources out");
        } else if !format.generates && (files.is_empty() || sources.is_empty()) {
            let message = format!("`{}` needs files and sources", format.name);
            faults.add(place, &key, message);
        }
        for (i, file) in files.iter().enumerate() {
            if !format.roles.contains(&file.role.as_str()) {
                let known = format.roles.iter().copied().filter(|r| !r.is_empty());
                let known: Vec<&str> = known.collect();
                let message = format!("file {i} ({}) has the role {:?}", file.path, file.role);
                let help = match known.is_empty() {
                    true => format!("`{}` knows no roles", format.name),
                    false => format!("`{}` knows {}", format.name, known.join(", ")),
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

/// The settings must be those of the decoder, and the files they name among the variant's.
fn check_settings(root: &Node, settings: &Settings, variant: &Variant, faults: &mut Faults) {
    let format = &variant.decoder.format;
    let wanted = format.settings_key();
    let found = settings.key();
    let node = root.get(found);
    let place = node.map_or(&root.place, |node| &node.place);
    if wanted != found {
        let message = match wanted {
            "" => format!("`{}` takes no settings", format.name),
            _ => format!("`{}` needs the settings `{wanted}`", format.name),
        };
        faults.add(place, found, message);
    }
    for name in settings.files() {
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
