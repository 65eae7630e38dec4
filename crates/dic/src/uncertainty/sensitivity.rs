//! How strongly noise moves the parameters of each subset: everything about the uncertainty that
//! depends on the reference alone.

use rayon::prelude::*;

use super::kernel_noise::{KernelNoise, gradient_scale, row_of};
use crate::cholesky::Cholesky;
use crate::error::DicError;
use crate::gaussian::GaussianFilter;
use crate::reference::{Frame, Reference};
use crate::settings::{Settings, ShapeOrder};
use crate::shape::{PARAMETERS, active};
use crate::site::Site;
use crate::subset::SubsetRow;

/// Entries of the upper triangle of a 6 × 6 matrix.
pub(crate) const TRIANGLE: usize = 21;

/// How strongly noise moves the parameters at every point of a reference.
///
/// Made once, used for every image of a series.
#[derive(Clone, Debug)]
pub struct Sensitivity {
    pub(crate) settings: Settings,
    /// Columns and rows of the picture.
    pub(crate) size: (usize, usize),
    pub(crate) noise: KernelNoise,
    /// One a point; `None` where the Hessian is close to singular.
    pub(crate) points: Vec<Option<PointSensitivity>>,
}

/// How strongly noise moves the parameters of one subset.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PointSensitivity {
    /// Upper triangle of the covariance of `[u, u_x, u_y, v, v_x, v_y]` where the variances of the
    /// white noise of both images add up to 1.
    pub(crate) covariance: [f64; TRIANGLE],
    /// `Σ f'²`.
    pub(crate) energy: f64,
    /// Residual degrees of freedom, in pixels: their number less what the fit absorbs.
    pub(crate) freedom: f64,
    /// Pixels by `H`, for `u` and `v`: what a unit of gradient noise adds to it, relatively.
    pub(crate) per_hessian: [f64; 2],
    /// The same by `M`.
    pub(crate) per_middle: [f64; 2],
    /// `Σ q_i q_j` of the second derivatives `q = [f_xx, f_xy, f_yy]`, freed of what mean, contrast and the parameters
    /// take of them; zero without a prefilter.
    pub(crate) bends: [[f64; 3]; 3],
    /// How far each `q` added to the deformed picture moves `[u, u_x, u_y, v, v_x, v_y]`, in px and 1.
    pub(crate) moved_by_bends: [[f64; 6]; 3],
}

/// Takes the covariance of every point of a reference for noise of unit variance.
///
/// Costs about as much as correlating a few images.
///
/// # Errors
/// Those of [`prepare`](crate::prepare) about the prefilter.
pub fn sensitivity(reference: &Reference) -> Result<Sensitivity, DicError> {
    let settings = &reference.settings;
    let noise = KernelNoise::new(settings)?;
    let points = at_sites(&reference.frame, settings, &noise, &reference.sites());
    let pixels = &reference.frame.pixels;
    Ok(Sensitivity {
        settings: settings.clone(),
        size: (pixels.width, pixels.height),
        noise,
        points,
    })
}

/// How strongly noise moves the parameters of the subsets at these sites of a frame.
pub(crate) fn at_sites(
    frame: &Frame,
    settings: &Settings,
    noise: &KernelNoise,
    sites: &[Site<'_>],
) -> Vec<Option<PointSensitivity>> {
    let kernel = settings.prefilter.map(GaussianFilter::weights);
    sites
        .par_iter()
        .with_min_len(16)
        .map_init(
            || Workspace::new(settings, kernel.as_deref()),
            |workspace, site| workspace.point(frame, site, noise.filtered),
        )
        .collect()
}

/// Buffers of one thread.
struct Workspace<'k> {
    order: ShapeOrder,
    half: usize,
    /// Pixels around the subset that the filter reaches.
    margin: usize,
    kernel: Option<&'k [f32]>,
    scale: f32,
    /// `f'` and the columns of `J`, each a square of the subset and its margin.
    grey: Vec<f32>,
    columns: Vec<Vec<f32>>,
    spare: Vec<f32>,
    /// Second derivatives of the grey values, where there is a filter.
    bends: Vec<Vec<f32>>,
}

type Matrix = [[f64; PARAMETERS]; PARAMETERS];

