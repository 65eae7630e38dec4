//! Residuals that count where they gather: a missing stroke, not a contour that is a little off.
//!
//! A sum over all pixels cannot tell one lost stroke from many contours that miss by a fraction of
//! a pixel. Blurring the signed difference first cancels the two sides of such a contour; the
//! square, averaged under a window and taken at its largest, then asks for the worst place.

use crate::error::DetectError;
use crate::items::Items;

/// Standard deviations of the two Gaussians, px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Of the blur of the signed difference.
    pub blur_px: f64,
    /// Of the window under which the squares are averaged.
    pub window_px: f64,
}

/// `max_p (w ∗ (g ∗ (x − y))²)(p)` of every item `x` and its image `y`; beyond the border nothing
/// differs.
///
/// # Shapes
/// - `items`, `found`: `[item, side, side]`
///
/// # Errors
/// [`DetectError::ItemLength`] where an item of either is not `side × side` values,
/// [`DetectError::LengthMismatch`] where there are not equally many of both.
pub fn residuals(
    items: Items<'_>,
    found: Items<'_>,
    side: usize,
    window: Window,
) -> Result<Vec<f64>, DetectError> {
    let largest = |map: Vec<f64>| map.into_iter().fold(0.0, f64::max);
    of_maps(items, found, side, window, largest)
}

/// The map `w ∗ (g ∗ (x − y))²` of every item, of which the residual is the largest value.
///
/// # Shapes
/// - `items`, `found`, returns: `[item, side, side]`
///
/// # Errors
/// As [`residuals`].
pub fn maps(
    items: Items<'_>,
    found: Items<'_>,
    side: usize,
    window: Window,
) -> Result<Vec<f32>, DetectError> {
    let rounded =
        |map: Vec<f64>| -> Vec<f32> { map.into_iter().map(|value| value as f32).collect() };
    Ok(of_maps(items, found, side, window, rounded)?.concat())
}

fn of_maps<T>(
    items: Items<'_>,
    found: Items<'_>,
    side: usize,
    window: Window,
    reduce: impl Fn(Vec<f64>) -> T,
) -> Result<Vec<T>, DetectError> {
    for length in [items.item_length(), found.item_length()] {
        if length != side * side {
            return Err(DetectError::ItemLength {
                expected: side * side,
                got: length,
            });
        }
    }
    if items.len() != found.len() {
        return Err(DetectError::LengthMismatch {
            what: "the list of images",
            expected: items.len(),
            got: found.len(),
        });
    }
    let (blur, average) = (kernel(window.blur_px), kernel(window.window_px));
    let of_pair = |(x, y): (&[f32], &[f32])| {
        let apart: Vec<f64> = x.iter().zip(y).map(|(a, b)| f64::from(a - b)).collect();
        let blurred = smoothed(&apart, side, &blur);
        let squares: Vec<f64> = blurred.into_iter().map(|d| d * d).collect();
        reduce(smoothed(&squares, side, &average))
    };
    Ok(items.iter().zip(found.iter()).map(of_pair).collect())
}

/// Half a Gaussian, from its centre to three standard deviations; the whole has the sum 1.
fn kernel(sd: f64) -> Vec<f64> {
    let reach = (3.0 * sd).ceil() as usize;
    let weight = |at: usize| match at {
        0 => 1.0,
        at => (-0.5 * (at as f64 / sd).powi(2)).exp(),
    };
    let half: Vec<f64> = (0..=reach).map(weight).collect();
    let sum = 2.0 * half.iter().sum::<f64>() - 1.0;
    half.into_iter().map(|weight| weight / sum).collect()
}

