//! The quality of what a generator draws, judged without a net: does it look like the training
//! items, does it cover them, is it more than copies of one picture?
//!
//! Distances are L2 on the values themselves. That is a coarse measure of likeness, so compare
//! generators on the same training items only.
//!
//! # Source
//! Precision and recall: Kynkäänniemi et al. 2019, arXiv:1904.06991. Density and coverage: Naeem et
//! al. 2020, arXiv:2002.09797, section 4. With training items `x_i`, `i ≤ N`, drawn items `y_j`,
//! `j ≤ M`, and the ball `B(x)` that reaches from `x` to the k-th nearest *other* item of its set:
//!
//! ```text
//! precision = 1/M   Σ_j [y_j lies in some B(x_i)]        density  = 1/(k M) Σ_j Σ_i [y_j in B(x_i)]
//! recall    = 1/N   Σ_i [x_i lies in some B(y_j)]        coverage = 1/N     Σ_i [B(x_i) holds some y_j]
//! ```
//!
//! A ball holds its own rim (`distance ≤ radius`), as in the first paper.

use crate::error::DetectError;
use crate::items::{Items, Norm};

/// How the drawn items lie among the training items; `B` is the ball of the module's formulas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Share of the drawn items that lie in some `B(training item)`.
    pub precision: f64,
    /// Share of the training items that lie in some `B(drawn item)`.
    pub recall: f64,
    /// Mean number of balls `B(training item)` around a drawn item, divided by k; 1 is expected
    /// of draws from the training distribution, more means crowded draws.
    pub density: f64,
    /// Share of the training items whose `B(training item)` holds a drawn item.
    pub coverage: f64,
    /// Mean distance of a drawn item to the nearest training item; near zero it was copied.
    pub drawn_to_training: f64,
    /// Mean distance of a training item to the nearest drawn item; large where kinds are missing.
    pub training_to_drawn: f64,
    /// Mean distance of a training item to the nearest other one: the scale for the two above.
    pub training_to_training: f64,
    /// Mean distance of two drawn items.
    pub drawn_spread: f64,
    /// Mean distance of two training items.
    pub training_spread: f64,
}

impl Quality {
    /// Spread of the drawn items over that of the training items: about 1 for a good generator,
    /// near 0 for one that collapsed to one picture. NaN where the training items are all equal.
    #[must_use]
    pub fn spread_ratio(&self) -> f64 {
        self.drawn_spread / self.training_spread
    }
}

/// Judges `drawn` against `training` with the `neighbours`-th nearest neighbour: `k`, 3 in the
/// first paper and 5 in the second.
///
/// The time grows with the square of the number of items; a thousand of each are enough.
///
/// # Errors
/// [`DetectError::ItemLength`] when the two sets differ in the length of an item,
/// [`DetectError::OutOfRange`] when one of them has no `neighbours` other items.
pub fn quality(
    training: Items<'_>,
    drawn: Items<'_>,
    neighbours: usize,
) -> Result<Quality, DetectError> {
    training.check_same_length(&drawn)?;
    let most = training.len().min(drawn.len()) - 1;
    if neighbours == 0 || neighbours > most {
        return Err(DetectError::OutOfRange {
            what: "neighbours of an item",
            most,
            got: neighbours,
        });
    }
    let among_training = within(training, neighbours);
    let among_drawn = within(drawn, neighbours);
    let around_training = between(training, drawn, &among_training, &among_drawn);
    let around_drawn = between(drawn, training, &among_drawn, &among_training);
    let count_pairs = |n: usize| (n * (n - 1)) as f64;
    let spread = |own: &[Own]| own.iter().map(|own| own.sum).sum::<f64>() / count_pairs(own.len());
    Ok(Quality {
        precision: share(&around_drawn, |around| around.balls_around > 0),
        recall: share(&around_training, |around| around.balls_around > 0),
        density: average(&around_drawn, |around| around.balls_around as f64) / neighbours as f64,
        coverage: share(&around_training, |around| around.holds_one),
        drawn_to_training: average(&around_drawn, |around| around.nearest),
        training_to_drawn: average(&around_training, |around| around.nearest),
        training_to_training: average(&among_training, |own| own.nearest),
        drawn_spread: spread(&among_drawn),
        training_spread: spread(&among_training),
    })
}

/// What an item sees of the other items of its set.
struct Own {
    nearest: f64,
    /// Distance to the k-th nearest: the radius of its ball.
    radius: f64,
    /// Sum of the distances to all others.
    sum: f64,
}

/// What an item sees of the items of the other set.
struct Around {
    nearest: f64,
    /// Balls of the other set that hold this item.
    balls_around: usize,
    /// Whether its own ball holds an item of the other set.
    holds_one: bool,
}

