//! From file to tree: reading, `extends` and `--set`.

use std::path::{Path, PathBuf};

use super::keys::SpecKeys;
use crate::fault::{Fault, Faults, Place};
use crate::hash::FieldHasher;
use crate::yaml::{self, Entry, Node, Value};

/// Longest chain of `extends`.
const MAX_EXTENDS: usize = 8;

/// A spec as written, with `extends` and overrides applied.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file, as the person named it.
    pub file: String,
    /// Stem of the file, with a suffix where overrides changed it.
    pub name: String,
    /// The tree.
    pub root: Node,
    /// Keys that the command line changed.
    pub overridden: Vec<String>,
}

/// A change of a spec from the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Dotted key from the root: `params.step_px`.
    pub key: String,
    /// Value as YAML.
    pub value: String,
    /// The flag it came from, for messages.
    pub flag: String,
}

/// Reads a spec, the specs it extends, and applies overrides. What it extends must lie in the
/// project folder `root` or in the folder of the spec.
///
/// # Errors
/// Every fault of the text, of the chain of `extends` and of the overrides.
pub fn read(path: &Path, overrides: &[Override], root: &Path) -> Result<Written, Vec<Fault>> {
    let file = path.display().to_string();
    let within: Vec<PathBuf> = [root, path.parent().unwrap_or(Path::new(""))]
        .into_iter()
        .filter_map(|folder| real(folder).ok())
        .collect();
    if let Some(fault) = leads_out(path, &within) {
        return Err(vec![fault]);
    }
    let mut root = read_chain(path, &within, &mut Vec::new())?;
    let mut faults = Faults::default();
    for change in overrides {
        apply(&mut root, change, &mut faults);
    }
    let stem = path
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let start = Place {
        file: file.as_str().into(),
        line: 1,
        column: 1,
    };
    if !is_name(&stem) {
        let help = "use small letters, digits and hyphens: `subset-size.yaml`";
        faults.add_with_help(&start, "", format!("`{stem}` is no experiment name"), help);
    }
    let name = named_after(&stem, overrides);
    let overridden = overrides.iter().map(|change| change.key.clone()).collect();
    faults.into_result(Some(Written {
        file,
        name,
        root,
        overridden,
    }))
}

/// The experiment's name with what overrides changed, so that their records never mix: readable
/// words, and a hash that tells apart what the words do not.
fn named_after(stem: &str, overrides: &[Override]) -> String {
    if overrides.is_empty() {
        return stem.to_owned();
    }
    let mut changes: Vec<&Override> = overrides.iter().collect();
    // A stable sort: of two changes of one key the later one still wins.
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    let mut name = stem.to_owned();
    let mut hasher = FieldHasher::new("overrides");
    for change in changes {
        hasher.field(change.key.as_bytes());
        hasher.field(change.value.as_bytes());
        let key = change.key.rsplit('.').next().unwrap_or(&change.key);
        let text: String = format!("{key}-{}", change.value)
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "._-".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        name.push('+');
        name.push_str(text.trim_matches('-'));
    }
    let name: String = name.chars().take(100).collect();
    format!("{name}-{}", &hasher.short()[..6])
}

/// Whether a name is made of small letters, digits and hyphens.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The path without links; an empty one is the current folder.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    if path.as_os_str().is_empty() {
        Path::new(".").canonicalize()
    } else {
        path.canonicalize()
    }
}

/// The fault of a link that leads out of the folders `within`: the text of another file is not for
/// messages.
fn leads_out(path: &Path, within: &[PathBuf]) -> Option<Fault> {
    let real = path.is_symlink().then(|| path.canonicalize().ok())??;
    let place = Place {
        file: path.display().to_string().into(),
        line: 0,
        column: 0,
    };
    (!within.iter().any(|folder| real.starts_with(folder))).then(|| Fault {
        place,
        key: String::new(),
        message: format!(
            "a link that leads out of the project, to {}",
            real.display()
        ),
        help: Some("copy the spec to this place".to_owned()),
    })
}