/// The image under the kernel along rows, then along columns.
fn smoothed(image: &[f64], side: usize, half: &[f64]) -> Vec<f64> {
    let along = |image: &[f64], step: usize, other: usize| {
        let mut out = vec![0.0; image.len()];
        for line in 0..side {
            for at in 0..side {
                let place = line * other + at * step;
                let mut sum = half[0] * image[place];
                for (reach, weight) in half.iter().enumerate().skip(1) {
                    if at >= reach {
                        sum += weight * image[place - reach * step];
                    }
                    if at + reach < side {
                        sum += weight * image[place + reach * step];
                    }
                }
                out[place] = sum;
            }
        }
        out
    };
    let rows = along(image, 1, side);
    along(&rows, side, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 28;
    const WINDOW: Window = Window {
        blur_px: 1.0,
        window_px: 2.0,
    };

    fn of(image: &[f32]) -> f64 {
        let empty = vec![0.0; SIDE * SIDE];
        let item = |values| Items::new(values, SIDE * SIDE).expect("whole items");
        residuals(item(image), item(&empty), SIDE, WINDOW).expect("equal sizes")[0]
    }

    #[test]
    fn a_residual_is_the_largest_value_of_its_map() {
        let pictures: Vec<f32> = (0..2 * SIDE * SIDE)
            .map(|at| (at * at % 97) as f32)
            .collect();
        let items = Items::new(&pictures, SIDE * SIDE).expect("two items");
        let zeros = vec![0.0; 2 * SIDE * SIDE];
        let found = Items::new(&zeros, SIDE * SIDE).expect("two items");
        let all = maps(items, found, SIDE, WINDOW).expect("equal sizes");
        assert_eq!(all.len(), pictures.len());
        let residuals = residuals(items, found, SIDE, WINDOW).expect("equal sizes");
        for (map, residual) in all.chunks(SIDE * SIDE).zip(residuals) {
            let largest = map.iter().copied().fold(0.0, f32::max);
            assert_eq!(largest, residual as f32);
        }
    }

    fn drawn(value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        let places = (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| (row, column)));
        places.map(|(row, column)| value(row, column)).collect()
    }

    /// The square of a product of two lines is one, so that a single pixel gives the square of a
    /// sum in one dimension.
    #[test]
    fn one_pixel_is_two_gaussians() {
        let one = drawn(|row, column| f32::from(u8::from((row, column) == (14, 14))));
        let gauss = |sd: f64| {
            let reach = (3.0 * sd) as i32;
            let all: Vec<f64> = (-reach..=reach)
                .map(|x| (-f64::from(x * x) / (2.0 * sd * sd)).exp())
                .collect();
            let sum: f64 = all.iter().sum();
            all.into_iter().map(|v| v / sum).collect::<Vec<f64>>()
        };
        let (blur, window) = (gauss(1.0), gauss(2.0));
        let line: f64 = blur.iter().zip(&window[3..]).map(|(b, w)| b * b * w).sum();
        assert!((of(&one) / (line * line) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_lost_stroke_weighs_more_than_contours_that_are_off() {
        // Five pixels of a stroke, and edges of both signs side by side all over: equal energy.
        let stroke =
            drawn(|row, column| f32::from(u8::from(column == 14 && (12..17).contains(&row))));
        let contours = drawn(|row, column| match (row % 7, column % 14) {
            (3, 3) => 0.559,
            (3, 4) => -0.559,
            _ => 0.0,
        });
        let energy = |image: &[f32]| image.iter().map(|v| v * v).sum::<f32>();
        assert!((energy(&stroke) - energy(&contours)).abs() < 0.01);
        assert!(of(&stroke) > 10.0 * of(&contours));
    }

    #[test]
    fn a_place_is_as_good_as_another_and_four_times_the_square_of_two() {
        let at = |dx: usize, size: f32| {
            of(&drawn(|row, column| {
                size * f32::from(u8::from((10..14).contains(&row) && column == 9 + dx))
            }))
        };
        assert!((at(0, 1.0) - at(7, 1.0)).abs() < 1e-15);
        assert!((at(0, 2.0) / at(0, 1.0) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn sizes_that_disagree_are_errors() {
        let (three, two) = ([0.0; 12], [0.0; 8]);
        let three = Items::new(&three, 4).expect("whole items");
        let two = Items::new(&two, 4).expect("whole items");
        assert!(matches!(
            residuals(three, two, 2, WINDOW),
            Err(DetectError::LengthMismatch {
                expected: 3,
                got: 2,
                ..
            })
        ));
        assert!(matches!(
            residuals(three, three, 3, WINDOW),
            Err(DetectError::ItemLength {
                expected: 9,
                got: 4
            })
        ));
    }
}
