//! Hu's seven moment invariants: numbers of a shape that do not change when it is moved, turned or
//! scaled.
//!
//! # Source
//! Hu 1962, doi:10.1109/TIT.1962.1057692, Eq. (22) to (24) of the similitude invariants; the
//! seventh changes its sign in a mirror. The centres of pixels are the points of the sums.

use retrial_image::{GrayImage, InstanceMask};

use crate::ClassicalError;

/// The invariants of a mask, every pixel inside counting the same; `None` for an empty mask.
#[must_use]
pub fn hu_of_mask(mask: &InstanceMask) -> Option<[f64; 7]> {
    let inside = mask
        .inside()
        .iter()
        .enumerate()
        .filter(|(_, inside)| **inside);
    invariants(inside.map(|(at, _)| (at, 1.0)), mask.width())
}

/// The invariants of the grey values inside a mask, above the least of them.
///
/// `None` when they do not differ.
///
/// # Errors
/// [`ClassicalError::MaskSize`].
pub fn hu_of_grey(
    picture: &GrayImage,
    mask: &InstanceMask,
) -> Result<Option<[f64; 7]>, ClassicalError> {
    if (mask.height(), mask.width()) != (picture.height(), picture.width()) {
        return Err(ClassicalError::MaskSize {
            height: picture.height(),
            width: picture.width(),
            mask_height: mask.height(),
            mask_width: mask.width(),
        });
    }
    let pixels = picture.pixels().iter().zip(mask.inside()).enumerate();
    let values = pixels.filter(|(_, (_, inside))| **inside);
    let values = values.map(|(at, (&value, _))| (at, f64::from(value)));
    let least = values.clone().fold(f64::INFINITY, |a, (_, b)| a.min(b));
    let above = values.map(move |(at, value)| (at, value - least));
    Ok(invariants(above, picture.width()))
}

/// Invariants on a scale where all of them count: `sign(h) · max(0, log₁₀|h| + 12)`.
///
/// They spread over many powers of ten, and below 10⁻¹² nothing but rounding is left.
#[must_use]
pub fn log_scaled(invariants: &[f64; 7]) -> [f64; 7] {
    invariants.map(|h| h.signum() * (h.abs().log10() + 12.0).max(0.0))
}

