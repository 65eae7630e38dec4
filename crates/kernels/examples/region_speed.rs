//! Milliseconds of RoIAlign, pooling and depthwise convolutions at the sizes of a detector.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release -p retrial-kernels --example region_speed`
//!
//! The median of five times in CPU time of one thread, where the system tells it.

use std::time::Instant;

use retrial_kernels::{
    Depthwise, Epilogue, KernelError, MaxPool, Roi, RoiAlign, depthwise_forward,
    depthwise_input_gradient, depthwise_weight_gradient, max_pool, max_pool_gradient, roi_align,
    roi_align_gradient,
};

fn main() -> Result<(), KernelError> {
    // On a thread of the pool, whose time is then the time of all work.
    rayon::scope(|_| report())
}

fn report() -> Result<(), KernelError> {
    for (channels, height, width) in [(256, 64, 80), (256, 120, 160), (64, 32, 40)] {
        for (count, out) in [(300, 7), (300, 14), (1000, 7)] {
            let align = RoiAlign {
                height,
                width,
                channels,
                out,
                scale: 0.25,
                sampling_ratio: Some(2),
                aligned: false,
            };
            let rois = rois(count, height as f32, width as f32);
            let mut x = noise(height * width * channels);
            let mut y = vec![0.0; count * out * out * channels];
            let forward = median(|| roi_align(&align, &x, &rois, &mut y))?;
            let gradient = median(|| roi_align_gradient(&align, &rois, &y, &mut x))?;
            println!(
                "RoIAlign {channels} × {height} × {width}, {count} boxes of {out} × {out}: {forward:.2}, gradient {gradient:.2}"
            );
        }
    }
    let pool = MaxPool {
        batch: 1,
        height: 128,
        width: 160,
        channels: 64,
        kernel: 3,
        stride: 2,
        padding: 1,
    };
    let mut x = noise(pool.input_len());
    let mut y = noise(pool.output_len());
    let mut places = vec![0; y.len()];
    let forward = median(|| max_pool(&pool, &x, &mut y, &mut places))?;
    let gradient = median(|| max_pool_gradient(&pool, &y, &places, &mut x))?;
    println!("3 × 3 pooling of 64 × 128 × 160: {forward:.2}, gradient {gradient:.2}");
    for (channels, kernel, stride, size) in [(96, 3, 2, 112), (240, 5, 1, 28), (672, 5, 1, 14)] {
        let shape = Depthwise {
            batch: 1,
            height: size,
            width: size,
            channels,
            kernel,
            stride,
            padding: [kernel / 2; 2],
        };
        let (mut x, mut w) = (noise(shape.input_len()), noise(shape.weights_len()));
        let mut y = noise(shape.output_len());
        let forward = median(|| depthwise_forward(&shape, &x, &w, Epilogue::default(), &mut y))?;
        let by_weights = median(|| depthwise_weight_gradient(&shape, &x, &y, &mut w))?;
        let by_input = median(|| depthwise_input_gradient(&shape, &y, &w, &mut x))?;
        println!(
            "depthwise {channels} × {size} × {size}, {kernel} × {kernel} / {stride}: {forward:.2}, gradients {by_input:.2} {by_weights:.2}"
        );
    }
    Ok(())
}

/// Boxes of all sizes, in pixels of an image four times as large as the map.
fn rois(count: usize, height: f32, width: f32) -> Vec<Roi> {
    let parts = noise(4 * count);
    let part = |i: usize| (parts[i] + 1.0) / 2.0;
    let roi = |i: usize| {
        let (left, top) = (3.0 * width * part(4 * i), 3.0 * height * part(4 * i + 1));
        let right = left + 8.0 + 1.5 * width * part(4 * i + 2);
        let bottom = top + 8.0 + 1.5 * height * part(4 * i + 3);
        (0, [left, top, right, bottom])
    };
    (0..count).map(roi).collect()
}

fn noise(count: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919) % 1009) as f32 / 504.5 - 1.0;
    (0..count).map(value).collect()
}

/// The median of five means over at least 20 ms of calls, in milliseconds.
fn median(mut call: impl FnMut() -> Result<(), KernelError>) -> Result<f64, KernelError> {
    let begin = Instant::now();
    call()?;
    let mut means = [0.0; 5];
    for mean in &mut means {
        let (start, mut calls) = (busy(begin), 0_u32);
        while *mean == 0.0 {
            call()?;
            calls += 1;
            let time = busy(begin) - start;
            if time > 0.02 {
                *mean = time / f64::from(calls) * 1e3;
            }
        }
    }
    means.sort_by(f64::total_cmp);
    Ok(means[2])
}

/// CPU time of this thread in seconds where it does all the work and the system tells it, else the
/// time since `begin`.
fn busy(begin: Instant) -> f64 {
    let is_alone = std::env::var("RAYON_NUM_THREADS").is_ok_and(|threads| threads == "1");
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat");
    statistics
        .ok()
        .filter(|_| is_alone)
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or(begin.elapsed().as_secs_f64(), |nanoseconds| {
            nanoseconds / 1e9
        })
}
