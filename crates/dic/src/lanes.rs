//! A fixed number of `f32` side by side: plain arrays for any processor, registers where the
//! instruction set is known.
//!
//! Every method is inlined into its caller, so that it is compiled for the instruction set of the
//! kernel that uses it.

/// The most lanes of any vector.
pub(crate) const WIDEST: usize = 16;

/// `LANES` values side by side.
pub(crate) trait Vector: Copy {
    /// How many.
    const LANES: usize;

    /// Half as many where that costs less, or the same again.
    type Half: Vector;

    fn splat(value: f32) -> Self;

    /// The first values of `values`.
    ///
    /// # Panics
    /// When there are fewer than `LANES`.
    fn load(values: &[f32]) -> Self;

    fn add(self, other: Self) -> Self;

    fn sub(self, other: Self) -> Self;

    fn mul(self, other: Self) -> Self;

    /// `self * factor + addend`, rounded once where the processor can.
    fn mul_add(self, factor: Self, addend: Self) -> Self;

    /// `from` in the lanes that are one or more, `below` in the others.
    fn select_from_one(self, below: Self, from: Self) -> Self;

    /// These lanes and zeros in what is left.
    fn widen(half: Self::Half) -> Self;

    /// Adds each lane to one of the first values of `sums`.
    ///
    /// # Panics
    /// When there are fewer than `LANES`.
    fn add_to(self, sums: &mut [f64]);

    /// The sum of all lanes, by halves.
    fn sum(self) -> f64;

    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0.0)
    }

    /// `0, 1, 2, …`
    #[inline(always)]
    fn ramp() -> Self {
        Self::load(&RAMP)
    }

    /// One in the first `n` lanes, zero in the others.
    #[inline(always)]
    fn first(n: usize) -> Self {
        Self::load(&FADE[WIDEST - n.min(WIDEST)..])
    }
}

const RAMP: [f32; WIDEST] = [
    0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0,
];

/// Sixteen ones and sixteen zeros; from any of the first seventeen places on a mask of sixteen lanes.
const FADE: [f32; 2 * WIDEST] = [
    1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0,
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];

/// Eight values in an array, which the compiler puts into the vectors that every processor of the architecture has: SSE2
/// on x86-64, NEON on aarch64.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; 8]);

/// `value * factor + addend`, rounded once where every processor of the architecture can.
#[inline(always)]
fn fused(value: f32, factor: f32, addend: f32) -> f32 {
    match cfg!(target_arch = "aarch64") {
        true => value.mul_add(factor, addend),
        false => value * factor + addend,
    }
}

impl Vector for Portable {
    const LANES: usize = 8;

    type Half = Self;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let mut out = [0.0; 8];
        out.copy_from_slice(&values[..8]);
        Self(out)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let mut out = self.0;
        for (value, other) in out.iter_mut().zip(other.0) {
            *value += other;
        }
        Self(out)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let mut out = self.0;
        for (value, other) in out.iter_mut().zip(other.0) {
            *value -= other;
        }
        Self(out)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let mut out = self.0;
        for (value, other) in out.iter_mut().zip(other.0) {
            *value *= other;
        }
        Self(out)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        let mut out = self.0;
        for ((value, factor), addend) in out.iter_mut().zip(factor.0).zip(addend.0) {
            *value = fused(*value, factor, addend);
        }
        Self(out)
    }

    #[inline(always)]
    fn select_from_one(self, below: Self, from: Self) -> Self {
        let mut out = below.0;
        for ((value, from), lane) in out.iter_mut().zip(from.0).zip(self.0) {
            *value = if lane >= 1.0 { from } else { *value };
        }
        Self(out)
    }

    #[inline(always)]
    fn widen(half: Self) -> Self {
        half
    }

    #[inline(always)]
    fn add_to(self, sums: &mut [f64]) {
        for (sum, lane) in sums[..8].iter_mut().zip(self.0) {
            *sum += f64::from(lane);
        }
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        let [a, b, c, d, e, f, g, h] = self.0;
        f64::from(((a + e) + (c + g)) + ((b + f) + (d + h)))
    }
}

