//! The `sources` of a variant: where its files are.

use retrial_core::fault::Faults;
use retrial_core::yaml::{MapReader, Node, text};

use super::read::choice;
use super::{Registry, Source};

const KINDS: [&str; 4] = ["url", "mirror", "bundled", "package"];

pub(super) fn read_sources(reader: &mut MapReader<'_>, faults: &mut Faults) -> Option<Vec<Source>> {
    let key = reader.path("sources");
    let Some(node) = reader.take("sources") else {
        return Some(Vec::new());
    };
    let items = retrial_core::yaml::list(node, &key, faults)?;
    // Every item is read before one that is faulty spoils the list.
    let sources: Vec<Option<Source>> = items
        .iter()
        .enumerate()
        .map(|(i, item)| {
            let reader = MapReader::new(item, &format!("{key}[{i}]"), faults)?;
            source(reader, faults)
        })
        .collect();
    sources.into_iter().collect()
}

fn source(mut reader: MapReader<'_>, faults: &mut Faults) -> Option<Source> {
    let given: Vec<&'static str> = KINDS
        .into_iter()
        .filter(|kind| reader.take(kind).is_some())
        .collect();
    let source = match given[..] {
        ["url"] => url(&mut reader, faults),
        ["mirror"] => {
            let template = template(&mut reader, "mirror", faults)?;
            Some(Source::Mirror { template })
        }
        ["bundled"] => {
            let template = template(&mut reader, "bundled", faults)?;
            Some(Source::Bundled { template })
        }
        ["package"] => reader
            .map("package", faults)
            .and_then(|reader| package(reader, faults)),
        _ => {
            let message = format!("a source with {} kinds", given.len());
            let help = format!("give exactly one of {}", KINDS.join(", "));
            let path = reader.path("");
            faults.add_with_help(reader.place(), path.trim_end_matches('.'), message, help);
            None
        }
    };
    reader.finish(faults);
    source
}

fn url(reader: &mut MapReader<'_>, faults: &mut Faults) -> Option<Source> {
    let node = reader.take("url")?;
    let key = reader.path("url");
    let template = checked_template(node, &key, faults)?;
    let rest = template.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if host.contains('@') {
        let message = format!(
            "the address of {:?} holds user information",
            host.rsplit('@').next().unwrap_or(host)
        );
        let help = "write the host alone; data are fetched without a name and a password";
        faults.add_with_help(&node.place, &key, message, help);
        return None;
    }
    // Plain HTTP only to this machine, which tests use.
    if template.starts_with("https://") || template.starts_with("http://127.0.0.1:") {
        return Some(Source::Url { template });
    }
    let message = format!("{template:?} is no address that is fetched");
    faults.add_with_help(&node.place, &key, message, "begin with https://");
    None
}

fn template(reader: &mut MapReader<'_>, key: &'static str, faults: &mut Faults) -> Option<String> {
    let node = reader.take(key)?;
    let key = reader.path(key);
    let template = checked_template(node, &key, faults)?;
    let outside = template.starts_with('/')
        || template.split('/').any(|part| part == "..")
        || template.contains('\\');
    if outside {
        let message = format!("{template:?} leaves its folder");
        faults.add_with_help(
            &node.place,
            &key,
            message,
            "use a relative path without `..`",
        );
        return None;
    }
    Some(template)
}

/// A text whose braces are only `{path}` and `{origin}`.
fn checked_template(node: &Node, key: &str, faults: &mut Faults) -> Option<String> {
    let template = text(node, key, faults)?;
    let rest = template.replace("{path}", "").replace("{origin}", "");
    if rest.contains(['{', '}']) {
        let message = format!("{template:?} holds an unknown placeholder");
        faults.add_with_help(&node.place, key, message, "known are {path} and {origin}");
        return None;
    }
    Some(template)
}

fn package(mut reader: MapReader<'_>, faults: &mut Faults) -> Option<Source> {
    let registries = [("npm", Registry::Npm), ("pypi", Registry::Pypi)];
    let registry = choice(&mut reader, "registry", &registries, faults);
    let name = word(&mut reader, "name", "@/._-", faults);
    let version = word(&mut reader, "version", ".+-!", faults);
    let member = reader.require("member", faults).and_then(|node| {
        let key = reader.path("member");
        checked_template(node, &key, faults)
    });
    reader.finish(faults);
    Some(Source::Package {
        registry: registry?,
        name: name?,
        version: version?,
        member: member?,
    })
}

/// A word that a package manager cannot take for an option or a path.
fn word(
    reader: &mut MapReader<'_>,
    key: &'static str,
    signs: &str,
    faults: &mut Faults,
) -> Option<String> {
    let node = reader.require(key, faults)?;
    let path = reader.path(key);
    let word = text(node, &path, faults)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || signs.contains(c);
    let starts_well = |c: char| c.is_ascii_alphanumeric() || c == '@';
    if word.len() <= 200
        && word.starts_with(starts_well)
        && word.chars().all(plain)
        && !word.contains("..")
    {
        return Some(word);
    }
    let message = format!("{word:?} is not a package's {key}");
    faults.add_with_help(
        &node.place,
        &path,
        message,
        format!("use letters, digits and `{signs}`"),
    );
    None
}
