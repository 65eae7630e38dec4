//! The standard normal distribution.

use statrs::distribution::{ContinuousCDF as _, Normal};
use statrs::function::erf::erfc;

/// The probability below `z`.
pub(crate) fn normal_below(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// The value below which a normal number lies with this probability, strictly between 0 and 1.
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_probabilities_are_inverse() {
        for probability in [1e-6, 0.025, 0.3, 0.5, 0.8, 0.999] {
            let back = normal_below(normal_quantile(probability));
            assert!(
                (back / probability - 1.0).abs() < 1e-10,
                "{probability}: {back}"
            );
        }
    }
}
