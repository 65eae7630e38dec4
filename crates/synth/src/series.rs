//! A whole series: one scene, one reference picture and its deformed pictures.

use retrial_core::displacement::Displacement;
use retrial_image::GrayImage;
use retrial_seed::Seed;

use crate::camera::{Camera, Exposure};
use crate::render::{SynthError, render};
use crate::speckle::{SpecklePattern, SpeckleScene};

/// What a series is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesPlan {
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// The pattern.
    pub pattern: SpecklePattern,
    /// The camera.
    pub camera: Camera,
    /// The displacement and the exposure of every deformed picture, in order.
    pub images: Vec<(Displacement, Exposure)>,
}

/// Renders the reference picture and every deformed picture, the reference first.
///
/// The pattern comes from the stream names of `seed` that [`SpeckleScene::draw`] uses, the noise
/// of picture `i` (0 is the reference) from the stream `noise i`: a picture more or less changes
/// no other.
///
/// # Errors
/// As [`SpeckleScene::draw`] and [`render`].
pub fn render_series(plan: &SeriesPlan, seed: Seed) -> Result<Vec<GrayImage>, SynthError> {
    let size = (plan.width_px, plan.height_px);
    let still = Displacement::Translation { u: 0.0, v: 0.0 };
    let first = (still, Exposure::default());
    let pictures: Vec<_> = std::iter::once(&first).chain(&plan.images).collect();
    let (low, high) = seen(&pictures, size);
    let scene = SpeckleScene::draw(&plan.pattern, seed, low, high)?;
    pictures
        .iter()
        .enumerate()
        .map(|(i, (displacement, exposure))| {
            let mut noise = seed.stream(&format!("noise {i}"));
            render(
                &scene,
                displacement,
                size,
                &plan.camera,
                *exposure,
                &mut noise,
            )
        })
        .collect()
}

/// The part of the reference plane that the pictures show, from a coarse grid with a margin.
fn seen(
    pictures: &[&(Displacement, Exposure)],
    (width, height): (usize, usize),
) -> ((f64, f64), (f64, f64)) {
    let (mut low, mut high) = ((0.0_f64, 0.0_f64), (width as f64, height as f64));
    for (displacement, _) in pictures {
        for i in 0..=16 {
            for j in 0..=16 {
                let x = width as f64 * f64::from(i) / 16.0 - 0.5;
                let y = height as f64 * f64::from(j) / 16.0 - 0.5;
                let (rx, ry) = displacement.reference_position(x, y);
                low = (low.0.min(rx), low.1.min(ry));
                high = (high.0.max(rx), high.1.max(ry));
            }
        }
    }
    // Between the points of the grid a wave may reach further; every field here is bounded by a
    // few pixels beyond its linear part.
    ((low.0 - 16.0, low.1 - 16.0), (high.0 + 16.0, high.1 + 16.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use retrial_core::hash::FieldHasher;

    fn plan(images: Vec<(Displacement, Exposure)>) -> SeriesPlan {
        SeriesPlan {
            width_px: 96,
            height_px: 80,
            pattern: SpecklePattern::default(),
            camera: Camera {
                read_noise: 1.5,
                ..Camera::default()
            },
            images,
        }
    }

    fn shift(u: f64) -> (Displacement, Exposure) {
        (Displacement::Translation { u, v: -u }, Exposure::default())
    }

    #[test]
    fn one_more_picture_changes_no_other() {
        let short = render_series(&plan(vec![shift(0.25)]), Seed(9)).expect("a series");
        let long = render_series(&plan(vec![shift(0.25), shift(7.0)]), Seed(9)).expect("a series");
        assert_eq!(short[..], long[..2]);
        assert_ne!(short[0], short[1]);
    }

    /// The hash fails when the generator's numbers change: then every generated data set and
    /// every record made from one is out of date, so bump the manifests' digests in the open.
    #[test]
    fn golden_hash() {
        let wave = Displacement::Sinusoid {
            au: 0.4,
            av: 0.2,
            period_px: 40.0,
            phase: 0.3,
        };
        let bright = Exposure {
            gain: 1.1,
            offset: 4.0,
        };
        let images = render_series(&plan(vec![shift(0.5), (wave, bright)]), Seed(1)).expect("ok");
        let mut hasher = FieldHasher::new("golden");
        for image in &images {
            let bytes: Vec<u8> = image.pixels().iter().map(|&value| value as u8).collect();
            hasher.field(&bytes);
        }
        assert_eq!(hasher.short(), "d56b788bd178");
    }
}
