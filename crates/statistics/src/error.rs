//! What can be wrong with the values that a statistic is asked of.

/// Why there is no statistic.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StatisticsError {
    /// Two lists that belong together differ in length.
    #[error("{what} has {got} values, {expected} are needed")]
    LengthMismatch {
        /// The list.
        what: &'static str,
        /// Values needed.
        expected: usize,
        /// Its values.
        got: usize,
    },
    /// Fewer values than a statistic needs.
    #[error("{what} needs at least {needed} values, got {got}")]
    TooFew {
        /// The statistic.
        what: &'static str,
        /// Values needed.
        needed: usize,
        /// Values given.
        got: usize,
    },
    /// A value that is NaN or infinite.
    #[error("{what} has {value} at index {index}, not a finite number")]
    NotFinite {
        /// The list.
        what: &'static str,
        /// Where in the list.
        index: usize,
        /// What stands there.
        value: f64,
    },
    /// A number outside its range.
    #[error("{what} must be {range}, got {value}")]
    OutOfRange {
        /// The number.
        what: &'static str,
        /// Its range, in words.
        range: &'static str,
        /// Its value.
        value: f64,
    },
    /// A statistic of two classes was asked of one.
    #[error("both classes are needed, got {positive} positive and {negative} negative items")]
    OneClass {
        /// Positive items.
        positive: usize,
        /// Negative items.
        negative: usize,
    },
    /// Values without spread, of which the statistic says nothing.
    #[error("{what} has no spread, so {lacks} is not defined")]
    NoSpread {
        /// The values.
        what: &'static str,
        /// What cannot be said.
        lacks: &'static str,
    },
    /// Nothing was planned for this number of values.
    #[error("no look is planned at {got} values; looks are planned at {looks:?}")]
    NoLook {
        /// Planned numbers of values.
        looks: Vec<usize>,
        /// The number given.
        got: usize,
    },
}

/// At least `needed` finite values.
pub(crate) fn check_values(
    what: &'static str,
    values: &[f64],
    needed: usize,
) -> Result<(), StatisticsError> {
    let got = values.len();
    if got < needed {
        return Err(StatisticsError::TooFew { what, needed, got });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(StatisticsError::NotFinite {
            what,
            index,
            value: values[index],
        }),
        None => Ok(()),
    }
}

/// A number strictly between 0 and 1.
pub(crate) fn check_fraction(what: &'static str, value: f64) -> Result<(), StatisticsError> {
    let range = "strictly between 0 and 1";
    check(what, range, value, |value| value > 0.0 && value < 1.0)
}

/// A finite number.
pub(crate) fn check_number(what: &'static str, value: f64) -> Result<(), StatisticsError> {
    check(what, "a finite number", value, f64::is_finite)
}

/// A finite number above 0.
pub(crate) fn check_positive(what: &'static str, value: f64) -> Result<(), StatisticsError> {
    let range = "a finite number above 0";
    check(what, range, value, |value| value.is_finite() && value > 0.0)
}

/// Two ends in order, the first below the second.
pub(crate) fn check_ends(low: f64, high: f64) -> Result<(), StatisticsError> {
    check_number("the lower end", low)?;
    let range = "finite and above the lower end";
    check("the upper end", range, high, |high| {
        high.is_finite() && low < high
    })
}

fn check(
    what: &'static str,
    range: &'static str,
    value: f64,
    holds: impl Fn(f64) -> bool,
) -> Result<(), StatisticsError> {
    if holds(value) {
        Ok(())
    } else {
        Err(StatisticsError::OutOfRange { what, range, value })
    }
}
