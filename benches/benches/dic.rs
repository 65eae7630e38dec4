//! Points a second of the correlation engine on one thread: a generated 512 × 512 pair, step
//! 5 px, stop value 1e-3 px, set-up of both images included.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use retrial_core::displacement::Displacement;
use retrial_dic::{Guess, Settings, ShapeOrder, correlate, prepare};
use retrial_image::GrayImage;
use retrial_seed::Seed;
use retrial_synth::{Camera, Exposure, SpecklePattern, SpeckleScene, render};

/// A reference and the same scene displaced by 0.3 px and stretched a little.
fn pair() -> [GrayImage; 2] {
    let size = 512;
    let edge = size as f64;
    let scene = SpeckleScene::draw(
        &SpecklePattern::default(),
        Seed(1),
        (-8.0, -8.0),
        (edge + 8.0, edge + 8.0),
    )
    .expect("a scene");
    let picture = |field: &Displacement, name: &str| {
        let mut noise = Seed(1).stream(name);
        render(
            &scene,
            field,
            (size, size),
            &Camera::default(),
            Exposure::default(),
            &mut noise,
        )
        .expect("a picture")
    };
    let still = Displacement::Translation { u: 0.0, v: 0.0 };
    let moved = Displacement::Affine {
        u0: 0.3,
        v0: -0.2,
        ux: 0.002,
        uy: 0.0,
        vx: 0.0,
        vy: -0.001,
        cx: edge / 2.0,
        cy: edge / 2.0,
    };
    [picture(&still, "reference"), picture(&moved, "deformed")]
}

fn points_per_second(c: &mut Criterion) {
    let [reference, deformed] = pair();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a pool");
    let mut group = c.benchmark_group("dic/points_per_second");
    group.sample_size(10);
    for (order, name) in [(ShapeOrder::One, "order1"), (ShapeOrder::Two, "order2")] {
        for size_px in [21, 31, 41] {
            let settings = Settings::default()
                .with_side_px(size_px)
                .with_step_px(5)
                .with_shape_order(order)
                .with_stop_value(1e-3);
            let points = prepare(&reference, None, &settings)
                .expect("settings")
                .points()
                .len();
            group.throughput(Throughput::Elements(points as u64));
            group.bench_function(BenchmarkId::new(name, size_px), |b| {
                b.iter(|| {
                    pool.install(|| {
                        let reference = prepare(&reference, None, &settings).expect("settings");
                        correlate(&reference, &deformed, Guess::Phase).expect("a field")
                    })
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, points_per_second);
criterion_main!(benches);
