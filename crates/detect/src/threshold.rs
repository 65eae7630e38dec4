//! Thresholds from held-out normal items, never from the items that are to be judged.
//!
//! Both rules return the smallest `f64` above an order statistic of the held-out scores, so that
//! an item exactly as high as that statistic is *not* flagged.
//!
//! # Source
//! Vovk, Gammerman & Shafer 2005, doi:10.1007/b106715, and Angelopoulos & Bates 2021,
//! arXiv:2107.07511, for the conformal quantile.

use crate::error::DetectError;
use crate::ranking::{check_finite, check_fraction};

/// Guards `floor` against a product such as `0.29 * 100 = 28.999…`.
const ROUNDING: f64 = 1e-9;

/// The lowest threshold that flags at most the share `rate` of the held-out normal items
/// themselves: with `x` sorted upwards, just above `x[n − 1 − floor(rate · n)]`.
///
/// On new normal items the expected share is larger than `rate`, by about `1 / n`; where that
/// matters take [`conformal`].
///
/// # Errors
/// [`DetectError::Empty`], [`DetectError::NotFinite`], [`DetectError::NotAFraction`].
pub fn empirical(normal_scores: &[f64], rate: f64) -> Result<f64, DetectError> {
    let sorted = sorted(normal_scores, rate)?;
    let flagged = (rate * sorted.len() as f64 + ROUNDING).floor() as usize;
    Ok(sorted[sorted.len() - 1 - flagged.min(sorted.len() - 1)].next_up())
}

/// The conformal threshold: just above the `ceil((n + 1)(1 − rate))`-th smallest of the `n`
/// held-out scores, that is their `ceil((n + 1)(1 − rate)) / n`-quantile.
///
/// If a new normal item and the held-out ones are exchangeable, it is flagged with a probability
/// of at most `rate`, whatever the distribution and for every `n`.
///
/// # Errors
/// As [`empirical`]; [`DetectError::TooFew`] below `1 / rate − 1` items, where no finite threshold
/// can keep the promise.
pub fn conformal(normal_scores: &[f64], rate: f64) -> Result<f64, DetectError> {
    let sorted = sorted(normal_scores, rate)?;
    let n = sorted.len();
    // ceil((n + 1)(1 − rate)) = n + 1 − floor((n + 1) rate)
    let above = ((n + 1) as f64 * rate + ROUNDING).floor() as usize;
    if above == 0 {
        return Err(DetectError::TooFew {
            what: "a conformal threshold at this rate",
            needed: (1.0 / rate - ROUNDING).ceil() as usize - 1,
            got: n,
        });
    }
    Ok(sorted[n - above.min(n)].next_up())
}

fn sorted(normal_scores: &[f64], rate: f64) -> Result<Vec<f64>, DetectError> {
    let what = "held-out scores";
    check_fraction("rate of false alarms", rate)?;
    check_finite(what, normal_scores)?;
    if normal_scores.is_empty() {
        return Err(DetectError::Empty { what });
    }
    let mut sorted = normal_scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use retrial_seed::Seed;

    use super::*;

    fn one_to(n: u32) -> Vec<f64> {
        (1..=n).rev().map(f64::from).collect()
    }

    fn flagged(scores: &[f64], threshold: f64) -> usize {
        scores.iter().filter(|&&score| score >= threshold).count()
    }

    #[test]
    fn the_empirical_rule_flags_the_share_of_the_held_out() {
        let scores = one_to(100);
        for (rate, expected) in [(0.01, 1), (0.05, 5), (0.29, 29), (0.999, 99), (0.001, 0)] {
            let threshold = empirical(&scores, rate).expect("a rate");
            assert_eq!(flagged(&scores, threshold), expected, "{rate}");
        }
    }

    #[test]
    fn equal_scores_are_not_flagged() {
        for rule in [empirical, conformal] {
            let threshold = rule(&[7.0; 50], 0.1).expect("a rate");
            assert!(threshold > 7.0 && threshold < 7.000_000_1);
        }
    }

    #[test]
    fn the_conformal_rank() {
        // ceil((n + 1)(1 − rate)) by hand: 95 of 99, 181 of 200, 19 of 19.
        for (n, rate, rank) in [(99, 0.05, 95.0), (200, 0.1, 181.0), (19, 0.05, 19.0)] {
            let threshold = conformal(&one_to(n), rate).expect("enough items");
            assert_eq!(threshold.next_down(), rank, "{n} {rate}");
        }
    }

    #[test]
    fn too_few_for_a_promise() {
        let error = conformal(&one_to(18), 0.05).expect_err("18 of 19");
        assert_eq!(
            error.to_string(),
            "a conformal threshold at this rate needs at least 19, got 18"
        );
        assert!(empirical(&[], 0.1).is_err() && empirical(&[1.0], 0.0).is_err());
        assert!(conformal(&[1.0, f64::NAN], 0.5).is_err());
    }

    /// For continuous scores the expected share of flagged new items is exactly
    /// floor((n + 1) rate) / (n + 1), 2 of 40 here.
    #[test]
    fn the_conformal_promise_is_kept_on_new_items() {
        let mut stream = Seed(11).stream("conformal");
        let (rounds, new_items) = (2_000, 50);
        let mut alarms = 0;
        for _ in 0..rounds {
            let held_out: Vec<f64> = (0..39).map(|_| stream.normal()).collect();
            let threshold = conformal(&held_out, 0.05).expect("enough items");
            let new: Vec<f64> = (0..new_items).map(|_| stream.normal()).collect();
            alarms += flagged(&new, threshold);
        }
        let share = alarms as f64 / f64::from(rounds * new_items);
        // Standard error of the share: about 0.0008 (Beta(2, 38) between the rounds).
        assert!((share - 0.05).abs() < 0.004, "{share}");
    }
}
