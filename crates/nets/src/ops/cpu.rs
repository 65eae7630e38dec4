//! The memory of the CPU's tensors, as slices for `retrial-kernels`.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};
use retrial_kernels::KernelError;

/// Length of the last axis.
pub(crate) fn channels(tensor: &FlexTensor) -> usize {
    let shape = tensor.layout().shape();
    shape[shape.num_dims() - 1]
}

/// The values of a tensor, row-major; copied only where it is a view in another order.
pub(crate) fn read(tensor: &FlexTensor) -> std::borrow::Cow<'_, [f32]> {
    match tensor.as_slice::<f32>() {
        Some(values) => values.into(),
        None => tensor.to_contiguous().storage::<f32>().to_vec().into(),
    }
}

pub(crate) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    let layout = Layout::contiguous(shape.into());
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// Shapes are fixed by the nets, so a mismatch is a fault of the program.
pub(crate) fn fits<T>(result: Result<T, KernelError>) -> T {
    result.unwrap_or_else(|error| panic!("an operation was given the wrong shapes: {error}"))
}
