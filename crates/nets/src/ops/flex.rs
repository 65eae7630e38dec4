//! The operations on the CPU, by the kernels of `retrial-kernels`.

use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Bytes;
use retrial_kernels::{
    BatchNorm, Convolution, Epilogue, Packed, PackedTransposed, adam_step,
    batch_norm_input_gradient, batch_norm_parameter_gradients, forward, input_gradient,
    leaky_relu_gradient, pack, pack_transposed, scale_shift_activate, tanh_gradient,
    weight_gradient,
};

use super::cpu::{channels, fits, read, tensor};
use super::{Activation, AdamStep, EPSILON, Geometry, LayerOps};

impl LayerOps for Flex {
    fn convolve(wide: FlexTensor, kernel: FlexTensor, geometry: Geometry) -> FlexTensor {
        let shape = shape(&wide, geometry);
        let packed = fits(pack(&shape, &read(&kernel)));
        convolved(&shape, &wide, &packed, Epilogue::default())
    }

    fn convolve_adjoint(narrow: FlexTensor, kernel: FlexTensor, geometry: Geometry) -> FlexTensor {
        let shape = shape(&narrow, geometry);
        let packed = fits(pack_transposed(&shape, &read(&kernel)));
        adjoined(&shape, &narrow, &packed, Epilogue::default())
    }

    fn kernel_gradient(wide: FlexTensor, narrow: FlexTensor, geometry: Geometry) -> FlexTensor {
        let shape = shape(&wide, geometry);
        let mut gradient = vec![0.0; shape.weights_len()];
        fits(weight_gradient(
            &shape,
            &read(&wide),
            &read(&narrow),
            &mut gradient,
        ));
        let k = geometry.kernel;
        tensor(
            gradient,
            [k, k, geometry.in_channels, geometry.out_channels],
        )
    }

    fn convolve_constant(wide: FlexTensor, kernel: FlexTensor, geometry: Geometry) -> FlexTensor {
        let shape = shape(&wide, geometry);
        let packed = PACKED.of(&kernel, |values| fits(pack(&shape, values)));
        convolved(&shape, &wide, &packed, Epilogue::default())
    }

    fn convolve_adjoint_constant(
        narrow: FlexTensor,
        kernel: FlexTensor,
        geometry: Geometry,
    ) -> FlexTensor {
        let shape = shape(&narrow, geometry);
        let packed = TRANSPOSED.of(&kernel, |values| fits(pack_transposed(&shape, values)));
        adjoined(&shape, &narrow, &packed, Epilogue::default())
    }

    fn convolve_activate(
        wide: FlexTensor,
        kernel: FlexTensor,
        bias: FlexTensor,
        geometry: Geometry,
        activation: Activation,
    ) -> FlexTensor {
        let shape = shape(&wide, geometry);
        let packed = PACKED.of(&kernel, |values| fits(pack(&shape, values)));
        let epilogue = Epilogue {
            bias: Some(&read(&bias)),
            activation: activation.into(),
        };
        convolved(&shape, &wide, &packed, epilogue)
    }

    fn convolve_adjoint_activate(
        narrow: FlexTensor,
        kernel: FlexTensor,
        bias: FlexTensor,
        geometry: Geometry,
        activation: Activation,
    ) -> FlexTensor {
        let shape = shape(&narrow, geometry);
        let packed = TRANSPOSED.of(&kernel, |values| fits(pack_transposed(&shape, values)));
        let epilogue = Epilogue {
            bias: Some(&read(&bias)),
            activation: activation.into(),
        };
        adjoined(&shape, &narrow, &packed, epilogue)
    }

    fn activation_gradient(
        gradient: FlexTensor,
        behind: FlexTensor,
        activation: Activation,
    ) -> FlexTensor {
        let dims = gradient.layout().shape().clone();
        let mut out = vec![0.0; dims.num_elements()];
        match activation {
            Activation::Identity => return gradient,
            Activation::LeakyRelu(slope) => fits(leaky_relu_gradient(
                &read(&gradient),
                &read(&behind),
                slope,
                &mut out,
            )),
            Activation::Tanh => fits(tanh_gradient(&read(&gradient), &read(&behind), &mut out)),
        }
        tensor(out, dims)
    }

    fn channel_moments(values: FlexTensor) -> FlexTensor {
        let channels = channels(&values);
        let moments = fits(retrial_kernels::channel_moments(&read(&values), channels));
        let both = moments.mean.into_iter().chain(moments.variance);
        tensor(both.map(|v| v as f32).collect(), [2, channels])
    }

    fn normalise(
        values: FlexTensor,
        moments: FlexTensor,
        affine: FlexTensor,
        slope: f32,
    ) -> FlexTensor {
        let dims = values.layout().shape().clone();
        let mut out = vec![0.0; dims.num_elements()];
        let statistics = Statistics::new(&moments, &affine);
        let (scale, shift) = statistics.norm(slope).scale_and_shift();
        let activation = retrial_kernels::Activation::LeakyRelu(slope);
        fits(scale_shift_activate(
            &read(&values),
            &scale,
            &shift,
            activation,
            &mut out,
        ));
        tensor(out, dims)
    }

