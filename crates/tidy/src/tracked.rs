//! Rules for what may be in the repository at all.

use crate::repository::{Fault, Repository, text};

/// Larger files belong to a data set or to the trial folder of one machine.
const LARGEST: usize = 1024 * 1024;

/// The page of all reports holds its figures, so that it can be sent as one file.
const LARGEST_PAGE: usize = 8 * 1024 * 1024;

/// A table of a pack has the rows of all trials.
const LARGEST_PACK: usize = 4 * 1024 * 1024;

/// No HDF5 file, nothing over 1 MiB (the page of reports and packs aside), only text in `results/`, and other binary files only where
/// figures, fixtures and truth images lie.
#[must_use]
pub fn size_and_kind(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, bytes) in repository.files() {
        let mut fault = |what: String| faults.push(Fault::new(path, what));
        if path.ends_with(".h5") {
            fault("is an HDF5 file, which is never committed".to_owned());
        }
        if path.starts_with("reports/local/") {
            fault("may show data without a licence".to_owned());
        }
        let largest = match path {
            "reports/index.html" => LARGEST_PAGE,
            _ if path.starts_with("results/") => LARGEST_PACK,
            _ => LARGEST,
        };
        if bytes.len() > largest {
            fault(format!("has {} bytes, {largest} are allowed", bytes.len()));
        }
        if text(bytes).is_none() && !may_be_binary(path) {
            fault("is binary".to_owned());
        }
    }
    faults
}

/// No path of the machine that a text was written on.
#[must_use]
pub fn machine_paths(repository: &Repository) -> Vec<Fault> {
    // In two parts, so that this file keeps its own rule.
    let roots = [
        concat!("/", "work/"),
        concat!("/", "root/"),
        concat!("/", "home/"),
    ];
    let mut faults = Vec::new();
    for (path, text) in repository.texts() {
        for (number, line) in (1..).zip(text.lines()) {
            for root in roots.iter().filter(|root| has_absolute(line, root)) {
                faults.push(Fault::new(path, format!("line {number} names `{root}`")));
            }
        }
    }
    faults
}

fn may_be_binary(path: &str) -> bool {
    path.starts_with("reports/")
        || (path.starts_with("results/anogan/") && path.ends_with(".png"))
        // Of generated scenes only: the study leaves no picture of real ones.
        || (path.starts_with("results/mask-rcnn/")
            && [".detection_pictures.png", ".seen.png"]
                .iter()
                .any(|end| path.ends_with(end)))
        || path
            .split('/')
            .any(|folder| matches!(folder, "fixture" | "truth"))
}

/// Whether `root` starts a path in `line`, not a part of a longer one or of a URL.
fn has_absolute(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_.-~})>*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_committed() {
        let check = |path: &str, bytes: &[u8]| {
            let mut repository = Repository::default();
            repository.insert(path, bytes);
            size_and_kind(&repository).len()
        };
        let binary = b"\x89PNG\0".as_slice();
        assert_eq!(check("results/dic/a/fields.h5", b"text"), 1);
        assert_eq!(check("reports/local/digit.svg", b"text"), 1);
        assert_eq!(check("src/table.rs", &vec![b' '; LARGEST + 1]), 1);
        assert_eq!(check("src/table.rs", &vec![b' '; LARGEST]), 0);
        assert_eq!(check("results/dic/a/picture.png", binary), 1);
        assert_eq!(check("crates/dic/src/picture.png", binary), 1);
        assert_eq!(check("reports/figures/bias.png", binary), 0);
        assert_eq!(check("datasets/pair/fixture/a.tif", binary), 0);
    }

    #[test]
    fn paths_of_one_machine() {
        let check = |line: String| machine_paths(&Repository::of(&[("a.md", &line)])).len();
        for root in ["work", "root", "home"] {
            assert_eq!(check(format!("see /{root}/a.txt")), 1);
            assert_eq!(check(format!("\"/{root}/a\"")), 1);
            assert_eq!(check(format!("file:///{root}/a")), 1);
            assert_eq!(check(format!("https://example.org/{root}/a")), 0);
            assert_eq!(check(format!("some/{root}/a")), 0);
            assert_eq!(check(format!("/{root}")), 0);
        }
    }
}
