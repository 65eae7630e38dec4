//! Several tests that together may err once.
//!
//! # Source
//! Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
//! Statistics 6, 65–70. With the p-values in rising order, the i-th of m is adjusted to the
//! largest `min(1, (m − j + 1) p_j)` of `j ≤ i`. No independence is needed.

use crate::error::{StatisticsError, check_values};

/// Adjusted p-values, in the order of `p`: a test rejects at a level where its one is at most that.
///
/// # Shapes
/// - `p`: `[test]`, each `0..=1`; none gives none
///
/// # Errors
/// [`StatisticsError::NotFinite`], [`StatisticsError::OutOfRange`].
pub fn holm(p: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    check_values("a family of p-values", p, 0)?;
    if let Some(&value) = p.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        return Err(StatisticsError::OutOfRange {
            what: "a p-value",
            range: "0 to 1",
            value,
        });
    }
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0_f64;
    for (place, &test) in order.iter().enumerate() {
        let left = (p.len() - place) as f64;
        largest = largest.max((left * p[test]).min(1.0));
        adjusted[test] = largest;
    }
    Ok(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_test_is_as_it_was() {
        assert_eq!(holm(&[0.03]), Ok(vec![0.03]));
        assert_eq!(holm(&[]), Ok(Vec::new()));
    }

    #[test]
    fn the_order_of_tests_does_not_matter() {
        let p = [0.04, 0.001, 0.5, 0.012, 0.012];
        let adjusted = holm(&p).expect("p-values");
        let mut turned: Vec<f64> = p.to_vec();
        turned.reverse();
        let mut back = holm(&turned).expect("p-values");
        back.reverse();
        assert_eq!(adjusted, back);
        // Never smaller than before, never beyond Bonferroni, and in the same order.
        for (a, (before, after)) in p.iter().zip(&adjusted).enumerate() {
            assert!(before <= after && *after <= (5.0 * before).min(1.0));
            for (b, other) in p.iter().enumerate() {
                assert!(before > other || adjusted[a] <= adjusted[b]);
            }
        }
    }

    #[test]
    fn a_number_that_is_no_probability() {
        assert_eq!(
            holm(&[0.5, 1.5]).expect_err("above one").to_string(),
            "a p-value must be 0 to 1, got 1.5"
        );
        assert!(holm(&[f64::NAN]).is_err());
    }
}
