//! Forward-additive Gauss-Newton in `f64`, as a check on the inverse-compositional optimisers.
//!
//! It shares the interpolant with them and nothing else: gradient and normal equations are those
//! of the deformed image and are formed anew in every iteration, pixel by pixel. It is slow.
//!
//! # Source
//! Lucas & Kanade 1981, "An iterative image registration technique"; Bruck et al. 1989,
//! doi:10.1007/BF02321405 for subsets and shape functions; the criteria as in
//! [`crate::criterion`].

use crate::cholesky::Cholesky;
use crate::settings::{Criterion, LastEvaluation};
use crate::shape::{PARAMETERS, Parameters, active, displacement_at};
use crate::status::Status;
use crate::task::{Match, Task};

/// A pixel of the subset at the present parameters.
struct Pixel {
    f: f64,
    g: f64,
    /// The derivative of `g` by every parameter in use.
    jacobian: [f64; PARAMETERS],
}

/// Iterates until the convergence norm falls below the stop value; whether it did.
pub(crate) fn forward_gauss_newton(task: &Task<'_>, out: &mut Match) -> Result<bool, Status> {
    let settings = task.settings;
    task.check_reference()?;
    let used = active(settings.shape_order);
    let mut converged = false;
    for updates in 0..=settings.iteration_limit {
        let pixels = evaluate(task, &out.p, used).ok_or(Status::OutOfImage)?;
        out.icgn_iterations += 1;
        let linear = linear_relation(settings.criterion, &pixels);
        if linear.energy_g <= task.flat {
            return Err(Status::FlatSubset);
        }
        if !linear.zncc.is_finite() {
            return Err(Status::Diverged);
        }
        out.zncc = linear.zncc.clamp(-1.0, 1.0);
        if converged || updates == settings.iteration_limit {
            break;
        }
        let step = newton_step(settings.criterion, &pixels, &linear, used.len())?;
        let mut dp = [0.0; PARAMETERS];
        for (&value, &i) in step.iter().zip(used) {
            dp[i] = value;
        }
        let norm = task.norm(&dp);
        if norm.is_finite() {
            out.convergence_norm = norm;
        }
        let mut next = out.p;
        for (value, change) in next.iter_mut().zip(dp) {
            *value += change;
        }
        if !task.is_within(&next) {
            return Err(Status::Diverged);
        }
        out.p = next;
        converged = norm < settings.stop_value;
        if converged && settings.last_evaluation == LastEvaluation::BeforeUpdate {
            break;
        }
    }
    Ok(converged)
}

/// All pixels at parameters `p`, or `None` when one falls outside the picture.
fn evaluate(task: &Task<'_>, p: &Parameters, used: &[usize]) -> Option<Vec<Pixel>> {
    let pair = task.pair;
    let (x, y) = pair.centre;
    let mut pixels = Vec::with_capacity(task.count as usize);
    for row in pair.rows {
        for column in row.first..=row.last {
            let (dx, dy) = (f64::from(column), f64::from(row.dy));
            let (u, v) = displacement_at(p, dx, dy);
            let (to_x, to_y) = (x as f64 + dx + u, y as f64 + dy + v);
            let (gx, gy) = pair.deformed.gradient(to_x, to_y)?;
            let monomials = [1.0, dx, dy, 0.5 * dx * dx, dx * dy, 0.5 * dy * dy];
            let mut jacobian = [0.0; PARAMETERS];
            for (value, &i) in jacobian.iter_mut().zip(used) {
                *value = monomials[i % 6] * if i < 6 { gx } else { gy };
            }
            let at = pair
                .reference
                .index((x as i32 + column) as usize, (y as i32 + row.dy) as usize);
            pixels.push(Pixel {
                f: f64::from(pair.reference.data[at]),
                g: pair.deformed.value(to_x, to_y)?,
                jacobian,
            });
        }
    }
    Some(pixels)
}

/// `f ≈ gain g + offset`, with the correlation coefficient.
struct Linear {
    gain: f64,
    offset: f64,
    mean_g: f64,
    energy_g: f64,
    zncc: f64,
}

fn linear_relation(criterion: Criterion, pixels: &[Pixel]) -> Linear {
    let n = pixels.len() as f64;
    let sum = |term: &dyn Fn(&Pixel) -> f64| pixels.iter().map(term).sum::<f64>();
    let (mean_f, mean_g) = (sum(&|p| p.f) / n, sum(&|p| p.g) / n);
    let energy_f = sum(&|p| (p.f - mean_f).powi(2));
    let energy_g = sum(&|p| (p.g - mean_g).powi(2));
    let common = sum(&|p| (p.f - mean_f) * (p.g - mean_g));
    let gain = match criterion {
        Criterion::Ssd => 1.0,
        Criterion::Nssd => (sum(&|p| p.f * p.f) / sum(&|p| p.g * p.g)).sqrt(),
        Criterion::Znssd => (energy_f / energy_g).sqrt(),
        Criterion::Pssdab => common / energy_g,
    };
    let offset = match criterion {
        Criterion::Ssd | Criterion::Nssd => 0.0,
        Criterion::Znssd | Criterion::Pssdab => mean_f - gain * mean_g,
    };
    Linear {
        gain,
        offset,
        mean_g,
        energy_g,
        zncc: common / (energy_f * energy_g).sqrt(),
    }
}

/// The least-squares step for `f − gain g(p) − offset`; for PSSDab also over gain and offset.
fn newton_step(
    criterion: Criterion,
    pixels: &[Pixel],
    linear: &Linear,
    n: usize,
) -> Result<Parameters, Status> {
    let mut matrix = [[0.0; PARAMETERS]; PARAMETERS];
    let mut step = [0.0; PARAMETERS];
    let mut by_one = [0.0; PARAMETERS];
    let mut by_g = [0.0; PARAMETERS];
    for pixel in pixels {
        let residual = pixel.f - linear.gain * pixel.g - linear.offset;
        let slopes = pixel.jacobian.map(|slope| linear.gain * slope);
        for (i, &slope) in slopes.iter().enumerate().take(n) {
            step[i] += slope * residual;
            by_one[i] += slope;
            by_g[i] += slope * (pixel.g - linear.mean_g);
            for (value, &other) in matrix[i].iter_mut().zip(&slopes[..=i]) {
                *value += slope * other;
            }
        }
    }
    if criterion == Criterion::Pssdab {
        // At the best gain and offset the residual is orthogonal to both; only the matrix changes.
        for (i, row) in matrix.iter_mut().enumerate().take(n) {
            for (j, value) in row.iter_mut().enumerate().take(i + 1) {
                *value -= by_one[i] * by_one[j] / pixels.len() as f64
                    + by_g[i] * by_g[j] / linear.energy_g;
            }
        }
    }
    let factor = Cholesky::new(n, &matrix).ok_or(Status::IllConditioned)?;
    factor.solve(&mut step);
    Ok(step)
}
