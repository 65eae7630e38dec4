//! What studies with nets share: the devices of burn, weights in the trees of stages, and trainings as stages.

pub mod device;
pub mod stage_tree;
pub mod training;
