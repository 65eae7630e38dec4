//! Chooses the kernel for the instruction set of the processor.

use crate::kernel::{Moments, Pair, Products, moments, products};
use crate::settings::ShapeOrder;
use crate::shape::Parameters;

/// Whether the whole program is compiled for processors with fused multiply-add.
const FMA: bool = cfg!(target_feature = "fma");

/// Vector length of the kernels compiled for the instruction set of the whole program.
const LANES: usize = if cfg!(target_feature = "avx512f") {
    16
} else {
    8
};

/// The kernels in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dispatch {
    /// Compiled for the instruction set of the whole program.
    Portable,
}

impl Dispatch {
    /// The best kernels for this processor.
    pub(crate) fn detect() -> Self {
        Self::Portable
    }

    pub(crate) fn moments(self, pair: &Pair<'_>, order: ShapeOrder) -> Moments {
        match self {
            Self::Portable => moments::<LANES, FMA>(pair, order),
        }
    }

    pub(crate) fn products(
        self,
        pair: &Pair<'_>,
        order: ShapeOrder,
        mean: f32,
        p: &Parameters,
    ) -> Option<Products> {
        match self {
            Self::Portable => products::<LANES, FMA>(pair, order, mean, p),
        }
    }
}
