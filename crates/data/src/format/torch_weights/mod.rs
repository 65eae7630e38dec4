//! Trained weights as PyTorch saves them: a state dict of tensors.
//!
//! Two containers are read: the zip of today and the chain of pickles from before version 1.6. The
//! pickle itself is read by a machine that knows the dozen instructions a state dict needs and can
//! call nothing, so a file can do no harm; whatever else it holds is refused by name.

mod pickle;
mod storage;

use std::path::Path;

use retrial_core::file;

pub use storage::MAX_TENSOR_VALUES;

use crate::error::DataError;

/// The tensors of a state dict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TorchWeights {
    /// The tensors of floating-point numbers, in the order of the file.
    pub tensors: Vec<NamedTensor>,
    /// Names of tensors of whole numbers, such as counters, which are left out.
    pub skipped: Vec<String>,
}

/// A tensor with its name.
///
/// # Shapes
/// - `values`: `shape`, the last axis fastest
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Its name, such as `layer1.0.conv1.weight`.
    pub name: String,
    /// Its axes, outermost first; none for a single number.
    pub shape: Vec<usize>,
    /// Its values; 16-bit and 64-bit floats are converted.
    pub values: Vec<f32>,
}

impl TorchWeights {
    /// The tensor of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}

/// Reads a file that `torch.save` wrote of a state dict.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Format`] that says what the file holds instead.
pub fn read_torch(path: &Path) -> Result<TorchWeights, DataError> {
    let bytes = file::read(path, file::LARGEST).map_err(DataError::io("reading", path))?;
    read_torch_bytes(&bytes).map_err(|what| DataError::format(path, what))
}

/// The same from the bytes of a file.
///
/// # Errors
/// What the file holds instead, in words.
pub fn read_torch_bytes(bytes: &[u8]) -> Result<TorchWeights, String> {
    match bytes.starts_with(b"PK\x03\x04") {
        true => storage::read_zip(bytes),
        false => storage::read_chain(bytes),
    }
}
