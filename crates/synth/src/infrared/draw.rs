//! Draws from ranges.

use retrial_seed::Stream;

/// A uniform number in `least..most`.
pub(super) fn between(stream: &mut Stream, (least, most): (f64, f64)) -> f64 {
    least + (most - least) * stream.uniform()
}

/// A uniform whole number in `least..=most`.
pub(super) fn whole(stream: &mut Stream, (least, most): (usize, usize)) -> usize {
    least + stream.below((most - least) as u64 + 1) as usize
}

/// Whether an event of this probability happens.
pub(super) fn happens(stream: &mut Stream, probability: f64) -> bool {
    stream.uniform() < probability
}
