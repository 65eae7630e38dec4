//! The detector without a net that the publication argues against.

use retrial_classical::{DetectorSettings, Instance, TrainingPicture, fit_detector};
use retrial_image::GrayImage;
use retrial_runner::{Context, TrialError, cpu_seconds};

use super::items::{Item, Items};
use super::judge::{Detections, of_mask};

pub(super) fn detect(context: &Context, items: &Items) -> Result<(Detections, f64), TrialError> {
    let image = |item: &Item| {
        let gray = item.gray.iter().map(|value| value * 255.0).collect();
        GrayImage::new(items.train.frame.width, items.train.frame.height, gray)
            .map_err(TrialError::of)
    };
    let mut pictures = Vec::with_capacity(items.train.pictures.len());
    for item in &items.train.pictures {
        let objects = item.objects.iter();
        let instances = objects.filter(|object| !object.crowd && object.outlined);
        pictures.push(TrainingPicture {
            picture: image(item)?,
            instances: instances
                .map(|object| Instance {
                    mask: object.mask.clone(),
                    class: object.class,
                })
                .collect(),
        });
    }
    let settings = DetectorSettings::default();
    let mut stream = context.seed().stream("classical");
    let detector = fit_detector(&pictures, &settings, &mut stream).map_err(TrialError::of)?;
    let before = cpu_seconds();
    let mut all = Vec::with_capacity(items.test.len());
    for item in &items.test {
        context.stop_point()?;
        let found = retrial_classical::detect(&detector, &image(item)?, &mut stream)
            .map_err(TrialError::of)?;
        let one = found
            .iter()
            .filter_map(|d| of_mask(d.class, d.confidence, &d.mask));
        all.push(one.collect());
        context.progress(all.len() as u64, items.test.len() as u64, "pictures");
    }
    Ok((all, (cpu_seconds() - before) / items.test.len() as f64))
}
