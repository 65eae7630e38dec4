//! What the whole crate gives, against other programs and against what must hold of any data.

mod golden;
mod levels;
