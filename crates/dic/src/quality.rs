//! What an image is good for, before anything is correlated.
//!
//! # Source
//! Pan, Xie, Wang, Qian & Wang 2008, doi:10.1364/OE.16.007037 (sum of squares of subset intensity
//! gradients, subset size); Wang et al. 2009, doi:10.1111/j.1475-1305.2008.00592.x (bound on the
//! noise of displacements).

use rayon::prelude::*;
use retrial_image::{GrayImage, Mask};

use crate::error::{DicError, check_positive};
use crate::pixel_weights::noise_spread;
use crate::plane::Plane;
use crate::reference::{check_pixels, prepare};
use crate::settings::{Borders, Settings, ShapeOrder, SplineDegree, SubsetShape};
use crate::spline::Spline;

/// Largest shift of the autocorrelation, px.
const LARGEST_SHIFT: usize = 64;

/// Share of the points that an advised subset may leave above the wanted uncertainty.
const LEFT_ABOVE: f64 = 0.05;

/// What an image is good for at the points of a correlation.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageQuality {
    /// One a point, in the order of the points that [`prepare`] lays out.
    pub points: Vec<PointQuality>,
    /// Size of the speckles, or `None` without contrast.
    pub speckle: Option<SpeckleSize>,
    /// Mean of the length of the gradient, grey levels a pixel.
    pub mean_gradient: f64,
    /// Standard deviation of the grey values.
    pub contrast: f64,
}

/// What a subset is good for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointQuality {
    /// Column of the point, px.
    pub x: usize,
    /// Row of the point, px.
    pub y: usize,
    /// `Σ f_x²` and `Σ f_y²` over the subset, less what the noise adds to them.
    pub sssig: (f64, f64),
    /// Smallest standard uncertainty of `u` and of `v` in px that noise leaves to any unbiased
    /// method with a subset of that size and order; infinite where all gradient is noise.
    pub bound: (f64, f64),
}

/// Full width at half maximum of the autocorrelation of the grey values, px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeckleSize {
    /// Along `x`.
    pub x: f64,
    /// Along `y`.
    pub y: f64,
}

/// Takes the quality of an image at the points that `settings` lay out.
///
/// `noise` is the standard deviation of the white noise in grey levels, such as from
/// [`noise_of_pair`](crate::noise_of_pair). The gradient is that of the unfiltered image, by the
/// B-spline of the settings.
///
/// The bound is `√2 σ / √(Σ f_x²)` for orders 0 and 1, and for order 2 larger by the
/// root of the summed squares of the weights that the pixels have in the centre.
///
/// # Errors
/// Those of [`prepare`], and [`DicError::NotPositive`] for a noise that is none.
pub fn image_quality(
    image: &GrayImage,
    mask: Option<&Mask>,
    settings: &Settings,
    noise: f64,
) -> Result<ImageQuality, DicError> {
    check_positive("noise", noise)?;
    let bare = Settings {
        prefilter: None,
        borders: Borders::Whole,
        ..settings.clone()
    };
    let reference = prepare(image, mask, &bare)?;
    let squares = Squares::new(image, settings.spline_degree);
    let spread = noise_spread(
        settings.side_px(),
        settings.subset_shape,
        settings.shape_order,
    );
    let points = reference
        .points
        .iter()
        .enumerate()
        .map(|(i, &(x, y))| {
            let (mut sums, mut pixels) = ((0.0, 0.0), 0.0);
            for row in reference.site(i).rows {
                let left = (x as i32 + row.first) as usize;
                let count = (row.last - row.first + 1) as usize;
                let (a, b) = squares.row((y as i32 + row.dy) as usize, left, count);
                sums.0 += a;
                sums.1 += b;
                pixels += count as f64;
            }
            squares.point((x, y), sums, pixels, noise, spread)
        })
        .collect();
    let count = (image.width() * image.height()) as f64;
    let mean = image.pixels().iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let square = |v: &f32| (f64::from(*v) - mean).powi(2);
    Ok(ImageQuality {
        points,
        speckle: speckle_size(image, noise)?,
        mean_gradient: squares.mean_gradient,
        contrast: (image.pixels().iter().map(square).sum::<f64>() / count).sqrt(),
    })
}

