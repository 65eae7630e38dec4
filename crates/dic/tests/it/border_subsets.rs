//! Subsets that leave the deformed picture, against an exact field.

use retrial_core::displacement::Displacement;
use retrial_dic::{Borders, Cut, Guess, Settings, Status, correlate, prepare};

use crate::support::Speckle;

const SIZE: usize = 200;
const HALF: i32 = 15;
const LEAST_SHARE: f64 = 0.4;

/// Share of the square around a point of which both places lie in their pictures: the least and
/// the most that a rim of two pixels leaves open.
fn shares(field: &Displacement, x: usize, y: usize) -> (f64, f64) {
    let count = |room: f64| {
        let inside = |t: f64, room: f64| (room..=(SIZE - 1) as f64 - room).contains(&t);
        let places = (-HALF..=HALF).flat_map(|dy| (-HALF..=HALF).map(move |dx| (dx, dy)));
        let stay = places.filter(|&(dx, dy)| {
            let (x, y) = (x as f64 + f64::from(dx), y as f64 + f64::from(dy));
            let (u, v) = field.at(x, y);
            // At the border of the reference, filter and spline reach as far as 5 px.
            let rim = if room > 0.0 { 5.0 } else { 0.0 };
            let here = inside(x, rim) && inside(y, rim);
            here && inside(x + u, room) && inside(y + v, room)
        });
        stay.count() as f64 / f64::from((2 * HALF + 1).pow(2))
    };
    // In the deformed picture as well, and the spline goes on for half a pixel.
    (count(7.0), count(-0.5))
}

#[test]
fn what_stays_inside_is_followed() {
    let speckle = Speckle::new(SIZE, SIZE, 17);
    let field = Displacement::Affine {
        u0: 9.3,
        v0: -6.4,
        ux: 0.02,
        uy: 0.01,
        vx: -0.01,
        vy: 0.015,
        cx: 100.0,
        cy: 100.0,
    };
    let first = speckle.picture_by(SIZE, SIZE, |x, y| (x, y));
    let deformed = speckle.picture(SIZE, SIZE, &field);
    let settings = Settings::default()
        .with_side_px((2 * HALF + 1) as usize)
        .with_borders(Borders::Truncated {
            least_share: LEAST_SHARE,
        });
    let reference = prepare(&first, None, &settings).expect("valid settings");
    let found = correlate(&reference, &deformed, Guess::Phase).expect("images of one size");
    let (mut followed, mut left, mut whole) = (0, 0, 0);
    for point in &found.points {
        let (least, most) = shares(&field, point.x, point.y);
        let (u, v) = field.at(point.x as f64, point.y as f64);
        let error = (point.u() - u).hypot(point.v() - v);
        if point.status == Status::Converged {
            assert!(error < 0.03, "{error}: {point:?}");
            assert!((least..=most).contains(&point.share), "{least}: {point:?}");
            whole += usize::from(point.cut == Cut::Whole);
            followed += usize::from(point.cut == Cut::DeformedBorder);
            assert_eq!(point.cut == Cut::Whole, point.share == 1.0, "{point:?}");
        }
        if least >= LEAST_SHARE {
            assert_eq!(point.status, Status::Converged, "{point:?}");
        }
        if most < LEAST_SHARE {
            let is_gone = matches!(point.status, Status::OutOfImage | Status::Masked);
            assert!(is_gone, "{point:?}");
            left += usize::from(point.status == Status::OutOfImage);
        }
    }
    println!("{followed} followed, {left} left, {whole} whole");
    assert!(followed > 80 && left > 20 && whole > 500);
}

/// What the prefilter and the spline make of the border of the deformed picture takes no part, also in subsets that the
/// border of the reference cut already.
#[test]
fn the_rim_of_the_deformed_picture_takes_no_part() {
    let speckle = Speckle::new(SIZE, SIZE, 5);
    let first = speckle.picture_by(SIZE, SIZE, |x, y| (x, y));
    for v in [4.3, -4.3, 1.5] {
        let deformed = speckle.picture_by(SIZE, SIZE, |x, y| (x, y - v));
        let settings = Settings::default()
            .with_side_px((2 * HALF + 1) as usize)
            .with_step_px(3)
            .with_borders(Borders::Truncated {
                least_share: LEAST_SHARE,
            });
        let reference = prepare(&first, None, &settings).expect("valid settings");
        let found = correlate(&reference, &deformed, Guess::Phase).expect("images of one size");
        let (mut worst, mut followed) = (0.0_f64, 0);
        for point in &found.points {
            if point.status == Status::Converged {
                worst = worst.max(point.u().hypot(point.v() - v));
                followed += usize::from(point.cut == Cut::DeformedBorder);
            }
        }
        println!("{v} px: {followed} followed, {worst} px");
        assert!(followed > 100 && worst < 0.01);
    }
}

/// A coarse pattern, of a few speckles a subset, moved partly out of the picture: whatever looks alike inside is not
/// believed.
#[test]
fn nothing_is_found_in_place_of_what_has_left() {
    let settings = Settings::default().with_side_px(21).with_step_px(5);
    let (mut left, mut wrong) = (0, 0);
    for seed in 1..=12 {
        let speckle = Speckle::new(SIZE, SIZE, seed);
        let coarse = |x: f64, y: f64| (0.6 * x + 20.0, 0.6 * y + 30.0);
        let field = Displacement::Affine {
            u0: -16.3,
            v0: 7.8,
            ux: 0.02,
            uy: 0.01,
            vx: -0.01,
            vy: 0.015,
            cx: 100.0,
            cy: 100.0,
        };
        let first = speckle.picture_by(SIZE, SIZE, coarse);
        let deformed = speckle.picture_by(SIZE, SIZE, |x, y| {
            let (x, y) = field.reference_position(x, y);
            coarse(x, y)
        });
        let reference = prepare(&first, None, &settings).expect("valid settings");
        let found = correlate(&reference, &deformed, Guess::Phase).expect("images of one size");
        for point in &found.points {
            let (u, v) = field.at(point.x as f64, point.y as f64);
            let error = (point.u() - u).hypot(point.v() - v);
            wrong += usize::from(point.status == Status::Converged && error > 1.0);
            left += usize::from(point.status == Status::OutOfImage);
        }
    }
    println!("{left} left, {wrong} wrong");
    assert!(left > 12 * 100);
    assert!(500 * wrong < left);
}
