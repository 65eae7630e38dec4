//! Paints a laid-out scene and keeps count of what every object covers.

use retrial_seed::Seed;

use super::backdrop::{Weather, before, behind, clutter};
use super::layout::Placed;
use super::raster::{SAMPLES, Samples, owner};
use super::spec::SceneSpec;

/// A painted scene.
pub(super) struct Painted {
    pub(super) samples: Samples,
    /// Samples of every pixel that an object covers, hidden or not; one list an object.
    pub(super) covered: Vec<Vec<u8>>,
}

/// Paints background, objects in order, and the wires before them.
pub(super) fn paint(
    spec: &SceneSpec,
    weather: &Weather,
    objects: &[Placed],
    index: u64,
) -> Painted {
    let stream = |purpose: &str| Seed(spec.seed).stream(&format!("infrared {index} {purpose}"));
    let mut samples = Samples::behind(spec.width, &behind(spec, weather, &mut stream("backdrop")));
    clutter(&mut samples, spec, weather, &mut stream("clutter"));
    let mut covered = Vec::with_capacity(objects.len());
    for (number, object) in objects.iter().enumerate() {
        let mut counts = vec![0_u8; spec.width * spec.height];
        for solid in &object.model.solids {
            let owner = owner(number, solid.part);
            samples.paint(solid, &object.pose, &object.heat, owner, |column, row| {
                counts[row / SAMPLES * spec.width + column / SAMPLES] += 1;
            });
        }
        covered.push(counts);
    }
    before(&mut samples, spec, weather, &mut stream("foreground"));
    Painted { samples, covered }
}

/// Radiance of every pixel: the mean of its samples.
pub(super) fn radiance(samples: &Samples) -> Vec<f32> {
    let width = samples.columns / SAMPLES;
    let mut all = vec![0.0_f32; width * (samples.rows / SAMPLES)];
    let rows = samples.radiance.chunks_exact(samples.columns);
    for (row, line) in rows.enumerate() {
        let start = row / SAMPLES * width;
        let pixels = &mut all[start..start + width];
        for (pixel, values) in pixels.iter_mut().zip(line.chunks_exact(SAMPLES)) {
            *pixel += values.iter().sum::<f32>();
        }
    }
    let share = 1.0 / (SAMPLES * SAMPLES) as f32;
    all.iter_mut().for_each(|value| *value *= share);
    all
}
