//! Whole-pixel displacement of a window by phase correlation.
//!
//! # Source
//! Foroosh, Zerubia & Berthod 2002, doi:10.1109/83.988953; Atkinson & Becker 2020,
//! doi:10.3390/rs12182906, section 3.2.5. The published code divides by the magnitude of the
//! cross-power spectrum as it is; here frequencies without power are left out.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::plane::Plane;

/// Power of either picture below which a frequency is left out, as a fraction of the strongest;
/// the rounding of the transform lies below it.
const SMALLEST_POWER: f32 = 1e-11;

/// A whole-pixel displacement `(u, v)`.
pub(crate) type Shift = (isize, isize);

/// Plans and buffers for windows of one size.
#[derive(Clone)]
pub(crate) struct PhaseCorrelator {
    width: usize,
    height: usize,
    /// Along x and along y.
    forward: [Arc<dyn Fft<f32>>; 2],
    inverse: [Arc<dyn Fft<f32>>; 2],
    spectrum: Vec<Complex<f32>>,
    turned: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Weights along x and along y; ones when no window function is wanted.
    window: [Vec<f32>; 2],
}

/// Whether the borders of the window are faded out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fading {
    None,
    Hann,
    /// Only within a sixteenth of the side from the border, so that large displacements keep
    /// their overlap.
    Rim,
}

impl PhaseCorrelator {
    pub(crate) fn new(size: usize, fading: Fading) -> Self {
        Self::with_sides(size, size, fading)
    }

    /// For windows of `width × height` px.
    pub(crate) fn with_sides(width: usize, height: usize, fading: Fading) -> Self {
        let mut planner = FftPlanner::new();
        let sides = [width, height];
        let forward = sides.map(|size| planner.plan_fft_forward(size));
        let inverse = sides.map(|size| planner.plan_fft_inverse(size));
        let plans = forward.iter().chain(&inverse);
        let scratch = plans.map(|plan| plan.get_inplace_scratch_len()).max();
        let zero = Complex::new(0.0, 0.0);
        Self {
            width,
            height,
            forward,
            inverse,
            spectrum: vec![zero; width * height],
            turned: vec![zero; width * height],
            scratch: vec![zero; scratch.unwrap_or(0)],
            window: sides.map(|size| weights(size, fading)),
        }
    }

    /// The `wanted` highest separate peaks of the correlation of the windows whose top-left pixel
    /// is `corner` in both pictures, best first.
    ///
    /// Displacements lie within half the window size. The list is empty where nothing correlates.
    pub(crate) fn peaks(
        &mut self,
        reference: &Plane,
        deformed: &Plane,
        corner: (usize, usize),
        wanted: usize,
    ) -> Vec<Shift> {
        self.fill(reference, deformed, corner);
        let [along_x, along_y] = &self.forward;
        transform(
            (along_x, along_y),
            (self.width, self.height),
            &mut self.spectrum,
            &mut self.turned,
            &mut self.scratch,
        );
        self.whiten();
        let [along_x, along_y] = &self.inverse;
        transform(
            (along_y, along_x),
            (self.height, self.width),
            &mut self.turned,
            &mut self.spectrum,
            &mut self.scratch,
        );
        let rows = self.spectrum.chunks_exact(self.width);
        let row_peaks: Vec<f32> = rows
            .map(|row| row.iter().fold(0.0, |most: f32, value| most.max(value.re)))
            .collect();
        let mut found: Vec<(usize, usize)> = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            match self.highest(&found, &row_peaks) {
                Some(peak) => found.push(peak),
                None => break,
            }
        }
        let signed = |i: usize, size: usize| {
            let (i, size) = (i as isize, size as isize);
            if i > (size - 1) / 2 { i - size } else { i }
        };
        found
            .iter()
            .map(|&(x, y)| (signed(x, self.width), signed(y, self.height)))
            .collect()
    }

    /// Puts the reference window into the real and the deformed window into the imaginary part,
    /// so that one transform serves both.
    fn fill(&mut self, reference: &Plane, deformed: &Plane, corner: (usize, usize)) {
        let (width, height) = (self.width, self.height);
        let rows = |plane: &Plane, y: usize| {
            let start = plane.index(corner.0, corner.1 + y);
            start..start + width
        };
        let mean = |plane: &Plane| {
            let sum: f64 = (0..height)
                .map(|y| f64::from(sum_of(&plane.data[rows(plane, y)])))
                .sum();
            (sum / (width * height) as f64) as f32
        };
        let (mean_f, mean_g) = (mean(reference), mean(deformed));
        for y in 0..height {
            let f = &reference.data[rows(reference, y)];
            let g = &deformed.data[rows(deformed, y)];
            let line = &mut self.spectrum[y * width..(y + 1) * width];
            for (x, value) in line.iter_mut().enumerate() {
                let weight = self.window[0][x] * self.window[1][y];
                *value = Complex::new(weight * (f[x] - mean_f), weight * (g[x] - mean_g));
            }
        }
    }

    /// Replaces the packed (transposed) spectrum in `turned` by the normalised cross-power
    /// spectrum.
    fn whiten(&mut self) {
        let (width, height) = (self.width, self.height);
        let source = &self.turned;
        let cross = &mut self.spectrum;
        let strongest = source.iter().fold(0.0_f32, |a, b| a.max(b.norm_sqr()));
        let floor = SMALLEST_POWER * strongest;
        // The spectrum of a real correlation: opposite frequencies are conjugate.
        for x in 0..=width / 2 {
            let opposite_x = (width - x) % width;
            for y in 0..height {
                let opposite = opposite_x * height + (height - y) % height;
                let here = source[x * height + y];
                let there = source[opposite].conj();
                let f = (here + there) * 0.5;
                let difference = (here - there) * 0.5;
                // Division by i.
                let g = Complex::new(difference.im, -difference.re);
                let (power_f, power_g) = (f.norm_sqr(), g.norm_sqr());
                let whitened = if power_f > floor && power_g > floor {
                    // Two roots, so that no product of powers leaves the range of the numbers.
                    f.conj() * g * (power_f.sqrt() * power_g.sqrt()).recip()
                } else {
                    Complex::new(0.0, 0.0)
                };
                cross[x * height + y] = whitened;
                cross[opposite] = whitened.conj();
            }
        }
        std::mem::swap(&mut self.turned, &mut self.spectrum);
    }

    /// The highest value that is not next to one of `found`, if any is above zero; the first of equal ones.
    /// `row_peaks` are the highest values of the rows.
    fn highest(&self, found: &[(usize, usize)], row_peaks: &[f32]) -> Option<(usize, usize)> {
        let (width, height) = (self.width, self.height);
        let apart = |a: usize, b: usize, size: usize| {
            let d = a.abs_diff(b);
            d.min(size - d)
        };
        let mut best = 0.0;
        let mut at = None;
        let rows = self.spectrum.chunks_exact(width).zip(row_peaks);
        for (y, (row, &most)) in rows.enumerate() {
            if most <= best {
                continue;
            }
            for (x, value) in row.iter().enumerate() {
                let is_apart = |&(fx, fy): &(usize, usize)| {
                    apart(x, fx, width) > 1 || apart(y, fy, height) > 1
                };
                if value.re > best && found.iter().all(is_apart) {
                    best = value.re;
                    at = Some((x, y));
                }
            }
        }
        at
    }
}

