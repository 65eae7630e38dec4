//! Resizing of grey images. Values must equal those of the libraries with which results were
//! published, so both of their bicubic kernels are here.
//!
//! # Source
//! Keys 1981, doi:10.1109/TASSP.1981.1163711, with the slope `a` left free; the choice of
//! `a`, of pixel centres and of the border as PyTorch documents and does it
//! (`torch.nn.functional.interpolate`, `mode="bicubic"`, `align_corners=False`).

use crate::gray::{GrayImage, ImageError};

/// Which of the two bicubic kernels in use resizes an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bicubic {
    /// `a = -0.75`, four taps whatever the sizes, border pixels repeated: `antialias=False`.
    ///
    /// What torchvision did to tensors by default before 0.17.
    Plain,
    /// `a = -0.5`, taps outside the image left out and the others renormalised; the kernel is
    /// widened where the image shrinks: `antialias=True`.
    Antialias,
}

impl Bicubic {
    /// The kernel with this `a`, or `None` where no such kernel is in use.
    #[must_use]
    pub fn from_a(a: f64) -> Option<Self> {
        [Self::Plain, Self::Antialias]
            .into_iter()
            .find(|kernel| kernel.a() == a)
    }

    /// The free parameter `a` of the kernel: its slope at distance 1.
    #[must_use]
    pub fn a(self) -> f64 {
        match self {
            Self::Plain => -0.75,
            Self::Antialias => -0.5,
        }
    }

    /// The kernel at `distance` pixels.
    fn weight(self, distance: f64) -> f64 {
        let (a, x) = (self.a(), distance.abs());
        // The piecewise cubic of Keys, in Horner form.
        if x < 1.0 {
            ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
        } else if x < 2.0 {
            ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
        } else {
            0.0
        }
    }
}

/// `image` resized to `width × height` px.
///
/// Sums run in `f64`, so a result is within one rounding of the exact sum of the stated weights.
///
/// # Errors
/// [`ImageError::Empty`] for a size of zero.
pub fn bicubic(
    image: &GrayImage,
    width: usize,
    height: usize,
    kernel: Bicubic,
) -> Result<GrayImage, ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Empty { width, height });
    }
    let columns = taps(image.width(), width, kernel);
    let rows = taps(image.height(), height, kernel);
    resized(image, &columns, &rows)
}

/// `image` resized to `width × height` px, every pixel the mean of what it covers.
///
/// Where the image grows, a pixel within one of the source keeps its value.
///
/// # Errors
/// [`ImageError::Empty`] for a size of zero.
pub fn mean_over(image: &GrayImage, width: usize, height: usize) -> Result<GrayImage, ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Empty { width, height });
    }
    let columns = covered(image.width(), width);
    let rows = covered(image.height(), height);
    resized(image, &columns, &rows)
}

/// Weighted sums of columns, then of rows.
fn resized(
    image: &GrayImage,
    columns: &[Vec<Tap>],
    rows: &[Vec<Tap>],
) -> Result<GrayImage, ImageError> {
    let (width, height) = (columns.len(), rows.len());
    let mut narrow = Vec::with_capacity(width * image.height());
    for y in 0..image.height() {
        let row = image.row(y);
        let sum = |taps: &Vec<Tap>| -> f64 {
            let products = taps.iter().map(|tap| tap.weight * f64::from(row[tap.from]));
            products.sum()
        };
        narrow.extend(columns.iter().map(sum));
    }
    GrayImage::from_fn(width, height, |x, y| {
        let products = rows[y]
            .iter()
            .map(|tap| tap.weight * narrow[tap.from * width + x]);
        products.sum::<f64>() as f32
    })
}

/// One input pixel of an output pixel.
struct Tap {
    from: usize,
    weight: f64,
}

/// The taps of every output pixel along one axis; their weights sum to one.
fn taps(from_px: usize, to_px: usize, kernel: Bicubic) -> Vec<Vec<Tap>> {
    let ratio = from_px as f64 / to_px as f64;
    (0..to_px)
        .map(|to| {
            // The centre of the output pixel among the centres of the input pixels.
            let centre = (to as f64 + 0.5) * ratio - 0.5;
            match kernel {
                Bicubic::Plain => repeated_border(centre, from_px),
                Bicubic::Antialias => renormalised(centre, ratio.max(1.0), from_px),
            }
        })
        .collect()
}

/// The pixels under every output pixel, by the share of it that they cover.
fn covered(from_px: usize, to_px: usize) -> Vec<Vec<Tap>> {
    let ratio = from_px as f64 / to_px as f64;
    let of_one = |to: usize| {
        let (start, end) = (to as f64 * ratio, (to + 1) as f64 * ratio);
        let last = (end.ceil() as usize).min(from_px);
        (start as usize..last)
            .map(|from| {
                let inside = end.min(from as f64 + 1.0) - start.max(from as f64);
                Tap {
                    from,
                    weight: inside.max(0.0) / ratio,
                }
            })
            .collect()
    };
    (0..to_px).map(of_one).collect()
}

