//! Backward passes of the operations.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata as _};

use super::{DepthwiseGeometry, DetectionOps, Regions};
use crate::backward::{constant, constants, differentiated};

impl<B: Backend + DetectionOps, C: CheckpointStrategy> DetectionOps for Autodiff<B, C> {
    constants! {
        pool_regions_gradient(gradient; regions: Regions, dims: [usize; 4]);
        depthwise_values_gradient(gradient, kernels; geometry: DepthwiseGeometry, dims: [usize; 4]);
        depthwise_kernels_gradient(gradient, values; geometry: DepthwiseGeometry, side: usize);
        relu6_gradient(gradient, behind);
    }

    fn affine_activate(
        values: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self> {
        let (values, values_node) = values.into_parts();
        let (affine, affine_node) = affine.into_parts();
        differentiated::<B, C, _, 2>(
            [values_node, affine_node],
            (values, affine, slope),
            |(values, affine, slope)| B::affine_activate(values, affine, slope),
            |gradient, (values, affine, slope), _| {
                let (values, affine) = B::affine_activate_gradient(gradient, values, affine, slope);
                [Some(values), Some(affine)]
            },
        )
    }

    fn affine_activate_gradient(
        gradient: FloatTensor<Self>,
        values: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (values, affine) = B::affine_activate_gradient(
            gradient.into_primitive(),
            values.into_primitive(),
            affine.into_primitive(),
            slope,
        );
        (constant::<B, C>(values), constant::<B, C>(affine))
    }

    fn pool_regions(features: FloatTensor<Self>, regions: Regions) -> FloatTensor<Self> {
        let (features, node) = features.into_parts();
        let dims: [usize; 4] = features.shape().dims();
        let out = B::pool_regions(features, regions.clone());
        differentiated::<B, C, _, 1>(
            [node],
            (regions, dims),
            |_| out,
            |gradient, (regions, dims), [by_features]| {
                [by_features.then(|| B::pool_regions_gradient(gradient, regions, dims))]
            },
        )
    }

    fn depthwise(
        values: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
        geometry: DepthwiseGeometry,
    ) -> FloatTensor<Self> {
        let (values, values_node) = values.into_parts();
        let (kernels, kernels_node) = kernels.into_parts();
        differentiated::<B, C, _, 2>(
            [values_node, kernels_node],
            (values, kernels, geometry),
            |(values, kernels, geometry)| B::depthwise(values, kernels, geometry),
            |gradient, (values, kernels, geometry), [by_values, by_kernels]| {
                let (dims, side) = (values.shape().dims(), kernels.shape()[0]);
                let by_values = by_values.then(|| {
                    B::depthwise_values_gradient(gradient.clone(), kernels, geometry, dims)
                });
                [
                    by_values,
                    by_kernels
                        .then(|| B::depthwise_kernels_gradient(gradient, values, geometry, side)),
                ]
            },
        )
    }

    fn relu6(values: FloatTensor<Self>) -> FloatTensor<Self> {
        let (values, node) = values.into_parts();
        differentiated::<B, C, _, 1>(
            [node],
            B::relu6(values),
            |behind| behind,
            |gradient, behind, [by_values]| [by_values.then(|| B::relu6_gradient(gradient, behind))],
        )
    }
}
