//! Backward passes. What nobody asks for (the gradient of a frozen kernel, of a constant input)
//! is not computed.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::{Activation, AdamStep, Geometry, LayerOps};
use crate::backward::{constant, constants, differentiated};

impl<B: Backend + LayerOps, C: CheckpointStrategy> LayerOps for Autodiff<B, C> {
    constants! {
        kernel_gradient(wide, narrow; geometry: Geometry);
        convolve_constant(wide, kernel; geometry: Geometry);
        convolve_adjoint_constant(narrow, kernel; geometry: Geometry);
        activation_gradient(gradient, behind; activation: Activation);
        channel_moments(values);
    }

    fn convolve(
        wide: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let (wide, wide_node) = wide.into_parts();
        let (kernel, kernel_node) = kernel.into_parts();
        differentiated::<B, C, _, 2>(
            [wide_node, kernel_node],
            (wide, kernel, geometry),
            |(wide, kernel, geometry)| B::convolve(wide, kernel, geometry),
            |gradient, (wide, kernel, geometry), [by_wide, by_kernel]| {
                let adjoint = || B::convolve_adjoint(gradient.clone(), kernel, geometry);
                let by_wide = by_wide.then(adjoint);
                [
                    by_wide,
                    by_kernel.then(|| B::kernel_gradient(wide, gradient, geometry)),
                ]
            },
        )
    }

    fn convolve_adjoint(
        narrow: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let (narrow, narrow_node) = narrow.into_parts();
        let (kernel, kernel_node) = kernel.into_parts();
        differentiated::<B, C, _, 2>(
            [narrow_node, kernel_node],
            (narrow, kernel, geometry),
            |(narrow, kernel, geometry)| B::convolve_adjoint(narrow, kernel, geometry),
            |gradient, (narrow, kernel, geometry), [by_narrow, by_kernel]| {
                let convolved = || B::convolve(gradient.clone(), kernel, geometry);
                let by_narrow = by_narrow.then(convolved);
                [
                    by_narrow,
                    by_kernel.then(|| B::kernel_gradient(gradient, narrow, geometry)),
                ]
            },
        )
    }

    fn convolve_activate(
        wide: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let (wide, wide_node) = wide.into_parts();
        let (kernel, bias) = (kernel.into_primitive(), bias.into_primitive());
        let behind = B::convolve_activate(wide, kernel.clone(), bias, geometry, activation);
        differentiated::<B, C, _, 1>(
            [wide_node],
            (behind, kernel, geometry, activation),
            |(behind, ..)| behind,
            |gradient, (behind, kernel, geometry, activation), [by_wide]| {
                [by_wide.then(|| {
                    let gradient = B::activation_gradient(gradient, behind, activation);
                    B::convolve_adjoint_constant(gradient, kernel, geometry)
                })]
            },
        )
    }

    fn convolve_adjoint_activate(
        narrow: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let (narrow, narrow_node) = narrow.into_parts();
        let (kernel, bias) = (kernel.into_primitive(), bias.into_primitive());
        let behind =
            B::convolve_adjoint_activate(narrow, kernel.clone(), bias, geometry, activation);
        differentiated::<B, C, _, 1>(
            [narrow_node],
            (behind, kernel, geometry, activation),
            |(behind, ..)| behind,
            |gradient, (behind, kernel, geometry, activation), [by_narrow]| {
                [by_narrow.then(|| {
                    let gradient = B::activation_gradient(gradient, behind, activation);
                    B::convolve_constant(gradient, kernel, geometry)
                })]
            },
        )
    }

    fn normalise(
        values: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self> {
        let (values, values_node) = values.into_parts();
        let (affine, affine_node) = affine.into_parts();
        differentiated::<B, C, _, 2>(
            [values_node, affine_node],
            (values, moments.into_primitive(), affine, slope),
            |(values, moments, affine, slope)| B::normalise(values, moments, affine, slope),
            |gradient, (values, moments, affine, slope), _| {
                let (values, affine) =
                    B::normalise_gradient(gradient, values, moments, affine, slope);
                [Some(values), Some(affine)]
            },
        )
    }

    fn normalise_gradient(
        gradient: FloatTensor<Self>,
        values: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (values, affine) = B::normalise_gradient(
            gradient.into_primitive(),
            values.into_primitive(),
            moments.into_primitive(),
            affine.into_primitive(),
            slope,
        );
        (constant::<B, C>(values), constant::<B, C>(affine))
    }

    fn adam(
        weights: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (weights, first, second) = B::adam(
            weights.into_primitive(),
            gradient.into_primitive(),
            first.into_primitive(),
            second.into_primitive(),
            step,
        );
        (
            constant::<B, C>(weights),
            constant::<B, C>(first),
            constant::<B, C>(second),
        )
    }
}
