//! Inverse-compositional Gauss-Newton.
//!
//! # Source
//! Atkinson & Becker 2020, doi:10.3390/rs12182906, Eq. (19) to (23).

use crate::settings::LastEvaluation;
use crate::status::Status;
use crate::task::{Match, Task};

/// Iterates until the convergence norm falls below the stop value; whether it did.
pub(crate) fn gauss_newton(task: &Task<'_>, out: &mut Match) -> Result<bool, Status> {
    let settings = task.settings;
    let factor = task.factor(0.0)?;
    let mut offsets = task.offsets();
    let mut updates = 0;
    let mut converged = false;
    loop {
        let products = task.products(&out.p, &mut offsets)?;
        out.icgn_iterations += 1;
        let here = task.evaluation(&products, offsets);
        out.zncc = task.checked_zncc(&here)?;
        if converged || updates == settings.iteration_limit {
            return Ok(converged);
        }
        let dp = task.solve(&factor, &here);
        let norm = task.norm(&dp);
        if norm.is_finite() {
            out.convergence_norm = norm;
        }
        updates += 1;
        out.p = task.updated(&out.p, &dp)?;
        converged = norm < settings.stop_value;
        let finished = converged || updates == settings.iteration_limit;
        if finished && settings.last_evaluation == LastEvaluation::BeforeUpdate {
            return Ok(converged);
        }
    }
}
