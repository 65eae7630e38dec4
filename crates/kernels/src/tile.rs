//! The innermost kernel: a tile of a matrix product, held in registers.

#![expect(
    unsafe_code,
    reason = "the tile reads packed blocks through pointers whose bounds its callers check once"
)]

use crate::lanes::Vector;

/// Values between two rows of a packed block of positions: an odd number of cache lines, so that
/// the rows of a tile fall into different cache sets.
pub(crate) const ROW: usize = DEPTH + 16;

/// Terms of the sums that one call adds at most.
pub(crate) const DEPTH: usize = 256;

/// Values between two terms of a packed block of taps.
pub(crate) const TERM: usize = TAPS + 16;

/// Rows of the weights' gradient in a packed block at most.
pub(crate) const TAPS: usize = 128;

/// How the sums of a tile begin and how they reach memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Sums begin at zero and are written.
    Zero,
    /// Sums continue with the value in memory, term by term.
    Continue,
    /// Sums begin at zero and are added to the value in memory.
    Add,
}

/// The last step of a sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finish {
    /// `columns` values, or null.
    pub(crate) bias: *const f32,
    /// Of negative values.
    pub(crate) slope: f32,
    /// What larger values become; infinity for none.
    pub(crate) upper: f32,
}

/// Where the left factor of a tile is read.
pub(crate) trait Left {
    /// `a[row, term]`.
    ///
    /// # Safety
    /// `tile.a` or `tile.a_rows` is valid there.
    unsafe fn at(tile: &Tile, row: usize, term: usize) -> f32;
}

/// Rows of positions anywhere in memory, given by `tile.a_rows`.
pub(crate) struct Positions;

/// Rows of taps side by side in a packed block, given by `tile.a`; terms are [`TERM`] values apart.
pub(crate) struct Taps;

impl Left for Positions {
    #[inline(always)]
    unsafe fn at(tile: &Tile, row: usize, term: usize) -> f32 {
        // SAFETY: promised by the caller.
        unsafe { *(*tile.a_rows.add(row)).add(term) }
    }
}

impl Left for Taps {
    #[inline(always)]
    unsafe fn at(tile: &Tile, row: usize, term: usize) -> f32 {
        // SAFETY: promised by the caller.
        unsafe { *tile.a.add(row + term * TERM) }
    }
}

/// The arguments of a tile: `c[rows[r] + j] += Σ_k a[r, k] b[k, j]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    /// Terms of the sum.
    pub(crate) depth: usize,
    /// Of [`Taps`].
    pub(crate) a: *const f32,
    /// Of [`Positions`]: `depth` values of each row.
    pub(crate) a_rows: *const *const f32,
    /// `[depth, vectors · LANES]`, without gaps.
    pub(crate) b: *const f32,
    /// Anywhere: what is read after `b`.
    pub(crate) next: *const f32,
    pub(crate) c: *mut f32,
    /// Where each row of the tile begins in `c`.
    pub(crate) rows: *const usize,
    /// Values to write of each row.
    pub(crate) columns: usize,
    pub(crate) start: Start,
    pub(crate) finish: Option<Finish>,
}

/// Adds the terms of a tile of `ROWS` × `VECTORS` vectors.
///
/// Each sum adds its terms one by one in the order of `k`, whatever the tile around it.
///
/// # Safety
/// The processor has the instruction set of `V`. `L` can be read at `ROWS` rows and `depth`
/// terms, `b` at `depth * VECTORS * LANES` values, `rows` at `ROWS`, `c` at `columns` values from each
/// row, which no other thread accesses; `columns <= VECTORS * LANES`.
#[inline(always)]
pub(crate) unsafe fn multiply<V: Vector, L: Left, const ROWS: usize, const VECTORS: usize>(
    tile: &Tile,
) {
    let columns = |v: usize| tile.columns.saturating_sub(v * V::LANES).min(V::LANES);
    let full = tile.columns == VECTORS * V::LANES;
    // SAFETY: all accesses are those that the caller vouches for.
    unsafe {
        for r in 0..ROWS {
            for v in 0..VECTORS {
                V::prefetch(tile.c.wrapping_add(*tile.rows.add(r) + v * V::LANES));
            }
        }
        let mut first = [[V::splat(0.0); VECTORS]; ROWS];
        let current = |r: usize, v: usize| {
            let from = tile.c.wrapping_add(*tile.rows.add(r) + v * V::LANES);
            if full {
                V::load(from)
            } else {
                V::load_first(from, columns(v))
            }
        };
        if tile.start == Start::Continue {
            for (r, first) in first.iter_mut().enumerate() {
                for (v, first) in first.iter_mut().enumerate() {
                    *first = current(r, v);
                }
            }
        }
        // Only the loop over terms sees this array, so that it is kept in registers.
        let mut sums = [[V::splat(0.0); VECTORS]; ROWS];
        copy(&first, &mut sums);
        let (mut b, mut next) = (tile.b, tile.next);
        for term in 0..tile.depth {
            let mut row = [V::splat(0.0); VECTORS];
            for (v, value) in row.iter_mut().enumerate() {
                *value = V::load(b.add(v * V::LANES));
                V::prefetch(next.wrapping_add(v * V::LANES));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let factor = V::splat(L::at(tile, r, term));
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum = factor.mul_add(value, *sum);
                }
            }
            b = b.add(VECTORS * V::LANES);
            next = next.wrapping_add(VECTORS * V::LANES);
        }
        let mut done = [[V::splat(0.0); VECTORS]; ROWS];
        copy(&sums, &mut done);
        if tile.start == Start::Add {
            for (r, sums) in done.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = current(r, v).add(*sum);
                }
            }
        }
        if let Some(finish) = tile.finish {
            let slope = V::splat(finish.slope);
            let upper = V::splat(finish.upper);
            for v in 0..VECTORS {
                let bias = if finish.bias.is_null() {
                    V::splat(0.0)
                } else {
                    V::load_first(finish.bias.wrapping_add(v * V::LANES), columns(v))
                };
                for sums in &mut done {
                    if !finish.bias.is_null() {
                        sums[v] = sums[v].add(bias);
                    }
                    sums[v] = sums[v].leaky(slope).at_most(upper);
                }
            }
        }
        for (r, sums) in done.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                let to = tile.c.wrapping_add(*tile.rows.add(r) + v * V::LANES);
                if full {
                    sum.store(to);
                } else {
                    sum.store_first(to, columns(v));
                }
            }
        }
    }
}

/// Copies one element after the other, as a copy of the whole would join both arrays.
#[inline(always)]
fn copy<V: Copy, const ROWS: usize, const VECTORS: usize>(
    from: &[[V; VECTORS]; ROWS],
    to: &mut [[V; VECTORS]; ROWS],
) {
    for (from, to) in from.iter().zip(to) {
        for (from, to) in from.iter().zip(to) {
            *to = *from;
        }
    }
}