impl<'k> Workspace<'k> {
    fn new(settings: &Settings, kernel: Option<&'k [f32]>) -> Self {
        let margin = kernel.map_or(0, |kernel| kernel.len() / 2);
        let side = settings.side_px() + 2 * margin;
        let count = active(settings.shape_order).len();
        Self {
            order: settings.shape_order,
            half: settings.half_px(),
            margin,
            kernel,
            scale: gradient_scale(settings.gradient) as f32,
            grey: vec![0.0; side * side],
            columns: vec![vec![0.0; side * side]; count],
            spare: vec![0.0; side * side],
            bends: vec![vec![0.0; side * side]; kernel.map_or(0, |_| 3)],
        }
    }

    fn side(&self) -> usize {
        2 * (self.half + self.margin) + 1
    }

    fn point(&mut self, frame: &Frame, site: &Site<'_>, filtered: f64) -> Option<PointSensitivity> {
        let rows = site.rows;
        let pixels: usize = rows.iter().map(|r| (r.last - r.first + 1) as usize).sum();
        let energy = self.fill(frame, site.centre, rows, pixels as f64);
        if energy <= 0.0 || !energy.is_finite() {
            return None;
        }
        self.project(rows, pixels as f64, energy);
        let n = self.columns.len();
        let hessian = self.products();
        let factor = Cholesky::new(n, &hessian)?;
        let (bends, moved_by_bends) = self.free_bends(frame, site, &factor);
        let middle = match self.kernel {
            None => hessian,
            Some(kernel) => {
                self.filter(kernel);
                self.products()
            }
        };
        // Columns of H⁻¹ M, then of (H⁻¹ (H⁻¹ M)ᵀ): H and M are symmetric.
        let left = solved(&factor, n, &middle);
        let absorbed: f64 = (0..n).map(|i| left[i][i]).sum();
        let mut turned = [[0.0; PARAMETERS]; PARAMETERS];
        for i in 0..n {
            for j in 0..n {
                turned[j][i] = left[i][j];
            }
        }
        let full = solved(&factor, n, &turned);
        let share = |matrix: &Matrix, i: usize| pixels as f64 / matrix[i][i];
        let v = n / 2;
        Some(PointSensitivity {
            covariance: self.first_order(&full),
            energy,
            // Mean and contrast are fitted too.
            freedom: pixels as f64 - (absorbed + 2.0) / filtered,
            per_hessian: [share(&hessian, 0), share(&hessian, v)],
            per_middle: [share(&middle, 0), share(&middle, v)],
            bends,
            moved_by_bends,
        })
    }

    /// Writes `f'` and `J` of a subset into the buffers; returns `Σ f'²`.
    fn fill(
        &mut self,
        frame: &Frame,
        (x, y): (usize, usize),
        rows: &[SubsetRow],
        pixels: f64,
    ) -> f64 {
        let side = self.side();
        for buffer in self.columns.iter_mut().chain([&mut self.grey]) {
            buffer.fill(0.0);
        }
        let at = |row: &SubsetRow| {
            let left = (x as i32 + row.first) as usize;
            let top = (y as i32 + row.dy) as usize;
            (left, top, (row.last - row.first + 1) as usize)
        };
        let each = rows.iter().map(|row| {
            let (left, top, count) = at(row);
            sum(row_of(&frame.pixels, left, top, count))
        });
        let mean = (each.sum::<f64>() / pixels) as f32;
        let reach = (self.half + self.margin) as i32;
        let unit = 1.0 / self.half.max(1) as f32;
        let half = self.columns.len() / 2;
        let places: Vec<f32> = (-reach..=reach).map(|dx| dx as f32 * unit).collect();
        let scale = self.scale;
        for row in rows {
            let (left, top, count) = at(row);
            let first = (row.first + reach) as usize;
            let start = (row.dy + reach) as usize * side + first;
            let inside = start..start + count;
            let grey = row_of(&frame.pixels, left, top, count);
            for (out, value) in self.grey[inside.clone()].iter_mut().zip(grey) {
                *out = value - mean;
            }
            let places = &places[first..first + count];
            let dy = row.dy as f32 * unit;
            let gradients = [&frame.gradient_x, &frame.gradient_y];
            for (gradient, columns) in gradients.into_iter().zip(self.columns.chunks_mut(half)) {
                let gradient = row_of(gradient, left, top, count);
                for (k, column) in columns.iter_mut().enumerate() {
                    let out = &mut column[inside.clone()];
                    match k {
                        0 => weigh(out, gradient, places, |_| scale),
                        1 => weigh(out, gradient, places, |dx| scale * dx),
                        2 => weigh(out, gradient, places, |_| scale * dy),
                        3 => weigh(out, gradient, places, |dx| scale * (0.5 * dx * dx)),
                        4 => weigh(out, gradient, places, |dx| scale * (dx * dy)),
                        _ => weigh(out, gradient, places, |_| scale * (0.5 * dy * dy)),
                    }
                }
            }
        }
        dot(&self.grey, &self.grey)
    }

