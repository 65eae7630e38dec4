//! The operations on the CPU, by the kernels of `retrial-kernels`.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use retrial_kernels::{
    Activation, BatchNorm, Depthwise, Epilogue, RoiAlign, batch_norm_constant_gradient,
    batch_norm_parameter_gradients, depthwise_forward, depthwise_input_gradient,
    depthwise_weight_gradient, relu6_gradient, roi_align, roi_align_gradient, scale_shift_activate,
};

use super::{DepthwiseGeometry, DetectionOps, Regions};
use crate::ops::cpu::{channels, fits, read, tensor};

impl DetectionOps for Flex {
    fn affine_activate(values: FlexTensor, affine: FlexTensor, slope: f32) -> FlexTensor {
        let dims = values.layout().shape().clone();
        let mut out = vec![0.0; dims.num_elements()];
        let affine = read(&affine);
        let (scale, shift) = affine.split_at(affine.len() / 2);
        fits(scale_shift_activate(
            &read(&values),
            scale,
            shift,
            Activation::LeakyRelu(slope),
            &mut out,
        ));
        tensor(out, dims)
    }

    fn affine_activate_gradient(
        gradient: FlexTensor,
        values: FlexTensor,
        affine: FlexTensor,
        slope: f32,
    ) -> (FlexTensor, FlexTensor) {
        let dims = values.layout().shape().clone();
        let channels = channels(&values);
        let affine = read(&affine);
        let (scale, shift) = affine.split_at(channels);
        let (mean, inv_std) = (vec![0.0; channels], vec![1.0; channels]);
        let norm = BatchNorm {
            mean: &mean,
            inv_std: &inv_std,
            gamma: scale,
            beta: shift,
            slope,
        };
        let (gradient, values) = (read(&gradient), read(&values));
        let mut out = vec![0.0; dims.num_elements()];
        fits(batch_norm_constant_gradient(
            &gradient, &values, norm, &mut out,
        ));
        let (scale, shift) = fits(batch_norm_parameter_gradients(&gradient, &values, norm));
        let affine = scale.into_iter().chain(shift).collect();
        (tensor(out, dims), tensor(affine, [2, channels]))
    }

    fn pool_regions(features: FlexTensor, regions: Regions) -> FlexTensor {
        let [_, height, width, channels] = features.layout().shape().dims();
        let shape = shape(&regions, height, width, channels);
        let side = regions.side;
        let mut out = vec![0.0; regions.boxes.len() * side * side * channels];
        fits(roi_align(
            &shape,
            &read(&features),
            &regions.boxes,
            &mut out,
        ));
        tensor(out, [regions.boxes.len(), side, side, channels])
    }

    fn pool_regions_gradient(
        gradient: FlexTensor,
        regions: Regions,
        dims: [usize; 4],
    ) -> FlexTensor {
        let [n, height, width, channels] = dims;
        let shape = shape(&regions, height, width, channels);
        let mut out = vec![0.0; n * height * width * channels];
        fits(roi_align_gradient(
            &shape,
            &regions.boxes,
            &read(&gradient),
            &mut out,
        ));
        tensor(out, dims)
    }

    fn depthwise(
        values: FlexTensor,
        kernels: FlexTensor,
        geometry: DepthwiseGeometry,
    ) -> FlexTensor {
        let dims = values.layout().shape().dims();
        let shape = each(geometry, dims, kernels.layout().shape()[0]);
        let mut out = vec![0.0; shape.output_len()];
        fits(depthwise_forward(
            &shape,
            &read(&values),
            &read(&kernels),
            Epilogue::default(),
            &mut out,
        ));
        tensor(
            out,
            [dims[0], shape.out_height(), shape.out_width(), dims[3]],
        )
    }

    fn depthwise_values_gradient(
        gradient: FlexTensor,
        kernels: FlexTensor,
        geometry: DepthwiseGeometry,
        dims: [usize; 4],
    ) -> FlexTensor {
        let shape = each(geometry, dims, kernels.layout().shape()[0]);
        let mut out = vec![0.0; shape.input_len()];
        fits(depthwise_input_gradient(
            &shape,
            &read(&gradient),
            &read(&kernels),
            &mut out,
        ));
        tensor(out, dims)
    }

    fn depthwise_kernels_gradient(
        gradient: FlexTensor,
        values: FlexTensor,
        geometry: DepthwiseGeometry,
        side: usize,
    ) -> FlexTensor {
        let dims = values.layout().shape().dims();
        let shape = each(geometry, dims, side);
        let mut out = vec![0.0; shape.weights_len()];
        fits(depthwise_weight_gradient(
            &shape,
            &read(&values),
            &read(&gradient),
            &mut out,
        ));
        tensor(out, [side, side, 1, dims[3]])
    }

    fn relu6(values: FlexTensor) -> FlexTensor {
        let dims = values.layout().shape().clone();
        let channels = channels(&values);
        let mut out = vec![0.0; dims.num_elements()];
        fits(scale_shift_activate(
            &read(&values),
            &vec![1.0; channels],
            &vec![0.0; channels],
            Activation::Relu6,
            &mut out,
        ));
        tensor(out, dims)
    }

    fn relu6_gradient(gradient: FlexTensor, behind: FlexTensor) -> FlexTensor {
        let dims = behind.layout().shape().clone();
        let mut out = vec![0.0; dims.num_elements()];
        fits(relu6_gradient(&read(&gradient), &read(&behind), &mut out));
        tensor(out, dims)
    }
}

fn each(
    geometry: DepthwiseGeometry,
    [batch, height, width, channels]: [usize; 4],
    kernel: usize,
) -> Depthwise {
    Depthwise {
        batch,
        height,
        width,
        channels,
        kernel,
        stride: geometry.stride,
        padding: geometry.padding,
    }
}

fn shape(regions: &Regions, height: usize, width: usize, channels: usize) -> RoiAlign {
    RoiAlign {
        height,
        width,
        channels,
        out: regions.side,
        scale: regions.scale,
        sampling_ratio: regions.samples,
        aligned: regions.aligned,
    }
}