/// The smallest odd subset, up to `largest_px`, whose [`PointQuality::bound`] is at most
/// `wanted_px` in `u` and `v` for 95 % of the subsets of an image, or `None` when none is.
///
/// # Errors
/// [`DicError::NotPositive`] for `noise` or `wanted_px`, [`DicError::NonFinitePixel`].
pub fn advised_subset_size(
    image: &GrayImage,
    order: ShapeOrder,
    noise: f64,
    wanted_px: f64,
    largest_px: usize,
) -> Result<Option<usize>, DicError> {
    check_positive("noise", noise)?;
    check_positive("wanted_px", wanted_px)?;
    check_pixels(image)?;
    let squares = Squares::new(image, SplineDegree::Three);
    let largest = largest_px.min(image.width()).min(image.height());
    let mut size = if order == ShapeOrder::Two { 9 } else { 5 };
    while size <= largest {
        let spread = noise_spread(size, SubsetShape::Square, order);
        let half = size / 2;
        let places = |n: usize| (half..n - half).step_by(half.max(1));
        let (mut above, mut all) = (0_usize, 0_usize);
        for y in places(image.height()) {
            for x in places(image.width()) {
                let rows = (y - half..=y + half).map(|row| squares.row(row, x - half, size));
                let sums = rows.fold((0.0, 0.0), |s, r| (s.0 + r.0, s.1 + r.1));
                let point = squares.point((x, y), sums, (size * size) as f64, noise, spread);
                above += usize::from(point.bound.0.max(point.bound.1) > wanted_px);
                all += 1;
            }
        }
        if all > 0 && above as f64 <= LEFT_ABOVE * all as f64 {
            return Ok(Some(size));
        }
        size += 2;
    }
    Ok(None)
}

/// Full width at half maximum of the autocorrelation along both axes; noise is taken out of its
/// value at no shift. `None` without contrast, or where it does not fall to one half within 64 px.
///
/// # Errors
/// [`DicError::NonFinitePixel`].
pub fn speckle_size(image: &GrayImage, noise: f64) -> Result<Option<SpeckleSize>, DicError> {
    check_pixels(image)?;
    let (width, height) = (image.width(), image.height());
    let count = (width * height) as f64;
    let mean = image.pixels().iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let at = |x: usize, y: usize| f64::from(image.pixels()[y * width + x]) - mean;
    let product = |dx: usize, dy: usize| -> f64 {
        let sum: f64 = (0..height - dy)
            .into_par_iter()
            .map(|y| {
                let row = (0..width - dx).map(|x| at(x, y) * at(x + dx, y + dy));
                row.sum::<f64>()
            })
            .collect::<Vec<f64>>()
            .iter()
            .sum();
        sum / ((width - dx) * (height - dy)) as f64
    };
    let peak = product(0, 0) - noise * noise;
    if peak <= 0.0 {
        return Ok(None);
    }
    let width_along = |limit: usize, value: &dyn Fn(usize) -> f64| {
        let mut before = peak;
        for shift in 1..limit.min(LARGEST_SHIFT) {
            let now = value(shift);
            if now < 0.5 * peak {
                let part = (before - 0.5 * peak) / (before - now);
                return Some(2.0 * (shift as f64 - 1.0 + part));
            }
            before = now;
        }
        None
    };
    let x = width_along(width, &|shift| product(shift, 0));
    let y = width_along(height, &|shift| product(0, shift));
    Ok(x.zip(y).map(|(x, y)| SpeckleSize { x, y }))
}

/// Squares of the gradient, summed from the left of each row.
struct Squares {
    width: usize,
    sums: Vec<(f64, f64)>,
    mean_gradient: f64,
    /// What a unit of white noise adds to the mean square of the gradient.
    per_noise: f64,
}

impl Squares {
    fn new(image: &GrayImage, degree: SplineDegree) -> Self {
        let (width, height) = (image.width(), image.height());
        let (mut across, mut down) = Spline::new(image, degree).gradient_planes();
        let mut sums = Vec::with_capacity((width + 1) * height);
        let mut length = 0.0;
        for y in 0..height {
            let mut sum = (0.0, 0.0);
            sums.push(sum);
            for (gx, gy) in across.row_mut(y).iter().zip(down.row_mut(y).iter()) {
                let (gx, gy) = (f64::from(*gx), f64::from(*gy));
                sum.0 += gx * gx;
                sum.1 += gy * gy;
                length += gx.hypot(gy);
                sums.push(sum);
            }
        }
        Self {
            width,
            sums,
            mean_gradient: length / (width * height) as f64,
            per_noise: gradient_noise(degree),
        }
    }