/// The sum of a row, in as many parts as the processor adds at a time.
fn sum_of(row: &[f32]) -> f32 {
    let (parts, rest) = row.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for part in parts {
        for (sum, value) in sums.iter_mut().zip(part) {
            *sum += value;
        }
    }
    sums.iter().chain(rest).sum()
}

/// Weights of `size` pixels along one axis.
fn weights(size: usize, fading: Fading) -> Vec<f32> {
    let raised = |i: usize, period: f32| {
        let t = std::f32::consts::PI * (i as f32 + 0.5) / period;
        t.sin().powi(2)
    };
    let rim = size / 16;
    (0..size)
        .map(|i| {
            let from_border = i.min(size - 1 - i);
            match fading {
                Fading::Hann => raised(i, size as f32),
                Fading::Rim if from_border < rim => raised(from_border, 2.0 * rim as f32),
                Fading::None | Fading::Rim => 1.0,
            }
        })
        .collect()
}

/// Transforms rows of `sides.0` values, transposes into `out`, transforms rows of `sides.1` values.
/// The result is transposed.
pub(crate) fn transform(
    plans: (&Arc<dyn Fft<f32>>, &Arc<dyn Fft<f32>>),
    sides: (usize, usize),
    data: &mut [Complex<f32>],
    out: &mut [Complex<f32>],
    scratch: &mut [Complex<f32>],
) {
    plans.0.process_with_scratch(data, scratch);
    for (y, row) in data.chunks_exact(sides.0).enumerate() {
        for (x, &value) in row.iter().enumerate() {
            out[x * sides.1 + y] = value;
        }
    }
    plans.1.process_with_scratch(out, scratch);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(x: isize, y: isize) -> f32 {
        let mut mixed = (x * 7919 + y * 104_729) as u32;
        for _ in 0..3 {
            mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_654_435_761);
        }
        mixed >>= 16;
        (mixed % 256) as f32
    }

    fn plane(u: isize, v: isize) -> Plane {
        let pixels: Vec<f32> = (0..80 * 70)
            .map(|i| pattern(i % 80 - u, i / 80 - v))
            .collect();
        Plane::from_pixels(80, 70, &pixels)
    }

    #[test]
    fn whole_pixel_shifts_are_found() {
        let reference = plane(0, 0);
        for (size, fading) in [(41, Fading::None), (64, Fading::Hann)] {
            let mut correlator = PhaseCorrelator::new(size, fading);
            for (u, v) in [(0, 0), (3, -5), (-11, 7)] {
                let peaks = correlator.peaks(&reference, &plane(u, v), (4, 3), 2);
                assert_eq!(peaks[0], (u, v), "size {size}");
            }
        }
    }

    #[test]
    fn windows_need_not_be_square() {
        let mut correlator = PhaseCorrelator::with_sides(80, 70, Fading::Rim);
        for (u, v) in [(3, -5), (-31, 7), (12, 29)] {
            let peaks = correlator.peaks(&plane(0, 0), &plane(u, v), (0, 0), 2);
            assert_eq!(peaks[0], (u, v));
        }
    }

    #[test]
    fn a_flat_window_has_no_peak() {
        let mut correlator = PhaseCorrelator::new(21, Fading::None);
        let flat = Plane::from_pixels(80, 70, &[7.0; 80 * 70]);
        assert!(correlator.peaks(&plane(0, 0), &flat, (0, 0), 3).is_empty());
    }
}
