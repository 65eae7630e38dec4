//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use retrial_nets::device::DeviceChoice;

/// Reruns published experiments and says whether they reproduce.
///
/// Exit codes: 0 all went well, 1 a trial failed, 2 wrong arguments or a faulty file, 3 data
/// cannot be had, 4 a report is stale, 5 results cannot be read or written, 130 stopped.
#[derive(Debug, Parser)]
#[command(
    name = "retrial",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// The project folder, in place of the one around the current folder
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) verb: Verb,
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
    /// List, fetch and verify data sets
    #[command(subcommand)]
    Data(DataVerb),
    /// Print the JSON Schema of specs or manifests, for editors
    Schema(SchemaArgs),
    /// Say what this machine has and lacks
    Doctor(DoctorArgs),
    /// Print a shell's completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Correlate images without a spec: displacement fields of DEFORMED against REFERENCE
    Dic(Box<DicArgs>),
    /// Run one trial for the scheduler
    #[command(hide = true)]
    Worker,
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
    /// Experiment files or folders of them
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Set a key of the spec: `--set params.step_px=10`, `--set sweep.order=[0,1]`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// Seeds in place of the spec's
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub(crate) seed: Vec<u64>,

    /// Device: flex (CPU), cuda:N or wgpu
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub(crate) device: DeviceChoice,
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
    /// Device: flex (CPU), cuda:N or wgpu
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub(crate) device: DeviceChoice,
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
    /// A trial's id or the beginning of it, `EXPERIMENT/TRIAL` or `STUDY/EXPERIMENT/TRIAL`; with
    /// `--samples` or `--export` also a checkpoint (.h5) or PyTorch's weights (.safetensors)
    pub(crate) trial: String,
    /// Draw what the trial's generator draws into this PNG
    #[arg(long, value_name = "FILE.png")]
    pub(crate) samples: Option<PathBuf>,
    /// How many samples
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) count: u32,
    /// Seed of the samples
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub(crate) sample_seed: u64,
    /// Write the trial's nets as PyTorch's weights (safetensors)
    #[arg(long, value_name = "FILE.safetensors")]
    pub(crate) export: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
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
    /// Device to try: flex (CPU), cuda:N or wgpu
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub(crate) device: DeviceChoice,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct DicArgs {
    /// The reference image
    pub(crate) reference: PathBuf,
    /// The deformed images, in order
    #[arg(required = true)]
    pub(crate) deformed: Vec<PathBuf>,
    /// Folder for fields.csv, fields.h5 and the pictures
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Full width of the subset, px; odd
    #[arg(long, value_name = "PX", default_value_t = 41)]
    pub(crate) subset_size: usize,
    /// Spacing of the points, px
    #[arg(long, value_name = "PX", default_value_t = 10)]
    pub(crate) step: usize,
    /// Order of the shape function: 0, 1 or 2
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub(crate) order: u8,
    /// Outline of the subset
    #[arg(long, value_enum, default_value_t)]
    pub(crate) shape: Outline,
    /// Standard deviation of the Gaussian prefilter, px; 0 turns it off
    #[arg(long, value_name = "PX")]
    pub(crate) sigma: Option<f64>,
    /// Image each deformed one is compared with
    #[arg(long, value_enum, default_value_t)]
    pub(crate) strategy: Strategy,
    /// Mask: pixels that are not black take part
    #[arg(long, value_name = "IMAGE")]
    pub(crate) mask: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outline {
    #[default]
    Square,
    Circle,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Strategy {
    /// The reference image
    #[default]
    First,
    /// The image before it
    Previous,
}
