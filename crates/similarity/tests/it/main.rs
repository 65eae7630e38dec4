//! What the whole crate gives, against scikit-image and against what the publication's formula
//! must give.

mod mirror;
mod resampling;
mod skimage;
