//! Matches one subset by the optimiser that is asked for.

use crate::column_sums::ColumnSums;
use crate::dispatch::Dispatch;
use crate::forward::forward_gauss_newton;
use crate::icgn::gauss_newton;
use crate::iclm::levenberg_marquardt;
use crate::pair::Pair;
use crate::settings::{Optimiser, Settings};
use crate::shape::Parameters;
use crate::status::Status;
use crate::subset::pixel_count;
use crate::task::{Match, Task};

/// Contrast below which a subset is flat: standard deviation as a fraction of the largest
/// absolute grey value of the image.
const FLAT_CONTRAST: f64 = 1e-5;

/// Matches one subset from the parameters `guess`.
///
/// `brightest` is the largest absolute grey value of the reference image; `column_sums` keeps what subsets
/// of one row share, from one to the next.
pub(crate) fn match_subset(
    dispatch: Dispatch,
    pair: &Pair<'_>,
    settings: &Settings,
    brightest: f64,
    guess: &Parameters,
    column_sums: Option<&mut ColumnSums>,
) -> Match {
    let count = pixel_count(pair.rows) as f64;
    let task = Task {
        dispatch,
        pair,
        settings,
        moments: dispatch.moments(pair, settings.shape_order, column_sums),
        guess,
        count,
        flat: count * (FLAT_CONTRAST * brightest).powi(2),
    };
    let mut out = Match::without_iteration(*guess, Status::IterationLimit);
    let finished = match settings.optimiser {
        Optimiser::IcGn => gauss_newton(&task, &mut out),
        Optimiser::IcLm => levenberg_marquardt(&task, &mut out),
        Optimiser::ForwardGn => forward_gauss_newton(&task, &mut out),
    };
    out.status = match finished {
        Err(status) => status,
        Ok(false) => Status::IterationLimit,
        Ok(true) if out.zncc < settings.min_zncc => Status::LowCorrelation,
        Ok(true) => Status::Converged,
    };
    out
}
