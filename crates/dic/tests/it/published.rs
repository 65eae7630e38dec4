//! The engine with the published settings on the DIC Challenge 1.0 Samples 1, 2 and 3, against the figures of the
//! authors' code.

use std::ops::ControlFlow;

use retrial_dic::{
    Accept, DicError, ErrorStatistics, ErrorSummary, Settings, ShapeOrder, correlate_series,
};
use retrial_image::GrayImage;

use crate::support::sample;
use crate::validation::{ROWS, Setting, Shifted};

/// The published settings with what the table varies.
pub(crate) fn published((_, side_px, order, step_px, gradient): Setting) -> Settings {
    Settings::published()
        .with_side_px(side_px)
        .with_shape_order(ShapeOrder::of(order).expect("0, 1 or 2"))
        .with_gradient(gradient)
        .with_step_px(step_px)
}

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

fn check(number: u8) {
    let (first, shifted) = sample(number);
    let mut worst = Vec::new();
    for (setting, expected) in ROWS.into_iter().filter(|(setting, _)| setting.0 == number) {
        // On Sample 2 with small subsets some points are pulled to whichever wrong optimum rounding
        // favours.
        let tolerance = if (number, setting.1) == (2, 21) {
            0.03
        } else {
            0.002
        };
        let settings = published(setting);
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
            "{setting:?}: {}, max {}, failed {} of {}",
            ratio.join(", "),
            got.max_icgn_iterations,
            got.failed,
            got.failed + got.points,
        );
        for (got, expected) in values.iter().zip(expected) {
            if (got / expected - 1.0).abs() > tolerance {
                worst.push((setting, *got, expected));
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
