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
pub(crate) struct PhaseCorrelator {
    size: usize,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    spectrum: Vec<Complex<f32>>,
    turned: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Weights along one axis; ones when no window function is wanted.
    window: Vec<f32>,
}

/// Whether the borders of the window are faded out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fading {
    None,
    Hann,
}

impl PhaseCorrelator {
    pub(crate) fn new(size: usize, fading: Fading) -> Self {
        let mut planner = FftPlanner::new();
        let forward = planner.plan_fft_forward(size);
        let inverse = planner.plan_fft_inverse(size);
        let scratch = forward
            .get_inplace_scratch_len()
            .max(inverse.get_inplace_scratch_len());
        let window = (0..size)
            .map(|i| match fading {
                Fading::None => 1.0,
                Fading::Hann => {
                    let t = std::f32::consts::PI * (i as f32 + 0.5) / size as f32;
                    t.sin().powi(2)
                }
            })
            .collect();
        let zero = Complex::new(0.0, 0.0);
        Self {
            size,
            forward,
            inverse,
            spectrum: vec![zero; size * size],
            turned: vec![zero; size * size],
            scratch: vec![zero; scratch],
            window,
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
        transform(
            &self.forward,
            self.size,
            &mut self.spectrum,
            &mut self.turned,
            &mut self.scratch,
        );
        self.whiten();
        transform(
            &self.inverse,
            self.size,
            &mut self.turned,
            &mut self.spectrum,
            &mut self.scratch,
        );
        let mut found: Vec<(usize, usize)> = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            match self.highest(&found) {
                Some(peak) => found.push(peak),
                None => break,
            }
        }
        let signed = |i: usize| {
            let i = i as isize;
            let size = self.size as isize;
            if i > (size - 1) / 2 { i - size } else { i }
        };
        found.iter().map(|&(x, y)| (signed(x), signed(y))).collect()
    }

    /// Puts the reference window into the real and the deformed window into the imaginary part,
    /// so that one transform serves both.
    fn fill(&mut self, reference: &Plane, deformed: &Plane, corner: (usize, usize)) {
        let size = self.size;
        let rows = |plane: &Plane, y: usize| {
            let start = plane.index(corner.0, corner.1 + y);
            start..start + size
        };
        let mean = |plane: &Plane| {
            let sum: f64 = (0..size)
                .flat_map(|y| &plane.data[rows(plane, y)])
                .map(|&value| f64::from(value))
                .sum();
            (sum / (size * size) as f64) as f32
        };
        let (mean_f, mean_g) = (mean(reference), mean(deformed));
        for y in 0..size {
            let f = &reference.data[rows(reference, y)];
            let g = &deformed.data[rows(deformed, y)];
            let line = &mut self.spectrum[y * size..(y + 1) * size];
            for (x, value) in line.iter_mut().enumerate() {
                let weight = self.window[x] * self.window[y];
                *value = Complex::new(weight * (f[x] - mean_f), weight * (g[x] - mean_g));
            }
        }
    }

    /// Replaces the packed (transposed) spectrum in `turned` by the normalised cross-power
    /// spectrum.
    fn whiten(&mut self) {
        let size = self.size;
        let source = &self.turned;
        let cross = &mut self.spectrum;
        let strongest = source.iter().fold(0.0_f32, |a, b| a.max(b.norm_sqr()));
        let floor = SMALLEST_POWER * strongest;
        for y in 0..size {
            let opposite_y = (size - y) % size;
            for x in 0..size {
                let here = source[y * size + x];
                let there = source[opposite_y * size + (size - x) % size].conj();
                let f = (here + there) * 0.5;
                let difference = (here - there) * 0.5;
                // Division by i.
                let g = Complex::new(difference.im, -difference.re);
                cross[y * size + x] = if f.norm_sqr() > floor && g.norm_sqr() > floor {
                    let product = f.conj() * g;
                    product / product.norm()
                } else {
                    Complex::new(0.0, 0.0)
                };
            }
        }
        self.turned.copy_from_slice(&self.spectrum);
    }

    /// The highest value that is not next to one of `found`, if any is above zero.
    fn highest(&self, found: &[(usize, usize)]) -> Option<(usize, usize)> {
        let size = self.size;
        let apart = |a: usize, b: usize| {
            let d = a.abs_diff(b);
            d.min(size - d)
        };
        let mut best = 0.0;
        let mut at = None;
        for (i, value) in self.spectrum.iter().enumerate() {
            if value.re > best {
                let (x, y) = (i % size, i / size);
                let separate = |&(fx, fy): &(usize, usize)| apart(x, fx) > 1 || apart(y, fy) > 1;
                if found.iter().all(separate) {
                    best = value.re;
                    at = Some((x, y));
                }
            }
        }
        at
    }
}

/// Transforms rows, transposes into `out`, transforms rows again. The result is transposed.
fn transform(
    fft: &Arc<dyn Fft<f32>>,
    size: usize,
    data: &mut [Complex<f32>],
    out: &mut [Complex<f32>],
    scratch: &mut [Complex<f32>],
) {
    fft.process_with_scratch(data, scratch);
    for (y, row) in data.chunks_exact(size).enumerate() {
        for (x, &value) in row.iter().enumerate() {
            out[x * size + y] = value;
        }
    }
    fft.process_with_scratch(out, scratch);
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
    fn a_flat_window_has_no_peak() {
        let mut correlator = PhaseCorrelator::new(21, Fading::None);
        let flat = Plane::from_pixels(80, 70, &[7.0; 80 * 70]);
        assert!(correlator.peaks(&plane(0, 0), &flat, (0, 0), 3).is_empty());
    }
}
