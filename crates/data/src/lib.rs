//! Data sets: manifests, verified download into a shared cache, and decoding.
//!
//! A data set is a folder `datasets/<name>/` with a `manifest.yaml`. [`manifest`] reads it,
//! [`fetch`] brings its files from the first source that works, [`format`] decodes them into a
//! [`Content`] whose digest must be the one the manifest states. Plans need the manifest only.

pub mod archive;
pub mod catalog;
pub mod content;
pub mod error;
pub mod fetch;
pub mod format;
pub mod hashing;
pub mod load;
pub mod manifest;
pub mod source;

pub use catalog::{CatalogEntry, catalog, find_manifest, load_manifest};
pub use content::{Content, DigitSet, Digits, ImageSeries, SeriesImage, Truth};
pub use error::{Attempt, DataError, FetchError};
pub use fetch::{
    Availability, FetchOptions, FetchProgress, Obtained, available, obtain, unreadable,
};
pub use format::annotation::{
    AnnotatedImage, Annotation, AnnotationSet, MaskFault, Part, SceneTruth,
};
pub use format::gray::{
    Channel, GradedImage, ReadMask, picture_pages, read_graded, read_gray, read_mask, read_page,
};
pub use format::labelled::{LabelledClass, LabelledPictures, LabelledSet};
pub use format::pictures::{ColourPicture, PictureFolder, read_colour};
pub use format::target_points::{SeenPoint, TargetPoints};
pub use format::thermal::{ThermalPicture, ThermalSet};
pub use format::weights::WeightsFile;
pub use load::{Verified, decode, decode_cached, load, verify};
pub use manifest::{Manifest, read_speckle_settings};
