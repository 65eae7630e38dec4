//! Exact displacement fields on pictures whose grey value is known at every real position.

use std::ops::ControlFlow;

use retrial_core::displacement::Displacement;
use retrial_dic::{
    DicError, Field, Gradient, Guess, InitialGuess, InstructionSet, LastEvaluation,
    ReferenceStrategy, Settings, ShapeOrder, SplineDegree, Status, SubsetShape, correlate,
    correlate_series, prepare,
};
use retrial_image::{GrayImage, Mask};

use crate::support::Speckle;

const SIZE: usize = 150;
const STILL: Displacement = Displacement::Translation { u: 0.0, v: 0.0 };

fn settings() -> Settings {
    Settings::default().with_side_px(31).with_step_px(12)
}

fn measure(field: &Displacement, settings: &Settings) -> Field {
    let speckle = Speckle::new(SIZE, SIZE, 7);
    let first = speckle.picture(SIZE, SIZE, &STILL);
    let reference = prepare(&first, None, settings).expect("valid settings");
    let deformed = speckle.picture(SIZE, SIZE, field);
    correlate(&reference, &deformed, Guess::Phase).expect("images of one size")
}

/// The largest error of the points whose subset stays inside; all of those must converge.
fn worst(field: &Field, truth: &Displacement, half: f64) -> f64 {
    let inside = |t: f64| (half + 1.0..=SIZE as f64 - 2.0 - half).contains(&t);
    let mut worst: f64 = 0.0;
    let mut count = 0;
    for point in &field.points {
        let (x, y) = (point.x as f64, point.y as f64);
        let (u, v) = truth.at(x, y);
        if !inside(x + u) || !inside(y + v) {
            continue;
        }
        assert_eq!(point.status, Status::Converged, "{point:?}");
        assert!(point.zncc > 0.99, "{point:?}");
        worst = worst.max((point.u() - u).hypot(point.v() - v));
        count += 1;
    }
    assert!(count >= 25, "only {count} points stay inside");
    worst
}

#[test]
fn translations_are_recovered_by_every_order_degree_and_gradient() {
    for (u, v) in [(0.0, 0.0), (0.37, -0.61), (7.3, -4.8)] {
        let truth = Displacement::Translation { u, v };
        for shape_order in [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two] {
            for spline_degree in [SplineDegree::Three, SplineDegree::Five] {
                for gradient in [Gradient::Spline, Gradient::Prewitt] {
                    let settings = settings()
                        .with_shape_order(shape_order)
                        .with_spline_degree(spline_degree)
                        .with_gradient(gradient);
                    let error = worst(&measure(&truth, &settings), &truth, 15.0);
                    assert!(error < 1e-3, "{truth:?} {settings:?}: {error}");
                }
            }
        }
    }
}

#[test]
fn an_affine_field_is_recovered_with_its_gradient() {
    let truth = Displacement::Affine {
        u0: 0.4,
        v0: -0.3,
        ux: 0.02,
        uy: -0.01,
        vx: 0.015,
        vy: -0.03,
        cx: 75.0,
        cy: 75.0,
    };
    for (shape_order, tolerance) in [(ShapeOrder::One, 3e-4), (ShapeOrder::Two, 6e-4)] {
        for subset_shape in [SubsetShape::Square, SubsetShape::Circle] {
            let settings = settings()
                .with_shape_order(shape_order)
                .with_subset_shape(subset_shape)
                .with_stop_value(1e-5);
            let field = measure(&truth, &settings);
            let error = worst(&field, &truth, 18.0);
            assert!(error < 4e-3, "{settings:?}: {error}");
            for point in field
                .points
                .iter()
                .filter(|p| p.status == Status::Converged)
            {
                let gradient = point.gradient().as_array();
                for (got, expected) in gradient.into_iter().zip([0.02, -0.01, 0.015, -0.03]) {
                    assert!((got - expected).abs() < tolerance, "{point:?}");
                }
            }
        }
    }
}

#[test]
fn a_rotation_by_five_degrees_is_recovered() {
    let truth = Displacement::Rotation {
        angle_deg: 5.0,
        cx: 74.0,
        cy: 76.0,
    };
    let field = measure(&truth, &settings());
    let error = worst(&field, &truth, 19.0);
    assert!(error < 2e-3, "{error}");
    let middle = field.points[field.points.len() / 2];
    assert!(
        (middle.gradient().u_y + 5.0_f64.to_radians().sin()).abs() < 1e-3,
        "{middle:?}"
    );
}

