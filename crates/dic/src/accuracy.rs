//! Errors of measured displacements against imposed ones, pooled over points and images.
//!
//! `error = measured − imposed`. The table that the published example prints heads the magnitude of
//! two mean *absolute* errors "bias" and the magnitude of two standard *deviations* of the absolute
//! error "variance"; here they are `mae` and `abs_error_std`.

use crate::field::{Field, PointResult};
use crate::status::Status;

retrial_words::words! {
    /// Which points enter the statistics; the others are counted as failed.
    pub enum Accept {
        /// Points that converged.
        Converged = "converged",
        /// Also points that reached the iteration limit or a low correlation, as the published
        /// example does.
        Measured = "matched" was "measured",
    }
}

/// Errors gathered so far.
#[derive(Clone, Debug)]
pub struct ErrorStatistics {
    accept: Accept,
    failed: usize,
    signed: [Moments; 2],
    absolute: [Moments; 2],
    icgn_iterations: usize,
    most_icgn_iterations: usize,
}

/// Errors of one component of the displacement, in px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComponentErrors {
    /// Mean signed error.
    pub bias: f64,
    /// Standard deviation of the error, with n − 1.
    pub random_error: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Standard deviation of the absolute error, with n − 1.
    pub abs_error_std: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
}

/// Errors of a set of fields, in px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorSummary {
    /// Points that entered.
    pub points: usize,
    /// Points that did not; see [`Accept`].
    pub failed: usize,
    /// Errors of `u`.
    pub u: ComponentErrors,
    /// Errors of `v`.
    pub v: ComponentErrors,
    /// `hypot(u.mae, v.mae)`.
    pub mae: f64,
    /// `hypot(u.abs_error_std, v.abs_error_std)`.
    pub abs_error_std: f64,
    /// `hypot(u.rmse, v.rmse)`.
    pub rmse: f64,
    /// Mean of `icgn_iterations` over the points that entered.
    pub mean_icgn_iterations: f64,
    /// Largest `icgn_iterations` of the points that entered.
    pub max_icgn_iterations: usize,
}

impl ErrorStatistics {
    /// No errors yet.
    #[must_use]
    pub fn new(accept: Accept) -> Self {
        Self {
            accept,
            failed: 0,
            signed: [Moments::default(); 2],
            absolute: [Moments::default(); 2],
            icgn_iterations: 0,
            most_icgn_iterations: 0,
        }
    }

    /// Adds every point of a field; `imposed(x, y)` is the true `(u, v)` in px at a reference
    /// position.
    pub fn add(&mut self, field: &Field, mut imposed: impl FnMut(f64, f64) -> (f64, f64)) {
        for point in &field.points {
            let (u, v) = imposed(point.x as f64, point.y as f64);
            self.add_point(point, u, v);
        }
    }

    /// Adds one point with its true displacement `(u, v)` in px.
    pub fn add_point(&mut self, point: &PointResult, u: f64, v: f64) {
        let accepted = match point.status {
            Status::Converged => true,
            Status::IterationLimit | Status::LowCorrelation => self.accept == Accept::Measured,
            Status::OutOfImage
            | Status::FlatSubset
            | Status::IllConditioned
            | Status::Masked
            | Status::Diverged
            | Status::Uncertain => false,
        };
        if !accepted {
            self.failed += 1;
            return;
        }
        for (side, error) in [point.u() - u, point.v() - v].into_iter().enumerate() {
            self.signed[side].add(error);
            self.absolute[side].add(error.abs());
        }
        self.icgn_iterations += point.icgn_iterations;
        self.most_icgn_iterations = self.most_icgn_iterations.max(point.icgn_iterations);
    }

    /// The errors of all points so far, or `None` when no point entered.
    ///
    /// Standard deviations of a single point are zero.
    #[must_use]
    pub fn summary(&self) -> Option<ErrorSummary> {
        let points = self.signed[0].count;
        if points == 0 {
            return None;
        }
        let component = |side: usize| {
            let (signed, absolute) = (&self.signed[side], &self.absolute[side]);
            let n = points as f64;
            ComponentErrors {
                bias: signed.mean,
                random_error: signed.deviation(),
                mae: absolute.mean,
                abs_error_std: absolute.deviation(),
                rmse: (signed.squares / n + signed.mean * signed.mean).sqrt(),
            }
        };
        let (u, v) = (component(0), component(1));
        Some(ErrorSummary {
            points,
            failed: self.failed,
            u,
            v,
            mae: u.mae.hypot(v.mae),
            abs_error_std: u.abs_error_std.hypot(v.abs_error_std),
            rmse: u.rmse.hypot(v.rmse),
            mean_icgn_iterations: self.icgn_iterations as f64 / points as f64,
            max_icgn_iterations: self.most_icgn_iterations,
        })
    }
}

/// Count, mean and sum of squares about the mean, updated value by value.
///
/// # Source
/// Welford 1962, doi:10.1080/00401706.1962.10490022.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: usize,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    fn deviation(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        (self.squares / (self.count - 1) as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::translation;

    fn point(u: f64, v: f64, status: Status) -> PointResult {
        PointResult {
            icgn_iterations: 2,
            ..PointResult::new((3, 4), translation(u, v), status)
        }
    }

    /// Errors of u: 1, −2, 4; of v: 0, 0, 3. Literal values of numpy 2: mean, std(ddof=1).
    #[test]
    fn statistics_follow_their_definitions() {
        let field = Field::new(vec![
            point(1.5, 1.0, Status::Converged),
            point(-1.5, 1.0, Status::Converged),
            point(4.5, 4.0, Status::Converged),
            point(99.0, 99.0, Status::OutOfImage),
            point(50.0, 50.0, Status::IterationLimit),
        ]);
        let mut statistics = ErrorStatistics::new(Accept::Converged);
        statistics.add(&field, |x, y| (x / 6.0, y / 4.0));
        let summary = statistics.summary().expect("three points");
        assert_eq!((summary.points, summary.failed), (3, 2));
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        near(summary.u.bias, 1.0);
        near(summary.u.random_error, 3.0);
        near(summary.u.mae, 7.0 / 3.0);
        near(summary.u.abs_error_std, 1.527_525_231_651_946_7);
        near(summary.u.rmse, 7.0_f64.sqrt());
        near(summary.v.rmse, 3.0_f64.sqrt());
        near(summary.rmse, 10.0_f64.sqrt());
        near(summary.mae, (7.0_f64 / 3.0).hypot(1.0));
        near(
            summary.abs_error_std,
            1.527_525_231_651_946_7_f64.hypot(3.0_f64.sqrt()),
        );
        near(summary.mean_icgn_iterations, 2.0);
    }

    #[test]
    fn no_accepted_point_gives_no_summary() {
        let mut statistics = ErrorStatistics::new(Accept::Converged);
        statistics.add_point(&point(0.0, 0.0, Status::Diverged), 0.0, 0.0);
        assert!(statistics.summary().is_none());
        let mut statistics = ErrorStatistics::new(Accept::Measured);
        statistics.add_point(&point(0.25, 0.0, Status::IterationLimit), 0.0, 0.0);
        let summary = statistics.summary().expect("one point");
        assert_eq!((summary.u.bias, summary.u.random_error), (0.25, 0.0));
    }
}
