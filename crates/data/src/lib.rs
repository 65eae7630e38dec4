//! Data sets: manifests, verified download into a shared cache, and decoding.
//!
//! A data set is a folder `datasets/<name>/` with a `manifest.yaml`. [`manifest`] reads it,
//! [`fetch`] brings its files from the first source that works, [`format`] decodes them into a
//! [`Content`] whose digest must be the one the manifest states. Plans need the manifest only.

pub mod annotation;
pub mod archive;
pub mod catalog;
pub mod content;
pub mod error;
pub mod fetch;
pub mod format;
mod gzip;
pub mod hashing;
pub mod load;
pub mod manifest;
pub mod picture;
pub mod source;
pub mod words;

pub use annotation::{AnnotatedImage, Annotation, AnnotationSet, MaskFault, Part, SceneTruth};
pub use catalog::{CatalogEntry, catalog, find_manifest, load_manifest, read_manifest};
pub use content::Model;
pub use content::digits::{DigitSet, Digits};
pub use content::series::{ImageSeries, SeriesImage, Truth};
pub use content::thermal::{ThermalPicture, ThermalSet};
pub use error::{Attempt, DataError, FetchError};
pub use fetch::{
    Availability, FetchOptions, FetchProgress, Obtained, available, obtain, unreadable,
};
pub use format::Content;
pub use format::image_series::settings::SeriesSettings;
pub use format::labelled_tar::{LabelledClass, LabelledPictures, LabelledSet};
pub use format::picture_folder::{ColourPicture, PictureFolder, read_colour};
pub use format::speckle_series::settings::{SpeckleSettings, read_speckle_settings};
pub use format::target_points::{SeenPoint, TargetPoints};
pub use format::weights_file::WeightsFile;
pub use load::{Verified, decode, decode_cached, load, verify};
pub use manifest::Manifest;
pub use picture::{
    Channel, Depth, GradedImage, ReadMask, picture_pages, read_graded, read_gray, read_mask,
    read_page,
};
