//! What can go wrong with data, with the two things that disagree in every variant.

mod fetch;

use std::io;
use std::path::{Path, PathBuf};

use retrial_core::census::count;
use retrial_core::fault::Fault;
use retrial_image::ImageError;
use thiserror::Error;

pub use self::fetch::{Attempt, FetchError};
use crate::annotation::AnnotationFault;

/// Why a data set could not be read, obtained or decoded.
#[derive(Debug, Error)]
pub enum DataError {
    /// A manifest with faults; every one of them.
    #[error("{}", lines(.0))]
    Manifest(Vec<Fault>),
    /// A data set nobody described.
    #[error("no data set `{name}` under {}; known: {}", folder.display(), known.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The folder that was searched.
        folder: PathBuf,
        /// The names there.
        known: Vec<String>,
    },
    /// A variant the manifest does not have.
    #[error("data set `{dataset}` has no variant `{wanted}`; it has {}", known.join(", "))]
    NoVariant {
        /// The data set.
        dataset: String,
        /// The variant asked for.
        wanted: String,
        /// The variants it has.
        known: Vec<String>,
    },
    /// Reading or writing failed.
    #[error("{action} {}: {error}", path.display())]
    Io {
        /// What was tried, as a participle: `reading`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// No source of a file gave it.
    #[error(
        "no source gave {file} of data set `{dataset}`:{}",
        attempts_text(attempts)
    )]
    Unobtainable {
        /// The data set.
        dataset: String,
        /// The first file that nothing gave.
        file: String,
        /// Every source that was tried and its failure, over all variants.
        attempts: Vec<Attempt>,
    },
    /// A file could not be brought because the cache does not take it.
    #[error(
        "the cache at {} cannot be written, so {file} of data set `{dataset}` is missing:{}",
        cache.display(),
        attempts_text(attempts)
    )]
    CacheUnwritable {
        /// The cache folder.
        cache: PathBuf,
        /// The data set.
        dataset: String,
        /// The first file that is missing.
        file: String,
        /// Every source that was tried and its failure, over all variants.
        attempts: Vec<Attempt>,
    },
    /// A file whose content its format does not allow.
    #[error("{}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A text file with a value that is wrong at a place.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1: a character where the text is free, a field in a table of numbers.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// Annotations with faults; every one of them.
    #[error("{}", first_lines(.0))]
    Annotations(Vec<AnnotationFault>),
    /// Two pictures of one series that do not have one size.
    #[error(
        "{} is {got_width} × {got_height} px, the reference is {width} × {height} px",
        path.display()
    )]
    MixedSizes {
        /// The picture that differs.
        path: PathBuf,
        /// Columns of the reference.
        width: usize,
        /// Rows of the reference.
        height: usize,
        /// Columns of the picture.
        got_width: usize,
        /// Rows of the picture.
        got_height: usize,
    },
    /// The decoded content is not what the manifest promises.
    #[error(
        "data set `{dataset}` decodes to {got}, its manifest says {expected}: every file is that of \
         the manifest, so fetching again would not help; where you made or changed the data set, \
         write `content: {got}` in its manifest.yaml"
    )]
    Content {
        /// The data set.
        dataset: String,
        /// The digest in the manifest.
        expected: String,
        /// The digest of what was decoded.
        got: String,
    },
    /// A generator of scenes refused its settings.
    #[error("generating `{dataset}`: {error}")]
    Scenes {
        /// The data set.
        dataset: String,
        /// Why.
        error: retrial_synth::infrared::SceneError,
    },
    /// A generator refused its settings.
    #[error("generating `{dataset}`: {error}")]
    Generator {
        /// The data set.
        dataset: String,
        /// Why.
        error: retrial_synth::SynthError,
    },
}

impl DataError {
    /// Whether the data are just not to be had here and now: no source has them, or the network
    /// or `--offline` is the reason. A file that is there and cannot be read, or has other bytes
    /// than those of the manifest, is no absence.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Unobtainable { attempts, .. } => {
                attempts.iter().all(|attempt| attempt.error.is_absence())
            }
            _ => false,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io {
            action,
            path,
            error,
        }
    }

    pub(crate) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Text {
            path,
            line: error.line(),
            column: error.column(),
            what: without_place(&error.to_string()),
        }
    }

    /// The same with other names of files, such as a person's own in place of the cache's.
    pub(crate) fn renamed(self, rename: &dyn Fn(&Path) -> PathBuf) -> Self {
        let mut error = self;
        match &mut error {
            Self::Io { path, .. }
            | Self::Format { path, .. }
            | Self::Text { path, .. }
            | Self::MixedSizes { path, .. } => *path = rename(path),
            Self::Annotations(faults) => {
                for fault in faults {
                    fault.file = rename(&fault.file);
                }
            }
            _ => {}
        }
        error
    }

    pub(crate) fn format(path: &Path, what: impl Into<String>) -> Self {
        Self::Format {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    pub(crate) fn image(path: &Path) -> impl FnOnce(ImageError) -> Self {
        let path = path.to_owned();
        move |error| Self::Format {
            path,
            what: error.to_string(),
        }
    }
}

/// A message of the JSON reader without the place, which stands before it.
fn without_place(message: &str) -> String {
    match message.rsplit_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => message.to_owned(),
    }
}

/// The first faults, and how many more there are.
fn first_lines<F: ToString>(faults: &[F]) -> String {
    const MOST: usize = 20;
    let text = lines(&faults[..faults.len().min(MOST)]);
    match faults.len().saturating_sub(MOST) {
        0 => text,
        more => format!("{text}\n… and {} more", count(more, "fault")),
    }
}

fn lines<F: ToString>(faults: &[F]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn attempts_text(attempts: &[Attempt]) -> String {
    attempts
        .iter()
        .map(|attempt| {
            let Attempt {
                variant,
                file,
                source,
                error,
            } = attempt;
            format!("\n  {variant}: {file} from {source}: {error}")
        })
        .collect()
}
