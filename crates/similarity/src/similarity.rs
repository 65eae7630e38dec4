//! How alike two pictures are, and the weight of a source picture for a target domain.
//!
//! Everything stays in logarithms until the largest weight is known, so that a domain far from the
//! target still gets weights: with counts as features every similarity is zero in `f64`.
//!
//! # Source
//! Liu et al., "Electrical Equipment Detection in Infrared Images Based on Transfer Learning of
//! Mask-RCNN", Eq. (2). The publication has neither a bandwidth nor a word on how one source
//! picture is compared with many target pictures: [`SimilaritySettings`].

use rayon::prelude::*;

use crate::SimilarityError;

retrial_words::words! {
    /// What becomes of the similarities of one source picture to all target pictures.
    pub enum Reduction {
        /// Their mean.
        Mean = "mean",
        /// The largest.
        Max = "max",
        /// Instead: the similarity to the mean of the targets' features.
        ToMean = "to_mean",
    }
}

/// How features become a weight.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SimilaritySettings {
    /// `h` of `exp(−d² / h²)`, in units of the features.
    pub bandwidth: f64,
    /// From many similarities to one.
    pub reduction: Reduction,
}

impl SimilaritySettings {
    /// The same settings with this bandwidth, in units of the features.
    #[must_use]
    pub fn with_bandwidth(mut self, bandwidth: f64) -> Self {
        self.bandwidth = bandwidth;
        self
    }

    /// The same settings with this way from many similarities to one.
    #[must_use]
    pub fn with_reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }
}

impl Default for SimilaritySettings {
    /// The publication's formula, and the mean over the targets.
    fn default() -> Self {
        Self {
            bandwidth: 1.0,
            reduction: Reduction::Mean,
        }
    }
}

/// The features of the target domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    dimension: usize,
    /// `[picture, feature]`.
    values: Vec<f64>,
    mean: Vec<f64>,
}

impl Targets {
    /// The targets from their features, `[picture, feature]`.
    ///
    /// # Errors
    /// [`SimilarityError::Nothing`] without a value, [`SimilarityError::Length`] when rows are
    /// not full, [`SimilarityError::NotFinite`].
    pub fn new(dimension: usize, values: Vec<f64>) -> Result<Self, SimilarityError> {
        check_rows(dimension, &values)?;
        if values.is_empty() {
            return Err(SimilarityError::Nothing { what: "target" });
        }
        let n = values.len() / dimension;
        let mean = |feature: usize| values[feature..].iter().step_by(dimension).sum::<f64>();
        Ok(Self {
            dimension,
            mean: (0..dimension).map(|f| mean(f) / n as f64).collect(),
            values,
        })
    }

    /// Features of a picture.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }
}

/// `ln exp(−‖a − b‖² / h²)`.
///
/// # Shapes
/// - `a`, `b`: `[feature]`, the same features in the same order
///
/// # Source
/// Liu et al., Eq. (2), with `h = 1`.
#[must_use]
pub fn log_similarity(a: &[f64], b: &[f64], bandwidth: f64) -> f64 {
    let square = |(a, b): (&f64, &f64)| (a - b) * (a - b);
    -a.iter().zip(b).map(square).sum::<f64>() / (bandwidth * bandwidth)
}

/// The logarithm of the weight of each source picture, in their order.
///
/// # Shapes
/// - `sources`: `[picture, feature]`, scaled as the targets are
///
/// # Errors
/// [`SimilarityError::Bandwidth`], [`SimilarityError::Length`], [`SimilarityError::NotFinite`].
pub fn log_similarities(
    sources: &[f64],
    targets: &Targets,
    settings: &SimilaritySettings,
) -> Result<Vec<f64>, SimilarityError> {
    let bandwidth = settings.bandwidth;
    if !(bandwidth > 0.0 && bandwidth.is_finite()) {
        return Err(SimilarityError::Bandwidth { got: bandwidth });
    }
    check_rows(targets.dimension, sources)?;
    let one = |source: &[f64]| {
        let each = || {
            let targets = targets.values.chunks_exact(targets.dimension);
            targets.map(|target| log_similarity(source, target, bandwidth))
        };
        match settings.reduction {
            Reduction::Mean => log_sum(each) - (each().len() as f64).ln(),
            Reduction::Max => each().fold(f64::NEG_INFINITY, f64::max),
            Reduction::ToMean => log_similarity(source, &targets.mean, bandwidth),
        }
    };
    Ok(sources
        .par_chunks_exact(targets.dimension)
        .map(one)
        .collect())
}

/// Weights of source pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    log: Vec<f64>,
    normalised: Vec<f64>,
}

impl Weights {
    /// Weights from their logarithms, of which a common summand does not matter.
    ///
    /// # Errors
    /// [`SimilarityError::Nothing`] without a weight; [`SimilarityError::NotFinite`] for one that
    /// is not a number or infinite, or when all are zero.
    pub fn from_log(log: Vec<f64>) -> Result<Self, SimilarityError> {
        let is_wrong = |value: &f64| value.is_nan() || *value == f64::INFINITY;
        let peak = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let wrong = log.iter().position(is_wrong);
        let wrong = wrong.or((peak == f64::NEG_INFINITY && !log.is_empty()).then_some(0));
        if let Some(at) = wrong {
            return Err(SimilarityError::NotFinite {
                what: "logarithm of weight",
                at,
                value: log[at],
            });
        }
        if log.is_empty() {
            return Err(SimilarityError::Nothing { what: "weight" });
        }
        let mut normalised: Vec<f64> = log.iter().map(|value| (value - peak).exp()).collect();
        let sum: f64 = normalised.iter().sum();
        for weight in &mut normalised {
            *weight /= sum;
        }
        Ok(Self { log, normalised })
    }

