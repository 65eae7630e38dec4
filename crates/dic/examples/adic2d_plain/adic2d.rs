//! ADIC2D in plain `f64`, slow and obvious: every step as the article has it, nothing kept, nothing approximated.
//!
//! It shares no line with the library, which is tested against it, nor with the authors' code. It was written from the
//! article's equations and from what is known of the settings of that code. Positions are zero-based, `x` right,
//! `y` down.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906; Gao et al. 2015, doi:10.1016/j.optlaseng.2014.05.013, for the
//! composition of second order.

use rayon::prelude::*;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// Grey values, row by row.
pub(crate) type Picture = Vec<Vec<f64>>;

/// What the published table varies.
pub(crate) struct Settings {
    pub(crate) subset_px: usize,
    pub(crate) is_circle: bool,
    pub(crate) order: usize,
    pub(crate) step_px: usize,
    /// The Prewitt operator is divided by this: by 1 as published, by 6 as corrected.
    pub(crate) gradient_divisor: f64,
}

/// A point of the grid and what was found there.
#[derive(Clone, Default)]
pub(crate) struct Point {
    pub(crate) x: usize,
    pub(crate) y: usize,
    /// `[u, u_x, u_y, u_xx, u_xy, u_yy, v, v_x, v_y, v_xx, v_xy, v_yy]`.
    pub(crate) p: [f64; 12],
    /// `1 − ZNSSD / 2`.
    pub(crate) zncc: f64,
    pub(crate) iterations: usize,
    /// Whether the subset stayed in the deformed picture.
    pub(crate) is_matched: bool,
}

const SIGMA_PX: f64 = 0.4;
const STOP_VALUE: f64 = 1e-4;
const MOST_UPDATES: usize = 101;

/// The powers of `x` and `y` in a shape function of second order.
const POWERS: [(i32, i32); 6] = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)];

/// All points in each deformed picture: phase correlation starts the first, every other starts where the one before
/// it ended.
pub(crate) fn correlate_series(
    reference: &Picture,
    deformed: &[Picture],
    settings: &Settings,
) -> Vec<Vec<Point>> {
    let f = both_ways(reference, gaussian);
    let mut points = grid(&f, settings);
    let mut fields = Vec::new();
    for (number, picture) in deformed.iter().enumerate() {
        let g = both_ways(picture, gaussian);
        let spline = both_ways(&g, spline_coefficients);
        points.par_iter_mut().for_each(|point| {
            if number == 0 {
                let [u, v] = phase_correlation(&f, &g, point, settings.subset_px);
                (point.p[0], point.p[6]) = (u, v);
            }
            correlate(&f, &spline, point, settings);
        });
        fields.push(points.clone());
    }
    fields
}

/// Mean absolute error, its standard deviation, RMSE and mean iterations, each error as the magnitude of its two
/// components, of matched points with the true `(u, v)`.
pub(crate) fn statistics<'a>(points: impl Iterator<Item = (&'a Point, (f64, f64))>) -> [f64; 4] {
    let matched: Vec<_> = points.filter(|(point, _)| point.is_matched).collect();
    let n = matched.len() as f64;
    let [[mae_u, sd_u, rmse_u], [mae_v, sd_v, rmse_v]] = [0, 6].map(|component| {
        let error = |(point, (u, v)): &(&Point, (f64, f64))| {
            (point.p[component] - if component == 0 { u } else { v }).abs()
        };
        let mae = matched.iter().map(error).sum::<f64>() / n;
        let spread: f64 = matched.iter().map(|m| (error(m) - mae).powi(2)).sum();
        let squares: f64 = matched.iter().map(|m| error(m).powi(2)).sum();
        [mae, (spread / (n - 1.0)).sqrt(), (squares / n).sqrt()]
    });
    let iterations: usize = matched.iter().map(|(point, _)| point.iterations).sum();
    [
        mae_u.hypot(mae_v),
        sd_u.hypot(sd_v),
        rmse_u.hypot(rmse_v),
        iterations as f64 / n,
    ]
}

