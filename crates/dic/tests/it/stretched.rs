//! Stated uncertainties where the deformed pattern has another scale, where it is drowned in blur, and where the
//! shape function does not follow the field.

use retrial_core::displacement::Displacement;
use retrial_dic::{
    GaussianFilter, Guess, NoiseLevel, Settings, ShapeOrder, Status, correlate, misfit, prepare,
    residual_noise, sensitivity, uncertainty,
};
use retrial_image::GrayImage;

use crate::support::{Speckle, noisy};

const SIZE: usize = 260;
const NOISE: f64 = 2.0;

fn stretch(ux: f64, vy: f64) -> Displacement {
    Displacement::Affine {
        u0: 0.0,
        v0: 0.0,
        ux,
        uy: 0.0,
        vx: 0.0,
        vy,
        cx: 130.0,
        cy: 130.0,
    }
}

/// A pattern coarse enough for a third of it to be pressed together.
fn coarse(origin: impl Fn(f64, f64) -> (f64, f64), seed: u32) -> GrayImage {
    let speckle = Speckle::new(2 * SIZE, 2 * SIZE, 41);
    let clean = speckle.picture_by(SIZE, SIZE, |x, y| {
        let (x, y) = origin(x, y);
        (0.8 * x + 100.0, 0.8 * y + 100.0)
    });
    noisy(&clean, 1.0, seed, NOISE)
}

#[test]
fn uncertainties_follow_the_stretch() {
    // The filter smooths the two scales of the pattern unequally, and the residual holds some of that as noise: most
    // where the pattern is pressed together.
    let filtered = (Settings::default().prefilter, [1.15, 1.7]);
    for (prefilter, [most, most_pressed]) in [(None, [1.05, 1.05]), filtered] {
        let settings = Settings::default()
            .with_side_px(31)
            .with_step_px(16)
            .with_prefilter(prefilter);
        // Neighbours share pixels: several pairs, so that chance alone does not leave the bounds.
        let references: Vec<_> = (0..8)
            .map(|pair| {
                let first = coarse(|x, y| (x, y), 2 * pair + 1);
                let reference = prepare(&first, None, &settings).expect("valid settings");
                let known = sensitivity(&reference).expect("valid settings");
                (pair, reference, known)
            })
            .collect();
        for (ux, vy) in [
            (0.5, 0.0),
            (0.0, 0.5),
            (0.3, 0.3),
            (-0.3, -0.3),
            (-0.32, 0.8),
        ] {
            let truth = stretch(ux, vy);
            let mut levels = Vec::new();
            let (mut within, mut count, mut ratio) = ([0.0; 2], 0.0, [0.0; 2]);
            for (pair, reference, known) in &references {
                let second = coarse(|x, y| truth.reference_position(x, y), 2 * pair + 2);
                let mut found = correlate(reference, &second, Guess::Phase).expect("one size");
                let stated = uncertainty(known, &mut found, NoiseLevel::Residual);
                let stated = stated.expect("one field");
                for (point, one) in found.points.iter().zip(&stated) {
                    let Some(one) = one else { continue };
                    let (u, v) = truth.at(point.x as f64, point.y as f64);
                    let errors = [(point.u() - u, one.u), (point.v() - v, one.v)];
                    for (i, (error, std)) in errors.into_iter().enumerate() {
                        within[i] += f64::from(u8::from(error.abs() <= 1.96 * std));
                        ratio[i] += (error / std).powi(2);
                    }
                    count += 1.0;
                }
                let noise = residual_noise(known, &found).expect("one field");
                let noise = noise.expect("points converged");
                levels.push(noise / NOISE);
                let most = if ux < 0.0 { most_pressed } else { most };
                assert!((0.95..most).contains(&(noise / NOISE)), "{noise}");
            }
            let shares = within.map(|n| n / count);
            let ratio = ratio.map(|sum| (sum / count).sqrt());
            println!(
                "{prefilter:?} {ux} {vy}: {shares:.3?} of {count}; error over stated {ratio:.3?}; noise {levels:.2?}"
            );
            assert!(count > 500.0);
            assert!(shares.into_iter().all(|share| share > 0.91), "{shares:?}");
        }
    }
}

