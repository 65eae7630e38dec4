//! Stated uncertainties against the scatter of repeated measurements with fresh noise.

use retrial_core::displacement::Displacement;
use retrial_dic::{
    DicError, FitOrder, Guess, NoiseLevel, Settings, ShapeOrder, SplineDegree, Status,
    StrainMeasure, StrainWindow, SubsetShape, WindowWeights, correlate, noise_of_pair, prepare,
    residual_noise, sensitivity, strain_field, uncertainty,
};
use retrial_image::GrayImage;

use crate::support::{Speckle, noisy};

const SIZE: usize = 200;
const SHIFT: (f64, f64) = (0.3, -0.2);
const PAIRS: u32 = 6;

/// Root mean square of errors over their stated uncertainties: u, v, u_x, v_y, strain xx, strain xy;
/// and the noise by the residual.
struct Ratios {
    squares: [f64; 6],
    counts: [usize; 6],
    residual: f64,
}

impl Ratios {
    fn add(&mut self, side: usize, ratio: f64) {
        self.squares[side] += ratio * ratio;
        self.counts[side] += 1;
    }

    fn rms(&self, side: usize) -> f64 {
        (self.squares[side] / self.counts[side] as f64).sqrt()
    }
}

fn measure(settings: &Settings, window: &StrainWindow, level: f64, gain: f64) -> Ratios {
    let speckle = Speckle::new(SIZE, SIZE, 11);
    let (u, v) = SHIFT;
    let still = speckle.picture(SIZE, SIZE, &Displacement::Translation { u: 0.0, v: 0.0 });
    let moved = speckle.picture(SIZE, SIZE, &Displacement::Translation { u, v });
    let mut ratios = Ratios {
        squares: [0.0; 6],
        counts: [0; 6],
        residual: 0.0,
    };
    for pair in 0..PAIRS {
        let first = noisy(&still, 1.0, 2 * pair + 1, level);
        let second = noisy(&moved, gain, 2 * pair + 2, level);
        let reference = prepare(&first, None, settings).expect("valid settings");
        let mut field = correlate(&reference, &second, Guess::Phase).expect("images of one size");
        let sensitivity = sensitivity(&reference).expect("valid settings");
        let found = residual_noise(&sensitivity, &field).expect("one field");
        ratios.residual += found.expect("points converged") / f64::from(PAIRS);
        let stated =
            uncertainty(&sensitivity, &mut field, NoiseLevel::Residual).expect("one field");
        let strains = strain_field(
            &field,
            settings,
            window,
            StrainMeasure::GreenLagrange,
            Some(&stated),
        )
        .expect("valid settings");
        for ((point, one), strain) in field.points.iter().zip(&stated).zip(&strains.points) {
            let Some(one) = one else { continue };
            ratios.add(0, (point.u() - u) / one.u);
            ratios.add(1, (point.v() - v) / one.v);
            if let Some(gradient) = one.gradient {
                ratios.add(2, point.gradient().u_x / gradient[0]);
                ratios.add(3, point.gradient().v_y / gradient[3]);
            }
            if let Ok(strain) = strain.strain
                && let Some(stated) = strain.uncertainty
            {
                ratios.add(4, strain.tensor.xx / stated.xx);
                ratios.add(5, strain.tensor.xy / stated.xy);
            }
        }
    }
    ratios
}

fn check(name: &str, settings: &Settings, window: &StrainWindow, level: f64, gain: f64) {
    let ratios = measure(settings, window, level, gain);
    let rms: Vec<f64> = (0..6).map(|side| ratios.rms(side)).collect();
    println!("{name}: {rms:.3?}, noise {:.3} of {level}", ratios.residual);
    assert!(
        (ratios.residual / level - 1.0).abs() < 0.05,
        "{name}: noise {} of {level}",
        ratios.residual
    );
    for (side, value) in rms.iter().enumerate() {
        // A subset that only shifts has no gradient.
        if settings.shape_order == ShapeOrder::Zero && matches!(side, 2 | 3) {
            assert_eq!(ratios.counts[side], 0, "{name}");
            continue;
        }
        // Some 90 subsets share no pixel, in 6 pairs: the scatter of such a ratio is 3 %.
        let tolerance = if side < 4 { 0.1 } else { 0.15 };
        assert!((value - 1.0).abs() < tolerance, "{name}: {rms:?}");
    }
}

fn settings() -> Settings {
    Settings::default().with_side_px(21).with_step_px(7)
}

fn window() -> StrainWindow {
    StrainWindow::default().with_points(5)
}

#[test]
fn stated_uncertainties_are_the_scatter_of_the_errors() {
    check("default", &settings(), &window(), 3.0, 1.0);
    let weighted = window()
        .with_order(FitOrder::Two)
        .with_weights(WindowWeights::Gaussian { sigma_px: 12.0 });
    check("another gain", &settings(), &weighted, 2.0, 1.6);
    let order = |shape_order| settings().with_shape_order(shape_order);
    check("order 0", &order(ShapeOrder::Zero), &window(), 3.0, 1.0);
    check("order 2", &order(ShapeOrder::Two), &window(), 3.0, 1.0);
}

