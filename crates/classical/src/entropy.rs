//! The threshold of a histogram that leaves the most entropy on its sides.
//!
//! # Source
//! Kapur, Sahoo & Wong 1985, doi:10.1016/0734-189X(85)90125-2.

use crate::ClassicalError;

/// How often values fall into `bins` equal steps from the least to the greatest.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    low: f64,
    step: f64,
    counts: Vec<u64>,
}

impl Histogram {
    /// The histogram of some values; `None` when they do not differ.
    ///
    /// # Errors
    /// [`ClassicalError::TooFew`] without a value, [`ClassicalError::Setting`] for fewer than two
    /// bins, [`ClassicalError::NotFinite`].
    pub fn new(values: &[f32], bins: usize) -> Result<Option<Self>, ClassicalError> {
        if bins < 2 {
            return Err(ClassicalError::Setting {
                name: "the number of bins",
                got: bins as f64,
            });
        }
        if values.is_empty() {
            return Err(ClassicalError::TooFew {
                what: "values",
                least: 1,
                got: 0,
            });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(ClassicalError::NotFinite {
                what: "value",
                at,
                value: f64::from(values[at]),
            });
        }
        let low = f64::from(values.iter().copied().fold(f32::INFINITY, f32::min));
        let high = f64::from(values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        if low == high {
            return Ok(None);
        }
        let mut histogram = Self {
            low,
            step: (high - low) / bins as f64,
            counts: vec![0; bins],
        };
        for &value in values {
            let bin = histogram.bin(value);
            histogram.counts[bin] += 1;
        }
        Ok(Some(histogram))
    }

    /// The bin of a value; values outside fall into the outer bins.
    #[must_use]
    pub fn bin(&self, value: f32) -> usize {
        let bin = ((f64::from(value) - self.low) / self.step).max(0.0) as usize;
        bin.min(self.counts.len() - 1)
    }

    /// Values in each bin.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
}

/// The last bin of the lower side, the first of equally good ones.
///
/// # Errors
/// [`ClassicalError::TooFew`] when fewer than two bins hold a value.
pub fn one_threshold(counts: &[u64]) -> Result<usize, ClassicalError> {
    let sides = Sides::new(counts)?;
    let n = counts.len();
    let mut best = (0, f64::NEG_INFINITY);
    for t in 0..n - 1 {
        let entropy = sides.entropy(0, t + 1) + sides.entropy(t + 1, n);
        if entropy > best.1 {
            best = (t, entropy);
        }
    }
    Ok(best.0)
}

/// Running sums over a histogram, from which the entropy of any part follows.
struct Sides {
    /// Counts before each bin.
    counts: Vec<f64>,
    /// `Σ c ln c` before each bin.
    logs: Vec<f64>,
}

impl Sides {
    fn new(counts: &[u64]) -> Result<Self, ClassicalError> {
        let got = counts.iter().filter(|&&count| count > 0).count();
        if got < 2 {
            return Err(ClassicalError::TooFew {
                what: "bins with values",
                least: 2,
                got,
            });
        }
        let mut sides = Self {
            counts: vec![0.0],
            logs: vec![0.0],
        };
        let (mut sum, mut logs) = (0.0, 0.0);
        for &count in counts {
            let count = count as f64;
            sum += count;
            logs += if count > 0.0 { count * count.ln() } else { 0.0 };
            sides.counts.push(sum);
            sides.logs.push(logs);
        }
        Ok(sides)
    }

    /// `−Σ (c/n) ln (c/n)` over the bins `from..to`, whose sum is n; −∞ for an empty part, which
    /// is no side.
    fn entropy(&self, from: usize, to: usize) -> f64 {
        let n = self.counts[to] - self.counts[from];
        if n <= 0.0 {
            return f64::NEG_INFINITY;
        }
        n.ln() - (self.logs[to] - self.logs[from]) / n
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// The entropy of a part as the publication writes it.
    fn entropy(part: &[u64]) -> f64 {
        let n = part.iter().sum::<u64>() as f64;
        let shares = part.iter().map(|&count| count as f64 / n);
        let terms = shares.filter(|p| *p > 0.0).map(|p| -p * p.ln());
        terms.sum()
    }

    fn counts() -> Vec<u64> {
        let hump = |x: f64, middle: f64, width: f64| (-((x - middle) / width).powi(2)).exp();
        let count = |bin: u8| {
            let x = f64::from(bin);
            1000.0 * hump(x, 12.0, 6.0) + 300.0 * hump(x, 40.0, 4.0) + 80.0 * hump(x, 55.0, 3.0)
        };
        (0..64).map(|bin| count(bin) as u64).collect()
    }

    #[test]
    fn the_definition_by_trying_all() {
        let counts = counts();
        let t = one_threshold(&counts).unwrap();
        let at = |t: usize| entropy(&counts[..=t]) + entropy(&counts[t + 1..]);
        let occupied = |part: &[u64]| part.iter().any(|&count| count > 0);
        for other in (0..63).filter(|&t| occupied(&counts[t + 1..])) {
            assert!(at(other) <= at(t) + 1e-12, "{other} is better than {t}");
        }
    }

    #[test]
    fn two_values_are_parted() {
        assert_eq!(one_threshold(&[0, 5, 0, 0, 9]).unwrap(), 1);
        assert!(one_threshold(&[0, 7, 0]).is_err());
    }

    #[test]
    fn bins_cover_the_values() {
        let histogram = Histogram::new(&[0.0, 1.0, 2.4, 2.5, 10.0], 4)
            .unwrap()
            .unwrap();
        assert_eq!(histogram.counts(), [3, 1, 0, 1]);
        assert_eq!((histogram.bin(-3.0), histogram.bin(99.0)), (0, 3));
        assert_eq!(Histogram::new(&[2.0; 3], 4), Ok(None));
        assert!(Histogram::new(&[], 4).is_err());
        assert!(Histogram::new(&[1.0, f32::NAN], 4).is_err());
        assert!(Histogram::new(&[1.0], 1).is_err());
    }
}
