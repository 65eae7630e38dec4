//! `scenes:`: generated thermograms; what is left out is the generator's default.

use retrial_core::fault::Faults;
use retrial_core::keys::At;
use retrial_synth::infrared::{EquipmentClass, SceneError, SceneSpec};

use crate::manifest::SceneSettings;
use crate::manifest::keys::{ClassName, SceneKeys};

/// Most scenes of one set, which is held in memory.
const MOST_SCENES: u64 = 20_000;

pub(super) fn scenes_of(keys: SceneKeys, faults: &mut Faults) -> Option<SceneSettings> {
    let default = SceneSpec::default();
    let classes = keys.classes.map(|stated| classes(stated, faults));
    let objects = keys.objects.and_then(|ends| ends.least.zip(ends.most));
    let spec = SceneSpec {
        seed: keys.seed?,
        width: keys.width_px?,
        height: keys.height_px?,
        classes: classes.unwrap_or(default.classes),
        objects: objects.unwrap_or(default.objects),
        emissivity: keys.emissivity.0,
        alike: keys.alike,
        overlap: keys.overlap,
        crop: keys.crop,
        tilt_deg: keys.tilt_deg,
        hot_spots: keys.hot_spots,
        clutter: keys.clutter,
        noise_k: keys.noise_k,
        column_k: keys.column_k,
        blur_px: keys.blur_px,
        ..default
    };
    if let Err(SceneError::Spec { faults: found }) = spec.check() {
        for fault in found {
            faults.add(&keys.site.place, &keys.site.path, fault.to_string());
        }
    }
    let count = keys.count?;
    if !(1..=MOST_SCENES).contains(&count.value) {
        let message = format!("{} scenes, expected 1 to {MOST_SCENES}", count.value);
        count.fault(message, faults);
    }
    Some(SceneSettings {
        count: count.value,
        spec,
    })
}

fn classes(stated: Vec<At<ClassName>>, faults: &mut Faults) -> Vec<EquipmentClass> {
    let mut classes = Vec::new();
    for stated in stated {
        let ClassName(class) = stated.value;
        if classes.contains(&class) {
            stated.fault(format!("{:?} is given twice", class.name()), faults);
        } else {
            classes.push(class);
        }
    }
    classes
}
