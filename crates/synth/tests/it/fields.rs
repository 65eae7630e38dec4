//! Every kind of field: what the deformed picture shows at `x + u(x)` is what the reference shows
//! at `x`.

use retrial_core::displacement::Displacement;
use retrial_image::GrayImage;
use retrial_seed::Seed;
use retrial_synth::{
    Camera, Exposure, Profile, SeriesPlan, SpecklePattern, SpeckleScene, render_series,
};

const SIZE: usize = 120;
const FULL: f64 = 65_535.0;

/// Speckles so large that pictures of them can be interpolated to 1e-5 of full scale.
fn smooth() -> SpecklePattern {
    SpecklePattern {
        spacing_px: 16.0,
        radius_px: 6.0,
        radius_spread: 0.2,
        ..SpecklePattern::default()
    }
}

fn pair(pattern: SpecklePattern, field: Displacement) -> [GrayImage; 2] {
    let plan = SeriesPlan {
        width_px: SIZE,
        height_px: SIZE,
        pattern,
        camera: Camera {
            bits: 16,
            dark: 0.0,
            bright: 1.0,
            ..Camera::default()
        },
        images: vec![(field, Exposure::default())],
    };
    let pictures = render_series(&plan, Seed(7)).expect("a series");
    <[GrayImage; 2]>::try_from(pictures).expect("two pictures")
}

/// A picture between its pixels, by Lagrange's polynomial through six pixels along each axis.
fn between(image: &GrayImage, x: f64, y: f64) -> Option<f64> {
    let weights = |t: f64| -> Option<(usize, [f64; 6])> {
        let first = t.floor() - 2.0;
        if first < 0.0 || first as usize + 5 >= SIZE {
            return None;
        }
        let mut out = [1.0; 6];
        for (i, weight) in out.iter_mut().enumerate() {
            for j in (0..6).filter(|j| *j != i) {
                *weight *= (t - first - j as f64) / (i as f64 - j as f64);
            }
        }
        Some((first as usize, out))
    };
    let ((x0, wx), (y0, wy)) = (weights(x)?, weights(y)?);
    let mut sum = 0.0;
    for (j, wy) in wy.iter().enumerate() {
        for (i, wx) in wx.iter().enumerate() {
            sum += wx * wy * f64::from(image.pixels()[(y0 + j) * SIZE + x0 + i]);
        }
    }
    Some(sum / FULL)
}

/// The largest difference of `g(x + u(x))` and `f(x)`, as a fraction of full scale, over points
/// that `counts` takes, and how many they were.
fn mismatch(
    [f, g]: &[GrayImage; 2],
    field: &Displacement,
    counts: impl Fn(f64, f64) -> bool,
) -> (f64, usize) {
    let (mut worst, mut points) = (0.0_f64, 0);
    for (i, value) in f.pixels().iter().enumerate() {
        let (x, y) = ((i % SIZE) as f64, (i / SIZE) as f64);
        let (u, v) = field.at(x, y);
        if !counts(x, y) {
            continue;
        }
        if let Some(moved) = between(g, x + u, y + v) {
            worst = worst.max((moved - f64::from(*value) / FULL).abs());
            points += 1;
        }
    }
    (worst, points)
}

/// Rigid fields turn the area of a pixel at most; others stretch it, so that a picture's pixels
/// average over another area of the pattern: `(λ² − 1)/24` of its second derivative.
#[test]
fn the_deformed_picture_shows_every_point_where_the_field_puts_it() {
    let (cx, cy) = (60.0, 60.0);
    let translation = |u, v| Displacement::Translation { u, v };
    let rotation = |angle_deg| Displacement::Rotation { angle_deg, cx, cy };
    let affine = |u0, ux, uy, vx, vy| Displacement::Affine {
        u0,
        v0: -u0,
        ux,
        uy,
        vx,
        vy,
        cx,
        cy,
    };
    let sinusoid = |au, period_px| Displacement::Sinusoid {
        au,
        av: -0.5 * au,
        period_px,
        phase: 0.3,
    };
    let star = Displacement::Star {
        amplitude: 0.5,
        cy: 60.0,
        period_left: 20.0,
        period_slope: 0.2,
    };
    for (field, most) in [
        (translation(0.37, -0.81), 1e-4),
        (translation(-20.5, 33.25), 1e-4),
        (rotation(10.0), 1e-4),
        (rotation(170.0), 1e-4),
        (affine(0.4, 0.01, 0.002, -0.003, -0.005), 1e-4),
        (affine(1.0, 0.3, 0.0, 0.0, -0.09), 2e-3),
        (affine(0.0, 1.26, 0.0, 0.0, -0.4), 1e-2),
        (sinusoid(0.5, 64.0), 5e-4),
        (sinusoid(4.0, 90.0), 2e-3),
        (star, 1e-3),
    ] {
        let pictures = pair(smooth(), field.clone());
        let (worst, points) = mismatch(&pictures, &field, |_, _| true);
        assert!(points > 2000, "{field:?}: {points} points");
        assert!(worst < most, "{field:?}: {worst}");
        // The measure would notice a hundredth of a pixel where the tolerance is 1e-4.
        if most <= 1e-4 {
            let wrong = match field {
                Displacement::Translation { u, v } => translation(u + 0.01, v),
                _ => continue,
            };
            assert!(mismatch(&pictures, &wrong, |_, _| true).0 > 5.0 * most);
        }
    }
}

