//! `annotated-pictures`: pictures with annotations in COCO, LabelMe or Pascal VOC.
//!
//! Pictures of several sizes and depths may stand beside each other, and a set may have one class
//! only: [`ThermalSet::census`] says what is there.
//!
//! [`ThermalSet::census`]: super::thermal::ThermalSet::census

use std::path::PathBuf;

use super::annotation::AnnotationSet;
use super::annotation::coco::read_coco;
use super::annotation::labelme::read_labelme;
use super::annotation::voc::read_voc;
use super::thermal::{ThermalPicture, collect, read_picture};
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
    let mut set = annotations(inputs, settings, &files)?;
    for image in &mut set.images {
        if let Some(name) = resolve(&image.file_name, &pictures) {
            name.clone_into(&mut image.file_name);
        }
    }
    let file = files
        .first()
        .map_or(inputs.dataset, |file| file.path.as_str());
    collect(pictures, vec![(set, file.as_ref())])
}

fn annotations(
    inputs: &Inputs<'_>,
    settings: &PictureSettings,
    files: &[&InputFile],
) -> Result<AnnotationSet, DataError> {
    let PictureSettings {
        name,
        form,
        classes,
    } = settings;
    let paths: Vec<PathBuf> = files.iter().map(|file| file.at.clone()).collect();
    match form {
        AnnotationForm::Coco => read_coco(name, inputs.role("annotations")?),
        AnnotationForm::LabelMe => read_labelme(name, &paths, classes),
        AnnotationForm::Voc => read_voc(name, &paths, classes),
    }
}

/// The picture that an annotation means: the one of that path, else the only one of that file name.
fn resolve<'p>(named: &str, pictures: &'p [ThermalPicture]) -> Option<&'p str> {
    let names = || pictures.iter().map(|picture| picture.name.as_str());
    if let Some(name) = names().find(|name| *name == named) {
        return Some(name);
    }
    let last = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let mut found = names().filter(|name| last(name) == last(named));
    found.next().filter(|_| found.next().is_none())
}
