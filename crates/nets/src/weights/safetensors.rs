//! Weights as safetensors, the exchange format of PyTorch and others.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use thiserror::Error;

use super::{NamedArray, Weights};

/// Why bytes are no weights.
#[derive(Debug, Error)]
pub enum SafetensorsError {
    /// The bytes are damaged or something else.
    #[error("not a safetensors file, or a damaged one")]
    Format(#[from] SafeTensorError),
    /// An array of other numbers than ours.
    #[error("the array `{name}` holds {dtype:?}, expected F32 (or U8, I64 for counts)")]
    Dtype {
        /// Name of the array.
        name: String,
        /// What it holds.
        dtype: Dtype,
    },
}

/// The arrays of a file; whole numbers become `f32`.
///
/// # Errors
/// [`SafetensorsError`].
pub fn read(bytes: &[u8]) -> Result<Weights, SafetensorsError> {
    let file = SafeTensors::deserialize(bytes)?;
    let mut weights = Weights::new();
    for (name, view) in file.tensors() {
        let values = match view.dtype() {
            Dtype::F32 => view
                .data()
                .as_chunks::<4>()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
            Dtype::U8 => view.data().iter().map(|&byte| f32::from(byte)).collect(),
            Dtype::I64 => view
                .data()
                .as_chunks::<8>()
                .0
                .iter()
                .map(|bytes| i64::from_le_bytes(*bytes) as f32)
                .collect(),
            dtype => return Err(SafetensorsError::Dtype { name, dtype }),
        };
        let shape = view.shape().to_vec();
        weights.insert(name, NamedArray { shape, values });
    }
    Ok(weights)
}

/// The bytes of a file with these arrays.
///
/// # Errors
/// [`SafetensorsError::Format`] when an array's shape and length disagree.
pub fn write(weights: &Weights) -> Result<Vec<u8>, SafetensorsError> {
    let bytes: Vec<Vec<u8>> = weights
        .values()
        .map(|array| array.values.iter().flat_map(|v| v.to_le_bytes()).collect())
        .collect();
    let mut views = Vec::with_capacity(weights.len());
    for ((name, array), bytes) in weights.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, array.shape.clone(), bytes)?;
        views.push((name.clone(), view));
    }
    Ok(safetensors::serialize(views, None)?)
}
