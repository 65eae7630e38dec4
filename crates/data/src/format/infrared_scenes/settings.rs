//! `scenes:` generated thermograms; what is left out is the generator's default.

use std::sync::Arc;

use retrial_core::declare::WordDef;
use retrial_core::fault::Faults;
use retrial_core::keys;
use retrial_core::keys::{At, Form, Key, KeyType};
use retrial_core::yaml::Node;
use retrial_synth::infrared::{Emissivity, EquipmentClass, SceneError, SceneSpec};

use crate::format::{FormatSettings, SettingsKey};
use crate::words::{Known, read_word};

/// Most scenes of one set, which is held in memory.
const MOST_SCENES: u64 = 20_000;

/// Where they stand in a manifest.
pub(super) const KEY: SettingsKey = SettingsKey {
    key: Key::new("scenes", SceneKeys::form, "Settings of `infrared-scenes`."),
    read: read_settings,
};

keys! {
    /// Generated thermograms.
    pub struct SceneKeys {
        /// Seed of the set.
        seed: u64 [needed()];
        /// How many, 1 to 20,000; a scene does not depend on it.
        count: At<u64> [needed()];
        /// Columns of the pictures.
        width_px: usize [needed()];
        /// Rows of the pictures.
        height_px: usize [needed()];
        /// Kinds of equipment by name, all 20 without it; their ids follow the order.
        classes: Vec<At<ClassName>>;
        /// How many objects a scene has, 1 to 4 without it; fewer where no room is left.
        objects: ObjectsKeys;
        /// Probability that an object is of the kind of the one placed before it.
        alike: f64 = SceneSpec::default().alike;
        /// Largest share of the smaller box that two boxes have in common; 0 keeps objects apart.
        overlap: f64 = SceneSpec::default().overlap;
        /// Probability of one object alone that is larger than the picture.
        crop: f64 = SceneSpec::default().crop;
        /// Largest tilt of upright equipment either way, degrees.
        tilt_deg: f64 = SceneSpec::default().tilt_deg;
        /// Probability that an object has a hot joint.
        hot_spots: f64 = SceneSpec::default().hot_spots;
        /// Density of girders and wires, which have no label.
        clutter: f64 = SceneSpec::default().clutter;
        /// How surfaces radiate.
        emissivity: Known<Emissivity> = Known(SceneSpec::default().emissivity);
        /// Noise of a pixel, K.
        noise_k: f64 = SceneSpec::default().noise_k;
        /// Noise of a column, K.
        column_k: f64 = SceneSpec::default().column_k;
        /// Blur of the optics, px.
        blur_px: f64 = SceneSpec::default().blur_px;
    }
}

keys! {
    /// How many objects a scene has.
    pub struct ObjectsKeys {
        /// Fewest.
        least: usize [needed()];
        /// Most.
        most: usize [needed()];
    }
}

/// A kind of equipment by its name.
#[derive(Clone, Copy, Debug)]
pub struct ClassName(pub EquipmentClass);

impl KeyType for ClassName {
    fn form() -> Form {
        let words = EquipmentClass::ALL.iter().map(|class| WordDef {
            word: class.name(),
            was: &[],
            doc: "",
        });
        Form::Word(words.collect())
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let known = EquipmentClass::ALL.iter();
        let known = known.map(|class| (class.name(), *class));
        read_word((node, path), known, faults).map(Self)
    }
}

/// Generated thermograms.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneSettings {
    /// How many; scene `i` does not depend on this.
    pub count: u64,
    /// Everything else, the seed among it.
    pub spec: SceneSpec,
}

impl FormatSettings for SceneSettings {}

fn read_settings(node: &Node, path: &str, faults: &mut Faults) -> Option<Arc<dyn FormatSettings>> {
    let keys = SceneKeys::read(node, path, faults)?;
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
    Some(Arc::new(SceneSettings {
        count: count.value,
        spec,
    }))
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
