//! Experiments of a command: files found, specs checked, trials planned.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use retrial_core::experiment::{
    DatasetSheet, ExperimentSheet, QuantitySheet, SHEET_FILE, SHEET_FORMAT,
};
use retrial_core::fault::Fault;
use retrial_core::metric::Direction;
use retrial_core::params::Params;
use retrial_core::plan::{self, Trial};
use retrial_core::spec::{self, Override, Spec};
use retrial_core::yaml::{Node, Value};
use retrial_data::Manifest;

use crate::cli::Selection;
use crate::execute::folder::{Inventory, TrialFolders, TrialState};
use crate::failure::Failure;
use crate::studies::{self, Study};
use crate::workspace::{Broken, Workspace, dataset_infos};

/// A checked experiment with its trials.
pub(crate) struct Experiment {
    pub(crate) spec: Spec,
    pub(crate) study: &'static dyn Study,
    pub(crate) trials: Vec<Trial>,
    /// The command that runs it, with its file as seen from the project folder.
    command: String,
    /// What the command line changed of its file.
    changes: Vec<String>,
}

/// Everything a command needs to know of the experiments it was given.
#[derive(Default)]
pub(crate) struct Experiments {
    pub(crate) list: Vec<Experiment>,
    pub(crate) manifests: Vec<Manifest>,
    /// The device as the person named it.
    pub(crate) device: String,
    /// Faults of specs that nobody named and that are left out of `list`.
    pub(crate) faults: Vec<Fault>,
    /// Data sets whose manifests are faulty; none of `list` needs them.
    pub(crate) broken: Vec<Broken>,
}

/// Which experiments a command takes where none is named.
#[derive(Clone, Copy)]
pub(crate) enum Pick<'a> {
    /// All of them.
    All,
    /// Those whose specs say `default: true`.
    Default,
    /// Those of one study.
    Study(&'a str),
}

impl Pick<'_> {
    fn takes(self, spec: &Spec) -> bool {
        match self {
            Self::All => true,
            Self::Default => spec.default,
            Self::Study(study) => spec.study == study,
        }
    }

    /// Whether a faulty spec may be one of those taken, as far as its text says.
    fn may_take(self, root: &Node) -> bool {
        let is = |key: &str, value: Value| root.get(key).is_some_and(|node| node.value == value);
        match self {
            Self::All => true,
            Self::Default => is("default", Value::Bool(true)),
            Self::Study(study) => is("study", Value::Text(study.to_owned())),
        }
    }
}

/// Reads, checks and plans the selected experiments; without a file those that `pick` takes.
///
/// A fault of a spec that was named, or that `run` would take, is an error. Other faulty specs are
/// left out: their faults are in [`Experiments::faults`] where `pick` is [`Pick::All`], and a
/// warning elsewhere.
pub(crate) fn load(
    workspace: &Workspace,
    selection: &Selection,
    pick: Pick<'_>,
) -> Result<Experiments, Failure> {
    let (manifests, broken) = workspace.catalog()?;
    let infos = dataset_infos(&manifests);
    let overrides = overrides(selection)?;
    let is_named = !selection.files.is_empty();
    let files = files(workspace, selection)?;
    let mut faults: Vec<Fault> = Vec::new();
    let mut specs = Vec::new();
    let mut passed_over = 0;
    for file in &files {
        let read = spec::read(file, &overrides, &workspace.root);
        let tree = read.as_ref().ok().map(|written| written.root.clone());
        let checked = read.and_then(|written| spec::check(&written, &studies::infos(), &infos));
        match checked {
            Ok(spec) if is_named || pick.takes(&spec) => specs.push(spec),
            Ok(_) => passed_over += 1,
            Err(found) => {
                let found = with_cause(found, tree.as_ref(), &broken);
                if is_named || tree.is_none_or(|tree| pick.may_take(&tree)) {
                    // A faulty `--set` is wrong once, not once a spec.
                    let new: Vec<Fault> =
                        found.into_iter().filter(|f| !faults.contains(f)).collect();
                    faults.extend(new);
                } else {
                    let number = found.len();
                    let first = found.first().map(ToString::to_string).unwrap_or_default();
                    eprintln!("warning: a spec with {number} faults is left out: {first}");
                }
            }
        }
    }
    let stops = is_named || !matches!(pick, Pick::All) || specs.is_empty();
    if stops && !faults.is_empty() {
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
        if passed_over > 0 {
            let message = match pick {
                Pick::Default => {
                    format!("no experiment in {place} says `default: true`; name those to run")
                }
                _ => format!("no experiment in {place} is of that study"),
            };
            return Err(Failure::usage(message));
        }
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
            command: command(workspace, selection, &spec.file),
            changes: changes(selection),
            spec,
            study,
            trials,
        });
    }
    Ok(Experiments {
        list,
        manifests,
        device: selection.device.to_string(),
        faults,
        broken,
    })
}

