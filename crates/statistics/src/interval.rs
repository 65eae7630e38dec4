//! What every interval here is: two ends, a level, and whether both ends count at once.

use crate::error::{StatisticsError, check_fraction};

/// Whether an interval is read as a whole or an end at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Both ends at once: each end is missed with half of what the level leaves.
    Two,
    /// One end at a time: a lower and an upper bound, each of the level by itself. Both together
    /// are the two-sided interval of level `2 · level − 1`, as two one-sided tests read it.
    One,
}

/// How sure an interval is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence {
    level: f64,
    sides: Sides,
}

impl Confidence {
    /// Both ends at once, at a level strictly between 0 and 1 such as 0.95.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`].
    pub fn two_sided(level: f64) -> Result<Self, StatisticsError> {
        Self::new(level, Sides::Two)
    }

    /// One end at a time, each at a level strictly between 0 and 1 such as 0.95.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`].
    pub fn one_sided(level: f64) -> Result<Self, StatisticsError> {
        Self::new(level, Sides::One)
    }

    /// A level strictly between 0 and 1.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`].
    pub fn new(level: f64, sides: Sides) -> Result<Self, StatisticsError> {
        check_fraction("the level of confidence", level)?;
        Ok(Self { level, sides })
    }

    /// The level.
    #[must_use]
    pub fn level(self) -> f64 {
        self.level
    }

    /// Which ends count at once.
    #[must_use]
    pub fn sides(self) -> Sides {
        self.sides
    }

    /// The probability below the upper end, at which a quantile is taken.
    #[must_use]
    pub fn probability(self) -> f64 {
        match self.sides {
            Sides::Two => (1.0 + self.level) / 2.0,
            Sides::One => self.level,
        }
    }

    /// The probability beyond one end.
    pub(crate) fn tail(self) -> f64 {
        match self.sides {
            Sides::Two => (1.0 - self.level) / 2.0,
            Sides::One => 1.0 - self.level,
        }
    }

    /// The interval with these ends.
    pub(crate) fn between(self, low: f64, high: f64) -> Interval {
        let Self { level, sides } = self;
        Interval {
            level,
            sides,
            low,
            high,
        }
    }
}

/// An interval, as it decides and as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The level, strictly between 0 and 1.
    pub level: f64,
    /// Whether it holds for both ends at once or for each.
    pub sides: Sides,
    /// The lower end; may be −∞.
    pub low: f64,
    /// The upper end; may be ∞.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies in it, its ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Whether all of it lies in `low..=high`.
    #[must_use]
    pub fn lies_within(&self, low: f64, high: f64) -> bool {
        low <= self.low && self.high <= high
    }

    /// Whether none of it lies in `low..=high`.
    #[must_use]
    pub fn lies_outside(&self, low: f64, high: f64) -> bool {
        self.high < low || high < self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_fraction() {
        for level in [0.0, 1.0, 95.0, f64::NAN] {
            assert!(Confidence::two_sided(level).is_err(), "{level}");
        }
        let told = Confidence::one_sided(95.0)
            .expect_err("a percentage")
            .to_string();
        assert_eq!(
            told,
            "the level of confidence must be strictly between 0 and 1, got 95"
        );
    }

    #[test]
    fn two_bounds_of_95_are_an_interval_of_90() {
        let bounds = Confidence::one_sided(0.95).expect("a level");
        let both = Confidence::two_sided(0.9).expect("a level");
        assert_eq!(bounds.probability(), both.probability());
        assert_eq!(bounds.probability(), 0.95);
    }

    #[test]
    fn places_of_an_interval() {
        let of = Confidence::two_sided(0.95)
            .expect("a level")
            .between(1.0, 2.0);
        assert!(of.contains(1.0) && of.contains(2.0) && !of.contains(2.1));
        assert!(of.lies_within(1.0, 2.0) && !of.lies_within(1.1, 3.0));
        assert!(of.lies_outside(2.1, 3.0) && !of.lies_outside(2.0, 3.0));
    }
}
