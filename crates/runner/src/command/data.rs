//! `retrial data`: data sets, where they are, and whether they are right.

use std::path::Path;

use retrial_data::{FetchOptions, Manifest, available, find_manifest};
use serde_json::json;

use super::data_check::say_all;
use super::plan::availability;
use super::run::obtain;
use super::{print_json, table};
use crate::cli::{DataVerb, Format};
use crate::failure::Failure;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, verb: &DataVerb) -> Result<(), Failure> {
    match verb {
        DataVerb::List { format } => list(workspace, *format),
        DataVerb::Fetch { names, offline } => {
            for name in names {
                fetch(workspace, name, *offline)?;
            }
            Ok(())
        }
        DataVerb::Verify { names, format } => verify(workspace, names, *format),
        DataVerb::Path {
            name,
            offline,
            format,
        } => path(workspace, name, *offline, *format),
    }
}

/// Brings a data set into the cache; what is there is hashed, and wrong files are replaced.
fn fetch(workspace: &Workspace, name: &str, offline: bool) -> Result<(), Failure> {
    let manifest = find(workspace, name)?;
    let options = workspace.fetch_options(offline);
    let mut wrong = retrial_data::verify(&manifest, &options.cache);
    wrong.retain(|file| file.fault.is_some());
    let mut variants: Vec<&str> = wrong.iter().map(|file| file.variant.as_str()).collect();
    variants.dedup();
    for variant in variants {
        let options = FetchOptions {
            variant: Some(variant.to_owned()),
            rehash: true,
            ..options.clone()
        };
        let obtained = retrial_data::obtain(&manifest, &options, &mut |_| {})?;
        for file in wrong.iter().filter(|file| file.variant == variant) {
            let (path, source) = (&file.path, &obtained.source_used);
            say!("{name}: {variant}/{path} was wrong and is replaced from {source}");
        }
    }
    let obtained = obtain(workspace, &manifest, offline)?;
    let options = workspace.fetch_options(true);
    let (content, _) = retrial_data::load(&manifest, &options, &mut |_| {})?;
    say!("{name}: {} from {}", obtained.variant, obtained.source_used);
    say_all(&[(name.to_owned(), content.census())]);
    Ok(())
}

fn find(workspace: &Workspace, name: &str) -> Result<Manifest, Failure> {
    Ok(find_manifest(&workspace.root.join("datasets"), name)?)
}

fn list(workspace: &Workspace, format: Format) -> Result<(), Failure> {
    let options = workspace.fetch_options(false);
    let mut rows = table(&["data set", "content", "where", "licence"]);
    let mut list = Vec::new();
    let (manifests, broken) = workspace.catalog()?;
    for manifest in manifests {
        let place = availability(&available(&manifest, &options));
        let kind = manifest.content_kind();
        list.push(json!({
            "name": manifest.name,
            "title": manifest.title,
            "content_kind": kind,
            "content": manifest.content,
            "generated": manifest.is_generated(),
            "availability": place,
            "licence": manifest.licence,
            "citation": manifest.citation,
        }));
        rows.add_row([manifest.name, kind.to_owned(), place, manifest.licence]);
    }
    if format == Format::Json {
        print_json(&json!({ "datasets": list }))?;
    } else {
        say!("{rows}");
    }
    let faults: Vec<_> = broken
        .into_iter()
        .flat_map(|broken| broken.faults)
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::Faults(faults))
    }
}

fn verify(workspace: &Workspace, names: &[String], format: Format) -> Result<(), Failure> {
    let cache = workspace.fetch_options(true).cache;
    let all = names.is_empty();
    let manifests = if all {
        workspace.manifests()?
    } else {
        names
            .iter()
            .map(|name| find(workspace, name))
            .collect::<Result<_, _>>()?
    };
    let mut list = Vec::new();
    let mut wrong = Vec::new();
    // Those that fetching again can mend.
    let mut fetchable = Vec::new();
    for manifest in manifests {
        let state = state(&manifest, &cache);
        if all && matches!(state, State::Absent) {
            continue;
        }
        let name = &manifest.name;
        if matches!(state, State::Absent | State::Wrong(_)) {
            fetchable.push(name.clone());
        }
        let (said, fault) = match state {
            State::Right => ("every byte is right".to_owned(), None),
            State::Partial { files } => (
                format!("cached and right: {files} of its files; others are not there"),
                None,
            ),
            State::Absent => {
                let fault = "nothing of it is in the cache".to_owned();
                (fault.clone(), Some(fault))
            }
            State::Wrong(fault) | State::Undecodable(fault) => (fault.clone(), Some(fault)),
        };
        if format == Format::Human {
            say!("{name}: {said}");
        }
        list.push(json!({ "name": name, "right": fault.is_none(), "fault": fault }));
        if fault.is_some() {
            wrong.push(name.clone());
        }
    }
    if format == Format::Json {
        print_json(&json!({ "datasets": list }))?;
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::Data(format!(
        "not right in {}: {}{}",
        cache.display(),
        wrong.join(", "),
        match fetchable.is_empty() {
            true => String::new(),
            false => format!(
                "\nhelp: `retrial data fetch {}` brings missing files and replaces wrong ones",
                fetchable.join(" ")
            ),
        }
    )))
}

/// What the cache holds of a data set.
enum State {
    /// A whole variant with the digest of the manifest.
    Right,
    /// No whole variant; every file that is there is right.
    Partial {
        /// How many are there.
        files: usize,
    },
    /// Nothing.
    Absent,
    /// Wrong files.
    Wrong(String),
    /// Right files that cannot be decoded, or decode to something else.
    Undecodable(String),
}

/// Hashes and decodes what is cached; changes nothing.
fn state(manifest: &Manifest, cache: &Path) -> State {
    let verified = retrial_data::verify(manifest, cache);
    let faults: Vec<String> = verified
        .iter()
        .filter_map(|file| {
            let fault = file.fault.as_ref()?;
            Some(format!("{}/{}: {fault}", file.variant, file.path))
        })
        .collect();
    if !faults.is_empty() {
        return State::Wrong(faults.join("; "));
    }
    match retrial_data::decode_cached(manifest, cache) {
        Some(Ok(_)) => State::Right,
        Some(Err(error)) => State::Undecodable(error.to_string()),
        None if verified.is_empty() => State::Absent,
        None => State::Partial {
            files: verified.len(),
        },
    }
}

fn path(workspace: &Workspace, name: &str, offline: bool, format: Format) -> Result<(), Failure> {
    let manifest = find(workspace, name)?;
    let obtained = obtain(workspace, &manifest, offline)?;
    if format == Format::Json {
        let files: Vec<_> = obtained
            .all_files()
            .iter()
            .map(|file| json!({ "path": file.path, "at": file.at, "role": file.role }))
            .collect();
        return print_json(&json!({ "name": name, "variant": obtained.variant, "files": files }));
    }
    for file in obtained.all_files() {
        say!("{}", file.at.display());
    }
    Ok(())
}
