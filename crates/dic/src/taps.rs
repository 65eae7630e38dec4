//! The spline at consecutive pixels of a row at once: positions, weights and sums of coefficients.
//!
//! # Source
//! Unser, Aldroubi & Eden 1993, doi:10.1109/78.193220: the B-splines of degree 3 and 5.

use crate::lanes::Vector;

/// How far outside `0..=1` a cubic or quintic piece is used before the vector is cut, in px. The
/// pieces agree there to third order: 1e-8 of a grey-level difference.
const PIECE_TOLERANCE: f32 = 1.0 / 512.0;

/// Positions of consecutive pixels relative to taps that advance by one column a pixel.
pub(crate) struct Piece {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) slope_x: f32,
    pub(crate) slope_y: f32,
    pub(crate) bend_x: f32,
    pub(crate) bend_y: f32,
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

    /// How many of the first `n` lanes, at least one, stay within the piece of the first.
    #[inline(always)]
    pub(crate) fn lanes_inside<const ORDER: usize>(&self, n: usize) -> usize {
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

/// The spline at fractions `(tx, ty)` past the coefficient before the middle, plus `shift`.
///
/// `coefficients` begins at the first of `TAPS` coefficients of the first lane.
#[inline(always)]
pub(crate) fn interpolate<V: Vector, const TAPS: usize>(
    coefficients: &[f32],
    stride: usize,
    (tx, ty): (V, V),
    shift: V,
) -> V {
    if TAPS == 4 {
        let weights: [V; TAPS] = cubic(tx);
        let mut rows = [V::zero(); TAPS];
        for (j, row) in rows.iter_mut().enumerate() {
            *row = across(&coefficients[j * stride..], &weights);
        }
        // Down the rows by Horner's rule in ty, every coefficient times six.
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
        let (weights, down) = (quintic::<V, TAPS>(tx), quintic::<V, TAPS>(ty));
        let mut sum = shift;
        for (j, &weight) in down.iter().enumerate() {
            let row = across(&coefficients[j * stride..], &weights);
            sum = weight.mul_add(row, sum);
        }
        sum
    }
}

/// The sum of `TAPS` coefficients a lane along a row.
#[inline(always)]
fn across<V: Vector, const TAPS: usize>(coefficients: &[f32], weights: &[V; TAPS]) -> V {
    let line = &coefficients[..V::LANES + TAPS - 1];
    let mut sum = weights[0].mul(V::load(line));
    for (i, &weight) in weights.iter().enumerate().skip(1) {
        sum = weight.mul_add(V::load(&line[i..]), sum);
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
