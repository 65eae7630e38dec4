//! Predicted errors against those found, and the filter that they advise.

use retrial_dic::{
    DicError, GaussianFilter, Guess, PairSpectra, Settings, ShapeOrder, SplineDegree, Status,
    correlate, prepare,
};
use retrial_image::{GrayImage, Mask};

use crate::support::{Speckle, noisy, read, real_series};

const SIZE: usize = 320;

/// Where the bias of interpolation is largest, about.
const SHIFT: f64 = 0.25;

/// Two pictures moved by [`SHIFT`] along both axes, their speckles smaller by `finer`, with noise.
fn pair(finer: f64, level: f64, seed: u32) -> [GrayImage; 2] {
    let speckle = Speckle::new(
        (finer * SIZE as f64) as usize,
        (finer * SIZE as f64) as usize,
        seed,
    );
    let picture = |shift: f64| {
        speckle.picture_by(SIZE, SIZE, |x, y| {
            (finer * (x - shift), finer * (y - shift))
        })
    };
    [
        noisy(&picture(0.0), 1.0, 2 * seed, level),
        noisy(&picture(SHIFT), 1.0, 2 * seed + 1, level),
    ]
}

/// Root mean square of the length of the error vector.
fn measured_error([first, deformed]: &[GrayImage; 2], settings: &Settings) -> f64 {
    let reference = prepare(first, None, settings).expect("valid settings");
    let field = correlate(&reference, deformed, Guess::Phase).expect("images of one size");
    assert_eq!(field.count(Status::Converged), field.points.len());
    let squares = field.points.iter().map(|point| {
        let (u, v) = (point.u() - SHIFT, point.v() - SHIFT);
        u * u + v * v
    });
    (squares.sum::<f64>() / field.points.len() as f64).sqrt()
}

fn settings(subset_size_px: usize, shape_order: ShapeOrder) -> Settings {
    Settings::default()
        .with_side_px(subset_size_px)
        .with_shape_order(shape_order)
        .with_step_px(9)
}

fn with(settings: &Settings, degree: SplineDegree, sigma_px: f64) -> Settings {
    settings
        .clone()
        .with_spline_degree(degree)
        .with_prefilter((sigma_px > 0.0).then(|| GaussianFilter::reaching(sigma_px)))
}

fn measured([first, deformed]: &[GrayImage; 2]) -> PairSpectra {
    let spectra = PairSpectra::measure(first, deformed, None).expect("images of one size");
    spectra.expect("a pair that can be matched")
}

/// Fine speckles with little noise, where interpolation decides, and coarse ones in noise.
#[test]
fn errors_are_predicted_and_the_advice_is_among_the_best() {
    let mut advised = Vec::new();
    for (finer, level, subset, order) in [
        (1.9, 0.8, 31, ShapeOrder::One),
        (1.5, 3.0, 25, ShapeOrder::Two),
        (0.9, 12.0, 31, ShapeOrder::One),
    ] {
        let pair = pair(finer, level, 5);
        let settings = settings(subset, order);
        let spectra = measured(&pair);
        let mut best = f64::INFINITY;
        for degree in [SplineDegree::Three, SplineDegree::Five] {
            for sigma_px in [0.0, 0.5, 0.7, 1.0, 1.4] {
                let settings = with(&settings, degree, sigma_px);
                let expected = spectra.forecast(&settings).expect("valid settings").worst;
                let found = measured_error(&pair, &settings);
                println!("{finer} {level} {degree:?} {sigma_px}: {expected:.5} {found:.5}");
                // A wide filter leaves a fine pattern little, and no two subsets the same share of it.
                let tolerance = if sigma_px > 1.0 { 0.3 } else { 0.2 };
                assert!(
                    (expected / found - 1.0).abs() < tolerance,
                    "{expected} {found}"
                );
                best = best.min(found);
            }
        }
        let advice = spectra.advise(&settings).expect("valid settings");
        println!("{:?} {:?}", advice.spline_degree, advice.prefilter);
        assert!(measured_error(&pair, &advice) < 1.1 * best);
        let sigma_px = advice.prefilter.map_or(0.0, |filter| filter.sigma_px);
        advised.push((advice.spline_degree, sigma_px));
    }
    assert_eq!(advised[0].0, SplineDegree::Five);
    assert_eq!(advised[2].0, SplineDegree::Three);
    assert!(advised[2].1 < advised[0].1, "{advised:?}");
}

/// Larger subsets average the noise and keep the bias: the filter that suits them is wider.
#[test]
fn larger_subsets_are_advised_wider_filters() {
    let spectra = measured(&pair(1.7, 4.0, 8));
    let sigma = |subset: usize| {
        let advice = spectra.advise(&settings(subset, ShapeOrder::One));
        let filter = advice.expect("valid settings").prefilter;
        filter.map_or(0.0, |filter| filter.sigma_px)
    };
    assert!(sigma(101) > sigma(11), "{} {}", sigma(101), sigma(11));
}