    /// Sums over `count` pixels of row `y` from column `left`.
    fn row(&self, y: usize, left: usize, count: usize) -> (f64, f64) {
        let start = y * (self.width + 1) + left;
        let (a, b) = (self.sums[start], self.sums[start + count]);
        (b.0 - a.0, b.1 - a.1)
    }

    fn point(
        &self,
        (x, y): (usize, usize),
        sums: (f64, f64),
        pixels: f64,
        noise: f64,
        spread: f64,
    ) -> PointQuality {
        let added = pixels * noise * noise * self.per_noise;
        let sssig = ((sums.0 - added).max(0.0), (sums.1 - added).max(0.0));
        let bound = |sum: f64| spread * std::f64::consts::SQRT_2 * noise / sum.sqrt();
        PointQuality {
            x,
            y,
            sssig,
            bound: (bound(sssig.0), bound(sssig.1)),
        }
    }
}

/// Variance of the gradient of white noise of unit variance.
fn gradient_noise(degree: SplineDegree) -> f64 {
    let point = GrayImage::from_fn(61, 61, |x, y| if (x, y) == (30, 30) { 1.0 } else { 0.0 })
        .expect("a valid size");
    let (mut across, _): (Plane, Plane) = Spline::new(&point, degree).gradient_planes();
    let rows = (0..61).map(|y| {
        let row = across.row_mut(y).iter();
        row.map(|g| f64::from(*g).powi(2)).sum::<f64>()
    });
    rows.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wave along x of that period and one along y, of amplitude 20 each: the mean square of each
    /// gradient is `½ (20 · 2π/T)²`.
    fn waves(period: f64) -> GrayImage {
        let turn = std::f64::consts::TAU / period;
        GrayImage::from_fn(128, 96, |x, y| {
            (100.0 + 20.0 * (turn * x as f64).sin() + 20.0 * (turn * y as f64).cos()) as f32
        })
        .expect("a valid size")
    }

    #[test]
    fn the_bound_of_waves_is_known() {
        let settings = Settings {
            step_px: 16,
            ..Settings::default().with_side_px(33)
        };
        let noise = 0.5;
        let quality = image_quality(&waves(16.5), None, &settings, noise).expect("valid settings");
        let square = 0.5 * (20.0 * std::f64::consts::TAU / 16.5_f64).powi(2);
        let expected = 2.0_f64.sqrt() * noise / (33.0 * 33.0 * square).sqrt();
        let is_inside = |p: &&PointQuality| (25..100).contains(&p.x) && (25..72).contains(&p.y);
        let inside: Vec<_> = quality.points.iter().filter(is_inside).collect();
        assert!(!inside.is_empty());
        for point in inside {
            assert!((point.bound.0 / expected - 1.0).abs() < 0.01, "{point:?}");
            assert!((point.bound.1 / expected - 1.0).abs() < 0.01, "{point:?}");
        }
        assert!((quality.contrast - 20.0).abs() < 0.5);
        // The autocorrelation of both waves along one axis is ½ (1 + cos): it falls to ½ at T/4.
        let speckle = quality.speckle.expect("it has contrast");
        assert!((speckle.x - 16.5 / 2.0).abs() < 0.5, "{speckle:?}");
    }

    #[test]
    fn the_advised_subset_halves_the_noise_when_doubled() {
        let image = waves(12.0);
        let advised = |order, wanted| {
            advised_subset_size(&image, order, 1.0, wanted, 81)
                .expect("valid input")
                .expect("a subset is large enough")
        };
        let (coarse, fine) = (
            advised(ShapeOrder::One, 0.02),
            advised(ShapeOrder::One, 0.01),
        );
        assert!(
            (fine as f64 / coarse as f64 - 2.0).abs() < 0.4,
            "{coarse} {fine}"
        );
        assert!(advised(ShapeOrder::Two, 0.02) > coarse);
        let none = advised_subset_size(&image, ShapeOrder::One, 1.0, 1e-6, 81);
        assert_eq!(none, Ok(None));
        assert!(advised_subset_size(&image, ShapeOrder::One, 0.0, 0.01, 81).is_err());
    }

    #[test]
    fn a_flat_image_is_good_for_nothing() {
        let flat = GrayImage::new(64, 64, vec![7.0; 4096]).expect("a valid size");
        let settings = Settings::default();
        let quality = image_quality(&flat, None, &settings, 1.0).expect("valid settings");
        assert!(quality.points.iter().all(|p| p.bound.0 == f64::INFINITY));
        assert_eq!(quality.speckle, None);
    }
}
