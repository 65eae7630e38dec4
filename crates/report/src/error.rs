//! What can go wrong between records and pages.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a report or a part of it could not be made.
///
/// Faults of one figure or table do not stop a report: they are printed in its place.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A file or folder could not be read or written.
    #[error("{action} {path}: {source}")]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no results folder, so that a report would show nothing.
    #[error("there are no records to report on: {path} is missing; `retrial run` makes them")]
    NoResults {
        /// The folder.
        path: PathBuf,
    },
    /// A record or sheet was written by a newer program.
    #[error(
        "{path} has format {found}, which a newer program wrote; this one reads up to {newest}"
    )]
    Newer {
        /// Its file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// Our newest.
        newest: u64,
    },
    /// The records of an experiment cannot be packed.
    #[error("{experiment} is not packed: {trial}: {reason}")]
    Pack {
        /// Study and experiment.
        experiment: String,
        /// Which trial.
        trial: String,
        /// What is wrong with its record or one of its files.
        reason: String,
    },
    /// A figure or table names a quantity that the records do not have.
    #[error("{part} of {experiment}: no `{name}` in {place} (there are {known})")]
    NoColumn {
        /// Study and experiment.
        experiment: String,
        /// Which figure or table.
        part: String,
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        place: String,
        /// What is there.
        known: String,
    },
    /// A table of a trial is missing or not readable.
    #[error("{part} of {experiment}: table {path}: {reason}")]
    TrialTable {
        /// Study and experiment.
        experiment: String,
        /// Which figure.
        part: String,
        /// File within the experiment.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A figure needs a key that its spec does not state, or it or a table has words where numbers are needed.
    #[error("{part} of {experiment}: {reason}")]
    Figure {
        /// Study and experiment.
        experiment: String,
        /// Which figure or table.
        part: String,
        /// What is wrong.
        reason: String,
    },
    /// A frame could not be built or grouped.
    #[error("group the records: {0}")]
    Frame(#[from] polars::error::PolarsError),
    /// A picture could not be decoded or encoded.
    #[error("picture {path}: {source}")]
    Picture {
        /// Which.
        path: PathBuf,
        /// What the codec said.
        source: image::ImageError,
    },
}

impl ReportError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
