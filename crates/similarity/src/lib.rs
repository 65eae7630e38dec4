//! Textures of pictures compared, and a source domain drawn by similarity to a target domain.
//!
//! Slices in, values out: the caller reads pictures, keeps features and writes records. The order
//! of the work is [`quantise_u8`] → [`count`] → [`features`] → [`Standardiser`] →
//! [`log_similarities`] → [`Weights`] → [`draw`].
//!
#![doc = include_str!("../README.md")]

mod draw;
mod error;
mod features;
mod glcm;
mod properties;
mod quantise;
mod similarity;
mod stream;

pub use draw::{AliasTable, Tally, draw, tally};
pub use error::SimilarityError;
pub use features::{Angles, FeatureKind, FeatureSettings, feature_len, features};
pub use glcm::{Cooccurrence, GlcmSettings, Offset, Order, count, count_into};
pub use properties::{Properties, Property, properties};
pub use quantise::{Levels, quantise_f32, quantise_u8, quantise_u16};
pub use similarity::{
    Reduction, SimilaritySettings, Targets, Weights, extremes, log_similarities, log_similarity,
};
pub use stream::{Moments, Scan, Standardiser};
