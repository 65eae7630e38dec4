//! The weights of a module as named arrays: what checkpoints keep and other programs exchange.

#[cfg(test)]
mod faults;
pub mod safetensors;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use thiserror::Error;

/// An array with its shape, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArray {
    /// Lengths of the axes.
    pub shape: Vec<usize>,
    /// Values, the last axis fastest.
    pub values: Vec<f32>,
}

/// Arrays by name, such as `blocks.0.kernel`.
pub type Weights = BTreeMap<String, NamedArray>;

/// Why weights do not fit a module.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WeightsError {
    /// An array that the module has is not there.
    #[error("the weights lack `{name}`, which the net has with shape {expected:?}")]
    Missing {
        /// Its name.
        name: String,
        /// Its shape in the module.
        expected: Vec<usize>,
    },
    /// An array that the module lacks.
    #[error("the weights hold `{name}` with shape {found:?}, which the net lacks")]
    Unknown {
        /// Its name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A net of other widths.
    #[error("the weights hold `{name}` with shape {found:?}, the net has {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape in the module.
        expected: Vec<usize>,
        /// Its shape in the weights.
        found: Vec<usize>,
    },
}

/// The weights of a module, running statistics included.
#[must_use]
pub fn collect<M: Module>(module: &M) -> Weights {
    let mut collector = Collector::default();
    module.visit(&mut collector);
    collector.weights
}

/// The module with the weights put in.
///
/// # Errors
/// [`WeightsError`] naming the first array that is missing, unknown or of another shape.
pub fn apply<M: Module>(module: M, weights: &Weights) -> Result<M, WeightsError> {
    let own = collect(&module);
    for (name, array) in &own {
        let Some(found) = weights.get(name) else {
            return Err(WeightsError::Missing {
                name: name.clone(),
                expected: array.shape.clone(),
            });
        };
        if found.shape != array.shape {
            return Err(WeightsError::Shape {
                name: name.clone(),
                expected: array.shape.clone(),
                found: found.shape.clone(),
            });
        }
    }
    if let Some((name, array)) = weights.iter().find(|(name, _)| !own.contains_key(*name)) {
        return Err(WeightsError::Unknown {
            name: name.clone(),
            found: array.shape.clone(),
        });
    }
    Ok(module.map(&mut Applier {
        path: Path::default(),
        weights,
    }))
}

/// The weights whose names begin with `prefix`, without it.
#[must_use]
pub fn part(weights: &Weights, prefix: &str) -> Weights {
    let of_prefix = |(name, array): (&String, &NamedArray)| {
        let rest = name.strip_prefix(prefix)?;
        Some((rest.to_owned(), array.clone()))
    };
    weights.iter().filter_map(of_prefix).collect()
}

/// The weights with `prefix` before every name.
pub fn prefixed(weights: Weights, prefix: &str) -> impl Iterator<Item = (String, NamedArray)> {
    weights
        .into_iter()
        .map(move |(name, array)| (format!("{prefix}{name}"), array))
}

/// Where in a module a visitor is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path(Vec<String>);

impl Path {
    pub(crate) fn enter(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    pub(crate) fn exit(&mut self) {
        self.0.pop();
    }

    pub(crate) fn name(&self) -> String {
        self.0.join(".")
    }
}

/// A tensor's values on this side, the last axis fastest.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor
        .into_data()
        .convert::<f32>()
        .try_to_vec()
        .expect("the data was just made f32")
}

#[derive(Default)]
struct Collector {
    path: Path,
    weights: Weights,
}

impl ModuleVisitor for Collector {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = values(tensor);
        self.weights
            .insert(self.path.name(), NamedArray { shape, values });
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }
}

struct Applier<'w> {
    path: Path,
    weights: &'w Weights,
}

impl ModuleMapper for Applier<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(array) = self.weights.get(&self.path.name()) else {
            return param;
        };
        let (id, old, mapper) = param.consume();
        let data = TensorData::new(array.values.clone(), array.shape.clone());
        let new = Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad());
        Param::from_mapped_value(id, new, mapper)
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }
}
