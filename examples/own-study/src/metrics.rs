//! The metrics of the study.

use retrial_core::metrics;

metrics! {
    /// What is measured of a trial.
    pub(crate) mod metric {
        /// Throws that hit a line, by all throws of all repeats.
        hit_share: fact,
        /// Root mean square error of the estimates of π.
        rmse: lower,
        /// The same by the law: π √((π / 2r − 1) / n) for n throws of a needle of the length ratio r.
        rmse_by_law: fact,
        /// rmse by rmse_by_law.
        rmse_over_law: fact,
        /// Share of estimates that are as near to π as Lazzarini's 355/113.
        share_as_near: higher,
    }
}
