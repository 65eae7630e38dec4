//! Trained weights as PyTorch saves them: a state dict of tensors.
//!
//! Two containers are read: the zip of today and the chain of pickles from before version 1.6. The
//! pickle itself is read by a machine that knows the dozen instructions a state dict needs and can
//! call nothing, so a file can do no harm; whatever else it holds is refused by name.

mod model;
mod pickle;
mod storage;

use std::path::Path;

use retrial_core::file;

pub use self::model::{NamedTensor, TorchWeights};
pub use self::storage::MAX_TENSOR_VALUES;

use crate::error::DataError;

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
