//! From file to tree: reading, `extends` and `--set`.

use std::path::{Path, PathBuf};

use crate::fault::{Fault, Faults, Place};
use crate::hash::FieldHasher;
use crate::yaml::{self, Entry, MapReader, Node, Value};

/// Longest chain of `extends`.
const MAX_EXTENDS: usize = 8;
/// Keys that say something about a file's own trials and are never inherited.
const NOT_INHERITED: [&str; 5] = ["claims", "report", "default", "question", "extends"];

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

/// Reads a spec, the specs it extends, and applies overrides.
///
/// # Errors
/// Every fault of the text, of the chain of `extends` and of the overrides.
pub fn read(path: &Path, overrides: &[Override]) -> Result<Written, Vec<Fault>> {
    let file = path.display().to_string();
    let mut root = read_chain(path, &mut Vec::new())?;
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
    name.truncate(100);
    format!("{name}-{}", &hasher.short()[..6])
}

/// Whether a name is made of small letters, digits and hyphens.
#[must_use]
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn read_chain(path: &Path, chain: &mut Vec<PathBuf>) -> Result<Node, Vec<Fault>> {
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
    let size = std::fs::metadata(path)
        .map_err(|error| one(format!("cannot be read: {error}")))?
        .len();
    if size > yaml::MAX_BYTES as u64 {
        let limit = yaml::MAX_BYTES;
        return Err(one(format!(
            "the file has {size} bytes; at most {limit} are read"
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| one(format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        one(format!("not UTF-8 text: byte {at} is invalid"))
    })?;
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
    if chain.contains(&real) {
        return Err(wrong(format!("`{name}` leads back to this file")));
    }
    if chain.len() >= MAX_EXTENDS {
        return Err(wrong(format!("a chain of more than {MAX_EXTENDS} specs")));
    }
    let parent = read_chain(&parent_path, chain)?;
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
        if NOT_INHERITED.contains(&inherited.key.as_str()) {
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
    let value = match yaml::parse(&label, &change.value) {
        Ok(node) => node,
        Err(found) => {
            faults.extend(found);
            return;
        }
    };
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

/// A reader of the whole tree.
pub(super) fn root_reader<'n>(written: &'n Written, faults: &mut Faults) -> Option<MapReader<'n>> {
    MapReader::new(&written.root, "", faults)
}
