//! How a command ends when it does not end well: message and exit code.

use std::fmt;
use std::process::ExitCode;

use retrial_core::census::count;
use retrial_core::fault::Fault;
use retrial_dic::Status;
use retrial_report::KeptPage;

/// Why a command failed; each kind has its exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong arguments, or a place that cannot be used: 2.
    Usage(String),
    /// Files that people write are wrong: 2.
    Faults(Vec<Fault>),
    /// Data cannot be had: 3.
    Data(String),
    /// A trial failed: 1.
    Trials {
        /// How many.
        failed: usize,
    },
    /// No point of any image converged; the fields are written and say why: 1.
    NothingConverged {
        /// The points of all images by their status.
        statuses: Vec<(Status, usize)>,
    },
    /// Images of a series were left out; the others are measured: 1.
    FramesLost {
        /// Images given.
        of: usize,
        /// What is wrong with each of the lost ones.
        lost: Vec<String>,
    },
    /// The person stopped a series of images: 130.
    SeriesStopped,
    /// A report is older than its records: 4.
    Stale(Vec<String>),
    /// Records are not what was recorded: 4.
    Damaged(Vec<String>),
    /// Records or sheets went or changed while their run was at work: 4.
    Lost(Vec<String>),
    /// Pages that show trials of which no record is left: 4.
    KeptPages(Vec<KeptPage>),
    /// The person stopped it: 130.
    Interrupted,
    /// Results or reports cannot be read or written: 5.
    Storage(String),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn storage(message: impl fmt::Display) -> Self {
        Self::Storage(message.to_string())
    }

    /// The failure that names pages which were kept, if any were.
    pub(crate) fn of_kept(pages: Vec<KeptPage>) -> Result<(), Self> {
        match pages.is_empty() {
            true => Ok(()),
            false => Err(Self::KeptPages(pages)),
        }
    }

    /// The documented exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Trials { .. } | Self::NothingConverged { .. } | Self::FramesLost { .. } => 1,
            Self::Usage(_) | Self::Faults(_) => 2,
            Self::Data(_) => 3,
            Self::Stale(_) | Self::Damaged(_) | Self::Lost(_) | Self::KeptPages(_) => 4,
            Self::Storage(_) => 5,
            Self::Interrupted | Self::SeriesStopped => 130,
        })
    }

    /// Prints what a person should read to standard error.
    pub(crate) fn print(&self) {
        match self {
            Self::Faults(faults) => crate::diagnostic::print(faults),
            Self::Stale(paths) => {
                let files = count(paths.len(), "file");
                let verb = if paths.len() == 1 { "does" } else { "do" };
                eprintln!("error: {files} {verb} not show the records:");
                for path in paths {
                    eprintln!("  {path}");
                }
                eprintln!("help: run `retrial report`");
            }
            Self::Damaged(records) => {
                let verb = match records.len() {
                    1 => "is damaged and judges",
                    _ => "are damaged and judge",
                };
                eprintln!("error: {} {verb} nothing:", count(records.len(), "record"));
                for record in records {
                    eprintln!("  {record}");
                }
                eprintln!(
                    "help: `retrial run` of their experiments sets them aside and runs their \
                     trials again; `retrial report` writes a sheet again whose spec is there"
                );
            }
            Self::Lost(results) => {
                eprintln!("error: results were removed or changed during the run:");
                for what in results {
                    eprintln!("  {what}");
                }
            }
            Self::KeptPages(pages) => {
                eprintln!("error: no record is left of trials that a report shows:");
                for page in pages {
                    let experiments = page.experiments.join(", ");
                    eprintln!("  {}: {experiments}", page.path.display());
                }
                eprintln!(
                    "help: the report of that study stays as it was; bring the records back or run \
                     the experiments again. Where they were removed on purpose, remove the page, \
                     its figures and its tables"
                );
            }
            Self::Trials { failed } => eprintln!("error: {} failed", count(*failed, "trial")),
            Self::NothingConverged { statuses } => {
                let counts: Vec<String> = statuses
                    .iter()
                    .map(|(status, total)| format!("{total} {}", status.name()))
                    .collect();
                eprintln!("error: no point converged: {}", counts.join(", "));
                if let Some((most, _)) = statuses.iter().max_by_key(|(_, total)| *total) {
                    eprintln!("help: {}", advice(*most));
                }
            }
            Self::FramesLost { of, lost } => {
                let images = count(*of, "image");
                let verb = if lost.len() == 1 { "was" } else { "were" };
                eprintln!("error: {} of {images} {verb} not measured:", lost.len());
                for why in lost {
                    eprintln!("  {why}");
                }
            }
            Self::SeriesStopped => {
                eprintln!("stopped; summary.csv and run.yaml hold what was measured");
                eprintln!("help: the same command goes on from here");
            }
            Self::Interrupted => {
                eprintln!("stopped; the same command goes on from here");
            }
            Self::Usage(message) | Self::Data(message) | Self::Storage(message) => {
                eprintln!("error: {message}");
            }
        }
    }
}

/// What to do where most points have this status.
fn advice(status: Status) -> &'static str {
    match status {
        Status::Converged => "look at the points of another status",
        Status::IterationLimit => {
            "the match did not settle; try a larger --subset or another --order"
        }
        Status::LowCorrelation => {
            "the deformed images do not show the pattern of the reference; compare the images, or give the steps between"
        }
        Status::OutOfImage => {
            "the subsets leave the deformed images; choose points farther inside, a smaller --subset, or --truncate"
        }
        Status::FlatSubset => {
            "the subsets hold one grey value; look at the exposure of the images, or try a larger --subset"
        }
        Status::IllConditioned => {
            "the pattern varies in one direction alone; try a larger --subset or a lower --order"
        }
        Status::Masked => {
            "the mask leaves too little of the subsets; try a smaller --subset or --truncate"
        }
        Status::Diverged => {
            "no match was found near the points; compare the images, or give the steps between"
        }
        Status::Uncertain => {
            "noise hides the pattern; try a larger --subset or images with more contrast"
        }
    }
}

impl From<retrial_data::DataError> for Failure {
    fn from(error: retrial_data::DataError) -> Self {
        use retrial_data::DataError;
        match error {
            DataError::Manifest(faults) => Self::Faults(faults),
            DataError::Unknown { .. } => Self::Usage(error.to_string()),
            // The cache or a file of this machine; no other source would help.
            DataError::Io { .. } | DataError::CacheUnwritable { .. } => {
                Self::Storage(error.to_string())
            }
            _ => Self::Data(error.to_string()),
        }
    }
}

impl From<retrial_store::StoreError> for Failure {
    fn from(error: retrial_store::StoreError) -> Self {
        Self::storage(error)
    }
}

impl From<retrial_report::ReportError> for Failure {
    fn from(error: retrial_report::ReportError) -> Self {
        Self::storage(error)
    }
}
