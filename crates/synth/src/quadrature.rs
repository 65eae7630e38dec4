//! Sample positions and weights over one pixel: how the integral over its area is taken.

use crate::speckle::Profile;

/// One sample of a pixel: offset from its centre in px and its share of the integral.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) dx: f64,
    pub(crate) dy: f64,
    pub(crate) weight: f64,
}

/// The samples for a pattern: three-point Gauss–Legendre along each axis where the pattern is
/// smooth (exact for polynomials of degree five), an even grid of 8 × 8 where it has edges.
pub(crate) fn pixel_samples(profile: Profile) -> Vec<Sample> {
    match profile {
        Profile::Gaussian => {
            // The nodes of Gauss–Legendre on -1..1 are 0 and ±√(3/5); the pixel is ±1/2.
            let node = 0.5 * 0.6_f64.sqrt();
            squared(&[(-node, 5.0 / 18.0), (0.0, 8.0 / 18.0), (node, 5.0 / 18.0)])
        }
        Profile::Disc => even_samples(8),
    }
}

/// An even grid of `side × side` samples, for pixels that an edge crosses.
pub(crate) fn even_samples(side: u32) -> Vec<Sample> {
    let n = f64::from(side);
    let axis: Vec<(f64, f64)> = (0..side)
        .map(|i| ((f64::from(i) + 0.5) / n - 0.5, 1.0 / n))
        .collect();
    squared(&axis)
}

/// The samples of both axes from the nodes and weights of one.
fn squared(axis: &[(f64, f64)]) -> Vec<Sample> {
    let mut samples = Vec::with_capacity(axis.len() * axis.len());
    for &(dy, wy) in axis {
        for &(dx, wx) in axis {
            samples.push(Sample {
                dx,
                dy,
                weight: wx * wy,
            });
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_integrate_a_parabola() {
        for profile in [Profile::Gaussian, Profile::Disc] {
            let samples = pixel_samples(profile);
            let sum: f64 = samples.iter().map(|s| s.weight).sum();
            let parabola: f64 = samples.iter().map(|s| s.weight * s.dx * s.dx).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{sum}");
            // ∫ x² over -1/2..1/2 is 1/12.
            assert!((parabola - 1.0 / 12.0).abs() < 2e-3, "{parabola}");
        }
    }
}