    /// Products of the second derivatives of a subset, freed of what the match takes of them, and that part.
    fn free_bends(
        &mut self,
        frame: &Frame,
        site: &Site<'_>,
        factor: &Cholesky,
    ) -> ([[f64; 3]; 3], [[f64; 6]; 3]) {
        let (mut out, mut moved) = ([[0.0; 3]; 3], [[0.0; 6]; 3]);
        if self.bends.is_empty() {
            return (out, moved);
        }
        self.fill_bends(frame, site);
        let n = self.columns.len();
        // Those columns are free of mean and contrast, so that along them nothing of either is taken twice.
        let along = |bend: &[f32]| {
            let mut of = [0.0; PARAMETERS];
            for (value, column) in of.iter_mut().zip(&self.columns) {
                *value = dot(column, bend);
            }
            of
        };
        let parts: Vec<[f64; PARAMETERS]> = self.bends.iter().map(|bend| along(bend)).collect();
        for (i, first) in self.bends.iter().enumerate() {
            let mut taken = parts[i];
            factor.solve(&mut taken);
            for (j, second) in self.bends.iter().enumerate().take(i + 1) {
                let explained: f64 = (0..n).map(|k| taken[k] * parts[j][k]).sum();
                out[i][j] = dot(first, second) - explained;
                out[j][i] = out[i][j];
            }
            for (value, (place, scale)) in moved[i].iter_mut().zip(self.first()) {
                *value = place.map_or(0.0, |place| taken[place] * scale);
            }
        }
        (out, moved)
    }

    /// Writes `f_xx`, `f_xy` and `f_yy` of a subset into the buffers, freed of mean and contrast; zero at the border
    /// of the picture.
    fn fill_bends(&mut self, frame: &Frame, site: &Site<'_>) {
        let side = self.side();
        let plane = &frame.pixels;
        let (x, y) = (site.centre.0 as i32, site.centre.1 as i32);
        let reach = (self.half + self.margin) as i32;
        for bend in &mut self.bends {
            bend.fill(0.0);
        }
        for row in site.rows {
            let line = (y + row.dy) as usize;
            if line == 0 || line + 1 >= plane.height {
                continue;
            }
            let [above, here, below] = [line - 1, line, line + 1].map(|line| plane.row(line));
            for dx in row.first..=row.last {
                let column = (x + dx) as usize;
                if column == 0 || column + 1 >= plane.width {
                    continue;
                }
                let (left, right) = (column - 1, column + 1);
                let twice = 2.0 * here[column];
                let at = (row.dy + reach) as usize * side + (dx + reach) as usize;
                self.bends[0][at] = here[left] - twice + here[right];
                self.bends[1][at] =
                    0.25 * (below[right] - below[left] - above[right] + above[left]);
                self.bends[2][at] = above[column] - twice + below[column];
            }
        }
        let pixels: usize = site
            .rows
            .iter()
            .map(|r| (r.last - r.first + 1) as usize)
            .sum();
        let energy = dot(&self.grey, &self.grey);
        let mut bends = std::mem::take(&mut self.bends);
        self.free(&mut bends, site.rows, pixels as f64, energy);
        self.bends = bends;
    }

    /// Frees every column of `J` of its mean and of its part along `f'`.
    fn project(&mut self, rows: &[SubsetRow], pixels: f64, energy: f64) {
        let mut columns = std::mem::take(&mut self.columns);
        self.free(&mut columns, rows, pixels, energy);
        self.columns = columns;
    }

    /// Frees buffers of their mean and of their part along `f'`.
    fn free(&self, columns: &mut [Vec<f32>], rows: &[SubsetRow], pixels: f64, energy: f64) {
        let side = self.side();
        let reach = (self.half + self.margin) as i32;
        for column in columns {
            let mean = sum(column) / pixels;
            let along = dot(column, &self.grey) / energy;
            let (mean, along) = (mean as f32, along as f32);
            for row in rows {
                let start = (row.dy + reach) as usize * side + (row.first + reach) as usize;
                let end = start + (row.last - row.first + 1) as usize;
                for (value, grey) in column[start..end].iter_mut().zip(&self.grey[start..end]) {
                    *value -= mean + along * grey;
                }
            }
        }
    }

