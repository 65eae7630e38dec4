//! Prints the error that is predicted for a pair for every filter and both splines, and beside it the
//! one found, where both components of the displacement are known.
//!
//! `cargo run --release -p retrial-dic --example error_forecast REF DEF SUBSET_PX [U V]`
//!
//! Root mean squares of the length of the error vector, order 1, step 7 px; `bias` and `random` are
//! those of `u`. The first line is the advice and the time that it takes.

use std::time::Instant;

use retrial_dic::{
    GaussianFilter, Guess, PairSpectra, Settings, SplineDegree, Status, correlate, prepare,
};
use retrial_image::GrayImage;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, deformed, subset, truth @ ..] = &arguments[..] else {
        panic!("REF DEF SUBSET_PX [U V]");
    };
    let settings = Settings::default()
        .with_side_px(subset.parse().expect("a whole number"))
        .with_step_px(7);
    let truth: Vec<f64> = truth
        .iter()
        .map(|text| text.parse().expect("a number"))
        .collect();
    let pair = [first, deformed].map(|path| read(path));
    let start = Instant::now();
    let spectra = PairSpectra::measure(&pair[0], &pair[1], None).expect("images of one size");
    let Some(spectra) = spectra else {
        println!("the pair says nothing");
        return;
    };
    let advised = spectra.advise(&settings).expect("valid settings");
    println!(
        "{:?}, degree {:?}, from {} tiles in {:.1} ms",
        advised.prefilter,
        advised.spline_degree,
        spectra.tiles(),
        1e3 * start.elapsed().as_secs_f64(),
    );
    println!("degree sigma bias random rms worst found");
    for spline_degree in [SplineDegree::Three, SplineDegree::Five] {
        for sigma_px in [0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5] {
            let settings = settings
                .clone()
                .with_prefilter((sigma_px > 0.0).then(|| GaussianFilter::reaching(sigma_px)))
                .with_spline_degree(spline_degree);
            let expected = spectra.forecast(&settings).expect("valid settings");
            let found = match truth[..] {
                [u, v] => format!("{:.5}", error(&pair, &settings, (u, v))),
                _ => String::new(),
            };
            println!(
                "{spline_degree:?} {sigma_px} {:.5} {:.5} {:.5} {:.5} {found}",
                expected.bias.0, expected.random.0, expected.rms, expected.worst
            );
        }
    }
}

fn error([first, deformed]: &[GrayImage; 2], settings: &Settings, (u, v): (f64, f64)) -> f64 {
    let reference = prepare(first, None, settings).expect("valid settings");
    let field = correlate(&reference, deformed, Guess::Phase).expect("images of one size");
    let points = field.points.iter();
    let converged = points.filter(|point| point.status == Status::Converged);
    let errors: Vec<f64> = converged
        .map(|point| (point.u() - u).powi(2) + (point.v() - v).powi(2))
        .collect();
    (errors.iter().sum::<f64>() / errors.len() as f64).sqrt()
}

fn read(path: &str) -> GrayImage {
    let picture = image::open(path).expect("a picture").into_luma8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.into_raw().into_iter().map(f32::from).collect();
    GrayImage::new(width, height, pixels).expect("a valid size")
}
