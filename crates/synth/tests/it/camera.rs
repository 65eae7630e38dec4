//! Converter, noise and blur of a series are as stated.

use retrial_core::displacement::Displacement;
use retrial_image::GrayImage;
use retrial_seed::Seed;
use retrial_synth::{Camera, Exposure, SeriesPlan, SpecklePattern, render_series};

const SIZE: usize = 160;

fn series(camera: Camera, seed: u64) -> Vec<GrayImage> {
    let still = Displacement::Translation { u: 0.0, v: 0.0 };
    let plan = SeriesPlan {
        width_px: SIZE,
        height_px: SIZE,
        pattern: SpecklePattern::default(),
        camera,
        images: vec![(still, Exposure::default())],
    };
    render_series(&plan, Seed(seed)).expect("a series")
}

fn camera(bits: u32) -> Camera {
    Camera {
        bits,
        ..Camera::default()
    }
}

/// The same picture at three depths differs by half a step of the coarser one at most.
#[test]
fn levels_are_whole_and_their_step_is_that_of_the_bits() {
    let fine = &series(camera(16), 3)[0];
    for bits in [8, 12, 16] {
        let most = f64::from((1_u32 << bits) - 1);
        let picture = &series(camera(bits), 3)[0];
        let mut seen: Vec<f32> = picture.pixels().to_vec();
        for (value, exact) in picture.pixels().iter().zip(fine.pixels()) {
            let value = f64::from(*value);
            assert!(value.fract() == 0.0 && (0.0..=most).contains(&value));
            let error = (value / most - f64::from(*exact) / 65_535.0).abs();
            assert!(
                error <= 0.5 / most + 0.5 / 65_535.0 + 1e-12,
                "{bits}: {error}"
            );
        }
        seen.sort_unstable_by(f32::total_cmp);
        seen.dedup();
        // A pattern this large takes nearly every level of 8 bits, and many more of 12.
        assert!(
            seen.len() > [150, 1500, 8000][bits as usize / 4 - 2],
            "{}",
            seen.len()
        );
        let range = f64::from(seen[seen.len() - 1]) / most;
        assert!((range - 0.85).abs() < 0.01, "{range}");
    }
}

#[test]
fn noise_is_as_strong_as_stated_new_in_every_picture_and_repeats_with_the_seed() {
    for bits in [8, 12, 16] {
        let noisy = Camera {
            read_noise: 4.0,
            shot_noise: 0.02,
            ..camera(bits)
        };
        let clean = series(camera(bits), 3);
        let [first, second] = &series(noisy.clone(), 3)[..] else {
            panic!("two pictures");
        };
        let (mut sum, mut squares, mut expected, mut product) = (0.0, 0.0, 0.0, 0.0);
        let pixels = clean[0]
            .pixels()
            .iter()
            .zip(first.pixels())
            .zip(second.pixels());
        let mut count = 0.0;
        for ((clean, first), second) in pixels {
            let noise = f64::from(*first) - f64::from(*clean);
            sum += noise;
            squares += noise * noise;
            product += noise * (f64::from(*second) - f64::from(*clean));
            // Rounding of both pictures adds a twelfth each.
            expected += 16.0 + 0.02 * f64::from(*clean) + 1.0 / 6.0;
            count += 1.0;
        }
        assert!(
            (squares / expected - 1.0).abs() < 0.03,
            "{bits}: {squares} {expected}"
        );
        let deviation = f64::sqrt(expected / count);
        assert!(
            (sum / count).abs() < 4.0 * deviation / f64::sqrt(count),
            "{bits}: {sum}"
        );
        let correlation = product / squares;
        assert!(
            correlation.abs() < 4.0 / f64::sqrt(count),
            "{bits}: {correlation}"
        );
        assert_eq!(series(noisy.clone(), 3)[1], *second);
        assert_ne!(series(noisy, 4)[0], *first);
    }
}

/// A Gaussian blur of a bright edge: the edge's slope is that of the error function.
#[test]
fn blur_widens_by_its_stated_deviation() {
    let gradient = |image: &GrayImage| -> f64 {
        let squares = (1..SIZE * SIZE).filter(|i| i % SIZE != 0).map(|i| {
            let step = f64::from(image.pixels()[i]) - f64::from(image.pixels()[i - 1]);
            step * step
        });
        squares.sum()
    };
    let sharp = series(camera(16), 3);
    let soft = series(
        Camera {
            blur_px: 1.0,
            ..camera(16)
        },
        3,
    );
    // Blurring in the camera equals blurring the sharp picture with a sampled Gaussian.
    let weight = |i: i64| (-0.5 * (i * i) as f64).exp();
    let norm: f64 = (-4..=4).map(weight).sum();
    for (x, y) in [(40_i64, 50_i64), (80, 80), (101, 33)] {
        let mut sum = 0.0;
        for (dx, dy) in (-4..=4).flat_map(|dx| (-4..=4).map(move |dy| (dx, dy))) {
            let value = sharp[0].pixels()[((y + dy) * SIZE as i64 + x + dx) as usize];
            sum += weight(dx) * weight(dy) / (norm * norm) * f64::from(value);
        }
        let found = f64::from(soft[0].pixels()[(y * SIZE as i64 + x) as usize]);
        assert!((found - sum).abs() < 1.0, "{found} {sum}");
    }
    assert!(gradient(&soft[0]) < 0.5 * gradient(&sharp[0]));
}
