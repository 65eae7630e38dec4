//! The two inner loops of IC-GN: the moments of a reference subset, and its products with the
//! interpolated deformed subset.
//!
//! The residual image is never formed. With `f' = f − f̄` and `g' = g − c`, where any constant `c`
//! near the mean serves, Eq. (19) needs only `Σ g'`, `Σ g'²`, `Σ f' g'` and `Σ J g'` of the deformed image; `Σ J` and `Σ J f'` belong to the
//! reference. Vectors of neighbouring pixels are interpolated together where their positions have
//! consecutive integer columns and one integer row, so that the taps are contiguous loads; a
//! vector in which that changes is cut there.
//!
//! Values are `f32`; sums leave `f32` after a few rows and are `f64` from there.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, Eq. (14), (19), (20).

use crate::lanes::Vector;
use crate::plane::{MARGIN, Plane};
use crate::settings::{ShapeOrder, SplineDegree};
use crate::shape::{PARAMETERS, Parameters};
use crate::spline::Spline;
use crate::subset::SubsetRow;

/// Rows whose sums stay in `f32`.
const BLOCK_ROWS: usize = 8;

/// How far outside `0..=1` a cubic or quintic piece is used before the vector is cut, in px. The
/// pieces agree there to third order: 1e-8 of a grey-level difference.
const PIECE_TOLERANCE: f32 = 1.0 / 512.0;

/// Monomials `dx^k dy^m` of the shape function in the order of the parameters.
const MONOMIALS: [(usize, usize, f64); 6] = [
    (0, 0, 1.0),
    (1, 0, 1.0),
    (0, 1, 1.0),
    (2, 0, 0.5),
    (1, 1, 1.0),
    (0, 2, 0.5),
];

/// A subset of the reference image and the image it is matched with.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) reference: &'a Plane,
    pub(crate) gradient_x: &'a Plane,
    pub(crate) gradient_y: &'a Plane,
    pub(crate) deformed: &'a Spline,
    pub(crate) rows: &'a [SubsetRow],
    /// Column and row of the centre.
    pub(crate) centre: (usize, usize),
}

/// Grey values that are subtracted from the pixels of either subset before they are multiplied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offsets {
    /// `f̄`.
    pub(crate) reference: f32,
    /// `c`, near the mean of the deformed subset.
    pub(crate) deformed: f32,
}

/// What a reference subset contributes to every iteration.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    /// `f̄`.
    pub(crate) mean: f64,
    /// `Σ f'²`.
    pub(crate) energy: f64,
    /// `Σ J` for each parameter.
    pub(crate) sum_j: Parameters,
    /// `Σ J f'`.
    pub(crate) sum_jf: Parameters,
    /// `Σ Jᵀ J`, Eq. (20).
    pub(crate) hessian: [[f64; PARAMETERS]; PARAMETERS],
}

/// What the deformed subset contributes to one iteration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Products {
    /// `Σ g'`.
    pub(crate) sum_g: f64,
    /// `Σ g'²`.
    pub(crate) sum_gg: f64,
    /// `Σ f' g'`.
    pub(crate) sum_fg: f64,
    /// `Σ J g'`.
    pub(crate) sum_jg: Parameters,
}

/// The moments of the reference subset.
#[inline(always)]
pub(crate) fn moments<V: Vector>(pair: &Pair<'_>, order: ShapeOrder) -> Moments {
    match order {
        ShapeOrder::Zero => moments_of::<V, 0>(pair),
        ShapeOrder::One => moments_of::<V, 1>(pair),
        ShapeOrder::Two => moments_of::<V, 2>(pair),
    }
}

/// The products at parameters `p`, or `None` when a pixel falls outside the picture.
#[inline(always)]
pub(crate) fn products<V: Vector>(
    pair: &Pair<'_>,
    order: ShapeOrder,
    offsets: Offsets,
    p: &Parameters,
) -> Option<Products> {
    use ShapeOrder::{One, Two, Zero};
    use SplineDegree::{Five, Three};
    match (pair.deformed.degree, order) {
        (Three, Zero) => products_of::<V, 4, 0>(pair, offsets, p),
        (Three, One) => products_of::<V, 4, 1>(pair, offsets, p),
        (Three, Two) => products_of::<V, 4, 2>(pair, offsets, p),
        (Five, Zero) => products_of::<V, 6, 0>(pair, offsets, p),
        (Five, One) => products_of::<V, 6, 1>(pair, offsets, p),
        (Five, Two) => products_of::<V, 6, 2>(pair, offsets, p),
    }
}