fn read_chain(
    path: &Path,
    within: &[PathBuf],
    chain: &mut Vec<PathBuf>,
) -> Result<Node, Vec<Fault>> {
    let file = path.display().to_string();
    let start = Place {
        file: file.as_str().into(),
        line: 1,
        column: 1,
    };
    let one = |message: String| {
        vec![Fault {
            place: start.clone(),
            key: String::new(),
            message,
            help: None,
        }]
    };
    let text = yaml::read_file(path).map_err(|error| one(format!("cannot be read: {error}")))?;
    let node = yaml::parse(&file, &text)?;
    let Some(parent) = node.get("extends") else {
        return Ok(node);
    };
    let place = parent.place.clone();
    let wrong = |message: String| {
        vec![Fault {
            place: place.clone(),
            key: "extends".to_owned(),
            message,
            help: Some("name another spec, relative to this file".to_owned()),
        }]
    };
    let Value::Text(name) = &parent.value else {
        return Err(wrong(format!(
            "expected a file name, found {}",
            parent.describe()
        )));
    };
    let here = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    chain.push(here);
    let parent_path = path.parent().unwrap_or(Path::new("")).join(name);
    let real = parent_path
        .canonicalize()
        .map_err(|error| wrong(format!("`{name}` cannot be read: {error}")))?;
    if !within.iter().any(|folder| real.starts_with(folder)) {
        return Err(wrong(format!("`{name}` lies outside of the project")));
    }
    if chain.contains(&real) {
        return Err(wrong(format!("`{name}` leads back to this file")));
    }
    if chain.len() >= MAX_EXTENDS {
        return Err(wrong(format!("a chain of more than {MAX_EXTENDS} specs")));
    }
    let parent = read_chain(&parent_path, within, chain)?;
    if !matches!(parent.value, Value::Map(_)) {
        return Err(wrong(format!(
            "`{name}` holds {}, not a spec",
            parent.kind()
        )));
    }
    Ok(inherit(parent, node))
}

/// `child` over `parent`: params key by key, everything else as a whole.
fn inherit(parent: Node, child: Node) -> Node {
    let (Value::Map(parent_entries), Value::Map(mut entries)) = (parent.value, child.value.clone())
    else {
        return child;
    };
    for inherited in parent_entries {
        let mut keys = SpecKeys::MAP.keys.iter();
        if keys.any(|key| key.own && key.name == inherited.key) {
            continue;
        }
        match entries.iter_mut().find(|entry| entry.key == inherited.key) {
            None => entries.push(inherited),
            Some(own) if own.key == "params" => {
                if let (Value::Map(own), Value::Map(parents)) =
                    (&mut own.node.value, inherited.node.value)
                {
                    for entry in parents {
                        if !own.iter().any(|e| e.key == entry.key) {
                            own.push(entry);
                        }
                    }
                }
            }
            Some(_) => {}
        }
    }
    Node {
        value: Value::Map(entries),
        place: child.place,
    }
}

