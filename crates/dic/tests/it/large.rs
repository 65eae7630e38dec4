//! Large deformations without any help: published pictures and generated ones, each with its exact
//! displacement.

use std::ops::ControlFlow;

use retrial_dic::{
    Borders, DicError, Field, Guess, InitialGuess, PointResult, ReferenceStrategy, Settings,
    ShapeOrder, Split, Status, correlate, correlate_series, prepare,
};
use retrial_image::{GrayImage, Mask};

use crate::support::{Speckle, read, real_series};

/// What became of the points whose subset stays inside the picture.
#[derive(Debug)]
struct Outcome {
    /// Points whose subset stays inside.
    inside: usize,
    /// Of those, the points that converged within 0.05 px.
    solved: usize,
    /// All points, inside or not, that converged more than 0.5 px away.
    wrong: usize,
    /// Of those, the points that converged at all.
    converged: usize,
    /// Root mean square error of the converged points inside, px.
    rmse: f64,
    /// The largest such error, px.
    worst: f64,
}

fn outcome(
    field: &Field,
    (width, height): (usize, usize),
    half: f64,
    truth: impl Fn(f64, f64) -> (f64, f64),
) -> Outcome {
    let (mut inside, mut solved, mut wrong, mut converged) = (0, 0, 0, 0);
    let (mut squares, mut worst) = (0.0_f64, 0.0_f64);
    for point in &field.points {
        let (x, y) = (point.x as f64, point.y as f64);
        let (u, v) = truth(x, y);
        let error = (point.u() - u).hypot(point.v() - v);
        let believed = point.status == Status::Converged;
        wrong += usize::from(believed && error > 0.5);
        let corner_stays = |(dx, dy): (f64, f64)| {
            let (cx, cy) = (x + dx * half, y + dy * half);
            let (u, v) = truth(cx, cy);
            let within = |t: f64, n: usize| (2.0..=n as f64 - 3.0).contains(&t);
            within(cx + u, width) && within(cy + v, height)
        };
        let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)];
        if !corners.into_iter().all(corner_stays) {
            continue;
        }
        inside += 1;
        if believed {
            converged += 1;
            solved += usize::from(error < 0.05);
            squares += error * error;
            worst = worst.max(error);
        }
    }
    Outcome {
        inside,
        solved,
        wrong,
        converged,
        rmse: (squares / (converged.max(1) as f64)).sqrt(),
        worst,
    }
}

impl Outcome {
    /// Requires 99 of 100 points that stay inside within 0.05 px, and no false match.
    fn check(&self, name: &str) {
        println!(
            "{name}: {} of {} within 0.05 px, rmse {:.4} px, worst {:.3} px, {} wrong",
            self.solved, self.inside, self.rmse, self.worst, self.wrong
        );
        assert!(self.inside > 100, "{name}: {self:?}");
        assert!(100 * self.solved >= 99 * self.inside, "{name}: {self:?}");
        assert_eq!(self.wrong, 0, "{name}: {self:?}");
    }
}

fn settings(subset_size_px: usize, step_px: usize, shape_order: ShapeOrder) -> Settings {
    Settings::default()
        .with_side_px(subset_size_px)
        .with_step_px(step_px)
        .with_shape_order(shape_order)
}

