//! Whether a report still is what this program would make of the records, so that a run without
//! work draws nothing again.
//!
//! `reports/.stamp` is the hash of all that a report follows from, and of all its files: the bytes
//! of the running program, the sheets and records, which name the hashes of their tables and
//! pictures, and every byte that was written. Where one of them differs, or cannot be read, the
//! report is made.

use std::path::{Path, PathBuf};

use retrial_core::file;
use retrial_core::hash::FieldHasher;
use retrial_report::Experiment;

use crate::execute::executable;

/// The file, in the folder of the reports.
const STAMP: &str = ".stamp";

/// Whether the report in `out` is that of these experiments, whose records were found sound.
pub(crate) fn is_fresh(experiments: &[Experiment], out: &Path) -> bool {
    let stamp = stamp(experiments, out);
    stamp.is_some_and(|now| file::text(&out.join(STAMP), 1024).is_ok_and(|old| old == now))
}

/// Remembers the report in `out` as that of these experiments. What cannot be written is made
/// again the next time.
pub(crate) fn remember(experiments: &[Experiment], out: &Path) {
    if let Some(stamp) = stamp(experiments, out) {
        let _ = retrial_store::atomic_write(out.join(STAMP), stamp.as_bytes());
    }
}

fn stamp(experiments: &[Experiment], out: &Path) -> Option<String> {
    let mut hasher = FieldHasher::new("report");
    hasher.field(&executable::bytes().ok()?);
    for experiment in experiments {
        // The words of all its fields, every number to its last digit.
        hasher.field(format!("{experiment:?}").as_bytes());
    }
    for path in files(out).ok()? {
        let name = path.strip_prefix(out).unwrap_or(&path);
        hasher.field(name.as_os_str().as_encoded_bytes());
        // A link is not the file that was written, wherever it leads.
        hasher.field(&[u8::from(path.is_symlink())]);
        hasher.field(&file::read(&path, u64::MAX).ok()?);
    }
    Some(format!("{}\n", hasher.tagged()))
}

/// All files below a folder, hidden ones left out, in order.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
