//! Blocks and stages of a backbone.

use burn::module::Module;

use super::layer::Normalised;

/// Blocks that end at one stride.
#[derive(Module, Debug)]
pub(crate) struct Stage {
    pub(crate) blocks: Vec<Block>,
}

/// Convolutions one after the other, and a way past them.
#[derive(Module, Debug)]
pub(crate) struct Block {
    pub(crate) layers: Vec<Normalised>,
    /// A convolution on the way past; the input itself, or nothing, where there is none.
    pub(crate) shortcut: Option<Normalised>,
}

/// Colours of an image.
pub(crate) const COLOURS: usize = 3;
