//! From a manifest to checked content in one call.

use std::path::Path;

use crate::content::Content;
use crate::error::{DataError, FetchError};
use crate::fetch::{FetchOptions, FetchProgress, Obtained, obtain};
use crate::format::decode_files;
use crate::hashing::sha256_file;
use crate::manifest::Manifest;
use crate::source::check_file;

/// The state of one cached file.
#[derive(Debug)]
pub struct Verified {
    /// The variant.
    pub variant: String,
    /// The file's path in the manifest.
    pub path: String,
    /// What is wrong with it, if anything.
    pub fault: Option<FetchError>,
}

/// Decodes files that are there; the digest is not checked.
///
/// # Errors
/// [`DataError::Format`] and its siblings for files that are not what their format allows.
pub fn decode(manifest: &Manifest, obtained: &Obtained) -> Result<Content, DataError> {
    let variant = manifest
        .variant(&obtained.variant)
        .ok_or_else(|| DataError::NoVariant {
            dataset: manifest.name.clone(),
            wanted: obtained.variant.clone(),
            known: manifest.variants.iter().map(|v| v.name.clone()).collect(),
        })?;
    decode_files(manifest, variant.decoder, &obtained.files)
}

/// Obtains, decodes, and checks the content against the manifest's digest.
///
/// # Errors
/// As [`obtain`] and [`decode`], and [`DataError::Content`] where the digest differs.
pub fn load(
    manifest: &Manifest,
    options: &FetchOptions,
    progress: &mut dyn FnMut(FetchProgress<'_>),
) -> Result<(Content, Obtained), DataError> {
    let obtained = obtain(manifest, options, progress)?;
    let content = decode(manifest, &obtained)?;
    let got = content.digest();
    if got != manifest.content {
        return Err(DataError::Content {
            dataset: manifest.name.clone(),
            expected: manifest.content.clone(),
            got,
        });
    }
    Ok((content, obtained))
}

/// Hashes every cached file of every variant again; files that are not cached are left out.
#[must_use]
pub fn verify(manifest: &Manifest, cache: &Path) -> Vec<Verified> {
    let mut verified = Vec::new();
    for variant in &manifest.variants {
        let folder = cache.join(&manifest.name).join(&variant.name);
        for file in &variant.files {
            let path = folder.join(&file.path);
            if !path.exists() {
                continue;
            }
            let fault = match sha256_file(&path) {
                Ok((sha256, bytes)) => check_file(file, bytes, sha256).err(),
                Err(error) => Some(FetchError::read(&path)(error)),
            };
            verified.push(Verified {
                variant: variant.name.clone(),
                path: file.path.clone(),
                fault,
            });
        }
    }
    verified
}
