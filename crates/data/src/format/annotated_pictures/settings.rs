//! `pictures:` how the annotations are written.

use std::collections::BTreeSet;
use std::sync::Arc;

use retrial_core::fault::Faults;
use retrial_core::keys::{At, Key, KeyType as _};
use retrial_core::yaml::Node;
use retrial_core::{keys, words};

use crate::format::thermal::GreyRange;
use crate::format::{FormatSettings, SettingsKey};
use crate::words::Known;

/// Where they stand in a manifest.
pub(super) const KEY: SettingsKey = SettingsKey {
    key: Key::new(
        "pictures",
        PictureKeys::form,
        "Settings of `annotated-pictures`.",
    ),
    read: read_settings,
};

keys! {
    /// How the annotations of pictures are written.
    pub struct PictureKeys {
        /// Name of the set of annotations.
        name: String = "objects".to_owned();
        /// Form of its files.
        annotations: Known<AnnotationForm> [needed()];
        /// Names of the classes in the order of their ids; not for `coco`, whose file lists them.
        classes: Vec<At<String>>;
        /// Black and white of pictures of 16-bit grey, in place of the least and the greatest value of the set.
        grey_range: GreyRange;
    }
}

words! {
    /// How annotations are written.
    pub enum AnnotationForm {
        /// One JSON file for all pictures.
        Coco = "coco",
        /// One JSON file a picture.
        LabelMe = "labelme",
        /// One XML file a picture.
        Voc = "voc",
    }
}

/// Pictures with annotations in one of the common forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureSettings {
    /// The name of the annotation set.
    pub name: String,
    /// How its files are written.
    pub form: AnnotationForm,
    /// The classes in the order of their ids; COCO's file lists them itself.
    pub classes: Vec<String>,
    /// Black and white of pictures of 16-bit grey, in place of the set's own range.
    pub grey_range: Option<[u16; 2]>,
}

impl FormatSettings for PictureSettings {}

fn read_settings(node: &Node, path: &str, faults: &mut Faults) -> Option<Arc<dyn FormatSettings>> {
    let keys = PictureKeys::read(node, path, faults)?;
    let form = keys.annotations.map(|form| form.0);
    let mut classes = Vec::new();
    let mut seen = BTreeSet::new();
    for class in keys.classes.unwrap_or_default() {
        if !seen.insert(class.value.clone()) {
            class.fault(format!("{:?} is given twice", class.value), faults);
        }
        classes.push(class.value);
    }
    let (listed, coco) = (!classes.is_empty(), form == Some(AnnotationForm::Coco));
    if form.is_some() && listed == coco {
        let message = match coco {
            true => "a COCO file lists its classes itself; leave them out",
            false => "no class is listed; list those that annotations may name",
        };
        faults.add(&keys.site.place, &keys.site.path("classes"), message);
    }
    Some(Arc::new(PictureSettings {
        name: keys.name,
        form: form?,
        classes,
        grey_range: keys.grey_range.map(|range| range.0),
    }))
}