    /// Filters every column of `J`, which is zero outside the subset.
    fn filter(&mut self, kernel: &[f32]) {
        let side = self.side();
        let spare = &mut self.spare;
        for column in &mut self.columns {
            // The margin is as wide as the kernel reaches, so nothing leaves the square, and what passes from one
            // row to the next is zero.
            spread(spare, column, kernel, side);
            spread(column, spare, kernel, 1);
        }
    }

    /// Products of all pairs of columns.
    fn products(&self) -> Matrix {
        let mut matrix = [[0.0; PARAMETERS]; PARAMETERS];
        for (i, first) in self.columns.iter().enumerate() {
            for (j, second) in self.columns.iter().enumerate().take(i + 1) {
                let product = dot(first, second);
                matrix[i][j] = product;
                matrix[j][i] = product;
            }
        }
        matrix
    }

    /// Columns of `[u, u_x, u_y, v, v_x, v_y]`, where the order has them, and what makes px and 1 of their unit.
    fn first(&self) -> [(Option<usize>, f64); 6] {
        let unit = 1.0 / self.half.max(1) as f64;
        let scale = [1.0, unit, unit, 1.0, unit, unit];
        let half = self.columns.len() / 2;
        std::array::from_fn(|i| {
            let place = match self.order {
                ShapeOrder::Zero => i.is_multiple_of(3).then_some(i / 3),
                ShapeOrder::One | ShapeOrder::Two => Some(i / 3 * half + i % 3),
            };
            (place, scale[i])
        })
    }

    /// The upper triangle for parameters of order 0 and 1, in px; zero where the order has none.
    fn first_order(&self, full: &Matrix) -> [f64; TRIANGLE] {
        let first = self.first();
        let mut out = [0.0; TRIANGLE];
        let pairs = (0..6).flat_map(|i| (i..6).map(move |j| (first[i], first[j])));
        for (value, ((row, row_scale), (column, column_scale))) in out.iter_mut().zip(pairs) {
            if let (Some(row), Some(column)) = (row, column) {
                *value = full[row][column] * row_scale * column_scale;
            }
        }
        out
    }
}

/// `H⁻¹ matrix`.
fn solved(factor: &Cholesky, n: usize, matrix: &Matrix) -> Matrix {
    let mut out = [[0.0; PARAMETERS]; PARAMETERS];
    for j in 0..n {
        let mut column = [0.0; PARAMETERS];
        for i in 0..n {
            column[i] = matrix[i][j];
        }
        factor.solve(&mut column);
        for i in 0..n {
            out[i][j] = column[i];
        }
    }
    out
}

/// `out = gradient · weight(dx)` along a row.
fn weigh(out: &mut [f32], gradient: &[f32], places: &[f32], weight: impl Fn(f32) -> f32) {
    for (out, (gradient, dx)) in out.iter_mut().zip(gradient.iter().zip(places)) {
        *out = gradient * weight(*dx);
    }
}

/// `out[i] = Σ_k kernel[k] · from[i + (k − reach) · apart]`, with zeros beyond both ends.
fn spread(out: &mut [f32], from: &[f32], kernel: &[f32], apart: usize) {
    out.fill(0.0);
    let (n, reach) = (out.len(), kernel.len() / 2);
    for (k, &weight) in kernel.iter().enumerate() {
        let (ahead, behind) = (
            k.saturating_sub(reach) * apart,
            reach.saturating_sub(k) * apart,
        );
        for (out, value) in out[behind..n - ahead].iter_mut().zip(&from[ahead..]) {
            *out += weight * value;
        }
    }
}

/// Sum in eight parts.
fn sum(values: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let each = values.chunks_exact(8);
    let rest: f64 = each.remainder().iter().map(|v| f64::from(*v)).sum();
    for values in each {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += f64::from(*value);
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Sum of products: eight sums in `f32` over some hundreds of values each, then `f64`.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.chunks(2048)
        .zip(b.chunks(2048))
        .map(|(a, b)| {
            let mut sums = [0.0_f32; 8];
            let (first, second) = (a.chunks_exact(8), b.chunks_exact(8));
            let rest: f32 = first
                .remainder()
                .iter()
                .zip(second.remainder())
                .map(|(a, b)| a * b)
                .sum();
            for (a, b) in first.zip(second) {
                for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                    *sum += a * b;
                }
            }
            f64::from(sums.iter().sum::<f32>() + rest)
        })
        .sum()
}
