//! Experiments of a command: files found, specs checked, trials planned.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use retrial_core::experiment::{
    DatasetSheet, ExperimentSheet, QuantitySheet, SHEET_FILE, SHEET_FORMAT,
};
use retrial_core::fault::Fault;
use retrial_core::metric::Direction;
use retrial_core::plan::{self, Trial};
use retrial_core::spec::{self, Override, Spec};
use retrial_data::Manifest;

use crate::cli::Selection;
use crate::execute::folder::{Inventory, TrialFolders, TrialState};
use crate::failure::Failure;
use crate::studies::{self, Study};
use crate::workspace::{Workspace, dataset_infos};

/// A checked experiment with its trials.
pub(crate) struct Experiment {
    pub(crate) spec: Spec,
    pub(crate) study: &'static dyn Study,
    pub(crate) trials: Vec<Trial>,
    /// The command that runs it, with its file as seen from the project folder.
    command: String,
}

/// Everything a command needs to know of the experiments it was given.
pub(crate) struct Experiments {
    pub(crate) list: Vec<Experiment>,
    pub(crate) manifests: Vec<Manifest>,
    /// The device as the person named it.
    pub(crate) device: String,
}

/// Reads, checks and plans the selected experiments; without a file those that `pick` takes.
pub(crate) fn load(
    workspace: &Workspace,
    selection: &Selection,
    pick: impl Fn(&Spec) -> bool,
) -> Result<Experiments, Failure> {
    let manifests = workspace.manifests()?;
    let infos = dataset_infos(&manifests);
    let overrides = overrides(selection)?;
    let files = if selection.files.is_empty() {
        spec_files(&workspace.experiments())?
    } else {
        let mut files = Vec::new();
        for path in &selection.files {
            let named = workspace.experiments().join(path).with_extension("yaml");
            if path.is_dir() {
                files.extend(spec_files(path)?);
            } else if !path.exists() && path.extension().is_none() && named.exists() {
                files.push(named);
            } else {
                files.push(path.clone());
            }
        }
        files
    };
    let mut faults: Vec<Fault> = Vec::new();
    let mut specs = Vec::new();
    for file in &files {
        let checked = spec::read(file, &overrides)
            .and_then(|written| spec::check(&written, &studies::infos(), &infos));
        match checked {
            Ok(spec) if !selection.files.is_empty() || pick(&spec) => specs.push(spec),
            Ok(_) => {}
            Err(found) => {
                // A faulty `--set` is wrong once, not once a spec.
                faults.extend(
                    found
                        .into_iter()
                        .filter(|f| !faults.contains(f))
                        .collect::<Vec<_>>(),
                );
            }
        }
    }
    if !faults.is_empty() {
        return Err(Failure::Faults(faults));
    }
    if specs.is_empty() {
        let places: Vec<String> = selection
            .files
            .iter()
            .map(|f| f.display().to_string())
            .collect();
        let place = if places.is_empty() {
            workspace.experiments().display().to_string()
        } else {
            places.join(", ")
        };
        return Err(Failure::usage(format!(
            "no experiment to be found in {place}"
        )));
    }
    let mut seen: HashMap<(String, String), String> = HashMap::new();
    let mut list = Vec::with_capacity(specs.len());
    for spec in specs {
        let key = (spec.study.clone(), spec.name.clone());
        if let Some(first) = seen.insert(key, spec.file.clone()) {
            if same_file(&first, &spec.file) {
                continue;
            }
            let (file, name) = (&spec.file, &spec.name);
            let message = format!(
                "{first} and {file} are both the experiment `{name}` of one study, so their \
                 records would mix; rename one of the files"
            );
            return Err(Failure::usage(message));
        }
        let study = studies::find(&spec.study)
            .ok_or_else(|| Failure::usage(format!("there is no study `{}`", spec.study)))?;
        let info = study.info();
        if !info.uses_device && selection.device.kind() != "cpu" {
            let message = format!(
                "the study `{}` runs on the CPU only; leave `--device {}` out",
                spec.study, selection.device
            );
            return Err(Failure::usage(message));
        }
        let trials = plan::trials(&spec, info, &infos, selection.device.kind());
        list.push(Experiment {
            command: format!("just run {}", within(&workspace.root, &spec.file)),
            spec,
            study,
            trials,
        });
    }
    Ok(Experiments {
        list,
        manifests,
        device: selection.device.to_string(),
    })
}

impl Experiments {
    /// The manifest of a data set.
    pub(crate) fn manifest(&self, name: &str) -> Option<&Manifest> {
        self.manifests.iter().find(|manifest| manifest.name == name)
    }

    /// Estimated CPU seconds of a trial on one core.
    pub(crate) fn cost_s(&self, experiment: &Experiment, trial: &Trial) -> f64 {
        let manifest = trial
            .dataset
            .as_ref()
            .and_then(|(name, _)| self.manifest(name));
        experiment.study.cost_s(&trial.params, manifest)
    }
}

