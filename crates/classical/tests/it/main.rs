//! The methods together, and against other programs.

mod moments;
mod scenes;
