//! What a data set holds, said after decoding.

use std::collections::{BTreeMap, BTreeSet};

use retrial_core::census::Census;

use super::annotation::AnnotationSet;
use super::thermal::{Depth, ThermalPicture, ThermalSet};
use crate::content::{Content, DigitSet};

impl Content {
    /// What is there, and what was repaired or looks wrong.
    #[must_use]
    pub fn census(&self) -> Census {
        match self {
            Self::Thermal(set) => thermal(set),
            Self::Digits(digits) => {
                let mut census = Census::default();
                digits_of(&digits.train, "training", &mut census);
                digits_of(&digits.test, "test", &mut census);
                census.warn_all(&digits.repairs, "repairs");
                census
            }
            Self::Labelled(set) => {
                let mut census = Census::default();
                let (train, val) = (set.train.len(), set.val.len());
                let classes = set.classes.len();
                census.fact(format!(
                    "{train} training and {val} validation pictures of {classes} classes"
                ));
                census
            }
            Self::Several(parts) => {
                let mut census = Census::default();
                for (name, part) in parts {
                    census.extend(name, part.census());
                }
                census
            }
            Self::Series(_) | Self::Pictures(_) | Self::Weights(_) | Self::Targets(_) => {
                Census::default()
            }
        }
    }
}

fn digits_of(set: &DigitSet, what: &str, census: &mut Census) {
    let mut counts = BTreeMap::<u8, usize>::new();
    for label in &set.labels {
        *counts.entry(*label).or_default() += 1;
    }
    let (items, width, height) = (set.len(), set.width, set.height);
    let counts: Vec<String> = counts.iter().map(|(d, n)| format!("{d} ({n})")).collect();
    census.fact(format!(
        "{items} {what} items of {width} × {height} px: {}",
        counts.join(", ")
    ));
}

fn thermal(set: &ThermalSet) -> Census {
    let mut census = Census::default();
    let mut kinds = BTreeMap::<(usize, usize, Depth), usize>::new();
    for p in &set.pictures {
        *kinds.entry((p.width, p.height, p.depth)).or_default() += 1;
    }
    for ((width, height, depth), count) in kinds {
        let depth = match depth {
            Depth::Gray8 => "8-bit grey",
            Depth::Gray16 => "16-bit grey",
            Depth::Rgb8 => "8-bit colour",
            Depth::Other => "another depth, read as 8-bit colour",
        };
        census.fact(format!("{} of {width} × {height} px, {depth}", pictures(count)));
    }
    let with = |there: &dyn Fn(&ThermalPicture) -> bool| {
        set.pictures.iter().filter(|picture| there(picture)).count()
    };
    let temperatures = with(&|p| p.temperature.is_some());
    if temperatures > 0 {
        census.fact(format!("{} with temperatures", pictures(temperatures)));
    }
    if let Some([black, white]) = set.grey_range() {
        let whose = match set.stated_range {
            Some(_) => "stated in the manifest",
            None => "the least and the greatest value of the set",
        };
        census.fact(format!("16-bit grey from {black} (black) to {white} (white), {whose}"));
    }
    for annotated in &set.annotations {
        annotations(set, annotated, &mut census);
    }
    census
}

fn annotations(set: &ThermalSet, annotated: &AnnotationSet, census: &mut Census) {
    let name = &annotated.name;
    let mut classes = Vec::new();
    for category in &annotated.categories {
        let objects = annotated.annotations.iter();
        let own = objects.filter(|a| a.category_id == category.id);
        let count = own.clone().count();
        let boxes = own.filter(|a| !a.is_outlined()).count();
        classes.push(match boxes {
            0 => format!("{} ({count})", category.name),
            _ => format!("{} ({count}, {boxes} with a box only)", category.name),
        });
    }
    let crowds = annotated.annotations.iter().filter(|a| a.crowd).count();
    let crowds = match crowds {
        0 => String::new(),
        crowds => format!("; {crowds} of them are crowds"),
    };
    let count = annotated.annotations.len();
    census.fact(format!(
        "{name}: {count} objects: {}{crowds}",
        classes.join(", ")
    ));
    let with_object: BTreeSet<u64> = annotated.annotations.iter().map(|a| a.image_id).collect();
    let images = annotated.images.iter();
    let negatives = images.filter(|i| !with_object.contains(&i.id)).count();
    if negatives > 0 {
        census.fact(format!("{name}: {} without an object (negatives)", pictures(negatives)));
    }
    let listed: BTreeSet<&str> = annotated.images.iter().map(|i| i.file_name.as_str()).collect();
    let unlisted = set.pictures.iter().map(|picture| picture.name.as_str());
    let unlisted: Vec<&str> = unlisted.filter(|name| !listed.contains(name)).collect();
    if let Some(first) = unlisted.first() {
        census.warn(format!(
            "{name}: {} not in its list, such as {first}; list a negative to use it",
            pictures(unlisted.len())
        ));
    }
    let file = |path: &std::path::Path| path.file_name().map(|f| f.to_string_lossy().into_owned());
    for (faults, kind) in [
        (&annotated.repairs, "repairs"),
        (&annotated.warnings, "annotation warnings"),
    ] {
        let lines: Vec<String> = faults
            .iter()
            .map(|f| {
                let file = file(&f.file).unwrap_or_default();
                format!("{file}: {}: {}: {}", f.item, f.key, f.problem)
            })
            .collect();
        census.warn_all(&lines, kind);
    }
}

fn pictures(count: usize) -> String {
    match count {
        1 => "1 picture".to_owned(),
        count => format!("{count} pictures"),
    }
}
