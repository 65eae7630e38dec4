//! What is there of a data set.

use crate::format::InputFile;

/// Files that are there and right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// The data set.
    pub dataset: String,
    /// The variant.
    pub variant: String,
    /// Where the files came from: `cache`, `generator`, or the kinds of the sources that gave them.
    pub source_used: String,
    /// The files, in the manifest's order.
    pub files: Vec<InputFile>,
    /// What was obtained of every part, for a data set made of others.
    pub parts: Vec<Obtained>,
}

impl Obtained {
    /// Its own files and those of its parts.
    #[must_use]
    pub fn all_files(&self) -> Vec<&InputFile> {
        let of_parts = self.parts.iter().flat_map(Self::all_files);
        self.files.iter().chain(of_parts).collect()
    }
}

/// Whether a data set can be had, judged without the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is made here and needs nothing.
    Generated,
    /// The files of this variant are in the cache.
    Cached {
        /// The variant.
        variant: String,
    },
    /// The files of this variant lie on this machine, in the mirror folder or beside the manifest.
    Local {
        /// The variant.
        variant: String,
    },
    /// Something must be fetched.
    Remote {
        /// Size of the variant that is tried first.
        bytes: u64,
    },
    /// The network is needed and not allowed.
    Offline,
}
