//! The moments of a reference subset: its mean and contrast, the Hessian, and the sums over the
//! steepest-descent images.

use crate::lanes::Vector;
use crate::pair::{BLOCK_ROWS, MONOMIALS, Moments, Pair};
use crate::shape::PARAMETERS;
use crate::subset::{SubsetRow, pixel_count};

/// Sums over a strip of columns, lane by lane: of `f'`, of `f'²`, and by powers of `dy` of
/// `f_x²`, `f_x f_y`, `f_y²` and of `f_x`, `f_y`, `f_x f'`, `f_y f'`.
#[derive(Clone, Copy)]
pub(crate) struct StripSums<V, const POWERS: usize, const SQUARES: usize> {
    pub(crate) f: V,
    pub(crate) ff: V,
    pub(crate) squares: [[V; SQUARES]; 3],
    pub(crate) gradients: [[V; POWERS]; 4],
}

/// The moments for a shape function of order `ORDER`, of which `POWERS` is one more and `SQUARES` one more
/// than its double. Eq. (20)
///
/// Strips as wide as a vector are summed from top to bottom, so that only powers of `dy` are
/// needed there; powers of `dx` are multiplied in once a block of rows.
#[inline(always)]
pub(crate) fn moments_of<
    V: Vector,
    const ORDER: usize,
    const POWERS: usize,
    const SQUARES: usize,
>(
    pair: &Pair<'_>,
) -> Moments {
    let near_mean = near_mean(pair);
    let left = pair.rows.iter().map(|row| row.first).min().unwrap_or(0);
    let right = pair.rows.iter().map(|row| row.last).max().unwrap_or(0);
    let mut totals = Totals::<POWERS>::zero();
    for block in pair.rows.chunks(BLOCK_ROWS) {
        let (mut f, mut ff) = (V::zero(), V::zero());
        let mut block_h = [[[V::zero(); SQUARES]; SQUARES]; 3];
        let mut block_j = [[[V::zero(); POWERS]; POWERS]; 4];
        for first in (left..=right).step_by(V::LANES) {
            let strip = strip_sums::<V, ORDER, POWERS, SQUARES>(pair, block, first, near_mean);
            f = f.add(strip.f);
            ff = ff.add(strip.ff);
            let dx = V::ramp().add(V::splat(first as f32));
            let mut power = V::splat(1.0);
            for k in 0..=2 * ORDER {
                for m in 0..=2 * ORDER - k {
                    for (sums, rows) in block_h.iter_mut().zip(&strip.squares) {
                        sums[k][m] = rows[m].mul_add(power, sums[k][m]);
                    }
                    if k + m <= ORDER {
                        for (sums, rows) in block_j.iter_mut().zip(&strip.gradients) {
                            sums[k][m] = rows[m].mul_add(power, sums[k][m]);
                        }
                    }
                }
                power = power.mul(dx);
            }
        }
        totals.f += f.sum();
        totals.ff += ff.sum();
        for k in 0..=2 * ORDER {
            for m in 0..=2 * ORDER - k {
                for (sums, block_sums) in totals.squares.iter_mut().zip(&block_h) {
                    sums[k][m] += block_sums[k][m].sum();
                }
                if k + m <= ORDER {
                    for (sums, block_sums) in totals.gradients.iter_mut().zip(&block_j) {
                        sums[k][m] += block_sums[k][m].sum();
                    }
                }
            }
        }
    }
    totals.moments::<ORDER>(near_mean, pixel_count(pair.rows))
}

/// Sums over a whole subset: of `f'`, of `f'²`, and by powers of `dx` and `dy` of `f_x²`, `f_x f_y`,
/// `f_y²` and of `f_x`, `f_y`, `f_x f'`, `f_y f'`.
pub(crate) struct Totals<const POWERS: usize> {
    pub(crate) f: f64,
    pub(crate) ff: f64,
    pub(crate) squares: [[[f64; 5]; 5]; 3],
    pub(crate) gradients: [[[f64; POWERS]; POWERS]; 4],
}

impl<const POWERS: usize> Totals<POWERS> {
    #[inline(always)]
    pub(crate) fn zero() -> Self {
        Self {
            f: 0.0,
            ff: 0.0,
            squares: [[[0.0; 5]; 5]; 3],
            gradients: [[[0.0; POWERS]; POWERS]; 4],
        }
    }

