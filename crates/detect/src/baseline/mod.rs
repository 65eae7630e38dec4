//! Detectors without a net, fitted on normal items. A detector with a net is worth its training
//! only if it beats them on the same items.

mod eigen;
mod pca;

use crate::error::DetectError;
use crate::items::{Items, Norm};
pub use pca::{Components, principal_components};

/// The ink of every item, `Σ |x − black|`: how much of a picture is not background.
///
/// It is fitted on nothing; a detector that ranks as this one does has learned nothing.
#[must_use]
pub fn ink(items: Items<'_>, black: f32) -> Vec<f64> {
    items.map(|item| {
        let values = item.iter().map(|&value| f64::from((value - black).abs()));
        values.sum()
    })
}

/// The distance of every item to the mean of the normal items.
///
/// # Errors
/// [`DetectError::ItemLength`] when the two sets differ in the length of an item.
pub fn mean_image(
    normal: Items<'_>,
    items: Items<'_>,
    norm: Norm,
) -> Result<Vec<f64>, DetectError> {
    normal.check_same_length(&items)?;
    let mean = mean_item(normal);
    Ok(items.map(|item| norm.distance(item, &mean)))
}

/// The distance of every item to the nearest normal item.
///
/// # Errors
/// As [`mean_image`].
pub fn nearest_neighbour(
    normal: Items<'_>,
    items: Items<'_>,
    norm: Norm,
) -> Result<Vec<f64>, DetectError> {
    normal.check_same_length(&items)?;
    Ok(items.nearest(normal, norm))
}

/// The mean of the normal items.
#[must_use]
pub fn mean_item(normal: Items<'_>) -> Vec<f32> {
    mean(normal).into_iter().map(|v| v as f32).collect()
}

/// The nearest normal item of every item, one after the other.
///
/// # Errors
/// As [`mean_image`].
pub fn nearest_items(
    normal: Items<'_>,
    items: Items<'_>,
    norm: Norm,
) -> Result<Vec<f32>, DetectError> {
    normal.check_same_length(&items)?;
    let nearest = items.distances(normal, norm, |row| {
        let least = row.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
        least.map_or(0, |(at, _)| at)
    });
    let all: Vec<&[f32]> = normal.iter().collect();
    Ok(nearest
        .into_iter()
        .flat_map(|at| all[at].to_vec())
        .collect())
}

/// The mean of all items, value by value.
fn mean(items: Items<'_>) -> Vec<f64> {
    let mut sum = vec![0.0; items.item_length()];
    for item in items.iter() {
        for (sum, &value) in sum.iter_mut().zip(item) {
            *sum += f64::from(value);
        }
    }
    let n = items.len() as f64;
    sum.iter_mut().for_each(|sum| *sum /= n);
    sum
}

/// Items on a formula with literal results of scikit-learn 1.9.1 and NumPy 2.4.6.
#[cfg(test)]
pub(crate) mod examples {
    /// `[[(i*13 + j*j*7 + i*i*j) % 23 for j in range(6)] for i in range(9)]`.
    pub(crate) fn normal() -> Vec<f32> {
        rows(9, |i, j| (i * 13 + j * j * 7 + i * i * j) % 23)
    }

    /// `[[(i*5 + j*11 + i*j*3) % 19 for j in range(6)] for i in range(4)]`.
    pub(crate) fn items() -> Vec<f32> {
        rows(4, |i, j| (i * 5 + j * 11 + i * j * 3) % 19)
    }

    fn rows(n: u16, value: impl Fn(u16, u16) -> u16) -> Vec<f32> {
        let cells = (0..n).flat_map(|i| (0..6).map(move |j| (i, j)));
        cells.map(|(i, j)| f32::from(value(i, j))).collect()
    }

