//! Stated uncertainties of subsets in which not all pixels move as one shape function says, with residuals too small
//! to fail the correlation.

use retrial_core::displacement::Displacement;
use retrial_dic::{
    Field, Guess, NoiseLevel, PointResult, PointUncertainty, Settings, ShapeOrder, correlate,
    prepare, sensitivity, uncertainty,
};
use retrial_image::GrayImage;

use crate::split::{cracked, side};
use crate::support::{Speckle, noisy};

const SIZE: usize = 240;
const NOISE: f64 = 2.0;

fn measured(
    first: &GrayImage,
    second: &GrayImage,
    settings: &Settings,
) -> (Field, Vec<Option<PointUncertainty>>) {
    let reference = prepare(first, None, settings).expect("valid settings");
    let known = sensitivity(&reference).expect("valid settings");
    let mut found = correlate(&reference, second, Guess::Phase).expect("one size");
    let stated = uncertainty(&known, &mut found, NoiseLevel::Residual).expect("one field");
    (found, stated)
}

/// Errors of points by what was stated of them.
#[derive(Debug, Default)]
struct Coverage {
    points: f64,
    /// Shares within 1.96 standard uncertainties, of `u` and of `v`.
    within: [f64; 2],
    /// The largest error over what was stated.
    largest: f64,
    /// The mean uncertainty, and without what the shape function does not follow.
    mean: f64,
    by_noise: f64,
}

fn coverage(
    (found, stated): &(Field, Vec<Option<PointUncertainty>>),
    truth: impl Fn(f64, f64) -> (f64, f64),
    is_chosen: impl Fn(&PointResult) -> bool,
) -> Coverage {
    let mut out = Coverage::default();
    for (point, one) in found.points.iter().zip(stated) {
        let Some(one) = one.filter(|_| is_chosen(point)) else {
            continue;
        };
        let (u, v) = truth(point.x as f64, point.y as f64);
        let ratios = [(point.u() - u) / one.u, (point.v() - v) / one.v];
        for (within, ratio) in out.within.iter_mut().zip(ratios) {
            *within += f64::from(u8::from(ratio.abs() <= 1.96));
            out.largest = out.largest.max(ratio.abs());
        }
        let (of_u, _) = one.misfit.unwrap_or_default();
        out.mean += one.u;
        out.by_noise += (one.u * one.u - of_u * of_u).sqrt();
        out.points += 1.0;
    }
    out.within = out.within.map(|within| within / out.points);
    (out.mean, out.by_noise) = (out.mean / out.points, out.by_noise / out.points);
    out
}

fn settings(subset_size_px: usize) -> Settings {
    Settings::default()
        .with_side_px(subset_size_px)
        .with_step_px(5)
}

/// A specimen that is pulled, and beside it a roller that stands still; each pixel by the part of it that the specimen
/// covers.
#[test]
fn a_roller_beside_the_specimen_is_part_of_the_uncertainty() {
    const EDGE: f64 = 160.5;
    let pull = Displacement::Affine {
        u0: 0.0,
        v0: 0.0,
        ux: -0.01,
        uy: 0.0,
        vx: 0.0,
        vy: 0.04,
        cx: 60.0,
        cy: 120.0,
    };
    let truth = |x: f64, y: f64| match x < EDGE {
        true => pull.at(x, y),
        false => (0.0, 0.0),
    };
    let (mut within, mut cases) = ([0.0; 2], 0.0);
    for (subset_size_px, seed) in [
        (21, 3),
        (21, 4),
        (21, 6),
        (31, 5),
        (31, 9),
        (41, 7),
        (41, 8),
    ] {
        let speckle = Speckle::new(SIZE, SIZE, seed);
        let roller = Speckle::new(SIZE, SIZE, seed + 100);
        let scene = |moved: Option<&Displacement>, noise: u32| {
            let clean = GrayImage::from_fn(SIZE, SIZE, |x, y| {
                let (x, y) = (x as f64, y as f64);
                let at = moved.map_or((x, y), |moved| moved.reference_position(x, y));
                let cover = (EDGE - at.0 + 0.5).clamp(0.0, 1.0);
                (cover * speckle.value(at.0, at.1) + (1.0 - cover) * roller.value(x, y)) as f32
            });
            noisy(&clean.expect("a valid size"), 1.0, noise, NOISE)
        };
        let found = measured(
            &scene(None, 1),
            &scene(Some(&pull), 2),
            &settings(subset_size_px),
        );
        let reach = subset_size_px as f64 / 2.0 + 2.0;
        let apart = |point: &PointResult| (point.x as f64 - EDGE).abs();
        // On the edge itself a point may be taken for either body. Beside the border of the picture the noise is that
        // of the other points, whatever the residual.
        let near = coverage(&found, truth, |point| {
            (2.0..=reach).contains(&apart(point)) && (30..SIZE - 30).contains(&point.y)
        });
        let far = coverage(&found, truth, |point| apart(point) > reach);
        println!("{subset_size_px} px: {near:.3?}; elsewhere {far:.4?}");
        assert!(near.points > 90.0 && near.largest < 8.0, "{near:?}");
        for (sum, share) in within.iter_mut().zip(near.within) {
            *sum += share;
        }
        cases += 1.0;
        assert!(far.within.into_iter().all(|share| share > 0.9), "{far:?}");
        assert!(far.mean < 1.03 * far.by_noise, "{far:?}");
    }
    let within = within.map(|sum| sum / cases);
    println!("beside the roller {within:.3?}");
    assert!(within.into_iter().all(|share| share > 0.9), "{within:?}");
}