#[inline(always)]
fn moments_of<V: Vector, const ORDER: usize>(pair: &Pair<'_>) -> Moments {
    let (mean, count) = mean::<V>(pair);
    let shift = V::splat(mean as f32);
    let mut energy = 0.0;
    let mut total = [[[0.0_f64; 5]; 5]; 3];
    let mut total_j = [[[0.0_f64; 3]; 3]; 2];
    let mut total_jf = [[[0.0_f64; 3]; 3]; 2];
    let mut residue = 0.0;
    for block in pair.rows.chunks(BLOCK_ROWS) {
        let mut squares = V::zero();
        let mut firsts = V::zero();
        let mut block_h = [[[V::zero(); 5]; 5]; 3];
        let mut block_j = [[[V::zero(); 3]; 3]; 2];
        let mut block_jf = [[[V::zero(); 3]; 3]; 2];
        for row in block {
            let mut row_h = [[V::zero(); 5]; 3];
            let mut row_j = [[V::zero(); 3]; 2];
            let mut row_jf = [[V::zero(); 3]; 2];
            let start = row_start(pair, row);
            let length = (row.last - row.first + 1) as usize;
            for done in (0..length).step_by(V::LANES) {
                let inside = V::first(length - done);
                let at = start + done;
                let f = V::load(&pair.reference.data[at..]).sub(shift).mul(inside);
                let gx = V::load(&pair.gradient_x.data[at..]).mul(inside);
                let gy = V::load(&pair.gradient_y.data[at..]).mul(inside);
                let dx = V::ramp().add(V::splat((row.first + done as i32) as f32));
                firsts = firsts.add(f);
                squares = f.mul_add(f, squares);
                let mut products = [gx.mul(gx), gx.mul(gy), gy.mul(gy)];
                for (sums, product) in row_h.iter_mut().zip(&mut products) {
                    for sum in sums.iter_mut().take(2 * ORDER + 1) {
                        *sum = sum.add(*product);
                        *product = product.mul(dx);
                    }
                }
                for (side, gradient) in [gx, gy].into_iter().enumerate() {
                    let mut power = gradient;
                    for k in 0..=ORDER {
                        row_j[side][k] = row_j[side][k].add(power);
                        row_jf[side][k] = power.mul_add(f, row_jf[side][k]);
                        power = power.mul(dx);
                    }
                }
            }
            let mut dy_power = 1.0_f32;
            for m in 0..=2 * ORDER {
                let weight = V::splat(dy_power);
                for product in 0..3 {
                    for k in 0..=2 * ORDER - m {
                        let sum = &mut block_h[product][k][m];
                        *sum = row_h[product][k].mul_add(weight, *sum);
                    }
                }
                if m <= ORDER {
                    for side in 0..2 {
                        for k in 0..=ORDER - m {
                            let sum = &mut block_j[side][k][m];
                            *sum = row_j[side][k].mul_add(weight, *sum);
                            let sum = &mut block_jf[side][k][m];
                            *sum = row_jf[side][k].mul_add(weight, *sum);
                        }
                    }
                }
                dy_power *= row.dy as f32;
            }
        }
        energy += squares.sum();
        residue += firsts.sum();
        for m in 0..=2 * ORDER {
            for k in 0..=2 * ORDER - m {
                for product in 0..3 {
                    total[product][k][m] += block_h[product][k][m].sum();
                }
                if k + m <= ORDER {
                    for side in 0..2 {
                        total_j[side][k][m] += block_j[side][k][m].sum();
                        total_jf[side][k][m] += block_jf[side][k][m].sum();
                    }
                }
            }
        }
    }
    // The mean was rounded to f32 before it was subtracted.
    energy -= residue * residue / count;
    let used = match ORDER {
        0 => 1,
        1 => 3,
        _ => 6,
    };
    let mut hessian = [[0.0; PARAMETERS]; PARAMETERS];
    let mut sum_j = [0.0; PARAMETERS];
    let mut sum_jf = [0.0; PARAMETERS];
    for (a, &(ka, ma, factor_a)) in MONOMIALS.iter().enumerate().take(used) {
        for side in 0..2 {
            sum_j[6 * side + a] = factor_a * total_j[side][ka][ma];
            sum_jf[6 * side + a] =
                factor_a * (total_jf[side][ka][ma] - residue / count * total_j[side][ka][ma]);
        }
        for (b, &(kb, mb, factor_b)) in MONOMIALS.iter().enumerate().take(used) {
            let factor = factor_a * factor_b;
            let sum = |product: usize| factor * total[product][ka + kb][ma + mb];
            hessian[a][b] = sum(0);
            hessian[a][b + 6] = sum(1);
            hessian[a + 6][b] = sum(1);
            hessian[a + 6][b + 6] = sum(2);
        }
    }
    Moments {
        mean: f64::from(mean as f32),
        energy,
        sum_j,
        sum_jf,
        hessian,
    }
}

