//! Criteria and optimisers against sums written down from their definitions, pixel by pixel.

use retrial_core::displacement::Displacement;
use retrial_dic::{
    Criterion, Field, Guess, Optimiser, Parameters, Settings, ShapeOrder, Spline, SplineDegree,
    Status, correlate, displacement_at, prepare,
};
use retrial_image::GrayImage;

use crate::support::Speckle;

const SIZE: usize = 120;
const HALF: i32 = 15;
const CRITERIA: [Criterion; 4] = [
    Criterion::Znssd,
    Criterion::Ssd,
    Criterion::Nssd,
    Criterion::Pssdab,
];
const OPTIMISERS: [Optimiser; 3] = [Optimiser::IcGn, Optimiser::IcLm, Optimiser::ForwardGn];
const STRETCHED: Displacement = Displacement::Affine {
    u0: 1.3,
    v0: -0.4,
    ux: 0.02,
    uy: -0.01,
    vx: 0.005,
    vy: -0.015,
    cx: 60.0,
    cy: 60.0,
};

fn settings(criterion: Criterion, optimiser: Optimiser) -> Settings {
    Settings::default()
        .with_side_px(31)
        .with_step_px(15)
        .with_prefilter(None)
        .with_stop_value(1e-5)
        .with_criterion(criterion)
        .with_optimiser(optimiser)
}

fn pictures(gain: f32, offset: f32) -> (GrayImage, GrayImage) {
    let speckle = Speckle::new(SIZE, SIZE, 11);
    let first = speckle.picture(SIZE, SIZE, &Displacement::Translation { u: 0.0, v: 0.0 });
    let moved = speckle.picture(SIZE, SIZE, &STRETCHED);
    let lit = GrayImage::from_fn(SIZE, SIZE, |x, y| {
        gain * moved.get(x, y).expect("inside") + offset
    });
    (first, lit.expect("a valid size"))
}

fn measure(pictures: &(GrayImage, GrayImage), settings: &Settings) -> Field {
    let reference = prepare(&pictures.0, None, settings).expect("valid settings");
    correlate(&reference, &pictures.1, Guess::Phase).expect("images of one size")
}

/// Grey values of the subset around `(x, y)` in both pictures.
fn grey_values(
    first: &GrayImage,
    spline: &Spline,
    (x, y): (usize, usize),
    p: &Parameters,
) -> Vec<(f64, f64)> {
    let mut out = Vec::new();
    for dy in -HALF..=HALF {
        for dx in -HALF..=HALF {
            let (px, py) = (x as f64 + f64::from(dx), y as f64 + f64::from(dy));
            let (u, v) = displacement_at(p, f64::from(dx), f64::from(dy));
            let f = first.get(px as usize, py as usize).expect("inside");
            let g = spline.value(px + u, py + v).expect("inside");
            out.push((f64::from(f), g));
        }
    }
    out
}

/// The criterion as it is defined, without any expansion into sums of products.
fn defined(criterion: Criterion, pixels: &[(f64, f64)]) -> f64 {
    let n = pixels.len() as f64;
    let mean = |value: fn(&(f64, f64)) -> f64| pixels.iter().map(value).sum::<f64>() / n;
    let (f_mean, g_mean) = match criterion {
        Criterion::Ssd | Criterion::Nssd => (0.0, 0.0),
        Criterion::Znssd | Criterion::Pssdab => (mean(|p| p.0), mean(|p| p.1)),
    };
    let length = |values: &dyn Fn(&(f64, f64)) -> f64| {
        pixels.iter().map(|p| values(p).powi(2)).sum::<f64>().sqrt()
    };
    let f_length = length(&|p| p.0 - f_mean);
    let g_length = length(&|p| p.1 - g_mean);
    let residual = |p: &(f64, f64)| match criterion {
        Criterion::Ssd => p.0 - p.1,
        Criterion::Nssd | Criterion::Znssd => (p.0 - f_mean) / f_length - (p.1 - g_mean) / g_length,
        Criterion::Pssdab => {
            let products = pixels.iter().map(|p| (p.0 - f_mean) * (p.1 - g_mean));
            let gain = products.sum::<f64>() / g_length.powi(2);
            p.0 - f_mean - gain * (p.1 - g_mean)
        }
    };
    length(&residual).powi(2)
}

