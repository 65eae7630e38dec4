//! `annotated-pictures`: pictures with annotations in COCO, LabelMe or Pascal VOC.
//!
//! Pictures of several sizes and depths may stand beside each other, and a set may have one class
//! only: [`ThermalSet::census`] says what is there.
//!
//! [`ThermalSet::census`]: super::thermal::ThermalSet::census

use std::collections::HashSet;
use std::path::PathBuf;

use super::annotation::coco::read_coco;
use super::annotation::labelme::read_labelme;
use super::annotation::voc::read_voc;
use super::annotation::{AnnotatedImage, AnnotationSet, Pictures};
use super::thermal::{ThermalPicture, collect, known, read_picture};
use super::{InputFile, Inputs};
use crate::content::Content;
use crate::error::DataError;
use crate::manifest::{AnnotationForm, PictureSettings, Settings};

/// Decodes pictures and annotations.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<Content, DataError> {
    let Settings::Pictures(settings) = inputs.settings else {
        unreachable!("a manifest is checked to hold the settings of its decoder");
    };
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
    let file = files
        .first()
        .map_or(inputs.dataset, |file| file.path.as_str());
    collect(inputs, pictures, vec![(set, file.as_ref())], settings.grey_range)
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
