//! `thermal:` where the temperatures are.

use std::sync::Arc;

use retrial_core::fault::Faults;
use retrial_core::keys;
use retrial_core::keys::{Key, KeyType as _};
use retrial_core::yaml::Node;

use crate::format::thermal::{GreyRange, PlaneSettings};
use crate::format::{FormatSettings, SettingsKey};

/// Where they stand in a manifest.
pub(super) const KEY: SettingsKey = SettingsKey {
    key: Key::new("thermal", ThermalKeys::form, "Settings of `thermal-coco`."),
    read: read_settings,
};

keys! {
    /// Where annotations and temperatures of infrared pictures are.
    pub struct ThermalKeys {
        /// Sets of annotations.
        annotations: Vec<AnnotationKeys> [needed()];
        /// The plane of temperatures that originals carry as little-endian 16-bit numbers.
        plane: PlaneKeys;
        /// Black and white of pictures of 16-bit grey, in place of the least and the greatest value of the set.
        grey_range: GreyRange;
    }
}

keys! {
    /// A set of annotations.
    pub struct AnnotationKeys {
        /// Its name.
        name: String [needed()];
        /// Its COCO file.
        file: String [needed()];
    }
}

keys! {
    /// A plane of temperatures inside a larger file.
    pub struct PlaneKeys {
        /// First byte.
        offset: u64 [needed()];
        /// Columns.
        width: usize [needed()];
        /// Rows.
        height: usize [needed()];
    }
}

/// Infrared pictures with a temperature plane.
#[derive(Clone, Debug, PartialEq)]
pub struct ThermalSettings {
    /// Annotation sets: name and COCO file.
    pub annotations: Vec<(String, String)>,
    /// The temperature plane that some originals carry behind the picture.
    pub plane: Option<PlaneSettings>,
    /// Black and white of pictures of 16-bit grey, in place of the set's own range.
    pub grey_range: Option<[u16; 2]>,
}

impl FormatSettings for ThermalSettings {
    fn files(&self) -> Vec<&str> {
        self.annotations.iter().map(|own| own.1.as_str()).collect()
    }
}

fn read_settings(node: &Node, path: &str, faults: &mut Faults) -> Option<Arc<dyn FormatSettings>> {
    let keys = ThermalKeys::read(node, path, faults)?;
    let annotations = keys.annotations.unwrap_or_default().into_iter();
    let plane = keys.plane.and_then(|plane| {
        Some(PlaneSettings {
            offset: plane.offset?,
            width: plane.width?,
            height: plane.height?,
        })
    });
    Some(Arc::new(ThermalSettings {
        annotations: annotations
            .filter_map(|own| own.name.zip(own.file))
            .collect(),
        plane,
        grey_range: keys.grey_range.map(|range| range.0),
    }))
}