/// The files that were named, or all below `experiments/`.
fn files(workspace: &Workspace, selection: &Selection) -> Result<Vec<PathBuf>, Failure> {
    if selection.files.is_empty() {
        return spec_files(&workspace.experiments());
    }
    let mut files = Vec::new();
    for path in &selection.files {
        let named =
            ["yaml", "yml"].map(|end| workspace.experiments().join(path).with_extension(end));
        let is_name = !path.exists() && path.extension().is_none();
        let found: Vec<PathBuf> = named
            .into_iter()
            .filter(|file| is_name && file.exists())
            .collect();
        if path.is_dir() {
            files.extend(spec_files(path)?);
        } else if found.is_empty() {
            files.push(path.clone());
        } else {
            files.extend(found);
        }
    }
    Ok(files)
}

/// Faults of a spec, those of a faulty manifest in place of the data set it makes unknown.
fn with_cause(mut found: Vec<Fault>, tree: Option<&Node>, broken: &[Broken]) -> Vec<Fault> {
    fn names(node: &Node, name: &str) -> bool {
        match &node.value {
            Value::Text(text) => text == name,
            Value::List(items) => items.iter().any(|item| names(item, name)),
            Value::Map(entries) => entries.iter().any(|entry| names(&entry.node, name)),
            _ => false,
        }
    }
    for broken in broken {
        if tree.is_some_and(|tree| names(tree, &broken.name)) {
            found.retain(|fault| !fault.message.contains(&format!("`{}`", broken.name)));
            found.extend(broken.faults.iter().cloned());
        }
    }
    found
}

/// The whole command that runs an experiment, as a shell takes it.
fn command(workspace: &Workspace, selection: &Selection, file: &str) -> String {
    let mut words = vec![
        "just run".to_owned(),
        quoted(&within(&workspace.root, file)),
    ];
    for set in &selection.set {
        words.push(format!("--set {}", quoted(set)));
    }
    if !selection.seed.is_empty() {
        words.push(format!("--seed {}", seeds(selection)));
    }
    // The device enters ids, so that another one runs other trials.
    let device = selection.device.to_string();
    if selection.device.kind() != "cpu" {
        words.push(format!("--device {}", quoted(&device)));
    }
    words.join(" ")
}

/// What the command line changed of every spec.
fn changes(selection: &Selection) -> Vec<String> {
    let mut changes = selection.set.clone();
    if !selection.seed.is_empty() {
        changes.push(format!("seeds=[{}]", seeds(selection)));
    }
    changes
}

fn seeds(selection: &Selection) -> String {
    let seeds: Vec<String> = selection.seed.iter().map(u64::to_string).collect();
    seeds.join(",")
}

/// A word that a shell takes as it is, in quotes where it must be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/=+,:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

impl Experiments {
    /// The faults of specs that were left out, as the failure with which a command ends.
    pub(crate) fn no_faults(&self) -> Result<(), Failure> {
        match self.faults.is_empty() {
            true => Ok(()),
            false => Err(Failure::Faults(self.faults.clone())),
        }
    }

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
            .par_iter()
            .map(|trial| {
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
            changes: self.changes.clone(),
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
            seeds: spec.seeds.clone(),
            points: (self.trials.iter().step_by(spec.seeds.len().max(1)))
                .map(|trial| trial.point.clone())
                .collect(),
            fixed: self.trials.first().map_or_else(Params::default, |trial| {
                let fixed = trial.params.iter();
                fixed
                    .filter(|(name, _)| trial.point.get(name).is_none())
                    .map(|(name, value)| (name.to_owned(), value.clone()))
                    .collect()
            }),
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

/// All specs below a folder, sorted by path. Hidden names are those of editors and systems, and
/// whatever is no file holds no spec. A folder met twice, as through a link to one above, is
/// read once.
pub(crate) fn spec_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    fn gather(
        folder: &Path,
        seen: &mut HashSet<PathBuf>,
        files: &mut Vec<PathBuf>,
    ) -> std::io::Result<()> {
        if !seen.insert(folder.canonicalize()?) {
            return Ok(());
        }
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                paths.push(entry.path());
            }
        }
        paths.sort();
        for path in paths {
            if path.is_dir() {
                gather(&path, seen, files)?;
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") && path.is_file()
            {
                files.push(path);
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    gather(folder, &mut HashSet::new(), &mut files)
        .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
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
