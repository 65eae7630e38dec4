//! What filter, gradient and interpolation do to white noise of unit variance.

use retrial_image::GrayImage;

use crate::error::DicError;
use crate::gradient::gradient_planes;
use crate::plane::Plane;
use crate::reference::filtered;
use crate::settings::{Gradient, Settings};
use crate::spline::Spline;

/// Places between two pixels at which the smoothing by interpolation is tabulated.
const PLACES: usize = 16;

/// Variances of white noise of unit variance after each operation.
#[derive(Clone, Debug)]
pub(crate) struct KernelNoise {
    /// After the prefilter.
    pub(crate) filtered: f64,
    /// Of the gradient along an axis, after the prefilter.
    pub(crate) gradient: f64,
    /// Of the sum over a large area of this gradient times independent filtered noise, a pixel.
    pub(crate) product: f64,
    /// After prefilter and interpolation along one axis, at `i / PLACES` between pixels.
    along: Vec<f64>,
}

impl KernelNoise {
    /// Measured on the response to a single bright pixel.
    pub(crate) fn new(settings: &Settings) -> Result<Self, DicError> {
        // Splines reach some 15 px, the filter half its window; twice, as one follows the other.
        let half = 20 + settings.prefilter.map_or(0, |filter| filter.window_px);
        let size = 2 * half + 1;
        let point = image(size, |x, y| if (x, y) == (half, half) { 1.0 } else { 0.0 });
        let kernel = filtered(&point, settings)?;
        let (across, _) = gradient_planes(&kernel, settings.gradient, settings.spline_degree);
        let scale = gradient_scale(settings.gradient) as f32;
        let gradient = image(size, |x, y| scale * across.row(y)[x]);
        let twice = filtered(&gradient, settings)?;
        let spline = Spline::of_plane(&kernel, settings.spline_degree);
        let middle = half as f64;
        let peak = spline.value(middle, middle).unwrap_or(1.0);
        let along = (0..=PLACES)
            .map(|place| {
                let shift = place as f64 / PLACES as f64;
                let values = (1..size - 1)
                    .filter_map(|x| spline.value(x as f64 - shift, middle))
                    .map(|value| (value / peak).powi(2));
                // The kernel is a product; its row through the middle is the profile times `peak`'s root.
                values.sum::<f64>() * peak
            })
            .collect();
        Ok(Self {
            filtered: energy(&kernel),
            gradient: energy(&Plane::from_image(&gradient)),
            product: energy(&twice),
            along,
        })
    }

    /// Variance after prefilter and interpolation at a displacement of `(u, v)` px.
    pub(crate) fn interpolated(&self, u: f64, v: f64) -> f64 {
        self.along_axis(u) * self.along_axis(v)
    }

    /// The mean of the same over displacements `(middle, reach)` to both sides, along x and along y.
    pub(crate) fn interpolated_over(&self, u: (f64, f64), v: (f64, f64)) -> f64 {
        let mean = |(middle, reach): (f64, f64)| {
            if reach < 1.0 / PLACES as f64 {
                return self.along_axis(middle);
            }
            // Half a pixel or more to both sides is every place.
            let reach = if reach > 0.5 { 0.5 } else { reach };
            let places = (0..PLACES).map(|i| (2 * i + 1) as f64 / PLACES as f64 - 1.0);
            places
                .map(|t| self.along_axis(middle + reach * t))
                .sum::<f64>()
                / PLACES as f64
        };
        mean(u) * mean(v)
    }

    fn along_axis(&self, shift: f64) -> f64 {
        let place = (shift - shift.floor()) * PLACES as f64;
        let below = (place as usize).min(PLACES - 1);
        let part = place - below as f64;
        self.along[below] * (1.0 - part) + self.along[below + 1] * part
    }
}

/// What the gradient planes of a setting are to be multiplied with to be grey levels a pixel.
pub(crate) fn gradient_scale(gradient: Gradient) -> f64 {
    match gradient {
        Gradient::Spline | Gradient::Prewitt => 1.0,
        Gradient::PrewittUnscaled => 1.0 / 6.0,
    }
}

fn image(size: usize, value: impl Fn(usize, usize) -> f32) -> GrayImage {
    GrayImage::from_fn(size, size, value).expect("the size is that of a valid image")
}

fn energy(plane: &Plane) -> f64 {
    let pixels = (0..plane.height).flat_map(|y| plane.row(y));
    pixels.map(|v| f64::from(*v).powi(2)).sum()
}

/// The pixels of a plane around a centre are copied from here.
pub(crate) fn row_of(plane: &Plane, x: usize, y: usize, count: usize) -> &[f32] {
    let start = plane.index(x, y);
    &plane.data[start..start + count]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::GaussianFilter;

    /// A wide Gaussian: `∫ k² = 1/(4π s²)`, its derivative `1/(8π s⁴)`, and filtered twice with the
    /// derivative between `1/(32π s⁴)`.
    #[test]
    fn a_wide_gaussian_has_the_variances_of_the_continuum() {
        let s: f64 = 2.0;
        let settings = Settings {
            prefilter: Some(GaussianFilter {
                sigma_px: s,
                window_px: 17,
            }),
            ..Settings::default()
        };
        let noise = KernelNoise::new(&settings).expect("valid settings");
        let pi = std::f64::consts::PI;
        for (got, expected) in [
            (noise.filtered, 1.0 / (4.0 * pi * s * s)),
            (noise.gradient, 1.0 / (8.0 * pi * s.powi(4))),
            (noise.product, 1.0 / (32.0 * pi * s.powi(4))),
            (noise.interpolated(0.5, 3.25), 1.0 / (4.0 * pi * s * s)),
        ] {
            assert!((got / expected - 1.0).abs() < 0.01, "{got} {expected}");
        }
    }

    /// Without a filter, cubic B-splines at half a pixel: with `z = √3 − 2` the cardinal spline there
    /// is `√3 (1 + z)(23 + z)/48`, `√3 (1 + 23 z + 23 z² + z³)/48` and from there on falls by `z`; the
    /// squares of both sides add up to 0.7562.
    #[test]
    fn interpolation_between_pixels_smooths() {
        let settings = Settings {
            prefilter: None,
            ..Settings::default()
        };
        let noise = KernelNoise::new(&settings).expect("valid settings");
        assert!((noise.filtered - 1.0).abs() < 1e-6);
        assert!((noise.interpolated(2.0, -1.0) - 1.0).abs() < 1e-6);
        let half = noise.interpolated(0.5, 0.0);
        assert!((half - 0.7562).abs() < 1e-3, "{half}");
        let square = noise.interpolated(0.5, -0.5);
        assert!((square - half * half).abs() < 1e-6);
    }
}
