//! A program: what it is called, how it was built, and what it runs: studies, and commands that come with them. A study is
//! the only place where its algorithm meets a spec.

use std::any::Any;
use std::path::Path;

use retrial_core::census::Census;
use retrial_core::params::Params;
use retrial_core::spec::Written;
use retrial_core::study::StudyInfo;
use retrial_core::yaml::Value;
use retrial_data::{Content, Manifest};

use crate::dashboard::OpenDashboard;
use crate::devices::{Cpu, Devices};
use crate::execute::context::{Context, TrialError};
use crate::execute::provenance::BuildInfo;
use crate::failure::Failure;

/// A program that runs studies. Its `main` hands it to [`main`](crate::main):
///
/// ```no_run
/// # use std::process::ExitCode;
/// # use retrial_runner::{BuildInfo, Program, Study};
/// # const BUILD: BuildInfo = BuildInfo {
/// #     version: "", revision: None, source: None, profile: "", features: "", rustc: "", target: "", lock_file: "",
/// #     library_version: "", library_revision: None,
/// # };
/// # const STUDIES: &[&dyn Study] = &[];
/// // `retrial_runner::build_info!()` and `&[&MyStudy]` in place of the two constants.
/// static PROGRAM: Program = Program::new("own", "Weighs things.", BUILD, STUDIES);
///
/// fn main() -> ExitCode {
///     retrial_runner::main(&PROGRAM)
/// }
/// ```
pub struct Program {
    /// The name of its command.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What a person types before the file of an experiment to run it, as reports say it.
    pub run: &'static str,
    /// How it was built: `retrial_runner::build_info!()`.
    pub build: BuildInfo,
    /// Its studies. One is added here and nowhere else.
    pub studies: &'static [&'static dyn Study],
    /// Studies that run, and that no help, schema or page of reference names.
    pub hidden_studies: &'static [&'static dyn Study],
    /// The devices that its studies know.
    pub devices: &'static dyn Devices,
    /// What `run --tui` shows, or why this build has nothing to show and how to build one that has.
    pub dashboard: Result<OpenDashboard, &'static str>,
}

impl Program {
    /// A program whose studies run on the processor.
    #[must_use]
    pub const fn new(
        name: &'static str,
        about: &'static str,
        build: BuildInfo,
        studies: &'static [&'static dyn Study],
    ) -> Self {
        Self {
            name,
            about,
            run: "run",
            build,
            studies,
            hidden_studies: &[],
            devices: &Cpu,
            dashboard: Err("this program has no dashboard"),
        }
    }

    /// The study of that name.
    pub(crate) fn study(&self, name: &str) -> Option<&'static dyn Study> {
        let mut all = self.studies.iter().chain(self.hidden_studies);
        all.find(|study| study.info().name == name).copied()
    }

    /// The tables of all studies but the hidden ones.
    pub(crate) fn infos(&self) -> Vec<&'static StudyInfo> {
        self.studies.iter().map(|study| study.info()).collect()
    }

    /// The tables by which a spec is checked: a hidden study is known to those that name it.
    pub(crate) fn infos_for(&self, spec: &Written) -> Vec<&'static StudyInfo> {
        let named = match spec.root.get("study").map(|node| &node.value) {
            Some(Value::Text(name)) => name.as_str(),
            _ => "",
        };
        let hidden = self.hidden_studies.iter().map(|study| study.info());
        let mut infos = self.infos();
        infos.extend(hidden.filter(|info| info.name == named));
        infos
    }

    /// The commands that come with its studies.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &'static Command> + use<> {
        self.studies.iter().flat_map(|study| study.commands())
    }
}

/// What a command is called with.
pub struct Call<'c> {
    /// The program.
    pub program: &'static Program,
    /// The project folder that its `--root` names.
    pub(crate) root: Option<&'c Path>,
}

/// What a study keeps of one content, so that a census for other params does not find it again.
#[derive(Default)]
pub struct Memo(Option<Box<dyn Any>>);

impl Memo {
    /// That of a study, empty where it has kept nothing.
    pub fn of<M: Any + Default>(&mut self) -> &mut M {
        if !self.0.as_ref().is_some_and(|own| own.is::<M>()) {
            self.0 = Some(Box::<M>::default());
        }
        let own = self.0.as_mut().and_then(|own| own.downcast_mut::<M>());
        own.expect("it was made above")
    }
}

/// A study: its tables, its cost and its trial.
pub trait Study: Sync {
    /// Tables by which specs are checked and reports labelled.
    fn info(&self) -> &'static StudyInfo;

    /// Estimated CPU seconds of a trial on one core, with the data set it uses.
    fn cost_s(&self, params: &Params, dataset: Option<&Manifest>) -> f64;

    /// The params that decide what of its data a trial uses.
    fn census_keys(&self) -> &'static [&'static str] {
        &[]
    }

    /// What a trial uses of its data and what it leaves out. `memo` is that of earlier calls with the same content.
    ///
    /// # Errors
    /// Why it can use none of them.
    fn census(
        &self,
        _params: &Params,
        content: &Content,
        _memo: &mut Memo,
    ) -> Result<Census, TrialError> {
        Ok(content.census())
    }

    /// Runs one trial: reports metrics, leaves tables and arrays.
    ///
    /// # Errors
    /// Why it ended without a record; [`TrialError::Stopped`] where it was asked to.
    fn run(&self, context: &mut Context) -> Result<(), TrialError>;

    /// Commands of the program that come with the study.
    fn commands(&self) -> &'static [Command] {
        &[]
    }
}

/// A command of a program beside those that every program has.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line without a full stop.
    pub about: &'static str,
    /// Adds its arguments: `augment_args` of a struct that derives `clap::Args`.
    pub arguments: fn(clap::Command) -> clap::Command,
    /// Does it; [`arguments`](crate::arguments) reads that struct.
    pub run: fn(&Call<'_>, &clap::ArgMatches) -> Result<(), Failure>,
    /// What ends it.
    pub ends: Ends,
    /// Flags of other commands that it took over; they are refused with what to write now.
    pub replaces: &'static [Replaced],
}

/// What ends a command before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// It prints facts: a reader that goes away ends it, as in `retrial plan | head`, and so does a signal.
    AtOnce,
    /// It takes long, and its files are what counts: a signal that it may [`route`](crate::signals::route).
    WhenAsked,
}

/// A flag that was, and what to write in its place.
#[derive(Clone, Copy, Debug)]
pub struct Replaced {
    /// The command that had it.
    pub verb: &'static str,
    /// Its name without dashes.
    pub flag: &'static str,
    /// What to type now, after the name of the program.
    pub now: &'static str,
}
