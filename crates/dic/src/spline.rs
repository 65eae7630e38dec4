//! Interpolating B-splines of degree 3 and 5: coefficients by recursive filtering, value and
//! gradient from the same coefficients.
//!
//! # Source
//! Unser, Aldroubi & Eden 1993, "B-spline signal processing: Part II", IEEE Trans. Signal
//! Process. 41(2), doi:10.1109/78.193221: poles and mirror boundary. The published correlation
//! code uses a not-a-knot cubic spline; away from the border both are the same function.

use retrial_image::GrayImage;

use crate::plane::{MARGIN, Plane, mirrored};
use crate::settings::SplineDegree;

/// Rows that are filtered side by side: each number waits for the one before it in its row.
const TOGETHER: usize = 8;

/// Rows that are filtered at a time, with those around them that their coefficients depend on: they should stay in
/// the cache.
const BLOCK: usize = 6 * TOGETHER;

/// The B-spline through the pixels of an image, continued by reflection at the border.
#[derive(Clone, Debug)]
pub struct Spline {
    pub(crate) coefficients: Plane,
    pub(crate) degree: SplineDegree,
}

impl Spline {
    /// The spline of that degree through the pixels of `image`.
    #[must_use]
    pub fn new(image: &GrayImage, degree: SplineDegree) -> Self {
        Self::of_plane(&Plane::from_image(image), degree)
    }

    /// The spline of that degree through the pixels of a plane.
    pub(crate) fn of_plane(pixels: &Plane, degree: SplineDegree) -> Self {
        let (width, height) = (pixels.width, pixels.height);
        let poles = poles(degree);
        let reach: isize = poles.iter().map(|&pole| horizon(pole)).sum();
        let mut coefficients = Plane::zeros(width, height);
        coefficients.fill_rows(BLOCK, |top, rows| {
            let around = top as isize - reach..(top + rows.len()) as isize + reach;
            let mut work: Vec<f32> = Vec::with_capacity(around.clone().count() * width);
            for y in around {
                work.extend_from_slice(pixels.row(mirrored(y, height as isize)));
            }
            if height > 1 {
                filter_columns(&mut work, width, poles);
            }
            let inside = work[reach as usize * width..].chunks_exact(width);
            for (row, filtered) in rows.iter_mut().zip(inside) {
                row.copy_from_slice(filtered);
            }
            for rows in rows.chunks_mut(TOGETHER) {
                match <&mut [&mut [f32]; TOGETHER]>::try_from(&mut *rows) {
                    Ok(rows) => filter_rows(rows, poles),
                    Err(_) => rows
                        .iter_mut()
                        .for_each(|row| filter_rows(&mut [&mut **row], poles)),
                }
            }
        });
        coefficients.mirror_into_padding();
        Self {
            coefficients,
            degree,
        }
    }

    /// Columns of the image.
    #[must_use]
    pub fn width(&self) -> usize {
        self.coefficients.width
    }

    /// Rows of the image.
    #[must_use]
    pub fn height(&self) -> usize {
        self.coefficients.height
    }

    /// The grey value at `(x, y)` px, or `None` more than half a pixel outside the outer pixel
    /// centres.
    #[must_use]
    pub fn value(&self, x: f64, y: f64) -> Option<f64> {
        self.sum(x, y, weights, weights)
    }

    /// The gradient `(∂/∂x, ∂/∂y)` in grey levels a pixel at `(x, y)` px, or `None` where
    /// [`value`](Self::value) has none.
    #[must_use]
    pub fn gradient(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let along_x = self.sum(x, y, slopes, weights)?;
        let along_y = self.sum(x, y, weights, slopes)?;
        Some((along_x, along_y))
    }

