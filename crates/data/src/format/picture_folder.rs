//! `picture-folder`: picture files that are decoded one at a time, so that a folder of any size
//! needs the memory of one picture.

use std::path::{Path, PathBuf};

use retrial_core::file;
use retrial_core::hash::FieldHasher;

use super::{Format, Inputs};
use crate::content::Model;
use crate::error::DataError;
use crate::picture::{Rgb, decode_rgb, jpeg, single};

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "picture-folder",
    settings: None,
    roles: &["picture"],
    generates: false,
};

/// Picture files, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureFolder {
    /// The files.
    pub files: Vec<PictureFile>,
}

/// One picture file that is not decoded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureFile {
    /// Its name in the manifest.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// blake3 of the file.
    pub encoded: String,
}

/// A decoded picture.
///
/// # Shapes
/// - `rgb`: `[row, column, 3]`, 8 bits a channel; a grey picture has three equal ones
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColourPicture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The pixels.
    pub rgb: Vec<u8>,
}

/// Lists the files; none is decoded.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<PictureFolder, DataError> {
    let mut files = Vec::new();
    for file in inputs.files {
        let bytes =
            file::read(&file.at, file::LARGEST).map_err(DataError::io("reading", &file.at))?;
        let wrong = |what: String| DataError::format(&file.at, what);
        single(&bytes).map_err(wrong)?;
        if bytes.starts_with(&jpeg::START) {
            jpeg::ended(&bytes).map_err(wrong)?;
        }
        files.push(PictureFile {
            name: file.path.clone(),
            path: file.at.clone(),
            encoded: retrial_core::hash::content(&bytes),
        });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(PictureFolder { files })
}

impl PictureFile {
    /// Decodes the picture.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Format`] for a file that is no picture.
    pub fn read(&self) -> Result<ColourPicture, DataError> {
        read_colour(&self.path)
    }
}

/// Decodes a picture file in three colour channels.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Format`] for a file that is no picture.
pub fn read_colour(path: &Path) -> Result<ColourPicture, DataError> {
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    let decoded = decode_rgb(&bytes).map_err(|what| DataError::format(path, what))?;
    let Rgb {
        width, height, rgb, ..
    } = decoded;
    Ok(ColourPicture { width, height, rgb })
}

impl Model for PictureFolder {
    const KIND: &'static str = "picture files";

    fn digest(&self) -> String {
        let mut hasher = FieldHasher::new("retrial picture files v1");
        for file in &self.files {
            hasher
                .field(file.name.as_bytes())
                .field(file.encoded.as_bytes());
        }
        hasher.tagged()
    }
}
