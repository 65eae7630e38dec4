//! The first parameters of points.

use crate::error::DicError;
use crate::field::Field;
use crate::settings::{InitialGuess, Settings};
use crate::shape::{PARAMETERS, Parameters};
use crate::status::Status;

/// The first parameters of every point, but for those that start
/// [from coarse to fine](InitialGuess::CoarseToFine).
#[derive(Clone, Copy, Debug)]
pub enum Guess<'a> {
    /// By phase correlation, as [`Settings::initial_guess`] says.
    Phase,
    /// No displacement.
    Zero,
    /// The result of an earlier image with the same reference.
    Field(&'a Field),
}

/// The first parameters that are known; phase correlation finds those of the other points.
#[derive(Clone, Copy)]
pub(crate) enum Starts<'a> {
    Unknown,
    Zero,
    Given(&'a [Option<Parameters>]),
    Field {
        field: &'a Field,
        /// Whether points that did not converge start from there too.
        is_failed_kept: bool,
    },
}

impl<'a> Starts<'a> {
    /// Those of a guess for so many points; refuses a field of another length.
    pub(crate) fn of(
        guess: Guess<'a>,
        settings: &Settings,
        points: usize,
    ) -> Result<Self, DicError> {
        match guess {
            Guess::Zero => Ok(Self::Zero),
            Guess::Phase => Ok(Self::Unknown),
            Guess::Field(field) if field.points.len() == points => Ok(Self::Field {
                field,
                is_failed_kept: settings.initial_guess == InitialGuess::PerSubset,
            }),
            Guess::Field(field) => Err(DicError::GuessSize {
                expected: points,
                got: field.points.len(),
            }),
        }
    }

    pub(crate) fn get(&self, i: usize) -> Option<Parameters> {
        match self {
            Self::Unknown => None,
            Self::Zero => Some([0.0; PARAMETERS]),
            Self::Given(starts) => starts[i],
            Self::Field {
                field,
                is_failed_kept,
            } => {
                let point = &field.points[i];
                (*is_failed_kept || point.status == Status::Converged).then_some(point.p)
            }
        }
    }
}
