//! How a command ends when it does not end well: message and exit code.

use std::fmt;
use std::process::ExitCode;

use retrial_core::fault::Fault;

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
    NothingConverged,
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

    /// The documented exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Trials { .. } | Self::NothingConverged | Self::FramesLost { .. } => 1,
            Self::Usage(_) | Self::Faults(_) => 2,
            Self::Data(_) => 3,
            Self::Stale(_) | Self::Damaged(_) => 4,
            Self::Storage(_) => 5,
            Self::Interrupted | Self::SeriesStopped => 130,
        })
    }

    /// Prints what a person should read to standard error.
    pub(crate) fn print(&self) {
        match self {
            Self::Faults(faults) => crate::diagnostic::print(faults),
            Self::Stale(paths) => {
                eprintln!("error: {} files do not show the records:", paths.len());
                for path in paths {
                    eprintln!("  {path}");
                }
                eprintln!("help: run `retrial report`");
            }
            Self::Damaged(records) => {
                eprintln!(
                    "error: {} records are damaged and judge nothing:",
                    records.len()
                );
                for record in records {
                    eprintln!("  {record}");
                }
                eprintln!(
                    "help: `retrial run` of their experiments sets them aside and runs their \
                     trials again"
                );
            }
            Self::Trials { failed: 1 } => eprintln!("error: 1 trial failed"),
            Self::Trials { failed } => eprintln!("error: {failed} trials failed"),
            Self::NothingConverged => {
                eprintln!(
                    "error: no point converged; the images share no pattern that could be \
                     followed\nhelp: the column `status` of the fields says why at every point"
                );
            }
            Self::FramesLost { of, lost } => {
                eprintln!("error: {} of {of} images were not measured:", lost.len());
                for why in lost {
                    eprintln!("  {why}");
                }
            }
            Self::SeriesStopped => {
                eprintln!("stopped; summary.csv and run.yaml hold what was measured");
                eprintln!("help: the same command measures the series anew");
            }
            Self::Interrupted => {
                eprintln!("stopped; `retrial run` goes on from here");
            }
            Self::Usage(message) | Self::Data(message) | Self::Storage(message) => {
                eprintln!("error: {message}");
            }
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