#[test]
fn a_quadratic_field_needs_order_two() {
    const BEND: f64 = 8e-4;
    let speckle = Speckle::new(SIZE, SIZE, 3);
    let first = speckle.picture(SIZE, SIZE, &STILL);
    // u = ½ BEND (x − 75)², v = ½ BEND (x − 75)(y − 75).
    let at = |x: f64, y: f64| {
        let (dx, dy) = (x - 75.0, y - 75.0);
        (0.5 * BEND * dx * dx, 0.5 * BEND * dx * dy)
    };
    let deformed = speckle.picture_by(SIZE, SIZE, |x, y| {
        let (mut rx, mut ry) = (x, y);
        for _ in 0..100 {
            let (u, v) = at(rx, ry);
            (rx, ry) = (x - u, y - v);
        }
        (rx, ry)
    });
    let mut errors = Vec::new();
    for shape_order in [ShapeOrder::One, ShapeOrder::Two] {
        let settings = settings()
            .with_shape_order(shape_order)
            .with_stop_value(1e-4);
        let reference = prepare(&first, None, &settings).expect("valid settings");
        let field = correlate(&reference, &deformed, Guess::Phase).expect("images of one size");
        let mut worst: f64 = 0.0;
        for point in &field.points {
            let (x, y) = (point.x as f64, point.y as f64);
            if (x - 75.0).abs() > 45.0 || (y - 75.0).abs() > 45.0 {
                continue;
            }
            assert_eq!(point.status, Status::Converged, "{point:?}");
            let (u, v) = at(x, y);
            worst = worst.max((point.u() - u).hypot(point.v() - v));
            if shape_order == ShapeOrder::Two {
                assert!((point.curvature().u_xx - BEND).abs() < 1e-4, "{point:?}");
                assert!(
                    (point.curvature().v_xy - 0.5 * BEND).abs() < 1e-4,
                    "{point:?}"
                );
            }
        }
        errors.push(worst);
    }
    assert!(errors[1] < 5e-3, "{errors:?}");
    assert!(errors[0] > 8.0 * errors[1], "{errors:?}");
}

#[test]
fn gain_and_offset_do_not_matter() {
    let speckle = Speckle::new(SIZE, SIZE, 7);
    let truth = Displacement::Translation { u: 0.45, v: 0.8 };
    let first = speckle.picture(SIZE, SIZE, &STILL);
    let deformed = speckle.picture(SIZE, SIZE, &truth);
    let dimmed = GrayImage::from_fn(SIZE, SIZE, |x, y| {
        30.0 + 0.4 * deformed.get(x, y).expect("inside")
    })
    .expect("a valid size");
    let reference = prepare(&first, None, &settings()).expect("valid settings");
    let field = correlate(&reference, &dimmed, Guess::Phase).expect("images of one size");
    assert!(worst(&field, &truth, 15.0) < 1e-3);
}

#[test]
fn a_mask_keeps_points_out_and_changes_nothing_else() {
    let speckle = Speckle::new(SIZE, SIZE, 7);
    let truth = Displacement::Translation { u: 0.3, v: 0.2 };
    let first = speckle.picture(SIZE, SIZE, &STILL);
    let deformed = speckle.picture(SIZE, SIZE, &truth);
    let left = Mask::new(
        SIZE,
        SIZE,
        (0..SIZE * SIZE).map(|i| i % SIZE < 90).collect(),
    )
    .expect("a valid size");
    let solve = |mask| {
        let reference = prepare(&first, mask, &settings()).expect("valid settings");
        correlate(&reference, &deformed, Guess::Zero).expect("images of one size")
    };
    let (all, some) = (solve(None), solve(Some(&left)));
    let expected: Vec<_> = all.points.into_iter().filter(|p| p.x + 15 < 90).collect();
    assert!(!expected.is_empty() && expected == some.points);
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let truth = Displacement::Rotation {
        angle_deg: 3.0,
        cx: 60.0,
        cy: 80.0,
    };
    for shape_order in [ShapeOrder::One, ShapeOrder::Two] {
        let settings = settings().with_shape_order(shape_order).with_step_px(5);
        let with_threads = |n: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
            pool.expect("threads can be started")
                .install(|| measure(&truth, &settings))
        };
        let (one, three) = (with_threads(1), with_threads(3));
        assert!(one.count(Status::Converged) > 300);
        assert_eq!(one, three);
    }
}

#[test]
fn the_result_hardly_depends_on_the_instruction_set() {
    let truth = Displacement::Affine {
        u0: 0.4,
        v0: -0.3,
        ux: 0.01,
        uy: -0.02,
        vx: 0.015,
        vy: 0.005,
        cx: 75.0,
        cy: 75.0,
    };
    let measured = [
        InstructionSet::Best,
        InstructionSet::Avx2,
        InstructionSet::Baseline,
    ]
    .map(|instruction_set| {
        let settings = settings()
            .with_instruction_set(instruction_set)
            .with_stop_value(1e-6);
        measure(&truth, &settings)
    });
    for other in &measured[1..] {
        assert_eq!(measured[0].points.len(), other.points.len());
        assert!(other.count(Status::Converged) >= 25);
        for (a, b) in measured[0].points.iter().zip(&other.points) {
            assert_eq!(a.status, b.status);
            let apart = (a.u() - b.u()).hypot(a.v() - b.v());
            assert!(apart < 2e-6, "{apart} px between {a:?} and {b:?}");
        }
    }
}

