//! The pictures of a folder and of the folders within it, in the order of their names.
//!
//! A million names take the memory of their letters and eight bytes each.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use retrial_core::census::count;
use retrial_runner::Failure;

/// Ends of the names of picture files, in small letters.
const ENDINGS: [&str; 11] = [
    "png", "jpg", "jpeg", "jpe", "bmp", "tif", "tiff", "pgm", "ppm", "pnm", "pbm",
];

/// The pictures of a folder by their names.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) folder: PathBuf,
    /// Names within the folder, `/` between folders, each with a zero byte behind it.
    names: String,
    /// Where names start, in their order.
    starts: Vec<usize>,
    /// Number of files whose names are not those of pictures.
    pub(super) other_files: usize,
    /// Names that cannot be listed, and why.
    pub(super) lost: Vec<(String, String)>,
}

impl Listing {
    /// Lists a folder; the folders `own`, given by their real paths, are left out.
    pub(super) fn of(folder: &Path, own: &[PathBuf]) -> Result<Self, Failure> {
        let shown = folder.display();
        let unusable = |error| Failure::usage(format!("cannot read the folder {shown}: {error}"));
        let data = fs::metadata(folder).map_err(unusable)?;
        if !data.is_dir() {
            return Err(Failure::usage(format!("{shown} is no folder")));
        }
        fs::read_dir(folder).map_err(unusable)?;
        let mut listing = Self {
            folder: folder.to_owned(),
            names: String::new(),
            starts: Vec::new(),
            other_files: 0,
            lost: Vec::new(),
        };
        // Real paths, so that a link to a folder above it does not lead round in a circle.
        let mut seen: BTreeSet<PathBuf> = own.iter().cloned().collect();
        let mut waiting = vec![String::new()];
        while let Some(name) = waiting.pop() {
            let path = folder.join(&name);
            let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            if !seen.insert(real) {
                continue;
            }
            match fs::read_dir(&path) {
                Ok(entries) => listing.add(&name, entries, &mut waiting),
                Err(error) => listing.lost.push((name, error.to_string())),
            }
        }
        listing.sort();
        if listing.starts.is_empty() {
            let others = match listing.other_files {
                0 => "no file".to_owned(),
                n => count(n, "other file"),
            };
            return Err(Failure::usage(format!(
                "no picture in {shown}, but {others}; pictures end in {}",
                ENDINGS.join(", ")
            )));
        }
        Ok(listing)
    }

    fn add(&mut self, folder: &str, entries: fs::ReadDir, waiting: &mut Vec<String>) {
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.lost.push((folder.to_owned(), error.to_string()));
                    continue;
                }
            };
            let Ok(own) = entry.file_name().into_string() else {
                let name = entry.file_name().to_string_lossy().into_owned();
                self.lost
                    .push((name, "its name is no valid text".to_owned()));
                continue;
            };
            let name = match folder {
                "" => own.clone(),
                folder => format!("{folder}/{own}"),
            };
            match is_folder(&entry) {
                Ok(true) => waiting.push(name),
                Ok(false) if is_picture(&own) => {
                    self.starts.push(self.names.len());
                    self.names.push_str(&name);
                    self.names.push('\0');
                }
                Ok(false) => self.other_files += 1,
                Err(error) => self.lost.push((name, error.to_string())),
            }
        }
    }

    fn sort(&mut self) {
        let names = &self.names;
        self.starts
            .sort_unstable_by(|&a, &b| name_at(names, a).cmp(name_at(names, b)));
        self.names.shrink_to_fit();
        self.starts.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The name of a picture within the folder.
    pub(super) fn name(&self, at: usize) -> &str {
        name_at(&self.names, self.starts[at])
    }

    pub(super) fn path(&self, at: usize) -> PathBuf {
        self.folder.join(self.name(at))
    }
}

fn name_at(names: &str, start: usize) -> &str {
    let rest = &names[start..];
    rest.find('\0').map_or(rest, |end| &rest[..end])
}

/// Links are followed.
fn is_folder(entry: &DirEntry) -> std::io::Result<bool> {
    let kind = entry.file_type()?;
    if kind.is_symlink() {
        return Ok(fs::metadata(entry.path())?.is_dir());
    }
    Ok(kind.is_dir())
}

/// Hidden files, such as those that one system leaves beside pictures for another, are none.
fn is_picture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, end)| end.to_lowercase());
    !name.starts_with('.') && ending.is_some_and(|end| ENDINGS.contains(&end.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_circles_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/deep")).expect("folders");
        fs::create_dir(at("out")).expect("a folder");
        for name in [
            "b/deep/2.PNG",
            "b/1.jpeg",
            "a.tif",
            "out/x.png",
            "note.txt",
            ".h.png",
        ] {
            fs::write(at(name), b"").expect("written");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), at("b/round")).expect("a link");
        let own = fs::canonicalize(at("out")).expect("a path");
        let listing = Listing::of(folder.path(), &[own]).expect("pictures");
        let names: Vec<&str> = (0..listing.len()).map(|i| listing.name(i)).collect();
        assert_eq!(names, ["a.tif", "b/1.jpeg", "b/deep/2.PNG"]);
        assert_eq!(listing.other_files, 2);
        assert!(listing.lost.is_empty());
    }
}
