//! Ways to a file: address, mirror folder, bundled copy, member of a registry's package.

pub(crate) mod client;
pub(crate) mod copy;
pub(crate) mod local;
pub(crate) mod package;
pub(crate) mod url;

use crate::manifest::{FileEntry, Registry, Source, fill};

impl Source {
    /// The source of one file as a person would find it.
    #[must_use]
    pub fn describe(&self, file: &FileEntry) -> String {
        match self {
            Self::Url { template } => url::address(template, file),
            Self::Mirror { template } => format!("mirror {}", fill(template, file, str::to_owned)),
            Self::Bundled { template } => {
                format!("bundled {}", fill(template, file, str::to_owned))
            }
            Self::Package {
                registry,
                name,
                version,
                member,
            } => {
                let sign = match registry {
                    Registry::Npm => "@",
                    Registry::Pypi => "==",
                };
                let member = fill(member, file, str::to_owned);
                format!("{} {name}{sign}{version}, {member}", registry.name())
            }
        }
    }

    /// Whether the source needs the network.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Url { .. } | Self::Package { .. })
    }
}