    fn normalise_gradient(
        gradient: FlexTensor,
        values: FlexTensor,
        moments: FlexTensor,
        affine: FlexTensor,
        slope: f32,
    ) -> (FlexTensor, FlexTensor) {
        let dims = values.layout().shape().clone();
        let channels = channels(&values);
        let mut out = vec![0.0; dims.num_elements()];
        let statistics = Statistics::new(&moments, &affine);
        let norm = statistics.norm(slope);
        let (gradient, values) = (read(&gradient), read(&values));
        let (scale, shift) = fits(batch_norm_parameter_gradients(&gradient, &values, norm));
        fits(batch_norm_input_gradient(
            &gradient, &values, norm, &scale, &shift, &mut out,
        ));
        let affine = scale.into_iter().chain(shift).collect();
        (tensor(out, dims), tensor(affine, [2, channels]))
    }

    fn adam(
        mut weights: FlexTensor,
        gradient: FlexTensor,
        mut first: FlexTensor,
        mut second: FlexTensor,
        step: AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let gradient = read(&gradient).into_owned();
        for tensor in [&mut weights, &mut first, &mut second] {
            if !tensor.is_contiguous() {
                *tensor = tensor.to_contiguous();
            }
        }
        let adam = retrial_kernels::Adam {
            learning_rate: step.learning_rate,
            beta_1: step.beta1,
            beta_2: step.beta2,
            epsilon: step.epsilon,
        };
        // Shared storage is copied by burn before it is written.
        fits(adam_step(
            &adam,
            u64::from(step.step),
            weights.storage_mut::<f32>(),
            &gradient,
            first.storage_mut::<f32>(),
            second.storage_mut::<f32>(),
        ));
        (weights, first, second)
    }
}

/// Packed kernels of constant weights.
static PACKED: Cache<Packed> = Cache::new();
static TRANSPOSED: Cache<PackedTransposed> = Cache::new();

/// What was made of tensors, by where their values lie.
///
/// An entry holds on to the values, so that their place cannot become another tensor's, and burn
/// copies held values before it writes: what is remembered stays true.
struct Cache<T>(Mutex<Vec<Entry<T>>>);

struct Entry<T> {
    values: Arc<Bytes>,
    made: Arc<T>,
}

/// Kernels of all layers of a few nets.
const ENTRIES: usize = 64;

impl<T> Cache<T> {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn of(&self, tensor: &FlexTensor, make: impl FnOnce(&[f32]) -> T) -> Arc<T> {
        let values = tensor.data_arc();
        if !tensor.is_contiguous() || tensor.storage::<f32>().len() != elements(tensor) {
            return Arc::new(make(&read(tensor)));
        }
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = entries
            .iter()
            .position(|entry| Arc::ptr_eq(&entry.values, &values));
        let entry = match found {
            Some(at) => entries.remove(at),
            None => Entry {
                made: Arc::new(make(tensor.storage::<f32>())),
                values,
            },
        };
        let made = entry.made.clone();
        // The latest at the end: the first is the one unused for longest.
        entries.push(entry);
        if entries.len() > ENTRIES {
            entries.remove(0);
        }
        made
    }
}

fn elements(tensor: &FlexTensor) -> usize {
    tensor.layout().shape().num_elements()
}

/// Statistics of a batch normalisation in the form of the kernels.
struct Statistics {
    mean: Vec<f32>,
    inverse_sd: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Statistics {
    fn new(moments: &FlexTensor, affine: &FlexTensor) -> Self {
        let (moments, affine) = (read(moments), read(affine));
        let (mean, variance) = moments.split_at(moments.len() / 2);
        let (scale, shift) = affine.split_at(affine.len() / 2);
        let inverse = |v: &f32| (1.0 / (f64::from(*v) + f64::from(EPSILON)).sqrt()) as f32;
        Self {
            mean: mean.to_vec(),
            inverse_sd: variance.iter().map(inverse).collect(),
            scale: scale.to_vec(),
            shift: shift.to_vec(),
        }
    }

    fn norm(&self, slope: f32) -> BatchNorm<'_> {
        BatchNorm {
            mean: &self.mean,
            inv_std: &self.inverse_sd,
            gamma: &self.scale,
            beta: &self.shift,
            slope,
        }
    }
}

fn convolved(
    shape: &Convolution,
    wide: &FlexTensor,
    kernel: &Packed,
    epilogue: Epilogue<'_>,
) -> FlexTensor {
    let mut out = vec![0.0; shape.output_len()];
    fits(forward(shape, &read(wide), kernel, epilogue, &mut out));
    let (height, width) = (shape.out_height(), shape.out_width());
    tensor(out, [shape.batch, height, width, shape.out_channels])
}

fn adjoined(
    shape: &Convolution,
    narrow: &FlexTensor,
    kernel: &PackedTransposed,
    epilogue: Epilogue<'_>,
) -> FlexTensor {
    let mut out = vec![0.0; shape.input_len()];
    fits(input_gradient(
        shape,
        &read(narrow),
        kernel,
        epilogue,
        &mut out,
    ));
    let (height, width) = (shape.height, shape.width);
    tensor(out, [shape.batch, height, width, shape.in_channels])
}

/// The convolution of a batch; `tensor` is either side.
fn shape(tensor: &FlexTensor, geometry: Geometry) -> Convolution {
    Convolution {
        batch: tensor.layout().shape()[0],
        height: geometry.height,
        width: geometry.width,
        in_channels: geometry.in_channels,
        out_channels: geometry.out_channels,
        kernel: geometry.kernel,
        stride: geometry.stride,
        padding: geometry.padding,
    }
}

impl From<Activation> for retrial_kernels::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Identity => Self::Identity,
            Activation::LeakyRelu(slope) => Self::LeakyRelu(slope),
            Activation::Tanh => Self::Tanh,
        }
    }
}
