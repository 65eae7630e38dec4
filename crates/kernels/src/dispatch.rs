//! Chooses the kernels for the instruction set of the processor at run time.
//!
//! All tiles are the same code on different vectors, compiled for the instruction set of each.
//! They agree within rounding; which one runs never depends on data or threads. The passes over
//! memory are plain loops without fused operations and have the same bits everywhere.

#![expect(
    unsafe_code,
    reason = "a function for an instruction set may be called once the processor is known to have it"
)]

use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use crate::lanes::x86::{Ymm, Zmm};
use crate::lanes::{Portable, Vector};
use crate::tile::{Positions, Taps, Tile, multiply};

/// A tile for one instruction set.
///
/// # Safety
/// As for [`multiply`].
pub(crate) type TileFn = unsafe fn(&Tile);

/// What the rows of a tile are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowsOf {
    /// Rows are positions, see [`Positions`].
    Positions,
    /// Rows are taps, see [`Taps`].
    Taps,
}

/// The instruction set in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dispatch {
    /// For any processor the program runs on.
    Portable,
    /// For processors with AVX2 and fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(Proof),
    /// For processors with AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512(Proof),
}

/// Made by [`Dispatch::available`] only, for what the processor has.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof(());

impl Dispatch {
    /// The best kernels for this processor.
    pub(crate) fn detect() -> Self {
        static BEST: OnceLock<Dispatch> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().last().copied().unwrap_or(Self::Portable))
    }

    /// All kernels that this processor can run, best last.
    pub(crate) fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let special = {
            let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let has_avx512 = has_avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq");
            [
                has_avx2.then_some(Self::Avx2(Proof(()))),
                has_avx512.then_some(Self::Avx512(Proof(()))),
            ]
        };
        #[cfg(not(target_arch = "x86_64"))]
        let special: [Option<Self>; 0] = [];
        let special = special.into_iter().flatten();
        std::iter::once(Self::Portable).chain(special).collect()
    }

    /// Values of one vector.
    pub(crate) fn lanes(self) -> usize {
        match self {
            Self::Portable => Portable::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => Ymm::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => Zmm::LANES,
        }
    }

    /// Rows that a tile holds at most.
    pub(crate) fn rows(self) -> usize {
        match self {
            Self::Portable => 4,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => 6,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => 14,
        }
    }

    /// The tile of `1..=self.rows()` rows and one or two vectors.
    pub(crate) fn tile(self, of: RowsOf, rows: usize, vectors: usize) -> TileFn {
        assert!((1..=self.rows()).contains(&rows) && (1..=2).contains(&vectors));
        match self {
            Self::Portable => portable::tile(of, rows, vectors),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => avx2::tile(of, rows, vectors),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => avx512::tile(of, rows, vectors),
        }
    }
}

/// The tiles of one instruction set.
macro_rules! tiles {
    ($module:ident, $vector:ty, $($feature:literal)?, $($rows:literal)*) => {
        mod $module {
            use super::*;

            /// # Safety
            /// As for [`multiply`].
            $(#[target_feature(enable = $feature)])?
            unsafe fn positions<const ROWS: usize, const VECTORS: usize>(tile: &Tile) {
                // SAFETY: promised by the caller.
                unsafe { multiply::<$vector, Positions, ROWS, VECTORS>(tile) };
            }

            /// # Safety
            /// As for [`multiply`].
            $(#[target_feature(enable = $feature)])?
            unsafe fn taps<const ROWS: usize, const VECTORS: usize>(tile: &Tile) {
                // SAFETY: promised by the caller.
                unsafe { multiply::<$vector, Taps, ROWS, VECTORS>(tile) };
            }

            pub(super) fn tile(of: RowsOf, rows: usize, vectors: usize) -> TileFn {
                match (of, rows, vectors) {
                    $(
                        (RowsOf::Positions, $rows, 1) => positions::<$rows, 1>,
                        (RowsOf::Positions, $rows, _) => positions::<$rows, 2>,
                        (RowsOf::Taps, $rows, 1) => taps::<$rows, 1>,
                        (RowsOf::Taps, $rows, _) => taps::<$rows, 2>,
                    )*
                    _ => unreachable!("the caller checks the number of rows"),
                }
            }
        }
    };
}

tiles!(portable, Portable, , 1 2 3 4);
#[cfg(target_arch = "x86_64")]
tiles!(avx2, Ymm, "avx2,fma", 1 2 3 4 5 6);
#[cfg(target_arch = "x86_64")]
tiles!(avx512, Zmm, "avx512f,avx512vl,avx512dq,avx2,fma", 1 2 3 4 5 6 7 8 9 10 11 12 13 14);

/// Compiles a pass over memory twice, and runs it with the widest vectors of the processor.
///
/// The body holds no fused operation, so both have the same bits.
macro_rules! pass {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "compiled for an instruction set that is looked up first")
        )]
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn body($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) $(-> $result)? {
                body($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            if crate::dispatch::Dispatch::detect() != crate::dispatch::Dispatch::Portable {
                // SAFETY: every dispatch but the portable one has AVX2 and FMA.
                return unsafe { avx2($($argument),*) };
            }
            body($($argument),*)
        }
    };
}

pub(crate) use pass;
