//! How operations of ours are differentiated: what one keeps, and the gradients of its operands from that.

use std::fmt::{Debug, Formatter};

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, BackendTypes};

/// A tensor kept for the backward pass.
pub(crate) type SavedTensor<B> = <B as BackendTypes>::FloatTensorPrimitive;

/// The gradients of `N` operands from that of the result and what was kept. The flags say which are asked for;
/// others are not computed.
pub(crate) type OperandGradients<B, S, const N: usize> =
    fn(SavedTensor<B>, S, [bool; N]) -> [Option<SavedTensor<B>>; N];

struct Step<B: Backend, S, const N: usize>(OperandGradients<B, S, N>);

impl<B: Backend, S, const N: usize> Debug for Step<B, S, N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "a step of {N} operands")
    }
}

impl<B: Backend, S: Clone + Send + Debug + 'static, const N: usize> Backward<B, N>
    for Step<B, S, N>
{
    type State = S;

    fn backward(self, ops: Ops<S, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let asked = ops.parents.each_ref().map(Option::is_some);
        let gradients = (self.0)(gradient, ops.state, asked);
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

/// Runs an operation on `kept`, and keeps that for `gradients` where somebody may ask for them.
pub(crate) fn differentiated<B, C, S, const N: usize>(
    nodes: [NodeGuard; N],
    kept: S,
    run: impl FnOnce(S) -> SavedTensor<B>,
    gradients: OperandGradients<B, S, N>,
) -> FloatTensor<Autodiff<B, C>>
where
    B: Backend,
    C: CheckpointStrategy,
    S: Clone + Send + Debug + 'static,
{
    let prepared = Step(gradients).prepare::<C>(nodes).compute_bound();
    match prepared.stateful() {
        OpsKind::Tracked(tracked) => {
            let out = run(kept.clone());
            tracked.finish(kept, out)
        }
        OpsKind::UnTracked(untracked) => untracked.finish(run(kept)),
    }
}

/// A tensor that nothing is differentiated through.
pub(crate) fn constant<B: Backend, C: CheckpointStrategy>(
    primitive: SavedTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    <Autodiff<B, C> as burn::backend::AutodiffBackend>::from_inner(primitive)
}

/// Operations that nothing is differentiated through, by name, tensors and other arguments.
macro_rules! constants {
    ($($name:ident($($tensor:ident),+ $(; $($other:ident: $type:ty),+)?);)+) => {$(
        fn $name(
            $($tensor: FloatTensor<Self>,)+
            $($($other: $type,)+)?
        ) -> FloatTensor<Self> {
            constant::<B, C>(B::$name($($tensor.into_primitive(),)+ $($($other,)+)?))
        }
    )+};
}

pub(crate) use constants;
