//! The published validation on the DIC Challenge 1.0 Samples 1, 2 and 3.
//!
//! The expected figures were measured with the published code itself, unmodified ("orig") and with
//! its gradient divided by six ("/6"), on the same images and points, with its own error table
//! (there `mae` is headed "bias" and `abs_error_std` "variance"). They are not the article's.

use std::ops::ControlFlow;

use crate::support::{Shifted, real_series, sample3, texgen};
use retrial_dic::{
    Accept, DicError, ErrorStatistics, ErrorSummary, Gradient, Settings, ShapeOrder,
    correlate_series,
};
use retrial_image::GrayImage;

/// One row: sample, subset, order, gradient, mae, abs_error_std, rmse, mean iterations.
type Row = (u8, usize, ShapeOrder, Gradient, [f64; 4]);

const ORIG: Gradient = Gradient::PrewittUnscaled;
const SIXTH: Gradient = Gradient::Prewitt;
use ShapeOrder::{One, Two, Zero};

const ROWS: [Row; 22] = [
    (3, 21, One, ORIG, [0.010095, 0.008316, 0.013070, 42.85]),
    (3, 41, One, ORIG, [0.003751, 0.002815, 0.004685, 30.28]),
    (3, 61, One, ORIG, [0.002493, 0.001838, 0.003094, 29.59]),
    (3, 41, Zero, ORIG, [0.003527, 0.002678, 0.004424, 29.27]),
    (3, 41, Two, ORIG, [0.007421, 0.005509, 0.009233, 34.66]),
    (1, 41, One, ORIG, [0.001166, 0.000940, 0.001497, 25.94]),
    (3, 81, One, ORIG, [0.001794, 0.001331, 0.002232, 29.37]),
    (1, 21, One, ORIG, [0.002609, 0.003353, 0.004246, 26.87]),
    (2, 41, One, ORIG, [0.099742, 0.076963, 0.125909, 64.37]),
    (1, 61, One, ORIG, [0.000732, 0.000557, 0.000919, 26.00]),
    (2, 21, One, ORIG, [0.307351, 0.293070, 0.424480, 88.87]),
    (2, 61, One, ORIG, [0.066175, 0.048296, 0.081880, 53.22]),
    (3, 21, One, SIXTH, [0.010107, 0.008456, 0.013176, 8.81]),
    (3, 41, One, SIXTH, [0.003753, 0.002866, 0.004721, 5.38]),
    (3, 61, One, SIXTH, [0.002410, 0.001807, 0.003011, 5.06]),
    (3, 41, Zero, SIXTH, [0.003572, 0.002704, 0.004480, 4.93]),
    (3, 41, Two, SIXTH, [0.007552, 0.006046, 0.009672, 6.15]),
    (3, 81, One, SIXTH, [0.001783, 0.001372, 0.002250, 4.95]),
    (1, 21, One, SIXTH, [0.002354, 0.002942, 0.003767, 6.31]),
    (1, 41, One, SIXTH, [0.001066, 0.000860, 0.001370, 6.02]),
    (1, 61, One, SIXTH, [0.000731, 0.000586, 0.000936, 6.00]),
    (1, 81, One, SIXTH, [0.000571, 0.000432, 0.000716, 6.00]),
];

fn measure(first: &GrayImage, shifted: &[Shifted], settings: &Settings) -> ErrorSummary {
    let mut statistics = ErrorStatistics::new(Accept::Measured);
    let images = shifted
        .iter()
        .map(|item| Ok::<_, DicError>(item.image.clone()));
    correlate_series(first, images, None, settings, |index, field| {
        statistics.add(&field, |_, _| (shifted[index].u, shifted[index].v));
        ControlFlow::Continue(())
    })
    .expect("valid settings and images");
    statistics.summary().expect("points were accepted")
}

fn check(sample: u8) {
    let (first, shifted) = match sample {
        1 => texgen(&real_series("sample01_texgen_shift"), "trxy_s2"),
        2 => texgen(
            &real_series("sample02_texgen_shift_lowcontrast_noise"),
            "trs2_b8",
        ),
        _ => sample3(&real_series("sample03_fft_shift")),
    };
    let mut worst = Vec::new();
    for (row_sample, subset_size_px, shape_order, gradient, expected) in ROWS {
        if row_sample != sample {
            continue;
        }
        // On Sample 2 with small subsets some points are pulled to whichever wrong optimum rounding
        // favours.
        let tolerance = if (sample, subset_size_px) == (2, 21) {
            0.03
        } else {
            0.002
        };
        let settings = Settings::published()
            .with_side_px(subset_size_px)
            .with_shape_order(shape_order)
            .with_gradient(gradient)
            .with_step_px(if gradient == ORIG { 80 } else { 40 });
        let got = measure(&first, &shifted, &settings);
        let values = [
            got.mae,
            got.abs_error_std,
            got.rmse,
            got.mean_icgn_iterations,
        ];
        let ratio: Vec<String> = values
            .iter()
            .zip(expected)
            .map(|(got, expected)| format!("{got:.6} ({:+.2} %)", 100.0 * (got / expected - 1.0)))
            .collect();
        println!(
            "| {sample} | {subset_size_px} | {shape_order:?} | {gradient:?} | {} | max {} | failed {} of {} |",
            ratio.join(" | "),
            got.max_icgn_iterations,
            got.failed,
            got.failed + got.points,
        );
        for (got, expected) in values.iter().zip(expected) {
            if (got / expected - 1.0).abs() > tolerance {
                worst.push((subset_size_px, shape_order, gradient, *got, expected));
            }
        }
    }
    assert!(worst.is_empty(), "too far away: {worst:?}");
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn sample_1_agrees_with_the_published_code() {
    check(1);
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn sample_2_agrees_with_the_published_code() {
    check(2);
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn sample_3_agrees_with_the_published_code() {
    check(3);
}

#[test]
fn an_empty_series_has_no_field() {
    let first = GrayImage::from_fn(64, 64, |x, y| (x * y % 251) as f32).expect("a valid size");
    let none: [Result<GrayImage, DicError>; 0] = [];
    let count = correlate_series(&first, none, None, &Settings::default(), |_, _| {
        ControlFlow::Break(())
    });
    assert_eq!(count, Ok(0));
}
