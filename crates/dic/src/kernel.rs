//! The inner loops of matching, by the order of the shape function and the degree of the spline.

use crate::column_sums::ColumnSums;
use crate::lanes::Vector;
use crate::moments::moments_of;
use crate::pair::{Moments, Offsets, Pair, Products};
use crate::products::{products_at_pixels, products_of};
use crate::settings::{ShapeOrder, SplineDegree};
use crate::shape::{PARAMETERS, Parameters, displacement};

/// The moments of the reference subset, from the sums of its columns if those are kept and it is a
/// square.
#[inline(always)]
pub(crate) fn moments<V: Vector>(
    pair: &Pair<'_>,
    order: ShapeOrder,
    column_sums: Option<&mut ColumnSums>,
) -> Moments {
    match order {
        ShapeOrder::Zero => moments_by::<V, 0, 1, 1>(pair, column_sums),
        ShapeOrder::One => moments_by::<V, 1, 2, 3>(pair, column_sums),
        ShapeOrder::Two => moments_by::<V, 2, 3, 5>(pair, column_sums),
    }
}

#[inline(always)]
fn moments_by<V: Vector, const ORDER: usize, const POWERS: usize, const SQUARES: usize>(
    pair: &Pair<'_>,
    column_sums: Option<&mut ColumnSums>,
) -> Moments {
    if let Some(column_sums) = column_sums
        && let Some(found) = column_sums.moments::<V, ORDER, POWERS, SQUARES>(pair)
    {
        return found;
    }
    moments_of::<V, ORDER, POWERS, SQUARES>(pair)
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
    if let Some(shift) = whole_pixels(p) {
        return match order {
            Zero => products_at_pixels::<V, 0>(pair, offsets, shift),
            One => products_at_pixels::<V, 1>(pair, offsets, shift),
            Two => products_at_pixels::<V, 2>(pair, offsets, shift),
        };
    }
    match (pair.deformed.degree, order) {
        (Three, Zero) => products_of::<V, 4, 0>(pair, offsets, p),
        (Three, One) => products_of::<V, 4, 1>(pair, offsets, p),
        (Three, Two) => products_of::<V, 4, 2>(pair, offsets, p),
        (Five, Zero) => products_of::<V, 6, 0>(pair, offsets, p),
        (Five, One) => products_of::<V, 6, 1>(pair, offsets, p),
        (Five, Two) => products_of::<V, 6, 2>(pair, offsets, p),
    }
}

/// The displacement, if the parameters say nothing but a displacement by whole pixels: there the
/// spline is the picture itself.
fn whole_pixels(p: &Parameters) -> Option<(i32, i32)> {
    let is_rigid = (0..PARAMETERS).all(|i| i % 6 == 0 || p[i] == 0.0);
    let whole = |shift: f64| shift == shift.round() && shift.abs() < 1e6;
    let [u, v] = displacement(p);
    (is_rigid && whole(u) && whole(v)).then_some((u as i32, v as i32))
}