fn invariants(
    weights: impl Iterator<Item = (usize, f64)> + Clone,
    width: usize,
) -> Option<[f64; 7]> {
    let place = |at: usize| ((at % width) as f64, (at / width) as f64);
    let (mut m00, mut m10, mut m01) = (0.0, 0.0, 0.0);
    for (at, weight) in weights.clone() {
        let (x, y) = place(at);
        m00 += weight;
        m10 += weight * x;
        m01 += weight * y;
    }
    if m00 <= 0.0 {
        return None;
    }
    // μ20, μ11, μ02, μ30, μ21, μ12, μ03
    let mut central = [0.0; 7];
    for (at, weight) in weights {
        let (x, y) = place(at);
        let (x, y) = (x - m10 / m00, y - m01 / m00);
        let products = [
            x * x,
            x * y,
            y * y,
            x * x * x,
            x * x * y,
            x * y * y,
            y * y * y,
        ];
        for (sum, product) in central.iter_mut().zip(products) {
            *sum += weight * product;
        }
    }
    // ηpq = μpq / μ00^(1 + (p + q) / 2)
    let (second, third) = (m00 * m00, m00 * m00 * m00.sqrt());
    let [n20, n11, n02] = [central[0], central[1], central[2]].map(|mu| mu / second);
    let [n30, n21, n12, n03] =
        [central[3], central[4], central[5], central[6]].map(|mu| mu / third);
    let (sum_x, sum_y) = (n30 + n12, n21 + n03);
    let (off_x, off_y) = (n30 - 3.0 * n12, 3.0 * n21 - n03);
    let (xx, yy) = (sum_x * sum_x, sum_y * sum_y);
    Some([
        n20 + n02,
        (n20 - n02).powi(2) + 4.0 * n11 * n11,
        off_x * off_x + off_y * off_y,
        xx + yy,
        off_x * sum_x * (xx - 3.0 * yy) + off_y * sum_y * (3.0 * xx - yy),
        (n20 - n02) * (xx - yy) + 4.0 * n11 * sum_x * sum_y,
        off_y * sum_x * (xx - 3.0 * yy) - off_x * sum_y * (3.0 * xx - yy),
    ])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// A shape without any symmetry, `scale` pixels a unit, moved by `(dx, dy)`.
    fn shape(scale: usize, dx: usize, dy: usize) -> InstanceMask {
        let size = 40 * scale;
        let inside = |at: usize| {
            let (x, y) = ((at % size) as f64, (at / size) as f64);
            let x = (x + 0.5) / scale as f64 - dx as f64;
            let y = (y + 0.5) / scale as f64 - dy as f64;
            let is_bar = (2.0..9.0).contains(&x) && (1.0..20.0).contains(&y);
            let is_foot = (9.0..15.0).contains(&x) && (14.0..20.0).contains(&y);
            is_bar || is_foot || (x - 12.0).hypot(y - 5.0) < 4.0
        };
        InstanceMask::new(size, size, (0..size * size).map(inside).collect()).unwrap()
    }

    fn close(a: [f64; 7], b: [f64; 7], relative: f64) {
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() <= relative * b.abs(), "{a} {b}");
        }
    }

    /// `pixel(x, y)` of a square mask.
    fn mapped(mask: &InstanceMask, from: impl Fn(usize, usize) -> (usize, usize)) -> InstanceMask {
        let size = mask.width();
        let inside = |at: usize| {
            let (x, y) = from(at % size, at / size);
            mask.inside()[y * size + x]
        };
        InstanceMask::new(size, size, (0..size * size).map(inside).collect()).unwrap()
    }

    #[test]
    fn moved_turned_scaled_mirrored() {
        let mask = shape(1, 0, 0);
        let hu = hu_of_mask(&mask).unwrap();
        close(hu_of_mask(&shape(1, 13, 7)).unwrap(), hu, 1e-9);
        let turned = mapped(&mask, |x, y| (y, 39 - x));
        close(hu_of_mask(&turned).unwrap(), hu, 1e-9);
        close(
            hu_of_mask(&shape(8, 3, 4)).unwrap(),
            hu_of_mask(&shape(4, 3, 4)).unwrap(),
            0.02,
        );
        let mut mirrored = hu_of_mask(&mapped(&mask, |x, y| (39 - x, y))).unwrap();
        assert!(mirrored[6].abs() > 1e-9);
        mirrored[6] = -mirrored[6];
        close(mirrored, hu, 1e-9);
    }

    #[test]
    fn grey_values_count_above_the_least() {
        let mask = shape(1, 0, 0);
        let grey = |offset: f32, gain: f32| {
            let value = |x: usize, y: usize| offset + gain * ((x * 3 + y * y) % 17) as f32;
            let picture = GrayImage::from_fn(40, 40, value).unwrap();
            hu_of_grey(&picture, &mask).unwrap()
        };
        close(grey(100.0, 1.0).unwrap(), grey(0.0, 1.0).unwrap(), 1e-9);
        assert_eq!(grey(5.0, 0.0), None);
        let other = GrayImage::from_fn(40, 39, |_, _| 0.0).unwrap();
        assert!(hu_of_grey(&other, &mask).is_err());
        assert_eq!(hu_of_mask(&InstanceMask::empty(3, 3)), None);
    }

    #[test]
    fn the_scale_keeps_sign_and_order() {
        let scaled = log_scaled(&[0.1, 1e-3, -1e-3, 0.0, 1e-20, -1e-20, -1e-12]);
        let want = [11.0, 9.0, -9.0, 0.0, 0.0, 0.0, 0.0];
        for (got, want) in scaled.iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{scaled:?}");
        }
    }
}
