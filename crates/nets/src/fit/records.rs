//! What an optimiser of burn remembers, under the names of weights.
//!
//! burn keeps it under ids that are drawn anew in every process, and hands it out as bytes in the form of burn-pack.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::tensor::{Tensor, TensorData};
use burn_pack::{Reader, Scalar, Tensor as Packed, Writer};

use super::FitError;
use crate::adam::{FIRST, SECOND, STEPS};
use crate::sgd::VELOCITY;
use crate::weights::{NamedArray, Path, Weights, WeightsError};

/// Arrays by the names of weights, and the number of steps of Adam.
pub(super) fn moments<M: Module>(
    record: OptimizerRecord,
    net: &M,
) -> Result<(Weights, u32), FitError> {
    let mut moments = Weights::new();
    if record.is_empty() {
        return Ok((moments, 0));
    }
    let reader = Reader::from_bytes(record.into_bytes().map_err(burn)?).map_err(burn)?;
    let steps = reader.scalars().iter().filter_map(|(name, &value)| {
        let is_count = name.rsplit('.').next() == Some(STEPS);
        u32::try_from(value).ok().filter(|_| is_count)
    });
    let steps = steps.max().unwrap_or(0);
    let names: BTreeMap<u64, String> = ids(net).into_iter().map(|(name, id)| (id, name)).collect();
    for tensor in reader.into_tensors().map_err(burn)? {
        let (path, dtype, shape, id, bytes) = tensor.into_parts().map_err(burn)?;
        let name = id.and_then(|id| names.get(&id));
        let (Some(name), Some((_, leaf))) = (name, path.split_once('.')) else {
            return Err(FitError::Burn(format!("the optimiser holds `{path}`")));
        };
        let array = NamedArray {
            shape: shape.to_vec(),
            values: TensorData::from_bytes(bytes, shape, dtype)
                .try_to_vec()
                .map_err(burn)?,
        };
        let name = match leaf {
            VELOCITY => name.clone(),
            _ => format!("{leaf}.{name}"),
        };
        moments.insert(name, array);
    }
    Ok((moments, steps))
}

/// The optimiser with what [`moments`] gave.
pub(super) fn remembering<M: Module>(
    optimiser: ModuleOptimizer,
    moments: &Weights,
    steps: u32,
    net: &M,
) -> Result<ModuleOptimizer, FitError> {
    if moments.is_empty() {
        return Ok(optimiser);
    }
    let ids = ids(net);
    let mut tensors = Vec::with_capacity(moments.len());
    for (key, array) in moments {
        let (leaf, name) = match key.split_once('.') {
            Some((leaf @ (FIRST | SECOND), name)) if steps > 0 => (leaf, name),
            _ => (VELOCITY, key.as_str()),
        };
        let Some(id) = ids.get(name) else {
            return Err(FitError::Weights(WeightsError::Unknown {
                name: key.clone(),
                found: array.shape.clone(),
            }));
        };
        let data = TensorData::new(array.values.clone(), array.shape.clone());
        let (bytes, shape, dtype) = data.into_parts();
        let path = format!("{id}.{leaf}");
        tensors.push(Packed::new(path, dtype, shape, Some(*id), bytes));
    }
    let mut writer = Writer::new(tensors);
    if steps > 0 {
        for id in ids.values() {
            writer = writer.with_scalar(&format!("{id}.{STEPS}"), Scalar::from(steps));
        }
    }
    let bytes = writer.into_bytes().map_err(burn)?;
    Ok(optimiser.load_record(OptimizerRecord::from_bytes(bytes).map_err(burn)?))
}

fn burn(error: impl std::fmt::Display) -> FitError {
    FitError::Burn(error.to_string())
}

/// The ids of weights by their names.
fn ids<M: Module>(net: &M) -> BTreeMap<String, u64> {
    let mut ids = Ids::default();
    net.visit(&mut ids);
    ids.all
}

#[derive(Default)]
struct Ids {
    path: Path,
    all: BTreeMap<String, u64>,
}

impl ModuleVisitor for Ids {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.all.insert(self.path.name(), param.id.val());
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }
}
