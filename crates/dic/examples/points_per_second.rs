//! Prints how many points a second one thread correlates, set-up of the pair included.
//!
//! `cargo run --release -p retrial-dic --example points_per_second [repeats] [best | avx2 | baseline]`
//!
//! A generated speckle pair of 512 × 512 px, moved by (0.3, 0.2) px and stretched by 0.2 %; step
//! 5 px, stop value 1e-3, one thread. On Linux the time is that the thread spent on a processor, so
//! that other load matters less; elsewhere it is wall time.

use std::time::Instant;

use retrial_dic::{
    Accept, ErrorStatistics, Guess, InstructionSet, Settings, ShapeOrder, SplineDegree, correlate,
    prepare,
};
use retrial_image::GrayImage;

const SIZE: usize = 512;
const STRETCH: f64 = 0.002;

fn main() {
    let repeats = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(3);
    let instruction_set = match std::env::args().nth(2).as_deref() {
        Some("baseline") => InstructionSet::Baseline,
        Some("avx2") => InstructionSet::Avx2,
        _ => InstructionSet::Best,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("one thread can be started");
    let first = picture(|x, y| (x, y));
    let deformed = picture(|x, y| ((x - 0.3) / (1.0 + STRETCH), y - 0.2));
    println!("subset order degree points points/s iterations rmse_px failed");
    for (size_px, shape_order, spline_degree) in [
        (21, ShapeOrder::One, SplineDegree::Three),
        (31, ShapeOrder::One, SplineDegree::Three),
        (41, ShapeOrder::One, SplineDegree::Three),
        (41, ShapeOrder::Zero, SplineDegree::Three),
        (41, ShapeOrder::Two, SplineDegree::Three),
        (41, ShapeOrder::One, SplineDegree::Five),
    ] {
        let settings = Settings::default()
            .with_side_px(size_px)
            .with_shape_order(shape_order)
            .with_spline_degree(spline_degree)
            .with_instruction_set(instruction_set);
        let mut best = f64::INFINITY;
        let mut statistics = ErrorStatistics::new(Accept::Converged);
        let mut count = 0;
        for _ in 0..repeats {
            let (field, seconds) = pool.install(|| {
                let (wall, cpu) = (Instant::now(), cpu_seconds());
                let reference = prepare(&first, None, &settings).expect("valid settings");
                let field = correlate(&reference, &deformed, Guess::Phase);
                let seconds = match (cpu, cpu_seconds()) {
                    (Some(start), Some(end)) => end - start,
                    _ => wall.elapsed().as_secs_f64(),
                };
                (field.expect("images of one size"), seconds)
            });
            best = best.min(seconds);
            count = field.points.len();
            statistics.add(&field, |x, _| (0.3 + STRETCH * x, 0.2));
        }
        let summary = statistics.summary().expect("points converged");
        println!(
            "{size_px} {shape_order:?} {spline_degree:?} {count} {:.0} {:.2} {:.5} {}",
            count as f64 / best,
            summary.mean_icgn_iterations,
            summary.rmse,
            summary.failed / repeats,
        );
    }
}

/// Seconds this thread has spent on a processor, where the system tells.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds * 1e-9)
}

/// Gaussian blobs on a jittered lattice, seen at `origin(x, y)`.
fn picture(origin: impl Fn(f64, f64) -> (f64, f64)) -> GrayImage {
    const SPACING: f64 = 5.0;
    let jitter = |i: i64, j: i64, salt: u32| {
        let mut mixed = (i as u32).wrapping_mul(73_856_093) ^ (j as u32).wrapping_mul(19_349_663);
        mixed = mixed.wrapping_add(salt);
        for _ in 0..3 {
            mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
        }
        f64::from(mixed ^ (mixed >> 16)) / f64::from(u32::MAX)
    };
    GrayImage::from_fn(SIZE, SIZE, |x, y| {
        let (x, y) = origin(x as f64, y as f64);
        let (column, row) = ((x / SPACING).round() as i64, (y / SPACING).round() as i64);
        let mut sum = 20.0;
        for j in row - 2..=row + 2 {
            for i in column - 2..=column + 2 {
                let bx = SPACING * (i as f64 + 1.2 * (jitter(i, j, 1) - 0.5));
                let by = SPACING * (j as f64 + 1.2 * (jitter(i, j, 2) - 0.5));
                let d2 = (x - bx).powi(2) + (y - by).powi(2);
                sum += (60.0 + 120.0 * jitter(i, j, 3)) * (-d2 / 5.0).exp();
            }
        }
        (sum as f32).round()
    })
    .expect("a valid size")
}
