//! `annotated-pictures`: pictures with annotations in COCO, LabelMe or Pascal VOC.
//!
//! Pictures of several sizes and depths may stand beside each other, and a set may have one class
//! only: its census says what is there.

pub mod settings;

use std::collections::HashSet;
use std::path::PathBuf;

use self::settings::{AnnotationForm, PictureSettings};
use super::thermal::{collect, known, read_picture};
use super::{Format, InputFile, Inputs};
use crate::annotation::coco::read_coco;
use crate::annotation::labelme::read_labelme;
use crate::annotation::voc::read_voc;
use crate::annotation::{AnnotatedImage, AnnotationSet, Pictures};
use crate::content::thermal::{ThermalPicture, ThermalSet};
use crate::error::DataError;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "annotated-pictures",
    settings: Some(settings::KEY),
    roles: &["picture", "annotations"],
    generates: false,
};

/// Decodes pictures and annotations.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<ThermalSet, DataError> {
    let settings: &PictureSettings = inputs.settings();
    let of_role = |role| inputs.files.iter().filter(move |file| file.role == role);
    let files: Vec<&InputFile> = of_role("annotations").collect();
    let pictures: Vec<ThermalPicture> = of_role("picture")
        .map(|file| read_picture(&file.path, &file.at, None, None))
        .collect::<Result<_, _>>()?;
    let known = known(&pictures);
    let mut set = annotations(inputs, settings, &files, &known)?;
    if settings.form != AnnotationForm::Coco {
        add_negatives(&mut set, &known);
    }
    collect(inputs, pictures, vec![set], settings.grey_range)
}

fn annotations(
    inputs: &Inputs<'_>,
    settings: &PictureSettings,
    files: &[&InputFile],
    pictures: &Pictures,
) -> Result<AnnotationSet, DataError> {
    let PictureSettings {
        name,
        form,
        classes,
        grey_range: _,
    } = settings;
    let paths: Vec<PathBuf> = files.iter().map(|file| file.at.clone()).collect();
    match form {
        AnnotationForm::Coco => read_coco(name, inputs.role("annotations")?, pictures),
        AnnotationForm::LabelMe => read_labelme(name, &paths, classes, pictures),
        AnnotationForm::Voc => read_voc(name, &paths, classes, pictures),
    }
}

/// A picture without a file of its own is one without an object: LabelMe and labelImg write none.
fn add_negatives(set: &mut AnnotationSet, pictures: &Pictures) {
    let listed: HashSet<String> = set.images.iter().map(|i| i.file_name.clone()).collect();
    for (name, [width, height]) in pictures.names() {
        if !listed.contains(name) {
            set.images.push(AnnotatedImage {
                id: set.images.iter().map(|image| image.id).max().unwrap_or(0) + 1,
                file_name: name.to_owned(),
                temperature_file: None,
                width,
                height,
                preset: None,
                night: None,
            });
        }
    }
}
