//! Backward passes of the operations.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata as _};

use super::{DetectionOps, Regions};

/// A tensor kept for the backward pass.
type Kept<B> = <B as burn::backend::BackendTypes>::FloatTensorPrimitive;

impl<B: Backend + DetectionOps, C: CheckpointStrategy> DetectionOps for Autodiff<B, C> {
    fn affine_activate(
        values: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct AffineActivate;

        impl<B: Backend + DetectionOps> Backward<B, 2> for AffineActivate {
            type State = (Kept<B>, Kept<B>, f32);

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
}

/// A tensor that nothing is differentiated through.
fn constant<B: Backend, C: CheckpointStrategy>(primitive: Kept<B>) -> FloatTensor<Autodiff<B, C>> {
    <Autodiff<B, C> as burn::backend::AutodiffBackend>::from_inner(primitive)
}
