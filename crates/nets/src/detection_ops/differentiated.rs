//! Backward passes of the operations.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, binary, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata as _};

use super::{DepthwiseGeometry, DetectionOps, Regions};

/// A tensor kept for the backward pass.
type SavedTensor<B> = <B as burn::backend::BackendTypes>::FloatTensorPrimitive;

impl<B: Backend + DetectionOps, C: CheckpointStrategy> DetectionOps for Autodiff<B, C> {
    fn affine_activate(
        values: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct AffineActivate;

        impl<B: Backend + DetectionOps> Backward<B, 2> for AffineActivate {
            type State = (SavedTensor<B>, SavedTensor<B>, f32);

            fn backward(
                self,
                ops: Ops<Self::State, 2>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let (values, affine, slope) = ops.state;
                let gradient = grads.consume::<B>(&ops.node);
                let (values, affine) = B::affine_activate_gradient(gradient, values, affine, slope);
                let [values_node, affine_node] = ops.parents;
                if let Some(node) = values_node {
                    grads.register::<B>(node.id, values);
                }
                if let Some(node) = affine_node {
                    grads.register::<B>(node.id, affine);
                }
            }
        }

        let (values, values_node) = values.into_parts();
        let (affine, affine_node) = affine.into_parts();
        let out = B::affine_activate(values.clone(), affine.clone(), slope);
        let prepared = AffineActivate
            .prepare::<C>([values_node, affine_node])
            .compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(tracked) => tracked.finish((values, affine, slope), out),
            OpsKind::UnTracked(untracked) => untracked.finish(out),
        }
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
        #[derive(Debug)]
        struct PoolRegions;

        impl<B: Backend + DetectionOps> Backward<B, 1> for PoolRegions {
            type State = (Regions, [usize; 4]);

            fn backward(
                self,
                ops: Ops<Self::State, 1>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let (regions, dims) = ops.state;
                unary::<B, _>(ops.parents, ops.node, grads, |gradient| {
                    B::pool_regions_gradient(gradient, regions, dims)
                });
            }
        }

        let (features, node) = features.into_parts();
        let dims = features.shape().dims();
        let out = B::pool_regions(features, regions.clone());
        let prepared = PoolRegions.prepare::<C>([node]).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(tracked) => tracked.finish((regions, dims), out),
            OpsKind::UnTracked(untracked) => untracked.finish(out),
        }
    }

    fn pool_regions_gradient(
        gradient: FloatTensor<Self>,
        regions: Regions,
        dims: [usize; 4],
    ) -> FloatTensor<Self> {
        constant::<B, C>(B::pool_regions_gradient(
            gradient.into_primitive(),
            regions,
            dims,
        ))
    }

    fn depthwise(
        values: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
        geometry: DepthwiseGeometry,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct EachChannel;

        impl<B: Backend + DetectionOps> Backward<B, 2> for EachChannel {
            type State = (SavedTensor<B>, SavedTensor<B>, DepthwiseGeometry);

            fn backward(
                self,
                ops: Ops<Self::State, 2>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let (values, kernels, geometry) = ops.state;
                let (dims, side) = (values.shape().dims(), kernels.shape()[0]);
                binary::<B, _, _>(
                    ops.parents,
                    ops.node,
                    grads,
                    |gradient| B::depthwise_values_gradient(gradient, kernels, geometry, dims),
                    |gradient| B::depthwise_kernels_gradient(gradient, values, geometry, side),
                );
            }
        }

        let (values, values_node) = values.into_parts();
        let (kernels, kernels_node) = kernels.into_parts();
        let prepared = EachChannel
            .prepare::<C>([values_node, kernels_node])
            .compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(tracked) => {
                let out = B::depthwise(values.clone(), kernels.clone(), geometry);
                tracked.finish((values, kernels, geometry), out)
            }
            OpsKind::UnTracked(untracked) => {
                untracked.finish(B::depthwise(values, kernels, geometry))
            }
        }
    }

    fn depthwise_values_gradient(
        gradient: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
        geometry: DepthwiseGeometry,
        dims: [usize; 4],
    ) -> FloatTensor<Self> {
        constant::<B, C>(B::depthwise_values_gradient(
            gradient.into_primitive(),
            kernels.into_primitive(),
            geometry,
            dims,
        ))
    }

    fn depthwise_kernels_gradient(
        gradient: FloatTensor<Self>,
        values: FloatTensor<Self>,
        geometry: DepthwiseGeometry,
        side: usize,
    ) -> FloatTensor<Self> {
        constant::<B, C>(B::depthwise_kernels_gradient(
            gradient.into_primitive(),
            values.into_primitive(),
            geometry,
            side,
        ))
    }

    fn relu6(values: FloatTensor<Self>) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Relu6;

        impl<B: Backend + DetectionOps> Backward<B, 1> for Relu6 {
            type State = SavedTensor<B>;

            fn backward(
                self,
                ops: Ops<Self::State, 1>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let behind = ops.state;
                unary::<B, _>(ops.parents, ops.node, grads, |gradient| {
                    B::relu6_gradient(gradient, behind)
                });
            }
        }

        let (values, node) = values.into_parts();
        let out = B::relu6(values);
        match Relu6.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(tracked) => tracked.finish(out.clone(), out),
            OpsKind::UnTracked(untracked) => untracked.finish(out),
        }
    }

    fn relu6_gradient(gradient: FloatTensor<Self>, behind: FloatTensor<Self>) -> FloatTensor<Self> {
        constant::<B, C>(B::relu6_gradient(
            gradient.into_primitive(),
            behind.into_primitive(),
        ))
    }
}

/// A tensor that nothing is differentiated through.
fn constant<B: Backend, C: CheckpointStrategy>(
    primitive: SavedTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    <Autodiff<B, C> as burn::backend::AutodiffBackend>::from_inner(primitive)
}
