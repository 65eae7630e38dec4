//! A drawn figure and its files.

use super::scene::Scene;
use super::{png, svg};

/// A figure as a scene, with sentences on what was averaged or left out.
#[derive(Debug)]
pub(crate) struct Drawing {
    pub(crate) scene: Scene,
    pub(crate) notes: Vec<String>,
}

impl Drawing {
    /// Width in print, mm.
    pub(crate) fn width(&self) -> f64 {
        self.scene.width
    }

    /// The figure as an SVG file.
    pub(crate) fn svg(&self, prefix: &str, title: &str) -> String {
        svg::render(&self.scene, prefix, title)
    }

    /// The figure as a PNG file.
    pub(crate) fn png(&self) -> Vec<u8> {
        png::render(&self.scene)
    }
}