fn apply(root: &mut Node, change: &Override, faults: &mut Faults) {
    let label = format!("{} {}={}", change.flag, change.key, change.value);
    let place = Place {
        file: label.as_str().into(),
        line: 1,
        column: 1,
    };
    let text = change.value.trim_start();
    if text.is_empty() || text.starts_with('#') {
        let help = format!(
            "write {} {}=VALUE; `null` is the default",
            change.flag, change.key
        );
        faults.add_with_help(&place, &change.key, "no value after the `=`", help);
        return;
    }
    if change.key == "extends" {
        let help = "write `extends` into the file, or set the keys one by one";
        faults.add_with_help(&place, &change.key, "cannot be set from here", help);
        return;
    }
    let value = match yaml::parse(&label, &change.value) {
        Ok(node) => node,
        Err(found) => {
            faults.extend(found);
            return;
        }
    };
    let is_default = value.value == Value::Null;
    let mut node = root;
    let keys: Vec<&str> = change.key.split('.').collect();
    if keys.iter().any(|key| key.is_empty()) {
        let help = "write a dotted key from the root, such as params.step_px=10";
        faults.add_with_help(&place, &change.key, "not a key", help);
        return;
    }
    for (depth, key) in keys.iter().enumerate() {
        if node.value == Value::Null {
            node.value = Value::Map(Vec::new());
        }
        let Value::Map(entries) = &mut node.value else {
            let message = format!("`{}` holds no keys", keys[..depth].join("."));
            faults.add(&place, &change.key, message);
            return;
        };
        let index = entries.iter().position(|entry| entry.key == *key);
        if is_default && (index.is_none() || depth + 1 == keys.len()) {
            // What is left out has its default.
            if let Some(index) = index {
                entries.remove(index);
            }
            return;
        }
        let index = index.unwrap_or_else(|| {
            entries.push(Entry {
                key: (*key).to_owned(),
                place: place.clone(),
                node: Node {
                    value: Value::Null,
                    place: place.clone(),
                },
            });
            entries.len() - 1
        });
        node = &mut entries[index].node;
    }
    *node = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: &str) -> Override {
        Override {
            key: key.to_owned(),
            value: value.to_owned(),
            flag: "--set".to_owned(),
        }
    }

    fn message(read: Result<Written, Vec<Fault>>) -> String {
        read.expect_err("a fault")[0].to_string()
    }

    #[test]
    fn names_and_values_of_any_kind_are_no_panic() {
        let folder = tempfile::tempdir().expect("a folder");
        let long = folder
            .path()
            .join(format!("{}.yaml", "数字图像".repeat(12)));
        std::fs::write(&long, "format: 1\n").expect("written");
        let changed = [set("params.level", "3")];
        assert!(message(read(&long, &changed, folder.path())).contains("no experiment name"));
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, "format: 1\n").expect("written");
        let umlauts = [set("question", &"Größe".repeat(40))];
        assert!(read(&path, &umlauts, folder.path()).is_ok());
        for nothing in ["", "  ", "# 3"] {
            let said = message(read(&path, &[set("params.level", nothing)], folder.path()));
            assert!(said.contains("no value after the `=`; write --set params.level=VALUE"));
        }
        let said = message(read(&path, &[set("extends", "b.yaml")], folder.path()));
        assert!(said.contains("extends: cannot be set from here"), "{said}");
    }

    #[test]
    fn what_is_extended_lies_in_the_project() {
        let outer = tempfile::tempdir().expect("a folder");
        let root = outer.path().join("project");
        std::fs::create_dir_all(root.join("experiments/dic")).expect("folders");
        std::fs::write(outer.path().join("secret.yaml"), "a: 1\n").expect("written");
        std::fs::write(root.join("experiments/base.yaml"), "a: 1\n").expect("written");
        let path = root.join("experiments/dic/a.yaml");
        let outside = outer.path().join("secret.yaml");
        std::os::unix::fs::symlink(&outside, root.join("link.yaml")).expect("a link");
        let extends = |name: &str| {
            std::fs::write(&path, format!("extends: {name}\n")).expect("written");
            read(&path, &[], &root)
        };
        assert!(extends("../base.yaml").is_ok());
        let link = root.join("experiments/link.yaml");
        std::os::unix::fs::symlink(&outside, &link).expect("a link");
        let said = message(read(&link, &[], &root));
        assert!(
            said.contains("a link that leads out of the project"),
            "{said}"
        );
        let within = root.join("experiments/within.yaml");
        std::os::unix::fs::symlink(root.join("experiments/base.yaml"), &within).expect("a link");
        assert!(read(&within, &[], &root).is_ok());
        let absolute = outside.display().to_string();
        for name in [
            "../../../secret.yaml",
            "../../link.yaml",
            &absolute,
            "/dev/zero",
        ] {
            let said = message(extends(name));
            assert!(said.contains("lies outside of the project"), "{said}");
        }
    }

    #[test]
    fn only_a_file_of_few_bytes_is_read() {
        for path in ["/dev/zero", "/dev/null", "/proc/self"] {
            let said = message(read(Path::new(path), &[], Path::new("")));
            assert!(said.contains("no regular file"), "{said}");
        }
    }
}