fn solve(first: &GrayImage, deformed: &GrayImage, settings: &Settings) -> Field {
    let reference = prepare(first, None, settings).expect("valid settings");
    correlate(&reference, deformed, Guess::Phase).expect("images of one size")
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_plate_under_thirty_percent_tension() {
    let folder = real_series("opencorr_utn_tension30");
    let (first, deformed) = (
        read(&folder.join("utn_00.bmp")),
        read(&folder.join("utn_30.bmp")),
    );
    let size = (first.width(), first.height());
    for order in [ShapeOrder::One, ShapeOrder::Two] {
        let mut field = solve(&first, &deformed, &settings(33, 20, order));
        // The plate ends at column 2500; its rim alone does not say where along it a subset lies.
        field.points.retain(|point| {
            let on_plate = point.x + 16 < 2500;
            assert!(on_plate || point.status != Status::Converged || point.x < 2516);
            on_plate
        });
        let truth = |x: f64, y: f64| (0.30 * x, -0.09 * (y - 250.0));
        outcome(&field, size, 16.0, truth).check(&format!("tension 30 % {order:?}"));
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_pattern_turned_by_up_to_ten_degrees() {
    let folder = real_series("sample09_fft_rotation");
    let first = read(&folder.join("Sample9 Reference.tif"));
    let size = (first.width(), first.height());
    for (degrees, order) in [
        (4, ShapeOrder::One),
        (10, ShapeOrder::One),
        (10, ShapeOrder::Two),
    ] {
        let deformed = read(&folder.join(format!("Sample9-{degrees:02}.tif")));
        let mut field = solve(&first, &deformed, &settings(41, 10, order));
        // The rotation by Fourier transform of this set is not exact near its border.
        let inner = |t: usize| (30..482).contains(&t);
        field
            .points
            .retain(|point| inner(point.x) && inner(point.y));
        let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
        let truth = |x: f64, y: f64| {
            let (dx, dy) = (x - 256.0, y - 256.0);
            (cos * dx + sin * dy - dx, cos * dy - sin * dx - dy)
        };
        outcome(&field, size, 20.0, truth).check(&format!("rotation {degrees} {order:?}"));
    }
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn halves_that_move_apart() {
    let folder = real_series("sample03b_half_shift_discontinuity");
    let first = read(&folder.join("Sample3 Reference.tif"));
    let size = (first.width(), first.height());
    let deformed = read(&folder.join("Sample3 Half05.tif"));
    let mut field = solve(&first, &deformed, &settings(41, 10, ShapeOrder::One));
    // A subset across the step has no single displacement.
    field.points.retain(|point| point.y.abs_diff(256) > 22);
    let truth = |_: f64, y: f64| (0.0, if y >= 256.0 { 0.5 } else { 0.0 });
    outcome(&field, size, 20.0, truth).check("halves");
}

/// What two pictures are made of whose patterns fade into each other.
fn fading(size: usize, share: f64, u: f64) -> GrayImage {
    let (old, new) = (Speckle::new(size, size, 3), Speckle::new(size, size, 4));
    GrayImage::from_fn(size, size, |x, y| {
        let (x, y) = (x as f64 - u * (x as f64 - 80.0) / 80.0, y as f64);
        ((1.0 - share) * old.value(x, y) + share * new.value(x, y)) as f32
    })
    .expect("a valid size")
}

/// The surface turns into another one while it stretches by 1 % an image: the first picture is
/// soon lost, the one before never.
#[test]
fn a_fading_pattern_is_followed_by_new_references() {
    let (size, images) = (200, 10);
    let first = fading(size, 0.0, 0.0);
    let shift = |i: usize| 0.8 * (i + 1) as f64;
    let deformed =
        || (0..images).map(|i| Ok::<_, DicError>(fading(size, (i + 1) as f64 / 10.0, shift(i))));
    let mut last = [0.0, 0.0].map(|_: f64| Vec::new());
    for (last, reference_strategy) in last
        .iter_mut()
        .zip([ReferenceStrategy::First, ReferenceStrategy::Automatic])
    {
        let settings =
            settings(31, 10, ShapeOrder::One).with_reference_strategy(reference_strategy);
        correlate_series(&first, deformed(), None, &settings, |index, field| {
            let e = shift(index) / 80.0;
            let truth = |x: f64, _: f64| (e * (x - 80.0) / (1.0 - e), 0.0);
            let found = outcome(&field, (size, size), 15.0, truth);
            let name = format!("{reference_strategy:?}, image {index}");
            println!("{name}: {found:?}");
            last.push(found);
            ControlFlow::Continue(())
        })
        .expect("valid settings and images");
    }
    let [from_first, automatic] = last;
    let (lost, found) = (&from_first[images - 1], &automatic[images - 1]);
    assert!(2 * lost.converged < lost.inside, "{lost:?}");
    // What fades in pulls every match aside a little, and the pulls add up.
    assert!(100 * found.converged >= 95 * found.inside, "{found:?}");
    assert!(found.rmse < 1.0, "{found:?}");
}

/// A plate with a hole, and points up to its rim and to the border of the picture.
#[test]
fn truncated_subsets_reach_every_border() {
    let size = 160;
    let speckle = Speckle::new(size, size, 12);
    let in_hole = |x: f64, y: f64| (x - 80.0).hypot(y - 75.0) < 24.5;
    let first = speckle.picture_by(size, size, |x, y| (x, y));
    // Inside the hole is a background that stays where it is.
    let strain = 0.03;
    let deformed = GrayImage::from_fn(size, size, |x, y| {
        let (x, y) = ((x as f64 + 80.0 * strain) / (1.0 + strain), y as f64);
        speckle.value(x, y) as f32
    })
    .expect("a valid size");
    // The filter reaches three pixels across the rim, so the mask keeps that far from it.
    let in_dark = |x: f64, y: f64| (x - 80.0).hypot(y - 75.0) < 21.0;
    let hide = |image: &GrayImage| {
        let at = |x: usize, y: usize| image.get(x, y).expect("inside");
        GrayImage::from_fn(size, size, |x, y| {
            if in_dark(x as f64, y as f64) {
                0.0
            } else {
                at(x, y)
            }
        })
        .expect("a valid size")
    };
    let inside = (0..size * size).map(|i| !in_hole((i % size) as f64, (i / size) as f64));
    let mask = Mask::new(size, size, inside.collect()).expect("a valid size");
    let whole = settings(31, 5, ShapeOrder::One);
    let truncated = whole
        .clone()
        .with_borders(Borders::Truncated { least_share: 0.4 });
    let truth = |x: f64| strain * (x - 80.0);
    let mut counts = Vec::new();
    for settings in [&whole, &truncated] {
        let reference = prepare(&hide(&first), Some(&mask), settings).expect("valid settings");
        let field = correlate(&reference, &deformed, Guess::Phase).expect("images of one size");
        let mut solved = 0;
        for point in &field.points {
            let error = (point.u() - truth(point.x as f64)).hypot(point.v());
            if in_hole(point.x as f64, point.y as f64) {
                assert_eq!(point.status, Status::Masked, "{point:?}");
            }
            if point.status == Status::Converged {
                assert!(error < 0.1, "{error}: {point:?}");
                solved += usize::from(error < 0.05);
            }
        }
        println!("{:?}: {solved} of {}", settings.borders, field.points.len());
        counts.push(solved);
    }
    assert!(2 * counts[1] > 3 * counts[0], "{counts:?}");
}

/// Points that start from coarse to fine stop within the stop value of where they stop alone, after fewer
/// iterations, on any number of threads, on both sides of a jump that nothing divides.
#[test]
fn points_find_the_same_coarse_to_fine() {
    let size = 300;
    let speckle = Speckle::new(size, size, 31);
    let first = speckle.picture_by(size, size, |x, y| (x, y));
    let jump = |y: f64| if y < 150.0 { 0.0 } else { 2.5 };
    let deformed = speckle.picture_by(size, size, |x, y| {
        (0.99 * x + 2.3 + jump(y), y - 0.01 * x + 1.4)
    });
    let solved = |initial_guess: InitialGuess, threads: usize| {
        let settings = settings(31, 5, ShapeOrder::One)
            .with_initial_guess(initial_guess)
            .with_split(Split::None);
        let reference = prepare(&first, None, &settings).expect("valid settings");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads can be started")
            .install(|| correlate(&reference, &deformed, Guess::Phase))
            .expect("images of one size")
    };
    let (alone, refined) = (
        solved(InitialGuess::PhaseAndKeypoints, 1),
        solved(InitialGuess::CoarseToFine, 1),
    );
    assert_eq!(refined, solved(InitialGuess::CoarseToFine, 3));
    let (mut iterations, mut far) = ([0, 0], 0);
    for (a, b) in alone.points.iter().zip(&refined.points) {
        let apart = (a.u() - b.u()).hypot(a.v() - b.v());
        // Subsets across the jump match either side, or neither.
        let across = a.y.abs_diff(150) <= 18;
        far += usize::from(!across && (a.status != b.status || apart > 1e-3));
        iterations[0] += a.icgn_iterations;
        iterations[1] += b.icgn_iterations;
    }
    assert_eq!(far, 0, "of {}", refined.points.len());
    assert!(4 * iterations[1] < 3 * iterations[0], "{iterations:?}");
}

/// A plate that turns and moves by 14 px before a flat wall, whose rim correlates clearly wherever it lies: points
/// that start from coarse to fine find what they find alone, on the plate and at its rim, and none beyond it.
#[test]
fn coarse_to_fine_at_the_rim_of_a_plate() {
    let size = 320;
    let speckle = Speckle::new(size, size, 47);
    let plate = |x: f64, y: f64| (60.0..230.0).contains(&x) && (70.0..240.0).contains(&y);
    let scene = |x: f64, y: f64| {
        if plate(x, y) {
            speckle.value(x, y)
        } else {
            90.0
        }
    };
    let first = GrayImage::from_fn(size, size, |x, y| scene(x as f64, y as f64) as f32);
    let (sin, cos) = 0.03_f64.sin_cos();
    let back = |x: f64, y: f64| {
        let (dx, dy) = (x - 14.3 - 145.0, y + 5.6 - 155.0);
        (145.0 + cos * dx + sin * dy, 155.0 - sin * dx + cos * dy)
    };
    let deformed = GrayImage::from_fn(size, size, |x, y| {
        let (x, y) = back(x as f64, y as f64);
        scene(x, y) as f32
    });
    let (first, deformed) = (first.expect("a size"), deformed.expect("a size"));
    let [alone, refined] =
        [InitialGuess::PhaseAndKeypoints, InitialGuess::CoarseToFine].map(|initial_guess| {
            let settings = settings(25, 5, ShapeOrder::One)
                .with_initial_guess(initial_guess)
                .with_split(Split::None);
            let reference = prepare(&first, None, &settings).expect("valid settings");
            correlate(&reference, &deformed, Guess::Phase).expect("images of one size")
        });
    let (mut on_plate, mut wrong) = (0, [0, 0]);
    for (a, b) in alone.points.iter().zip(&refined.points) {
        let (x, y) = (a.x as f64, a.y as f64);
        let far = |point: &PointResult| {
            let (back_x, back_y) = back(x + point.u(), y + point.v());
            point.status == Status::Converged && (back_x - x).hypot(back_y - y) > 0.1
        };
        let is_on_plate = (60.0 + 13.0..230.0 - 13.0).contains(&x) && (83.0..227.0).contains(&y);
        if is_on_plate {
            on_plate += 1;
            assert_eq!((a.status, b.status), (Status::Converged, Status::Converged));
            let apart = (a.u() - b.u()).hypot(a.v() - b.v());
            assert!(apart < 2e-3 && !far(b), "({x}, {y}): {apart}");
        }
        wrong[0] += usize::from(far(a));
        wrong[1] += usize::from(far(b));
    }
    println!("{wrong:?} wrong of {}", alone.points.len());
    assert!(on_plate > 700, "{on_plate}");
    assert!(wrong[1] <= wrong[0] + 5, "{wrong:?}");
}

#[test]
fn threads_make_no_difference() {
    let size = 240;
    let speckle = Speckle::new(size, size, 15);
    let first = speckle.picture_by(size, size, |x, y| (x, y));
    let deformed = speckle.picture_by(size, size, |x, y| (239.0 - 0.9 * y, 20.0 + 0.8 * x));
    for initial_guess in [InitialGuess::PhaseAndKeypoints, InitialGuess::Keypoints] {
        let settings = settings(31, 8, ShapeOrder::One).with_initial_guess(initial_guess);
        let reference = prepare(&first, None, &settings).expect("valid settings");
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads can be started")
                .install(|| correlate(&reference, &deformed, Guess::Phase))
                .expect("images of one size")
        };
        let field = run(1);
        assert!(3 * field.count(Status::Converged) > field.points.len());
        assert_eq!(field, run(3), "{initial_guess:?}");
    }
}

/// A linear map about the middle of the picture, `[xx, xy, yx, yy]`.
fn linear_case(name: &str, map: [f64; 4], order: ShapeOrder) {
    let size = 400;
    let middle = 199.5;
    let speckle = Speckle::new(size, size, 21);
    let first = speckle.picture_by(size, size, |x, y| (x, y));
    let [a, b, c, d] = map;
    let determinant = a * d - b * c;
    let deformed = speckle.picture_by(size, size, |x, y| {
        let (dx, dy) = (x - middle, y - middle);
        (
            middle + (d * dx - b * dy) / determinant,
            middle + (a * dy - c * dx) / determinant,
        )
    });
    let truth = |x: f64, y: f64| {
        let (dx, dy) = (x - middle, y - middle);
        (a * dx + b * dy - dx, c * dx + d * dy - dy)
    };
    let field = solve(&first, &deformed, &settings(31, 10, order));
    outcome(&field, (size, size), 15.0, truth).check(&format!("{name} {order:?}"));
}

fn turn(degrees: f64) -> [f64; 4] {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [cos, -sin, sin, cos]
}

#[test]
fn rotations_by_any_angle() {
    for order in [ShapeOrder::One, ShapeOrder::Two] {
        linear_case("turn 170", turn(170.0), order);
    }
}

#[test]
fn tension_compression_and_shear() {
    linear_case("turn 90", turn(90.0), ShapeOrder::One);
    linear_case("shear 0.5", [1.0, 0.5, 0.0, 1.0], ShapeOrder::Two);
    linear_case("compression 30 %", [0.7, 0.0, 0.0, 1.1], ShapeOrder::One);
    linear_case("tension 45 %", [1.45, 0.0, 0.0, 0.87], ShapeOrder::Two);
    linear_case("tension 126 %", [2.26, 0.0, 0.0, 0.75], ShapeOrder::One);
}

/// `u = e w tanh((x − c) / w)`: strain `e` in the middle and none at the ends.
#[test]
fn a_neck_in_the_middle() {
    let (width, height) = (700, 160);
    for (strain, w, order) in [
        (1.26, 100.0, ShapeOrder::Two),
        (1.26, 60.0, ShapeOrder::One),
    ] {
        let middle = 349.5;
        let speckle = Speckle::new(width, height, 33);
        let first = speckle.picture_by(width, height, |x, y| (x, y));
        let moved = |x: f64| x + strain * w * ((x - middle) / w).tanh();
        let deformed = speckle.picture_by(width, height, |x, y| {
            let (mut low, mut high) = (-300.0, width as f64 + 300.0);
            for _ in 0..60 {
                let between = 0.5 * (low + high);
                if moved(between) < x {
                    low = between;
                } else {
                    high = between;
                }
            }
            (0.5 * (low + high), y)
        });
        let truth = |x: f64, _: f64| (moved(x) - x, 0.0);
        let field = solve(&first, &deformed, &settings(21, 5, order));
        let name = format!("neck of {strain} over {w} px {order:?}");
        let found = outcome(&field, (width, height), 10.0, truth);
        println!("{name}: {found:?}");
        assert_eq!(found.wrong, 0, "{name}: {found:?}");
        assert!(
            100 * found.converged >= 99 * found.inside,
            "{name}: {found:?}"
        );
        // A subset of first order cannot follow the bend, but it is in its place.
        let rmse = if order == ShapeOrder::Two { 0.05 } else { 0.2 };
        assert!(found.rmse < rmse, "{name}: {found:?}");
    }
}
