//! Content without files: the generators.

use retrial_seed::Seed;
use retrial_synth::render_series;

use super::Inputs;
use crate::content::{Content, ImageSeries, SeriesImage, Truth};
use crate::error::DataError;
use crate::manifest::Settings;

/// `speckle-series`: renders the series its settings describe.
pub(super) fn speckle_series(inputs: &Inputs<'_>) -> Result<Content, DataError> {
    let Settings::Speckle(settings) = inputs.settings else {
        unreachable!("a manifest is checked to hold the settings of its decoder");
    };
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
    Ok(Content::Series(ImageSeries {
        reference_name: "image 0".to_owned(),
        reference,
        images,
    }))
}
