//! Where things are: the project folder with `experiments/`, `datasets/`, `results/`, `reports/`.

use std::path::{Path, PathBuf};

use retrial_core::fault::{Fault, Place};
use retrial_core::study::DatasetInfo;
use retrial_data::{DataError, FetchOptions, Manifest};

use crate::failure::Failure;
use crate::program::Program;

/// The project folder and the places outside it.
#[derive(Clone)]
pub struct Workspace {
    /// The program that works in it.
    pub(crate) program: &'static Program,
    /// The folder that holds `experiments/` and `datasets/`.
    pub root: PathBuf,
    /// The data cache.
    pub(crate) cache: PathBuf,
    /// A folder with copies of data sets.
    pub(crate) mirror: Option<PathBuf>,
}

impl Workspace {
    /// The project around the current folder, or the one that `--root` names.
    pub(crate) fn find(program: &'static Program, named: Option<&Path>) -> Result<Self, Failure> {
        let here = std::env::current_dir();
        let root = match (named, &here) {
            (Some(root), _) if is_root(root) => root.to_owned(),
            (Some(root), _) => {
                let root = root.display();
                let message = format!("`{root}` is no project: it has no folder `datasets`");
                return Err(Failure::usage(message));
            }
            (None, Err(error)) => {
                let message = format!(
                    "the current folder cannot be read: {error}; name the project with --root"
                );
                return Err(Failure::usage(message));
            }
            (None, Ok(here)) => here
                .ancestors()
                .find(|folder| is_root(folder))
                .map(Path::to_owned)
                .ok_or_else(|| {
                    Failure::usage(
                        "neither this folder nor one above it holds `experiments` and `datasets`; \
                         go to a checkout of retrial or name one with --root"
                            .to_owned(),
                    )
                })?,
        };
        // Messages stay short where the project is the current folder.
        let is_here = here.is_ok_and(|here| here == root);
        let root = if is_here { PathBuf::new() } else { root };
        Ok(Self {
            program,
            root,
            cache: cache_folder(),
            mirror: std::env::var_os("RETRIAL_MIRROR")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
        })
    }

    /// The folder of all records.
    #[must_use]
    pub fn results(&self) -> PathBuf {
        self.root.join("results")
    }

    /// The folder of all reports.
    pub(crate) fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }

    /// The folder of all specs.
    pub(crate) fn experiments(&self) -> PathBuf {
        self.root.join("experiments")
    }

    /// How data are fetched.
    #[must_use]
    pub fn fetch_options(&self, offline: bool) -> FetchOptions {
        FetchOptions {
            mirror: self.mirror.clone(),
            offline,
            ..FetchOptions::new(&self.cache)
        }
    }

    /// Every data set; a faulty manifest is a failure that names all faults.
    pub(crate) fn manifests(&self) -> Result<Vec<Manifest>, Failure> {
        let (manifests, broken) = self.catalog()?;
        let faults: Vec<Fault> = broken
            .into_iter()
            .flat_map(|broken| broken.faults)
            .collect();
        if faults.is_empty() {
            Ok(manifests)
        } else {
            Err(Failure::Faults(faults))
        }
    }

    /// The data sets whose manifests are valid, and the others: they matter to those who need them.
    pub(crate) fn catalog(&self) -> Result<(Vec<Manifest>, Vec<Broken>), Failure> {
        let folder = self.root.join("datasets");
        let (mut manifests, mut broken) = (Vec::new(), Vec::new());
        for entry in retrial_data::catalog(&folder)? {
            let faults = match entry.manifest {
                Ok(manifest) => {
                    manifests.push(manifest);
                    continue;
                }
                Err(DataError::Manifest(faults)) => faults,
                Err(error) => {
                    let file = folder.join(&entry.name).join("manifest.yaml");
                    let place = Place {
                        file: file.display().to_string().into(),
                        line: 1,
                        column: 1,
                    };
                    vec![Fault {
                        place,
                        key: String::new(),
                        message: error.to_string(),
                        help: None,
                    }]
                }
            };
            broken.push(Broken {
                name: entry.name,
                faults,
            });
        }
        Ok((manifests, broken))
    }
}

/// A data set whose manifest is faulty.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) name: String,
    pub(crate) faults: Vec<Fault>,
}

/// What specs and plans need to know of some data sets.
pub(crate) fn dataset_infos(manifests: &[Manifest]) -> Vec<DatasetInfo> {
    manifests
        .iter()
        .map(|manifest| DatasetInfo {
            name: manifest.name.clone(),
            content_kind: manifest.content_kind().to_owned(),
            content: manifest.content.clone(),
            generated: manifest.is_generated(),
        })
        .collect()
}

fn is_root(folder: &Path) -> bool {
    folder.join("datasets").is_dir() && folder.join("experiments").is_dir()
}

fn cache_folder() -> PathBuf {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("RETRIAL_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("retrial")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/retrial")))
        .unwrap_or_else(|| std::env::temp_dir().join("retrial-cache"))
}