    /// The same weight for each of `n`.
    ///
    /// # Errors
    /// [`SimilarityError::Nothing`] for none.
    pub fn uniform(n: usize) -> Result<Self, SimilarityError> {
        Self::from_log(vec![0.0; n])
    }

    /// The logarithms as they were given.
    #[must_use]
    pub fn log(&self) -> &[f64] {
        &self.log
    }

    /// The weights, with sum 1.
    #[must_use]
    pub fn normalised(&self) -> &[f64] {
        &self.normalised
    }

    /// How many equal weights would make a draw as uneven, `(Σ w)² / Σ w²`, in `1..=n`.
    ///
    /// # Source
    /// Kish 1965, Survey Sampling.
    #[must_use]
    pub fn effective_sample_size(&self) -> f64 {
        let squares: f64 = self.normalised.iter().map(|w| w * w).sum();
        1.0 / squares
    }
}

/// The `k` pictures of most weight, the heaviest first, and the `k` of least, the lightest first.
///
/// Equal weights keep the order of the pictures.
#[must_use]
pub fn extremes(weights: &Weights, k: usize) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..weights.log.len()).collect();
    order.sort_by(|&a, &b| weights.log[b].total_cmp(&weights.log[a]));
    let k = k.min(order.len());
    let most = order[..k].to_vec();
    order.sort_by(|&a, &b| weights.log[a].total_cmp(&weights.log[b]));
    order.truncate(k);
    (most, order)
}

fn log_sum<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> f64 {
    let peak = values().fold(f64::NEG_INFINITY, f64::max);
    if peak == f64::NEG_INFINITY {
        return peak;
    }
    peak + values().map(|value| (value - peak).exp()).sum::<f64>().ln()
}

fn check_rows(dimension: usize, values: &[f64]) -> Result<(), SimilarityError> {
    if dimension == 0 {
        return Err(SimilarityError::Nothing { what: "feature" });
    }
    if !values.len().is_multiple_of(dimension) {
        return Err(SimilarityError::Length {
            what: "features in the last row",
            expected: dimension,
            got: values.len() % dimension,
        });
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(SimilarityError::NotFinite {
            what: "feature",
            at,
            value: values[at],
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn weights(sources: &[f64], targets: &[f64], reduction: Reduction) -> Vec<f64> {
        let settings = SimilaritySettings {
            bandwidth: 2.0,
            reduction,
        };
        let targets = Targets::new(1, targets.to_vec()).unwrap();
        log_similarities(sources, &targets, &settings).unwrap()
    }

    #[test]
    fn reductions_by_hand() {
        // Distances 1 and 3 over a bandwidth of 2: e^−0.25 and e^−2.25; to the mean: 2, e^−1.
        let (near, far) = ((-0.25_f64).exp(), (-2.25_f64).exp());
        let mean = weights(&[0.0], &[1.0, 3.0], Reduction::Mean)[0];
        assert!((mean.exp() - (near + far) / 2.0).abs() < 1e-15);
        assert_eq!(weights(&[0.0], &[1.0, 3.0], Reduction::Max), [-0.25]);
        assert_eq!(weights(&[0.0], &[1.0, 3.0], Reduction::ToMean), [-1.0]);
    }

    #[test]
    fn far_domains_keep_their_order() {
        // exp(−10⁸) is zero in f64, and still one source is nearer than the other.
        let log = weights(&[0.0, 0.001], &[2e4, 2e4], Reduction::Mean);
        let weights = Weights::from_log(log).unwrap();
        // ln of the ratio: (2·10⁴·2·10⁻³ − 10⁻⁶) / 4.
        let ratio = weights.normalised()[1] / weights.normalised()[0];
        assert!((ratio.ln() - 9.999_999_75).abs() < 1e-6, "{}", ratio.ln());
        assert!((weights.normalised().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn effective_sample_sizes() {
        let size = |log| Weights::from_log(log).unwrap().effective_sample_size();
        assert!((size(vec![-7.0; 5]) - 5.0).abs() < 1e-12);
        assert!((size(vec![0.0, -1e9, f64::NEG_INFINITY]) - 1.0).abs() < 1e-12);
        // Weights 3 and 1: 16 / 10.
        assert!((size(vec![3.0_f64.ln(), 0.0]) - 1.6).abs() < 1e-12);
    }

    #[test]
    fn heaviest_and_lightest() {
        let weights = Weights::from_log(vec![-1.0, -3.0, 0.0, -1.0, -3.0]).unwrap();
        assert_eq!(extremes(&weights, 2), (vec![2, 0], vec![1, 4]));
        assert_eq!(extremes(&weights, 9).0, [2, 0, 3, 1, 4]);
    }

    #[test]
    fn what_cannot_be_weighed() {
        assert!(Targets::new(2, vec![1.0; 3]).is_err());
        assert!(Targets::new(2, Vec::new()).is_err());
        assert!(Targets::new(0, vec![1.0]).is_err());
        let targets = Targets::new(1, vec![1.0]).unwrap();
        let settings = SimilaritySettings::default();
        assert_eq!(
            log_similarities(&[0.0, f64::INFINITY], &targets, &settings).unwrap_err(),
            SimilarityError::NotFinite {
                what: "feature",
                at: 1,
                value: f64::INFINITY
            }
        );
        let none = SimilaritySettings {
            bandwidth: 0.0,
            ..settings
        };
        assert!(log_similarities(&[0.0], &targets, &none).is_err());
        assert!(Weights::from_log(vec![f64::NEG_INFINITY; 3]).is_err());
        assert!(Weights::from_log(vec![0.0, f64::NAN]).is_err());
        assert!(Weights::uniform(0).is_err());
    }
}
