//! What a spline does to a wave between the pixels, and a filter to it.
//!
//! # Source
//! Unser 1999, doi:10.1109/79.799930: coefficients are the samples through the inverse of the sampled
//! B-spline.

use std::f64::consts::TAU;

use rustfft::num_complex::Complex;

use crate::gaussian::GaussianFilter;
use crate::settings::SplineDegree;
use crate::spline::{slopes, weights};

/// Side of a tile, px.
pub(super) const TILE: usize = 32;

/// Frequencies from zero to one half.
pub(super) const BINS: usize = TILE / 2 + 1;

/// Sub-pixel positions from none to half a pixel; the other half mirrors them.
const POSITIONS: usize = 6;

/// What a spline does along one axis, by frequency.
#[derive(Clone, Debug)]
pub(super) struct Transfer {
    /// Its derivative at a pixel over `i`.
    pub(super) slope: [f64; BINS],
    /// At every position `u`: the interpolated wave, moved back by `u`, over the wave itself.
    pub(super) positions: [[Complex<f64>; BINS]; POSITIONS],
}

impl Transfer {
    pub(super) fn new(degree: SplineDegree) -> Self {
        let position = |i: usize| 0.5 * i as f64 / (POSITIONS - 1) as f64;
        Self {
            slope: std::array::from_fn(|bin| {
                let wave =
                    waves(slopes(degree, 0.0), frequency(bin)) / at_pixels(degree, frequency(bin));
                wave.im
            }),
            positions: std::array::from_fn(|i| {
                std::array::from_fn(|bin| interpolated(degree, frequency(bin), position(i)))
            }),
        }
    }
}

/// Cycles a pixel of a bin.
pub(super) fn frequency(bin: usize) -> f64 {
    bin as f64 / TILE as f64
}

/// A wave of that frequency, interpolated `u` px from a pixel and moved back by `u`, over the wave.
pub(super) fn interpolated(degree: SplineDegree, frequency: f64, u: f64) -> Complex<f64> {
    let fraction = u - u.floor();
    let back = Complex::from_polar(1.0, -TAU * frequency * fraction);
    back * waves(weights(degree, fraction), frequency) / at_pixels(degree, frequency)
}

/// A wave summed with the weights of the six pixels around, the third of which is its origin.
fn waves(weights: [f64; 6], frequency: f64) -> Complex<f64> {
    let terms = weights
        .iter()
        .enumerate()
        .map(|(tap, weight)| Complex::from_polar(*weight, TAU * frequency * (tap as f64 - 2.0)));
    terms.sum()
}

/// What the splines make of a wave of coefficients at the pixels.
fn at_pixels(degree: SplineDegree, frequency: f64) -> f64 {
    waves(weights(degree, 0.0), frequency).re
}

/// The power that the filter leaves of each frequency along one axis.
pub(super) fn gain(filter: Option<GaussianFilter>) -> [f64; BINS] {
    let Some(filter) = filter else {
        return [1.0; BINS];
    };
    let kernel = filter.weights();
    let half = (kernel.len() / 2) as f64;
    std::array::from_fn(|bin| {
        let waves = kernel.iter().enumerate().map(|(i, weight)| {
            f64::from(*weight) * (TAU * frequency(bin) * (i as f64 - half)).cos()
        });
        waves.sum::<f64>().powi(2)
    })
}

#[cfg(test)]
mod tests {
    use retrial_image::GrayImage;

    use super::*;
    use crate::spline::Spline;

    /// The spline itself, through a wave of eight pixels a period, against its transfer.
    #[test]
    fn a_wave_between_pixels_is_what_the_spline_makes_of_it() {
        let (size, bin) = (96, 11);
        let wave = |x: f64| (TAU * frequency(bin) * x).cos();
        let image =
            GrayImage::from_fn(size, 3, |x, _| wave(x as f64) as f32).expect("a valid size");
        for degree in [SplineDegree::Three, SplineDegree::Five] {
            let spline = Spline::new(&image, degree);
            let transfer = Transfer::new(degree);
            for (i, factors) in transfer.positions.iter().enumerate() {
                let u = 0.1 * i as f64;
                for x in 40..48 {
                    let turn = Complex::from_polar(1.0, TAU * frequency(bin) * (x as f64 + u));
                    let expected = (factors[bin] * turn).re;
                    let got = spline.value(x as f64 + u, 1.0).expect("inside");
                    assert!(
                        (got - expected).abs() < 1e-5,
                        "{degree:?} {u} {x} {got} {expected}"
                    );
                }
            }
            let turn = TAU * frequency(bin) * 45.0;
            let (slope, _) = spline.gradient(45.0, 1.0).expect("inside");
            assert!(
                (slope + transfer.slope[bin] * turn.sin()).abs() < 1e-5,
                "{degree:?} {slope}"
            );
        }
    }

    #[test]
    fn a_filter_leaves_what_a_gaussian_leaves() {
        let left = gain(Some(GaussianFilter::reaching(0.9)));
        for (bin, left) in left.iter().enumerate() {
            let expected = (-(TAU * 0.9 * frequency(bin)).powi(2)).exp();
            assert!((left - expected).abs() < 5e-3, "{bin} {left} {expected}");
        }
        assert_eq!(gain(None), [1.0; BINS]);
    }
}
