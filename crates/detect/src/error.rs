//! Why a detector could not be judged or a baseline not be fitted.

use thiserror::Error;

/// Why a detector could not be judged or a baseline not be fitted.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum DetectError {
    /// Two lists that describe the same items differ in length.
    #[error("{what} has {got} values for {expected} items")]
    LengthMismatch {
        /// The list.
        what: &'static str,
        /// Items.
        expected: usize,
        /// Its values.
        got: usize,
    },
    /// There is nothing to judge.
    #[error("{what} is empty")]
    Empty {
        /// The list.
        what: &'static str,
    },
    /// A value that is NaN or infinite.
    #[error("{what} holds {value} at index {index}, not a finite number")]
    NotFinite {
        /// The list.
        what: &'static str,
        /// Where in the list.
        index: usize,
        /// What stands there.
        value: f64,
    },
    /// A statistic of two classes was asked of one.
    #[error("both classes are needed, got {anomalous} anomalous and {normal} normal items")]
    OneClass {
        /// Anomalous items.
        anomalous: usize,
        /// Normal items.
        normal: usize,
    },
    /// A probability or rate outside its range.
    #[error("{what} must lie strictly between 0 and 1, got {value}")]
    NotAFraction {
        /// The argument.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// Fewer values than a statistic needs.
    #[error("{what} needs at least {needed}, got {got}")]
    TooFew {
        /// The statistic.
        what: &'static str,
        /// Values needed.
        needed: usize,
        /// Values given.
        got: usize,
    },
    /// More components or neighbours than the items can give.
    #[error("{what} must be 1 to {most}, got {got}")]
    OutOfRange {
        /// The argument.
        what: &'static str,
        /// Largest possible value.
        most: usize,
        /// The value given.
        got: usize,
    },
    /// Values of which there is no whole number of items.
    #[error("{got} values are no whole number of items of {length} values")]
    RaggedItems {
        /// Values of one item.
        length: usize,
        /// Values given.
        got: usize,
    },
    /// Two sets of items that cannot be compared.
    #[error("items of {expected} values cannot be compared with items of {got} values")]
    ItemLength {
        /// Values of an item of the first set.
        expected: usize,
        /// Values of an item of the second set.
        got: usize,
    },
    /// Values that are all equal have no correlation.
    #[error("{what} is constant, so it has no correlation")]
    Constant {
        /// The list.
        what: &'static str,
    },
    /// The principal components were not found to the stated accuracy.
    #[error("principal components are off by {residual:.1e}, {tolerance:.1e} is allowed")]
    NotConverged {
        /// Largest residual of a component, relative to the largest variance.
        residual: f64,
        /// What is allowed.
        tolerance: f64,
    },
}
