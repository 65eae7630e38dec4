//! Values of two points that belong together, such as those of one seed.

use crate::error::StatisticsError;
use crate::interval::{Confidence, Interval};
use crate::student::t_interval;

/// The values of the keys that both lists have, in the order of the first.
///
/// # Shapes
/// - `first`, `second`: `[seed]` of key and value; no key stands twice in one list
#[must_use]
pub fn pairs<K: PartialEq>(first: &[(K, f64)], second: &[(K, f64)]) -> Vec<(f64, f64)> {
    first
        .iter()
        .filter_map(|(key, value)| {
            let (_, other) = second.iter().find(|(other, _)| other == key)?;
            Some((*value, *other))
        })
        .collect()
}

/// Differences, the first of each pair less the second.
#[must_use]
pub fn differences(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(first, second)| first - second).collect()
}

/// Student's interval of the mean difference of pairs. What both values of a pair share, such as
/// an easy seed, is not in it.
///
/// # Shapes
/// - `pairs`: `[seed]`, two or more
///
/// # Errors
/// [`StatisticsError::TooFew`], [`StatisticsError::NotFinite`].
pub fn difference_interval(
    pairs: &[(f64, f64)],
    confidence: Confidence,
) -> Result<Interval, StatisticsError> {
    t_interval(&differences(pairs), confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_made_by_key() {
        let first = [(3, 1.0), (1, 2.0), (7, 5.0)];
        let second = [(1, 0.5), (2, 9.0), (3, 0.25)];
        let found = pairs(&first, &second);
        assert_eq!(found, [(1.0, 0.25), (2.0, 0.5)]);
        assert_eq!(differences(&found), [0.75, 1.5]);
    }

    #[test]
    fn what_pairs_share_is_not_in_the_interval() {
        let pairs = [(1.5, 1.0), (12.6, 12.0), (103.4, 103.0)];
        let confidence = Confidence::two_sided(0.95).expect("a level");
        let interval = difference_interval(&pairs, confidence).expect("three pairs");
        assert!(interval.lies_within(0.2, 0.8), "{interval:?}");
    }
}
