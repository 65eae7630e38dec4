//! Correlates two pictures on one thread, with the filter and the spline that suit the pair; prints
//! what it cost and where every point went.
//!
//! `cargo run --release -p retrial-dic --example pair_speed REF DEF SUBSET_PX STEP_PX ORDER REPEATS
//! [SPLINE_DEGREE HUNDREDTHS_OF_SIGMA]`
//!
//! The first line is `# ` and a list of CPU seconds, one a repeat, everything but decoding
//! included, the choice of filter and spline too where they are not given, and that of the order where it is
//! `auto`; then one line a converged point: `x y u v iterations`.

use retrial_dic::{
    GaussianFilter, Guess, PairSpectra, Settings, ShapeOrder, SplineDegree, Status, correlate,
    prepare,
};
use retrial_image::GrayImage;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, deformed, numbers @ ..] = &arguments[..] else {
        panic!("REF DEF SUBSET_PX STEP_PX ORDER REPEATS");
    };
    // The place of the order among the numbers; `auto` stands for none.
    let is_automatic = numbers.get(2).is_some_and(|order| order == "auto");
    let numbers: Vec<usize> = numbers
        .iter()
        .enumerate()
        .map(|(i, text)| match &text[..] {
            "auto" if i == 2 => 1,
            text => text.parse().expect("a whole number"),
        })
        .collect();
    let &[size_px, step_px, order, repeats, ref others @ ..] = &numbers[..] else {
        panic!("SUBSET_PX STEP_PX ORDER REPEATS");
    };
    let mut settings = Settings::default()
        .with_side_px(size_px)
        .with_step_px(step_px)
        .with_shape_order([ShapeOrder::Zero, ShapeOrder::One, ShapeOrder::Two][order]);
    if let &[degree, hundredths] = others {
        settings.spline_degree = if degree == 5 {
            SplineDegree::Five
        } else {
            SplineDegree::Three
        };
        settings.prefilter = Some(GaussianFilter {
            sigma_px: hundredths as f64 / 100.0,
            window_px: 9,
        });
    }
    let pair = [first, deformed].map(|path| read(path));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("one thread can be started");
    let mut seconds = Vec::new();
    let mut field = None;
    for _ in 0..=repeats {
        field = Some(pool.install(|| {
            let start = cpu_seconds();
            let spectra = if others.is_empty() || is_automatic {
                let spectra = PairSpectra::measure(&pair[0], &pair[1], None);
                spectra.expect("images of one size")
            } else {
                None
            };
            let suited = |settings: &Settings| match &spectra {
                Some(spectra) if others.is_empty() => {
                    spectra.advise(settings).expect("valid settings")
                }
                _ => settings.clone(),
            };
            let settings = suited(&settings);
            let mut reference = prepare(&pair[0], None, &settings).expect("valid settings");
            if let Some(spectra) = spectra.as_ref().filter(|_| is_automatic) {
                let advice = spectra.advise_order(&reference, &pair[1], None);
                if let Some(advice) = advice.expect("images of one size") {
                    reference = reference.with_order(advice.order);
                    let settings = suited(reference.settings());
                    if settings != *reference.settings() {
                        reference = prepare(&pair[0], None, &settings).expect("valid settings");
                    }
                }
            }
            let field = correlate(&reference, &pair[1], Guess::Phase).expect("images of one size");
            seconds.push(cpu_seconds() - start);
            field
        }));
    }
    // The first round warms the caches and the clock.
    let seconds: Vec<String> = seconds[1..].iter().map(|s| format!("{s:.6}")).collect();
    println!("# {}", seconds.join(" "));
    for point in field.iter().flat_map(|field| &field.points) {
        if point.status == Status::Converged {
            println!(
                "{} {} {:.6} {:.6} {}",
                point.x,
                point.y,
                point.u(),
                point.v(),
                point.icgn_iterations
            );
        }
    }
}

fn read(path: &str) -> GrayImage {
    let picture = image::open(path).expect("a picture").into_luma8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.as_raw().iter().map(|&value| f32::from(value));
    GrayImage::new(width, height, pixels.collect()).expect("a decoded picture has its size")
}

/// Seconds this thread has spent on a processor (Linux).
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|n| n.parse().ok());
    nanoseconds.map_or(f64::NAN, |n: f64| n * 1e-9)
}
