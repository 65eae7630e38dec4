//! What a pass over very many pictures keeps: a few numbers, whatever their count.
//!
//! The first pass reads pictures, writes their features to a cache and pushes them into
//! [`Moments`]; the second reads the cached rows, scales them by a [`Standardiser`], weighs them
//! and pushes the weights into a [`Scan`].

use crate::SimilarityError;

/// Count, mean and spread of each feature so far.
///
/// # Source
/// Welford 1962, doi:10.1080/00401706.1962.10490022.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    count: u64,
    mean: Vec<f64>,
    /// Sums of squared deviations from the mean.
    squares: Vec<f64>,
}

/// Features less their mean, over their standard deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardiser {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

/// Sums over the weights so far, relative to the largest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scan {
    count: u64,
    peak: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    /// Of no row yet.
    #[must_use]
    pub fn new(dimension: usize) -> Self {
        Self {
            count: 0,
            mean: vec![0.0; dimension],
            squares: vec![0.0; dimension],
        }
    }

    /// Takes in the features of one more picture.
    ///
    /// # Errors
    /// [`SimilarityError::Length`] or [`SimilarityError::NotFinite`]; nothing has changed then.
    pub fn push(&mut self, row: &[f64]) -> Result<(), SimilarityError> {
        check(self.mean.len(), row)?;
        self.count += 1;
        let n = self.count as f64;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(row) {
            let before = value - *mean;
            *mean += before / n;
            *squares += before * (value - *mean);
        }
        Ok(())
    }

    /// Number of rows so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The scaling to mean 0 and standard deviation 1 (with n) over the rows so far.
    ///
    /// A feature without spread is only centred.
    ///
    /// # Errors
    /// [`SimilarityError::Nothing`] before the first row.
    pub fn standardiser(&self) -> Result<Standardiser, SimilarityError> {
        if self.count == 0 {
            return Err(SimilarityError::Nothing { what: "picture" });
        }
        let deviation = |&squares: &f64| match (squares / self.count as f64).sqrt() {
            0.0 => 1.0,
            deviation => deviation,
        };
        Ok(Standardiser {
            mean: self.mean.clone(),
            deviation: self.squares.iter().map(deviation).collect(),
        })
    }
}

impl Standardiser {
    /// Scales rows in place, `[picture, feature]`.
    ///
    /// # Errors
    /// [`SimilarityError::Length`] when rows are not full; nothing has changed then.
    pub fn apply(&self, rows: &mut [f64]) -> Result<(), SimilarityError> {
        let dimension = self.mean.len();
        let left = rows.len().checked_rem(dimension).unwrap_or(rows.len());
        if left != 0 {
            return Err(SimilarityError::Length {
                what: "features in the last row",
                expected: dimension,
                got: left,
            });
        }
        for row in rows.chunks_exact_mut(dimension.max(1)) {
            for ((value, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *value = (*value - mean) / deviation;
            }
        }
        Ok(())
    }

    /// Mean of each feature.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Standard deviation of each feature, 1 for one without spread.
    #[must_use]
    pub fn deviation(&self) -> &[f64] {
        &self.deviation
    }
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            count: 0,
            peak: f64::NEG_INFINITY,
            sum: 0.0,
            squares: 0.0,
        }
    }
}

impl Scan {
    /// Takes in the logarithm of one more weight.
    ///
    /// # Errors
    /// [`SimilarityError::NotFinite`] for what is not a number or +∞; nothing has changed then.
    pub fn push(&mut self, log_weight: f64) -> Result<(), SimilarityError> {
        if log_weight.is_nan() || log_weight == f64::INFINITY {
            return Err(SimilarityError::NotFinite {
                what: "logarithm of weight",
                at: usize::try_from(self.count).unwrap_or(usize::MAX),
                value: log_weight,
            });
        }
        self.count += 1;
        if log_weight > self.peak {
            let shrink = (self.peak - log_weight).exp();
            self.sum *= shrink;
            self.squares *= shrink * shrink;
            self.peak = log_weight;
        }
        if log_weight > f64::NEG_INFINITY {
            let weight = (log_weight - self.peak).exp();
            self.sum += weight;
            self.squares += weight * weight;
        }
        Ok(())
    }

    /// Number of weights so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Kish's effective sample size so far; `None` before the first weight above zero.
    #[must_use]
    pub fn effective_sample_size(&self) -> Option<f64> {
        (self.sum > 0.0).then(|| self.sum * self.sum / self.squares)
    }

    /// Logarithm of the sum of the weights so far; −∞ for none.
    #[must_use]
    pub fn log_total(&self) -> f64 {
        self.peak + self.sum.ln()
    }
}

fn check(expected: usize, row: &[f64]) -> Result<(), SimilarityError> {
    if row.len() != expected {
        return Err(SimilarityError::Length {
            what: "values of a row",
            expected,
            got: row.len(),
        });
    }
    if let Some(at) = row.iter().position(|value| !value.is_finite()) {
        return Err(SimilarityError::NotFinite {
            what: "value of a row",
            at,
            value: row[at],
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::Weights;

    #[test]
    fn moments_are_those_of_two_passes() {
        let row = |i: u32| [f64::from(i).sqrt(), 1e9 + f64::from(i % 7), 3.5];
        let mut whole = Moments::new(3);
        for i in 0..1000 {
            whole.push(&row(i)).unwrap();
        }
        // Two passes in a plain loop.
        let scaled = whole.standardiser().unwrap();
        for feature in 0..3 {
            let values: Vec<f64> = (0..1000).map(|i| row(i)[feature]).collect();
            let mean = values.iter().sum::<f64>() / 1000.0;
            let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
            let deviation = (squares / 1000.0).sqrt();
            let deviation = if feature == 2 { 1.0 } else { deviation };
            assert!((scaled.mean()[feature] / mean - 1.0).abs() < 1e-12);
            assert!((scaled.deviation()[feature] / deviation - 1.0).abs() < 1e-9);
        }
        let mut rows = row(16).to_vec();
        scaled.apply(&mut rows).unwrap();
        assert_eq!(rows[2], 0.0);
        assert!((rows[0] - (4.0 - scaled.mean()[0]) / scaled.deviation()[0]).abs() < 1e-15);
    }

    #[test]
    fn a_scan_knows_what_all_weights_together_give() {
        let log: Vec<f64> = (0..500)
            .map(|i| -f64::from(i * 7919 % 503) * 20.0)
            .collect();
        let mut scan = Scan::default();
        assert_eq!(scan.effective_sample_size(), None);
        scan.push(f64::NEG_INFINITY).unwrap();
        for &weight in &log {
            scan.push(weight).unwrap();
        }
        assert_eq!(scan.count(), 501);
        let weights = Weights::from_log(log).unwrap();
        let want = weights.effective_sample_size();
        let got = scan.effective_sample_size().unwrap();
        assert!((got / want - 1.0).abs() < 1e-12, "{got} {want}");
        let share = (weights.log()[3] - scan.log_total()).exp();
        assert!((share - weights.normalised()[3]).abs() < 1e-15);
    }

    #[test]
    fn rows_that_do_not_fit() {
        let mut moments = Moments::new(2);
        assert!(moments.standardiser().is_err());
        assert!(moments.push(&[1.0]).is_err());
        assert!(moments.push(&[1.0, f64::NAN]).is_err());
        assert_eq!(moments, Moments::new(2));
        moments.push(&[1.0, 2.0]).unwrap();
        let scaled = moments.standardiser().unwrap();
        assert!(scaled.apply(&mut [0.0; 3]).is_err());
        assert!(Scan::default().push(f64::NAN).is_err());
    }
}
