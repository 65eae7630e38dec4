//! What studies with nets share: the devices of burn, weights in the trees of stages, and trainings as stages.

#[cfg(feature = "tui")]
pub mod dashboard;
pub mod device;
pub mod stage_tree;
pub mod training;
