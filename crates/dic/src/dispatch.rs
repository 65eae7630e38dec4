//! Chooses the kernel for the instruction set of the processor at run time.
//!
//! All kernels are the same code on different vectors, compiled for the instruction set of each.
//! They agree within rounding; which one runs never depends on data or threads.

use crate::columns::Columns;
use crate::kernel::{Moments, Offsets, Pair, Products, moments, products};
use crate::lanes::Portable;
use crate::settings::{InstructionSet, ShapeOrder};
use crate::shape::Parameters;

/// The kernels in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dispatch {
    /// For any processor the program runs on.
    Portable,
    /// For processors with AVX2 and fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    /// For processors with AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

impl Dispatch {
    /// The best kernels for this processor among those allowed.
    pub(crate) fn best(allowed: InstructionSet) -> Self {
        let most = match allowed {
            InstructionSet::Baseline => 1,
            InstructionSet::Avx2 => 2,
            InstructionSet::Best => usize::MAX,
        };
        let mut kernels = Self::available().into_iter().take(most);
        kernels.next_back().unwrap_or(Self::Portable)
    }

    /// All kernels that this processor can run, best last.
    pub(crate) fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let special = [
            x86::Avx2::detect().map(Self::Avx2),
            x86::Avx512::detect().map(Self::Avx512),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let special = [];
        std::iter::once(Self::Portable)
            .chain(special.into_iter().flatten())
            .collect()
    }

    pub(crate) fn moments(
        self,
        pair: &Pair<'_>,
        order: ShapeOrder,
        columns: Option<&mut Columns>,
    ) -> Moments {
        match self {
            Self::Portable => moments::<Portable>(pair, order, columns),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(token) => token.moments(pair, order, columns),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(token) => token.moments(pair, order, columns),
        }
    }

    pub(crate) fn products(
        self,
        pair: &Pair<'_>,
        order: ShapeOrder,
        offsets: Offsets,
        p: &Parameters,
    ) -> Option<Products> {
        match self {
            Self::Portable => products::<Portable>(pair, order, offsets, p),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(token) => token.products(pair, order, offsets, p),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(token) => token.products(pair, order, offsets, p),
        }
    }
}

