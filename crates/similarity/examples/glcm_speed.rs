//! Pictures of 224 × 224 a second: co-occurrences at four angles and their six properties.
//!
//! `cargo run --release -p retrial-similarity --example glcm_speed [FILE]`
//!
//! In CPU time of one thread, where the system tells it. `FILE` holds pictures of 224 × 224 bytes
//! one after the other (`benches/peers/glcm_skimage.py --write` makes one); without it a formula
//! draws them. `benches/peers/glcm_skimage.py` does the same with scikit-image.

use std::hint::black_box;
use std::time::Instant;

use retrial_similarity::{
    Angles, Cooccurrence, FeatureKind, FeatureSettings, GlcmSettings, Property, SimilarityError,
    count_into, features, quantise_u8,
};

const SIZE: usize = 224;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bytes = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => (0..40).flat_map(drawn).collect(),
    };
    let pictures: Vec<&[u8]> = bytes.chunks_exact(SIZE * SIZE).collect();
    println!("{} pictures; pictures a CPU second", pictures.len());
    for levels in [256, 32, 16, 8] {
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let before = cpu_seconds();
            pass(&pictures, levels)?;
            best = best.min(cpu_seconds() - before);
        }
        println!("{levels:3} levels: {:.0}", pictures.len() as f64 / best);
    }
    Ok(())
}

fn pass(pictures: &[&[u8]], levels: usize) -> Result<(), SimilarityError> {
    let settings = GlcmSettings::default();
    let six = FeatureSettings::new(
        FeatureKind::Properties(Property::SIX.to_vec()),
        Angles::Kept,
    );
    let mut counted = Cooccurrence::empty();
    for picture in pictures {
        let picture = quantise_u8(SIZE, SIZE, picture, levels)?;
        count_into(&picture, &settings, &mut counted)?;
        black_box(features(&counted, &six)?);
    }
    Ok(())
}

/// Waves of changing length under noise of a few grey values.
fn drawn(number: usize) -> impl Iterator<Item = u8> {
    (0..SIZE * SIZE).map(move |at| {
        let (y, x) = (at / SIZE, at % SIZE);
        let wave = (x * x / (20 + number) + y * 2 + x * y / 40) % 512;
        let noise = (x * 7919 + y * 104_729 + x * y * 31) % 65_521 % (4 + number % 9);
        (wave.min(511 - wave) + noise).min(255) as u8
    })
}

/// CPU time of this thread, or wall time where the system does not tell.
fn cpu_seconds() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = statistics.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}
