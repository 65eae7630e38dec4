//! The files of the repository in memory: what git tracks or would add.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files by path, with `/` between names.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    files: BTreeMap<String, Vec<u8>>,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file or folder.
    pub path: String,
    /// What is wrong, after the path.
    pub what: String,
}

impl Fault {
    /// A fault of the file or folder at `path`.
    #[must_use]
    pub fn new(path: &str, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

impl Repository {
    /// A repository made up for a test.
    #[must_use]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut repository = Self::default();
        for (path, text) in files {
            repository.insert(path, text.as_bytes());
        }
        repository
    }

    /// Adds a file.
    pub fn insert(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), bytes.to_owned());
    }

    /// The repository that this crate lies in.
    ///
    /// # Panics
    /// When a file cannot be read.
    #[must_use]
    pub fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let paths = listed_by_git(&root).unwrap_or_else(|| walked(&root));
        let mut repository = Self::default();
        for path in paths {
            let full = root.join(&path);
            // A tracked file may have been deleted, a link is no file of ours.
            if fs::symlink_metadata(&full).is_ok_and(|data| data.is_file()) {
                let bytes = fs::read(&full).expect("a listed file can be read");
                repository.insert(&path, &bytes);
            }
        }
        repository
    }

    /// The bytes of the file at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// All files with their bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// All files that are text, with their text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files()
            .filter_map(|(path, bytes)| Some((path, text(bytes)?)))
    }

    /// All Rust files of ours with their text.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| {
            let ours = [
                "benches/",
                "crates/",
                "examples/",
                "src/",
                "studies/",
                "tests/",
            ];
            path.ends_with(".rs") && ours.iter().any(|folder| path.starts_with(folder))
        })
    }
}

/// The bytes as text, or `None` for a binary file.
#[must_use]
pub fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}

fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let list = String::from_utf8(output.stdout).ok()?;
    Some(list.split_terminator('\0').map(str::to_owned).collect())
}

/// For an unpacked archive, which has no git: everything but what `.gitignore` names.
fn walked(root: &Path) -> Vec<String> {
    const IGNORED: &[&str] = &[
        ".git",
        "target",
        ".tools",
        ".stages",
        ".leases",
        "__pycache__",
    ];
    let mut paths = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            let written = path.to_string_lossy().replace('\\', "/");
            let ignored = IGNORED.contains(&name.as_str())
                || name.ends_with(".partial")
                || name.ends_with(".h5")
                || written == "reports/local";
            if ignored {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else {
                paths.push(written);
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_this_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let this = "crates/tidy/src/repository.rs".to_owned();
        assert!(walked(&root).contains(&this));
        assert!(listed_by_git(&root).is_none_or(|paths| paths.contains(&this)));
        assert!(!walked(&root).iter().any(|path| path.starts_with("target/")));
    }

    #[test]
    fn binary_is_not_text() {
        assert_eq!(text("größe".as_bytes()), Some("größe"));
        assert_eq!(text(b"a\0b"), None);
        assert_eq!(text(&[0xff, 0xfe]), None);
    }
}
