//! One scene: its thermogram and everything that is true about it.

use retrial_image::InstanceMask;
use retrial_seed::Seed;

use super::backdrop::Weather;
use super::class::EquipmentClass;
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

/// One piece of equipment.
///
/// A pixel is inside a mask when more than half of its area is. Temperatures are those of the
/// surface itself, over what is seen of it; emissivity, blur and noise change what the camera
/// reads, not these.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneInstance {
    /// What it is.
    pub class: EquipmentClass,
    /// The pixels where it is seen. No two instances share one.
    pub visible: InstanceMask,
    /// The pixels where it is, seen or hidden; cut at the border of the picture.
    pub whole: InstanceMask,
    /// The tight box around `visible`, `[x0, y0, x1, y1]` px.
    pub bbox: [f64; 4],
    /// Its parts in the order of the class; a part of which nothing is seen is left out.
    pub parts: Vec<ScenePart>,
    /// A joint that runs hot, if it has one and it is seen.
    pub hot_spot: Option<HotSpot>,
    /// Hottest, °C.
    pub max_c: f64,
    /// Mean, °C.
    pub mean_c: f64,
    /// Share of `whole` where another instance is as well, before it or behind it.
    pub overlap: f64,
    /// Share of `whole` that is not seen: behind other instances or wires.
    pub hidden: f64,
    /// Largest intersection over union of `bbox` with the box of another instance.
    pub box_iou: f64,
    /// Share of the box of the entire object that lies outside the picture.
    pub cropped: f64,
}

/// One part of a piece of equipment, as far as it is seen.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenePart {
    /// Position in [`EquipmentClass::parts`].
    pub number: usize,
    /// Name of the part.
    pub name: &'static str,
    /// Middle of `bbox`, `[x, y]` px.
    pub centre: [f64; 2],
    /// The tight box around its pixels, `[x0, y0, x1, y1]` px.
    pub bbox: [f64; 4],
    /// Hottest, °C.
    pub max_c: f64,
    /// Mean, °C.
    pub mean_c: f64,
}

/// A joint that runs hot.
#[derive(Clone, Debug, PartialEq)]
pub struct HotSpot {
    /// Number of the part on which the hottest point is seen.
    pub part: usize,
    /// The hottest point that is seen, `[x, y]` px.
    pub centre: [f64; 2],
    /// Standard deviation of its Gaussian profile, px.
    pub radius_px: f64,
    /// How much hotter its middle is than without the fault, K.
    pub rise_k: f64,
    /// Surface temperature of the hottest point that is seen, °C.
    pub peak_c: f64,
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
