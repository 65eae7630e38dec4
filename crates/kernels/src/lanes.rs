//! A fixed number of `f32` side by side, for the kernels that hold a tile of sums in registers.
//!
//! Every method is inlined into its caller, so that it is compiled for the instruction set of the
//! kernel that uses it.

#![expect(
    unsafe_code,
    reason = "vector loads and stores take pointers; the tile that uses them states their bounds"
)]

/// `LANES` values side by side.
///
/// # Safety
/// All methods must be called on a processor that has the instruction set of the type; pointers
/// must be valid for as many values as the method reads or writes.
pub(crate) unsafe trait Vector: Copy {
    /// How many.
    const LANES: usize;

    unsafe fn splat(value: f32) -> Self;

    /// `LANES` values.
    unsafe fn load(from: *const f32) -> Self;

    /// The first `n <= LANES` values, then zeros.
    unsafe fn load_first(from: *const f32, n: usize) -> Self;

    unsafe fn store(self, to: *mut f32);

    /// Writes the first `n <= LANES` values.
    unsafe fn store_first(self, to: *mut f32, n: usize);

    /// Asks for the cache line at an address, which need not be valid.
    unsafe fn prefetch(at: *const f32);

    unsafe fn add(self, other: Self) -> Self;

    /// `self * factor + addend`, rounded once where the processor can.
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self;

    /// Lanes that are not positive times `slope`.
    unsafe fn leaky(self, slope: Self) -> Self;

    /// The smaller of each two lanes; a lane that is NaN stays so.
    unsafe fn at_most(self, upper: Self) -> Self;
}

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

// SAFETY: the methods need no instruction set and access as many values as they say.
unsafe impl Vector for Portable {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for eight values.
        Self(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, n: usize) -> Self {
        let mut values = [0.0; 8];
        for (i, value) in values.iter_mut().enumerate().take(n) {
            // SAFETY: the caller vouches for `n` values.
            *value = unsafe { *from.add(i) };
        }
        Self(values)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for eight values.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) };
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, n: usize) {
        for (i, value) in self.0.iter().enumerate().take(n) {
            // SAFETY: the caller vouches for `n` values.
            unsafe { *to.add(i) = *value };
        }
    }

    #[inline(always)]
    unsafe fn prefetch(_: *const f32) {}

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(std::array::from_fn(|i| {
            fused(self.0[i], factor.0[i], addend.0[i])
        }))
    }

    #[inline(always)]
    unsafe fn leaky(self, slope: Self) -> Self {
        Self(std::array::from_fn(|i| {
            crate::epilogue::leaky_relu(self.0[i], slope.0[i])
        }))
    }

    #[inline(always)]
    unsafe fn at_most(self, upper: Self) -> Self {
        Self(std::array::from_fn(|i| {
            if upper.0[i] < self.0[i] {
                upper.0[i]
            } else {
                self.0[i]
            }
        }))
    }
}

/// Registers of x86-64 processors.
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use std::arch::x86_64::*;

    use super::Vector;

    /// Eight values in an AVX register.
    #[derive(Clone, Copy)]
    pub(crate) struct Ymm(__m256);

    /// Sixteen values in an AVX-512 register.
    #[derive(Clone, Copy)]
    pub(crate) struct Zmm(__m512);

    /// Eight times all bits and eight times none: from any of the first nine places on a mask.
    const FADE: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

    #[inline(always)]
    unsafe fn first_8(n: usize) -> __m256i {
        // SAFETY: eight values from place `8 - n <= 8` of sixteen.
        unsafe { _mm256_loadu_si256(FADE.as_ptr().add(8 - n.min(8)).cast()) }
    }

    #[inline(always)]
    fn first_16(n: usize) -> __mmask16 {
        if n >= 16 { !0 } else { (1 << n) - 1 }
    }

    /// The methods of a register that are one instruction each.
    macro_rules! instructions {
        ($lanes:literal: $splat:ident $load:ident $store:ident $add:ident $mul_add:ident $min:ident) => {
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(value: f32) -> Self {
                // SAFETY: as promised by the caller, here and below.
                Self(unsafe { $splat(value) })
            }

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: see `splat`.
                Self(unsafe { $load(from) })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: see `splat`.
                unsafe { $store(to, self.0) };
            }

            #[inline(always)]
            unsafe fn prefetch(at: *const f32) {
                // SAFETY: a hint at any address is sound.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) };
            }

            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: see `splat`.
                Self(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
                // SAFETY: see `splat`.
                Self(unsafe { $mul_add(self.0, factor.0, addend.0) })
            }

            #[inline(always)]
            unsafe fn at_most(self, upper: Self) -> Self {
                // SAFETY: see `splat`. Of a pair with a NaN the instruction takes the second.
                Self(unsafe { $min(upper.0, self.0) })
            }
        };
    }

    // SAFETY: the methods access as many values as they say; the caller has AVX2 and FMA.
    unsafe impl Vector for Ymm {
        instructions!(8: _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_fmadd_ps _mm256_min_ps);

        #[inline(always)]
        unsafe fn load_first(from: *const f32, n: usize) -> Self {
            // SAFETY: see `splat`.
            Self(unsafe { _mm256_maskload_ps(from, first_8(n)) })
        }

        #[inline(always)]
        unsafe fn store_first(self, to: *mut f32, n: usize) {
            // SAFETY: see `splat`.
            unsafe { _mm256_maskstore_ps(to, first_8(n), self.0) };
        }

        #[inline(always)]
        unsafe fn leaky(self, slope: Self) -> Self {
            // SAFETY: see `splat`.
            unsafe {
                let positive = _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, _mm256_setzero_ps());
                let scaled = _mm256_mul_ps(self.0, slope.0);
                Self(_mm256_blendv_ps(scaled, self.0, positive))
            }
        }
    }

    // SAFETY: the methods access as many values as they say; the caller has AVX-512 F.
    unsafe impl Vector for Zmm {
        instructions!(16: _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_fmadd_ps _mm512_min_ps);

        #[inline(always)]
        unsafe fn load_first(from: *const f32, n: usize) -> Self {
            // SAFETY: see `splat`.
            Self(unsafe { _mm512_maskz_loadu_ps(first_16(n), from) })
        }

        #[inline(always)]
        unsafe fn store_first(self, to: *mut f32, n: usize) {
            // SAFETY: see `splat`.
            unsafe { _mm512_mask_storeu_ps(to, first_16(n), self.0) };
        }

        #[inline(always)]
        unsafe fn leaky(self, slope: Self) -> Self {
            // SAFETY: see `splat`.
            unsafe {
                let rest = _mm512_cmp_ps_mask::<_CMP_NGT_UQ>(self.0, _mm512_setzero_ps());
                Self(_mm512_mask_mul_ps(self.0, rest, self.0, slope.0))
            }
        }
    }
}
