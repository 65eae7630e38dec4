//! What a command line selects: files found, keys changed, and the command said again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use retrial_core::spec::Override;

use crate::cli::Selection;
use crate::devices::{CPU, Device};
use crate::failure::Failure;
use crate::workspace::Workspace;

pub(crate) fn overrides(selection: &Selection) -> Result<Vec<Override>, Failure> {
    let mut overrides = Vec::new();
    for set in &selection.set {
        let Some((key, value)) = set.split_once('=') else {
            let help = "write --set KEY=VALUE, such as --set params.step_px=10";
            return Err(Failure::usage(format!("`--set {set}` has no `=`; {help}")));
        };
        overrides.push(Override {
            key: key.to_owned(),
            value: value.to_owned(),
            flag: "--set".to_owned(),
        });
    }
    if !selection.seed.is_empty() {
        let seeds: Vec<String> = selection.seed.iter().map(u64::to_string).collect();
        overrides.push(Override {
            key: "seeds".to_owned(),
            value: format!("[{}]", seeds.join(", ")),
            flag: "--seed".to_owned(),
        });
    }
    Ok(overrides)
}

/// The files that were named, or all below `experiments/`.
pub(crate) fn files(workspace: &Workspace, selection: &Selection) -> Result<Vec<PathBuf>, Failure> {
    if selection.files.is_empty() {
        return spec_files(&workspace.experiments());
    }
    let mut files = Vec::new();
    for path in &selection.files {
        let named =
            ["yaml", "yml"].map(|end| workspace.experiments().join(path).with_extension(end));
        let is_name = !path.exists() && path.extension().is_none();
        let found: Vec<PathBuf> = named
            .into_iter()
            .filter(|file| is_name && file.exists())
            .collect();
        if path.is_dir() {
            files.extend(spec_files(path)?);
        } else if found.is_empty() {
            files.push(path.clone());
        } else {
            files.extend(found);
        }
    }
    Ok(files)
}

/// The whole command that runs an experiment, as a shell takes it.
pub(crate) fn command(
    workspace: &Workspace,
    selection: &Selection,
    device: &Device,
    file: &str,
) -> String {
    let mut words = vec![
        workspace.program.run.to_owned(),
        quoted(&within(&workspace.root, file)),
    ];
    for set in &selection.set {
        words.push(format!("--set {}", quoted(set)));
    }
    if !selection.seed.is_empty() {
        words.push(format!("--seed {}", seeds(selection)));
    }
    // The device enters ids, so that another one runs other trials.
    if device.kind != CPU {
        words.push(format!("--device {}", quoted(&device.name)));
    }
    words.join(" ")
}

/// What the command line changed of every spec.
pub(crate) fn changes(selection: &Selection) -> Vec<String> {
    let mut changes = selection.set.clone();
    if !selection.seed.is_empty() {
        changes.push(format!("seeds=[{}]", seeds(selection)));
    }
    changes
}

fn seeds(selection: &Selection) -> String {
    let seeds: Vec<String> = selection.seed.iter().map(u64::to_string).collect();
    seeds.join(",")
}

/// A word that a shell takes as it is, in quotes where it must be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/=+,:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// All specs below a folder, sorted by path. Hidden names are those of editors and systems, and
/// whatever is no file holds no spec. A link to a folder above is not followed, and no folder is
/// read twice.
pub(crate) fn spec_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    fn gather(
        folder: &Path,
        seen: &mut HashSet<PathBuf>,
        files: &mut Vec<PathBuf>,
    ) -> std::io::Result<()> {
        let real = folder.canonicalize()?;
        let leads_up = seen
            .iter()
            .any(|seen| *seen != real && seen.starts_with(&real));
        if leads_up || !seen.insert(real) {
            return Ok(());
        }
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                paths.push(entry.path());
            }
        }
        paths.sort();
        for path in paths {
            if path.is_dir() {
                gather(&path, seen, files)?;
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") && path.is_file()
            {
                files.push(path);
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    gather(folder, &mut HashSet::new(), &mut files)
        .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    files.sort();
    Ok(files)
}

/// A file as seen from the project folder; its bare name where it lies elsewhere.
fn within(root: &Path, file: &str) -> String {
    let here = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let path = real(Path::new(file));
    let inside = path.strip_prefix(real(here)).ok();
    let name = inside.or_else(|| path.file_name().map(Path::new));
    name.map_or_else(|| file.to_owned(), |name| name.display().to_string())
}

pub(crate) fn same_file(a: &str, b: &str) -> bool {
    let real = |path: &str| Path::new(path).canonicalize().ok();
    real(a).is_some_and(|a| Some(a) == real(b))
}
