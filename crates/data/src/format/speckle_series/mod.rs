//! `speckle-series`: a generated series.

pub mod settings;

use retrial_seed::Seed;
use retrial_synth::render_series;

use self::settings::SpeckleSettings;
use super::{Format, Inputs};
use crate::content::series::{ImageSeries, SeriesImage, Truth};
use crate::error::DataError;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "speckle-series",
    settings: Some(settings::KEY),
    roles: &[],
    generates: true,
};

/// Renders the series its settings describe.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<ImageSeries, DataError> {
    let settings: &SpeckleSettings = inputs.settings();
    let pictures = render_series(&settings.plan, Seed(settings.seed)).map_err(|error| {
        DataError::Generator {
            dataset: inputs.dataset.to_owned(),
            error,
        }
    })?;
    let mut pictures = pictures.into_iter();
    let Some(reference) = pictures.next() else {
        unreachable!("a series begins with its reference");
    };
    let images = pictures
        .zip(&settings.plan.images)
        .enumerate()
        .map(|(i, (image, (displacement, _)))| SeriesImage {
            name: format!("image {}", i + 1),
            image,
            truth: Truth::Field(displacement.clone()),
        })
        .collect();
    Ok(ImageSeries {
        reference_name: "image 0".to_owned(),
        reference,
        images,
    })
}
