//! The `sources` of a variant: where its files are.

use retrial_core::fault::Faults;
use retrial_core::keys::At;

use super::keys::{PackageKeys, SourceKeys};
use super::model::Source;

pub(super) fn source(keys: SourceKeys, faults: &mut Faults) -> Option<Source> {
    let given = keys.site.alternatives(SourceKeys::MAP).len();
    if given != 1 {
        let kinds: Vec<&str> = SourceKeys::MAP.keys.iter().map(|key| key.name).collect();
        let message = format!("a source with {given} kinds");
        let help = format!("give exactly one of {}", kinds.join(", "));
        keys.site.fault("", message, help, faults);
        return None;
    }
    let mirror = keys.mirror.and_then(|mirror| template(mirror, faults));
    let bundled = keys.bundled.and_then(|bundled| template(bundled, faults));
    let package = keys.package.and_then(|keys| package(keys, faults));
    keys.url
        .and_then(|address| url(address, faults))
        .or(mirror.map(|template| Source::Mirror { template }))
        .or(bundled.map(|template| Source::Bundled { template }))
        .or(package)
}

fn url(address: At<String>, faults: &mut Faults) -> Option<Source> {
    let At {
        value: template,
        place,
        path,
    } = checked_template(address, faults)?;
    let rest = template.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if host.contains('@') {
        let message = format!(
            "the address of {:?} holds user information",
            host.rsplit('@').next().unwrap_or(host)
        );
        let help = "write the host alone; data are fetched without a name and a password";
        faults.add_with_help(&place, &path, message, help);
        return None;
    }
    // Plain HTTP only to this machine, which tests use.
    if template.starts_with("https://") || template.starts_with("http://127.0.0.1:") {
        return Some(Source::Url { template });
    }
    let message = format!("{template:?} is no address that is fetched");
    faults.add_with_help(&place, &path, message, "begin with https://");
    None
}

/// A template of a path that stays in its folder.
fn template(stated: At<String>, faults: &mut Faults) -> Option<String> {
    let stated = checked_template(stated, faults)?;
    let template = &stated.value;
    let outside = template.starts_with('/')
        || template.split('/').any(|part| part == "..")
        || template.contains('\\');
    if outside {
        let message = format!("{template:?} leaves its folder");
        stated.fault_with_help(message, "use a relative path without `..`", faults);
        return None;
    }
    Some(stated.value)
}

/// A text whose braces are only `{path}` and `{origin}`.
fn checked_template(stated: At<String>, faults: &mut Faults) -> Option<At<String>> {
    let rest = stated.value.replace("{path}", "").replace("{origin}", "");
    if rest.contains(['{', '}']) {
        let message = format!("{:?} holds an unknown placeholder", stated.value);
        stated.fault_with_help(message, "known are {path} and {origin}", faults);
        return None;
    }
    Some(stated)
}

fn package(keys: PackageKeys, faults: &mut Faults) -> Option<Source> {
    let name = keys
        .name
        .and_then(|name| word(name, "name", "@/._-", faults));
    let version = keys.version;
    let version = version.and_then(|version| word(version, "version", ".+-!", faults));
    let member = keys
        .member
        .and_then(|member| checked_template(member, faults));
    Some(Source::Package {
        registry: keys.registry?.0,
        name: name?,
        version: version?,
        member: member?.value,
    })
}

/// A word that a package manager cannot take for an option or a path; `what` it is of the package.
fn word(stated: At<String>, what: &str, signs: &str, faults: &mut Faults) -> Option<String> {
    let word = &stated.value;
    let plain = |c: char| c.is_ascii_alphanumeric() || signs.contains(c);
    let starts_well = |c: char| c.is_ascii_alphanumeric() || c == '@';
    if word.len() <= 200
        && word.starts_with(starts_well)
        && word.chars().all(plain)
        && !word.contains("..")
    {
        return Some(stated.value);
    }
    let message = format!("{word:?} is not a package's {what}");
    stated.fault_with_help(
        message,
        format!("use letters, digits and `{signs}`"),
        faults,
    );
    None
}
