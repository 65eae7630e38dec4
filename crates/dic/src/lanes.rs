//! A fixed number of `f32` side by side, in plain arrays that compilers turn into vector registers.
//!
//! Every method is inlined into its caller, so that it is compiled for the instruction set of the
//! kernel that uses it.

/// `L` values side by side.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<const L: usize>(pub(crate) [f32; L]);

impl<const L: usize> Lanes<L> {
    pub(crate) const ZERO: Self = Self([0.0; L]);

    #[inline(always)]
    pub(crate) fn splat(value: f32) -> Self {
        Self([value; L])
    }

    /// The first `L` values of `values`.
    #[inline(always)]
    pub(crate) fn load(values: &[f32]) -> Self {
        let mut out = [0.0; L];
        out.copy_from_slice(&values[..L]);
        Self(out)
    }

    /// `0, 1, 2, …`
    #[inline(always)]
    pub(crate) fn ramp() -> Self {
        let mut out = [0.0; L];
        for (l, value) in out.iter_mut().enumerate() {
            *value = l as f32;
        }
        Self(out)
    }

    /// One in the first `n` lanes, zero in the others.
    #[inline(always)]
    pub(crate) fn first(n: usize) -> Self {
        let mut out = [0.0; L];
        for (l, value) in out.iter_mut().enumerate() {
            *value = if l < n { 1.0 } else { 0.0 };
        }
        Self(out)
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        let mut out = self.0;
        for (value, other) in out.iter_mut().zip(other.0) {
            *value += other;
        }
        Self(out)
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        let mut out = self.0;
        for (value, other) in out.iter_mut().zip(other.0) {
            *value -= other;
        }
        Self(out)
    }

    #[inline(always)]
    pub(crate) fn mul(self, other: Self) -> Self {
        let mut out = self.0;
        for (value, other) in out.iter_mut().zip(other.0) {
            *value *= other;
        }
        Self(out)
    }

    /// `self * factor + addend`, rounded once where `FMA` says that the processor can.
    #[inline(always)]
    pub(crate) fn mul_add<const FMA: bool>(self, factor: Self, addend: Self) -> Self {
        let mut out = self.0;
        for ((value, factor), addend) in out.iter_mut().zip(factor.0).zip(addend.0) {
            *value = if FMA {
                value.mul_add(factor, addend)
            } else {
                *value * factor + addend
            };
        }
        Self(out)
    }

    /// The sum of all lanes, by halves.
    #[inline(always)]
    pub(crate) fn sum(self) -> f64 {
        let mut values = self.0;
        let mut n = L;
        while n > 1 {
            n /= 2;
            for l in 0..n {
                values[l] += values[l + n];
            }
        }
        f64::from(values[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_compute_as_their_values_do() {
        let a = Lanes::<8>::ramp();
        let b = Lanes::<8>::load(&[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0]);
        let c = a.mul_add::<false>(b, Lanes::splat(1.0));
        assert_eq!(c.0, [1.0, 2.0, 9.0, 4.0, 21.0, 46.0, 13.0, 43.0]);
        assert_eq!(c.sum(), 139.0);
        assert_eq!(c.mul(Lanes::first(3)).sum(), 12.0);
        assert_eq!(b.sub(a).add(a).0, b.0);
    }
}
