//! Chooses the kernel for the instruction set of the processor at run time.
//!
//! All kernels are the same code on different vectors, compiled for the instruction set of each.
//! They agree within rounding; which one runs never depends on data or threads.

use crate::column_sums::ColumnSums;
use crate::kernel::{moments, products};
use crate::lanes::Portable;
use crate::pair::{Moments, Offsets, Pair, Products};
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
        column_sums: Option<&mut ColumnSums>,
    ) -> Moments {
        match self {
            Self::Portable => moments::<Portable>(pair, order, column_sums),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(token) => token.moments(pair, order, column_sums),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(token) => token.moments(pair, order, column_sums),
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
        ColumnSums, Moments, Offsets, Pair, Parameters, Products, ShapeOrder, moments, products,
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
            column_sums: Option<&mut ColumnSums>,
        ) -> Moments {
            // SAFETY: `detect`, the only maker of `Avx2`, found the instruction sets.
            unsafe { moments_avx2(pair, order, column_sums) }
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
            column_sums: Option<&mut ColumnSums>,
        ) -> Moments {
            // SAFETY: `detect`, the only maker of `Avx512`, found the instruction sets.
            unsafe { moments_avx512(pair, order, column_sums) }
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
    fn moments_avx2(
        pair: &Pair<'_>,
        order: ShapeOrder,
        column_sums: Option<&mut ColumnSums>,
    ) -> Moments {
        moments::<Ymm>(pair, order, column_sums)
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
        column_sums: Option<&mut ColumnSums>,
    ) -> Moments {
        moments::<Zmm>(pair, order, column_sums)
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
    use retrial_image::GrayImage;

    use super::*;
    use crate::plane::Plane;
    use crate::reference::{Deformed, Frame};
    use crate::settings::{Settings, SplineDegree, SubsetShape};
    use crate::shape::{affine, displacement_at};
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

    /// A pair whose planes are given to `test` with square subsets of `size_px`.
    fn with_pair(size_px: usize, degree: SplineDegree, test: impl Fn(Pair<'_>)) {
        let picture = GrayImage::from_fn(420, 60, |x, y| {
            let (x, y) = (x as f32, y as f32);
            60.0 + 0.3 * x + 50.0 * (0.9 * x).sin() * (0.6 * y).cos() + 20.0 * (0.4 * x - y).sin()
        });
        let plane = Plane::from_image(&picture.expect("a valid size"));
        let settings = Settings {
            spline_degree: degree,
            ..Settings::default()
        };
        let frame = Frame::new(plane.clone(), &settings);
        let deformed = Deformed::new(plane, &settings);
        test(Pair {
            reference: &frame.pixels,
            gradient_x: &frame.gradient_x,
            gradient_y: &frame.gradient_y,
            deformed: &deformed.spline,
            deformed_pixels: &deformed.pixels,
            rows: &subset_rows(size_px, SubsetShape::Square),
            centre: (30, 30),
            offset: frame.mean,
        });
    }

    /// Warps whose rows cross from one piece of the spline to the next in either direction, in both at
    /// once, several times, and not at all.
    #[test]
    fn sums_are_those_of_the_spline_wherever_rows_cross_its_pieces() {
        let affine =
            |u, u_x, u_y, v, v_x, v_y| [u, u_x, u_y, 0.0, 0.0, 0.0, v, v_x, v_y, 0.0, 0.0, 0.0];
        let mut bent = affine(0.02, 0.003, 0.0, -0.01, 0.002, 0.001);
        (bent[3], bent[9], bent[10]) = (4e-3, -3e-3, 1e-3);
        let warps = [
            (
                ShapeOrder::One,
                affine(0.01, -0.002, 0.001, 0.0, 0.003, -0.002),
            ),
            (ShapeOrder::One, affine(-0.02, 0.01, 0.0, 0.03, -0.02, 0.01)),
            (ShapeOrder::One, affine(0.4, 1e-4, 0.0, -0.6, 0.0, 1e-4)),
            (ShapeOrder::One, affine(1.0, 0.3, 0.2, -2.0, -0.25, 0.1)),
            (ShapeOrder::One, affine(0.0, -1.9, 0.3, 0.5, -0.3, -1.9)),
            (
                ShapeOrder::Zero,
                affine(2.0, 0.0, 0.0, -0.999_999, 0.0, 0.0),
            ),
            (ShapeOrder::Two, bent),
        ];
        for degree in [SplineDegree::Three, SplineDegree::Five] {
            for size_px in [3, 21, 27, 41] {
                with_pair(size_px, degree, |pair| {
                    for (order, p) in &warps {
                        let offsets = Offsets {
                            reference: 70.0,
                            deformed: 65.0,
                        };
                        let (mut sum_g, mut sum_jg) = (0.0, [0.0; 2]);
                        for row in pair.rows {
                            for dx in row.first..=row.last {
                                let (u, v) = displacement_at(p, f64::from(dx), f64::from(row.dy));
                                let x = pair.centre.0 as i32 + dx;
                                let y = pair.centre.1 as i32 + row.dy;
                                let there = (f64::from(x) + u, f64::from(y) + v);
                                let g = pair.deformed.value(there.0, there.1);
                                let g = g.expect("inside the picture") - 65.0;
                                let at = pair.reference.index(x as usize, y as usize);
                                sum_g += g;
                                sum_jg[0] += g * f64::from(pair.gradient_x.data[at]);
                                sum_jg[1] += g * f64::from(pair.gradient_y.data[at]);
                            }
                        }
                        for dispatch in Dispatch::available() {
                            let found = dispatch.products(&pair, *order, offsets, p);
                            let found = found.expect("inside the picture");
                            let pairs = [
                                (found.sum_g, sum_g),
                                (found.sum_jg[0], sum_jg[0]),
                                (found.sum_jg[6], sum_jg[1]),
                            ];
                            for (got, expected) in pairs {
                                let pixels = (size_px * size_px) as f64;
                                assert!(
                                    (got - expected).abs() < 1e-3 * pixels,
                                    "{dispatch:?} {size_px} px {order:?} {p:?}: {got} {expected}"
                                );
                            }
                        }
                    }
                });
            }
        }
    }

    /// A vector whose last pixel lies half a pixel inside the picture, and just outside.
    #[test]
    fn every_kernel_takes_what_lies_within_half_a_pixel_of_the_border() {
        for degree in [SplineDegree::Three, SplineDegree::Five] {
            with_pair(31, degree, |pair| {
                let offsets = Offsets {
                    reference: 70.0,
                    deformed: 65.0,
                };
                // Column of the centre, u, u_x; row, v, v_y; whether all pixels are inside.
                let cases = [
                    ((404, 1.1, -0.06), (30, 0.0, 0.0), true),
                    ((404, 1.49, 0.0), (30, 0.0, 0.0), false),
                    ((404, 0.45, 0.003), (30, 0.0, 0.0), true),
                    ((15, -0.45, -0.003), (15, -0.4, -0.005), true),
                    ((15, -1.2, -0.05), (30, 0.0, 0.0), true),
                    ((15, -0.6, 0.0), (30, 0.0, 0.0), false),
                    ((200, 0.0, 0.0), (44, 0.4, 0.005), true),
                    ((200, 0.0, 0.02), (44, 1.1, -0.06), true),
                    ((200, 0.0, 0.0), (44, 0.6, 0.0), false),
                ];
                for ((x, u, u_x), (y, v, v_y), is_inside) in cases {
                    let here = Pair {
                        centre: (x, y),
                        ..pair
                    };
                    let p = affine([u, u_x, 0.0], [v, 0.0, v_y]);
                    for order in [ShapeOrder::One, ShapeOrder::Two] {
                        for dispatch in Dispatch::available() {
                            let found = dispatch.products(&here, order, offsets, &p);
                            let what = format!("{dispatch:?} {order:?} {degree:?} {x} {y} {p:?}");
                            assert_eq!(found.is_some(), is_inside, "{what}");
                        }
                    }
                }
            });
        }
    }

    /// A walk along rows longer than the columns that are kept, with jumps back and between rows.
    #[test]
    fn shared_columns_give_the_moments_of_each_square() {
        for order in [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two] {
            with_pair(21, SplineDegree::Three, |pair| {
                for dispatch in Dispatch::available() {
                    let mut column_sums = ColumnSums::new(21, 420, order);
                    let walk = (10..410).step_by(7).map(|x| (x, 12));
                    let jumps = [
                        (200, 12),
                        (195, 12),
                        (196, 12),
                        (300, 40),
                        (12, 40),
                        (409, 49),
                    ];
                    for centre in walk.chain(jumps) {
                        let here = Pair { centre, ..pair };
                        let shared = dispatch.moments(&here, order, Some(&mut column_sums));
                        let own = dispatch.moments(&here, order, None);
                        let near = |got: f64, expected: f64, scale: f64| {
                            assert!(
                                (got - expected).abs() <= 1e-5 * scale,
                                "{dispatch:?} {order:?} {centre:?}: {got} {expected}"
                            );
                        };
                        near(shared.mean, own.mean, own.mean);
                        near(shared.energy, own.energy, own.energy);
                        let gradients = own.squares[0][0][0] + own.squares[2][0][0];
                        for i in 0..3 {
                            for (k, m) in (0..5).flat_map(|k| (0..5).map(move |m| (k, m))) {
                                let scale = gradients * 10_f64.powi(k as i32 + m as i32);
                                near(shared.squares[i][k][m], own.squares[i][k][m], scale);
                            }
                        }
                        for i in 0..12 {
                            let power = [0, 1, 1, 2, 2, 2][i % 6];
                            let scale = 10_f64.powi(power) * gradients.sqrt();
                            near(shared.sum_j[i], own.sum_j[i], 21.0 * scale);
                            near(shared.sum_jf[i], own.sum_jf[i], own.energy.sqrt() * scale);
                        }
                    }
                }
            });
        }
    }

    /// Half a picture is bright: the mean of the picture is that of neither half.
    #[test]
    fn shared_columns_refuse_a_far_mean() {
        let picture = GrayImage::from_fn(120, 40, |x, y| {
            let base = if x < 60 { 0.0 } else { 60_000.0 };
            base + ((x * 7 + y * 13) % 5) as f32
        });
        let settings = Settings::default();
        let plane = Plane::from_image(&picture.expect("a valid size"));
        let frame = Frame::new(plane.clone(), &settings);
        let deformed = Deformed::new(plane, &settings);
        let pair = Pair {
            reference: &frame.pixels,
            gradient_x: &frame.gradient_x,
            gradient_y: &frame.gradient_y,
            deformed: &deformed.spline,
            deformed_pixels: &deformed.pixels,
            rows: &subset_rows(21, SubsetShape::Square),
            centre: (20, 20),
            offset: frame.mean,
        };
        for dispatch in Dispatch::available() {
            let mut column_sums = ColumnSums::new(21, 120, ShapeOrder::One);
            let shared = dispatch.moments(&pair, ShapeOrder::One, Some(&mut column_sums));
            let own = dispatch.moments(&pair, ShapeOrder::One, None);
            assert_eq!(shared.energy, own.energy, "{dispatch:?}");
        }
    }
}
