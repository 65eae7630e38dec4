//! Gaussian low-pass filter applied to every image before correlation.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, section 2.2.4: it damps the high frequencies
//! that interpolation cannot represent and that cause a bias.

use rayon::prelude::*;
use retrial_image::GrayImage;

use crate::error::DicError;
use crate::gaussian::GaussianFilter;
use crate::plane::Plane;

/// Rows that are filtered together: few rows around them are filtered twice, and they stay in the cache.
const TOGETHER: usize = 32;

/// `image` after the filter, with the border pixels repeated outwards.
///
/// # Errors
/// [`DicError::NotPositive`] and [`DicError::FilterWindow`] for a filter that is none.
pub fn gaussian_filter(image: &GrayImage, filter: GaussianFilter) -> Result<GrayImage, DicError> {
    filter.check()?;
    let weights = filter.weights();
    let (width, height) = (image.width(), image.height());
    let mut filtered = vec![0.0_f32; width * height];
    filtered
        .par_chunks_mut(width * TOGETHER)
        .enumerate()
        .for_each(|(block, rows)| {
            let mut rows: Vec<&mut [f32]> = rows.chunks_exact_mut(width).collect();
            let source = |y: usize| image.row(y);
            filter_rows((source, height), &weights, block * TOGETHER, &mut rows);
        });
    Ok(GrayImage::new(width, height, filtered).expect("the size is that of a valid image"))
}

/// The same as a plane with zeros around it.
pub(crate) fn gaussian_plane(image: &GrayImage, filter: GaussianFilter) -> Result<Plane, DicError> {
    filter.check()?;
    let weights = filter.weights();
    let mut plane = Plane::zeros(image.width(), image.height());
    plane.fill_rows(TOGETHER, |top, rows| {
        let source = |y: usize| image.row(y);
        filter_rows((source, image.height()), &weights, top, rows);
    });
    Ok(plane)
}

/// A plane after a filter that was checked.
pub(crate) fn filter_plane(source: &Plane, filter: GaussianFilter) -> Plane {
    let weights = filter.weights();
    let mut plane = Plane::zeros(source.width, source.height);
    plane.fill_rows(TOGETHER, |top, rows| {
        let row = |y: usize| source.row(y);
        filter_rows((row, source.height), &weights, top, rows);
    });
    plane
}

/// Fills rows of zeros with those of the filtered picture from row `top` on; `source` gives its rows, of
/// which there are `height`.
fn filter_rows<'a>(
    (source, height): (impl Fn(usize) -> &'a [f32], usize),
    weights: &[f32],
    top: usize,
    rows: &mut [&mut [f32]],
) {
    let half = weights.len() / 2;
    let width = source(0).len();
    let mut across = vec![0.0_f32; width * (rows.len() + 2 * half)];
    let mut padded = Vec::with_capacity(width + 2 * half);
    for (k, out) in across.chunks_exact_mut(width).enumerate() {
        let row = source((top + k).saturating_sub(half).min(height - 1));
        padded.clear();
        padded.resize(half, row[0]);
        padded.extend_from_slice(row);
        padded.resize(width + 2 * half, row[width - 1]);
        for (i, &weight) in weights.iter().enumerate() {
            for (value, &pixel) in out.iter_mut().zip(&padded[i..]) {
                *value += weight * pixel;
            }
        }
    }
    for (y, out) in rows.iter_mut().enumerate() {
        for (k, &weight) in weights.iter().enumerate() {
            let source = &across[(y + k) * width..(y + k + 1) * width];
            for (value, &pixel) in out.iter_mut().zip(source) {
                *value += weight * pixel;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_image_stays_constant_up_to_the_border() {
        let image = GrayImage::new(7, 4, vec![100.0; 28]).expect("a valid size");
        let filter = GaussianFilter {
            sigma_px: 0.4,
            window_px: 5,
        };
        let filtered = gaussian_filter(&image, filter).expect("a valid filter");
        for &value in filtered.pixels() {
            assert!((value - 100.0).abs() < 1e-4, "{value}");
        }
    }

    /// exp(-1/(2·0.16)) = 0.0439369, exp(-4/(2·0.16)) = 3.7e-6; normalised: 0.9192, 0.04039, 3.4e-6.
    #[test]
    fn a_point_becomes_the_published_kernel() {
        let image = GrayImage::from_fn(9, 9, |x, y| if (x, y) == (4, 4) { 1.0 } else { 0.0 })
            .expect("a valid size");
        let filter = GaussianFilter {
            sigma_px: 0.4,
            window_px: 5,
        };
        let filtered = gaussian_filter(&image, filter).expect("a valid filter");
        let at = |x, y| f64::from(filtered.get(x, y).expect("inside"));
        assert!(
            (at(4, 4) - 0.919_22 * 0.919_22).abs() < 1e-4,
            "{}",
            at(4, 4)
        );
        assert!(
            (at(5, 4) - 0.919_22 * 0.040_388).abs() < 1e-5,
            "{}",
            at(5, 4)
        );
        assert!(
            (at(3, 3) - 0.040_388 * 0.040_388).abs() < 1e-5,
            "{}",
            at(3, 3)
        );
        assert!((at(4, 4) + 4.0 * at(5, 4) + 4.0 * at(3, 3) - 1.0).abs() < 2e-5);
    }

    /// Shares from beyond the picture, of 0.7 px: 0.215, 0.0097 and 0.0001; of 0.4 px: 0.040 and 4e-6.
    #[test]
    fn pixels_that_depend_on_what_lies_beyond_are_counted() {
        let rim = |sigma_px: f64| GaussianFilter::reaching(sigma_px).rim_px();
        assert_eq!([rim(0.4), rim(0.7), rim(1.5)], [1, 2, 4]);
        let alone = GaussianFilter {
            sigma_px: 1.0,
            window_px: 1,
        };
        assert_eq!(alone.rim_px(), 0);
    }
}