/// Kernels for instruction sets that not every x86-64 processor has.
#[cfg(target_arch = "x86_64")]
mod x86 {
    #![expect(
        unsafe_code,
        reason = "a function for an instruction set may be called once the processor is known to have it"
    )]

    use super::{
        Columns, Moments, Offsets, Pair, Parameters, Products, ShapeOrder, moments, products,
    };
    use crate::lanes::x86::{Ymm, Zmm};

    /// Proof that the processor has AVX2 and FMA.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Avx2(());

    /// Proof that the processor has AVX-512 F, VL and DQ, AVX2 and FMA.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Avx512(());

    impl Avx2 {
        pub(super) fn detect() -> Option<Self> {
            let has = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            has.then_some(Self(()))
        }

        pub(super) fn moments(
            self,
            pair: &Pair<'_>,
            order: ShapeOrder,
            columns: Option<&mut Columns>,
        ) -> Moments {
            // SAFETY: `detect`, the only maker of `Avx2`, found the instruction sets.
            unsafe { moments_avx2(pair, order, columns) }
        }

        pub(super) fn products(
            self,
            pair: &Pair<'_>,
            order: ShapeOrder,
            offsets: Offsets,
            p: &Parameters,
        ) -> Option<Products> {
            // SAFETY: as in `moments`.
            unsafe { products_avx2(pair, order, offsets, p) }
        }
    }

    impl Avx512 {
        pub(super) fn detect() -> Option<Self> {
            let has = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma");
            has.then_some(Self(()))
        }

        pub(super) fn moments(
            self,
            pair: &Pair<'_>,
            order: ShapeOrder,
            columns: Option<&mut Columns>,
        ) -> Moments {
            // SAFETY: `detect`, the only maker of `Avx512`, found the instruction sets.
            unsafe { moments_avx512(pair, order, columns) }
        }

        pub(super) fn products(
            self,
            pair: &Pair<'_>,
            order: ShapeOrder,
            offsets: Offsets,
            p: &Parameters,
        ) -> Option<Products> {
            // SAFETY: as in `moments`.
            unsafe { products_avx512(pair, order, offsets, p) }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    fn moments_avx2(pair: &Pair<'_>, order: ShapeOrder, columns: Option<&mut Columns>) -> Moments {
        moments::<Ymm>(pair, order, columns)
    }

    #[target_feature(enable = "avx2,fma")]
    fn products_avx2(
        pair: &Pair<'_>,
        order: ShapeOrder,
        offsets: Offsets,
        p: &Parameters,
    ) -> Option<Products> {
        products::<Ymm>(pair, order, offsets, p)
    }

    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
    fn moments_avx512(
        pair: &Pair<'_>,
        order: ShapeOrder,
        columns: Option<&mut Columns>,
    ) -> Moments {
        moments::<Zmm>(pair, order, columns)
    }

    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
    fn products_avx512(
        pair: &Pair<'_>,
        order: ShapeOrder,
        offsets: Offsets,
        p: &Parameters,
    ) -> Option<Products> {
        products::<Zmm>(pair, order, offsets, p)
    }
}

#[cfg(test)]
mod tests {
    use retrial_core::image::GrayImage;

    use super::*;
    use crate::plane::Plane;
    use crate::reference::{Deformed, Frame};
    use crate::settings::{Settings, SplineDegree, SubsetShape};
    use crate::subset::subset_rows;

    #[test]
    fn all_kernels_agree() {
        let picture = |phase: f32| {
            GrayImage::from_fn(90, 80, |x, y| {
                let (x, y) = (x as f32 + phase, y as f32);
                120.0 + 50.0 * (0.7 * x).sin() * (0.5 * y).cos() + 30.0 * (0.3 * x - 0.9 * y).sin()
            })
            .expect("a valid size")
        };
        let p = [
            0.8, 0.03, -0.02, 1e-3, -5e-4, 2e-4, -1.4, 0.05, 0.01, -3e-4, 4e-4, 1e-3,
        ];
        for spline_degree in [SplineDegree::Three, SplineDegree::Five] {
            for order in [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two] {
                for shape in [SubsetShape::Square, SubsetShape::Circle] {
                    let settings = Settings {
                        spline_degree,
                        ..Settings::default()
                    };
                    let frame = Frame::new(Plane::from_image(&picture(0.0)), &settings);
                    let deformed = Deformed::new(Plane::from_image(&picture(0.4)), &settings);
                    let rows = subset_rows(41, shape);
                    let pair = Pair {
                        reference: &frame.pixels,
                        gradient_x: &frame.gradient_x,
                        gradient_y: &frame.gradient_y,
                        deformed: &deformed.spline,
                        deformed_pixels: &deformed.pixels,
                        rows: &rows,
                        centre: (45, 40),
                        offset: 0.0,
                    };
                    let offsets = Offsets {
                        reference: 118.0,
                        deformed: 121.0,
                    };
                    let values = |dispatch: Dispatch| {
                        let found = dispatch.moments(&pair, order, None);
                        let sums = dispatch.products(&pair, order, offsets, &p);
                        let sums = sums.expect("the subset stays inside");
                        let mut all = vec![found.mean, found.energy];
                        all.extend([sums.sum_gg, sums.sum_fg]);
                        all.extend(found.squares.as_flattened().as_flattened());
                        all.extend(sums.sum_jg);
                        all
                    };
                    let portable = values(Dispatch::Portable);
                    for dispatch in Dispatch::available() {
                        for (got, expected) in values(dispatch).iter().zip(&portable) {
                            let allowed = 1e-4 * expected.abs().max(1.0);
                            assert!(
                                (got - expected).abs() < allowed,
                                "{dispatch:?} {got} {expected}"
                            );
                        }
                    }
                }
            }
        }
    }
}
