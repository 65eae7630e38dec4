//! Uncertainties of displacements that are composed over changes of the reference.

use std::ops::ControlFlow;

use retrial_core::image::GrayImage;
use retrial_dic::{
    DicError, NoiseLevel, ReferenceStrategy, Settings, correlate_series, prepare, sensitivity,
    uncertainty,
};

use crate::support::{Speckle, noisy};

const SIZE: usize = 200;

#[test]
fn coverage() {
    let speckle = Speckle::new(SIZE, SIZE, 11);
    let level = 3.0;
    for (reference_strategy, strain) in [
        (ReferenceStrategy::First, 0.0),
        (ReferenceStrategy::Previous, 0.0),
        (ReferenceStrategy::Previous, 0.02),
    ] {
        let settings = Settings {
            subset_size_px: 21,
            step_px: 7,
            reference_strategy,
            ..Settings::default()
        };
        let mut squares = vec![(0.0, 0.0, 0); 8];
        for series in 0..4_u32 {
            let at = |i: usize| {
                let (e, shift) = (strain * i as f64, 0.37 * i as f64);
                let picture = speckle.picture_by(SIZE, SIZE, |x, y| {
                    (100.0 + (x - 100.0 - shift) / (1.0 + e), y + 0.5 * shift)
                });
                noisy(&picture, 1.0, 100 * series + i as u32 + 1, level)
            };
            let first = at(0);
            let reference = prepare(&first, None, &settings).expect("valid settings");
            let known = sensitivity(&reference).expect("valid settings");
            let images = (1..=8).map(|i| Ok::<GrayImage, DicError>(at(i)));
            correlate_series(&first, images, None, &settings, |index, field| {
                let stated = uncertainty(&known, &field, NoiseLevel::Residual).expect("one field");
                let (e, shift) = (strain * (index + 1) as f64, 0.37 * (index + 1) as f64);
                for (point, stated) in field.points.iter().zip(&stated) {
                    let Some(stated) = stated else { continue };
                    let u = e * (point.x as f64 - 100.0) + shift;
                    let error = point.p[0] - u;
                    let sums = &mut squares[index];
                    sums.0 += (error / stated.u).powi(2);
                    sums.1 += error / stated.u;
                    sums.2 += 1;
                }
                ControlFlow::Continue(())
            })
            .expect("valid settings and images");
        }
        for (i, (square, sum, count)) in squares.iter().enumerate() {
            let n = f64::from(*count);
            println!(
                "{reference_strategy:?} {strain} image {i}: rms ratio {:.3}, mean {:.3}, {n}",
                (square / n).sqrt(),
                sum / n
            );
        }
    }
}