    fn sum(
        &self,
        x: f64,
        y: f64,
        across: fn(SplineDegree, f64) -> [f64; 6],
        down: fn(SplineDegree, f64) -> [f64; 6],
    ) -> Option<f64> {
        let plane = &self.coefficients;
        let inside = |t: f64, n: usize| (-0.5..=n as f64 - 0.5).contains(&t);
        if !inside(x, plane.width) || !inside(y, plane.height) {
            return None;
        }
        let (column, row) = (x.floor(), y.floor());
        let wx = across(self.degree, x - column);
        let wy = down(self.degree, y - row);
        // The first of the six taps lies two pixels before the floor; the margin makes it positive.
        let left = (column as isize + MARGIN as isize - 2) as usize;
        let top = (row as isize + MARGIN as isize - 2) as usize;
        let mut total = 0.0;
        for (j, wy) in wy.iter().enumerate() {
            let start = (top + j) * plane.stride + left;
            let taps = &plane.data[start..start + 6];
            let sum: f64 = taps.iter().zip(&wx).map(|(&c, w)| f64::from(c) * w).sum();
            total += wy * sum;
        }
        Some(total)
    }

    /// The gradient at every pixel centre, `(∂/∂x, ∂/∂y)`.
    pub(crate) fn gradient_planes(&self) -> (Plane, Plane) {
        let value = weights(self.degree, 0.0).map(|weight| weight as f32);
        let slope = slopes(self.degree, 0.0).map(|weight| weight as f32);
        (
            self.correlate(&slope, &value),
            self.correlate(&value, &slope),
        )
    }

    /// The spline at every pixel centre with these tap weights, first at two pixels before it.
    fn correlate(&self, across: &[f32; 6], down: &[f32; 6]) -> Plane {
        let source = &self.coefficients;
        let (stride, width) = (source.stride, source.width);
        let mut out = Plane::zeros(width, source.height);
        out.fill_rows(BLOCK, |top, rows| {
            // Two columns more on the left, three on the right.
            let mut column = vec![0.0_f32; width + 5];
            for (y, row) in rows.iter_mut().enumerate() {
                let taps = |j: usize| {
                    let start = (top + y + MARGIN + j - 2) * stride + MARGIN - 2;
                    &source.data[start..start + width + 5]
                };
                weighted_sum(&mut column, down, taps);
                weighted_sum(row, across, |i| &column[i..i + width]);
            }
        });
        out
    }
}

/// The sum of six slices with these weights, of which some are zero.
fn weighted_sum<'a>(out: &mut [f32], weights: &[f32; 6], of: impl Fn(usize) -> &'a [f32]) {
    out.fill(0.0);
    for (i, &weight) in weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight != 0.0)
    {
        for (sum, &value) in out.iter_mut().zip(of(i)) {
            *sum += weight * value;
        }
    }
}

