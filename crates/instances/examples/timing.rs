//! Times suppression and evaluation on drawn boxes: `cargo run --release --example timing`.
//!
//! The boxes of suppression are like those of the torchvision script beside the benches: few of
//! them suppress each other, so nearly all pairs are looked at.

use std::time::Instant;

use retrial_image::polygon::fill_box;
use retrial_instances::boxes::Corners;
use retrial_instances::evaluate::{Detection, ImageCase, Region, Settings, Truth, evaluate};
use retrial_instances::nms::nms;
use retrial_seed::{Seed, Stream};

fn corners(stream: &mut Stream, picture: f64, least: f64, spread: f64) -> Corners {
    let mut within = |bound: f64| stream.uniform() * bound;
    let (x, y) = (within(picture), within(picture));
    let (w, h) = (least + within(spread), least + within(spread));
    [x, y, x + w, y + h].map(|value| value as f32)
}

/// The best of several runs, in milliseconds.
fn best_ms<T>(runs: usize, mut work: impl FnMut() -> T) -> f64 {
    let times = (0..runs).map(|_| {
        let start = Instant::now();
        std::hint::black_box(work());
        start.elapsed().as_secs_f64() * 1e3
    });
    times.fold(f64::INFINITY, f64::min)
}

fn main() {
    let mut stream = Seed(0).stream("timing");
    for n in [300, 1_000, 2_000, 6_000] {
        let boxes: Vec<Corners> = (0..n)
            .map(|_| corners(&mut stream, 500.0, 8.0, 80.0))
            .collect();
        let scores: Vec<f32> = (0..n).map(|_| stream.uniform() as f32).collect();
        let kept = nms(&boxes, &scores, 0.7).len();
        let time = best_ms(50, || nms(&boxes, &scores, 0.7));
        println!("nms of {n} boxes at 0.7: {time:.3} ms, {kept} kept");
    }
    let cases: Vec<ImageCase> = (0..50).map(|_| case(&mut stream)).collect();
    for region in [Region::Box, Region::Mask] {
        let settings = Settings::coco(region);
        let time = best_ms(5, || evaluate(&cases, 6, &settings));
        println!("evaluation of 5000 detections, {region:?}: {time:.1} ms");
    }
}

/// A picture of 320 by 256 with 15 objects and 100 detections near them.
fn case(stream: &mut Stream) -> ImageCase {
    let mask = |c: &Corners| {
        let mask = fill_box(c.map(f64::from), 256, 320).expect("a finite box");
        Some(mask.runs())
    };
    let mut case = ImageCase::default();
    for _ in 0..15 {
        let own = corners(stream, 200.0, 8.0, 50.0);
        case.truths.push(Truth {
            class: stream.below(6) as usize,
            corners: own,
            mask: mask(&own),
            area: f64::from((own[2] - own[0]) * (own[3] - own[1])),
            crowd: false,
        });
    }
    for i in 0..100 {
        let near = &case.truths[i % 15];
        let corners = near
            .corners
            .map(|value| value + (6.0 * stream.normal()) as f32);
        case.detections.push(Detection {
            class: near.class,
            confidence: stream.uniform() as f32,
            corners,
            mask: mask(&corners),
        });
    }
    case
}