impl Experiment {
    /// The folders of one of its trials.
    pub(crate) fn folders(&self, results: &Path, trial: &Trial) -> TrialFolders {
        TrialFolders::new(results, &self.spec.study, &self.spec.name, &trial.id)
    }

    /// Each trial with its state.
    pub(crate) fn states(&self, results: &Path) -> Vec<(&Trial, TrialState)> {
        let inventory = Inventory::read(results, &self.spec.study, &self.spec.name);
        let revision = self.study.info().revision;
        self.trials
            .iter()
            .map(|trial| {
                if inventory.is_recorded(&trial.id) {
                    return (trial, TrialState::Recorded);
                }
                let folders = self.folders(results, trial);
                (trial, inventory.state(trial, &folders, revision))
            })
            .collect()
    }

    /// What the results folder keeps of the experiment beside its trials.
    pub(crate) fn sheet(&self, manifests: &[Manifest]) -> ExperimentSheet {
        let info = self.study.info();
        let spec = &self.spec;
        let mut names: Vec<&str> = Vec::new();
        for trial in &self.trials {
            if let Some((name, _)) = &trial.dataset
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        let quantity =
            |name: String, unit: &str, direction, bounds: String, doc: &str| QuantitySheet {
                name,
                unit: unit.to_owned(),
                direction,
                bounds,
                doc: doc.to_owned(),
            };
        let columns = info.tables.iter().flat_map(|table| {
            table.columns.iter().map(move |column| {
                let name = format!("{}.{}", table.name, column.name);
                quantity(
                    name,
                    column.unit,
                    Direction::None,
                    String::new(),
                    column.doc,
                )
            })
        });
        ExperimentSheet {
            format: SHEET_FORMAT,
            study: spec.study.clone(),
            work: info.work.to_owned(),
            experiment: spec.name.clone(),
            question: spec.question.clone(),
            command: self.command.clone(),
            datasets: names
                .iter()
                .filter_map(|name| manifests.iter().find(|manifest| manifest.name == *name))
                .map(|manifest| DatasetSheet {
                    name: manifest.name.clone(),
                    title: manifest.title.clone(),
                    licence: manifest.licence.clone(),
                    citation: manifest.citation.clone(),
                    generated: manifest.is_generated(),
                })
                .collect(),
            deterministic: info.deterministic,
            swept: spec.swept(),
            trials: self.trials.iter().map(|trial| trial.id.clone()).collect(),
            metrics: info
                .metrics
                .iter()
                .map(|m| quantity(m.name.to_owned(), m.unit, m.direction, String::new(), m.doc))
                .collect(),
            params: info
                .params
                .iter()
                .map(|p| {
                    quantity(
                        p.name.to_owned(),
                        p.unit,
                        Direction::None,
                        p.expected(),
                        p.doc,
                    )
                })
                .collect(),
            columns: columns.collect(),
            claims: spec.claims.clone(),
            report: spec.report.clone(),
        }
    }

    /// Writes the sheet where it differs from what is there.
    pub(crate) fn write_sheet(
        &self,
        results: &Path,
        manifests: &[Manifest],
    ) -> Result<(), Failure> {
        let (path, text) = self.sheet_file(results, manifests)?;
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| Failure::storage(format!("{}: {error}", folder.display())))?;
        }
        retrial_store::atomic_write(&path, text.as_bytes())?;
        Ok(())
    }

    /// The file of the sheet, where there is one that differs.
    pub(crate) fn old_sheet(
        &self,
        results: &Path,
        manifests: &[Manifest],
    ) -> Result<Option<PathBuf>, Failure> {
        let (path, text) = self.sheet_file(results, manifests)?;
        let old = std::fs::read_to_string(&path).is_ok_and(|old| old != text);
        Ok(old.then_some(path))
    }

    fn sheet_file(
        &self,
        results: &Path,
        manifests: &[Manifest],
    ) -> Result<(PathBuf, String), Failure> {
        let folder = results.join(&self.spec.study).join(&self.spec.name);
        let path = folder.join(SHEET_FILE);
        let text = serde_yaml::to_string(&self.sheet(manifests))
            .map_err(|error| Failure::storage(format!("{}: {error}", path.display())))?;
        Ok((path, text))
    }
}

fn overrides(selection: &Selection) -> Result<Vec<Override>, Failure> {
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

/// All `*.yaml` below a folder, sorted by path.
fn spec_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let wrong = |error| Failure::usage(format!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.is_dir() {
            files.extend(spec_files(&path)?);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(path);
        }
    }
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

fn same_file(a: &str, b: &str) -> bool {
    let real = |path: &str| Path::new(path).canonicalize().ok();
    real(a).is_some_and(|a| Some(a) == real(b))
}
