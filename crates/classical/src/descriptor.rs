//! The numbers that describe a region: its shape, its grey values and its place.

use retrial_image::{GrayImage, InstanceMask};

use crate::ClassicalError;
use crate::moments::{hu_of_grey, hu_of_mask, log_scaled};

/// Number of values that [`describe`] gives.
pub const DESCRIPTORS: usize = 7 + 7 + 7;

/// Describes the part of a picture inside a mask; `None` for an empty mask.
///
/// Seven moment invariants of the shape and seven of the grey values on a logarithmic scale; then
/// logarithm of the area as a share of the picture, logarithm of height over width of the box, the
/// share of the box that is inside, the middle of the box as shares of the picture, and mean and
/// standard deviation inside, in standard deviations of the picture from its mean.
///
/// # Errors
/// [`ClassicalError::MaskSize`].
pub fn describe(
    picture: &GrayImage,
    mask: &InstanceMask,
) -> Result<Option<[f64; DESCRIPTORS]>, ClassicalError> {
    // Without contrast there is no grey moment, and all of its invariants count as nothing.
    let grey = hu_of_grey(picture, mask)?.unwrap_or_default();
    let (Some(shape), Some([x0, y0, x1, y1])) = (hu_of_mask(mask), mask.bounds()) else {
        return Ok(None);
    };
    let (height, width) = (picture.height() as f64, picture.width() as f64);
    let area = mask.area() as f64;
    let (mean, deviation) = mean_and_deviation(picture.pixels().iter().copied());
    let inside = picture.pixels().iter().zip(mask.inside());
    let (own_mean, own_deviation) =
        mean_and_deviation(inside.filter(|(_, is)| **is).map(|(value, _)| *value));
    let unit = if deviation > 0.0 { deviation } else { 1.0 };
    let rest = [
        (area / (height * width)).ln(),
        ((y1 - y0) / (x1 - x0)).ln(),
        area / ((y1 - y0) * (x1 - x0)),
        (x0 + x1) / (2.0 * width),
        (y0 + y1) / (2.0 * height),
        (own_mean - mean) / unit,
        own_deviation / unit,
    ];
    let mut described = [0.0; DESCRIPTORS];
    let all = log_scaled(&shape).into_iter().chain(log_scaled(&grey));
    for (place, value) in described.iter_mut().zip(all.chain(rest)) {
        *place = value;
    }
    Ok(Some(described))
}

fn mean_and_deviation(values: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / n;
    let squares = values.map(|value| (f64::from(value) - mean).powi(2));
    (mean, (squares.sum::<f64>() / n).sqrt())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn place_and_values_by_hand() {
        // The left half is 2, the right half 6, and the mask has two pixels of each.
        let picture = GrayImage::from_fn(8, 4, |x, _| if x < 4 { 2.0 } else { 6.0 }).unwrap();
        let inside = |at: usize| (2..6).contains(&(at % 8)) && at / 8 == 1;
        let mask = InstanceMask::new(4, 8, (0..32).map(inside).collect()).unwrap();
        let got = describe(&picture, &mask).unwrap().unwrap();
        let want = [(0.125_f64).ln(), (0.25_f64).ln(), 1.0, 0.5, 0.375, 0.0, 1.0];
        for (got, want) in got[14..].iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
        // A row of four: η20 = 5 / 16, and the rest of its shape follows from that alone.
        assert!((got[0] - (5.0_f64 / 16.0).log10() - 12.0).abs() < 1e-12);
        assert_eq!(describe(&picture, &InstanceMask::empty(4, 8)), Ok(None));
        assert!(describe(&picture, &InstanceMask::empty(8, 4)).is_err());
    }
}
