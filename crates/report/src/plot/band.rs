//! Bands and whiskers around a mean, and how a caption names them.

use retrial_core::report_spec::Band;
use retrial_core::statistics::Summary;

/// Ends of the band around a mean; `None` where it has none, as with a single trial.
pub(super) fn ends(summary: &Summary, kind: Band) -> Option<(f64, f64)> {
    let ends = match kind {
        Band::None => return None,
        Band::Ci95 => summary.ci95,
        Band::Sd => (summary.mean - summary.sd, summary.mean + summary.sd),
    };
    Some(ends).filter(|(low, high)| low.is_finite() && high.is_finite())
}

/// `; bands are 95 % intervals of the mean`, or nothing; `shapes` is what shows them.
pub(super) fn caption(kind: Band, shapes: &str) -> String {
    match kind {
        Band::None => String::new(),
        Band::Ci95 => format!("; {shapes} are 95 % intervals of the mean"),
        Band::Sd => format!("; {shapes} are one standard deviation to each side"),
    }
}
