//! Boxes, masks and their evaluation: what instance segmentation needs beside a net.
//!
//! Boxes are `[x0, y0, x1, y1]` in pixels, in the corner convention of
//! [`retrial_image`]. Everything here is plain arithmetic on slices: no tensor, no
//! gradient, no file. Where torchvision or COCO has a rule the rule is theirs, to the rounding.
//!
#![doc = include_str!("../README.md")]

pub mod anchors;
pub mod boxes;
pub mod coder;
pub mod evaluate;
pub mod levels;
pub mod matcher;
pub mod nms;
pub mod paste;
pub mod sampler;