fn within(items: Items<'_>, neighbours: usize) -> Vec<Own> {
    items.distances(items, Norm::L2, |mut distances| {
        distances.sort_by(f64::total_cmp);
        // The first distance, 0, is that of the item to itself.
        Own {
            nearest: distances[1],
            radius: distances[neighbours],
            sum: distances.iter().sum(),
        }
    })
}

fn between(items: Items<'_>, others: Items<'_>, own: &[Own], of_others: &[Own]) -> Vec<Around> {
    let seen = items.distances(others, Norm::L2, |distances| {
        let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
        let balls = distances.iter().zip(of_others);
        let around = balls.filter(|(distance, ball)| **distance <= ball.radius);
        (nearest, around.count())
    });
    let pairs = seen.into_iter().zip(own);
    pairs
        .map(|((nearest, balls_around), own)| Around {
            nearest,
            balls_around,
            holds_one: nearest <= own.radius,
        })
        .collect()
}

fn share<T>(items: &[T], holds: impl Fn(&T) -> bool) -> f64 {
    items.iter().filter(|item| holds(item)).count() as f64 / items.len() as f64
}

fn average<T>(items: &[T], value: impl Fn(&T) -> f64) -> f64 {
    items.iter().map(value).sum::<f64>() / items.len() as f64
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;
    use crate::baseline::examples;

    fn cloud(seed: u64, n: usize, length: usize, centre: f64) -> Vec<f32> {
        let mut stream = Seed(seed).stream("cloud");
        let values = (0..n * length).map(|_| (centre + stream.normal()) as f32);
        values.collect()
    }

    #[test]
    fn the_definitions_agree_with_scipy_distances() {
        // The formulas on scipy.spatial.distance.cdist and pdist (SciPy 1.17.1), k = 2.
        let (training, drawn) = (examples::normal(), examples::items());
        let training = Items::new(&training, 6).expect("nine items");
        let drawn = Items::new(&drawn, 6).expect("four items");
        let got = quality(training, drawn, 2).expect("two neighbours");
        assert_eq!((got.precision, got.recall), (1.0, 8.0 / 9.0));
        assert_eq!((got.density, got.coverage), (0.75, 5.0 / 9.0));
        let distances = [
            got.drawn_to_training,
            got.training_to_drawn,
            got.drawn_spread,
            got.training_spread,
            got.training_to_training,
        ];
        let expected = [
            13.853_381_729_661_265,
            16.765_500_495_637_387,
            22.955_649_921_728_554,
            21.884_668_331_433_524,
            15.399_774_797_843_772,
        ];
        examples::assert_close(&distances, &expected);
    }

    /// Of equal distributions the expected density is 1, and coverage fails for an item when its k
    /// nearest of both sets are all training items: 2⁻ᵏ for two large sets of the same size.
    #[test]
    fn draws_from_the_same_distribution() {
        let (training, drawn) = (cloud(1, 800, 8, 0.0), cloud(2, 800, 8, 0.0));
        let training = Items::new(&training, 8).expect("800 items");
        let drawn = Items::new(&drawn, 8).expect("800 items");
        let got = quality(training, drawn, 5).expect("five neighbours");
        assert!((got.density - 1.0).abs() < 0.1, "{got:?}");
        assert!((got.coverage - (1.0 - 1.0 / 32.0)).abs() < 0.03, "{got:?}");
        assert!((got.spread_ratio() - 1.0).abs() < 0.05, "{got:?}");
    }

    #[test]
    fn a_collapsed_generator_is_seen() {
        let training = cloud(1, 200, 8, 0.0);
        let mut drawn = Vec::new();
        for copy in 0..50 {
            drawn.extend(training[..8].iter().map(|value| value + 1e-4 * copy as f32));
        }
        let training = Items::new(&training, 8).expect("200 items");
        let drawn = Items::new(&drawn, 8).expect("50 items");
        let got = quality(training, drawn, 5).expect("five neighbours");
        assert!(got.spread_ratio() < 0.01 && got.coverage < 0.1, "{got:?}");
        assert!(got.precision == 1.0 && got.recall < 0.05, "{got:?}");
        assert!(got.drawn_to_training < 0.05 * got.training_to_training);
    }

    #[test]
    fn draws_elsewhere_and_bad_arguments() {
        let (training, drawn) = (cloud(1, 60, 4, 0.0), cloud(2, 40, 4, 50.0));
        let training = Items::new(&training, 4).expect("60 items");
        let drawn = Items::new(&drawn, 4).expect("40 items");
        let got = quality(training, drawn, 3).expect("three neighbours");
        let shares = [got.precision, got.recall, got.density, got.coverage];
        assert_eq!(shares, [0.0; 4]);
        let error = quality(training, drawn, 40).expect_err("40 of 39");
        assert_eq!(
            error.to_string(),
            "neighbours of an item must be 1 to 39, got 40"
        );
    }
}
