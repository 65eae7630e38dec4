//! Inverse-compositional Levenberg-Marquardt: the normal equations with an enlarged diagonal, and
//! no step that makes the criterion worse.
//!
//! # Source
//! Marquardt 1963, doi:10.1137/0111030, on the equations of [`crate::icgn`].

use crate::settings::LastEvaluation;
use crate::status::Status;
use crate::task::{Match, Task};

/// Enlargement of the diagonal at the first step.
const FIRST_DAMPING: f64 = 1e-2;

/// By how much the damping falls after a good step and rises after a bad one.
const FACTOR: f64 = 10.0;

/// An increase of the criterion that is rounding.
const ROUNDING: f64 = 1e-6;

/// Iterates until the convergence norm falls below the stop value; whether it did.
pub(crate) fn levenberg_marquardt(task: &Task<'_>, out: &mut Match) -> Result<bool, Status> {
    let settings = task.settings;
    let mut damping = FIRST_DAMPING;
    let mut factor = task.factor(damping)?;
    let mut offsets = task.offsets();
    let mut best = task.products(&out.p, &mut offsets)?;
    let mut lowest = task.evaluation(&best, offsets).value(settings.criterion);
    out.icgn_iterations = 1;
    out.zncc = task.checked_zncc(&task.evaluation(&best, offsets))?;
    for _ in 0..settings.iteration_limit {
        let dp = task.solve(&factor, &task.evaluation(&best, offsets));
        let norm = task.norm(&dp);
        if norm.is_finite() {
            out.convergence_norm = norm;
        }
        let next = task.updated(&out.p, &dp)?;
        let converged = norm < settings.stop_value;
        if converged && settings.last_evaluation == LastEvaluation::BeforeUpdate {
            out.p = next;
            return Ok(true);
        }
        let before = offsets;
        let products = task.products(&next, &mut offsets)?;
        out.icgn_iterations += 1;
        let here = task.evaluation(&products, offsets);
        let value = here.value(settings.criterion);
        let is_better = value <= lowest + ROUNDING;
        if is_better {
            out.zncc = task.checked_zncc(&here)?;
            out.p = next;
            (best, lowest) = (products, value);
            damping /= FACTOR;
        } else {
            offsets = before;
            damping *= FACTOR;
        }
        if converged {
            return Ok(true);
        }
        factor = task.factor(damping)?;
    }
    Ok(false)
}