/// The mean grey value of the reference subset and its number of pixels.
#[inline(always)]
fn mean<V: Vector>(pair: &Pair<'_>) -> (f64, f64) {
    let (mut total, mut count) = (0.0, 0);
    for block in pair.rows.chunks(BLOCK_ROWS) {
        let mut sum = V::zero();
        for row in block {
            let start = row_start(pair, row);
            let length = (row.last - row.first + 1) as usize;
            for done in (0..length).step_by(V::LANES) {
                let inside = V::first(length - done);
                let f = V::load(&pair.reference.data[start + done..]);
                sum = sum.add(f.mul(inside));
            }
            count += length;
        }
        total += sum.sum();
    }
    (total / count as f64, count as f64)
}

#[inline(always)]
fn products_of<V: Vector, const TAPS: usize, const ORDER: usize>(
    pair: &Pair<'_>,
    offsets: Offsets,
    p: &Parameters,
) -> Option<Products> {
    let taps = &pair.deformed.coefficients;
    let margin = MARGIN as f64;
    let origin = (
        pair.centre.0 as f64 + margin + p[0],
        pair.centre.1 as f64 + margin + p[6],
    );
    let limit_x = margin + taps.width as f64 - 0.5;
    let limit_y = margin + taps.height as f64 - 0.5;
    let in_picture = |x: f64, y: f64| {
        (margin - 0.5..=limit_x).contains(&x) && (margin - 0.5..=limit_y).contains(&y)
    };
    let shift_f = V::splat(-offsets.reference);
    let shift_g = V::splat(-offsets.deformed);
    let mut out = Products {
        sum_g: 0.0,
        sum_gg: 0.0,
        sum_fg: 0.0,
        sum_jg: [0.0; PARAMETERS],
    };
    let mut total = [[[0.0_f64; 3]; 3]; 2];
    for block in pair.rows.chunks(BLOCK_ROWS) {
        let mut block_g = V::zero();
        let mut block_gg = V::zero();
        let mut block_fg = V::zero();
        let mut block_jg = [[[V::zero(); 3]; 3]; 2];
        for row in block {
            let dy = f64::from(row.dy);
            // The warped position along the row is a polynomial of dx. Eq. (14)
            let (x0, y0, x1, y1, x2, y2) = if ORDER < 2 {
                (
                    origin.0 + p[2] * dy,
                    origin.1 + dy + p[8] * dy,
                    1.0 + p[1],
                    p[7],
                    0.0,
                    0.0,
                )
            } else {
                (
                    origin.0 + p[2] * dy + 0.5 * p[5] * dy * dy,
                    origin.1 + dy + p[8] * dy + 0.5 * p[11] * dy * dy,
                    1.0 + p[1] + p[4] * dy,
                    p[7] + p[10] * dy,
                    0.5 * p[3],
                    0.5 * p[9],
                )
            };
            let position = |dx: i32| {
                let dx = f64::from(dx);
                (x0 + dx * (x1 + dx * x2), y0 + dx * (y1 + dx * y2))
            };
            let end = position(row.last);
            if !in_picture(end.0, end.1) {
                return None;
            }
            let start = row_start(pair, row);
            let length = (row.last - row.first + 1) as usize;
            let mut row_jg = [[V::zero(); 3]; 2];
            let mut done = 0;
            while done < length {
                let first = row.first + done as i32;
                let (x, y) = position(first);
                if !in_picture(x, y) {
                    return None;
                }
                // The margin keeps both positive, so the cast is the floor.
                let (column, line) = (x as u32 as usize, y as u32 as usize);
                let lead = f64::from(first);
                let piece = Piece {
                    x: (x - column as f64) as f32,
                    y: (y - line as f64) as f32,
                    slope_x: (x1 - 1.0 + 2.0 * lead * x2) as f32,
                    slope_y: (y1 + 2.0 * lead * y2) as f32,
                    bend_x: x2 as f32,
                    bend_y: y2 as f32,
                };
                let n = piece.lanes_inside::<ORDER>(V::LANES.min(length - done));
                // Only a quadratic warp can leave the picture between two checked positions.
                if ORDER == 2 && column + n > MARGIN + taps.width {
                    return None;
                }
                let (tx, ty) = piece.fractions::<V, ORDER>();
                let wx = weights::<V, TAPS>(tx);
                let wy = weights::<V, TAPS>(ty);
                let left = column + 1 - TAPS / 2;
                let top = line + 1 - TAPS / 2;
                let mut g = shift_g;
                for (j, &wy) in wy.iter().enumerate() {
                    let from = (top + j) * taps.stride + left;
                    let line = &taps.data[from..from + V::LANES + TAPS - 1];
                    let mut sum = wx[0].mul(V::load(line));
                    for (i, &wx) in wx.iter().enumerate().skip(1) {
                        sum = wx.mul_add(V::load(&line[i..]), sum);
                    }
                    g = wy.mul_add(sum, g);
                }
                if n < V::LANES {
                    g = g.mul(V::first(n));
                }
                let at = start + done;
                let f = V::load(&pair.reference.data[at..]).add(shift_f);
                block_g = block_g.add(g);
                block_gg = g.mul_add(g, block_gg);
                block_fg = f.mul_add(g, block_fg);
                let dx = V::ramp().add(V::splat(first as f32));
                let gradients = [&pair.gradient_x.data[at..], &pair.gradient_y.data[at..]];
                for (sums, gradient) in row_jg.iter_mut().zip(gradients) {
                    let mut power = g.mul(V::load(gradient));
                    sums[0] = sums[0].add(power);
                    for sum in &mut sums[1..=ORDER] {
                        power = power.mul(dx);
                        *sum = sum.add(power);
                    }
                }
                done += n;
            }
            let mut dy_power = 1.0_f32;
            for m in 0..=ORDER {
                let weight = V::splat(dy_power);
                for (sums, row_sums) in block_jg.iter_mut().zip(&row_jg) {
                    for k in 0..=ORDER - m {
                        sums[k][m] = row_sums[k].mul_add(weight, sums[k][m]);
                    }
                }
                dy_power *= row.dy as f32;
            }
        }
        out.sum_g += block_g.sum();
        out.sum_gg += block_gg.sum();
        out.sum_fg += block_fg.sum();
        for (sums, block_sums) in total.iter_mut().zip(&block_jg) {
            for m in 0..=ORDER {
                for k in 0..=ORDER - m {
                    sums[k][m] += block_sums[k][m].sum();
                }
            }
        }
    }
    for (index, &(k, m, factor)) in MONOMIALS.iter().enumerate() {
        if k + m <= ORDER {
            out.sum_jg[index] = factor * total[0][k][m];
            out.sum_jg[index + 6] = factor * total[1][k][m];
        }
    }
    Some(out)
}

