//! Segmentation and classification without a net: the methods that the publication on infrared
//! pictures of electrical equipment argues against.
//!
//! k-means and maximum entropy cut a picture into regions, moment invariants describe them, and a
//! support vector machine names them. Values in, values out; what is drawn at random comes from a
//! stream that is an argument. So: `segment` → `describe` → `fit_classifier`. The support vector machine is linfa's;
//! moments are compared with OpenCV's.

mod cluster;
mod components;
mod descriptor;
mod detector;
mod entropy;
mod error;
mod moments;
mod segment;
mod svm;

pub use cluster::{Clusters, KMeansSettings, k_means};
pub use components::components;
pub use descriptor::{DESCRIPTORS, describe};
pub use detector::{
    Detection, Detector, DetectorSettings, Instance, TrainingPicture, detect, fit_detector,
};
pub use entropy::{Histogram, one_threshold};
pub use error::ClassicalError;
pub use moments::{hu_of_grey, hu_of_mask, log_scaled};
pub use segment::{Region, SegmentSettings, Thresholds, segment};
pub use svm::{Classifier, Kernel, SvmSettings, fit_classifier};
