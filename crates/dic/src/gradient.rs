//! The gradient of the reference image at every pixel.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, section 3.2.3; Prewitt operator as its code.

use rayon::prelude::*;

use crate::plane::Plane;
use crate::settings::{Gradient, SplineDegree};
use crate::spline::Spline;

/// The gradient `(∂/∂x, ∂/∂y)` of `image` in grey levels a pixel (six times that when unscaled).
pub(crate) fn gradient_planes(
    image: &Plane,
    gradient: Gradient,
    degree: SplineDegree,
) -> (Plane, Plane) {
    match gradient {
        Gradient::Spline => Spline::of_plane(image, degree).gradient_planes(),
        Gradient::Prewitt => prewitt(image, 1.0 / 6.0),
        Gradient::PrewittUnscaled => prewitt(image, 1.0),
    }
}

/// Differences over two pixels, summed over three rows or columns; border pixels repeat outwards.
fn prewitt(image: &Plane, scale: f32) -> (Plane, Plane) {
    let (width, height) = (image.width, image.height);
    let mut across = Plane::zeros(width, height);
    let mut down = Plane::zeros(width, height);
    let rows: Vec<(Vec<f32>, Vec<f32>)> = (0..height)
        .into_par_iter()
        .map(|y| {
            let (above, here) = (image.row(y.saturating_sub(1)), image.row(y));
            let below = image.row((y + 1).min(height - 1));
            let sum = |x: usize| above[x] + here[x] + below[x];
            let difference = |x: usize| below[x] - above[x];
            (0..width)
                .map(|x| {
                    let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
                    let along_x = sum(right) - sum(left);
                    let along_y = difference(left) + difference(x) + difference(right);
                    (scale * along_x, scale * along_y)
                })
                .unzip()
        })
        .collect();
    for (y, (row_x, row_y)) in rows.iter().enumerate() {
        across.row_mut(y).copy_from_slice(row_x);
        down.row_mut(y).copy_from_slice(row_y);
    }
    (across, down)
}

#[cfg(test)]
mod tests {
    use retrial_image::GrayImage;

    use super::*;

    #[test]
    fn a_ramp_has_its_slope_everywhere_inside() {
        let image =
            GrayImage::from_fn(9, 8, |x, y| (3 * x) as f32 - (2 * y) as f32).expect("a valid size");
        for (gradient, factor) in [
            (Gradient::Spline, 1.0),
            (Gradient::Prewitt, 1.0),
            (Gradient::PrewittUnscaled, 6.0),
        ] {
            let (across, down) =
                gradient_planes(&Plane::from_image(&image), gradient, SplineDegree::Three);
            // The mirror boundary bends the spline of a ramp near the border.
            let (gx, gy) = (across.data[across.index(4, 4)], down.data[down.index(4, 4)]);
            assert!((gx - 3.0 * factor).abs() < 0.05, "{gradient:?} {gx}");
            assert!((gy + 2.0 * factor).abs() < 0.05, "{gradient:?} {gy}");
        }
    }
}
