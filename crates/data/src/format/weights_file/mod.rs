//! `weights-file`: the file of a trained net, handed over as it is.

pub mod torch_weights;

use std::path::PathBuf;

use retrial_core::file;

use self::torch_weights::{TorchWeights, read_torch};
use super::{Format, Inputs};
use crate::content::Model;
use crate::error::DataError;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "weights-file",
    settings: None,
    roles: &["weights"],
    generates: false,
};

/// A file with trained weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// blake3 of the file, `blake3:…`, which is also the digest of the content.
    pub digest: String,
}

/// Hashes the file.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<WeightsFile, DataError> {
    let path = inputs.role("weights")?;
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    Ok(WeightsFile {
        path: path.to_owned(),
        bytes: bytes.len() as u64,
        digest: retrial_core::hash::content(&bytes),
    })
}

impl Model for WeightsFile {
    const KIND: &'static str = "weights of a net";

    fn digest(&self) -> String {
        self.digest.clone()
    }
}

impl WeightsFile {
    /// Reads the file as a state dict of PyTorch.
    ///
    /// # Errors
    /// As [`read_torch`].
    pub fn read_torch(&self) -> Result<TorchWeights, DataError> {
        read_torch(&self.path)
    }
}
