//! What can be wrong with a pattern, a displacement or a camera.

use retrial_image::ImageError;
use thiserror::Error;

/// Why nothing could be generated.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SynthError {
    /// A number of the pattern outside its range.
    #[error("`{name}` is {value}, outside {least}..={most}")]
    Pattern {
        /// Which number.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Least value allowed.
        least: f64,
        /// Largest value allowed.
        most: f64,
    },
    /// More speckles than any picture needs.
    #[error("the pattern would hold {speckles} speckles, at most 4000000 are drawn")]
    TooLarge {
        /// Speckles asked for.
        speckles: i64,
    },
    /// A displacement that leads further than any picture shows.
    #[error(
        "a displacement leads {reach_px:e} px away, at most {most_px:e} px are drawn; look for a gradient that is too large"
    )]
    TooFar {
        /// Farthest place that is shown, px.
        reach_px: f64,
        /// Largest distance drawn, px.
        most_px: f64,
    },
    /// So many speckles over every pixel that drawing takes for ever.
    #[error(
        "`radius_px` is {radius_px} at a `spacing_px` of {spacing_px}: every pixel would sum {speckles:.0} speckles, at most {most} are summed; use a smaller radius or a larger spacing"
    )]
    TooDense {
        /// Mean radius, px.
        radius_px: f64,
        /// Side of a cell, px.
        spacing_px: f64,
        /// Speckles near a pixel.
        speckles: f64,
        /// Largest number of them.
        most: f64,
    },
    /// A converter that does not exist.
    #[error("a camera of {bits} bits, only 8, 12 and 16 are known")]
    Bits {
        /// Bits asked for.
        bits: u32,
    },
    /// A picture without size.
    #[error(transparent)]
    Image(#[from] ImageError),
}
