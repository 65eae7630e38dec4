//! How to fetch, and what is told meanwhile.

use std::path::PathBuf;

use crate::source::url::Timeouts;

/// How and where to fetch.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// The cache folder, shared by all checkouts of a user.
    pub cache: PathBuf,
    /// A folder with copies (`RETRIAL_MIRROR`); where it is set its files come first.
    pub mirror: Option<PathBuf>,
    /// Whether the network is left alone.
    pub offline: bool,
    /// Only this variant, in place of the first that works.
    pub variant: Option<String>,
    /// Whether cached files are hashed again and fetched anew where they changed; otherwise their
    /// size and the digest of the decoded content must do.
    pub rehash: bool,
    /// Patience with servers.
    pub timeouts: Timeouts,
}

impl FetchOptions {
    /// Everything as usual, with that cache.
    #[must_use]
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            mirror: None,
            offline: false,
            variant: None,
            rehash: false,
            timeouts: Timeouts::default(),
        }
    }
}

/// What is going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchProgress<'a> {
    /// Another process works on the data set.
    Waiting {
        /// The data set.
        dataset: &'a str,
    },
    /// A source of a file is tried.
    Started {
        /// The file.
        file: &'a str,
        /// The source, as a person would find it.
        source: &'a str,
        /// The file's size.
        bytes: u64,
    },
    /// More of the file has come.
    Advanced {
        /// The file.
        file: &'a str,
        /// Bytes so far.
        done: u64,
        /// The file's size.
        bytes: u64,
    },
    /// The file is in the cache.
    Finished {
        /// The file.
        file: &'a str,
        /// The source that gave it.
        source: &'a str,
    },
    /// A source gave nothing; the next is tried.
    Failed {
        /// The file.
        file: &'a str,
        /// The source.
        source: &'a str,
        /// Why.
        reason: &'a str,
    },
}
