//! Displacements far outside the search of a single subset, and what is left when there is nothing
//! to be found.

use std::ops::ControlFlow;

use retrial_core::displacement::Displacement;
use retrial_dic::{DicError, Field, Guess, Settings, Status, correlate, correlate_series, prepare};
use retrial_image::GrayImage;

use crate::support::{Speckle, read, real_series, texgen};

/// The true displacement of points and the picture they must stay in.
struct Truth {
    u: f64,
    v: f64,
    width: usize,
    height: usize,
    half: f64,
}

impl Truth {
    fn stays_inside(&self, x: usize, y: usize) -> bool {
        // The spline needs no room, but an estimate beside the border may step over it.
        let room = self.half + 2.0;
        let inside = |centre: f64, n: usize| (room..=n as f64 - 1.0 - room).contains(&centre);
        inside(x as f64 + self.u, self.width) && inside(y as f64 + self.v, self.height)
    }

    /// Requires that nearly all points that stay inside are found to `rmse` px, and that no point
    /// converges more than 0.1 px away, inside or not.
    fn check(&self, field: &Field, rmse: f64) {
        let (mut inside, mut found, mut squares) = (0, 0, 0.0);
        for point in &field.points {
            let converged = point.status == Status::Converged;
            let error = (point.u() - self.u).hypot(point.v() - self.v);
            assert!(!converged || error <= 0.1, "{error} px: {point:?}");
            if self.stays_inside(point.x, point.y) {
                inside += 1;
                if converged {
                    found += 1;
                    squares += error * error;
                }
            }
        }
        assert!(inside > 100, "{inside}");
        assert!(100 * found >= 99 * inside, "{found} of {inside}");
        let measured = (squares / f64::from(found)).sqrt();
        println!(
            "({}, {}) px: {found} of {inside}, rmse {measured:.5} px",
            self.u, self.v
        );
        assert!(measured < rmse, "{measured}");
    }
}

fn settings(subset_size_px: usize) -> Settings {
    Settings::default()
        .with_side_px(subset_size_px)
        .with_step_px(10)
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_plate_that_jumps_by_more_than_its_subset_is_followed() {
    let folder = real_series("pyvale_plate_rigid_hydro");
    let picture = |n: usize| read(&folder.join(format!("rigid_cam0_frame{n:02}.tiff")));
    let first = picture(0);
    let (width, height) = (first.width(), first.height());
    let frames = [(4, 0.4), (8, 0.8), (10, 1.0), (25, 25.0), (50, 50.0)];
    let images = || frames.map(|(n, _)| Ok::<_, DicError>(picture(n)));
    let truth = |shift: f64| Truth {
        u: shift,
        v: -shift,
        width,
        height,
        half: 20.0,
    };
    let settings = settings(41);
    let count = correlate_series(&first, images(), None, &settings, |index, field| {
        truth(frames[index].1).check(&field, 0.003);
        ControlFlow::Continue(())
    });
    assert_eq!(count, Ok(frames.len()));
    // Without the images between, and back.
    let reference = prepare(&first, None, &settings).expect("valid settings");
    let away = correlate(&reference, &picture(50), Guess::Phase).expect("images of one size");
    truth(50.0).check(&away, 0.003);
    let back = correlate(&reference, &picture(4), Guess::Field(&away)).expect("the same");
    truth(0.4).check(&back, 0.003);
}

#[test]
fn sixty_pixels_are_found_by_any_number_of_threads() {
    let (width, height) = (300, 220);
    let speckle = Speckle::new(width, height, 8);
    let first = speckle.picture_by(width, height, |x, y| (x, y));
    let (u, v) = (-60.3, 20.6);
    let moved = speckle.picture(width, height, &Displacement::Translation { u, v });
    let reference = prepare(&first, None, &settings(41)).expect("valid settings");
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads can be started")
            .install(|| correlate(&reference, &moved, Guess::Phase))
            .expect("images of one size")
    };
    let field = run(1);
    let truth = Truth {
        u,
        v,
        width,
        height,
        half: 20.0,
    };
    truth.check(&field, 0.01);
    assert_eq!(field, run(3));
}

#[test]
fn unrelated_pictures_do_not_converge() {
    let size = 200;
    let first = Speckle::new(size, size, 5).picture_by(size, size, |x, y| (x, y));
    let stranger = Speckle::new(size, size, 99)
        .picture_by(size, size, |x, y| (75.0 + 0.6 * (x - y), 0.6 * (x + y)));
    let reference = prepare(&first, None, &settings(31)).expect("valid settings");
    let field = correlate(&reference, &stranger, Guess::Phase).expect("images of one size");
    let converged = field.count(Status::Converged);
    assert!(
        50 * converged <= field.points.len(),
        "{converged} of {}",
        field.points.len()
    );
}

/// Real noise, and more of it, so that right matches correlate far below one.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn noise_alone_throws_no_point_away() {
    let folder = real_series("sample02_texgen_shift_lowcontrast_noise");
    let (first, shifted) = texgen(&folder, "trs2_b8");
    let mut state = 1_u32;
    let mut noisy = |image: &GrayImage| {
        let pixels = image.pixels().iter().map(|&value| {
            let sum: f32 = (0..4)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) as f32 / (1 << 24) as f32 - 0.5
                })
                .sum();
            value + 16.0 * sum
        });
        GrayImage::new(image.width(), image.height(), pixels.collect()).expect("the same size")
    };
    let moved = &shifted[9];
    for (first, image) in [
        (first.clone(), moved.image.clone()),
        (noisy(&first), noisy(&moved.image)),
    ] {
        let reference = prepare(&first, None, &settings(41)).expect("valid settings");
        let field = correlate(&reference, &image, Guess::Phase).expect("images of one size");
        let mut correlation: Vec<f64> = field.points.iter().map(|point| point.zncc).collect();
        correlation.sort_by(f64::total_cmp);
        let middle = correlation[correlation.len() / 2];
        let inside = field.points.iter().filter(|point| {
            (25..first.width() - 25).contains(&point.x)
                && (25..first.height() - 25).contains(&point.y)
        });
        let (mut lost, mut far) = (0, 0);
        for point in inside {
            let error = (point.u() - moved.u).hypot(point.v() - moved.v);
            lost += usize::from(point.status != Status::Converged);
            far += usize::from(error > 1.5);
        }
        println!("median zncc {middle:.3}: {lost} lost, {far} far away");
        assert!(lost <= 2 && far <= 2, "{lost} {far}");
    }
}
