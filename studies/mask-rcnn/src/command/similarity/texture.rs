//! How a picture file becomes a row of features.

use std::path::Path;

use retrial_data::{DataError, GradedImage, read_graded};
use retrial_image::resize::mean_over;
use retrial_similarity::{
    Cooccurrence, FeatureKind, FeatureSettings, GlcmSettings, Offset, Property, count_into,
    feature_len, features, quantise_f32,
};
use serde_json::json;

use crate::cli::{self, GreyRange, SimilarityArgs};

/// Everything that a row depends on besides the picture.
#[derive(Clone, Debug)]
pub(super) struct Texture {
    levels: usize,
    range: GreyRange,
    side: Option<usize>,
    counting: GlcmSettings,
    features: FeatureSettings,
    /// The same in words.
    facts: serde_json::Value,
}

impl Texture {
    pub(super) fn new(args: &SimilarityArgs) -> Self {
        let (kind, word) = match args.texture {
            cli::Texture::Properties => (
                FeatureKind::Properties(Property::SIX.to_vec()),
                "properties",
            ),
            cli::Texture::Matrix => (FeatureKind::Matrix, "matrix"),
        };
        let (angles, order) = (args.offsets, args.pairs);
        let (offsets, pairs) = (angles.name(), order.name());
        let offset = |distance: f64, angle: f64| Offset {
            distance,
            angle: angle.to_radians(),
        };
        let each = |&distance: &f64| args.angles.iter().map(move |&a| offset(distance, a));
        Self {
            levels: usize::from(args.texture_levels),
            range: args.grey_range,
            side: args.side.map(usize::from),
            counting: GlcmSettings::default()
                .with_offsets(args.distances.iter().flat_map(each).collect())
                .with_order(order),
            features: FeatureSettings::new(kind, angles),
            facts: json!({
                "texture": word,
                "texture_levels": args.texture_levels,
                "distances_px": args.distances,
                "angles_deg": args.angles,
                "offsets": offsets,
                "pairs": pairs,
                "grey_range": args.grey_range.to_string(),
                "side_px": args.side,
            }),
        }
    }

    /// The settings in words.
    pub(super) fn facts(&self) -> &serde_json::Value {
        &self.facts
    }

    /// Number of features of a picture.
    pub(super) fn dimension(&self) -> usize {
        feature_len(self.levels, self.counting.offsets.len(), &self.features)
    }

    /// The features of a picture, or why it has none.
    pub(super) fn row(&self, path: &Path, counted: &mut Cooccurrence) -> Result<Vec<f64>, String> {
        let GradedImage { mut image, white } = read_graded(path).map_err(without_path)?;
        if let Some(side) = self.side {
            image = mean_over(&image, side, side).map_err(|error| error.to_string())?;
        }
        let (width, height) = (image.width(), image.height());
        let mut pixels = image.into_pixels();
        let range = match self.range {
            GreyRange::Stated(low, high) => [low, high],
            GreyRange::Own => ends(&pixels)?,
            GreyRange::Depth => {
                let white = white.ok_or(NO_WHITE)?;
                for pixel in &mut pixels {
                    *pixel /= white;
                }
                [0.0, 1.0]
            }
        };
        let to_text = |error: retrial_similarity::SimilarityError| error.to_string();
        let levels = quantise_f32(height, width, &pixels, self.levels, range).map_err(to_text)?;
        count_into(&levels, &self.counting, counted).map_err(to_text)?;
        features(counted, &self.features).map_err(to_text)
    }
}

const NO_WHITE: &str = "floats have no black and white; give their range by --grey-range LOW,HIGH";

/// Darkest and brightest of some pixels.
pub(super) fn ends(pixels: &[f32]) -> Result<[f32; 2], String> {
    let low = pixels.iter().copied().fold(f32::INFINITY, f32::min);
    let high = pixels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if low < high {
        Ok([low, high])
    } else {
        Err(format!("every pixel has the grey value {low}"))
    }
}

/// What is wrong with a file whose path is said elsewhere.
pub(super) fn without_path(error: DataError) -> String {
    match error {
        DataError::Format { what, .. } => what,
        DataError::Io { error, .. } => error.to_string(),
        other => other.to_string(),
    }
}
