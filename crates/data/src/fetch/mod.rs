//! Bringing a data set's files into the cache, each from the first source that works.
//!
//! The cache holds `<dataset>/<variant>/<path>`; a file gets its final name only after its size
//! and sha256 agreed with the manifest. One process at a time works on a data set; others wait.

mod options;
pub(crate) mod parts;
mod places;
mod session;
mod state;

use std::fs::{self, File, TryLockError};
use std::path::Path;

pub use self::options::{FetchOptions, FetchProgress};
use self::parts::{farthest, of_parts, part_options};
use self::places::{fault_of, has_size, local_path};
use self::session::Session;
pub use self::state::{Availability, Obtained};
use crate::error::{DataError, FetchError};
use crate::format::InputFile;
use crate::manifest::{Manifest, Variant};
pub use crate::source::url::Timeouts;

/// Where a data set is, without asking the network.
#[must_use]
pub fn available(manifest: &Manifest, options: &FetchOptions) -> Availability {
    if !manifest.parts.is_empty() {
        let Ok(options) = part_options(manifest, options) else {
            return Availability::Offline;
        };
        let parts = manifest.parts.iter().zip(&options);
        return farthest(manifest, parts.map(|(part, own)| available(part, own)));
    }
    let variants = order(manifest, options);
    let Some(&first) = variants.first() else {
        return Availability::Offline;
    };
    let variant = first.name.clone();
    if first.files.is_empty() {
        Availability::Generated
    } else if is_cached(manifest, first, options) {
        Availability::Cached { variant }
    } else if is_local(manifest, first, options) {
        Availability::Local { variant }
    } else if options.offline {
        Availability::Offline
    } else {
        Availability::Remote {
            bytes: first.bytes(),
        }
    }
}

/// The first file of this machine that a data set could be read from and that is there and cannot
/// be read: a folder, a loop of links, a file of other size or of other rights.
#[must_use]
pub fn unreadable(manifest: &Manifest, options: &FetchOptions) -> Option<FetchError> {
    let mut parts = manifest.parts.iter();
    let of_part = parts.find_map(|part| unreadable(part, options));
    let own = || {
        let variants = order(manifest, options).into_iter();
        let mut files = variants.flat_map(|variant| {
            let folder = options.cache.join(&manifest.name).join(&variant.name);
            let places = variant.files.iter().flat_map(move |file| {
                let sources = variant.sources.iter();
                let local =
                    sources.filter_map(|source| local_path(manifest, options, source, file));
                let cached = std::iter::once(folder.join(&file.path));
                cached.chain(local).map(|path| (path, file.bytes))
            });
            places.collect::<Vec<_>>()
        });
        files.find_map(|(path, bytes)| fault_of(&path, bytes).filter(|fault| !fault.is_absence()))
    };
    of_part.or_else(own)
}

/// Brings the files of the first variant that can be had into the cache.
///
/// # Errors
/// [`DataError::NoVariant`], [`DataError::Io`] and [`DataError::CacheUnwritable`] for a cache that
/// cannot be used, and [`DataError::Unobtainable`] with every source that was tried.
pub fn obtain(
    manifest: &Manifest,
    options: &FetchOptions,
    progress: &mut dyn FnMut(FetchProgress<'_>),
) -> Result<Obtained, DataError> {
    if !manifest.parts.is_empty() {
        let options = part_options(manifest, options)?;
        let parts = manifest.parts.iter().zip(&options);
        let parts = parts.map(|(part, own)| obtain(part, own, progress));
        return Ok(of_parts(manifest, parts.collect::<Result<_, _>>()?));
    }
    let variants = order(manifest, options);
    if variants.is_empty() {
        return Err(DataError::NoVariant {
            dataset: manifest.name.clone(),
            wanted: options.variant.clone().unwrap_or_default(),
            known: manifest.variants.iter().map(|v| v.name.clone()).collect(),
        });
    }
    if let Some(generated) = variants.iter().find(|variant| variant.files.is_empty()) {
        return Ok(Obtained {
            dataset: manifest.name.clone(),
            variant: generated.name.clone(),
            source_used: "generator".to_owned(),
            files: Vec::new(),
            parts: Vec::new(),
        });
    }
    let folder = options.cache.join(&manifest.name);
    fs::create_dir_all(&folder).map_err(DataError::io("creating", &folder))?;
    let _lock = lock(&folder, &manifest.name, progress)?;
    let mut session = Session::new(manifest, options, progress);
    let mut failed_file = None;
    for variant in variants {
        match session.variant(variant, &folder)? {
            Ok(obtained) => return Ok(obtained),
            Err(file) => failed_file = failed_file.or(Some(file)),
        }
    }
    let (dataset, file) = (manifest.name.clone(), failed_file.unwrap_or_default());
    let attempts = session.attempts;
    if attempts.iter().any(|attempt| attempt.error.is_of_cache()) {
        return Err(DataError::CacheUnwritable {
            cache: options.cache.clone(),
            dataset,
            file,
            attempts,
        });
    }
    Err(DataError::Unobtainable {
        dataset,
        file,
        attempts,
    })
}

/// The files of the first variant that is whole in the cache, or generated; nothing is brought.
pub(crate) fn cached(manifest: &Manifest, cache: &Path) -> Option<Obtained> {
    let options = FetchOptions::new(cache);
    let mut variants = manifest.variants.iter();
    let variant = variants.find(|variant| is_cached(manifest, variant, &options))?;
    let folder = cache.join(&manifest.name).join(&variant.name);
    let files = variant.files.iter().map(|file| InputFile {
        path: file.path.clone(),
        role: file.role.clone(),
        at: folder.join(&file.path),
    });
    Some(Obtained {
        dataset: manifest.name.clone(),
        variant: variant.name.clone(),
        source_used: "cache".to_owned(),
        files: files.collect(),
        parts: Vec::new(),
    })
}

/// The variants in the order in which they are tried: what is in the cache, what lies on this
/// machine, then as written.
fn order<'m>(manifest: &'m Manifest, options: &FetchOptions) -> Vec<&'m Variant> {
    let mut variants: Vec<&Variant> = manifest
        .variants
        .iter()
        .filter(|variant| {
            options
                .variant
                .as_ref()
                .is_none_or(|name| *name == variant.name)
        })
        .collect();
    variants.sort_by_key(|variant| {
        if is_cached(manifest, variant, options) {
            0
        } else if is_local(manifest, variant, options) {
            1
        } else {
            2
        }
    });
    variants
}

fn is_cached(manifest: &Manifest, variant: &Variant, options: &FetchOptions) -> bool {
    let folder = options.cache.join(&manifest.name).join(&variant.name);
    variant
        .files
        .iter()
        .all(|file| has_size(&folder.join(&file.path), file.bytes))
}

fn is_local(manifest: &Manifest, variant: &Variant, options: &FetchOptions) -> bool {
    variant.files.iter().all(|file| {
        variant.sources.iter().any(|source| {
            local_path(manifest, options, source, file)
                .is_some_and(|path| has_size(&path, file.bytes))
        })
    })
}

fn lock(
    folder: &Path,
    dataset: &str,
    progress: &mut dyn FnMut(FetchProgress<'_>),
) -> Result<File, DataError> {
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(DataError::io("creating", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(FetchProgress::Waiting { dataset });
            file.lock().map_err(DataError::io("locking", &path))?;
        }
        Err(TryLockError::Error(error)) => return Err(DataError::io("locking", &path)(error)),
    }
    Ok(file)
}
