//! One scene: its thermogram and everything that is true about it.

use retrial_seed::Seed;

use super::backdrop::Weather;
use super::instance::SceneInstance;
use super::layout::layout;
use super::render::{paint, radiance};
use super::sensor::{blur, read};
use super::spec::{SceneError, SceneSpec};
use super::truth::instances;

/// A thermogram with its truth. Boxes follow COCO's corner convention.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// `seed-index`, zero-padded.
    pub name: String,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Temperature of the air, °C.
    pub ambient_c: f64,
    /// Apparent temperature of a black body, °C; `[row, column]`, row by row.
    pub temperature_c: Vec<f32>,
    /// Every piece of equipment of which at least a dozen pixels are seen, the farthest first.
    pub instances: Vec<SceneInstance>,
}

/// Scene `index` of a spec; it depends on the spec and the index alone.
///
/// # Errors
/// [`SceneError::Spec`] for a spec without sense; [`SceneError::Nothing`] when a picture is so
/// small that a dozen pixels of no object are seen.
pub fn scene(spec: &SceneSpec, index: u64) -> Result<Scene, SceneError> {
    spec.check()?;
    let stream = |purpose: &str| Seed(spec.seed).stream(&format!("infrared {index} {purpose}"));
    let weather = Weather::draw(spec, &mut stream("weather"));
    let mut objects = layout(spec, &weather, &mut stream("layout"));
    let laid_out = objects.len();
    // What is hardly seen is taken out and the scene painted again, so that nothing in the
    // picture is without its label.
    let (painted, instances) = loop {
        let painted = paint(spec, &weather, &objects, index);
        let found = instances(&painted, &objects, (spec.width, spec.height));
        if found.iter().all(Option::is_some) {
            break (painted, found);
        }
        let mut seen = found.iter().map(Option::is_some);
        objects.retain(|_| seen.next().unwrap_or(false));
    };
    if objects.is_empty() {
        return Err(SceneError::Nothing {
            seed: spec.seed,
            index,
            objects: laid_out,
        });
    }
    let mut picture = radiance(&painted.samples);
    blur(&mut picture, spec.width, spec.blur_px);
    Ok(Scene {
        name: format!("{}-{index:06}", spec.seed),
        height: spec.height,
        width: spec.width,
        ambient_c: weather.ambient_c,
        temperature_c: read(&picture, spec, &mut stream("noise")),
        instances: instances.into_iter().flatten().collect(),
    })
}
