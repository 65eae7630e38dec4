//! The error that the spectra of a series predict, beside the one found.

use retrial_data::ImageSeries;
use retrial_dic::{Gradient, PairSpectra, Settings};
use retrial_runner::{Context, TrialError};

use super::metrics::metric;

/// Reports the error expected of the pairs of the first image with every other one, each at the
/// sub-pixel positions of all; nothing where no pair says anything, or where the gradient is not that
/// of the spline. `rmse` is the error found.
pub(super) fn report(
    context: &mut Context,
    series: &ImageSeries,
    settings: &Settings,
    rmse: f64,
) -> Result<(), TrialError> {
    if settings.gradient != Gradient::Spline {
        return Ok(());
    }
    let (mut squares, mut bias, mut count) = (0.0, 0.0_f64, 0.0);
    for image in &series.images {
        let spectra = PairSpectra::measure(&series.reference, &image.image, None);
        if let Some(spectra) = spectra.map_err(TrialError::of)? {
            let expected = spectra.forecast(settings).map_err(TrialError::of)?;
            squares += expected.rms * expected.rms;
            bias = bias.max(expected.bias.0).max(expected.bias.1);
            count += 1.0;
        }
    }
    if count == 0.0 {
        return Ok(());
    }
    let expected = f64::sqrt(squares / count);
    context.metric(metric::predicted_rmse, expected)?;
    context.metric(metric::predicted_max_bias, bias)?;
    context.metric(metric::predicted_over_measured_rmse, expected / rmse)
}
