//! How many seeds a test needs.
//!
//! # Source
//! Owen 1965, doi:10.1093/biomet/52.3-4.437: a test of non-central t given the standard deviation
//! of the values is one of a normal number, and its power is the mean over that deviation. With
//! `s` the seen deviation over the true one, of which `(n − 1) s²` is χ² with n − 1 degrees of
//! freedom, `δ = effect √n / sd` and `t` the quantile of Student's t:
//!
//! - one-sided: `E Φ(δ − t s)`
//! - two-sided: `E Φ(δ − t s) + E Φ(−δ − t s)`
//! - equivalence (Schuirmann 1987, doi:10.1007/BF01068419; Phillips 1990, doi:10.1007/BF01063556):
//!   `E max(0, Φ(m − δ − t s) − Φ(t s − m − δ))` with `m = margin √n / sd`
//!
//! The means are integrated by the Gauss–Legendre rule to about 1e-11.

use statrs::function::gamma::ln_gamma;

use crate::error::{StatisticsError, check_fraction, check_number, check_positive};
use crate::normal::normal_below;
use crate::quadrature::integral;
use crate::summary::t_quantile;

/// What is to be shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// The mean lies above a bound; `effect` is the true mean less the bound. For a mean below a
    /// bound it is the bound less the true mean.
    Beyond,
    /// The mean differs from a value; `effect` is the true difference.
    Different,
    /// The mean lies within `margin` of a value; `effect` is the true difference.
    Equivalent {
        /// Largest difference that is none, above 0.
        margin: f64,
    },
}

/// A test that is planned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlannedTest {
    /// What is to be shown.
    pub aim: Aim,
    /// Where the true mean lies.
    pub effect: f64,
    /// The standard deviation of the values, above 0. One that was seen in few values is itself
    /// uncertain: of four by a factor of two either way.
    pub sd: f64,
    /// How often the test may show what is not so, such as 0.05.
    pub error: f64,
}

/// How often the test of `n` values shows its aim, `0..=1`.
///
/// # Errors
/// [`StatisticsError::OutOfRange`]; [`StatisticsError::TooFew`] for one value.
pub fn power(test: &PlannedTest, n: usize) -> Result<f64, StatisticsError> {
    check(test)?;
    if n < 2 {
        return Err(StatisticsError::TooFew {
            what: "a planned test",
            needed: 2,
            got: n,
        });
    }
    Ok(power_of(test, n))
}

