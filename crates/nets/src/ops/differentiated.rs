//! Backward passes. What nobody asks for (the gradient of a frozen kernel, of a constant input)
//! is not computed.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, binary, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::{Activation, AdamStep, Geometry, LayerOps};

/// A tensor kept for the backward pass.
type SavedTensor<B> = <B as burn::backend::BackendTypes>::FloatTensorPrimitive;

impl<B: Backend + LayerOps, C: CheckpointStrategy> LayerOps for Autodiff<B, C> {
    fn convolve(
        wide: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Convolve;

        impl<B: Backend + LayerOps> Backward<B, 2> for Convolve {
            type State = (SavedTensor<B>, SavedTensor<B>, Geometry);

            fn backward(
                self,
                ops: Ops<Self::State, 2>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let (wide, kernel, geometry) = ops.state;
                binary::<B, _, _>(
                    ops.parents,
                    ops.node,
                    grads,
                    |gradient| B::convolve_adjoint(gradient, kernel, geometry),
                    |gradient| B::kernel_gradient(wide, gradient, geometry),
                );
            }
        }

        let (wide, wide_node) = wide.into_parts();
        let (kernel, kernel_node) = kernel.into_parts();
        let prepared = Convolve
            .prepare::<C>([wide_node, kernel_node])
            .compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(tracked) => {
                let narrow = B::convolve(wide.clone(), kernel.clone(), geometry);
                tracked.finish((wide, kernel, geometry), narrow)
            }
            OpsKind::UnTracked(untracked) => untracked.finish(B::convolve(wide, kernel, geometry)),
        }
    }

    fn convolve_adjoint(
        narrow: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct ConvolveAdjoint;

        impl<B: Backend + LayerOps> Backward<B, 2> for ConvolveAdjoint {
            type State = (SavedTensor<B>, SavedTensor<B>, Geometry);

            fn backward(
                self,
                ops: Ops<Self::State, 2>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let (narrow, kernel, geometry) = ops.state;
                binary::<B, _, _>(
                    ops.parents,
                    ops.node,
                    grads,
                    |gradient| B::convolve(gradient, kernel, geometry),
                    |gradient| B::kernel_gradient(gradient, narrow, geometry),
                );
            }
        }

        let (narrow, narrow_node) = narrow.into_parts();
        let (kernel, kernel_node) = kernel.into_parts();
        let prepared = ConvolveAdjoint
            .prepare::<C>([narrow_node, kernel_node])
            .compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(tracked) => {
                let wide = B::convolve_adjoint(narrow.clone(), kernel.clone(), geometry);
                tracked.finish((narrow, kernel, geometry), wide)
            }
            OpsKind::UnTracked(untracked) => {
                untracked.finish(B::convolve_adjoint(narrow, kernel, geometry))
            }
        }
    }

    fn kernel_gradient(
        wide: FloatTensor<Self>,
        narrow: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        constant::<B, C>(B::kernel_gradient(
            wide.into_primitive(),
            narrow.into_primitive(),
            geometry,
        ))
    }

    fn convolve_constant(
        wide: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        constant::<B, C>(B::convolve_constant(
            wide.into_primitive(),
            kernel.into_primitive(),
            geometry,
        ))
    }

    fn convolve_adjoint_constant(
        narrow: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        constant::<B, C>(B::convolve_adjoint_constant(
            narrow.into_primitive(),
            kernel.into_primitive(),
            geometry,
        ))
    }

    fn convolve_activate(
        wide: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
        activation: Activation,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct ConvolveActivate;

        impl<B: Backend + LayerOps> Backward<B, 1> for ConvolveActivate {
            type State = (SavedTensor<B>, SavedTensor<B>, Geometry, Activation);

            fn backward(
                self,
                ops: Ops<Self::State, 1>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let (behind, kernel, geometry, activation) = ops.state;
                unary::<B, _>(ops.parents, ops.node, grads, |gradient| {
                    let gradient = B::activation_gradient(gradient, behind, activation);
                    B::convolve_adjoint_constant(gradient, kernel, geometry)
                });
            }
        }

        let (wide, wide_node) = wide.into_parts();
        let (kernel, bias) = (kernel.into_primitive(), bias.into_primitive());
        let behind = B::convolve_activate(wide, kernel.clone(), bias, geometry, activation);
        let prepared = ConvolveActivate.prepare::<C>([wide_node]).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(tracked) => {
                tracked.finish((behind.clone(), kernel, geometry, activation), behind)
            }
            OpsKind::UnTracked(untracked) => untracked.finish(behind),
        }
    }

    fn convolve_adjoint_activate(
        narrow: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
        activation: Activation,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct ConvolveAdjointActivate;

        impl<B: Backend + LayerOps> Backward<B, 1> for ConvolveAdjointActivate {
            type State = (SavedTensor<B>, SavedTensor<B>, Geometry, Activation);

            fn backward(
                self,
                ops: Ops<Self::State, 1>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let (behind, kernel, geometry, activation) = ops.state;
                unary::<B, _>(ops.parents, ops.node, grads, |gradient| {
                    let gradient = B::activation_gradient(gradient, behind, activation);
                    B::convolve_constant(gradient, kernel, geometry)
                });
            }
        }

        let (narrow, narrow_node) = narrow.into_parts();
        let (kernel, bias) = (kernel.into_primitive(), bias.into_primitive());
        let behind =
            B::convolve_adjoint_activate(narrow, kernel.clone(), bias, geometry, activation);
        let prepared = ConvolveAdjointActivate
            .prepare::<C>([narrow_node])
            .compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(tracked) => {
                tracked.finish((behind.clone(), kernel, geometry, activation), behind)
            }
            OpsKind::UnTracked(untracked) => untracked.finish(behind),
        }
    }

    fn activation_gradient(
        gradient: FloatTensor<Self>,
        behind: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        constant::<B, C>(B::activation_gradient(
            gradient.into_primitive(),
            behind.into_primitive(),
            activation,
        ))
    }

    fn channel_moments(values: FloatTensor<Self>) -> FloatTensor<Self> {
        constant::<B, C>(B::channel_moments(values.into_primitive()))
    }

    fn normalise(
        values: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        slope: f32,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Normalise;

        impl<B: Backend + LayerOps> Backward<B, 2> for Normalise {
            type State = (SavedTensor<B>, SavedTensor<B>, SavedTensor<B>, f32);

            fn backward(
                self,
                ops: Ops<Self::State, 2>,
                grads: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let (values, moments, affine, slope) = ops.state;
                let gradient = grads.consume::<B>(&ops.node);
                let (values, affine) =
                    B::normalise_gradient(gradient, values, moments, affine, slope);
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
        let moments = moments.into_primitive();
        let out = B::normalise(values.clone(), moments.clone(), affine.clone(), slope);
        let prepared = Normalise
            .prepare::<C>([values_node, affine_node])
            .compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(tracked) => tracked.finish((values, moments, affine, slope), out),
            OpsKind::UnTracked(untracked) => untracked.finish(out),
        }
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

/// A tensor that nothing is differentiated through.
fn constant<B: Backend, C: CheckpointStrategy>(
    primitive: SavedTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    <Autodiff<B, C> as burn::backend::AutodiffBackend>::from_inner(primitive)
}