#[test]
fn halves_move_apart_and_are_each_as_they_were() {
    let step = Displacement::Step {
        u: 0.0,
        v: 0.5,
        y0: 60.0,
    };
    let crack = |angle_deg, opening, sliding| Displacement::Crack {
        angle_deg,
        cx: 60.0,
        cy: 60.0,
        opening,
        sliding,
    };
    for field in [
        step,
        crack(30.0, 3.3, 1.2),
        crack(90.0, 1.0, -0.4),
        crack(-50.0, 0.0, 2.5),
    ] {
        let pictures = pair(smooth(), field.clone());
        let jump = field.jump().expect("torn");
        // Six pixels around the point must lie on one side.
        let clear = |x: f64, y: f64| jump.side(x, y).abs() > 5.0;
        let (worst, points) = mismatch(&pictures, &field, clear);
        assert!(points > 5000, "{field:?}: {points} points");
        assert!(worst < 1e-4, "{field:?}: {worst}");
        // The half that stays is the same to the last bit.
        for (i, (f, g)) in pictures[0]
            .pixels()
            .iter()
            .zip(pictures[1].pixels())
            .enumerate()
        {
            if jump.side((i % SIZE) as f64, (i / SIZE) as f64) < -1.0 {
                assert_eq!(f, g, "{field:?}");
            }
        }
    }
}

/// On a white plane the dark gap is all there is: a column loses as much light as the gap is high.
#[test]
fn a_gap_is_as_wide_as_its_opening_and_its_edges_are_smooth() {
    let white = SpecklePattern {
        spacing_px: 1000.0,
        jitter: 0.0,
        radius_px: 1.0,
        ..SpecklePattern::default()
    };
    for (angle_deg, opening) in [
        (0.0, 0.4),
        (0.0, 2.7),
        (25.0, 0.4),
        (25.0, 2.7),
        (-40.0, 5.0),
    ] {
        let field = Displacement::Crack {
            angle_deg,
            cx: 60.0,
            cy: 60.3,
            opening,
            sliding: 0.7,
        };
        let [whole, torn] = pair(white.clone(), field);
        assert!(whole.pixels().iter().all(|value| f64::from(*value) == FULL));
        let height: f64 = opening / angle_deg.to_radians().cos();
        for x in 30..90 {
            let column = (0..SIZE).map(|y| 1.0 - f64::from(torn.pixels()[y * SIZE + x]) / FULL);
            let found: f64 = column.sum();
            assert!(
                (found - height).abs() < 0.07,
                "{angle_deg} {opening} {x}: {found}"
            );
        }
        if angle_deg != 0.0 {
            let grey = |value: &&f32| **value > 0.0 && f64::from(**value) < FULL;
            assert!(torn.pixels().iter().filter(grey).count() > 100);
        }
    }
}

/// The accuracy that `render` states, against 24 × 24 samples a pixel.
#[test]
fn pixels_integrate_the_pattern() {
    let field = Displacement::Affine {
        u0: 0.3,
        v0: -0.2,
        ux: 0.05,
        uy: 0.01,
        vx: -0.02,
        vy: -0.03,
        cx: 60.0,
        cy: 60.0,
    };
    for (profile, most) in [(Profile::Gaussian, 2e-4), (Profile::Disc, 0.05)] {
        let pattern = SpecklePattern {
            profile,
            ..SpecklePattern::default()
        };
        let scene = SpeckleScene::draw(&pattern, Seed(7), (-20.0, -20.0), (150.0, 150.0));
        let scene = scene.expect("a scene");
        let [_, picture] = pair(pattern, field.clone());
        let (mut worst, mut squares) = (0.0_f64, 0.0);
        for (x, y) in (20..100)
            .step_by(3)
            .flat_map(|x| (20..100).step_by(3).map(move |y| (x, y)))
        {
            let mut sum = 0.0;
            for (i, j) in (0..24).flat_map(|i| (0..24).map(move |j| (i, j))) {
                let at = |pixel: usize, i: i32| pixel as f64 + (f64::from(i) + 0.5) / 24.0 - 0.5;
                let (rx, ry) = field.reference_position(at(x, i), at(y, j));
                sum += scene.intensity(rx, ry) / 576.0;
            }
            let error = f64::from(picture.pixels()[y * SIZE + x]) / FULL - sum;
            worst = worst.max(error.abs());
            squares += error * error;
        }
        let rms = (squares / 729.0_f64).sqrt();
        assert!(
            worst < most && rms < most / 4.0,
            "{profile:?}: {worst} {rms}"
        );
    }
}
