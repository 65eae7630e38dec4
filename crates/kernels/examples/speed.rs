//! Billions of floating-point operations a second of each layer of a DCGAN of 64 × 64 pixels.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release -p retrial-kernels --example speed [BATCH [PART OF A NAME]]`
//!
//! The mean of many calls in CPU time of one thread, where the system tells it: what else runs on the
//! machine still shows through caches and memory. Taps outside the image count as work although
//! they are left out where that pays.

use std::time::Instant;

use retrial_kernels::{
    Activation, Convolution, Epilogue, KernelError, forward, input_gradient, pack, pack_transposed,
    weight_gradient,
};

/// Name, input size, in channels, out channels, kernel, stride, padding.
const LAYERS: &[(&str, [usize; 6])] = &[
    ("1 → 64 at 64", [64, 1, 64, 4, 2, 1]),
    ("64 → 128 at 32", [32, 64, 128, 4, 2, 1]),
    ("128 → 256 at 16", [16, 128, 256, 4, 2, 1]),
    ("256 → 512 at 8", [8, 256, 512, 4, 2, 1]),
    ("20 ← 512 at 4", [4, 512, 20, 4, 1, 0]),
    ("16 → 32 at 32", [32, 16, 32, 4, 2, 1]),
    ("32 → 64 at 16", [16, 32, 64, 4, 2, 1]),
    ("64 → 64 3×3 at 56", [56, 64, 64, 3, 1, 1]),
    ("3 → 64 7×7 at 64", [64, 3, 64, 7, 2, 3]),
];

fn main() -> Result<(), KernelError> {
    let batch = std::env::args().nth(1).and_then(|arg| arg.parse().ok());
    let batch = batch.unwrap_or(32);
    let wanted = std::env::args().nth(2).unwrap_or_default();
    println!(
        "batch {batch}: GFLOP/s of forward, input gradient, weight gradient (ms); ms of both packings"
    );
    for &(name, [size, in_channels, out_channels, kernel, stride, padding]) in LAYERS {
        if !name.contains(&wanted) {
            continue;
        }
        let shape = Convolution {
            batch,
            height: size,
            width: size,
            in_channels,
            out_channels,
            kernel,
            stride,
            padding,
        };
        let x = noise(shape.input_len());
        let w = noise(shape.weights_len());
        let dy = noise(shape.output_len());
        let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
        let packed = pack(&shape, &w)?;
        let transposed = pack_transposed(&shape, &w)?;
        let epilogue = Epilogue {
            bias: None,
            activation: Activation::LeakyRelu(0.2),
        };
        let times = [
            mean(|| forward(&shape, &x, &packed, epilogue, &mut y))?,
            mean(|| input_gradient(&shape, &dy, &transposed, epilogue, &mut dx))?,
            mean(|| weight_gradient(&shape, &x, &dy, &mut dw))?,
        ];
        let work = 2.0 * shape.multiply_adds() as f64;
        let packing = [
            mean(|| pack(&shape, &w).map(drop))?,
            mean(|| pack_transposed(&shape, &w).map(drop))?,
        ];
        let column = |time: f64| format!("{:6.1} ({:7.2})", work / time / 1e9, time * 1e3);
        let [pack, transposed] = packing.map(|time| time * 1e3);
        let columns = times.map(column).join("  ");
        println!("{name:20} {columns}  {pack:.2} {transposed:.2}");
    }
    Ok(())
}

fn noise(count: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919) % 1009) as f32 / 504.5 - 1.0;
    (0..count).map(value).collect()
}

/// The mean time of a call in seconds, over 0.4 s of calls.
fn mean(mut call: impl FnMut() -> Result<(), KernelError>) -> Result<f64, KernelError> {
    call()?;
    let begin = Instant::now();
    let (start, mut calls) = (busy(begin), 0_u32);
    loop {
        call()?;
        calls += 1;
        let time = busy(begin) - start;
        if calls >= 3 && time > 0.4 {
            return Ok(time / f64::from(calls));
        }
    }
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
