//! Why one source did not give one file.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// What a failed write was doing.
const WRITING: &str = "writing";

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
    /// The transfer from a server broke off or stalled.
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
    /// Whether the source just does not have the file, or cannot be asked for it here and now. What
    /// is there and cannot be read, or is another file, is no absence.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Offline
            | Self::NoMirror
            | Self::Missing { .. }
            | Self::DeadHost { .. }
            | Self::Unreachable { .. }
            | Self::Status { .. }
            | Self::WebPage { .. }
            | Self::Truncated { .. }
            | Self::NoClient { .. }
            | Self::Client { .. } => true,
            Self::Size { .. }
            | Self::Hash { .. }
            | Self::DiskFull { .. }
            | Self::Io { .. }
            | Self::Archive { .. } => false,
        }
    }

    /// A file of this machine that could not be looked at: missing, or in another way.
    pub(crate) fn open(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing { path },
            _ => Self::read(&path)(error),
        }
    }

    /// Something else than a file where one should be: a folder, or a pipe that may never end.
    pub(crate) fn no_file(path: &Path) -> Self {
        Self::read(path)(io::Error::other("it is no regular file"))
    }

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

fn title_text(title: &Option<String>) -> String {
    title
        .as_ref()
        .map(|title| format!(" ({title:?})"))
        .unwrap_or_default()
}