    pub(crate) fn assert_close(got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!((got / expected - 1.0).abs() < 1e-6, "{got} {expected}");
        }
    }
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::examples::assert_close;
    use super::*;

    #[test]
    fn distances_agree_with_numpy_and_scikit_learn() {
        let (normal, items) = (examples::normal(), examples::items());
        let normal = Items::new(&normal, 6).expect("nine items");
        let items = Items::new(&items, 6).expect("four items");
        // abs(Y - X.mean(0)).sum(1) and the root of the squares' sum
        let l1 = mean_image(normal, items, Norm::L1).expect("equal lengths");
        assert_close(
            &l1,
            &[
                36.333_333_333_333_336,
                35.333_333_333_333_336,
                38.444_444_444_444_44,
                41.666_666_666_666_664,
            ],
        );
        let l2 = mean_image(normal, items, Norm::L2).expect("equal lengths");
        assert_close(
            &l2,
            &[
                17.371_396_953_001_952,
                16.264_784_347_680_212,
                18.033_576_365_857_38,
                18.444_779_113_429_63,
            ],
        );
        // NearestNeighbors(n_neighbors=1, metric="l1" and "l2").fit(X).kneighbors(Y)
        let l1 = nearest_neighbour(normal, items, Norm::L1).expect("equal lengths");
        assert_eq!(l1, [26.0, 32.0, 30.0, 21.0]);
        let l2 = nearest_neighbour(normal, items, Norm::L2).expect("equal lengths");
        assert_close(
            &l2,
            &[
                15.297_058_540_778_355,
                15.033_296_378_372_908,
                15.033_296_378_372_908,
                10.049_875_621_120_89,
            ],
        );
    }

    #[test]
    fn images_found_lie_at_the_distances_of_the_detectors() {
        let (normal, items) = (examples::normal(), examples::items());
        let normal = Items::new(&normal, 6).expect("nine items");
        let items = Items::new(&items, 6).expect("four items");
        let components = principal_components(normal, 2).expect("two of six");
        for norm in [Norm::L1, Norm::L2] {
            for (found, expected) in [
                (
                    mean_item(normal).repeat(4),
                    mean_image(normal, items, norm).expect("equal lengths"),
                ),
                (
                    nearest_items(normal, items, norm).expect("equal lengths"),
                    nearest_neighbour(normal, items, norm).expect("equal lengths"),
                ),
                (
                    components.projections(items).expect("equal lengths"),
                    components.residuals(items, norm).expect("equal lengths"),
                ),
            ] {
                let pairs = items.iter().zip(found.chunks(6));
                let apart: Vec<f64> = pairs.map(|(x, y)| norm.distance(x, y)).collect();
                assert_close(&apart, &expected);
            }
        }
        // A nearest item is one of the normal items itself.
        let found = nearest_items(normal, items, Norm::L2).expect("equal lengths");
        assert!(found.chunks(6).all(|y| normal.iter().any(|x| x == y)));
    }

    #[test]
    fn ink_counts_from_black() {
        let values = [-1.0, -1.0, 1.0, -1.0, 0.0, 1.0];
        let items = Items::new(&values, 3).expect("two items");
        assert_eq!(ink(items, -1.0), [2.0, 3.0]);
        assert_eq!(ink(items, 0.0), [3.0, 2.0]);
    }

    #[test]
    fn the_number_of_cores_changes_no_bit() {
        let mut stream = Seed(9).stream("items");
        let values: Vec<f32> = (0..70 * 600).map(|_| stream.normal() as f32).collect();
        let (normal, items) = values.split_at(40 * 600);
        let scores = || {
            let normal = Items::new(normal, 600).expect("forty items");
            let items = Items::new(items, 600).expect("thirty items");
            let components = principal_components(normal, 4).expect("four of 39");
            let residuals = components.residuals(items, Norm::L2);
            (residuals, nearest_neighbour(normal, items, Norm::L1))
        };
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().expect("a pool").install(scores)
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn items_of_other_lengths() {
        let values = [0.0; 6];
        let two = Items::new(&values, 2).expect("three items");
        let three = Items::new(&values, 3).expect("two items");
        let error = nearest_neighbour(two, three, Norm::L1).expect_err("other lengths");
        assert_eq!(
            error.to_string(),
            "items of 2 values cannot be compared with items of 3 values"
        );
        assert!(mean_image(three, two, Norm::L2).is_err());
    }
}
