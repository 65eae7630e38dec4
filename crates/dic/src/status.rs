//! What became of a point: every result says why it may or may not be trusted.

use serde::{Deserialize, Serialize};

retrial_words::words! {
    /// The outcome of the correlation of one point in one image.
    #[derive(Serialize, Deserialize)]
    pub enum Status {
        /// The convergence norm fell below the stop value.
        Converged = "converged",
        /// The iteration limit came first; the parameters are the last estimate.
        IterationLimit = "iteration_limit",
        /// Converged, but the ZNCC is below `min_zncc`, or it is low and too few of the points around
        /// agree with the displacement.
        LowCorrelation = "low_correlation",
        /// A pixel of the displaced subset lies outside the picture.
        OutOfImage = "out_of_image",
        /// The subset has no contrast in the reference or in the deformed image, or too little of it lies beside a
        /// background without texture.
        FlatSubset = "flat_subset",
        /// The Hessian is close to singular: the grey values do not fix all parameters.
        IllConditioned = "ill_conditioned",
        /// Too few pixels of the subset lie inside the picture and the mask.
        Masked = "masked",
        /// The parameters became non-finite, or left the search range of the initial guess.
        Diverged = "diverged",
        /// Converged, but no uncertainty can be stated: noise makes up most of the gradient, or the subset is too
        /// small to tell the noise.
        Uncertain = "uncertain",
    }
}