/// The six tap weights of a value at fraction `t` past the third tap.
pub(crate) fn weights(degree: SplineDegree, t: f64) -> [f64; 6] {
    let s = 1.0 - t;
    match degree {
        SplineDegree::Three => [
            0.0,
            s * s * s / 6.0,
            2.0 / 3.0 - t * t * (2.0 - t) / 2.0,
            2.0 / 3.0 - s * s * (2.0 - s) / 2.0,
            t * t * t / 6.0,
            0.0,
        ],
        SplineDegree::Five => {
            let at = |c: [f64; 6]| c.iter().rev().fold(0.0, |sum, c| sum * t + c) / 120.0;
            [
                at([1.0, -5.0, 10.0, -10.0, 5.0, -1.0]),
                at([26.0, -50.0, 20.0, 20.0, -20.0, 5.0]),
                at([66.0, 0.0, -60.0, 0.0, 30.0, -10.0]),
                at([26.0, 50.0, 20.0, -20.0, -20.0, 10.0]),
                at([1.0, 5.0, 10.0, 10.0, 5.0, -5.0]),
                at([0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
            ]
        }
    }
}

/// The derivatives of [`weights`] by the position.
pub(crate) fn slopes(degree: SplineDegree, t: f64) -> [f64; 6] {
    let s = 1.0 - t;
    match degree {
        SplineDegree::Three => [
            0.0,
            -s * s / 2.0,
            t * (3.0 * t - 4.0) / 2.0,
            s * (4.0 - 3.0 * s) / 2.0,
            t * t / 2.0,
            0.0,
        ],
        SplineDegree::Five => {
            let at = |c: [f64; 5]| c.iter().rev().fold(0.0, |sum, c| sum * t + c) / 24.0;
            [
                at([-1.0, 4.0, -6.0, 4.0, -1.0]),
                at([-10.0, 8.0, 12.0, -16.0, 5.0]),
                at([0.0, -24.0, 0.0, 24.0, -10.0]),
                at([10.0, 8.0, -12.0, -16.0, 10.0]),
                at([1.0, 4.0, 6.0, 4.0, -5.0]),
                at([0.0, 0.0, 0.0, 0.0, 1.0]),
            ]
        }
    }
}

/// The poles of the inverse of the sampled B-spline, inside the unit circle.
fn poles(degree: SplineDegree) -> &'static [f64] {
    match degree {
        SplineDegree::Three => &[-0.267_949_192_431_122_7],
        SplineDegree::Five => &[-0.430_575_347_099_973_8, -0.043_096_288_203_264_65],
    }
}

/// How many samples away `f32` no longer notices a sample.
fn horizon(pole: f64) -> isize {
    ((1e-8_f64).ln() / pole.abs().ln()).ceil() as isize
}

/// The gain of the recursions of one pole.
fn gain(pole: f64) -> f32 {
    ((1.0 - pole) * (1.0 - 1.0 / pole)) as f32
}

/// Turns rows of samples, all of one length, into coefficients along them.
fn filter_rows<const N: usize>(rows: &mut [&mut [f32]; N], poles: &[f64]) {
    let n = rows[0].len();
    if n == 1 {
        return;
    }
    let column =
        |rows: &[&mut [f32]; N], k: usize| -> [f32; N] { std::array::from_fn(|row| rows[row][k]) };
    let mut values: Vec<[f32; N]> = Vec::with_capacity(n);
    for &pole in poles {
        let (z, gain) = (pole as f32, gain(pole));
        let mut power = 1.0;
        let mut start = [0.0; N];
        for k in 0..horizon(pole) {
            let samples = column(rows, mirrored(k, n as isize));
            start = std::array::from_fn(|row| start[row] + power as f32 * samples[row]);
            power *= pole;
        }
        let mut previous = start;
        values.clear();
        values.push(start);
        for k in 1..n {
            let samples = column(rows, k);
            previous = std::array::from_fn(|row| samples[row] + z * previous[row]);
            values.push(previous);
        }
        let last = (pole / (pole * pole - 1.0)) as f32;
        let mut next: [f32; N] =
            std::array::from_fn(|row| last * (values[n - 1][row] + z * values[n - 2][row]));
        for k in (0..n).rev() {
            if k + 1 < n {
                next = std::array::from_fn(|row| z * (next[row] - values[k][row]));
            }
            for (row, next) in rows.iter_mut().zip(next) {
                row[k] = gain * next;
            }
        }
    }
}

/// Turns whole rows of samples, one after the other, into coefficients along the columns. Those within the
/// [`horizon`] of the first and the last row are wrong: what lies beyond is not known here.
fn filter_columns(data: &mut [f32], width: usize, poles: &[f64]) {
    let n = data.len() / width;
    for &pole in poles {
        let (z, gain) = (pole as f32, gain(pole));
        for k in 1..n {
            let (above, here) = data.split_at_mut(k * width);
            for (value, &before) in here[..width].iter_mut().zip(&above[(k - 1) * width..]) {
                *value += z * before;
            }
        }
        let last = (pole / (pole * pole - 1.0)) as f32 * gain;
        data[(n - 1) * width..]
            .iter_mut()
            .for_each(|value| *value *= last);
        for k in (0..n - 1).rev() {
            let (here, below) = data.split_at_mut((k + 1) * width);
            for (value, &next) in here[k * width..].iter_mut().zip(&below[..width]) {
                *value = z * (next - gain * *value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEGREES: [SplineDegree; 2] = [SplineDegree::Three, SplineDegree::Five];

    /// A smooth picture with known value and gradient.
    fn wave(x: f64, y: f64) -> (f64, f64, f64) {
        let (a, b) = (0.31 * x + 0.4, 0.23 * y - 0.2);
        (
            100.0 + 50.0 * a.sin() * b.cos(),
            50.0 * 0.31 * a.cos() * b.cos(),
            -50.0 * 0.23 * a.sin() * b.sin(),
        )
    }

    fn wave_image() -> GrayImage {
        GrayImage::from_fn(48, 40, |x, y| wave(x as f64, y as f64).0 as f32).expect("a valid size")
    }

    #[test]
    fn a_spline_passes_through_every_pixel() {
        let image = GrayImage::from_fn(19, 11, |x, y| ((x * 37 + y * 101) % 256) as f32)
            .expect("a valid size");
        for degree in DEGREES {
            let spline = Spline::new(&image, degree);
            for y in 0..11 {
                for x in 0..19 {
                    let value = spline.value(x as f64, y as f64).expect("inside");
                    let pixel = f64::from(image.get(x, y).expect("inside"));
                    assert!(
                        (value - pixel).abs() < 2e-3,
                        "{degree:?} {x} {y} {value} {pixel}"
                    );
                }
            }
        }
    }

    #[test]
    fn value_and_gradient_between_pixels_are_those_of_a_smooth_function() {
        let image = wave_image();
        for (degree, tolerance) in DEGREES.into_iter().zip([0.02, 0.002]) {
            let spline = Spline::new(&image, degree);
            for (x, y) in [(20.3, 17.8), (24.5, 20.5), (15.01, 25.99)] {
                let (value, gx, gy) = wave(x, y);
                let got = spline.value(x, y).expect("inside");
                let (got_x, got_y) = spline.gradient(x, y).expect("inside");
                assert!((got - value).abs() < tolerance, "{degree:?} {got} {value}");
                assert!((got_x - gx).abs() < tolerance, "{degree:?} {got_x} {gx}");
                assert!((got_y - gy).abs() < tolerance, "{degree:?} {got_y} {gy}");
            }
        }
    }

    #[test]
    fn the_gradient_is_the_derivative_of_the_value() {
        let image = GrayImage::from_fn(19, 17, |x, y| ((x * 37 + y * 101) % 256) as f32)
            .expect("a valid size");
        let h = 1e-4;
        for degree in DEGREES {
            let spline = Spline::new(&image, degree);
            let value = |x, y| spline.value(x, y).expect("inside");
            for (x, y) in [(8.3, 7.6), (0.2, 16.1), (17.9, 0.0)] {
                let (gx, gy) = spline.gradient(x, y).expect("inside");
                let dx = (value(x + h, y) - value(x - h, y)) / (2.0 * h);
                let dy = (value(x, y + h) - value(x, y - h)) / (2.0 * h);
                assert!(
                    (gx - dx).abs() < 1e-3 && (gy - dy).abs() < 1e-3,
                    "{gx} {dx} {gy} {dy}"
                );
            }
        }
    }

    #[test]
    fn gradient_planes_hold_the_gradient_at_pixel_centres() {
        for degree in DEGREES {
            let spline = Spline::new(&wave_image(), degree);
            let (px, py) = spline.gradient_planes();
            for (x, y) in [(3_usize, 5_usize), (0, 0), (47, 39), (20, 30)] {
                let (gx, gy) = spline.gradient(x as f64, y as f64).expect("inside");
                assert!((f64::from(px.data[px.index(x, y)]) - gx).abs() < 1e-3);
                assert!((f64::from(py.data[py.index(x, y)]) - gy).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn there_is_no_value_outside_the_picture() {
        let spline = Spline::new(&wave_image(), SplineDegree::Three);
        assert!(spline.value(-0.5, 0.0).is_some() && spline.value(47.5, 39.5).is_some());
        assert_eq!(spline.value(-0.51, 0.0), None);
        assert_eq!(spline.value(f64::NAN, 0.0), None);
    }
}