/// A picture blurred along x by 15 px against a sharp one.
#[test]
fn no_point_is_converged_without_an_uncertainty() {
    let first = coarse(|x, y| (x, y), 1);
    let speckle = Speckle::new(2 * SIZE, 2 * SIZE, 41);
    let blurred = GrayImage::from_fn(SIZE, SIZE, |x, y| {
        let value = |k: i32| {
            let x = x as f64 + f64::from(k);
            speckle.value(0.8 * x + 100.0, 0.8 * y as f64 + 100.0)
        };
        ((-7..=7).map(value).sum::<f64>() / 15.0) as f32
    });
    let blurred = noisy(&blurred.expect("a valid size"), 1.0, 2, NOISE);
    let (mut converged, mut uncertain) = (0, 0);
    for subset_size_px in [5, 7, 21, 41] {
        let settings = Settings::default().with_side_px(subset_size_px);
        let reference = prepare(&first, None, &settings).expect("valid settings");
        let known = sensitivity(&reference).expect("valid settings");
        for second in [&blurred, &first] {
            let mut found = correlate(&reference, second, Guess::Phase).expect("one size");
            let before = found.count(Status::Converged);
            converged += before;
            let stated = uncertainty(&known, &mut found, NoiseLevel::Residual).expect("one field");
            for (point, one) in found.points.iter().zip(&stated) {
                let is_known = one.is_some_and(|one| one.u.is_finite() && one.v.is_finite());
                assert_eq!(is_known, point.status == Status::Converged, "{point:?}");
            }
            let without = found.count(Status::Uncertain);
            println!("{subset_size_px} px: {before} converged, {without} uncertain");
            uncertain += without;
        }
    }
    assert!(converged > 0 && uncertain > 0);
}

/// A bump narrower than the subset: its errors are covered and shown; a field without one shows none.
#[test]
fn what_order_one_does_not_follow_is_part_of_the_uncertainty() {
    let settings = |shape_order| {
        Settings::default()
            .with_side_px(41)
            .with_step_px(5)
            .with_shape_order(shape_order)
    };
    let bump = |x: f64, y: f64| {
        let e = (-((x - 130.0).powi(2) + (y - 120.0).powi(2)) / (2.0 * 22.0_f64.powi(2))).exp();
        (e, -0.7 * e)
    };
    let first = coarse(|x, y| (x, y), 1);
    let moved = coarse(
        |x, y| {
            let (mut at_x, mut at_y) = (x, y);
            for _ in 0..30 {
                let (u, v) = bump(at_x, at_y);
                (at_x, at_y) = (x - u, y - v);
            }
            (at_x, at_y)
        },
        2,
    );
    let level = stretch(0.01, -0.01);
    let level = coarse(|x, y| level.reference_position(x, y), 3);
    let measured = |order, second: &GrayImage| {
        let reference = prepare(&first, None, &settings(order)).expect("valid settings");
        let known = sensitivity(&reference).expect("valid settings");
        let mut found = correlate(&reference, second, Guess::Phase).expect("one size");
        let stated = uncertainty(&known, &mut found, NoiseLevel::Residual).expect("one field");
        (found, stated)
    };
    let shown = [ShapeOrder::One, ShapeOrder::Two].map(|order| {
        let (found, stated) = measured(order, &moved);
        let (mut within, mut count) = (0.0, 0.0);
        for (point, one) in found.points.iter().zip(&stated) {
            let (x, y) = (point.x as f64, point.y as f64);
            if let Some(one) = one.filter(|_| (x - 130.0).hypot(y - 120.0) < 40.0) {
                let (u, v) = bump(x, y);
                within += f64::from(u8::from((point.u() - u).abs() <= 1.96 * one.u));
                within += f64::from(u8::from((point.v() - v).abs() <= 1.96 * one.v));
                count += 2.0;
            }
        }
        let shown = misfit(&stated);
        println!("{shown:?}, covered {} of {count}", within / count);
        assert!(within / count > 0.75);
        shown
    });
    let first_order = shown[0].expect("a misfit");
    assert!(first_order.points > 50 && first_order.largest_px > 0.1);
    let second_order = shown[1].map_or(0.0, |shown| shown.largest_px);
    assert!(
        second_order < 0.5 * first_order.largest_px,
        "{second_order}"
    );
    let (_, stated) = measured(ShapeOrder::One, &level);
    let few = misfit(&stated).map_or(0, |shown| shown.points);
    println!("{few} of {} by noise", stated.len());
    assert!(50 * few < stated.len(), "{few}");
}

