//! From a manifest to checked content in one call.

use std::path::{Path, PathBuf};

use crate::error::{DataError, FetchError};
use crate::fetch::parts::{of_parts, part_options};
use crate::fetch::{FetchOptions, FetchProgress, Obtained, cached, obtain};
use crate::format::{Content, Inputs};
use crate::hashing::sha256_file;
use crate::manifest::{Manifest, Source, Variant, fill};
use crate::source::copy::check_file;

/// The state of one cached file.
#[derive(Debug)]
pub struct Verified {
    /// The variant; `part/variant` for a part of the data set.
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
    let Some(of_files) = variant.decoder.decode else {
        let parts = manifest.parts.iter().zip(&obtained.parts);
        let parts = parts.map(|(part, own)| Ok((part.name.clone(), decode(part, own)?)));
        return Ok(Content::Several(parts.collect::<Result<_, DataError>>()?));
    };
    let content = of_files(&Inputs {
        dataset: &manifest.name,
        settings: &manifest.settings,
        files: &obtained.files,
        strict: manifest.strict,
    });
    content.map_err(|error| error.renamed(&|path| own_path(manifest, variant, obtained, path)))
}

/// The person's own file of which `path` is the copy in the cache; else `path`.
fn own_path(manifest: &Manifest, variant: &Variant, obtained: &Obtained, path: &Path) -> PathBuf {
    let cached = obtained.files.iter().position(|file| file.at == path);
    let named = || {
        variant
            .files
            .iter()
            .position(|file| Path::new(&file.path) == path)
    };
    let file = cached
        .or_else(named)
        .and_then(|place| variant.files.get(place));
    let own = file.into_iter().flat_map(|file| {
        let bundled = variant.sources.iter().filter_map(|source| match source {
            Source::Bundled { template } => {
                Some(manifest.folder.join(fill(template, file, str::to_owned)))
            }
            _ => None,
        });
        bundled.collect::<Vec<_>>()
    });
    let mut own = own.filter(|path| path.is_file());
    own.next().unwrap_or_else(|| path.to_owned())
}

/// Obtains, decodes, and checks the content against the manifest's digest.
///
/// Cached files are trusted by their size at first. Where their content is not right after all
/// they are hashed, wrong ones are brought again from what `options` allow, and decoding is tried
/// once more.
///
/// # Errors
/// As [`obtain`] and [`decode`], and [`DataError::Content`] where the digest differs though every
/// file has its sha256.
pub fn load(
    manifest: &Manifest,
    options: &FetchOptions,
    progress: &mut dyn FnMut(FetchProgress<'_>),
) -> Result<(Content, Obtained), DataError> {
    if !manifest.parts.is_empty() {
        return load_parts(manifest, options, progress);
    }
    let obtained = obtain(manifest, options, progress)?;
    let first = match decode_checked(manifest, &obtained) {
        Ok(content) => return Ok((content, obtained)),
        Err(error) => error,
    };
    if options.rehash || obtained.files.is_empty() {
        return Err(first);
    }
    let options = FetchOptions {
        rehash: true,
        ..options.clone()
    };
    let again = obtain(manifest, &options, progress)?;
    let content = decode_checked(manifest, &again)?;
    Ok((content, again))
}

/// Every part is checked by itself; the digest of the whole follows from theirs.
fn load_parts(
    manifest: &Manifest,
    options: &FetchOptions,
    progress: &mut dyn FnMut(FetchProgress<'_>),
) -> Result<(Content, Obtained), DataError> {
    let mut contents = Vec::new();
    let mut parts = Vec::new();
    for (part, options) in manifest.parts.iter().zip(part_options(manifest, options)?) {
        let (content, obtained) = load(part, &options, progress)?;
        contents.push((part.name.clone(), content));
        parts.push(obtained);
    }
    Ok((Content::Several(contents), of_parts(manifest, parts)))
}

/// Decodes what is whole in the cache, or generated, and checks its digest; brings nothing and
/// changes nothing. `None` where no variant is whole.
///
/// # Errors
/// As [`decode`], and [`DataError::Content`] where the digest differs.
pub fn decode_cached(manifest: &Manifest, cache: &Path) -> Option<Result<Content, DataError>> {
    if !manifest.parts.is_empty() {
        let parts = manifest.parts.iter().map(|part| {
            let content = decode_cached(part, cache)?;
            Some(content.map(|content| (part.name.clone(), content)))
        });
        let parts: Option<Result<Vec<_>, DataError>> = parts.collect();
        return parts.map(|parts| parts.map(Content::Several));
    }
    let obtained = cached(manifest, cache)?;
    Some(decode_checked(manifest, &obtained))
}

fn decode_checked(manifest: &Manifest, obtained: &Obtained) -> Result<Content, DataError> {
    let content = decode(manifest, obtained)?;
    let got = content.digest();
    if got != manifest.content {
        return Err(DataError::Content {
            dataset: manifest.name.clone(),
            expected: manifest.content.clone(),
            got,
        });
    }
    Ok(content)
}

/// Hashes every cached file of every variant again; files that are not cached are left out, and
/// nothing is changed.
#[must_use]
pub fn verify(manifest: &Manifest, cache: &Path) -> Vec<Verified> {
    let mut verified = Vec::new();
    for part in &manifest.parts {
        verified.extend(verify(part, cache).into_iter().map(|file| Verified {
            variant: format!("{}/{}", part.name, file.variant),
            ..file
        }));
    }
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