#[test]
fn filters_splines_and_circles_are_accounted_for() {
    let bare = settings().with_prefilter(None);
    check("no filter", &bare, &window(), 3.0, 1.0);
    let quintic = bare.with_spline_degree(SplineDegree::Five);
    check("quintic", &quintic, &window(), 3.0, 1.0);
    let circle = settings()
        .with_subset_shape(SubsetShape::Circle)
        .with_side_px(25);
    check("circle", &circle, &window(), 3.0, 1.0);
}

/// Noise that adds noticeably to the squared gradient.
#[test]
fn strong_noise_is_not_taken_for_texture() {
    check("strong noise", &settings(), &window(), 20.0, 1.0);
}

#[test]
fn a_still_pair_gives_its_noise() {
    let still = Speckle::new(SIZE, SIZE, 3).picture(
        SIZE,
        SIZE,
        &Displacement::Translation { u: 0.0, v: 0.0 },
    );
    let (first, second) = (noisy(&still, 1.0, 5, 2.0), noisy(&still, 1.0, 6, 2.0));
    let level = noise_of_pair(&first, &second).expect("images of one size");
    assert!((level - 2.0).abs() < 0.03, "{level}");
    let small = GrayImage::new(3, 3, vec![0.0; 9]).expect("a valid size");
    assert!(matches!(
        noise_of_pair(&first, &small),
        Err(DicError::ImageSize { .. })
    ));
}

#[test]
fn what_has_no_uncertainty_says_so() {
    let still =
        Speckle::new(80, 80, 3).picture(80, 80, &Displacement::Translation { u: 0.0, v: 0.0 });
    let first = noisy(&still, 1.0, 5, 2.0);
    let reference = prepare(&first, None, &settings()).expect("valid settings");
    let mut field = correlate(&reference, &still, Guess::Phase).expect("images of one size");
    let sensitivity = sensitivity(&reference).expect("valid settings");
    let stated = uncertainty(&sensitivity, &mut field, NoiseLevel::Known(2.0)).expect("one field");
    let one = stated[0].expect("converged");
    assert_eq!(one.noise, 2.0);
    // Twice the noise is twice the uncertainty, but for the correction of the Hessian.
    let twice = uncertainty(&sensitivity, &mut field, NoiseLevel::Known(4.0)).expect("one field");
    let ratio = twice[0].expect("converged").u / one.u;
    assert!((ratio - 2.0).abs() < 0.1, "{ratio}");
    assert!(uncertainty(&sensitivity, &mut field, NoiseLevel::Known(-1.0)).is_err());
    let mut lost = field.clone();
    let drowned =
        uncertainty(&sensitivity, &mut lost, NoiseLevel::Known(500.0)).expect("one field");
    assert!(drowned.iter().all(Option::is_none));
    assert_eq!(lost.count(Status::Uncertain), lost.points.len());
    field.points[0].status = Status::IterationLimit;
    let stated = uncertainty(&sensitivity, &mut field, NoiseLevel::Residual).expect("one field");
    assert!(stated[0].is_none() && stated[1].is_some());
    field.points.pop();
    assert!(matches!(
        uncertainty(&sensitivity, &mut field, NoiseLevel::Residual),
        Err(DicError::UncertaintySize { .. })
    ));
}

/// Where a fine pattern leaves the picture, the filter mixes in what it assumes beyond the border: the noise of those
/// points is that of the others, not that residual.
#[test]
fn noise_at_the_border_is_that_of_the_inside() {
    const FINER: f64 = 1.7;
    const SIZE: usize = 240;
    let scaled = (FINER * SIZE as f64) as usize;
    let speckle = Speckle::new(scaled, scaled, 23);
    let picture = |shift: f64, seed: u32| {
        let clean = speckle.picture_by(SIZE, SIZE, |x, y| (FINER * (x - shift), FINER * y));
        noisy(&clean, 1.0, seed, 1.0)
    };
    let settings = Settings::default().with_side_px(21).with_step_px(6);
    let reference = prepare(&picture(0.0, 1), None, &settings).expect("valid settings");
    let mut field =
        correlate(&reference, &picture(-1.4, 2), Guess::Phase).expect("images of one size");
    let known = sensitivity(&reference).expect("valid settings");
    let stated = uncertainty(&known, &mut field, NoiseLevel::Residual).expect("a point each");
    let typical = |is_chosen: &dyn Fn(usize) -> bool| {
        let points = field.points.iter().zip(&stated);
        let levels = points
            .filter_map(|(point, stated)| is_chosen(point.x).then_some(stated.as_ref()?.noise));
        let mut levels: Vec<f64> = levels.collect();
        levels.sort_by(f64::total_cmp);
        levels[levels.len() / 2]
    };
    let (outer, inner) = (typical(&|x| x < 15), typical(&|x| (30..210).contains(&x)));
    println!("{outer} {inner}");
    assert!((outer / inner - 1.0).abs() < 0.1, "{outer} {inner}");
}