/// Registers of x86-64 processors.
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    #![expect(
        unsafe_code,
        reason = "vector instructions may be used once the processor is known to have them"
    )]

    use std::arch::x86_64::{
        __m256, __m512, _CMP_GE_OQ, _mm256_add_ps, _mm256_blendv_ps, _mm256_cmp_ps,
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_storeu_ps,
        _mm256_sub_ps, _mm512_add_ps, _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_loadu_ps,
        _mm512_mask_blend_ps, _mm512_mul_ps, _mm512_reduce_add_ps, _mm512_set1_ps,
        _mm512_storeu_ps, _mm512_sub_ps, _mm512_zextps256_ps512,
    };

    use super::Vector;

    /// Eight values in a register; only for functions compiled for AVX2 and FMA.
    #[derive(Clone, Copy)]
    pub(crate) struct Ymm(__m256);

    /// Sixteen values in a register; only for functions compiled for AVX-512 F.
    #[derive(Clone, Copy)]
    pub(crate) struct Zmm(__m512);

    // SAFETY of every block below: `dispatch` instantiates kernels with these types only in
    // functions that it calls after it has found the instruction set; loads are of slices that are
    // long enough.

    /// The methods of a register that are one instruction each.
    macro_rules! instructions {
        ($lanes:literal: $splat:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $mul_add:ident) => {
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(value: f32) -> Self {
                Self(unsafe { $splat(value) })
            }

            #[inline(always)]
            fn load(values: &[f32]) -> Self {
                let values = &values[..$lanes];
                Self(unsafe { $load(values.as_ptr()) })
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self(unsafe { $sub(self.0, other.0) })
            }

            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self(unsafe { $mul(self.0, other.0) })
            }

            #[inline(always)]
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                Self(unsafe { $mul_add(self.0, factor.0, addend.0) })
            }

            #[inline(always)]
            fn add_to(self, sums: &mut [f64]) {
                let mut values = [0.0; $lanes];
                unsafe { $store(values.as_mut_ptr(), self.0) };
                for (sum, lane) in sums[..$lanes].iter_mut().zip(values) {
                    *sum += f64::from(lane);
                }
            }
        };
    }

    impl Vector for Ymm {
        type Half = Self;

        instructions!(8: _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_fmadd_ps);

        #[inline(always)]
        fn select_from_one(self, below: Self, from: Self) -> Self {
            Self(unsafe {
                let is_from = _mm256_cmp_ps::<_CMP_GE_OQ>(self.0, _mm256_set1_ps(1.0));
                _mm256_blendv_ps(below.0, from.0, is_from)
            })
        }

        #[inline(always)]
        fn widen(half: Self) -> Self {
            half
        }

        #[inline(always)]
        fn sum(self) -> f64 {
            let mut values = [0.0; 8];
            unsafe { _mm256_storeu_ps(values.as_mut_ptr(), self.0) };
            let [a, b, c, d, e, f, g, h] = values;
            f64::from(((a + e) + (c + g)) + ((b + f) + (d + h)))
        }
    }

    impl Vector for Zmm {
        type Half = Ymm;

        instructions!(16: _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_fmadd_ps);

        #[inline(always)]
        fn select_from_one(self, below: Self, from: Self) -> Self {
            Self(unsafe {
                let is_from = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(self.0, _mm512_set1_ps(1.0));
                _mm512_mask_blend_ps(is_from, below.0, from.0)
            })
        }

        #[inline(always)]
        fn widen(half: Ymm) -> Self {
            Self(unsafe { _mm512_zextps256_ps512(half.0) })
        }

        #[inline(always)]
        fn sum(self) -> f64 {
            f64::from(unsafe { _mm512_reduce_add_ps(self.0) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_compute_as_their_values_do() {
        let a = Portable::ramp();
        let b = Portable::load(&[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0]);
        let c = a.mul_add(b, Portable::splat(1.0));
        assert_eq!(c.0, [1.0, 2.0, 9.0, 4.0, 21.0, 46.0, 13.0, 43.0]);
        assert_eq!(c.sum(), 139.0);
        assert_eq!(c.mul(Portable::first(3)).sum(), 12.0);
        assert_eq!(c.mul(Portable::first(41)).sum(), 139.0);
        assert_eq!(b.sub(a).add(a).0, b.0);
    }
}
