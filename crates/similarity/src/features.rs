//! What of the co-occurrence matrices of a picture is compared: `f(I)`.
//!
//! The publication names the matrix and nothing else, so every choice is a value here. Scaling by
//! mean and standard deviation needs a first look at many pictures: [`crate::Moments`].

use crate::{Cooccurrence, Property, SimilarityError, properties};

/// Which values describe a matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeatureKind {
    /// The matrix over its sum, row by row: the publication read literally.
    Matrix,
    /// The counts themselves, row by row.
    Counts,
    /// Properties of the matrix, in this order.
    Properties(Vec<Property>),
}

retrial_words::words! {
    /// What becomes of the offsets.
    pub enum Angles {
        /// The mean of the features over the offsets.
        Averaged = "averaged",
        /// The features of each offset, one after the other.
        Kept = "kept",
    }
}

/// How a picture becomes a row of features.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeatureSettings {
    /// Which values.
    pub kind: FeatureKind,
    /// Whether the offsets are averaged.
    pub angles: Angles,
}

impl FeatureSettings {
    /// These values of every matrix, by whether the offsets are averaged.
    #[must_use]
    pub fn new(kind: FeatureKind, angles: Angles) -> Self {
        Self { kind, angles }
    }
}

/// Number of features that [`features`] gives.
#[must_use]
pub fn feature_len(levels: usize, offsets: usize, settings: &FeatureSettings) -> usize {
    let one = match &settings.kind {
        FeatureKind::Matrix | FeatureKind::Counts => levels * levels,
        FeatureKind::Properties(list) => list.len(),
    };
    match settings.angles {
        Angles::Kept => one * offsets,
        Angles::Averaged => one,
    }
}

/// The features of a picture, from its co-occurrences.
///
/// # Errors
/// [`SimilarityError::Nothing`] for matrices never counted or an empty list of properties.
pub fn features(
    counted: &Cooccurrence,
    settings: &FeatureSettings,
) -> Result<Vec<f64>, SimilarityError> {
    if counted.offsets() == 0 {
        return Err(SimilarityError::Nothing { what: "offset" });
    }
    if settings.kind == FeatureKind::Properties(Vec::new()) {
        return Err(SimilarityError::Nothing { what: "property" });
    }
    let mut rows = (0..counted.offsets()).map(|offset| of_offset(counted, offset, &settings.kind));
    match settings.angles {
        Angles::Kept => Ok(rows.flatten().collect()),
        Angles::Averaged => {
            let mut sum = rows.next().unwrap_or_default();
            for row in rows {
                for (sum, value) in sum.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            for sum in &mut sum {
                *sum /= counted.offsets() as f64;
            }
            Ok(sum)
        }
    }
}

fn of_offset(counted: &Cooccurrence, offset: usize, kind: &FeatureKind) -> Vec<f64> {
    match kind {
        FeatureKind::Matrix => counted.normalised(offset),
        FeatureKind::Counts => {
            let counts = counted.counts(offset);
            counts.iter().map(|&count| count as f64).collect()
        }
        FeatureKind::Properties(list) => {
            let all = properties(counted, offset);
            list.iter().map(|&property| all.get(property)).collect()
        }
    }
}
