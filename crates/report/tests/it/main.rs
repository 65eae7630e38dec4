//! Reports from results folders made by hand, and what they must say.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod detectors;
mod figures;
mod files;
mod pages;
mod results_folder;
mod tables;