fn repeated_border(centre: f64, from_px: usize) -> Vec<Tap> {
    let last = from_px as f64 - 1.0;
    (-1..=2)
        .map(|offset| {
            let position = centre.floor() + f64::from(offset);
            Tap {
                from: position.clamp(0.0, last) as usize,
                weight: Bicubic::Plain.weight(centre - position),
            }
        })
        .collect()
}

fn renormalised(centre: f64, stretch: f64, from_px: usize) -> Vec<Tap> {
    let last = from_px as f64 - 1.0;
    let first = (centre - 2.0 * stretch).ceil().max(0.0) as usize;
    let end = (centre + 2.0 * stretch).floor().min(last) as usize + 1;
    let weight = |from: usize| Bicubic::Antialias.weight((from as f64 - centre) / stretch);
    let total: f64 = (first..end).map(weight).sum();
    (first..end)
        .map(|from| Tap {
            from,
            weight: weight(from) / total,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> GrayImage {
        GrayImage::from_fn(width, height, |x, y| (x * x + 3 * y) as f32).expect("a valid size")
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let image = ramp(7, 5);
        for kernel in [Bicubic::Plain, Bicubic::Antialias] {
            assert_eq!(bicubic(&image, 7, 5, kernel), Ok(image.clone()));
        }
    }

    /// Pillow 13.0.0, `Image.resize((n, 1), BICUBIC)` in mode F, which is the kernel `Antialias`.
    #[test]
    fn a_parabola_agrees_with_pillow() {
        let larger = [
            -0.088_235_3,
            0.124_087_594,
            0.572_519_06,
            1.5625,
            3.0625,
            5.312_977_3,
            8.116_788,
            9.441_176,
        ];
        let smaller = [0.810_828_3, 10.501_284, 33.793_205, 67.402_28];
        for (from, expected) in [(4, &larger[..]), (10, &smaller)] {
            let got = bicubic(&ramp(from, 1), expected.len(), 1, Bicubic::Antialias);
            let got = got.expect("a valid size");
            assert_close(got.pixels(), expected, 9.0, "a row");
        }
    }

    /// Twice the size puts every output pixel a quarter of a pixel beside an input pixel, where
    /// the weights for a = −0.75 are 225/256, 67/256, −27/256 and −9/256.
    #[test]
    fn a_point_shows_the_weights_of_the_plain_kernel() {
        let point = GrayImage::from_fn(5, 1, |x, _| if x == 2 { 256.0 } else { 0.0 });
        let row = bicubic(&point.expect("a size"), 10, 1, Bicubic::Plain).expect("a size");
        let expected = [0.0, -9.0, -27.0, 67.0, 225.0, 225.0, 67.0, -27.0, -9.0, 0.0];
        assert_eq!(row.pixels(), expected);
    }

    #[test]
    fn no_size_is_an_error() {
        let error = bicubic(&ramp(4, 4), 0, 8, Bicubic::Plain).expect_err("no column");
        assert_eq!(error.to_string(), "an image of 0 × 8 px has no pixel");
        assert_eq!(Bicubic::from_a(-0.5), Some(Bicubic::Antialias));
        assert_eq!(Bicubic::from_a(-1.0), None);
    }

    /// Differs by a millionth of `range` at most.
    fn assert_close(got: &[f32], expected: &[f32], range: f32, what: &str) {
        assert_eq!(got.len(), expected.len(), "{what}");
        let worst = got
            .iter()
            .zip(expected)
            .map(|(got, expected)| (got - expected).abs())
            .fold(0.0, f32::max);
        assert!(worst <= 1e-6 * range, "{what}: {worst} of {range}");
    }

    #[test]
    fn a_mean_over_what_is_covered() {
        let image = GrayImage::new(3, 1, vec![0.0, 3.0, 6.0]).expect("three pixels");
        let half = mean_over(&image, 2, 1).expect("two pixels");
        // The first covers 0 and half of 3, over 1.5 pixels.
        assert_eq!(half.pixels(), [1.0, 5.0]);
        assert_eq!(mean_over(&image, 3, 1).expect("as it was"), image);
        let grown = mean_over(&image, 6, 2).expect("a larger one");
        assert_eq!(grown.row(1), [0.0, 0.0, 3.0, 3.0, 6.0, 6.0]);
        assert!(mean_over(&image, 0, 1).is_err());
    }
}
