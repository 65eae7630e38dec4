//! Thermograms of substation equipment, generated with exact truth: boxes, masks (what is seen and
//! what is there), parts, occlusion and temperatures.
//!
//! Every scene follows from its spec, its seed and its index alone. Nothing here imitates a
//! particular picture; the twenty shapes are parametric outlines of our own.

mod backdrop;
mod class;
mod draw;
mod equipment;
mod instance;
mod layout;
mod palette;
mod pose;
mod raster;
mod render;
mod scene;
mod sensor;
mod solid;
mod spec;
#[cfg(test)]
mod tests;
mod truth;

pub use class::{EquipmentClass, Partition, UnknownClass};
pub use instance::{HotSpot, SceneInstance, ScenePart};
pub use palette::pseudo_colour;
pub use scene::{Scene, scene};
pub use spec::{Emissivity, Fault, SceneError, SceneSpec, Sky};
