//! From intensities to grey levels: optics, exposure, sensor noise and the converter.

use retrial_seed::Stream;

/// A camera whose settings hold for a whole series.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Bits of the converter: 8, 12 or 16.
    pub bits: u32,
    /// Grey level of intensity 0, as a fraction of full scale.
    pub dark: f64,
    /// Grey level of intensity 1, as a fraction of full scale.
    pub bright: f64,
    /// Standard deviation of a Gaussian blur by the optics, px; `0` for none.
    pub blur_px: f64,
    /// Standard deviation of the noise that does not depend on the light, in grey levels.
    pub read_noise: f64,
    /// Variance of the noise per grey level of signal, in grey levels (photon noise).
    pub shot_noise: f64,
}

/// How one picture of a series is exposed: `grey → gain · grey + offset` before the noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// Factor.
    pub gain: f64,
    /// Grey levels added.
    pub offset: f64,
}

impl Default for Exposure {
    fn default() -> Self {
        Self {
            gain: 1.0,
            offset: 0.0,
        }
    }
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            bits: 8,
            dark: 0.1,
            bright: 0.85,
            blur_px: 0.0,
            read_noise: 0.0,
            shot_noise: 0.0,
        }
    }
}

impl Camera {
    /// The largest grey level.
    #[must_use]
    pub fn full_scale(&self) -> f64 {
        f64::from((1_u32 << self.bits) - 1)
    }

    /// Turns intensities into grey levels in place: blur, exposure, noise, rounding and clipping.
    pub(crate) fn expose(
        &self,
        exposure: Exposure,
        width: usize,
        intensities: &mut Vec<f64>,
        noise: &mut Stream,
    ) {
        if self.blur_px > 0.0 {
            *intensities = blur(intensities, width, self.blur_px);
        }
        let full = self.full_scale();
        let noisy = self.read_noise > 0.0 || self.shot_noise > 0.0;
        for value in intensities {
            let grey = full * (self.dark + (self.bright - self.dark) * *value);
            let mut grey = exposure.gain * grey + exposure.offset;
            if noisy {
                let variance = self.read_noise * self.read_noise + self.shot_noise * grey.max(0.0);
                grey += variance.sqrt() * noise.normal();
            }
            *value = grey.round().clamp(0.0, full);
        }
    }
}

/// A separable Gaussian blur; beyond the border the nearest pixel counts.
fn blur(values: &[f64], width: usize, sigma: f64) -> Vec<f64> {
    let height = values.len() / width;
    let radius = (4.0 * sigma).ceil() as isize;
    let mut kernel: Vec<f64> = (-radius..=radius)
        .map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp())
        .collect();
    let sum: f64 = kernel.iter().sum();
    kernel.iter_mut().for_each(|weight| *weight /= sum);
    let clamped =
        |i: usize, shift: isize, length: usize| i.saturating_add_signed(shift).min(length - 1);
    let mut across = vec![0.0; values.len()];
    for y in 0..height {
        for x in 0..width {
            across[y * width + x] = (-radius..=radius)
                .zip(&kernel)
                .map(|(shift, weight)| weight * values[y * width + clamped(x, shift, width)])
                .sum();
        }
    }
    let mut both = vec![0.0; values.len()];
    for y in 0..height {
        for x in 0..width {
            both[y * width + x] = (-radius..=radius)
                .zip(&kernel)
                .map(|(shift, weight)| weight * across[clamped(y, shift, height) * width + x])
                .sum();
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use retrial_seed::Seed;

    #[test]
    fn blur_keeps_the_mean_and_spreads_a_point() {
        let mut values = vec![0.0; 21 * 21];
        values[10 * 21 + 10] = 1.0;
        let blurred = blur(&values, 21, 1.5);
        assert!((blurred.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let second: f64 = (0..21 * 21)
            .map(|i| blurred[i] * ((i % 21) as f64 - 10.0).powi(2))
            .sum();
        assert!((second - 2.25).abs() < 0.02, "variance {second}");
    }

    #[test]
    fn noise_has_the_stated_deviation() {
        let camera = Camera {
            bits: 12,
            read_noise: 3.0,
            shot_noise: 0.01,
            ..Camera::default()
        };
        let mut values = vec![0.5; 40_000];
        let mean_grey = 4095.0 * 0.475;
        camera.expose(
            Exposure::default(),
            200,
            &mut values,
            &mut Seed(1).stream("noise"),
        );
        let mean = values.iter().sum::<f64>() / 40_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 40_000.0;
        // Rounding adds 1/12.
        let expected = 9.0 + 0.01 * mean_grey + 1.0 / 12.0;
        assert!((mean - mean_grey).abs() < 0.1, "{mean}");
        assert!(
            (variance / expected - 1.0).abs() < 0.03,
            "{variance} {expected}"
        );
    }
}
