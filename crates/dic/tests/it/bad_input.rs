//! Input that no correlation can come of: an error that names the values, or a status per point,
//! and never a panic.

use proptest::prelude::*;
use retrial_dic::{
    Borders, Criterion, DicError, GaussianFilter, Gradient, Grid, Guess, InitialGuess,
    InstructionSet, LastEvaluation, Optimiser, PairSpectra, ReferenceStrategy, Settings,
    ShapeOrder, SplineDegree, Split, SubsetShape, correlate, correlate_series, gaussian_filter,
    prepare, prepare_points,
};
use retrial_image::{GrayImage, Mask};

fn picture(width: usize, height: usize) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| ((x * 97 + y * y * 31) % 251) as f32)
        .expect("a valid size")
}

fn refused(settings: &Settings) -> DicError {
    prepare(&picture(64, 64), None, settings).expect_err("the settings are wrong")
}

#[test]
fn wrong_settings_are_named_with_their_values() {
    let settings = Settings::default().with_side_px(21);
    let even = settings.clone().with_side_px(20);
    assert_eq!(refused(&even), DicError::SubsetSize { size_px: 20 });
    assert_eq!(
        refused(&even).to_string(),
        "subset size must be odd and at least 3 px, got 20 px"
    );
    let step = settings.clone().with_step_px(0);
    assert_eq!(refused(&step), DicError::ZeroStep);
    let hurried = settings.clone().with_iteration_limit(0);
    assert_eq!(refused(&hurried), DicError::ZeroIterations);
    for stop_value in [0.0, -1.0, f64::INFINITY] {
        let stop = settings.clone().with_stop_value(stop_value);
        let expected = DicError::NotPositive {
            setting: "stop_value",
            value: stop_value,
        };
        assert_eq!(refused(&stop), expected);
    }
    for min_zncc in [-1.1, 1.5, f64::NAN] {
        let zncc = settings.clone().with_min_zncc(min_zncc);
        assert!(matches!(refused(&zncc), DicError::MinZncc { .. }));
    }
    for (sigma_px, window_px) in [(0.0, 5), (f64::NAN, 5), (1.0, 4), (1.0, 0), (1.0, 101)] {
        let filter = GaussianFilter {
            sigma_px,
            window_px,
        };
        let filtered = settings.clone().with_prefilter(Some(filter));
        let error = refused(&filtered);
        let named = matches!(
            error,
            DicError::NotPositive { .. } | DicError::FilterWindow { .. }
        );
        assert!(named, "{error}");
        assert!(gaussian_filter(&picture(8, 8), filter).is_err());
    }
}

#[test]
fn images_and_masks_that_do_not_fit_are_named_with_their_sizes() {
    let settings = Settings::default().with_side_px(21);
    for (width, height) in [(1, 1), (20, 64), (64, 20)] {
        let error = prepare(&picture(width, height), None, &settings).expect_err("too small");
        let expected = DicError::SubsetExceedsImage {
            size_px: 21,
            width,
            height,
        };
        assert_eq!(error, expected);
    }
    let first = picture(64, 48);
    let other = Mask::full(48, 64).expect("a valid size");
    let expected = DicError::MaskSize {
        width: 64,
        height: 48,
        got_width: 48,
        got_height: 64,
    };
    assert_eq!(
        prepare(&first, Some(&other), &settings).err(),
        Some(expected)
    );
    let empty = Mask::new(64, 48, vec![false; 64 * 48]).expect("a valid size");
    let expected = DicError::EmptyMask {
        width: 64,
        height: 48,
    };
    assert_eq!(
        prepare(&first, Some(&empty), &settings).err(),
        Some(expected)
    );
    let thin =
        Mask::new(64, 48, (0..64 * 48).map(|i| i % 64 < 20).collect()).expect("a valid size");
    let error = prepare(&first, Some(&thin), &settings).expect_err("no subset fits");
    assert!(
        matches!(error, DicError::NoPoint { mask_px: 960, .. }),
        "{error}"
    );
    let published = settings.clone().with_grid(Grid::Published).with_step_px(30);
    let error = prepare(&first, None, &published).expect_err("the margin is too wide");
    assert!(
        matches!(error, DicError::NoPoint { step_px: 30, .. }),
        "{error}"
    );

    let reference = prepare(&first, None, &settings).expect("valid settings");
    let error = correlate(&reference, &picture(64, 47), Guess::Zero).expect_err("another size");
    assert_eq!(
        error.to_string(),
        "the reference has 64 × 48 px, the deformed image 64 × 47 px"
    );
    let mut broken = first.pixels().to_vec();
    broken[64 * 7 + 5] = f32::NAN;
    let broken = GrayImage::new(64, 48, broken).expect("a valid size");
    let named = |error: DicError| matches!(error, DicError::NonFinitePixel { x: 5, y: 7, .. });
    assert!(named(
        prepare(&broken, None, &settings).expect_err("a pixel is NaN")
    ));
    assert!(named(
        correlate(&reference, &broken, Guess::Zero).expect_err("a pixel is NaN")
    ));
    let field = correlate(&reference, &first, Guess::Zero).expect("images of one size");
    let coarse = settings.with_step_px(20);
    let coarse = prepare(&first, None, &coarse).expect("valid settings");
    let error = correlate(&coarse, &first, Guess::Field(&field)).expect_err("another grid");
    assert!(matches!(error, DicError::GuessSize { .. }), "{error}");
}

