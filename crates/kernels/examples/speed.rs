//! Billions of floating-point operations a second of each layer of a DCGAN of 64 × 64 pixels.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release -p retrial-kernels --example speed [BATCH]`
//!
//! The best of several runs, so that what else runs on the machine matters little. Taps
//! outside the image count as work although they are left out where that pays.

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
    println!("batch {batch}: GFLOP/s of forward, input gradient, weight gradient (ms)");
    for &(name, [size, in_channels, out_channels, kernel, stride, padding]) in LAYERS {
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
            best(|| forward(&shape, &x, &packed, epilogue, &mut y))?,
            best(|| input_gradient(&shape, &dy, &transposed, epilogue, &mut dx))?,
            best(|| weight_gradient(&shape, &x, &dy, &mut dw))?,
        ];
        let work = 2.0 * shape.multiply_adds() as f64;
        let column = |time: f64| format!("{:6.1} ({:7.2})", work / time / 1e9, time * 1e3);
        println!("{name:20} {}", times.map(column).join("  "));
    }
    Ok(())
}

fn noise(count: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919) % 1009) as f32 / 504.5 - 1.0;
    (0..count).map(value).collect()
}

/// The shortest time of a call in seconds: of at least five calls, for at least 0.3 s.
fn best(mut call: impl FnMut() -> Result<(), KernelError>) -> Result<f64, KernelError> {
    let begin = Instant::now();
    let (mut best, mut calls) = (f64::INFINITY, 0);
    while calls < 5 || begin.elapsed().as_secs_f64() < 0.3 {
        let start = Instant::now();
        call()?;
        best = best.min(start.elapsed().as_secs_f64());
        calls += 1;
    }
    Ok(best)
}