#[test]
fn pairs_that_say_nothing_are_told_apart() {
    let [first, deformed] = pair(1.0, 2.0, 3);
    let nothing = |first: &GrayImage, deformed: &GrayImage, mask: Option<&Mask>| {
        let spectra = PairSpectra::measure(first, deformed, mask);
        spectra.expect("images of one size").is_none()
    };
    assert!(!nothing(&first, &deformed, None));
    assert!(nothing(&first, &first, None));
    let flat = GrayImage::new(SIZE, SIZE, vec![9.0; SIZE * SIZE]).expect("a valid size");
    assert!(nothing(&flat, &flat, None) && nothing(&first, &flat, None));
    let elsewhere = pair(1.0, 2.0, 4);
    assert!(nothing(&first, &elsewhere[0], None));
    let small = |image: &GrayImage| {
        GrayImage::from_fn(63, 63, |x, y| image.get(x, y).unwrap_or(0.0)).expect("a valid size")
    };
    assert!(nothing(&small(&first), &small(&deformed), None));
    // Tiles are spread over the mask: a strip is enough, unless no tile and its window fit.
    let mask = |side: usize| {
        let inside = (0..SIZE * SIZE).map(|i| i % SIZE < side);
        Mask::new(SIZE, SIZE, inside.collect()).expect("a valid size")
    };
    assert!(!nothing(&first, &deformed, Some(&mask(SIZE))));
    assert!(!nothing(&first, &deformed, Some(&mask(70))));
    assert!(nothing(&first, &deformed, Some(&mask(40))));
    let error = PairSpectra::measure(&first, &small(&first), None).map(|_| ());
    assert!(
        matches!(error, Err(DicError::ImageSize { .. })),
        "{error:?}"
    );
    let mut pixels = first.pixels().to_vec();
    pixels[7] = f32::NAN;
    let broken = GrayImage::new(SIZE, SIZE, pixels).expect("a valid size");
    let error = PairSpectra::measure(&first, &broken, None).map(|_| ());
    assert!(
        matches!(error, Err(DicError::NonFinitePixel { .. })),
        "{error:?}"
    );
    let wrong = Settings::default().with_side_px(40);
    let spectra = measured(&[first, deformed]);
    assert!(spectra.forecast(&wrong).is_err() && spectra.advise(&wrong).is_err());
}

/// A faint pattern in strong noise: without a filter the gradient would be noise, and the points would not
/// converge.
#[test]
fn filters_that_leave_a_gradient_of_noise_are_not_advised() {
    let pair = pair(0.45, 30.0, 12);
    let settings = settings(41, ShapeOrder::One);
    let spectra = measured(&pair);
    let advice = spectra.advise(&settings).expect("valid settings");
    let error = |settings: &Settings| {
        let reference = prepare(&pair[0], None, settings).expect("valid settings");
        let field = correlate(&reference, &pair[1], Guess::Phase).expect("images of one size");
        let errors = field.points.iter().map(|point| {
            let (u, v) = (point.u() - SHIFT, point.v() - SHIFT);
            u.hypot(v)
        });
        let mut errors: Vec<f64> = errors.collect();
        errors.sort_by(f64::total_cmp);
        errors[9 * errors.len() / 10]
    };
    let bare = with(&settings, SplineDegree::Three, 0.0);
    println!(
        "{:?}: {} and {} without",
        advice.prefilter,
        error(&advice),
        error(&bare)
    );
    assert!(error(&advice) < 0.8 * error(&bare));
}

/// At a whole-pixel displacement nothing is seen of folded frequencies, unless noise covers them.
#[test]
fn a_still_pair_gives_no_advice_unless_noise_covers_what_is_folded() {
    let speckle = Speckle::new(2 * SIZE, 2 * SIZE, 7);
    let still = |finer: f64, level: f64| {
        let picture = speckle.picture_by(SIZE, SIZE, |x, y| (finer * x, finer * y));
        let pair = [1, 2].map(|seed| noisy(&picture, 1.0, seed, level));
        let spectra = measured(&pair);
        assert!(spectra.tiles() > 8);
        spectra
    };
    let settings = settings(31, ShapeOrder::One);
    let fine = still(1.9, 0.5);
    assert!(!fine.is_informative());
    assert_eq!(fine.advise(&settings), Ok(settings.clone()));
    assert!(still(0.9, 8.0).is_informative());
}

#[test]
fn threads_make_no_difference_to_a_forecast() {
    let pair = pair(1.3, 3.0, 6);
    let settings = settings(31, ShapeOrder::One);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads can be started");
        pool.install(|| measured(&pair).forecast(&settings))
            .expect("valid settings")
    };
    assert_eq!(run(1), run(3));
}

/// Challenge Sample 3 at 0.3 px: found with a cubic spline and a filter of 0.7 px are 0.0042 px.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn the_error_of_a_published_pair_is_predicted() {
    let folder = real_series("sample03_fft_shift");
    let names = [
        "Sample3 Reference.tif",
        "Sample3-003 X0.30 Y0.30 N2 C0 R0.tif",
    ];
    let spectra = measured(&names.map(|name| read(&folder.join(name))));
    let expected = spectra
        .forecast(&settings(41, ShapeOrder::One))
        .expect("valid settings");
    assert!((0.0025..0.0045).contains(&expected.worst), "{expected:?}");
    assert!(
        expected.bias.0 < 0.001 && expected.bias.1 < 0.001,
        "{expected:?}"
    );
}