/// A crack that subsets are divided along where it shows, and those that only touch it.
#[test]
fn subsets_that_touch_a_crack_state_it() {
    let size = 300;
    for (subset_size_px, degrees, (u, v), seed) in [
        (31, 25.0, (0.4, 1.2), 8),
        (31, 0.0, (0.0, 0.3), 5),
        (21, 70.0, (-1.6, 0.9), 6),
    ] {
        let speckle = Speckle::new(size, size, seed);
        let first = noisy(&speckle.picture_by(size, size, |x, y| (x, y)), 1.0, 1, 1.0);
        let deformed = noisy(&cracked(&speckle, size, degrees, u, v), 1.0, 2, 1.0);
        let found = measured(&first, &deformed, &settings(subset_size_px));
        let below = |x: f64, y: f64| side(size, degrees, x, y);
        let truth = |x: f64, y: f64| {
            if below(x, y) >= 0.0 {
                (u, v)
            } else {
                (0.0, 0.0)
            }
        };
        // On the crack itself a point may be taken for either side.
        let near = coverage(&found, truth, |point| {
            (2.0..24.0).contains(&below(point.x as f64, point.y as f64).abs())
        });
        println!("{subset_size_px} px, {degrees}°: {near:.3?}");
        assert!(near.points > 300.0 && near.largest < 7.0, "{near:?}");
        assert!(
            near.within.into_iter().all(|share| share > 0.88),
            "{near:?}"
        );
    }
}

/// Bumps that order 1 follows badly: one much wider than a subset, of which little shows at each point, and one of the
/// width of a subset.
#[test]
fn bumps_are_covered() {
    for (subset_size_px, height, width, noise_px) in [(21, 4.0, 50.0, 1), (41, 1.0, 18.0, 3)] {
        let speckle = Speckle::new(2 * SIZE, 2 * SIZE, 9);
        let truth = |x: f64, y: f64| {
            let bell = (-((x - 120.0).powi(2) + (y - 115.0).powi(2)) / (2.0 * width * width)).exp();
            (height * bell, -0.75 * height * bell)
        };
        let origin = |x: f64, y: f64| {
            (0..60).fold((x, y), |at, _| {
                let (u, v) = truth(at.0, at.1);
                (x - u, y - v)
            })
        };
        let first = noisy(
            &speckle.picture_by(SIZE, SIZE, |x, y| (x, y)),
            1.0,
            noise_px,
            NOISE,
        );
        let second = noisy(
            &speckle.picture_by(SIZE, SIZE, origin),
            1.0,
            noise_px + 1,
            NOISE,
        );
        let settings = settings(subset_size_px).with_shape_order(ShapeOrder::One);
        let found = measured(&first, &second, &settings);
        let reach = if width > 20.0 { 75.0 } else { 36.0 };
        let inside = coverage(&found, truth, |point| {
            (point.x as f64 - 120.0).hypot(point.y as f64 - 115.0) < reach
        });
        println!("{subset_size_px} px: {inside:.4?}");
        assert!(inside.points > 100.0);
        assert!(
            inside.within.into_iter().all(|share| share > 0.88),
            "{inside:?}"
        );
    }
}

/// Where all pixels follow the shape function, the uncertainty is that of the noise.
#[test]
fn noise_alone_adds_nothing() {
    let speckle = Speckle::new(SIZE, SIZE, 12);
    let pull = Displacement::Affine {
        u0: 0.3,
        v0: -0.2,
        ux: 0.01,
        uy: 0.004,
        vx: -0.003,
        vy: -0.01,
        cx: 120.0,
        cy: 120.0,
    };
    let first = noisy(
        &speckle.picture_by(SIZE, SIZE, |x, y| (x, y)),
        1.0,
        1,
        NOISE,
    );
    let second = noisy(&speckle.picture(SIZE, SIZE, &pull), 1.0, 2, NOISE);
    for (subset_size_px, step_px, shape_order) in [
        (21, 5, ShapeOrder::One),
        (41, 5, ShapeOrder::One),
        (31, 16, ShapeOrder::One),
        (31, 3, ShapeOrder::Two),
        (41, 10, ShapeOrder::Two),
    ] {
        let settings = settings(subset_size_px)
            .with_step_px(step_px)
            .with_shape_order(shape_order);
        let all = coverage(
            &measured(&first, &second, &settings),
            |x, y| pull.at(x, y),
            |_| true,
        );
        println!("{subset_size_px} px, step {step_px}, {shape_order:?}: {all:.5?}");
        assert!(all.mean < 1.01 * all.by_noise, "{all:?}");
    }
}
