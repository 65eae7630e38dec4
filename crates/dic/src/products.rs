//! The sums of one iteration over the deformed subset.
//!
//! Vectors of neighbouring pixels are interpolated together where their positions lie on one piece of
//! the spline, so that the taps are contiguous loads, or on two along x or y, with one more tap; a
//! vector that lies on more is cut.

use crate::lanes::Vector;
use crate::pair::{BLOCK_ROWS, MONOMIALS, Offsets, Pair, Products};
use crate::plane::MARGIN;
use crate::shape::{PARAMETERS, Parameters};
use crate::spline_row::{Crossing, interpolate};
use crate::subset::SubsetRow;
use crate::warp::{Limits, Warp};

/// The products at parameters `p` by the spline of `TAPS × TAPS` coefficients a value.
#[inline(always)]
pub(crate) fn products_of<V: Vector, const TAPS: usize, const ORDER: usize>(
    pair: &Pair<'_>,
    offsets: Offsets,
    p: &Parameters,
) -> Option<Products> {
    let taps = &pair.deformed.coefficients;
    let warp = Warp::new(pair.centre, p);
    let limits = Limits::of(taps);
    let shift_g = V::splat(-offsets.deformed);
    let mut sums = Sums::<V, ORDER>::new(offsets);
    for block in pair.rows.chunks(BLOCK_ROWS) {
        let mut block_sums = BlockSums::<V>::zero();
        for row in block {
            let along = warp.along_row::<ORDER>(row.dy);
            let end = along.position::<ORDER>(row.last);
            if !limits.hold(end) {
                return None;
            }
            let start = pair.row_start(row);
            let length = (row.last - row.first + 1) as usize;
            let mut row_jg = [[V::zero(); 3]; 2];
            let mut done = 0;
            while done < length {
                let first = row.first + done as i32;
                let here = along.position::<ORDER>(first);
                if (ORDER == 2 || done == 0) && !limits.hold(here) {
                    return None;
                }
                let (column, line, piece) = along.piece_at::<ORDER>(first, here);
                let wanted = V::LANES.min(length - done);
                let is_inside = piece.is_inside::<ORDER>(wanted, (1.0, 1.0));
                let crossing = (!is_inside).then(|| piece.crossing::<ORDER>(wanted));
                let n = crossing.as_ref().map_or(wanted, |crossing| crossing.lanes);
                if ORDER == 2 {
                    // A quadratic warp can leave the picture between the ends of its row: both ends
                    // of every vector are looked at, and that its taps lie within the margin.
                    let earlier = crossing.as_ref().map_or(0, |crossing| crossing.earlier.0);
                    let last = along.position::<ORDER>(first + n as i32 - 1);
                    if !limits.hold(last) || column - earlier + n > MARGIN + taps.width {
                        return None;
                    }
                }
                let from = (line + 1 - TAPS / 2) * taps.stride + column + 1 - TAPS / 2;
                let mut g = if let Some(crossing) = &crossing {
                    let (columns, rows) = crossing.earlier;
                    let values = &taps.data[from - rows * taps.stride - columns..];
                    across_pieces::<V, TAPS, ORDER>(values, taps.stride, crossing, shift_g)
                } else if n <= V::Half::LANES {
                    let values = &taps.data[from..];
                    let at = piece.fractions::<V::Half, ORDER>();
                    let shift = V::Half::splat(-offsets.deformed);
                    V::widen(interpolate::<V::Half, TAPS, false, false>(
                        values,
                        taps.stride,
                        at,
                        shift,
                    ))
                } else {
                    let values = &taps.data[from..];
                    let at = piece.fractions::<V, ORDER>();
                    interpolate::<V, TAPS, false, false>(values, taps.stride, at, shift_g)
                };
                if n < V::LANES {
                    g = g.mul(V::first(n));
                }
                sums.add(&mut block_sums, &mut row_jg, pair, start + done, first, g);
                done += n;
            }
            block_sums.end_row::<ORDER>(&row_jg, row);
        }
        sums.end_block(&block_sums);
    }
    Some(sums.finish())
}

/// `g'` in lanes that do not all lie on one piece of the spline.
#[inline(always)]
fn across_pieces<V: Vector, const TAPS: usize, const ORDER: usize>(
    coefficients: &[f32],
    stride: usize,
    crossing: &Crossing,
    shift: V,
) -> V {
    let at = crossing.piece.fractions::<V, ORDER>();
    match crossing.is_wide {
        (false, false) => interpolate::<V, TAPS, false, false>(coefficients, stride, at, shift),
        (true, false) => interpolate::<V, TAPS, true, false>(coefficients, stride, at, shift),
        (false, true) => interpolate::<V, TAPS, false, true>(coefficients, stride, at, shift),
        (true, true) => interpolate::<V, TAPS, true, true>(coefficients, stride, at, shift),
    }
}

