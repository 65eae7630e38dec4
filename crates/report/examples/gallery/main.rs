//! Writes a made-up results folder with every kind of figure and renders its report, to look at.
//!
//! `cargo run --release -p retrial-report --example gallery -- FOLDER`

mod detectors;
mod field;
mod noise;
mod parts;
mod subset_size;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(
        || std::env::temp_dir().join("retrial-gallery"),
        PathBuf::from,
    );
    let results = folder.join("results");
    if results.exists() {
        fs::remove_dir_all(&results)?;
    }
    subset_size::write(&results)?;
    field::write(&results)?;
    noise::write(&results)?;
    detectors::write(&results)?;
    let experiments = retrial_report::load(&results)?;
    let started = std::time::Instant::now();
    let summary = retrial_report::render(&experiments, &folder.join("reports"))?;
    println!("{summary:#?}\nrendered in {:.2?}", started.elapsed());
    let stale = retrial_report::check(&experiments, &folder.join("reports"))?;
    println!("stale after rendering: {stale:?}");
    Ok(())
}
