//! What the camera makes of the radiance: blur, noise and a fixed pattern of columns.

use retrial_seed::{Seed, Stream};

use super::raster::celsius;
use super::spec::SceneSpec;

/// Blurs with a Gaussian of `sigma` px, the border pixels repeated outwards.
pub(super) fn blur(picture: &mut [f32], width: usize, sigma: f64) {
    if sigma < 0.05 {
        return;
    }
    let reach = (3.0 * sigma).ceil() as usize;
    let weight = |i: usize| {
        let away = (i as f64 - reach as f64) / sigma;
        (-0.5 * away * away).exp()
    };
    let total: f64 = (0..=2 * reach).map(weight).sum();
    let kernel: Vec<f32> = (0..=2 * reach)
        .map(|i| (weight(i) / total) as f32)
        .collect();
    let mut padded = vec![0.0; width + 2 * reach];
    for row in picture.chunks_exact_mut(width) {
        padded[reach..reach + width].copy_from_slice(row);
        padded[..reach].fill(row[0]);
        padded[reach + width..].fill(row[width - 1]);
        for (window, value) in padded.windows(kernel.len()).zip(row.iter_mut()) {
            *value = window.iter().zip(&kernel).map(|(v, k)| v * k).sum();
        }
    }
    let height = picture.len() / width;
    let before = picture.to_vec();
    for (y, row) in picture.chunks_exact_mut(width).enumerate() {
        row.fill(0.0);
        for (i, k) in kernel.iter().enumerate() {
            let from = (y + i).saturating_sub(reach).min(height - 1);
            let line = &before[from * width..(from + 1) * width];
            for (value, v) in row.iter_mut().zip(line) {
                *value += v * k;
            }
        }
    }
}

/// Apparent temperatures, °C, as this camera reads the radiance.
///
/// The pattern of columns belongs to the camera: it is the same in all scenes of a seed.
pub(super) fn read(radiance: &[f32], spec: &SceneSpec, noise: &mut Stream) -> Vec<f32> {
    let mut fixed = Seed(spec.seed).stream("infrared columns");
    let columns: Vec<f64> = (0..spec.width)
        .map(|_| spec.column_k * fixed.normal())
        .collect();
    let mut all = Vec::with_capacity(radiance.len());
    for row in radiance.chunks_exact(spec.width) {
        for (value, column) in row.iter().zip(&columns) {
            let jitter = spec.noise_k * noise.normal();
            all.push((celsius(f64::from(*value)) + column + jitter) as f32);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_the_sum_and_has_the_stated_width() {
        let width = 41;
        let mut picture = vec![0.0; width * width];
        picture[20 * width + 20] = 1.0;
        blur(&mut picture, width, 1.5);
        let moment = |power: i32| {
            let each = picture.iter().enumerate();
            each.map(|(i, v)| ((i / width) as f64 - 20.0).powi(power) * f64::from(*v))
                .sum::<f64>()
        };
        assert!((moment(0) - 1.0).abs() < 1e-5);
        // The tails beyond three standard deviations are cut.
        assert!(
            (moment(2).sqrt() - 1.5).abs() < 0.03,
            "{}",
            moment(2).sqrt()
        );
    }

    #[test]
    fn noise_and_columns_have_their_standard_deviations() {
        let spec = SceneSpec {
            width: 300,
            height: 200,
            noise_k: 0.1,
            column_k: 0.5,
            ..SceneSpec::default()
        };
        let flat = vec![1.0_f32; 300 * 200];
        let read = read(&flat, &spec, &mut Seed(3).stream("noise"));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let spread = |values: &[f64]| {
            let middle = mean(values);
            let squares: Vec<_> = values.iter().map(|v| (v - middle).powi(2)).collect();
            mean(&squares).sqrt()
        };
        let column =
            |x: usize| -> Vec<f64> { (0..200).map(|y| f64::from(read[y * 300 + x])).collect() };
        let means: Vec<_> = (0..300).map(|x| mean(&column(x))).collect();
        assert!((spread(&column(7)) - 0.1).abs() < 0.02);
        assert!((spread(&means) - 0.5).abs() < 0.08, "{}", spread(&means));
        assert!((mean(&means) - 26.85).abs() < 0.15);
    }
}
