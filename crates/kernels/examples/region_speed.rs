//! Milliseconds of RoIAlign and depthwise convolutions at the sizes of a detector.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release -p retrial-kernels --example region_speed`
//!
//! The median of five times in CPU time of one thread, where the system tells it.

mod timing;

use retrial_kernels::{
    Depthwise, Epilogue, KernelError, Roi, RoiAlign, depthwise_forward, depthwise_input_gradient,
    depthwise_weight_gradient, roi_align, roi_align_gradient,
};
use timing::noise;

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

/// The median time of a call in milliseconds.
fn median(call: impl FnMut() -> Result<(), KernelError>) -> Result<f64, KernelError> {
    Ok(timing::median(call)? * 1e3)
}
