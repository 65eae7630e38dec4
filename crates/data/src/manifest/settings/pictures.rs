//! `pictures:`: how the annotations of pictures are written.

use std::collections::BTreeSet;

use retrial_core::fault::Faults;

use crate::manifest::keys::PictureKeys;
use crate::manifest::{AnnotationForm, PictureSettings};

pub(super) fn pictures_of(keys: PictureKeys, faults: &mut Faults) -> Option<PictureSettings> {
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
    Some(PictureSettings {
        name: keys.name,
        form: form?,
        classes,
        grey_range: keys.grey_range.map(|range| range.0),
    })
}