/// The published positions: one step and half a subset from the border.
fn grid(picture: &Picture, settings: &Settings) -> Vec<Point> {
    let first = settings.subset_px.div_ceil(2) + settings.step_px - 1;
    let along = |n: usize| (first..(n - 2).saturating_sub(first)).step_by(settings.step_px);
    let point = |x, y| Point {
        x,
        y,
        ..Point::default()
    };
    let row = |y| along(picture[0].len()).map(move |x| point(x, y));
    along(picture.len()).flat_map(row).collect()
}

/// Inverse-compositional Gauss-Newton with the ZNSSD. Eq. (19) to (23)
fn correlate(f: &Picture, spline: &Picture, point: &mut Point, settings: &Settings) {
    let half = settings.subset_px as i32 / 2;
    let all = (-half..=half).flat_map(|dy| (-half..=half).map(move |dx| (dx, dy)));
    let offsets: Vec<(i32, i32)> = all
        .filter(|(dx, dy)| !settings.is_circle || dx * dx + dy * dy <= half * half)
        .collect();
    let pixel =
        |dx: i32, dy: i32| f[(point.y as i32 + dy) as usize][(point.x as i32 + dx) as usize];
    let grey: Vec<f64> = offsets.iter().map(|&(dx, dy)| pixel(dx, dy)).collect();
    let (grey, deviation) = centred(&grey);
    // The parameters of the order, and the slope of every pixel along each.
    let terms = [1, 3, 6][settings.order];
    let active: Vec<usize> = (0..terms).chain(6..6 + terms).collect();
    let slopes: Vec<Vec<f64>> = offsets
        .iter()
        .map(|&(dx, dy)| {
            let along_x = |i: i32| pixel(dx + 1, dy + i) - pixel(dx - 1, dy + i);
            let along_y = |i: i32| pixel(dx + i, dy + 1) - pixel(dx + i, dy - 1);
            let f_x = (-1..=1).map(along_x).sum::<f64>() / settings.gradient_divisor;
            let f_y = (-1..=1).map(along_y).sum::<f64>() / settings.gradient_divisor;
            let terms = monomials(f64::from(dx), f64::from(dy));
            let slope = |&k: &usize| if k < 6 { f_x } else { f_y } * terms[k % 6];
            active.iter().map(slope).collect()
        })
        .collect();
    let sum = |of: &dyn Fn(usize) -> f64| (0..offsets.len()).map(of).sum::<f64>();
    let hessian: Vec<Vec<f64>> = (0..active.len())
        .map(|i| {
            (0..active.len())
                .map(|j| sum(&|k| slopes[k][i] * slopes[k][j]))
                .collect()
        })
        .collect();

    (point.iterations, point.is_matched) = (0, false);
    let mut norm = f64::INFINITY;
    loop {
        let warped = offsets.iter().map(|&(dx, dy)| {
            let monomials = monomials(f64::from(dx), f64::from(dy));
            let moved = |p: &[f64]| -> f64 { p.iter().zip(monomials).map(|(p, m)| p * m).sum() };
            let x = point.x as f64 + f64::from(dx) + moved(&point.p[..6]);
            let y = point.y as f64 + f64::from(dy) + moved(&point.p[6..]);
            spline_value(spline, x, y)
        });
        let Some(warped) = warped.collect::<Option<Vec<f64>>>() else {
            return;
        };
        let (warped, deformed_deviation) = centred(&warped);
        point.iterations += 1;
        let residual = |k: usize| grey[k] - deviation / deformed_deviation * warped[k];
        point.zncc = 1.0 - sum(&|k| (residual(k) / deviation).powi(2)) / 2.0;
        if norm < STOP_VALUE || point.iterations > MOST_UPDATES {
            point.is_matched = true;
            return;
        }
        let right = (0..active.len())
            .map(|i| -sum(&|k| slopes[k][i] * residual(k)))
            .collect();
        let mut dp = [0.0; 12];
        for (k, value) in active.iter().zip(solve(hessian.clone(), right)) {
            dp[*k] = value;
        }
        // Eq. (23) as its authors corrected it: how far the rim of the subset moves.
        let rim = monomials(f64::from(half), f64::from(half));
        norm = (0..12)
            .map(|k| (dp[k] * rim[k % 6]).powi(2))
            .sum::<f64>()
            .sqrt();
        point.p = without(&point.p, &dp);
    }
}

