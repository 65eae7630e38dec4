//! One binary for all tests that use the crate from outside.

mod bad_input;
mod border_subsets;
mod calibration;
mod criteria;
mod drift;
mod edges;
mod exact;
mod forecast;
mod jumps;
mod large;
mod mixed;
mod order;
mod published;
mod real;
mod split;
mod star;
mod stretched;
mod support;
mod uncertainty;