/// Where the first pixel of a row of the subset lies in the planes of the reference.
#[inline(always)]
fn row_start(pair: &Pair<'_>, row: &SubsetRow) -> usize {
    let (x, y) = pair.centre;
    let column = (x as i32 + row.first) as usize;
    let line = (y as i32 + row.dy) as usize;
    pair.reference.index(column, line)
}

/// Positions of consecutive pixels relative to taps that advance by one column a pixel.
struct Piece {
    x: f32,
    y: f32,
    slope_x: f32,
    slope_y: f32,
    bend_x: f32,
    bend_y: f32,
}

impl Piece {
    /// The fractions in every lane.
    #[inline(always)]
    fn fractions<V: Vector, const ORDER: usize>(&self) -> (V, V) {
        let lane = V::ramp();
        let along = |start: f32, slope: f32, bend: f32| {
            let mut slope = V::splat(slope);
            if ORDER == 2 {
                slope = lane.mul_add(V::splat(bend), slope);
            }
            lane.mul_add(slope, V::splat(start))
        };
        (
            along(self.x, self.slope_x, self.bend_x),
            along(self.y, self.slope_y, self.bend_y),
        )
    }

    /// How many of the first `n` lanes, at least one, stay within the piece of the first.
    #[inline(always)]
    fn lanes_inside<const ORDER: usize>(&self, n: usize) -> usize {
        let piece = -PIECE_TOLERANCE..=1.0 + PIECE_TOLERANCE;
        let inside = |lane: f32| {
            let tx = self.x + lane * (self.slope_x + lane * self.bend_x);
            let ty = self.y + lane * (self.slope_y + lane * self.bend_y);
            piece.contains(&tx) && piece.contains(&ty)
        };
        let last = (n - 1) as f32;
        // A line that begins and ends inside is inside; a parabola if its vertex is too.
        let vertex_is_inside = |slope: f32, bend: f32| {
            let turns = slope * bend < 0.0 && slope.abs() < 2.0 * bend.abs() * last;
            !turns || inside(-0.5 * slope / bend)
        };
        let bends_inside = ORDER < 2
            || (vertex_is_inside(self.slope_x, self.bend_x)
                && vertex_is_inside(self.slope_y, self.bend_y));
        if bends_inside && inside(last) {
            return n;
        }
        (1..n).find(|&lane| !inside(lane as f32)).unwrap_or(n)
    }
}

