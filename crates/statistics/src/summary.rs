//! The mean and the spread of the values of some seeds.
//!
//! # Source
//! Student's t interval: Student 1908, doi:10.1093/biomet/6.1.1. Values in the tests are from
//! SciPy 1.14 (`scipy.stats.t.interval`, `scipy.stats.t.ppf`).

use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Mean, spread and interval of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub n: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation with n − 1; NaN for one value.
    pub sd: f64,
    /// Two-sided 95 % interval of the mean (Student's t); NaN for one value.
    pub ci95: (f64, f64),
}

/// Mean, standard deviation and 95 % interval of `values`; `None` when there is none.
#[must_use]
pub fn summarise(values: &[f64]) -> Option<Summary> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let mean = mean(values);
    let sd = standard_deviation(values);
    let half = half_width(n, sd, 0.975);
    Some(Summary {
        n,
        mean,
        sd,
        ci95: (mean - half, mean + half),
    })
}

/// The mean, NaN for no value.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation with n − 1 (two passes), NaN below two values.
#[must_use]
pub fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    if values.iter().all(|value| *value == values[0]) {
        // Their mean may be rounded, and the rounding is no spread.
        return 0.0;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// `t(probability; n − 1) · sd / √n`: half of an interval of the mean, NaN below two values.
#[must_use]
pub fn half_width(n: usize, sd: f64, probability: f64) -> f64 {
    if n < 2 {
        return f64::NAN;
    }
    t_quantile(probability, (n - 1) as f64) * sd / (n as f64).sqrt()
}

/// The value below which Student's t lies with this probability; NaN without a degree of freedom.
pub(crate) fn t_quantile(probability: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |t| t.inverse_cdf(probability))
}

/// The value in the middle, of an even number the upper one; `None` for no value.
#[must_use]
pub fn upper_median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The `q`-quantile, `0..=1`, of sorted values by linear interpolation (type 7, as NumPy's
/// default); NaN for no value.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    let position = q.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_value_of_the_list() {
        assert_eq!(upper_median(vec![3.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(upper_median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(upper_median(Vec::new()), None);
    }

    #[test]
    fn interval_agrees_with_scipy() {
        // scipy.stats.t.interval(0.95, 4, loc=3.0, scale=np.std([1..5], ddof=1)/sqrt(5))
        let summary = summarise(&[1.0, 2.0, 3.0, 4.0, 5.0]).expect("five values");
        assert_eq!((summary.n, summary.mean), (5, 3.0));
        assert!((summary.sd - 1.581_138_830_084_189_8).abs() < 1e-15);
        assert!((summary.ci95.0 - 1.036_756_838_522_439).abs() < 1e-9);
        assert!((summary.ci95.1 - 4.963_243_161_477_561).abs() < 1e-9);
    }

    #[test]
    fn one_value_has_no_spread() {
        let summary = summarise(&[2.5]).expect("one value");
        assert!(summary.mean == 2.5 && summary.sd.is_nan() && summary.ci95.0.is_nan());
        assert_eq!(summarise(&[]), None);
    }

    #[test]
    fn quantiles_agree_with_numpy() {
        // numpy.quantile([1, 2, 4, 8], [0, 0.25, 0.5, 0.9, 1])
        let sorted = [1.0, 2.0, 4.0, 8.0];
        let expected = [(0.0, 1.0), (0.25, 1.75), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)];
        for (q, value) in expected {
            assert!((quantile(&sorted, q) - value).abs() < 1e-12, "{q}");
        }
    }

    #[test]
    fn equal_values_have_no_spread() {
        assert_eq!(standard_deviation(&[0.1; 3]), 0.0);
        assert!(standard_deviation(&[0.1, f64::NAN]).is_nan());
    }
}
