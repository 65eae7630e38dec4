//! What became of a point: every result says why it may or may not be trusted.

use serde::{Deserialize, Serialize};

/// The outcome of the correlation of one point in one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// The convergence norm fell below the stop value.
    Converged,
    /// The iteration limit came first; the parameters are the last estimate.
    IterationLimit,
    /// Converged, but the ZNCC is below `min_zncc`, or it is low and too few of the points around
    /// agree with the displacement.
    LowCorrelation,
    /// A pixel of the displaced subset lies outside the picture.
    OutOfImage,
    /// The subset has no contrast in the reference or in the deformed image, or too little of it lies beside a
    /// background without texture.
    FlatSubset,
    /// The Hessian is close to singular: the grey values do not fix all parameters.
    IllConditioned,
    /// Too few pixels of the subset lie inside the picture and the mask.
    Masked,
    /// The parameters became non-finite, or left the search range of the initial guess.
    Diverged,
    /// Converged, but no uncertainty can be stated: noise makes up most of the gradient, or the subset is too
    /// small to tell the noise.
    Uncertain,
}

impl Status {
    /// Every status, in the order of declaration.
    pub const ALL: [Self; 9] = [
        Self::Converged,
        Self::IterationLimit,
        Self::LowCorrelation,
        Self::OutOfImage,
        Self::FlatSubset,
        Self::IllConditioned,
        Self::Masked,
        Self::Diverged,
        Self::Uncertain,
    ];

    /// The stable `snake_case` name for files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::IterationLimit => "iteration_limit",
            Self::LowCorrelation => "low_correlation",
            Self::OutOfImage => "out_of_image",
            Self::FlatSubset => "flat_subset",
            Self::IllConditioned => "ill_conditioned",
            Self::Masked => "masked",
            Self::Diverged => "diverged",
            Self::Uncertain => "uncertain",
        }
    }

    /// The status with that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_read_back() {
        for status in Status::ALL {
            assert_eq!(Status::from_name(status.name()), Some(status));
        }
        assert_eq!(Status::from_name("Converged"), None);
    }
}
