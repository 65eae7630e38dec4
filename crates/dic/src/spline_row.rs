//! The spline at consecutive pixels of a row at once: positions, weights and sums of coefficients.
//!
//! # Source
//! Unser, Aldroubi & Eden 1993, doi:10.1109/78.193220: the B-splines of degree 3 and 5.

use crate::lanes::Vector;

/// How far outside `0..=1` a cubic or quintic piece is used before the next one is, in px. The
/// pieces agree there to third order: 1e-8 of a grey-level difference.
const PIECE_TOLERANCE: f32 = 1.0 / 512.0;

/// Positions of consecutive pixels relative to taps that advance by one column a pixel.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) slope_x: f32,
    pub(crate) slope_y: f32,
    pub(crate) bend_x: f32,
    pub(crate) bend_y: f32,
}

/// Lanes that do not all lie on the first one's piece of the spline.
pub(crate) struct Crossing {
    /// How many of the first lanes can be interpolated together, at least one.
    pub(crate) lanes: usize,
    /// Their positions.
    pub(crate) piece: Piece,
    /// Columns and rows by which their taps begin before those of the first lane: `0` or `1`.
    pub(crate) earlier: (usize, usize),
    /// Whether fractions reach from `0` to `2` along x and along y, not to `1` only.
    pub(crate) is_wide: (bool, bool),
}

