//! Experiments of a command: files found, specs checked, trials planned.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use retrial_core::census::count;
use retrial_core::experiment::{
    DatasetSheet, ExperimentSheet, QuantitySheet, SHEET_FILE, SHEET_FORMAT,
};
use retrial_core::fault::Fault;
use retrial_core::metric::Direction;
use retrial_core::params::Params;
use retrial_core::plan::{self, Trial};
use retrial_core::seal::sealed;
use retrial_core::spec::{self, Spec, WhenUnavailable};
use retrial_core::yaml::{Node, Value};
use retrial_data::{DataError, Manifest};

use crate::cli::Selection;
use crate::devices::{CPU, Device};
use crate::execute::folder::{Inventory, TrialFolders, TrialState};
use crate::failure::Failure;
use crate::program::Program;
use crate::selected::{changes, command, files, overrides, same_file};
use crate::study::Study;
use crate::workspace::{Broken, Workspace, dataset_infos};

/// A checked experiment with its trials.
pub(crate) struct Experiment {
    pub(crate) spec: Spec,
    pub(crate) study: &'static dyn Study,
    program: &'static Program,
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
    /// The device that the person named.
    pub(crate) device: Device,
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
    let program = workspace.program;
    let device = program
        .devices
        .named(&selection.device)
        .map_err(Failure::usage)?;
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
        let checked = read.and_then(|written| {
            let figures = retrial_report::figure_kinds();
            spec::check(&written, &program.infos_for(&written), &infos, &figures)
        });
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
                    let faults = count(found.len(), "fault");
                    let first = found.first().map(ToString::to_string).unwrap_or_default();
                    eprintln!("warning: a spec with {faults} is left out: {first}");
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
        let study = program
            .study(&spec.study)
            .ok_or_else(|| Failure::usage(format!("there is no study `{}`", spec.study)))?;
        let info = study.info();
        if !info.uses_device && device.kind != CPU {
            let message = format!(
                "the study `{}` runs on the CPU only; leave `--device {}` out",
                spec.study, device.name
            );
            return Err(Failure::usage(message));
        }
        let trials = plan::trials(&spec, info, &infos, &device.kind);
        list.push(Experiment {
            command: command(workspace, selection, &device, &spec.file),
            changes: changes(selection),
            spec,
            study,
            program,
            trials,
        });
    }
    Ok(Experiments {
        list,
        manifests,
        device,
        faults,
        broken,
    })
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

    /// Whether `run` passes over the experiment where its data are not to be had for this reason.
    pub(crate) fn skips(&self, error: &DataError) -> bool {
        self.spec.when_unavailable == WhenUnavailable::Skip && error.is_absence()
    }

    /// Each trial with its state.
    ///
    /// # Errors
    /// A folder or record that cannot be read.
    pub(crate) fn states(&self, results: &Path) -> Result<Vec<(&Trial, TrialState)>, Failure> {
        self.states_but(results, &HashSet::new())
    }

    /// As [`Experiment::states`], where records were just found sound and are not read again.
    pub(crate) fn states_but(
        &self,
        results: &Path,
        sound: &HashSet<String>,
    ) -> Result<Vec<(&Trial, TrialState)>, Failure> {
        let inventory = Inventory::read(results, &self.spec.study, &self.spec.name)?;
        let revision = self.study.info().revision;
        self.trials
            .par_iter()
            .map(|trial| {
                if sound.contains(&trial.id) {
                    return Ok((trial, TrialState::Recorded));
                }
                let folders = self.folders(results, trial);
                let state = inventory.state(self.program, trial, &folders, revision)?;
                Ok((trial, state))
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

    /// The sheet of this plan and its file.
    pub(crate) fn sheet_file(
        &self,
        results: &Path,
        manifests: &[Manifest],
    ) -> Result<SheetFile, Failure> {
        let folder = results.join(&self.spec.study).join(&self.spec.name);
        let path = folder.join(SHEET_FILE);
        let text = text_of(&self.sheet(manifests))?;
        Ok(SheetFile { path, text })
    }
}

/// A sheet and where it belongs.
pub(crate) struct SheetFile {
    pub(crate) path: PathBuf,
    /// Its text without the seal.
    text: String,
}

/// What lies where a sheet belongs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum There {
    /// Nothing.
    Nothing,
    /// This sheet.
    Same,
    /// The sheet of another plan or report.
    Other,
    /// No sheet, and why.
    Damaged(String),
}

impl SheetFile {
    /// What lies there now.
    ///
    /// # Errors
    /// It cannot be read, or is of a newer program.
    pub(crate) fn there(&self) -> Result<There, Failure> {
        Ok(match retrial_report::read_sheet(self.folder())? {
            Ok(sheet) if self.says(&sheet) => There::Same,
            Ok(_) => There::Other,
            Err(_) if self.path.symlink_metadata().is_err() => There::Nothing,
            Err(reason) => There::Damaged(reason),
        })
    }

    /// Whether it is the same sheet to the last digit.
    pub(crate) fn says(&self, sheet: &ExperimentSheet) -> bool {
        text_of(sheet).is_ok_and(|text| text == self.text)
    }

    /// Writes the sheet where it differs from what is there; says so where that is damaged, or gone
    /// from beside its records.
    ///
    /// # Errors
    /// Those of [`SheetFile::there`], and the sheet cannot be written.
    pub(crate) fn renew(&self) -> Result<(), Failure> {
        let path = self.path.display();
        match self.there()? {
            There::Same => return Ok(()),
            There::Damaged(reason) => {
                eprintln!("warning: a damaged sheet is written again: {path}: {reason}");
            }
            There::Nothing if retrial_report::has_records(self.folder())? => {
                eprintln!("warning: a sheet that is gone is written again: {path}");
            }
            There::Nothing | There::Other => {}
        }
        self.write()
    }

    /// Writes the sheet, with its seal, over what is there.
    ///
    /// # Errors
    /// The sheet cannot be written.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let folder = self.folder();
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::storage(format!("{}: {error}", folder.display())))?;
        retrial_store::atomic_write(&self.path, sealed(&self.text).as_bytes())?;
        Ok(())
    }

    /// The folder of the experiment.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

pub(crate) fn text_of(sheet: &ExperimentSheet) -> Result<String, Failure> {
    let name = &sheet.experiment;
    serde_yaml::to_string(sheet)
        .map_err(|error| Failure::storage(format!("the sheet of {name}: {error}")))
}
