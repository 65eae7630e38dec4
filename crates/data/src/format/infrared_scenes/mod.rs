//! `infrared-scenes`: generated thermograms with exact boxes, masks, parts and temperatures.
//!
//! The temperature plane is in tenths of a degree Celsius, as the cameras of the real sets store it;
//! the pseudo-colour is scaled to the picture, as cameras do. What is stated of temperatures and
//! shares is rounded, so that a mathematical library that differs in the last bit gives the same
//! content.

pub mod settings;

use rayon::prelude::*;
use retrial_image::InstanceMask;
use retrial_synth::infrared::{Scene, SceneInstance, pseudo_colour, scene};

use self::settings::SceneSettings;
use super::thermal::collect;
use super::{Format, Inputs};
use crate::annotation::mask::GENERATED;
use crate::annotation::{
    AnnotatedImage, Annotation, AnnotationSet, Category, HotSpotTruth, Part, SceneTruth,
    Segmentation,
};
use crate::content::thermal::{ThermalPicture, ThermalSet};
use crate::error::DataError;
use crate::picture::Depth;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "infrared-scenes",
    settings: Some(settings::KEY),
    roles: &[],
    generates: true,
};

/// The name of the annotation set.
pub const SET: &str = "equipment";
/// The share of pixels below and above which the colours of a picture do not reach.
const WINDOW: (f64, f64) = (0.005, 0.995);

/// Generates the scenes.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<ThermalSet, DataError> {
    let settings: &SceneSettings = inputs.settings();
    let spec = &settings.spec;
    let scenes: Vec<Scene> = (0..settings.count)
        .into_par_iter()
        .map(|index| scene(spec, index))
        .collect::<Result<_, _>>()
        .map_err(|error| DataError::Scenes {
            dataset: inputs.dataset.to_owned(),
            error,
        })?;
    let classes = spec.classes.iter().zip(1..);
    let mut set = AnnotationSet {
        name: SET.to_owned(),
        categories: classes
            .map(|(class, id)| Category {
                id,
                name: class.name().to_owned(),
            })
            .collect(),
        ..AnnotationSet::default()
    };
    let mut pictures = Vec::new();
    for scene in &scenes {
        let image_id = set.images.len() as u64 + 1;
        set.images.push(AnnotatedImage {
            id: image_id,
            file_name: scene.name.clone(),
            temperature_file: None,
            width: scene.width,
            height: scene.height,
            preset: None,
            night: None,
        });
        for instance in &scene.instances {
            let id = set.annotations.len() as u64 + 1;
            let class = spec
                .classes
                .iter()
                .position(|class| *class == instance.class);
            let class = class.map_or(0, |place| place as u64 + 1);
            set.annotations
                .push(annotation(id, image_id, class, instance));
        }
        pictures.push(picture(scene));
    }
    collect(inputs, pictures, vec![set], None)
}

fn picture(scene: &Scene) -> ThermalPicture {
    let rgb = pseudo_colour(&scene.temperature_c, window(&scene.temperature_c));
    let raw = |&celsius: &f32| (f64::from(celsius) * 10.0).round() as i16;
    ThermalPicture {
        name: scene.name.clone(),
        width: scene.width,
        height: scene.height,
        temperature: Some(scene.temperature_c.iter().map(raw).collect()),
        encoded: retrial_core::hash::content(&rgb),
        rgb,
        depth: Depth::Rgb8,
        gray16: None,
    }
}

/// The temperatures between which the colours are spread.
fn window(temperature_c: &[f32]) -> (f32, f32) {
    let mut sorted = temperature_c.to_vec();
    sorted.sort_by(f32::total_cmp);
    let last = sorted.len().saturating_sub(1) as f64;
    let at = |share: f64| sorted.get((last * share).round() as usize).copied();
    let (low, high) = at(WINDOW.0).zip(at(WINDOW.1)).unwrap_or((0.0, 1.0));
    // A picture of one temperature gets the colours of one kelvin.
    (low, high.max(low + 1.0))
}

fn annotation(id: u64, image_id: u64, class: u64, instance: &SceneInstance) -> Annotation {
    let parts = instance.parts.iter().map(|part| Part {
        part: part.number as u32,
        centre: part.centre,
        bbox: extent(part.bbox),
        name: part.name.to_owned(),
        max_c: Some(rounded(part.max_c, 1e3)),
        mean_c: Some(rounded(part.mean_c, 1e3)),
    });
    let hot_spot = instance.hot_spot.as_ref().map(|spot| HotSpotTruth {
        part: spot.part as u32,
        centre: spot.centre.map(|value| rounded(value, 1e3)),
        rise_k: rounded(spot.rise_k, 1e3),
        peak_c: rounded(spot.peak_c, 1e3),
    });
    Annotation {
        area: instance.visible.area() as f64,
        segmentation: outline(&instance.visible),
        mask_source: GENERATED.to_owned(),
        parts: parts.collect(),
        truth: Some(SceneTruth {
            whole: outline(&instance.whole),
            overlap: rounded(instance.overlap, 1e6),
            hidden: rounded(instance.hidden, 1e6),
            box_iou: rounded(instance.box_iou, 1e6),
            cropped: rounded(instance.cropped, 1e6),
            max_c: rounded(instance.max_c, 1e3),
            mean_c: rounded(instance.mean_c, 1e3),
            hot_spot,
        }),
        ..Annotation::of_box(id, image_id, class, extent(instance.bbox))
    }
}

fn outline(mask: &InstanceMask) -> Segmentation {
    Segmentation::from_runs(&mask.runs())
}

/// `[x, y, width, height]` of the corners `[x0, y0, x1, y1]`.
fn extent([x0, y0, x1, y1]: [f64; 4]) -> [f64; 4] {
    [x0, y0, x1 - x0, y1 - y0]
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}