/// `1`, `x`, `y`, `x²/2`, `xy`, `y²/2`: what the parameters of a component of the displacement are multiplied by.
fn monomials(x: f64, y: f64) -> [f64; 6] {
    [1.0, x, y, x * x / 2.0, x * y, y * y / 2.0]
}

/// Values less their mean, and the root of the sum of their squares then.
fn centred(values: &[f64]) -> (Vec<f64>, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let squares: f64 = centred.iter().map(|value| value * value).sum();
    (centred, squares.sqrt())
}

/// `W(p) ∘ W(dp)⁻¹`. Eq. (21)
fn without(p: &[f64; 12], dp: &[f64; 12]) -> [f64; 12] {
    let (matrix, inverse_of) = (warp_matrix(p), warp_matrix(dp));
    let turned: Vec<Vec<f64>> = (0..6)
        .map(|i| inverse_of.iter().map(|row| row[i]).collect())
        .collect();
    let x = solve(turned.clone(), matrix[1].to_vec());
    let y = solve(turned, matrix[2].to_vec());
    let [u, u_x, u_y] = [x[0], x[1] - 1.0, x[2]];
    let [v, v_x, v_y] = [y[0], y[1], y[2] - 1.0];
    let [u_xx, u_xy, u_yy, v_xx, v_xy, v_yy] =
        [2.0 * x[3], x[4], 2.0 * x[5], 2.0 * y[3], y[4], 2.0 * y[5]];
    [u, u_x, u_y, u_xx, u_xy, u_yy, v, v_x, v_y, v_xx, v_xy, v_yy]
}

/// The matrix that takes `(1, x, y, x², xy, y²)` to the same of the warped position, less what is above second order.
/// Eq. (22)
fn warp_matrix(p: &[f64; 12]) -> [[f64; 6]; 6] {
    let x = [p[0], 1.0 + p[1], p[2], p[3] / 2.0, p[4], p[5] / 2.0];
    let y = [p[6], p[7], 1.0 + p[8], p[9] / 2.0, p[10], p[11] / 2.0];
    let product = |a: [f64; 6], b: [f64; 6]| {
        POWERS.map(|(px, py)| {
            let mut sum = 0.0;
            for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
                if (POWERS[i].0 + POWERS[j].0, POWERS[i].1 + POWERS[j].1) == (px, py) {
                    sum += a[i] * b[j];
                }
            }
            sum
        })
    };
    [
        [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        x,
        y,
        product(x, x),
        product(x, y),
        product(y, y),
    ]
}

/// The solution of linear equations by elimination with the largest pivot of each column.
fn solve(mut rows: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for i in 0..n {
        let largest = (i..n).max_by(|&a, &b| rows[a][i].abs().total_cmp(&rows[b][i].abs()));
        let largest = largest.unwrap_or(i);
        rows.swap(i, largest);
        right.swap(i, largest);
        for k in (0..n).filter(|k| *k != i) {
            let factor = rows[k][i] / rows[i][i];
            for j in i..n {
                rows[k][j] -= factor * rows[i][j];
            }
            right[k] -= factor * right[i];
        }
    }
    (0..n).map(|i| right[i] / rows[i][i]).collect()
}

/// Rows and then columns, each through `line`.
fn both_ways<T: Copy>(rows: &[Vec<T>], line: impl Fn(&[T]) -> Vec<T>) -> Vec<Vec<T>> {
    let turned = |rows: Vec<Vec<T>>| -> Vec<Vec<T>> {
        let column = |x: usize| rows.iter().map(|row| row[x]).collect();
        (0..rows[0].len()).map(column).collect()
    };
    let across = turned(rows.iter().map(|row| line(row)).collect());
    turned(across.iter().map(|column| line(column)).collect())
}

/// A Gaussian within five pixels; border pixels repeat outwards. Section 2.2.4
fn gaussian(line: &[f64]) -> Vec<f64> {
    let weights = [-2.0, -1.0, 0.0, 1.0, 2.0_f64].map(|t| (-0.5 * (t / SIGMA_PX).powi(2)).exp());
    let total: f64 = weights.iter().sum();
    let pixel = |i: usize| line[i.saturating_sub(2).min(line.len() - 1)];
    (0..line.len())
        .map(|i| (0..5).map(|k| weights[k] * pixel(i + k)).sum::<f64>() / total)
        .collect()
}