#[test]
fn the_previous_strategy_reports_displacements_from_the_first_image() {
    let speckle = Speckle::new(SIZE, SIZE, 11);
    let first = speckle.picture(SIZE, SIZE, &STILL);
    let field_of = |i: usize| Displacement::Affine {
        u0: 1.3 * i as f64,
        v0: -0.7 * i as f64,
        ux: 0.012 * i as f64,
        uy: 0.004 * i as f64,
        vx: -0.006 * i as f64,
        vy: 0.008 * i as f64,
        cx: 75.0,
        cy: 75.0,
    };
    let images: Vec<GrayImage> = (1..=4)
        .map(|i| speckle.picture(SIZE, SIZE, &field_of(i)))
        .collect();
    for reference_strategy in [ReferenceStrategy::First, ReferenceStrategy::Previous] {
        let settings = settings()
            .with_reference_strategy(reference_strategy)
            .with_stop_value(1e-4);
        let mut fields = Vec::new();
        let items = images.iter().map(|image| Ok::<_, DicError>(image.clone()));
        let count = correlate_series(&first, items, None, &settings, |index, field| {
            assert_eq!(index, fields.len());
            fields.push(field);
            ControlFlow::Continue(())
        });
        assert_eq!(count, Ok(4));
        for (index, field) in fields.iter().enumerate() {
            let truth = field_of(index + 1);
            let error = worst(field, &truth, 20.0);
            assert!(
                error < 4e-3,
                "{reference_strategy:?} image {index}: {error}"
            );
            let middle = field.points[field.points.len() / 2];
            let expected = 0.012 * (index + 1) as f64;
            assert!(
                (middle.gradient().u_x - expected).abs() < 5e-4,
                "{middle:?}"
            );
        }
    }
}

#[test]
fn a_series_can_be_stopped_between_images() {
    let speckle = Speckle::new(SIZE, SIZE, 11);
    let first = speckle.picture(SIZE, SIZE, &STILL);
    let mut asked = 0;
    let items = std::iter::from_fn(|| {
        asked += 1;
        Some(Ok::<_, DicError>(first.clone()))
    });
    let count = correlate_series(&first, items, None, &settings(), |index, _| {
        if index == 1 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!((count, asked), (Ok(2), 2));
}

#[test]
fn an_error_of_the_image_source_ends_a_series() {
    let first = Speckle::new(SIZE, SIZE, 11).picture(SIZE, SIZE, &STILL);
    let items = [Ok(first.clone()), Err(DicError::ZeroStep)];
    let mut seen = 0;
    let count = correlate_series(&first, items, None, &settings(), |_, _| {
        seen += 1;
        ControlFlow::Continue(())
    });
    assert_eq!((count, seen), (Err(DicError::ZeroStep), 1));
}

#[test]
fn every_status_has_its_cause() {
    let speckle = Speckle::new(SIZE, SIZE, 5);
    let first = speckle.picture(SIZE, SIZE, &STILL);
    let flat = GrayImage::new(SIZE, SIZE, vec![80.0; SIZE * SIZE]).expect("a valid size");
    let stripes = GrayImage::from_fn(SIZE, SIZE, |x, _| 100.0 + 50.0 * (x as f32 * 0.7).sin())
        .expect("a valid size");
    // Turned, so that the lattices of the two patterns do not match.
    let stranger = Speckle::new(SIZE, SIZE, 99)
        .picture_by(SIZE, SIZE, |x, y| (75.0 + 0.6 * (x - y), 0.6 * (x + y)));
    let run = |first: &GrayImage, deformed: &GrayImage, settings: &Settings| {
        let reference = prepare(first, None, settings).expect("valid settings");
        correlate(&reference, deformed, Guess::Phase).expect("images of one size")
    };
    let all_are = |field: &Field, status: Status| field.count(status) == field.points.len();
    assert!(all_are(
        &run(&first, &flat, &settings()),
        Status::FlatSubset
    ));
    assert!(all_are(
        &run(&flat, &first, &settings()),
        Status::FlatSubset
    ));
    assert!(all_are(
        &run(&stripes, &stripes, &settings()),
        Status::IllConditioned
    ));
    let unrelated = run(&first, &stranger, &settings());
    assert!(unrelated.count(Status::LowCorrelation) > 0);
    assert!(4 * unrelated.count(Status::Converged) < unrelated.points.len());
    let hurried = settings()
        .with_iteration_limit(1)
        .with_initial_guess(InitialGuess::PerSubset)
        .with_last_evaluation(LastEvaluation::AfterUpdate);
    let truth = Displacement::Translation { u: 0.4, v: 0.4 };
    let field = run(&first, &speckle.picture(SIZE, SIZE, &truth), &hurried);
    let inside = field
        .points
        .iter()
        .filter(|p| p.x + 17 < SIZE && p.y + 17 < SIZE);
    for point in inside {
        assert_eq!(
            (point.status, point.icgn_iterations),
            (Status::IterationLimit, 2)
        );
    }
    let away = Displacement::Translation { u: 12.0, v: 0.0 };
    let field = run(&first, &speckle.picture(SIZE, SIZE, &away), &settings());
    for point in field.points.iter().filter(|p| p.x + 15 + 12 > SIZE) {
        assert_ne!(point.status, Status::Converged, "{point:?}");
    }
    assert!(field.count(Status::OutOfImage) > 0);
}
