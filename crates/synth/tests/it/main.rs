//! Generated pictures against what they are stated to be.

mod camera;
mod fields;
