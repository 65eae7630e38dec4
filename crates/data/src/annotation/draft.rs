//! A set of annotations while it is read: each picture and object with the place it stands in, so
//! that whatever is found later is said of the right file.

use std::collections::HashMap;
use std::path::Path;

use super::fault::{AnnotationFault, Findings, Problem, Spot};
use super::model::{AnnotatedImage, Annotation, AnnotationSet, Category};
use super::pictures::Pictures;

/// What the keys of a picture are called in a kind of file.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) name: &'static str,
    pub(super) width: &'static str,
    pub(super) height: &'static str,
}

/// What was read so far.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) keys: &'static Keys,
    pub(super) categories: Vec<Category>,
    pub(super) images: Vec<(Spot, AnnotatedImage)>,
    pub(super) objects: Vec<(Spot, Annotation)>,
}

impl Keys {
    /// A picture's name on disk and its columns and rows, which the picture itself tells where the
    /// annotation does not; nothing for a fault. Where no picture is known, none is checked.
    pub(super) fn placed(
        &self,
        named: &str,
        stated: [usize; 2],
        spot: &Spot,
        pictures: &Pictures,
        findings: &mut Findings,
    ) -> Option<(String, [usize; 2])> {
        let found = match pictures.find(named) {
            Ok(found) => found,
            Err(_) if pictures.is_empty() => {
                if stated.contains(&0) {
                    let found = format!("no size, and no picture {named:?}");
                    let expected = "width and height, or a picture that tells them";
                    findings.fault(spot, self.width, Problem::Kind { found, expected });
                    return None;
                }
                return Some((named.replace('\\', "/"), stated));
            }
            Err(problem) => {
                findings.fault(spot, self.name, problem);
                return None;
            }
        };
        let sides = [self.width, self.height].into_iter().zip(stated);
        let mut sides = sides.zip(found.size);
        let wrong = sides.find(|((_, stated), found)| *stated > 0 && stated != found);
        if let Some(((key, _), _)) = wrong {
            let found = found.size;
            findings.fault(spot, key, Problem::PictureSize { found, stated });
            return None;
        }
        if stated.contains(&0) {
            let [width, height] = found.size;
            let what = format!("no size is stated; the picture's {width} × {height} px are used");
            findings.repair(spot, self.width, what);
        }
        if found.repaired {
            let what = format!("{named:?} is taken for {:?}", found.name);
            findings.repair(spot, self.name, what);
        }
        Some((found.name.to_owned(), found.size))
    }
}

impl Draft {
    pub(super) fn new(name: &str, keys: &'static Keys, categories: Vec<Category>) -> Self {
        Self {
            name: name.to_owned(),
            keys,
            categories,
            images: Vec::new(),
            objects: Vec::new(),
        }
    }

    /// The set, or every fault; it must have an object. `file` is the first of its files.
    pub(super) fn finish(
        mut self,
        file: &Path,
        mut findings: Findings,
    ) -> Result<AnnotationSet, Vec<AnnotationFault>> {
        self.merge_pictures(&mut findings);
        self.drop_repeated(&mut findings);
        let spot = Spot {
            file: file.to_owned(),
            item: "whole set".to_owned(),
        };
        if findings.faults.is_empty() && self.objects.iter().all(|(_, object)| object.crowd) {
            let problem = match self.objects.len() {
                0 => Problem::NothingAnnotated {
                    images: self.images.len(),
                    left_out: findings.left_out.clone(),
                },
                objects => Problem::NoExample { objects },
            };
            findings.fault(&spot, "annotations", problem);
        }
        findings.warn_of_far_boxes();
        if !findings.faults.is_empty() {
            return Err(findings.faults);
        }
        Ok(AnnotationSet {
            name: self.name,
            categories: self.categories,
            images: self.images.into_iter().map(|(_, image)| image).collect(),
            annotations: self.objects.into_iter().map(|(_, object)| object).collect(),
            warnings: findings.warnings,
            repairs: findings.repairs,
        })
    }

    /// A picture that one file lists several times becomes one with all objects.
    fn merge_pictures(&mut self, findings: &mut Findings) {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut twins: HashMap<u64, u64> = HashMap::new();
        let mut kept: Vec<(Spot, AnnotatedImage)> = Vec::with_capacity(self.images.len());
        for (spot, image) in self.images.drain(..) {
            let Some(&place) = places.get(&image.file_name) else {
                places.insert(image.file_name.clone(), kept.len());
                kept.push((spot, image));
                continue;
            };
            let (first, own) = &kept[place];
            let (key, other) = (self.keys.name, first.item.clone());
            if first.file != spot.file {
                let other = first.file.file_name().unwrap_or_default();
                let other = other.to_string_lossy().into_owned();
                findings.fault(&spot, key, Problem::SecondFile { other });
                continue;
            }
            let (found, expected) = (stated(&image), stated(own));
            if found != expected {
                let problem = Problem::Twin {
                    found,
                    other,
                    expected,
                };
                findings.fault(&spot, key, problem);
                continue;
            }
            let what = format!("the picture is listed before as {other}; both entries are one");
            findings.repair(&spot, key, what);
            twins.insert(image.id, own.id);
        }
        self.images = kept;
        for (_, object) in &mut self.objects {
            object.image_id = *twins.get(&object.image_id).unwrap_or(&object.image_id);
        }
    }

    /// One object that is given several times counts once.
    fn drop_repeated(&mut self, findings: &mut Findings) {
        let mut places: HashMap<(u64, u64, [u64; 4]), Vec<usize>> = HashMap::new();
        let mut kept: Vec<(Spot, Annotation)> = Vec::with_capacity(self.objects.len());
        for (spot, object) in self.objects.drain(..) {
            let bbox = object.bbox.map(f64::to_bits);
            let alike = places.entry((object.image_id, object.category_id, bbox));
            let alike = alike.or_default();
            let mut same = alike
                .iter()
                .map(|&place| &kept[place])
                .filter(|(_, other)| {
                    other.segmentation == object.segmentation && other.crowd == object.crowd
                });
            if let Some((first, _)) = same.next() {
                let what = format!("the same object as {}; it counts once", first.item);
                findings.repair(&spot, "bbox", what);
                continue;
            }
            alike.push(kept.len());
            kept.push((spot, object));
        }
        self.objects = kept;
    }
}

/// What an entry states of its picture, for people.
fn stated(image: &AnnotatedImage) -> String {
    let mut text = format!("{} × {} px", image.width, image.height);
    for (key, word) in [
        ("preset", &image.preset),
        ("temperature_file", &image.temperature_file),
    ] {
        if let Some(word) = word {
            text = format!("{text}, {key} {word:?}");
        }
    }
    if let Some(night) = image.night {
        text = format!("{text}, night {night}");
    }
    text
}
