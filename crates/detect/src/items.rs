//! Items as rows of numbers, and how far they lie apart.

use rayon::prelude::*;

use crate::error::DetectError;

/// Items of equally many values.
///
/// # Shapes
/// - `values`: `[item, length]`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Items<'a> {
    values: &'a [f32],
    length: usize,
}

/// How the differences of two items become one distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Norm {
    /// `Σ |a − b|`.
    L1,
    /// `√ Σ (a − b)²`.
    L2,
}

impl<'a> Items<'a> {
    /// The items that lie one after another in `values`.
    ///
    /// # Errors
    /// [`DetectError::Empty`] for no value, [`DetectError::RaggedItems`] where the last item is
    /// not whole, [`DetectError::NotFinite`] for a value that is no finite number.
    pub fn new(values: &'a [f32], length: usize) -> Result<Self, DetectError> {
        let what = "items";
        let got = values.len();
        if got == 0 {
            return Err(DetectError::Empty { what });
        }
        if length == 0 || !got.is_multiple_of(length) {
            return Err(DetectError::RaggedItems { length, got });
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(DetectError::NotFinite {
                what,
                index,
                value: f64::from(values[index]),
            });
        }
        Ok(Self { values, length })
    }

    /// Number of items, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always an item")]
    pub fn len(&self) -> usize {
        self.values.len() / self.length
    }

    /// Values of one item.
    #[must_use]
    pub fn item_length(&self) -> usize {
        self.length
    }

    /// All items in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        self.values.chunks_exact(self.length)
    }

    /// One number an item, in order, computed on all cores; each item alone, so that the number
    /// of cores changes nothing.
    pub(crate) fn map<T: Send>(&self, score: impl Fn(&[f32]) -> T + Send + Sync) -> Vec<T> {
        self.values
            .par_chunks_exact(self.length)
            .map(score)
            .collect()
    }

    /// What `reduce` makes of the distances of every item to each of `others`, in order.
    pub(crate) fn distances<T: Send>(
        &self,
        others: Items<'_>,
        norm: Norm,
        reduce: impl Fn(Vec<f64>) -> T + Send + Sync,
    ) -> Vec<T> {
        self.tiles(|tile| {
            let mut rows = vec![Vec::with_capacity(others.len()); tile.len()];
            for other in others.iter() {
                for (item, row) in tile.iter().zip(&mut rows) {
                    row.push(norm.distance(item, other));
                }
            }
            rows.into_iter().map(&reduce).collect()
        })
    }

    /// The distance of every item to the nearest of `others`.
    pub(crate) fn nearest(&self, others: Items<'_>, norm: Norm) -> Vec<f64> {
        self.tiles(|tile| {
            let mut sums = vec![f64::INFINITY; tile.len()];
            for other in others.iter() {
                for (item, nearest) in tile.iter().zip(&mut sums) {
                    *nearest = norm.sum_below(item, other, *nearest).unwrap_or(*nearest);
                }
            }
            sums.into_iter().map(|sum| norm.finish(sum)).collect()
        })
    }

    /// As [`map`](Self::map), some neighbouring items at a time: while they stay in the cache, an
    /// item that is compared with all of them is fetched once.
    fn tiles<T: Send>(&self, score: impl Fn(Vec<&[f32]>) -> Vec<T> + Send + Sync) -> Vec<T> {
        self.values
            .par_chunks(TILE * self.length)
            .flat_map_iter(|tile| score(tile.chunks_exact(self.length).collect()))
            .collect()
    }

    /// Checks that items of `other` are as long as these.
    pub(crate) fn check_same_length(&self, other: &Items<'_>) -> Result<(), DetectError> {
        if self.length == other.length {
            return Ok(());
        }
        Err(DetectError::ItemLength {
            expected: self.length,
            got: other.length,
        })
    }
}

impl Norm {
    /// The distance of `a` and `b`.
    pub(crate) fn distance(self, a: &[f32], b: &[f32]) -> f64 {
        self.finish(self.sum_below(a, b, f64::INFINITY).unwrap_or(f64::INFINITY))
    }

    /// The distance that belongs to a sum of differences.
    fn finish(self, sum: f64) -> f64 {
        match self {
            Self::L1 => sum,
            Self::L2 => sum.sqrt(),
        }
    }

    /// The sum of the differences of `a` and `b`, or `None` as soon as it is no longer below
    /// `bound`: most items are seen not to be the nearest long before their end.
    fn sum_below(self, a: &[f32], b: &[f32], bound: f64) -> Option<f64> {
        let mut sum = 0.0;
        for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
            sum += match self {
                Self::L1 => block_sum(a, b, f32::abs),
                Self::L2 => block_sum(a, b, |difference| difference * difference),
            };
            if sum >= bound {
                return None;
            }
        }
        Some(sum)
    }
}

/// Items of a tile: 256 KiB of pictures of 64 × 64 px, a quarter of a usual second-level cache.
const TILE: usize = 16;
/// Values that are summed in `f32` before the sum goes on in `f64`: few enough that the rounding
/// stays near that of one `f32`.
const BLOCK: usize = 256;
/// Independent sums, for vector registers.
const LANES: usize = 16;

fn block_sum(a: &[f32], b: &[f32], term: impl Fn(f32) -> f32) -> f64 {
    let mut lanes = [0.0_f32; LANES];
    let (a_whole, a_rest) = a.as_chunks::<LANES>();
    let (b_whole, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_whole.iter().zip(b_whole) {
        for lane in 0..LANES {
            lanes[lane] += term(a[lane] - b[lane]);
        }
    }
    let rest = a_rest.iter().zip(b_rest);
    let rest: f64 = rest.map(|(a, b)| f64::from(term(a - b))).sum();
    rest + lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;

    #[test]
    fn distances_of_long_items() {
        let mut stream = Seed(0).stream("items");
        let mut row = || -> Vec<f32> { (0..1003).map(|_| stream.normal() as f32).collect() };
        let (a, b) = (row(), row());
        let differences = || a.iter().zip(&b).map(|(a, b)| f64::from(*a) - f64::from(*b));
        let l1: f64 = differences().map(f64::abs).sum();
        let l2 = differences().map(|d| d * d).sum::<f64>().sqrt();
        assert!((Norm::L1.distance(&a, &b) / l1 - 1.0).abs() < 1e-6);
        assert!((Norm::L2.distance(&a, &b) / l2 - 1.0).abs() < 1e-6);
        assert_eq!(Norm::L2.distance(&a, &a), 0.0);
    }

    #[test]
    fn bad_items() {
        let message = |values: &[f32], length| {
            let error = Items::new(values, length).expect_err("bad items");
            error.to_string()
        };
        assert_eq!(message(&[], 2), "items is empty");
        assert_eq!(
            message(&[1.0; 5], 2),
            "5 values are no whole number of items of 2 values"
        );
        assert_eq!(
            message(&[1.0, f32::NAN], 2),
            "items holds NaN at index 1, not a finite number"
        );
        assert!(Items::new(&[1.0], 0).is_err());
    }
}