/// Waves of the width of a subset, of which parabolas leave half.
#[test]
fn what_order_two_does_not_follow_is_part_of_the_uncertainty() {
    let wave = |x: f64| 0.4 * (std::f64::consts::TAU * x / 40.0).sin();
    let first = coarse(|x, y| (x, y), 1);
    let moved = coarse(
        |x, y| {
            let at = (0..40).fold(x, |at, _| x - wave(at));
            (at, y)
        },
        2,
    );
    let settings = Settings::default()
        .with_side_px(41)
        .with_step_px(5)
        .with_shape_order(ShapeOrder::Two);
    let reference = prepare(&first, None, &settings).expect("valid settings");
    let known = sensitivity(&reference).expect("valid settings");
    let mut found = correlate(&reference, &moved, Guess::Phase).expect("one size");
    let stated = uncertainty(&known, &mut found, NoiseLevel::Residual).expect("one field");
    let shown = misfit(&stated).expect("a misfit");
    // A window reaches 20 px to each side, and twice of it is looked at: what lies further out borrows from inside.
    let inner = |p: usize| (65..SIZE - 65).contains(&p);
    let mut covered = [(0.0, 0.0); 2];
    for (point, one) in found.points.iter().zip(&stated) {
        if let Some(one) = one {
            let error = (point.u() - wave(point.x as f64)).abs();
            let (within, count) = &mut covered[usize::from(!(inner(point.x) && inner(point.y)))];
            *within += f64::from(u8::from(error <= 1.96 * one.u));
            *count += 1.0;
        }
    }
    println!("{shown:?}, covered {covered:?}");
    assert!(shown.points > 300 && shown.largest_px > 0.05);
    for (within, count) in covered {
        assert!(count > 500.0 && within / count > 0.75);
    }
}

/// The closer the points, the more of its noise each shares with its neighbours.
#[test]
fn noise_alone_is_no_misfit_at_any_step() {
    let first = coarse(|x, y| (x, y), 1);
    let level = stretch(0.01, -0.01);
    let level = coarse(|x, y| level.reference_position(x, y), 3);
    for (subset_size_px, step_px) in [(41, 7), (41, 3), (41, 10), (31, 6), (21, 3), (21, 5)] {
        let settings = Settings::default()
            .with_side_px(subset_size_px)
            .with_step_px(step_px);
        let reference = prepare(&first, None, &settings).expect("valid settings");
        let known = sensitivity(&reference).expect("valid settings");
        let mut found = correlate(&reference, &level, Guess::Phase).expect("one size");
        let stated = uncertainty(&known, &mut found, NoiseLevel::Residual).expect("one field");
        let few = misfit(&stated).map_or(0, |shown| shown.points);
        println!(
            "{subset_size_px} px, step {step_px}: {few} of {}",
            stated.len()
        );
        assert!(
            50 * few < stated.len(),
            "{subset_size_px} px, step {step_px}: {few}"
        );
    }
}

#[test]
fn a_wider_filter_is_accounted_for_in_a_pressed_pattern() {
    let settings = Settings::default()
        .with_side_px(31)
        .with_step_px(8)
        .with_prefilter(Some(GaussianFilter::reaching(1.0)));
    let truth = stretch(-0.2, -0.2);
    let first = coarse(|x, y| (x, y), 1);
    let second = coarse(|x, y| truth.reference_position(x, y), 2);
    let reference = prepare(&first, None, &settings).expect("valid settings");
    let known = sensitivity(&reference).expect("valid settings");
    let found = correlate(&reference, &second, Guess::Phase).expect("one size");
    let noise = residual_noise(&known, &found)
        .expect("one field")
        .expect("points");
    println!("{noise}");
    assert!((0.9..1.7).contains(&(noise / NOISE)), "{noise}");
}
