//! Spatial resolution on star images: how much of a wave is left, period by period.

use retrial_core::displacement::Displacement;
use retrial_core::rows;
use retrial_data::{ImageSeries, Truth};
use retrial_dic::{
    CUT_OFF_LEVEL, ErrorSummary, Guess, Settings, Status, correlate, efficiency_indicator,
    measured_cut_off, prepare_points, recovered_amplitude, smoothed_shares, theoretical_cut_off,
};
use retrial_runner::{Context, TrialError};

use super::metrics::metric;

rows! {
    /// What is said of a star image.
    pub(super) const TABLES;

    /// The centre row of a star image, thinned to 400 columns; only series with a star.
    pub(super) struct ResolutionRow in "resolution" {
        /// Period of the star wave at a column.
        period_px: f64, unit "px";
        /// Measured by imposed amplitude on the centre row.
        recovered: f64;
        /// The same after a polynomial of degree 12.
        smoothed: f64;
        /// What the subset leaves on a texture that is the same everywhere.
        theory: f64;
    }
}

/// Most rows of the table `resolution`.
const ROWS: usize = 400;

/// Measures the centre row of the first star image at every column, and reports its metrics and
/// table; does nothing for a series without a star.
pub(super) fn report(
    context: &mut Context,
    series: &ImageSeries,
    settings: &Settings,
    summaries: &[Option<ErrorSummary>],
) -> Result<(), TrialError> {
    let star = series.images.iter().find_map(|image| match image.truth {
        Truth::Field(Displacement::Star {
            amplitude,
            cy,
            period_left,
            period_slope,
        }) => Some((image, amplitude, cy, period_left, period_slope)),
        _ => None,
    });
    let Some((image, amplitude, cy, period_left, period_slope)) = star else {
        return Ok(());
    };
    let (width, height) = (series.reference.width(), series.reference.height());
    let half = settings.side_px() / 2;
    let centre = cy.round() as usize;
    if centre < half || centre + half >= height {
        return Ok(());
    }
    if width <= 2 * half {
        return Ok(());
    }
    let points = (half..width - half).map(|x| (x, centre)).collect();
    let every_column = settings.clone().with_step_px(1);
    let reference = prepare_points(&series.reference, points, &every_column);
    let reference = reference.map_err(TrialError::of)?;
    let field = correlate(&reference, &image.image, Guess::Phase).map_err(TrialError::of)?;
    let period = |x: usize| period_left + period_slope * x as f64;
    let imposed = |x: usize| {
        let turn = std::f64::consts::TAU / period(x);
        amplitude * (turn * (centre as f64 - cy)).cos()
    };
    let shares: Vec<(f64, f64)> = field
        .points
        .iter()
        .filter(|point| point.status == Status::Converged)
        .map(|point| (period(point.x), point.v() / imposed(point.x)))
        .collect();
    let (size, shape, order) = (
        settings.side_px(),
        settings.subset_shape,
        settings.shape_order,
    );
    let theory = theoretical_cut_off(size, shape, order, CUT_OFF_LEVEL);
    let measured = measured_cut_off(&shares, CUT_OFF_LEVEL);
    if let Some(theory) = theory {
        context.metric(metric::cut_off_theory_px, theory)?;
    }
    if let Some(measured) = measured {
        context.metric(metric::cut_off_px, measured)?;
        if let Some(theory) = theory {
            context.metric(metric::cut_off_over_theory, measured / theory)?;
        }
        if let Some(noise) = still_noise(series, summaries) {
            context.metric(metric::noise_floor_px, noise)?;
            context.metric(
                metric::efficiency_indicator,
                efficiency_indicator(noise, measured),
            )?;
        }
    }
    let every = shares.len().div_ceil(ROWS).max(1);
    let shown = |value: f64| (value * 1e5).round() / 1e5;
    let rows = shares.iter().zip(smoothed_shares(&shares)).step_by(every);
    let rows = rows.map(|(&(period_px, recovered), smoothed)| ResolutionRow {
        period_px: shown(period_px),
        recovered: shown(recovered),
        smoothed: shown(smoothed),
        theory: shown(recovered_amplitude(size, shape, order, period_px)),
    });
    context.rows(&rows.collect::<Vec<_>>())
}

/// The standard deviation of `v` between two pictures of the same scene, where the series has them.
fn still_noise(series: &ImageSeries, summaries: &[Option<ErrorSummary>]) -> Option<f64> {
    let mut images = series.images.iter().zip(summaries);
    images.find_map(|(image, summary)| match image.truth {
        Truth::Field(Displacement::Translation { u, v }) if u == 0.0 && v == 0.0 => {
            summary.as_ref().map(|summary| summary.v.random_error)
        }
        _ => None,
    })
}
