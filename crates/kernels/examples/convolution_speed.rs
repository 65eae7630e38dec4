//! Billions of floating-point operations a second of the convolutions of a detector.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release -p retrial-kernels --example convolution_speed [resnet50 | narrow] [BATCH]`
//!
//! The median of five times in CPU time of one thread; packing of weights, which a training step pays once
//! for all uses, stands beside it. The last line weighs each layer by how often the net has it.

use std::time::Instant;

use retrial_kernels::{
    Convolution, Epilogue, KernelError, forward, input_gradient, pack, pack_transposed,
    weight_gradient,
};

/// How often, height, width, in channels, out channels, kernel, stride; same padding.
type Layer = [usize; 7];

/// ResNet-50 with a feature pyramid of 256 channels and the heads' convolutions, 256 × 320 pixels.
const RESNET_50: &[Layer] = &[
    [1, 256, 320, 3, 64, 7, 2],
    [1, 64, 80, 64, 64, 1, 1],
    [3, 64, 80, 64, 64, 3, 1],
    [4, 64, 80, 64, 256, 1, 1],
    [2, 64, 80, 256, 64, 1, 1],
    [1, 64, 80, 256, 128, 1, 1],
    [1, 64, 80, 128, 128, 3, 2],
    [3, 32, 40, 128, 128, 3, 1],
    [4, 32, 40, 128, 512, 1, 1],
    [3, 32, 40, 512, 128, 1, 1],
    [1, 64, 80, 256, 512, 1, 2],
    [1, 32, 40, 512, 256, 1, 1],
    [1, 32, 40, 256, 256, 3, 2],
    [5, 16, 20, 256, 256, 3, 1],
    [6, 16, 20, 256, 1024, 1, 1],
    [5, 16, 20, 1024, 256, 1, 1],
    [1, 32, 40, 512, 1024, 1, 2],
    [1, 16, 20, 1024, 512, 1, 1],
    [1, 16, 20, 512, 512, 3, 2],
    [2, 8, 10, 512, 512, 3, 1],
    [3, 8, 10, 512, 2048, 1, 1],
    [2, 8, 10, 2048, 512, 1, 1],
    [1, 16, 20, 1024, 2048, 1, 2],
    [1, 64, 80, 256, 256, 1, 1],
    [1, 8, 10, 2048, 256, 1, 1],
    [2, 64, 80, 256, 256, 3, 1],
    [2, 32, 40, 256, 256, 3, 1],
    [1, 64, 80, 256, 15, 1, 1],
];

/// Basic blocks of width 16 with a feature pyramid of 64 channels, 128 × 160 pixels.
const NARROW: &[Layer] = &[
    [1, 128, 160, 3, 16, 7, 2],
    [4, 32, 40, 16, 16, 3, 1],
    [1, 32, 40, 16, 32, 3, 2],
    [3, 16, 20, 32, 32, 3, 1],
    [1, 32, 40, 16, 32, 1, 2],
    [1, 16, 20, 32, 64, 3, 2],
    [3, 8, 10, 64, 64, 3, 1],
    [1, 8, 10, 64, 128, 3, 2],
    [3, 4, 5, 128, 128, 3, 1],
    [1, 32, 40, 16, 64, 1, 1],
    [2, 32, 40, 64, 64, 3, 1],
    [2, 16, 20, 64, 64, 3, 1],
    [1, 32, 40, 64, 15, 1, 1],
];

fn main() -> Result<(), KernelError> {
    let mut arguments = std::env::args().skip(1);
    let is_narrow = arguments.next().is_some_and(|net| net == "narrow");
    let layers = if is_narrow { NARROW } else { RESNET_50 };
    let batch = arguments.next().and_then(|arg| arg.parse().ok());
    let batch = batch.unwrap_or(if is_narrow { 4 } else { 1 });
    println!("batch {batch}: GFLOP/s (ms) of forward, input gradient, weight gradient; packings");
    let mut totals = [0.0; 6];
    for &[
        count,
        height,
        width,
        in_channels,
        out_channels,
        kernel,
        stride,
    ] in layers
    {
        let shape = Convolution {
            batch,
            height,
            width,
            in_channels,
            out_channels,
            kernel,
            stride,
            padding: kernel / 2,
        };
        let times = times(&shape)?;
        let work = 2.0 * shape.multiply_adds() as f64;
        let name =
            format!("{height}×{width} {in_channels}→{out_channels} {kernel}×{kernel}/{stride}");
        let column = |time: &f64| format!("{:6.1} ({:7.3})", work / time / 1e9, time * 1e3);
        let columns: Vec<String> = times[..3].iter().map(column).collect();
        println!(
            "{count}× {name:28} {}  {:.3} {:.3}",
            columns.join("  "),
            times[3] * 1e3,
            times[4] * 1e3
        );
        for (total, time) in totals.iter_mut().zip(times) {
            *total += count as f64 * time;
        }
        totals[5] += count as f64 * work;
    }
    let [y, dx, dw, pack, transposed, work] = totals;
    for (name, time) in [
        ("forward", y),
        ("input gradient", dx),
        ("weight gradient", dw),
    ] {
        println!(
            "all {name}: {:.1} GFLOP/s, {:.2} ms",
            work / time / 1e9,
            time * 1e3
        );
    }
    println!(
        "all packing: {:.2} and {:.2} ms",
        pack * 1e3,
        transposed * 1e3
    );
    Ok(())
}

/// Seconds of forward, input gradient, weight gradient and both packings.
fn times(shape: &Convolution) -> Result<[f64; 5], KernelError> {
    let x = noise(shape.input_len());
    let w = noise(shape.weights_len());
    let dy = noise(shape.output_len());
    let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
    let packed = pack(shape, &w)?;
    let transposed = pack_transposed(shape, &w)?;
    let end = Epilogue::default();
    Ok([
        median(|| forward(shape, &x, &packed, end, &mut y))?,
        median(|| input_gradient(shape, &dy, &transposed, end, &mut dx))?,
        median(|| weight_gradient(shape, &x, &dy, &mut dw))?,
        median(|| pack(shape, &w).map(drop))?,
        median(|| pack_transposed(shape, &w).map(drop))?,
    ])
}

fn noise(count: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919) % 1009) as f32 / 504.5 - 1.0;
    (0..count).map(value).collect()
}

/// The median of five means over at least 20 ms of calls, in seconds.
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
                *mean = time / f64::from(calls);
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
