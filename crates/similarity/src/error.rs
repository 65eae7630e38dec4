//! What can be wrong with what a function here is given.

use thiserror::Error;

/// Why nothing could be computed.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SimilarityError {
    /// A number of levels that one byte does not hold, or that tells nothing apart.
    #[error("2 to 256 levels can be counted, got {got}")]
    Levels {
        /// Levels asked for.
        got: usize,
    },
    /// The number of pixels does not fit the stated size, is zero, or is above 2³⁰.
    #[error("a picture of {height} rows and {width} columns cannot have {got} pixels")]
    Size {
        /// Stated rows.
        height: usize,
        /// Stated columns.
        width: usize,
        /// Pixels given.
        got: usize,
    },
    /// A pixel outside the stated levels.
    #[error("pixel {at} has level {level}, which is not below the {levels} levels")]
    LevelTooHigh {
        /// Where.
        at: usize,
        /// The pixel.
        level: u8,
        /// Stated levels.
        levels: usize,
    },
    /// A range without values inside.
    #[error("values from {low} to {high} cannot be cut into levels")]
    Range {
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
    /// A value that is not a number.
    #[error("value {at} is not a number")]
    NotANumber {
        /// Where.
        at: usize,
    },
    /// No pixel has a neighbour at this offset.
    #[error("no two of {height} × {width} pixels are {down} rows and {right} columns apart")]
    NoPairs {
        /// Rows of the picture.
        height: usize,
        /// Columns of the picture.
        width: usize,
        /// Rows of the offset.
        down: isize,
        /// Columns of the offset.
        right: isize,
    },
    /// An offset that is not a number, or so long that no picture has it.
    #[error("an offset of distance {distance} at angle {angle} has no pixel")]
    Offset {
        /// Pixels.
        distance: f64,
        /// Radians.
        angle: f64,
    },
    /// Nothing to count, average or draw from.
    #[error("no {what} given")]
    Nothing {
        /// What is missing.
        what: &'static str,
    },
    /// Two things that must be equally long are not.
    #[error("{expected} {what} expected, got {got}")]
    Length {
        /// What is counted.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A feature or a weight that is not finite.
    #[error("{what} {at} is {value}")]
    NotFinite {
        /// What kind of value.
        what: &'static str,
        /// Where.
        at: usize,
        /// The value.
        value: f64,
    },
    /// A bandwidth that divides nothing.
    #[error("a bandwidth is above 0, got {got}")]
    Bandwidth {
        /// The bandwidth.
        got: f64,
    },
}
