//! What can go wrong with data, with the two things that disagree in every variant.

use std::io;
use std::path::{Path, PathBuf};

use retrial_core::fault::Fault;
use retrial_core::image::ImageError;
use thiserror::Error;

use crate::format::annotation::AnnotationFault;

/// What a failed write was doing.
const WRITING: &str = "writing";

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
    #[error("{}", lines(.0))]
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
        "data set `{dataset}` decodes to {got}, its manifest says {expected}: \
         the files are those of the manifest, so its digest or the decoder changed"
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
    /// Whether the data cannot be had here and now: the sources, the network or `--offline` are
    /// the reason, not this machine's disk, a wrong manifest or wrong content.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unobtainable { .. } | Self::Unknown { .. })
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
            what: error.to_string(),
        }
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

/// One source that was tried in vain.
#[derive(Debug)]
pub struct Attempt {
    /// The variant of the data set.
    pub variant: String,
    /// The file.
    pub file: String,
    /// The source, as a person would find it: an address, a path, a package.
    pub source: String,
    /// Why it gave nothing.
    pub error: FetchError,
}

/// Why one source did not give one file.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The source needs the network and `--offline` forbids it.
    #[error("skipped: offline")]
    Offline,
    /// A mirror source without a mirror folder.
    #[error("skipped: RETRIAL_MIRROR is not set")]
    NoMirror,
    /// The file is not where the source says.
    #[error("not there: {}", path.display())]
    Missing {
        /// The place.
        path: PathBuf,
    },
    /// An earlier file of the same host could not be reached.
    #[error("skipped: {host} could not be reached before ({reason})")]
    DeadHost {
        /// The host.
        host: String,
        /// What happened then.
        reason: String,
    },
    /// No connection.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// The system's answer.
        reason: String,
    },
    /// The server answered with something else than the file.
    #[error("the server answered {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// A web page where data was expected.
    #[error("the server sent a web page instead of data{}", title_text(title))]
    WebPage {
        /// The page's title, if it has one.
        title: Option<String>,
    },
    /// The transfer broke off or stalled.
    #[error("the transfer stopped after {got} of {expected} bytes: {reason}")]
    Truncated {
        /// Bytes the manifest promises.
        expected: u64,
        /// Bytes that came.
        got: u64,
        /// Why.
        reason: String,
    },
    /// A file of another size.
    #[error("{got} bytes, expected {expected}")]
    Size {
        /// Bytes the manifest promises.
        expected: u64,
        /// Bytes found or announced.
        got: u64,
    },
    /// A file of another content.
    #[error("sha256 is {got}, expected {expected}")]
    Hash {
        /// The hash in the manifest.
        expected: String,
        /// The hash of what came.
        got: String,
    },
    /// No room left.
    #[error("no space left on the disk for {} ({needed} bytes)", path.display())]
    DiskFull {
        /// The file being written.
        path: PathBuf,
        /// Its size.
        needed: u64,
    },
    /// Reading or writing failed in another way.
    #[error("{action} {}: {error}", path.display())]
    Io {
        /// What was tried, as a participle.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// A package manager that is not installed.
    #[error("skipped: `{client}` is not installed")]
    NoClient {
        /// The command.
        client: &'static str,
    },
    /// A package manager that gave no package.
    #[error("`{command}` failed: {reason}")]
    Client {
        /// The command line.
        command: String,
        /// Its last words.
        reason: String,
    },
    /// An archive that is refused.
    #[error("{}: {what}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// Why.
        what: String,
    },
}

impl FetchError {
    /// Whether the cache did not take the file; only files of the cache are ever written.
    pub(crate) fn is_of_cache(&self) -> bool {
        matches!(
            self,
            Self::DiskFull { .. }
                | Self::Io {
                    action: WRITING,
                    ..
                }
        )
    }

    /// A failed write; a full disk gets its own variant.
    pub(crate) fn write(path: &Path, needed: u64) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, needed }
            }
            _ => Self::Io {
                action: WRITING,
                path,
                error,
            },
        }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io {
            action: "reading",
            path,
            error,
        }
    }
}

fn lines<F: ToString>(faults: &[F]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn title_text(title: &Option<String>) -> String {
    title
        .as_ref()
        .map(|title| format!(" ({title:?})"))
        .unwrap_or_default()
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
