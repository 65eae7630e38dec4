//! One picture of a deformed scene: every pixel integrates the analytic pattern at the exact
//! reference positions of its area, so no interpolation error enters the truth.

use rayon::prelude::*;
use retrial_core::displacement::Displacement;
use retrial_image::{GrayImage, ImageError};
use retrial_seed::Stream;
use thiserror::Error;

use crate::camera::{Camera, Exposure};
use crate::inverse::LocalInverse;
use crate::quadrature::{even_samples, pixel_samples};
use crate::speckle::SpeckleScene;

/// Why nothing could be generated.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SynthError {
    /// A number of the pattern outside its range.
    #[error("`{name}` is {value}, outside {least}..={most}")]
    Pattern {
        /// Which number.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Least value allowed.
        least: f64,
        /// Largest value allowed.
        most: f64,
    },
    /// More speckles than any picture needs.
    #[error("the pattern would hold {speckles} speckles, at most 4000000 are drawn")]
    TooLarge {
        /// Speckles asked for.
        speckles: i64,
    },
    /// A displacement that leads further than any picture shows.
    #[error(
        "a displacement leads {reach_px:e} px away, at most {most_px:e} px are drawn; look for a gradient that is too large"
    )]
    TooFar {
        /// Farthest place that is shown, px.
        reach_px: f64,
        /// Largest distance drawn, px.
        most_px: f64,
    },
    /// So many speckles over every pixel that drawing takes for ever.
    #[error(
        "`radius_px` is {radius_px} at a `spacing_px` of {spacing_px}: every pixel would sum {speckles:.0} speckles, at most {most} are summed; use a smaller radius or a larger spacing"
    )]
    TooDense {
        /// Mean radius, px.
        radius_px: f64,
        /// Side of a cell, px.
        spacing_px: f64,
        /// Speckles near a pixel.
        speckles: f64,
        /// Largest number of them.
        most: f64,
    },
    /// A converter that does not exist.
    #[error("a camera of {bits} bits, only 8, 12 and 16 are known")]
    Bits {
        /// Bits asked for.
        bits: u32,
    },
    /// A picture without size.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Samples along each side of a pixel that a torn field may cross.
const EDGE_SAMPLES: u32 = 16;