impl Piece {
    /// The fractions in every lane.
    #[inline(always)]
    pub(crate) fn fractions<V: Vector, const ORDER: usize>(&self) -> (V, V) {
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

    /// The fractions in one lane.
    #[inline(always)]
    fn at<const ORDER: usize>(&self, lane: f32) -> (f32, f32) {
        let (mut slope_x, mut slope_y) = (self.slope_x, self.slope_y);
        if ORDER == 2 {
            slope_x += lane * self.bend_x;
            slope_y += lane * self.bend_y;
        }
        (self.x + lane * slope_x, self.y + lane * slope_y)
    }

    /// How the first `n` lanes cross into the piece after or before that of the first.
    #[inline(always)]
    pub(crate) fn crossing<const ORDER: usize>(self, n: usize) -> Crossing {
        let last = (n - 1) as f32;
        let (end_x, end_y) = self.at::<ORDER>(last);
        let mut piece = self;
        let mut earlier = (0, 0);
        if end_x < -PIECE_TOLERANCE {
            piece.x += 1.0;
            earlier.0 = 1;
        }
        if end_y < -PIECE_TOLERANCE {
            piece.y += 1.0;
            earlier.1 = 1;
        }
        let crosses = |end: f32| !(-PIECE_TOLERANCE..=1.0 + PIECE_TOLERANCE).contains(&end);
        let is_wide = (crosses(end_x), crosses(end_y));
        let reach = |is_wide: bool| if is_wide { 2.0 } else { 1.0 };
        let reach = (reach(is_wide.0), reach(is_wide.1));
        let mut lanes = n;
        if !piece.is_inside::<ORDER>(n, reach) {
            lanes = 1;
            while lanes < n && piece.lane_is_inside::<ORDER>(lanes as f32, reach) {
                lanes += 1;
            }
        }
        Crossing {
            lanes,
            piece,
            earlier,
            is_wide,
        }
    }

    /// Whether the fractions of the first `n` lanes stay within `0..=reach`.
    #[inline(always)]
    pub(crate) fn is_inside<const ORDER: usize>(&self, n: usize, reach: (f32, f32)) -> bool {
        let last = (n - 1) as f32;
        // A line that begins and ends inside is inside; a parabola if its vertex is too.
        let vertex_is_inside = |slope: f32, bend: f32| {
            let turns = slope * bend < 0.0 && slope.abs() < 2.0 * bend.abs() * last;
            !turns || self.lane_is_inside::<ORDER>(-0.5 * slope / bend, reach)
        };
        let bends_inside = ORDER < 2
            || (vertex_is_inside(self.slope_x, self.bend_x)
                && vertex_is_inside(self.slope_y, self.bend_y));
        bends_inside && self.lane_is_inside::<ORDER>(last, reach)
    }

    #[inline(always)]
    fn lane_is_inside<const ORDER: usize>(&self, lane: f32, reach: (f32, f32)) -> bool {
        let ((tx, ty), (reach_x, reach_y)) = (self.at::<ORDER>(lane), reach);
        (-PIECE_TOLERANCE..=reach_x + PIECE_TOLERANCE).contains(&tx)
            && (-PIECE_TOLERANCE..=reach_y + PIECE_TOLERANCE).contains(&ty)
    }
}

/// The spline at fractions `(tx, ty)` past the coefficient before the middle, plus `shift`.
///
/// `coefficients` begin at the first of those of the first lane: `TAPS` a direction, one more
/// where fractions reach beyond `1`: along x with `WIDE_X`, along y with `WIDE_Y`.
#[inline(always)]
pub(crate) fn interpolate<V: Vector, const TAPS: usize, const WIDE_X: bool, const WIDE_Y: bool>(
    coefficients: &[f32],
    stride: usize,
    (tx, ty): (V, V),
    shift: V,
) -> V {
    let fraction_x = within_piece::<V, WIDE_X>(tx);
    let weights: [V; TAPS] = match TAPS {
        4 => cubic(fraction_x),
        _ => quintic(fraction_x),
    };
    let mut rows = [V::zero(); TAPS];
    for (j, row) in rows.iter_mut().enumerate() {
        *row = across::<V, TAPS, WIDE_X>(&coefficients[j * stride..], &weights, tx);
    }
    if WIDE_Y {
        let mut below = across::<V, TAPS, WIDE_X>(&coefficients[TAPS * stride..], &weights, tx);
        for row in rows.iter_mut().rev() {
            let here = *row;
            *row = ty.select_from_one(here, below);
            below = here;
        }
    }
    down(&rows, within_piece::<V, WIDE_Y>(ty), shift)
}

/// A fraction as the piece it lies on counts it, if there are two.
#[inline(always)]
fn within_piece<V: Vector, const IS_WIDE: bool>(t: V) -> V {
    match IS_WIDE {
        true => t.select_from_one(t, t.sub(V::splat(1.0))),
        false => t,
    }
}

/// What rows already weighted along x amount to at fraction `ty`, plus `shift`.
#[inline(always)]
fn down<V: Vector, const TAPS: usize>(rows: &[V; TAPS], ty: V, shift: V) -> V {
    if TAPS == 4 {
        // By Horner's rule in ty, every coefficient times six.
        let constant = V::splat;
        let slope = rows[2].sub(rows[0]);
        let both = rows[0].add(rows[2]);
        let value = rows[1].mul_add(constant(4.0), both);
        let bend = rows[1].mul_add(constant(-2.0), both);
        let third = rows[3]
            .sub(rows[0])
            .mul_add(constant(1.0 / 3.0), rows[1].sub(rows[2]));
        let rest = third.mul_add(ty, bend).mul_add(ty, slope);
        let sum = rest.mul_add(ty.mul(constant(3.0)), value);
        sum.mul_add(constant(1.0 / 36.0), shift)
    } else {
        let weights: [V; TAPS] = quintic(ty);
        let mut sum = shift;
        for (weight, &row) in weights.into_iter().zip(rows) {
            sum = weight.mul_add(row, sum);
        }
        sum
    }
}

/// The sum of `TAPS` coefficients a lane along a row; with `WIDE`, lanes with `t` from one on begin at
/// the second coefficient.
#[inline(always)]
fn across<V: Vector, const TAPS: usize, const WIDE: bool>(
    coefficients: &[f32],
    weights: &[V; TAPS],
    t: V,
) -> V {
    let line = &coefficients[..V::LANES + TAPS - usize::from(!WIDE)];
    let mut first = weights[0];
    if WIDE {
        first = t.select_from_one(first, V::zero());
    }
    let mut sum = first.mul(V::load(line));
    for i in 1..TAPS {
        let mut weight = weights[i];
        if WIDE {
            weight = t.select_from_one(weight, weights[i - 1]);
        }
        sum = weight.mul_add(V::load(&line[i..]), sum);
    }
    if WIDE {
        let last = t.select_from_one(V::zero(), weights[TAPS - 1]);
        sum = last.mul_add(V::load(&line[TAPS..]), sum);
    }
    sum
}

/// Six times the weights of four cubic coefficients.
#[inline(always)]
fn cubic<V: Vector, const TAPS: usize>(t: V) -> [V; TAPS] {
    let constant = V::splat;
    let s = constant(1.0).sub(t);
    let tt = t.mul(t);
    let (first, last) = (s.mul(s).mul(s), tt.mul(t));
    let second = t
        .mul_add(constant(3.0), constant(-6.0))
        .mul_add(tt, constant(4.0));
    let third = constant(6.0).sub(first).sub(second).sub(last);
    let mut out = [last; TAPS];
    (out[0], out[1], out[2]) = (first, second, third);
    out
}

/// The weights of six quintic coefficients.
#[inline(always)]
fn quintic<V: Vector, const TAPS: usize>(t: V) -> [V; TAPS] {
    let constant = V::splat;
    let s = constant(1.0).sub(t);
    // Coefficients of 1, t, …, t⁵, times 120.
    let polynomials: [[f32; 6]; 4] = [
        [26.0, -50.0, 20.0, 20.0, -20.0, 5.0],
        [66.0, 0.0, -60.0, 0.0, 30.0, -10.0],
        [26.0, 50.0, 20.0, -20.0, -20.0, 10.0],
        [1.0, 5.0, 10.0, 10.0, 5.0, -5.0],
    ];
    let scale = 1.0 / 120.0;
    let fifth = |a: V| a.mul(a).mul(a.mul(a)).mul(a.mul(constant(scale)));
    let mut out = [V::zero(); TAPS];
    out[0] = fifth(s);
    out[TAPS - 1] = fifth(t);
    for (weight, polynomial) in out[1..].iter_mut().zip(polynomials) {
        let mut value = constant(polynomial[5] * scale);
        for &coefficient in polynomial[..5].iter().rev() {
            value = value.mul_add(t, constant(coefficient * scale));
        }
        *weight = value;
    }
    out
}