/// Images that tend to break things: noise, constants, saturation, huge and tiny values.
fn pixels(kind: u8, x: usize, y: usize, seed: u32) -> f32 {
    let mut mixed =
        seed ^ (x as u32).wrapping_mul(73_856_093) ^ (y as u32).wrapping_mul(19_349_663);
    for _ in 0..3 {
        mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
    }
    let noise = (mixed >> 16) as f32 / 65_536.0;
    match kind {
        0 => (255.0 * noise).round(),
        1 => 128.0,
        2 => 255.0 * noise.round(),
        3 => 1e38 * (noise - 0.5),
        4 => 1e-30 * noise,
        5 => x as f32,
        _ => 100.0 + 60.0 * (0.6 * x as f32 + seed as f32).sin() * (0.5 * y as f32).cos(),
    }
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let shape = (
        0_usize..26,
        0_usize..9,
        0_u8..3,
        any::<[bool; 8]>(),
        prop_oneof![Just(None), (0.2_f64..2.0, 0_usize..8).prop_map(Some)],
    );
    let numbers = (
        prop_oneof![Just(0.0), 1e-6_f64..1.0],
        0_usize..30,
        -1.1_f64..1.0,
        0_u8..3,
        0_u8..4,
        0_u8..3,
    );
    (shape, numbers).prop_map(|((size, step, order, flags, filter), numbers)| {
        Settings::default()
            .with_side_px(size)
            .with_step_px(step)
            .with_shape_order(
                [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two][usize::from(order)],
            )
            .with_subset_shape(if flags[0] {
                SubsetShape::Square
            } else {
                SubsetShape::Circle
            })
            .with_grid(if flags[1] {
                Grid::Full
            } else {
                Grid::Published
            })
            .with_spline_degree(if flags[2] {
                SplineDegree::Three
            } else {
                SplineDegree::Five
            })
            .with_borders(if flags[6] {
                Borders::Whole
            } else {
                Borders::Truncated {
                    least_share: numbers.2,
                }
            })
            .with_split(if flags[7] {
                Split::None
            } else {
                Split::Automatic
            })
            .with_reference_strategy(
                [
                    ReferenceStrategy::First,
                    ReferenceStrategy::Previous,
                    ReferenceStrategy::Automatic,
                ][usize::from(flags[3]) + usize::from(flags[5])],
            )
            .with_initial_guess(if flags[4] {
                [
                    InitialGuess::PhaseAndKeypoints,
                    InitialGuess::PhaseCorrelation,
                    InitialGuess::Keypoints,
                    InitialGuess::CoarseToFine,
                ][step % 4]
            } else {
                InitialGuess::PerSubset
            })
            .with_last_evaluation(if flags[5] {
                LastEvaluation::BeforeUpdate
            } else {
                LastEvaluation::AfterUpdate
            })
            .with_prefilter(filter.map(|(sigma_px, window_px)| GaussianFilter {
                sigma_px,
                window_px,
            }))
            .with_gradient(
                [
                    Gradient::Spline,
                    Gradient::Prewitt,
                    Gradient::PrewittUnscaled,
                ][usize::from(numbers.3)],
            )
            .with_criterion(
                [
                    Criterion::Znssd,
                    Criterion::Ssd,
                    Criterion::Nssd,
                    Criterion::Pssdab,
                ][usize::from(numbers.4)],
            )
            .with_optimiser(
                [Optimiser::IcGn, Optimiser::IcLm, Optimiser::ForwardGn][usize::from(numbers.5)],
            )
            .with_stop_value(numbers.0)
            .with_iteration_limit(numbers.1)
            .with_min_zncc(numbers.2)
            .with_instruction_set(InstructionSet::Best)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_every_result_is_finite(
        settings in any_settings(),
        (width, height) in (1_usize..60, 1_usize..60),
        (first, second) in (0_u8..7, 0_u8..7),
        seed in any::<u32>(),
        hole in proptest::option::of((0_usize..60, 0_usize..60, 0_usize..30)),
    ) {
        let image = |kind: u8, seed: u32| {
            GrayImage::from_fn(width, height, |x, y| pixels(kind, x, y, seed)).expect("a valid size")
        };
        let mask = hole.map(|(x0, y0, size)| {
            let inside = (0..width * height).map(|i| {
                let (x, y) = (i % width, i / width);
                !(x >= x0 && x < x0 + size && y >= y0 && y < y0 + size)
            });
            Mask::new(width, height, inside.collect()).expect("a valid size")
        });
        let series = [image(second, seed.wrapping_add(1)), image(first, seed)];
        let items = series.into_iter().map(Ok::<_, DicError>);
        let mut finite = true;
        let result = correlate_series(&image(first, seed), items, mask.as_ref(), &settings, |_, field| {
            finite &= !field.points.is_empty();
            for point in &field.points {
                finite &= point.p.iter().all(|value| value.is_finite());
                finite &= point.zncc.is_finite() && (-1.001..=1.001).contains(&point.zncc);
                finite &= point.convergence_norm.is_finite();
            }
            std::ops::ControlFlow::Continue(())
        });
        prop_assert!(finite);
        if let Ok(count) = result {
            prop_assert_eq!(count, 2);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pictures large enough for tiles, and for coarse points.
    #[test]
    fn larger_pictures_are_matched_and_predicted_without_a_panic(
        (width, height) in (60_usize..180, 60_usize..180),
        (first, second) in (0_u8..7, 0_u8..7),
        (seed, same) in (any::<u32>(), any::<bool>()),
        (step_px, order) in (2_usize..7, 0_u8..3),
    ) {
        let image = |kind: u8, seed: u32| {
            GrayImage::from_fn(width, height, |x, y| pixels(kind, x, y, seed)).expect("a valid size")
        };
        let deformed = image(if same { first } else { second }, seed ^ u32::from(!same));
        let first = image(first, seed);
        let order = [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two][usize::from(order)];
        let settings = Settings::default().with_side_px(21).with_step_px(step_px);
        let mut settings = settings.with_shape_order(order);
        if let Some(spectra) = PairSpectra::measure(&first, &deformed, None).expect("one size") {
            let expected = spectra.forecast(&settings).expect("valid settings");
            prop_assert!(expected.worst >= 0.0, "{expected:?}");
            settings = spectra.advise(&settings).expect("valid settings");
        }
        let reference = prepare(&first, None, &settings).expect("valid settings");
        let field = correlate(&reference, &deformed, Guess::Phase).expect("one size");
        for point in &field.points {
            prop_assert!(point.p.iter().all(|value| value.is_finite()), "{point:?}");
            prop_assert!((-1.001..=1.001).contains(&point.zncc), "{point:?}");
        }
    }
}

#[test]
fn chosen_points_are_matched_in_their_order_or_refused() {
    let settings = Settings::default().with_side_px(21);
    let image = picture(64, 48);
    let points = vec![(50, 20), (10, 10), (51, 20), (10, 37), (10, 10)];
    let reference = prepare_points(&image, points.clone(), &settings).expect("they fit");
    assert_eq!(reference.points(), points);
    let field = correlate(&reference, &image, Guess::Phase).expect("a field");
    assert_eq!(field.points.len(), points.len());
    for (point, place) in field.points.iter().zip(points) {
        assert_eq!((point.x, point.y), place);
        assert!(point.u().abs() < 1e-3 && point.v().abs() < 1e-3);
    }
    for (x, y) in [(9, 20), (20, 9), (54, 20), (20, 38), (usize::MAX, 20)] {
        let error = prepare_points(&image, vec![(20, 20), (x, y)], &settings);
        let expected = DicError::PointOutside {
            x,
            y,
            size_px: 21,
            width: 64,
            height: 48,
        };
        assert_eq!(error.err(), Some(expected));
    }
    let none = prepare_points(&image, Vec::new(), &settings);
    assert_eq!(none.err(), Some(DicError::EmptyPoints));
}
