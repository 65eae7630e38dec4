//! The tensors of a file of weights.

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
