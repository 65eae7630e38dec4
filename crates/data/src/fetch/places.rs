//! Where files lie on this machine, and what is wrong with them there.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::options::FetchOptions;
use crate::error::FetchError;
use crate::manifest::{FileEntry, Manifest, Source, fill};

/// What is wrong with a file of this machine, as far as its size and its rights tell.
pub(super) fn fault_of(path: &Path, expected: u64) -> Option<FetchError> {
    match path.metadata() {
        Ok(meta) if !meta.is_file() => Some(FetchError::no_file(path)),
        Ok(meta) if meta.len() != expected => Some(FetchError::Size {
            expected,
            got: meta.len(),
        }),
        Ok(_) => File::open(path).err().map(FetchError::open(path)),
        Err(error) => Some(FetchError::open(path)(error)),
    }
}

/// Where a source has the file on this machine, if it can have it there.
pub(super) fn local_path(
    manifest: &Manifest,
    options: &FetchOptions,
    source: &Source,
    file: &FileEntry,
) -> Option<PathBuf> {
    match source {
        Source::Mirror { template } => {
            let mirror = options.mirror.as_ref()?;
            Some(mirror.join(fill(template, file, str::to_owned)))
        }
        Source::Bundled { template } => {
            Some(manifest.folder.join(fill(template, file, str::to_owned)))
        }
        Source::Url { .. } | Source::Package { .. } => None,
    }
}

/// Whether a file is there with that size.
pub(super) fn has_size(path: &Path, bytes: u64) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.len() == bytes)
}