/// The coefficients of the cubic B-splines whose sum runs through `f` and has no knot next to its ends; the first
/// belongs to the B-spline around the place before the line.
fn spline_coefficients(f: &[f64]) -> Vec<f64> {
    let n = f.len();
    let (mut c, mut share) = (vec![0.0; n + 2], vec![0.0; n + 2]);
    // One cubic covers the first three samples and one the last three: its second derivative in the middle of them
    // is their second difference.
    for i in [1, n - 2] {
        c[i + 1] = f[i] - (f[i - 1] - 2.0 * f[i] + f[i + 1]) / 6.0;
    }
    // The others from c[i] + 4 c[i + 1] + c[i + 2] = 6 f[i].
    for i in 2..n - 2 {
        share[i + 1] = 1.0 / (4.0 - share[i]);
        c[i + 1] = share[i + 1] * (6.0 * f[i] - c[i]);
    }
    for i in (2..n - 2).rev() {
        c[i + 1] -= share[i + 1] * c[i + 2];
    }
    for i in [1, 0] {
        c[i] = 6.0 * f[i] - 4.0 * c[i + 1] - c[i + 2];
    }
    for i in [n - 2, n - 1] {
        c[i + 2] = 6.0 * f[i] - 4.0 * c[i + 1] - c[i];
    }
    c
}

/// The spline at `(x, y)`, if that lies in the picture.
fn spline_value(coefficients: &Picture, x: f64, y: f64) -> Option<f64> {
    let (right, bottom) = (coefficients[0].len() - 3, coefficients.len() - 3);
    if !(0.0..=right as f64).contains(&x) || !(0.0..=bottom as f64).contains(&y) {
        return None;
    }
    let (column, row) = ((x as usize).min(right - 1), (y as usize).min(bottom - 1));
    let weights = |t: f64| {
        let outer = |t: f64| t.powi(3);
        let inner = |t: f64| 4.0 - 6.0 * t * t + 3.0 * t.powi(3);
        [outer(1.0 - t), inner(t), inner(1.0 - t), outer(t)].map(|weight| weight / 6.0)
    };
    let (across, down) = (weights(x - column as f64), weights(y - row as f64));
    let line = |j: usize| -> f64 {
        (0..4)
            .map(|i| across[i] * coefficients[row + j][column + i])
            .sum()
    };
    Some((0..4).map(|j| down[j] * line(j)).sum())
}

/// The whole-pixel displacement at the highest peak of the phase correlation of two square windows. Section 3.2.5
fn phase_correlation(f: &Picture, g: &Picture, point: &Point, side: usize) -> [f64; 2] {
    let mut planner = FftPlanner::new();
    let [forward, backward] = [
        planner.plan_fft_forward(side),
        planner.plan_fft_inverse(side),
    ]
    .map(|plan| {
        move |line: &[Complex<f64>]| {
            let mut line = line.to_vec();
            plan.process(&mut line);
            line
        }
    });
    let (left, top) = (point.x - side / 2, point.y - side / 2);
    let [f, g] = [f, g].map(|picture| {
        let row = |y: usize| {
            picture[y][left..left + side]
                .iter()
                .map(Complex::from)
                .collect()
        };
        let window: Vec<Vec<Complex<f64>>> = (top..top + side).map(row).collect();
        both_ways(&window, &forward)
    });
    let mut cross = f;
    for (f, g) in cross.iter_mut().flatten().zip(g.iter().flatten()) {
        let product = f.conj() * g;
        *f = product / product.norm().max(f64::MIN_POSITIVE);
    }
    let surface = both_ways(&cross, backward);
    let height = |&(x, y): &(usize, usize)| surface[y][x].re;
    let places = (0..side).flat_map(|x| (0..side).map(move |y| (x, y)));
    let peak = places.reduce(|best, next| {
        if height(&next) > height(&best) {
            next
        } else {
            best
        }
    });
    let (x, y) = peak.unwrap_or((0, 0));
    [x, y].map(|i| {
        if 2 * i > side {
            i as f64 - side as f64
        } else {
            i as f64
        }
    })
}
