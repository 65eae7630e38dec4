//! What can be wrong with what a function here is given.

use thiserror::Error;

/// Why nothing could be computed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ClassicalError {
    /// Two things that must be equally many are not.
    #[error("{what}: got {got}, expected {expected}")]
    Length {
        /// What is counted.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A value that is not finite.
    #[error("{what} {at} is {value}")]
    NotFinite {
        /// What kind of value.
        what: &'static str,
        /// Where.
        at: usize,
        /// The value.
        value: f64,
    },
    /// Too little to work on.
    #[error("{what}: got {got}, at least {least} needed")]
    TooFew {
        /// What is counted.
        what: &'static str,
        /// How many are needed.
        least: usize,
        /// How many there are.
        got: usize,
    },
    /// A setting outside its range.
    #[error("{name} cannot be {got}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        got: f64,
    },
    /// A mask of another size than its picture.
    #[error("a mask of {mask_height} × {mask_width} pixels on a picture of {height} × {width}")]
    MaskSize {
        /// Rows of the picture.
        height: usize,
        /// Columns of the picture.
        width: usize,
        /// Rows of the mask.
        mask_height: usize,
        /// Columns of the mask.
        mask_width: usize,
    },
    /// The library that fits support vector machines gave up.
    #[error("the machine of class {class} cannot be fitted: {reason}")]
    Machine {
        /// The class against the rest.
        class: usize,
        /// What the library says.
        reason: String,
    },
}

pub(crate) fn finite(what: &'static str, values: &[f64]) -> Result<(), ClassicalError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(ClassicalError::NotFinite {
            what,
            at,
            value: values[at],
        }),
    }
}
