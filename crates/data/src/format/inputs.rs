//! What a decoder works on.

use std::path::{Path, PathBuf};

use super::declaration::{FormatSettings, Settings};
use crate::error::DataError;

/// What a decoder works on.
pub(crate) struct Inputs<'a> {
    pub(crate) dataset: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) files: &'a [InputFile],
    /// Whether what could be repaired is a fault.
    pub(crate) strict: bool,
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its path in the manifest.
    pub path: String,
    /// Its role.
    pub role: String,
    /// Where it lies.
    pub at: PathBuf,
}

impl<'a> Inputs<'a> {
    /// The settings of the format.
    pub(crate) fn settings<S: FormatSettings>(&self) -> &'a S {
        let Some(settings) = self.settings.of() else {
            unreachable!("a manifest is checked to hold the settings of its decoder");
        };
        settings
    }

    /// The file at `path` of the manifest.
    pub(crate) fn file(&self, path: &str) -> Result<&'a Path, DataError> {
        self.files
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.at.as_path())
            .ok_or_else(|| DataError::format(Path::new(path), "the manifest names no such file"))
    }

    /// The one file of a role.
    pub(crate) fn role(&self, role: &str) -> Result<&'a Path, DataError> {
        let mut files = self.files.iter().filter(|file| file.role == role);
        match (files.next(), files.next()) {
            (Some(file), None) => Ok(&file.at),
            (found, _) => {
                let number = if found.is_some() {
                    "several files"
                } else {
                    "no file"
                };
                let what = format!(
                    "data set `{}` has {number} of the role `{role}`",
                    self.dataset
                );
                Err(DataError::format(Path::new(self.dataset), what))
            }
        }
    }
}
