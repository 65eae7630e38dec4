//! Subsets at the end of the material: beside a mask, beside a blank background, and beyond the picture.

use retrial_core::displacement::Displacement;
use retrial_dic::{
    Borders, Cut, DicError, Field, Guess, NoiseLevel, PointUncertainty, Reference, Settings,
    Status, StrainMeasure, StrainWindow, correlate, prepare, prepare_points, sensitivity,
    strain_field, uncertainty,
};
use retrial_image::{GrayImage, Mask};

use crate::support::{Speckle, noisy};

const SIZE: usize = 220;

/// A plate with its edges between these pixels, as wide and high, with a hole.
const EDGE: (f64, f64) = (40.5, 179.5);
const HOLE: f64 = 25.0;

fn field() -> Displacement {
    Displacement::Affine {
        u0: 0.3,
        v0: -0.2,
        ux: 0.01,
        uy: 0.0,
        vx: 0.0,
        vy: -0.004,
        cx: 110.0,
        cy: 110.0,
    }
}

/// The plate on a dark ground, each pixel by the part of it that the plate covers, with noise of one grey level.
fn plate(speckle: &Speckle, field: Option<&Displacement>, ground: f64, seed: u32) -> GrayImage {
    let clean = GrayImage::from_fn(SIZE, SIZE, |x, y| {
        let (x, y) = (x as f64, y as f64);
        let (x, y) = field.map_or((x, y), |field| field.reference_position(x, y));
        let part = |distance: f64| (distance + 0.5).clamp(0.0, 1.0);
        let cover = part(x - EDGE.0)
            * part(EDGE.1 - x)
            * part(y - EDGE.0)
            * part(EDGE.1 - y)
            * part((x - 110.0).hypot(y - 110.0) - HOLE);
        (cover * speckle.value(x, y) + (1.0 - cover) * ground) as f32
    });
    noisy(&clean.expect("a valid size"), 1.0, seed, 1.0)
}

fn settings(borders: Borders) -> Settings {
    Settings::default()
        .with_side_px(21)
        .with_step_px(5)
        .with_borders(borders)
}

fn measured(reference: &Reference, deformed: &GrayImage) -> (Field, Vec<Option<PointUncertainty>>) {
    let mut field = correlate(reference, deformed, Guess::Phase).expect("images of one size");
    let known = sensitivity(reference).expect("valid settings");
    let stated = uncertainty(&known, &mut field, NoiseLevel::Residual).expect("one field");
    for (point, one) in field.points.iter().zip(&stated) {
        assert_eq!(
            one.is_some(),
            point.status == Status::Converged,
            "{point:?}"
        );
    }
    (field, stated)
}

/// Shares of the errors of chosen points within 1.96 stated uncertainties along `u` and `v`, the largest error, and
/// the number of points.
fn coverage(
    (found, stated): &(Field, Vec<Option<PointUncertainty>>),
    truth: &Displacement,
    is_chosen: impl Fn(&retrial_dic::PointResult) -> bool,
) -> ([f64; 2], f64, usize) {
    let (mut within, mut largest, mut count) = ([0.0; 2], 0.0_f64, 0);
    for (point, one) in found.points.iter().zip(stated) {
        let Some(one) = one.filter(|_| is_chosen(point)) else {
            continue;
        };
        let (u, v) = truth.at(point.x as f64, point.y as f64);
        let errors = [(point.u() - u, one.u), (point.v() - v, one.v)];
        for (within, (error, std)) in within.iter_mut().zip(errors) {
            *within += f64::from(u8::from(error.abs() <= 1.96 * std));
            largest = largest.max(error.abs());
        }
        count += 1;
    }
    (within.map(|n| n / count as f64), largest, count)
}

#[test]
fn pixels_beside_a_mask_take_no_part() {
    let speckle = Speckle::new(SIZE, SIZE, 31);
    let truth = field();
    let (first, second) = (
        plate(&speckle, None, 30.0, 1),
        plate(&speckle, Some(&truth), 30.0, 2),
    );
    let inside = (0..SIZE * SIZE).map(|i| {
        let (x, y) = ((i % SIZE) as f64, (i / SIZE) as f64);
        let is_in = |t: f64| t > EDGE.0 && t < EDGE.1;
        is_in(x) && is_in(y) && (x - 110.0).hypot(y - 110.0) > HOLE
    });
    let mask = Mask::new(SIZE, SIZE, inside.collect()).expect("a valid size");
    for borders in [Borders::Whole, Borders::Truncated { least_share: 0.5 }] {
        let reference = prepare(&first, Some(&mask), &settings(borders)).expect("valid settings");
        let found = measured(&reference, &second);
        for cut in [Cut::Whole, Cut::Border] {
            let (shares, largest, count) = coverage(&found, &truth, |point| point.cut == cut);
            println!("{borders:?} {cut:?}: {shares:?} {largest} {count}");
            assert!(count > 80 && largest < 0.05);
            assert!(shares.into_iter().all(|share| share > 0.9), "{shares:?}");
        }
    }
}

