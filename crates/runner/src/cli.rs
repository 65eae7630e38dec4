//! The command line that every program has, with the commands of its studies.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::OnceLock;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, CommandFactory as _, FromArgMatches, Parser, Subcommand, ValueEnum};
use retrial_core::declare::Word;

use crate::program::Program;

const EXIT_CODES: &str = "Exit codes: 0 all went well, 1 a trial or a measurement failed, \
    2 wrong arguments or a faulty file, 3 data cannot be had, 4 a report is stale, \
    5 results cannot be read or written, 130 stopped.";

#[derive(Debug, Parser)]
#[command(max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The argument of all commands that names the project folder.
pub(crate) const ROOT: &str = "root";

/// The command line of a program.
pub(crate) fn command_line(program: &'static Program) -> clap::Command {
    static VERSION: OnceLock<String> = OnceLock::new();
    let version: &'static str = VERSION.get_or_init(|| program.build.words());
    let about = program.about.trim_end_matches('.');
    let own = program.commands().map(|own| {
        let command = clap::Command::new(own.name);
        (own.arguments)(command).about(own.about)
    });
    let command = Cli::command()
        .name(program.name)
        .version(version)
        .about(about)
        .long_about(format!("{about}.\n\n{EXIT_CODES}"))
        .arg(
            Arg::new(ROOT)
                .long(ROOT)
                .global(true)
                .value_name("DIR")
                .value_parser(clap::value_parser!(PathBuf))
                .help("The project folder, in place of the one around the current folder"),
        )
        .subcommands(own);
    command.mut_subcommands(|verb| {
        let verb = verb.mut_args(|arg| match arg.get_id() == "device" {
            true => device(arg, program),
            false => arg,
        });
        let name = verb.get_name().to_owned();
        let replaced = program.commands().flat_map(|own| own.replaces);
        let replaced = replaced.filter(|old| old.verb == name);
        verb.args(replaced.map(|old| {
            let now = format!("write `{}`", old.now);
            let refuse = move |_: &str| -> Result<String, String> { Err(now.clone()) };
            Arg::new(old.flag)
                .long(old.flag)
                .hide(true)
                .value_parser(refuse)
        }))
    })
}

/// The argument `--device` with the names that the program knows; its value is the whole name.
fn device(arg: Arg, program: &'static Program) -> Arg {
    let devices = program.devices;
    let what = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let whole = move |name: &str| -> Result<String, String> {
        devices.named(name).map(|device| device.name)
    };
    arg.help(format!("{what}: {}", devices.names()))
        .default_value(devices.default_name())
        .value_parser(whole)
}

/// The arguments of a command, as its struct has them.
pub fn arguments<A: FromArgMatches>(matches: &clap::ArgMatches) -> A {
    A::from_arg_matches(matches).unwrap_or_else(|error| error.exit())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check experiment files and name every fault
    Check(CheckArgs),
    /// Print the trials, why each would run or be skipped, and the estimated cost
    Plan(PlanArgs),
    /// Run experiments: files, folders, or those with `default: true`
    Run(RunArgs),
    /// Run every experiment of a study
    Reproduce(ReproduceArgs),
    /// Say how far experiments are
    Status(SelectArgs),
    /// Show a trial: params, metrics, artifacts, provenance, failed attempts
    Show(ShowArgs),
    /// Print published values, ours, and the verdicts
    Claims(SelectArgs),
    /// Rebuild the reports from the records
    Report(ReportArgs),
    /// Pack the records of experiments into few files, as they are committed
    Pack(NamesArgs),
    /// Write the folders of packed trials again, with the files that are packed
    Unpack(NamesArgs),
    /// Remove records that no present plan names
    Prune(PruneArgs),
    /// Remove the records of trials or of whole experiments
    Rm(RemoveArgs),
    /// Give an experiment another name: its spec, its records and their seals
    Rename(RenameArgs),
    /// Write one table of all finished trials: params, metrics and provenance
    Export(ExportArgs),
    /// List, fetch and verify data sets
    #[command(subcommand)]
    Data(DataVerb),
    /// Print the JSON Schema of specs or manifests, for editors
    Schema(SchemaArgs),
    /// Print the reference as Markdown: keys, and params, metrics and tables of the studies
    Reference(SchemaArgs),
    /// Say what this machine has and lacks
    Doctor(DoctorArgs),
    /// Print a shell's completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Run one trial for the scheduler
    #[command(hide = true)]
    Worker {
        /// Instead try this device
        #[arg(long, value_name = "DEVICE")]
        probe: Option<String>,
    },
}

