//! Inverse-compositional Gauss-Newton with the ZNSSD criterion, for one subset.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, Eq. (11), (13), (19) to (23).

use crate::cholesky::Cholesky;
use crate::dispatch::Dispatch;
use crate::kernel::{Offsets, Pair};
use crate::settings::{LastEvaluation, Settings};
use crate::shape::{PARAMETERS, Parameters, active, compose_inverse, convergence_norm};
use crate::status::Status;
use crate::subset::pixel_count;

/// Contrast below which a subset is flat: standard deviation as a fraction of the largest
/// absolute grey value of the image.
const FLAT_CONTRAST: f64 = 1e-5;

/// Smallest ratio of `Σ f_x²` and `Σ f_y²`, either way: below it one of them is rounding.
const SMALLEST_GRADIENT: f64 = 1e-8;

/// How much of `Σ g'²` may come from a wrong offset before the sums are repeated with the right
/// one, as a multiple of the energy of the subset: `f32` would lose its contrast.
const LARGEST_OFFSET: f64 = 100.0;

/// What became of one subset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Match {
    pub(crate) p: Parameters,
    pub(crate) zncc: f64,
    pub(crate) icgn_iterations: usize,
    pub(crate) convergence_norm: f64,
    pub(crate) status: Status,
}

impl Match {
    /// A point that was never iterated.
    pub(crate) fn without_iteration(p: Parameters, status: Status) -> Self {
        Self {
            p,
            zncc: 0.0,
            icgn_iterations: 0,
            convergence_norm: 0.0,
            status,
        }
    }
}

/// Matches one subset from the parameters `guess`.
///
/// `brightest` is the largest absolute grey value of the reference image.
pub(crate) fn match_subset(
    dispatch: Dispatch,
    pair: &Pair<'_>,
    settings: &Settings,
    brightest: f64,
    guess: &Parameters,
) -> Match {
    let order = settings.shape_order;
    let mut out = Match::without_iteration(*guess, Status::IterationLimit);
    let count = pixel_count(pair.rows) as f64;
    let flat = count * (FLAT_CONTRAST * brightest).powi(2);
    let moments = dispatch.moments(pair, order);
    if !moments.energy.is_finite() {
        out.status = Status::Diverged;
        return out;
    }
    if moments.energy <= flat {
        out.status = Status::FlatSubset;
        return out;
    }
    let (along_x, along_y) = (moments.hessian[0][0], moments.hessian[6][6]);
    if along_x.min(along_y) <= SMALLEST_GRADIENT * along_x.max(along_y) {
        out.status = Status::IllConditioned;
        return out;
    }
    let used = active(order);
    let mut packed = [[0.0; PARAMETERS]; PARAMETERS];
    for (row, &i) in packed.iter_mut().zip(used) {
        for (value, &j) in row.iter_mut().zip(used) {
            *value = moments.hessian[i][j];
        }
    }
    let Some(factor) = Cholesky::new(used.len(), &packed) else {
        out.status = Status::IllConditioned;
        return out;
    };
    let zeta = settings.half_px() as f64;
    let search = settings.subset_size_px as f64;
    let mut offsets = Offsets {
        reference: moments.mean as f32,
        deformed: moments.mean as f32,
    };
    let mut offset_is_measured = false;
    let mut updates = 0;
    let mut converged = false;
    loop {
        let Some(products) = dispatch.products(pair, order, offsets, &out.p) else {
            out.status = Status::OutOfImage;
            return out;
        };
        let mean = products.sum_g / count;
        let energy = products.sum_gg - products.sum_g * mean;
        if products.sum_gg > LARGEST_OFFSET * energy && !offset_is_measured {
            offsets.deformed += mean as f32;
            offset_is_measured = true;
            continue;
        }
        out.icgn_iterations += 1;
        if energy <= flat {
            out.status = Status::FlatSubset;
            return out;
        }
        let zncc = products.sum_fg / (moments.energy * energy).sqrt();
        if !zncc.is_finite() {
            out.status = Status::Diverged;
            return out;
        }
        out.zncc = zncc.clamp(-1.0, 1.0);
        if converged || updates == settings.iteration_limit {
            break;
        }
        // Eq. (19): dp = −H⁻¹ Σ J (f' − f̃/g̃ (g' − ḡ')).
        let ratio = (moments.energy / energy).sqrt();
        let mut step = [0.0; PARAMETERS];
        for (value, &i) in step.iter_mut().zip(used) {
            let centred = products.sum_jg[i] - mean * moments.sum_j[i];
            *value = ratio * centred - moments.sum_jf[i];
        }
        factor.solve(&mut step);
        let mut dp = [0.0; PARAMETERS];
        for (value, &i) in step.iter().zip(used) {
            dp[i] = *value;
        }
        let norm = convergence_norm(&dp, zeta);
        if norm.is_finite() {
            out.convergence_norm = norm;
        }
        updates += 1;
        let next = compose_inverse(order, &out.p, &dp);
        let Some(next) = next.filter(|p| is_within(p, guess, search)) else {
            out.status = Status::Diverged;
            return out;
        };
        out.p = next;
        converged = norm < settings.stop_value;
        let finished = converged || updates == settings.iteration_limit;
        if finished && settings.last_evaluation == LastEvaluation::BeforeUpdate {
            break;
        }
    }
    if converged {
        out.status = if out.zncc < settings.min_zncc {
            Status::LowCorrelation
        } else {
            Status::Converged
        };
    }
    out
}

/// Whether all parameters are finite and the displacement is within `search` px of the guess.
fn is_within(p: &Parameters, guess: &Parameters, search: f64) -> bool {
    p.iter().all(|value| value.is_finite())
        && (p[0] - guess[0]).abs() <= search
        && (p[6] - guess[6]).abs() <= search
}
