//! Weights, lists and numbers in the HDF5 trees of stages.

use retrial_nets::weights::{NamedArray, Weights};
use retrial_runner::TrialError;
use retrial_store::{Array, Tree, Value};

/// Inserts weights below the group `group`.
pub fn insert_weights(tree: &mut Tree, group: &str, weights: &Weights) -> Result<(), TrialError> {
    for (name, array) in weights {
        let stored = Array::new(array.shape.clone(), array.values.clone())?;
        tree.insert(&format!("{group}/{name}"), stored)?;
    }
    Ok(())
}

/// The weights below the group `group`.
pub fn weights(tree: &Tree, group: &str) -> Result<Weights, TrialError> {
    let prefix = format!("{group}/");
    let mut weights = Weights::new();
    for (path, array) in tree.arrays() {
        if let Some(name) = path.strip_prefix(&prefix) {
            let values = tree.values::<f32>(path)?.to_vec();
            let shape = array.shape().to_vec();
            weights.insert(name.to_owned(), NamedArray { shape, values });
        }
    }
    Ok(weights)
}

/// A whole number on the root.
pub fn set_number(tree: &mut Tree, name: &str, number: u64) -> Result<(), TrialError> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    Ok(tree.set_attribute("", name, Value::I64(number))?)
}

/// A whole number of the root.
pub fn number(tree: &Tree, name: &str) -> Result<u64, TrialError> {
    match tree.attribute("", name) {
        Some(Value::I64(number)) => Ok(u64::try_from(*number).unwrap_or(0)),
        _ => Err(TrialError::Other(format!(
            "a file of this trial lacks the number `{name}`"
        ))),
    }
}

/// A list of numbers.
pub fn insert_list(tree: &mut Tree, name: &str, values: Vec<f64>) -> Result<(), TrialError> {
    Ok(tree.insert(name, Array::list(values)?)?)
}