/// How facts are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// For programs; experiments/README.md describes the fields
    Json,
}

/// Which experiments, and how they are changed.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Selection {
    /// Experiment files, folders of them, or STUDY/EXPERIMENT
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Set a key of the spec: `--set params.step_px=10`, `--set sweep.order=[0,1]`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// Seeds in place of the spec's
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub(crate) seed: Vec<u64>,

    /// Device
    #[arg(long, value_name = "DEVICE", default_value = "")]
    pub(crate) device: String,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct RunOptions {
    /// Trials at a time; each gets its share of the threads
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,

    /// Leave the network alone
    #[arg(long)]
    pub(crate) offline: bool,

    /// Stop at the first failed trial
    #[arg(long)]
    pub(crate) fail_fast: bool,

    /// Further attempts for a trial that fails
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) retries: u32,

    /// Leave the reports as they are
    #[arg(long)]
    pub(crate) no_report: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) options: RunOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ReproduceArgs {
    /// The study
    pub(crate) study: String,
    /// Device
    #[arg(long, value_name = "DEVICE", default_value = "")]
    pub(crate) device: String,
    #[command(flatten)]
    pub(crate) options: RunOptions,
}

#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A trial's id or the beginning of it, `EXPERIMENT/TRIAL` or `STUDY/EXPERIMENT/TRIAL`
    pub(crate) trial: String,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct NamesArgs {
    /// `STUDY/EXPERIMENT` or `STUDY`; all that have records if none is named
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// `STUDY/EXPERIMENT` or `STUDY`; all that have records if none is named
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Also remove the folders of trials whose records are packed, with what is not packed of them
    #[arg(long)]
    pub(crate) packed: bool,
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// `STUDY/EXPERIMENT` or `STUDY/EXPERIMENT/TRIAL`
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RenameArgs {
    /// `STUDY/EXPERIMENT`
    pub(crate) old: String,
    /// The new name of the experiment, without its study
    pub(crate) new: String,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The file to write, by its ending: .csv, or .arrow for an Arrow (Feather) file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// `STUDY/EXPERIMENT` or `STUDY`; all that have records if none is named
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Only say whether the reports show the records
    #[arg(long)]
    pub(crate) check: bool,
    /// Folder of the reports
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataVerb {
    /// List data sets and where they are
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Bring data sets into the cache
    Fetch {
        /// Data sets
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Leave the network alone
        #[arg(long)]
        offline: bool,
    },
    /// Hash cached files again and decode them
    Verify {
        /// Data sets; all that are in the cache if none is named
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the paths of a data set's files, fetching them if needed
    Path {
        /// Data set
        name: String,
        /// Leave the network alone
        #[arg(long)]
        offline: bool,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(value_enum, default_value_t)]
    pub(crate) of: SchemaKind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// Experiment specs
    #[default]
    Spec,
    /// Data set manifests
    Manifest,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Device to try
    #[arg(long, value_name = "DEVICE", default_value = "")]
    pub(crate) device: String,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// One of the words of a choice; its help is the first paragraph of its meaning.
pub fn one_of<W>() -> impl TypedValueParser<Value = W>
where
    W: Word + FromStr<Err = String> + Send + Sync,
{
    let words = W::WORDS.iter().map(|own| {
        PossibleValue::new(own.word).help(own.summary().trim_end_matches('.').to_owned())
    });
    PossibleValuesParser::new(words).try_map(|word| word.parse::<W>())
}
