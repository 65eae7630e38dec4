//! The source domain: weights of its pictures by their similarity to the target domain.
//!
//! # Source
//! Liu et al. 2021, Eq. (2); what it leaves open are params.

use retrial_data::LabelledSet;
use retrial_runner::TrialError;
use retrial_similarity::{
    Angles, FeatureKind, FeatureSettings, GlcmSettings, Moments, Offset, Order, Property,
    SimilaritySettings, Targets, Weights, count, features, log_similarities, quantise_f32,
};

use super::input_values::lumas;
use super::items::TrainingSet;
use super::params::{Pretraining, Texture};

/// Angles at which neighbours are counted, degrees.
const ANGLES: [f64; 4] = [0.0, 45.0, 90.0, 135.0];

/// Weights of the source pictures by their similarity to the training pictures, or equal ones without these.
pub(super) fn weights(
    params: &Pretraining,
    training: Option<&TrainingSet>,
    source: &LabelledSet,
) -> Result<Weights, TrialError> {
    let count = source.train.labels.len();
    let Some(training) = training else {
        return Weights::uniform(count).map_err(TrialError::of);
    };
    let settings = Compared::new(params);
    let mut targets = Vec::new();
    let frame = &training.frame;
    for item in &training.pictures {
        targets.extend(settings.row(&item.gray, frame.height, frame.width)?);
    }
    let (height, width) = (source.train.height, source.train.width);
    let mut sources = Vec::new();
    for picture in source.train.pixels.chunks(3 * height * width) {
        let gray: Vec<f32> = lumas(picture).map(|luma| luma / 255.0).collect();
        sources.extend(settings.row(&gray, height, width)?);
    }
    let dimension = sources.len() / count.max(1);
    if params.texture_standardised {
        let mut moments = Moments::new(dimension);
        for row in sources.chunks(dimension).chain(targets.chunks(dimension)) {
            moments.push(row).map_err(TrialError::of)?;
        }
        let standard = moments.standardiser().map_err(TrialError::of)?;
        standard.apply(&mut sources).map_err(TrialError::of)?;
        standard.apply(&mut targets).map_err(TrialError::of)?;
    }
    let targets = Targets::new(dimension, targets).map_err(TrialError::of)?;
    let similarity = SimilaritySettings::default()
        .with_bandwidth(params.bandwidth)
        .with_reduction(params.reduction);
    let log = log_similarities(&sources, &targets, &similarity).map_err(TrialError::of)?;
    Weights::from_log(log).map_err(TrialError::of)
}

/// How a picture becomes a row of features.
struct Compared {
    levels: usize,
    counting: GlcmSettings,
    features: FeatureSettings,
}

impl Compared {
    fn new(params: &Pretraining) -> Self {
        let kind = match params.texture {
            Texture::Matrix => FeatureKind::Matrix,
            Texture::Properties => FeatureKind::Properties(Property::SIX.to_vec()),
        };
        let offset = |angle: f64| Offset {
            distance: 1.0,
            angle: angle.to_radians(),
        };
        Self {
            levels: params.texture_levels,
            counting: GlcmSettings::default()
                .with_offsets(ANGLES.map(offset).into())
                .with_order(Order::Symmetric),
            features: FeatureSettings::new(kind, Angles::Averaged),
        }
    }

    fn row(&self, gray: &[f32], height: usize, width: usize) -> Result<Vec<f64>, TrialError> {
        let levels =
            quantise_f32(height, width, gray, self.levels, [0.0, 1.0]).map_err(TrialError::of)?;
        let counted = count(&levels, &self.counting).map_err(TrialError::of)?;
        features(&counted, &self.features).map_err(TrialError::of)
    }
}