#[test]
fn a_blank_background_holds_no_subset_and_bends_none() {
    let speckle = Speckle::new(SIZE, SIZE, 31);
    let truth = field();
    for ground in [30.0, 255.0] {
        let (first, second) = (
            plate(&speckle, None, ground, 1),
            plate(&speckle, Some(&truth), ground, 2),
        );
        let reference = prepare(&first, None, &settings(Borders::Whole)).expect("valid settings");
        let found = measured(&reference, &second);
        let outside = |x: usize| (x as f64) < EDGE.0 - 2.0 || x as f64 > EDGE.1 + 2.0;
        let mut blank = 0;
        for point in &found.0.points {
            if outside(point.x) || outside(point.y) {
                assert_eq!(point.status, Status::FlatSubset, "{point:?}");
                blank += 1;
            }
        }
        let at_edge = |point: &retrial_dic::PointResult| point.cut == Cut::Border;
        let (shares, largest, count) = coverage(&found, &truth, at_edge);
        println!("{ground}: {shares:?} {largest} {count}, {blank} blank");
        assert!(blank > 400 && count > 100 && largest < 0.15);
        assert!(shares.into_iter().all(|share| share > 0.88), "{shares:?}");
    }
}

#[test]
fn chosen_points_that_leave_the_picture_say_so() {
    let speckle = Speckle::new(180, 210, 5);
    let shift = Displacement::Translation { u: -6.4, v: 0.2 };
    let still = Displacement::Translation { u: 0.0, v: 0.0 };
    let first = noisy(&speckle.picture(180, 210, &still), 1.0, 1, 1.0);
    let second = noisy(&speckle.picture(180, 210, &shift), 1.0, 2, 1.0);
    let settings = Settings::default().with_side_px(15);
    let rows = (7..200).step_by(11);
    let points: Vec<(usize, usize)> = rows.flat_map(|y| [7, 90, 172].map(|x| (x, y))).collect();
    let reference = prepare_points(&first, points, &settings).expect("valid settings");
    let found = correlate(&reference, &second, Guess::Phase).expect("images of one size");
    assert_eq!(found.points.len(), 54);
    for point in &found.points {
        let expected = match point.x {
            7 => Status::OutOfImage,
            _ => Status::Converged,
        };
        assert_eq!(point.status, expected, "{point:?}");
    }
}

#[test]
fn corners_that_a_rotation_takes_out_have_left() {
    let speckle = Speckle::new(SIZE, SIZE, 7);
    let (sine, cosine) = 3.0_f64.to_radians().sin_cos();
    let turn = Displacement::Affine {
        u0: 0.0,
        v0: 0.0,
        ux: cosine - 1.0,
        uy: -sine,
        vx: sine,
        vy: cosine - 1.0,
        cx: 110.0,
        cy: 110.0,
    };
    let still = Displacement::Translation { u: 0.0, v: 0.0 };
    let first = noisy(&speckle.picture(SIZE, SIZE, &still), 1.0, 1, 2.0);
    let second = noisy(&speckle.picture(SIZE, SIZE, &turn), 1.0, 2, 2.0);
    let reference = prepare(&first, None, &settings(Borders::Whole)).expect("valid settings");
    let found = correlate(&reference, &second, Guess::Phase).expect("images of one size");
    let mut left = 0;
    for point in &found.points {
        let is_known = matches!(point.status, Status::Converged | Status::OutOfImage);
        assert!(is_known, "{point:?}");
        let leaves = [(-10.0, -10.0), (10.0, -10.0), (-10.0, 10.0), (10.0, 10.0)]
            .into_iter()
            .any(|(dx, dy)| {
                let (x, y) = (point.x as f64 + dx, point.y as f64 + dy);
                let (u, v) = turn.at(x, y);
                let is_clearly_out = |t: f64| t < -0.6 || t > SIZE as f64 - 0.4;
                is_clearly_out(x + u) || is_clearly_out(y + v)
            });
        if leaves {
            assert_eq!(point.status, Status::OutOfImage, "{point:?}");
            left += 1;
        }
    }
    assert!(left > 40, "{left}");
}

#[test]
fn a_strain_window_that_no_point_can_fill_is_refused() {
    let speckle = Speckle::new(120, 100, 7);
    let still = Displacement::Translation { u: 0.0, v: 0.0 };
    let picture = speckle.picture(120, 100, &still);
    let settings = Settings::default().with_side_px(21).with_step_px(10);
    let reference = prepare(&picture, None, &settings).expect("valid settings");
    let found = correlate(&reference, &picture, Guess::Phase).expect("images of one size");
    let window = |points| StrainWindow::default().with_points(points);
    let strain = |points| {
        strain_field(
            &found,
            &settings,
            &window(points),
            StrainMeasure::Small,
            None,
        )
    };
    let (columns, rows) = (10, 8);
    assert_eq!(reference.points().len(), columns * rows);
    assert_eq!(
        strain(21).expect_err("too large"),
        DicError::StrainWindowExceedsField {
            points: 21,
            least: 111,
            columns,
            rows,
            most: 80,
        }
    );
    assert!(
        window(21)
            .check_field(reference.points(), &settings)
            .is_err()
    );
    assert!(strain(9).is_ok());
}
