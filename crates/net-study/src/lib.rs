//! What studies with nets share: the devices of burn, and weights in the trees of stages.

#[cfg(feature = "tui")]
pub mod dashboard;
pub mod device;
pub mod stage_tree;
