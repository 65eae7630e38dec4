//! k-means: points grouped around as many centres.
//!
//! # Source
//! Lloyd 1982, doi:10.1109/TIT.1982.1056489, from the start of Arthur & Vassilvitskii 2007,
//! "k-means++: the advantages of careful seeding".

use rayon::prelude::*;
use retrial_seed::Stream;

use crate::ClassicalError;
use crate::error::finite;

/// When k-means stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KMeansSettings {
    /// Number of centres.
    pub clusters: usize,
    /// Assignments at most; it stops before when none changes.
    pub most_iterations: usize,
}

/// Points grouped around centres.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    /// `[cluster, feature]`; fewer clusters than asked for when there are fewer different points.
    pub centres: Vec<f64>,
    /// The nearest centre of each point, the first of equally near ones.
    pub labels: Vec<usize>,
    /// Sum of squared distances of the points to their centres.
    pub inertia: f64,
}

/// Groups points.
///
/// The result is the same for any number of threads.
///
/// # Shapes
/// - `points`: `[point, feature]`
///
/// # Errors
/// [`ClassicalError::Setting`] for no cluster or no feature, [`ClassicalError::TooFew`] without a
/// point, [`ClassicalError::Length`] when the last point is not full, [`ClassicalError::NotFinite`].
pub fn k_means(
    points: &[f64],
    dimension: usize,
    settings: &KMeansSettings,
    stream: &mut Stream,
) -> Result<Clusters, ClassicalError> {
    let setting = |name, got: usize| ClassicalError::Setting {
        name,
        got: got as f64,
    };
    if settings.clusters == 0 {
        return Err(setting("the number of clusters", 0));
    }
    if dimension == 0 {
        return Err(setting("the number of features", 0));
    }
    if !points.len().is_multiple_of(dimension) {
        return Err(ClassicalError::Length {
            what: "features of the last point",
            expected: dimension,
            got: points.len() % dimension,
        });
    }
    if points.is_empty() {
        return Err(ClassicalError::TooFew {
            what: "points",
            least: 1,
            got: 0,
        });
    }
    finite("feature", points)?;
    let mut centres = seed(points, dimension, settings.clusters, stream);
    let mut nearest = assign(points, dimension, &centres);
    for _ in 1..settings.most_iterations {
        average(points, dimension, &nearest, &mut centres);
        let next = assign(points, dimension, &centres);
        let is_settled = next.iter().zip(&nearest).all(|(a, b)| a.0 == b.0);
        nearest = next;
        if is_settled {
            break;
        }
    }
    Ok(Clusters {
        centres,
        inertia: nearest.iter().map(|(_, square)| square).sum(),
        labels: nearest.into_iter().map(|(label, _)| label).collect(),
    })
}

/// Centres at points, each drawn by its squared distance to the centres before it.
fn seed(points: &[f64], dimension: usize, clusters: usize, stream: &mut Stream) -> Vec<f64> {
    let point = |at: usize| &points[at * dimension..(at + 1) * dimension];
    let n = points.len() / dimension;
    let mut centres = point(stream.below(n as u64) as usize).to_vec();
    let mut squares = vec![f64::INFINITY; n];
    for _ in 1..clusters {
        let newest = &centres[centres.len() - dimension..];
        for (at, square) in squares.iter_mut().enumerate() {
            *square = square.min(distance_squared(point(at), newest));
        }
        let total: f64 = squares.iter().sum();
        if total == 0.0 {
            break;
        }
        let mut left = stream.uniform() * total;
        let passed = squares.iter().position(|square| {
            left -= square;
            left < 0.0
        });
        // Rounding may leave a little over after the last point.
        let last = || squares.iter().rposition(|&square| square > 0.0);
        let chosen = passed.or_else(last).unwrap_or_default();
        centres.extend_from_slice(point(chosen));
    }
    centres
}

fn assign(points: &[f64], dimension: usize, centres: &[f64]) -> Vec<(usize, f64)> {
    let nearest = |point: &[f64]| {
        let mut best = (0, f64::INFINITY);
        for (label, centre) in centres.chunks_exact(dimension).enumerate() {
            let square = distance_squared(point, centre);
            if square < best.1 {
                best = (label, square);
            }
        }
        best
    };
    points.par_chunks_exact(dimension).map(nearest).collect()
}

/// Puts each centre into the middle of its points; one without a point stays.
fn average(points: &[f64], dimension: usize, nearest: &[(usize, f64)], centres: &mut [f64]) {
    let mut sums = vec![0.0; centres.len()];
    let mut counts = vec![0_usize; centres.len() / dimension];
    for (point, &(label, _)) in points.chunks_exact(dimension).zip(nearest) {
        counts[label] += 1;
        let sum = &mut sums[label * dimension..(label + 1) * dimension];
        for (sum, value) in sum.iter_mut().zip(point) {
            *sum += value;
        }
    }
    for (label, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let span = label * dimension..(label + 1) * dimension;
        for (centre, sum) in centres[span.clone()].iter_mut().zip(&sums[span]) {
            *centre = sum / count as f64;
        }
    }
}

fn distance_squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use retrial_seed::Seed;

    use super::*;

    const SETTINGS: KMeansSettings = KMeansSettings {
        clusters: 3,
        most_iterations: 100,
    };

    #[test]
    fn three_clouds_are_found() {
        let middles = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]];
        let mut noise = Seed(1).stream("noise");
        let points: Vec<f64> = (0..300)
            .flat_map(|i| middles[i % 3])
            .map(|value| value + noise.normal())
            .collect();
        let found = k_means(&points, 2, &SETTINGS, &mut Seed(1).stream("k-means")).unwrap();
        for (i, label) in found.labels.iter().enumerate() {
            assert_eq!(*label, found.labels[i % 3]);
            let centre = &found.centres[2 * label..2 * label + 2];
            assert!(
                distance_squared(centre, &middles[i % 3]) < 0.2,
                "{centre:?}"
            );
        }
        // Two degrees of freedom a point, less two a centre.
        assert!(
            (found.inertia / 594.0 - 1.0).abs() < 0.2,
            "{}",
            found.inertia
        );
    }

    #[test]
    fn a_centre_is_the_mean_of_its_points() {
        let points: Vec<f64> = (0..97).map(|i| f64::from(i * i % 101)).collect();
        let found = k_means(&points, 1, &SETTINGS, &mut Seed(2).stream("k-means")).unwrap();
        for label in 0..3 {
            let own = points
                .iter()
                .zip(&found.labels)
                .filter(|(_, l)| **l == label);
            let own: Vec<f64> = own.map(|(point, _)| *point).collect();
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            assert!((mean - found.centres[label]).abs() < 1e-12);
        }
    }

    #[test]
    fn fewer_different_points_than_clusters() {
        let points = [1.0, 5.0, 1.0, 5.0];
        let found = k_means(&points, 1, &SETTINGS, &mut Seed(3).stream("k-means")).unwrap();
        assert_eq!((found.centres.len(), found.inertia), (2, 0.0));
    }

    #[test]
    fn what_cannot_be_grouped() {
        let run = |points: &[f64], dimension, clusters| {
            let settings = KMeansSettings {
                clusters,
                ..SETTINGS
            };
            k_means(points, dimension, &settings, &mut Seed(0).stream("k-means"))
        };
        assert!(run(&[], 1, 2).is_err());
        assert!(run(&[1.0, 2.0, 3.0], 2, 2).is_err());
        assert!(run(&[1.0], 0, 2).is_err());
        assert!(run(&[1.0], 1, 0).is_err());
        assert!(run(&[1.0, f64::NAN], 1, 1).is_err());
    }
}