/// Renders `scene` after `displacement` as `camera` would see it, in grey levels.
///
/// A pixel is the mean of the pattern over its area, before rounding within 1e-4 of full scale for
/// Gaussian speckles of the default pattern, and for discs within 0.04 where an edge crosses it.
///
/// `noise` is used up only where the camera has noise. The result does not depend on the number
/// of threads: rows are rendered alone and the noise is added afterwards, in order.
///
/// # Errors
/// [`SynthError::Bits`] and [`SynthError::Image`].
pub fn render(
    scene: &SpeckleScene,
    displacement: &Displacement,
    (width, height): (usize, usize),
    camera: &Camera,
    exposure: Exposure,
    noise: &mut Stream,
) -> Result<GrayImage, SynthError> {
    if !matches!(camera.bits, 8 | 12 | 16) {
        return Err(SynthError::Bits { bits: camera.bits });
    }
    let (inside, edge) = (pixel_samples(scene.profile()), even_samples(EDGE_SAMPLES));
    let jump = displacement.jump();
    let mut values = vec![0.0_f64; width.saturating_mul(height)];
    if width == 0 || height == 0 {
        return Err(ImageError::Empty { width, height }.into());
    }
    values
        .par_chunks_mut(width)
        .enumerate()
        .for_each(|(y, row)| {
            for (x, value) in row.iter_mut().enumerate() {
                let (x, y) = (x as f64, y as f64);
                let inverse = LocalInverse::new(displacement, x, y);
                // Half the diagonal of a pixel is 0.71 px.
                let torn = jump.is_some_and(|jump| jump.edge_distance(x, y) < 0.75);
                *value = if torn { &edge } else { &inside }
                    .iter()
                    .map(|sample| {
                        let (x, y) = (x + sample.dx, y + sample.dy);
                        // A gap between two halves is dark.
                        if jump.is_some_and(|jump| jump.is_gap(x, y)) {
                            return 0.0;
                        }
                        let (rx, ry) = inverse.at(x, y);
                        sample.weight * scene.intensity(rx, ry)
                    })
                    .sum();
            }
        });
    camera.expose(exposure, width, &mut values, noise);
    let pixels = values.into_iter().map(|value| value as f32).collect();
    Ok(GrayImage::new(width, height, pixels)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speckle::SpecklePattern;
    use retrial_seed::Seed;

    fn picture(u: f64, v: f64) -> GrayImage {
        let scene = SpeckleScene::draw(
            &SpecklePattern::default(),
            Seed(3),
            (-10.0, -10.0),
            (80.0, 80.0),
        )
        .expect("a scene");
        let camera = Camera {
            bits: 16,
            ..Camera::default()
        };
        let mut noise = Seed(0).stream("unused");
        let field = Displacement::Translation { u, v };
        render(
            &scene,
            &field,
            (64, 48),
            &camera,
            Exposure::default(),
            &mut noise,
        )
        .expect("a picture")
    }

    #[test]
    fn a_shift_by_whole_pixels_moves_every_pixel() {
        let (still, moved) = (picture(0.0, 0.0), picture(2.0, 3.0));
        for y in 3..48 {
            for x in 2..64 {
                assert_eq!(moved.get(x, y), still.get(x - 2, y - 3), "({x}, {y})");
            }
        }
    }

    #[test]
    fn the_pixel_integral_agrees_with_a_fine_sum() {
        // Independent of the quadrature: 40 × 40 samples of the same analytic pattern.
        let scene = SpeckleScene::draw(
            &SpecklePattern::default(),
            Seed(3),
            (-10.0, -10.0),
            (80.0, 80.0),
        )
        .expect("a scene");
        let (still, full) = (picture(0.0, 0.0), 65535.0);
        for (x, y) in [(5_usize, 7_usize), (20, 31), (63, 47)] {
            let mut sum = 0.0;
            for i in 0..40 {
                for j in 0..40 {
                    let offset = |k: i32| (f64::from(k) + 0.5) / 40.0 - 0.5;
                    sum += scene.intensity(x as f64 + offset(i), y as f64 + offset(j));
                }
            }
            let expected = full * (0.1 + 0.75 * sum / 1600.0);
            let got = f64::from(still.get(x, y).expect("inside"));
            assert!((got - expected).abs() < 25.0, "{got} {expected}");
        }
    }

    #[test]
    fn centroid_of_one_disc_follows_the_displacement() {
        let pattern = SpecklePattern {
            profile: crate::speckle::Profile::Disc,
            spacing_px: 64.0,
            jitter: 0.0,
            radius_px: 9.0,
            radius_spread: 0.0,
        };
        let scene =
            SpeckleScene::draw(&pattern, Seed(0), (0.0, 0.0), (63.0, 63.0)).expect("a scene");
        let camera = Camera {
            bits: 16,
            ..Camera::default()
        };
        let centroid = |field: &Displacement| {
            let mut noise = Seed(0).stream("unused");
            let image = render(
                &scene,
                field,
                (64, 64),
                &camera,
                Exposure::default(),
                &mut noise,
            )
            .expect("a picture");
            let (mut sx, mut sy, mut weight) = (0.0, 0.0, 0.0);
            for y in 0..64 {
                for x in 0..64 {
                    let dark = 65535.0 * 0.85 - f64::from(image.get(x, y).expect("inside"));
                    sx += dark * x as f64;
                    sy += dark * y as f64;
                    weight += dark;
                }
            }
            (sx / weight, sy / weight)
        };
        let (x, y) = centroid(&Displacement::Translation { u: 0.37, v: -1.21 });
        assert!(
            (x - 32.37).abs() < 0.005 && (y - 30.79).abs() < 0.005,
            "{x} {y}"
        );
        let turn = Displacement::Rotation {
            angle_deg: 90.0,
            cx: 30.0,
            cy: 28.0,
        };
        // Clockwise on the screen: (2, 4) from the centre turns to (-4, 2).
        let (u, v) = turn.at(32.0, 32.0);
        assert!((u + 6.0).abs() < 1e-9 && (v + 2.0).abs() < 1e-9);
    }
}
