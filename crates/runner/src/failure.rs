//! How a command ends when it does not end well: message and exit code.

use std::fmt;
use std::process::ExitCode;

use retrial_core::census::count;
use retrial_core::fault::Fault;
use retrial_report::KeptPage;

/// Why a command failed; each kind has its exit code.
#[derive(Debug)]
pub enum Failure {
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
    /// What a command of a study has to say.
    Own {
        /// The exit code.
        code: u8,
        /// What a person reads, line by line.
        text: String,
    },
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
    /// Wrong arguments, in words.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// What cannot be read or written, in words.
    pub fn storage(message: impl fmt::Display) -> Self {
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
            Self::Own { code, .. } => *code,
            Self::Trials { .. } => 1,
            Self::Usage(_) | Self::Faults(_) => 2,
            Self::Data(_) => 3,
            Self::Stale(_) | Self::Damaged(_) | Self::Lost(_) | Self::KeptPages(_) => 4,
            Self::Storage(_) => 5,
            Self::Interrupted => 130,
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
            Self::Own { text, .. } => eprintln!("{text}"),
            Self::Interrupted => {
                eprintln!("stopped; the same command goes on from here");
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
