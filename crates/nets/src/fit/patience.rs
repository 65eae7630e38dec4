//! When a training that gets no better ends early.

use std::sync::{Arc, Mutex, PoisonError};

use burn::train::EarlyStoppingStrategy;
use burn::train::metric::store::EventStoreClient;

use super::NamedLosses;

/// The losses of every iteration.
pub(super) type AllLosses<L> = Arc<Mutex<Vec<L>>>;

/// Stops where so many iterations brought no lower mean loss.
///
/// It looks at the losses of all iterations and remembers nothing else. So a training that was stopped and resumed ends
/// where one does that was left alone.
#[derive(Clone)]
pub(super) struct Patience<L> {
    /// None for any number.
    pub(super) iterations: Option<u64>,
    pub(super) losses: AllLosses<L>,
}

impl<L: NamedLosses> EarlyStoppingStrategy for Patience<L> {
    fn should_stop(&mut self, _: usize, _: &EventStoreClient) -> bool {
        let Some(iterations) = self.iterations else {
            return false;
        };
        let losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |losses: &L| losses.values().iter().sum::<f64>();
        is_over(&losses.iter().map(sum).collect::<Vec<f64>>(), iterations)
    }
}

/// Whether the mean of the last so many losses is not below the lowest mean of as many before.
fn is_over(losses: &[f64], iterations: u64) -> bool {
    let iterations = usize::try_from(iterations).unwrap_or(usize::MAX).max(1);
    if !losses.len().is_multiple_of(iterations) {
        return false;
    }
    let sums = losses.chunks(iterations).map(|own| own.iter().sum::<f64>());
    let sums: Vec<f64> = sums.collect();
    let Some((last, before)) = sums.split_last() else {
        return false;
    };
    before.iter().any(|sum| last >= sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_after_so_many_iterations_without_a_lower_mean() {
        // Means of two: 5, 3, 4.
        let losses = [6.0, 4.0, 4.0, 2.0, 5.0, 3.0];
        let ends =
            |iterations: u64| (0..=losses.len()).find(|&done| is_over(&losses[..done], iterations));
        assert_eq!(ends(2), Some(6));
        assert_eq!(ends(1), Some(3), "the third is not below the second");
        assert_eq!(ends(3), None, "4.67, 3.33");
        assert_eq!(ends(7), None);
        assert!(is_over(&[1.0, 1.0], 1), "the same is not better");
    }
}
