//! What studies with nets share: the devices of burn, and weights in the trees of stages.

pub mod device;
pub mod stage_tree;
