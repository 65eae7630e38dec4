//! `pictures:`: how the annotations of pictures are written.

use std::collections::BTreeSet;

use retrial_core::fault::Faults;
use retrial_core::yaml::{MapReader, text};

use crate::manifest::read::choice;
use crate::manifest::{AnnotationForm, PictureSettings};

pub(super) fn read_pictures(
    mut reader: MapReader<'_>,
    faults: &mut Faults,
) -> Option<PictureSettings> {
    let name = reader.text("name", faults).unwrap_or("objects".to_owned());
    let forms = [
        ("coco", AnnotationForm::Coco),
        ("labelme", AnnotationForm::LabelMe),
        ("voc", AnnotationForm::Voc),
    ];
    let form = choice(&mut reader, "annotations", &forms, faults);
    let key = reader.path("classes");
    let mut classes = Vec::new();
    let mut seen = BTreeSet::new();
    for (i, node) in reader
        .list("classes", faults)
        .unwrap_or(&[])
        .iter()
        .enumerate()
    {
        let path = format!("{key}[{i}]");
        let Some(class) = text(node, &path, faults) else {
            continue;
        };
        if !seen.insert(class.clone()) {
            faults.add(&node.place, &path, format!("{class:?} is given twice"));
        }
        classes.push(class);
    }
    let (listed, coco) = (!classes.is_empty(), form == Some(AnnotationForm::Coco));
    if form.is_some() && listed == coco {
        let message = match coco {
            true => "a COCO file lists its classes itself; leave them out",
            false => "no class is listed; list those that annotations may name",
        };
        faults.add(reader.place(), &key, message);
    }
    let grey_range = super::grey_range(&mut reader, faults);
    reader.finish(faults);
    Some(PictureSettings {
        name,
        form: form?,
        classes,
        grey_range,
    })
}