/// The weights of `TAPS` coefficients at fraction `t` past the one before the middle.
#[inline(always)]
fn weights<V: Vector, const TAPS: usize>(t: V) -> [V; TAPS] {
    let constant = V::splat;
    let one = constant(1.0);
    let s = one.sub(t);
    let mut out = [V::zero(); TAPS];
    if TAPS == 4 {
        let sixth = constant(1.0 / 6.0);
        let (tt, ss) = (t.mul(t), s.mul(s));
        out[0] = ss.mul(s.mul(sixth));
        out[3] = tt.mul(t.mul(sixth));
        let bend = t.mul_add(constant(0.5), constant(-1.0));
        out[1] = tt.mul_add(bend, constant(2.0 / 3.0));
        out[2] = one.sub(out[0]).sub(out[1]).sub(out[3]);
    } else {
        // Coefficients of 1, t, …, t⁵, times 120.
        let polynomials: [[f32; 6]; 4] = [
            [26.0, -50.0, 20.0, 20.0, -20.0, 5.0],
            [66.0, 0.0, -60.0, 0.0, 30.0, -10.0],
            [26.0, 50.0, 20.0, -20.0, -20.0, 10.0],
            [1.0, 5.0, 10.0, 10.0, 5.0, -5.0],
        ];
        let scale = 1.0 / 120.0;
        let fifth = |a: V| a.mul(a).mul(a.mul(a)).mul(a.mul(constant(scale)));
        out[0] = fifth(s);
        out[5] = fifth(t);
        for (weight, polynomial) in out[1..].iter_mut().zip(polynomials) {
            let mut value = constant(polynomial[5] * scale);
            for &coefficient in polynomial[..5].iter().rev() {
                value = value.mul_add(t, constant(coefficient * scale));
            }
            *weight = value;
        }
    }
    out
}