/// The smallest number of values, `2..=at_most`, with which the test shows its aim at least as
/// often as `power`; none where `at_most` is not enough. Power is taken to rise with the number.
///
/// # Errors
/// [`StatisticsError::OutOfRange`]; [`StatisticsError::TooFew`] for `at_most` below two.
pub fn seeds_needed(
    test: &PlannedTest,
    wanted: f64,
    at_most: usize,
) -> Result<Option<usize>, StatisticsError> {
    check_fraction("the wanted power", wanted)?;
    if power(test, at_most)? < wanted {
        return Ok(None);
    }
    let (mut low, mut high) = (2, at_most);
    while low < high {
        let middle = low + (high - low) / 2;
        if power_of(test, middle) < wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(Some(high))
}

fn check(test: &PlannedTest) -> Result<(), StatisticsError> {
    check_number("the effect", test.effect)?;
    check_positive("the standard deviation", test.sd)?;
    check_fraction("the error of a test", test.error)?;
    match test.aim {
        Aim::Equivalent { margin } => check_positive("the margin", margin),
        Aim::Beyond | Aim::Different => Ok(()),
    }
}

fn power_of(test: &PlannedTest, n: usize) -> f64 {
    let freedom = (n - 1) as f64;
    let scale = (n as f64).sqrt() / test.sd;
    let delta = test.effect * scale;
    let t = match test.aim {
        Aim::Different => t_quantile(1.0 - test.error / 2.0, freedom),
        Aim::Beyond | Aim::Equivalent { .. } => t_quantile(1.0 - test.error, freedom),
    };
    match test.aim {
        Aim::Beyond => over_spread(freedom, t, &[delta], |s| normal_below(delta - t * s)),
        Aim::Different => over_spread(freedom, t, &[delta.abs()], |s| {
            normal_below(delta - t * s) + normal_below(-delta - t * s)
        }),
        Aim::Equivalent { margin } => {
            let margin = margin * scale;
            let (below, above) = (margin - delta, margin + delta);
            let largest = margin / t;
            over_spread(freedom, t, &[below, above, largest * t], |s| {
                let inside = normal_below(below - t * s) - normal_below(t * s - above);
                if s < largest { inside.max(0.0) } else { 0.0 }
            })
        }
    }
    .clamp(0.0, 1.0)
}

/// The mean of a function of `s`, the seen standard deviation over the true one.
///
/// The function changes where `t s` comes near one of `places`.
fn over_spread(freedom: f64, t: f64, places: &[f64], function: impl Fn(f64) -> f64) -> f64 {
    // Beyond 9 standard deviations of a normal number nothing is left.
    let low = (1.0 - 7.0 / freedom.sqrt()).max(0.0);
    let high = 1.0 + 9.0 / freedom.sqrt();
    let mut ends = vec![low, high];
    for place in places {
        for off in [-9.0, 0.0, 9.0] {
            ends.push(((place + off) / t).clamp(low, high));
        }
    }
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    let half = freedom / 2.0;
    let constant = std::f64::consts::LN_2 + half * half.ln() - ln_gamma(half);
    let density = |s: f64| (constant + (freedom - 1.0) * s.ln() - half * s * s).exp();
    integral(&ends, |s| density(s) * function(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(aim: Aim, effect: f64) -> PlannedTest {
        PlannedTest {
            aim,
            effect,
            sd: 1.0,
            error: 0.05,
        }
    }

    fn at(test: &PlannedTest, n: usize) -> f64 {
        power(test, n).expect("a sound test")
    }

    #[test]
    fn no_effect_is_shown_as_often_as_the_error_allows() {
        for n in [2, 3, 10, 500] {
            for aim in [Aim::Beyond, Aim::Different] {
                let error = at(&test(aim, 0.0), n);
                assert!((error - 0.05).abs() < 1e-9, "{aim:?} {n}: {error}");
            }
            // On the margin the test of equivalence errs at most so often.
            let aim = Aim::Equivalent { margin: 2.0 };
            assert!(at(&test(aim, 2.0), n) <= 0.05 + 1e-9, "{n}");
        }
    }

    #[test]
    fn power_rises_with_seeds_and_effect_and_falls_with_spread() {
        for aim in [Aim::Beyond, Aim::Different, Aim::Equivalent { margin: 2.5 }] {
            let mut last = 0.0;
            for n in [2, 3, 4, 6, 10, 30, 100] {
                let of = at(&test(aim, 0.8), n);
                assert!(of >= last - 1e-11 && of <= 1.0, "{aim:?} {n}: {of}");
                last = of;
            }
            assert!(last > 0.9999);
            let wide = PlannedTest {
                sd: 2.0,
                ..test(aim, 0.8)
            };
            assert!(at(&wide, 10) < at(&test(aim, 0.8), 10));
        }
        assert!(at(&test(Aim::Beyond, 0.5), 9) < at(&test(Aim::Beyond, 0.6), 9));
        assert_eq!(
            at(&test(Aim::Different, 0.5), 9),
            at(&test(Aim::Different, -0.5), 9)
        );
    }

    #[test]
    fn the_seeds_needed_are_the_fewest() {
        for aim in [Aim::Beyond, Aim::Different, Aim::Equivalent { margin: 1.4 }] {
            let test = test(aim, 0.7);
            let needed = seeds_needed(&test, 0.9, 1000).expect("a sound test");
            let needed = needed.expect("enough seeds");
            assert!(
                at(&test, needed) >= 0.9 && at(&test, needed - 1) < 0.9,
                "{aim:?}"
            );
            assert_eq!(seeds_needed(&test, 0.9, needed - 1), Ok(None));
        }
        assert_eq!(seeds_needed(&test(Aim::Beyond, -1.0), 0.8, 100), Ok(None));
        assert_eq!(seeds_needed(&test(Aim::Beyond, 1e6), 0.8, 100), Ok(Some(2)));
    }

    #[test]
    fn a_test_that_cannot_be() {
        let none = PlannedTest {
            sd: 0.0,
            ..test(Aim::Beyond, 1.0)
        };
        assert_eq!(
            power(&none, 5).expect_err("no spread").to_string(),
            "the standard deviation must be a finite number above 0, got 0"
        );
        assert!(power(&test(Aim::Beyond, 1.0), 1).is_err());
        assert!(power(&test(Aim::Equivalent { margin: -1.0 }, 0.0), 5).is_err());
    }
}
