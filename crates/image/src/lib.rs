//! Grey pictures, pixel masks, polygons and resizing.
//!
//! # Pixel coordinates
//! `x` counts columns to the right and `y` counts rows downwards, both from
//! zero, and an integer coordinate is the *centre* of a pixel: `(0.0, 0.0)` is the centre of the
//! top-left pixel and the picture covers `-0.5..width - 0.5`. Pixels are stored row by row, so
//! pixel `(x, y)` is `pixels[y * width + x]`. A displacement `(u, v)` moves the material point at
//! `(x, y)` of the reference image to `(x + u, y + v)` in the deformed image.
//!
//! # Coordinates of boxes and polygons
//! Boxes and polygons of instances follow COCO: pixel `i` covers `i..i + 1`, so a box around the
//! pixels `3..=5` is `[3, 6]`. This is the corner convention; pictures speak of centres.
//!
#![doc = include_str!("../README.md")]

mod gray;
mod instance_mask;
pub mod polygon;
pub mod resize;
pub mod run_text;

pub use gray::{GrayImage, ImageError, Mask};
pub use instance_mask::{InstanceMask, MaskError, RunLengths};
