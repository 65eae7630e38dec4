//! Generated data whose truth is exact: speckle series rendered at analytically displaced
//! positions, and thermograms of substation equipment with masks, boxes, parts and temperatures.
//! Pure functions of their arguments; nothing here reads a file.

pub mod camera;
pub mod infrared;
mod inverse;
mod quadrature;
pub mod render;
pub mod series;
pub mod speckle;

pub use camera::{Camera, Exposure};
pub use render::{SynthError, render};
pub use series::{SeriesPlan, render_series};
pub use speckle::{Profile, SpecklePattern, SpeckleScene};
