//! Real digits: the detectors without a net reproduce what was measured with other programs.

mod digits;
mod published;
mod pytorch;
mod table;