#[test]
fn every_criterion_is_at_its_minimum_where_it_converged() {
    let pictures = pictures(1.0, 0.0);
    let spline = Spline::new(&pictures.1, SplineDegree::Three);
    for criterion in CRITERIA {
        for optimiser in OPTIMISERS {
            let field = measure(&pictures, &settings(criterion, optimiser));
            let mut checked = 0;
            for point in field
                .points
                .iter()
                .filter(|p| p.status == Status::Converged)
            {
                let value = |p: &Parameters| {
                    let at = (point.x, point.y);
                    defined(criterion, &grey_values(&pictures.0, &spline, at, p))
                };
                let here = value(&point.p);
                for i in [0, 1, 2, 6, 7, 8] {
                    let change = if i % 6 == 0 {
                        2e-2
                    } else {
                        2e-2 / f64::from(HALF)
                    };
                    let mut p = point.p;
                    p[i] += change;
                    let above = value(&p);
                    p[i] -= 2.0 * change;
                    let below = value(&p);
                    assert!(
                        here < above && here < below,
                        "{criterion:?} {optimiser:?} {i}"
                    );
                    // The vertex of the parabola lies within a tenth of the change.
                    let vertex = 0.5 * (above - below) / (above + below - 2.0 * here);
                    assert!(
                        vertex.abs() < 0.1,
                        "{criterion:?} {optimiser:?} {i} {vertex}"
                    );
                }
                checked += 1;
            }
            assert!(checked >= 20, "{criterion:?} {optimiser:?} {checked}");
        }
    }
}

/// The largest error of the displacement over converged points, and how many there are.
fn worst(field: &Field) -> (f64, usize) {
    let errors = field
        .points
        .iter()
        .filter(|p| p.status == Status::Converged);
    let errors = errors.map(|point| {
        let (u, v) = STRETCHED.at(point.x as f64, point.y as f64);
        (point.u() - u).hypot(point.v() - v)
    });
    errors.fold((0.0, 0), |(worst, n), error| (error.max(worst), n + 1))
}

#[test]
fn each_criterion_is_blind_to_what_it_says_and_to_nothing_else() {
    for (gain, offset, blind) in [
        (1.0, 0.0, [true, true, true, true]),
        (1.3, 0.0, [true, false, true, true]),
        (0.8, 40.0, [true, false, false, true]),
    ] {
        let pictures = pictures(gain, offset);
        for (criterion, blind) in CRITERIA.into_iter().zip(blind) {
            for optimiser in OPTIMISERS {
                let (error, n) = worst(&measure(&pictures, &settings(criterion, optimiser)));
                assert_eq!(
                    error < 3e-3 && n >= 20,
                    blind,
                    "{criterion:?} {optimiser:?} {gain} {offset}: {error} {n}"
                );
            }
        }
    }
}

#[test]
fn optimisers_agree_on_every_order() {
    let pictures = pictures(1.2, -10.0);
    for shape_order in [ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two] {
        for criterion in [Criterion::Znssd, Criterion::Pssdab] {
            let fields = OPTIMISERS.map(|optimiser| {
                let settings = settings(criterion, optimiser).with_shape_order(shape_order);
                measure(&pictures, &settings)
            });
            let [icgn, others @ ..] = &fields;
            for other in others {
                let mut compared = 0;
                for (a, b) in icgn.points.iter().zip(&other.points) {
                    if a.status != Status::Converged || b.status != Status::Converged {
                        continue;
                    }
                    let apart = (a.u() - b.u()).hypot(a.v() - b.v());
                    // A rigid subset cannot follow the stretch, and what is left is weighted by
                    // the gradient of one image or of the other.
                    let allowed = if shape_order == ShapeOrder::Zero {
                        0.05
                    } else {
                        2e-3
                    };
                    assert!(apart < allowed, "{shape_order:?} {criterion:?} {apart}");
                    compared += 1;
                }
                assert!(compared >= 20, "{shape_order:?} {criterion:?} {compared}");
            }
        }
    }
}

#[test]
fn no_optimiser_depends_on_the_number_of_threads() {
    let pictures = pictures(1.0, 5.0);
    for optimiser in OPTIMISERS {
        let fields = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let settings = settings(Criterion::Pssdab, optimiser);
            pool.expect("threads")
                .install(|| measure(&pictures, &settings))
        });
        assert_eq!(fields[0], fields[1]);
    }
}