    /// What they say of `count` pixels from which `offset` was subtracted, near the mean or not.
    #[inline(always)]
    pub(crate) fn moments<const ORDER: usize>(self, offset: f32, count: usize) -> Moments {
        let residue = self.f / count as f64;
        let mut sum_j = [0.0; PARAMETERS];
        let mut sum_jf = [0.0; PARAMETERS];
        let sums = &self.gradients;
        for (a, &(k, m, factor)) in MONOMIALS.iter().enumerate() {
            if k + m > ORDER {
                continue;
            }
            for side in 0..2 {
                let sum = sums[side][k][m];
                sum_j[6 * side + a] = factor * sum;
                sum_jf[6 * side + a] = factor * (sums[side + 2][k][m] - residue * sum);
            }
        }
        Moments {
            mean: f64::from(offset) + residue,
            energy: self.ff - residue * residue * count as f64,
            sum_j,
            sum_jf,
            squares: self.squares,
        }
    }
}

/// The sums of the columns from `first` on in some rows.
#[inline(always)]
pub(crate) fn strip_sums<
    V: Vector,
    const ORDER: usize,
    const POWERS: usize,
    const SQUARES: usize,
>(
    pair: &Pair<'_>,
    rows: &[SubsetRow],
    first: i32,
    offset: f32,
) -> StripSums<V, POWERS, SQUARES> {
    let shift = V::splat(-offset);
    let mut sums = StripSums {
        f: V::zero(),
        ff: V::zero(),
        squares: [[V::zero(); SQUARES]; 3],
        gradients: [[V::zero(); POWERS]; 4],
    };
    for row in rows {
        let begin = (row.first - first).max(0) as usize;
        let end = (row.last + 1 - first).clamp(0, V::LANES as i32) as usize;
        if begin >= end {
            continue;
        }
        let at = pair.reference.index(
            (pair.centre.0 as i32 + first) as usize,
            (pair.centre.1 as i32 + row.dy) as usize,
        );
        let mut f = V::load(&pair.reference.data[at..]).add(shift);
        let mut gx = V::load(&pair.gradient_x.data[at..]);
        let mut gy = V::load(&pair.gradient_y.data[at..]);
        if end - begin < V::LANES {
            let inside = V::first(end).sub(V::first(begin));
            (f, gx, gy) = (f.mul(inside), gx.mul(inside), gy.mul(inside));
        }
        sums.f = sums.f.add(f);
        sums.ff = f.mul_add(f, sums.ff);
        let dy = V::splat(row.dy as f32);
        let dy2 = dy.mul(dy);
        let products = [gx.mul(gx), gx.mul(gy), gy.mul(gy)];
        for (sums, value) in sums.squares.iter_mut().zip(products) {
            sums[0] = sums[0].add(value);
            if ORDER > 0 {
                sums[1] = value.mul_add(dy, sums[1]);
                sums[2] = value.mul_add(dy2, sums[2]);
            }
            if ORDER > 1 {
                sums[3] = value.mul_add(dy2.mul(dy), sums[3]);
                sums[4] = value.mul_add(dy2.mul(dy2), sums[4]);
            }
        }
        let products = [gx, gy, gx.mul(f), gy.mul(f)];
        for (sums, value) in sums.gradients.iter_mut().zip(products) {
            sums[0] = sums[0].add(value);
            if ORDER > 0 {
                sums[1] = value.mul_add(dy, sums[1]);
            }
            if ORDER > 1 {
                sums[2] = value.mul_add(dy2, sums[2]);
            }
        }
    }
    sums
}

/// The mean grey value of nine pixels of the subset.
#[inline(always)]
fn near_mean(pair: &Pair<'_>) -> f32 {
    let n = pair.rows.len();
    let mut sum = 0.0;
    for row in [n / 4, n / 2, n - 1 - n / 4] {
        let row = &pair.rows[row];
        let start = pair.row_start(row);
        let last = (row.last - row.first) as usize;
        for column in [last / 4, last / 2, last - last / 4] {
            sum += f64::from(pair.reference.data[start + column]);
        }
    }
    (sum / 9.0) as f32
}
