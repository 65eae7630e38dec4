//! One binary for all tests that use the crate from outside.

mod bad_input;
mod calibration;
mod criteria;
mod exact;
mod jumps;
mod large;
mod published;
mod real;
mod split;
mod star;
mod support;
mod uncertainty;
