//! When a result is believed.

/// ZNCC from which a result is believed without the agreement of other points, unless it is
/// clearly below the usual one.
pub(crate) const CLEAR: f64 = 0.8;

/// How far below the usual ZNCC a result is tried again and needs the agreement of a quarter of the
/// points around it.
pub(crate) const DROP: f64 = 0.1;

/// The median; the lower one of two middle values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    let (_, value, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*value)
}
