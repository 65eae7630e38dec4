//! Generated data whose truth is exact: speckle series rendered at analytically displaced
//! positions, and thermograms of substation equipment with masks, boxes, parts and temperatures.
//! Pure functions of their arguments; nothing here reads a file.

pub mod camera;
mod error;
pub mod infrared;
mod inverse;
mod quadrature;
pub mod render;
pub mod series;
pub mod speckle;

pub use camera::{Camera, Exposure};
pub use error::SynthError;
pub use render::render;
pub use series::{SeriesPlan, render_series};
pub use speckle::{Profile, SpecklePattern, SpeckleScene};
