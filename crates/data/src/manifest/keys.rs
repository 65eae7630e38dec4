//! The keys of a manifest. Those of its settings stand with the formats.

mod files;
mod types;

use std::sync::LazyLock;

use retrial_core::keys;
use retrial_core::keys::{At, Key, MapDef};

pub use self::files::{FileKeys, Files};
pub(super) use self::types::check_sha256;
pub use self::types::{ContentDigest, DecoderName, ManifestFormat, SetName, Sha256};
use super::model::{Kind, Redistribution, Registry};
use crate::format::settings_keys;
use crate::words::Known;

/// A manifest with the settings of all formats, which stand before its variants.
static MAP: LazyLock<MapDef> = LazyLock::new(|| {
    let own = ManifestKeys::MAP;
    let (first, last) = own.keys.split_at(own.keys.len() - 1);
    let settings = settings_keys().map(|settings| settings.key);
    let keys: Vec<Key> = first
        .iter()
        .copied()
        .chain(settings)
        .chain(last.iter().copied())
        .collect();
    MapDef {
        doc: own.doc,
        keys: keys.leak(),
    }
});

/// What a manifest is and which keys it has, with those of the settings of all formats.
#[must_use]
pub fn map() -> &'static MapDef {
    &MAP
}

keys! {
    /// A manifest: what a data set is, where its files are and what they decode to.
    pub struct ManifestKeys {
        /// Version of the manifest format.
        format: ManifestFormat [needed()];
        /// The name of the folder: small letters, digits and hyphens, at most 64.
        name: SetName [needed()];
        /// What it is, in one line.
        title: String [needed()];
        /// Where it comes from.
        kind: Known<Kind> [needed()];
        /// What its owner allows, in full, or that nothing is stated.
        licence: String [needed()];
        /// What may be done with it beyond reading it.
        redistribution: Known<Redistribution> [needed()];
        /// What to cite.
        citation: String [needed()];
        /// An address where people read about it.
        homepage: String;
        /// Digest of the decoded content: `blake3:` and 64 hex digits.
        content: ContentDigest [needed()];
        /// Whether what could be repaired in annotations and tables is a fault.
        strict: bool = false;
        /// Forms of the same content, one or more; their decoders give one kind of content.
        variants: At<Vec<VariantKeys>> [needed()];
    }
}

keys! {
    /// One form of the files.
    pub struct VariantKeys {
        /// Letters, digits, `-` and `_`; none twice.
        name: At<String> [needed()];
        /// How the files become content.
        decoder: DecoderName [needed()];
        /// The files: a list, or the name of a table beside the manifest. A table is separated by tabs and has the
        /// header `path bytes sha256 origin role`. A generator has none.
        files: At<Files>;
        /// Where the files are.
        sources: Vec<SourceKeys>;
    }
}

keys! {
    /// A place that holds files: exactly one of its keys. `{path}` and `{origin}` stand for those of a file.
    pub struct SourceKeys {
        /// An address that begins with `https://`.
        url: At<String> [one()];
        /// A path below the folder of copies.
        mirror: At<String> [one()];
        /// A path beside the manifest.
        bundled: At<String> [one()];
        /// A member of a package.
        package: PackageKeys [one()];
    }
}

keys! {
    /// A member of a package of a registry.
    pub struct PackageKeys {
        /// Which registry.
        registry: Known<Registry> [needed()];
        /// The package.
        name: At<String> [needed()];
        /// Its exact version.
        version: At<String> [needed()];
        /// The member.
        member: At<String> [needed()];
    }
}