/// The products at a displacement by whole pixels.
#[inline(always)]
pub(crate) fn products_at_pixels<V: Vector, const ORDER: usize>(
    pair: &Pair<'_>,
    offsets: Offsets,
    (u, v): (i32, i32),
) -> Option<Products> {
    let picture = pair.deformed_pixels;
    let (x, y) = (pair.centre.0 as i32 + u, pair.centre.1 as i32 + v);
    let inside = |at: i32, size: usize| at >= 0 && at < size as i32;
    let fits = |row: &SubsetRow| {
        inside(y + row.dy, picture.height)
            && inside(x + row.first, picture.width)
            && inside(x + row.last, picture.width)
    };
    if !pair.rows.iter().all(fits) {
        return None;
    }
    let shift_g = V::splat(-offsets.deformed);
    let mut sums = Sums::<V, ORDER>::new(offsets);
    for block in pair.rows.chunks(BLOCK_ROWS) {
        let mut block_sums = BlockSums::<V>::zero();
        for row in block {
            let start = pair.row_start(row);
            let from = picture.index((x + row.first) as usize, (y + row.dy) as usize);
            let length = (row.last - row.first + 1) as usize;
            let mut row_jg = [[V::zero(); 3]; 2];
            for done in (0..length).step_by(V::LANES) {
                let mut g = V::load(&picture.data[from + done..]).add(shift_g);
                if length - done < V::LANES {
                    g = g.mul(V::first(length - done));
                }
                let first = row.first + done as i32;
                sums.add(&mut block_sums, &mut row_jg, pair, start + done, first, g);
            }
            block_sums.end_row::<ORDER>(&row_jg, row);
        }
        sums.end_block(&block_sums);
    }
    Some(sums.finish())
}

/// Sums of a block of rows, lane by lane.
#[derive(Clone, Copy)]
struct BlockSums<V> {
    g: V,
    gg: V,
    fg: V,
    /// `Σ f_x g' dx^k dy^m` and the same of `f_y`, by `k` and `m`.
    jg: [[[V; 3]; 3]; 2],
}

impl<V: Vector> BlockSums<V> {
    #[inline(always)]
    fn zero() -> Self {
        Self {
            g: V::zero(),
            gg: V::zero(),
            fg: V::zero(),
            jg: [[[V::zero(); 3]; 3]; 2],
        }
    }

    /// Adds what a row summed by powers of `dx`.
    #[inline(always)]
    fn end_row<const ORDER: usize>(&mut self, row_jg: &[[V; 3]; 2], row: &SubsetRow) {
        let mut dy_power = 1.0_f32;
        for m in 0..=ORDER {
            let weight = V::splat(dy_power);
            for (sums, row_sums) in self.jg.iter_mut().zip(row_jg) {
                for k in 0..=ORDER - m {
                    sums[k][m] = if m == 0 {
                        row_sums[k].add(sums[k][m])
                    } else {
                        row_sums[k].mul_add(weight, sums[k][m])
                    };
                }
            }
            dy_power *= row.dy as f32;
        }
    }
}

/// Sums of the whole subset.
struct Sums<V, const ORDER: usize> {
    shift_f: V,
    out: Products,
    jg: [[[f64; 3]; 3]; 2],
}

impl<V: Vector, const ORDER: usize> Sums<V, ORDER> {
    #[inline(always)]
    fn new(offsets: Offsets) -> Self {
        Self {
            shift_f: V::splat(-offsets.reference),
            out: Products {
                sum_g: 0.0,
                sum_gg: 0.0,
                sum_fg: 0.0,
                sum_jg: [0.0; PARAMETERS],
            },
            jg: [[[0.0; 3]; 3]; 2],
        }
    }

    /// Adds a vector of grey values `g'`, the first at place `at` of the reference and at `first`
    /// columns from the centre.
    #[inline(always)]
    fn add(
        &self,
        block: &mut BlockSums<V>,
        row_jg: &mut [[V; 3]; 2],
        pair: &Pair<'_>,
        at: usize,
        first: i32,
        g: V,
    ) {
        let f = V::load(&pair.reference.data[at..]).add(self.shift_f);
        block.g = block.g.add(g);
        block.gg = g.mul_add(g, block.gg);
        block.fg = f.mul_add(g, block.fg);
        let dx = V::ramp().add(V::splat(first as f32));
        let gradients = [&pair.gradient_x.data[at..], &pair.gradient_y.data[at..]];
        for (sums, gradient) in row_jg.iter_mut().zip(gradients) {
            let product = g.mul(V::load(gradient));
            sums[0] = sums[0].add(product);
            if ORDER > 0 {
                sums[1] = product.mul_add(dx, sums[1]);
            }
            if ORDER > 1 {
                sums[2] = product.mul_add(dx.mul(dx), sums[2]);
            }
        }
    }

    #[inline(always)]
    fn end_block(&mut self, block: &BlockSums<V>) {
        self.out.sum_g += block.g.sum();
        self.out.sum_gg += block.gg.sum();
        self.out.sum_fg += block.fg.sum();
        for (sums, block_sums) in self.jg.iter_mut().zip(&block.jg) {
            for m in 0..=ORDER {
                for k in 0..=ORDER - m {
                    sums[k][m] += block_sums[k][m].sum();
                }
            }
        }
    }

    #[inline(always)]
    fn finish(mut self) -> Products {
        for (index, &(k, m, factor)) in MONOMIALS.iter().enumerate() {
            if k + m <= ORDER {
                self.out.sum_jg[index] = factor * self.jg[0][k][m];
                self.out.sum_jg[index + 6] = factor * self.jg[1][k][m];
            }
        }
        self.out
    }
}
