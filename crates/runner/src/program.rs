//! A program: what it is called, how it was built, what it runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::FromArgMatches as _;
use retrial_core::spec::Written;
use retrial_core::study::StudyInfo;
use retrial_core::yaml::Value;

use crate::cli::{self, Cli, Verb};
use crate::command;
use crate::devices::{Cpu, Devices};
use crate::execute::provenance::BuildInfo;
use crate::execute::{signals, worker};
use crate::failure::Failure;
use crate::study::{Command, Ends, Study};
use crate::workspace::Workspace;

/// A program that runs studies. Its `main` hands it to [`main`](crate::main):
///
/// ```no_run
/// # use std::process::ExitCode;
/// # use retrial_runner::{BuildInfo, Program, Study};
/// # const BUILD: BuildInfo = BuildInfo {
/// #     version: "", revision: None, source: None, profile: "", features: "", rustc: "", target: "", lock_file: "",
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
    root: Option<&'c Path>,
}

impl Call<'_> {
    /// The project around the current folder, or the one that `--root` names.
    ///
    /// # Errors
    /// [`Failure::Usage`] where there is none.
    pub fn workspace(&self) -> Result<Workspace, Failure> {
        Workspace::find(self.program, self.root)
    }
}

/// Runs a program by its command line.
pub fn main(program: &'static Program) -> ExitCode {
    retrial_elementary::link();
    let mut command_line = cli::command_line(program);
    let matches = command_line.get_matches_mut();
    let root = matches.get_one::<PathBuf>(cli::ROOT);
    let call = Call {
        program,
        root: root.map(PathBuf::as_path),
    };
    let own = matches.subcommand().and_then(|(name, matches)| {
        let own = program.commands().find(|own| own.name == name)?;
        Some((own, matches))
    });
    if let Some((own, matches)) = own {
        return ended(own.ends, || (own.run)(&call, matches));
    }
    let cli = Cli::from_arg_matches(&matches);
    let cli = cli.unwrap_or_else(|error| error.format(&mut command_line).exit());
    let ends = match &cli.verb {
        Verb::Worker { probe: None } => return worker::main(program),
        Verb::Worker {
            probe: Some(device),
        } => return command::doctor::probe_here(program, device),
        // What they say to workers must not end them: a worker may die.
        Verb::Run(_) | Verb::Reproduce(_) => Ends::WhenAsked,
        _ => Ends::AtOnce,
    };
    ended(ends, || run(&call, &cli.verb))
}

/// Does the work of a command, and gives the exit code of its end.
fn ended(ends: Ends, work: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    let ready = match ends {
        Ends::AtOnce => {
            sigpipe::reset();
            Ok(())
        }
        Ends::WhenAsked => signals::install(),
    };
    match ready.and_then(|()| work()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.code()
        }
    }
}

fn run(call: &Call<'_>, verb: &Verb) -> Result<(), Failure> {
    let workspace = || call.workspace();
    match verb {
        Verb::Check(args) => command::check::run(&workspace()?, args),
        Verb::Plan(args) => command::plan::run(&workspace()?, args),
        Verb::Run(args) => command::run::run(&workspace()?, &args.selection, &args.options),
        Verb::Reproduce(args) => command::run::reproduce(&workspace()?, args),
        Verb::Status(args) => command::status::run(&workspace()?, args),
        Verb::Show(args) => command::show::run(&workspace()?, args),
        Verb::Claims(args) => command::claims::run(&workspace()?, args),
        Verb::Report(args) => command::report::run(&workspace()?, args),
        Verb::Pack(args) => command::pack::run(&workspace()?, args),
        Verb::Unpack(args) => command::pack::unpack(&workspace()?, args),
        Verb::Prune(args) => command::records::prune(&workspace()?, args),
        Verb::Rm(args) => command::records::rm(&workspace()?, args),
        Verb::Rename(args) => command::records::rename(&workspace()?, args),
        Verb::Export(args) => command::records::export(&workspace()?, args),
        Verb::Data(verb) => command::data::run(&workspace()?, verb),
        Verb::Schema(args) => command::schema::run(call, args),
        Verb::Reference(args) => {
            command::reference::run(call.program, args.of);
            Ok(())
        }
        Verb::Doctor(args) => command::doctor::run(call, args),
        Verb::Completions { shell } => {
            command::completions::run(call.program, *shell);
            Ok(())
        }
        Verb::Worker { .. } => Ok(()),
    }
}
