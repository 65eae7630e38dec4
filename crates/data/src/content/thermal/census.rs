//! What a set of infrared pictures holds, said after decoding.

use std::collections::{BTreeMap, BTreeSet};

use retrial_core::census::{Census, count};

use super::model::{ThermalPicture, ThermalSet};
use crate::annotation::AnnotationSet;
use crate::picture::Depth;

/// What is there, and what was repaired or looks wrong.
pub(super) fn census(set: &ThermalSet) -> Census {
    let mut census = Census::default();
    let mut kinds = BTreeMap::<(usize, usize, Depth), usize>::new();
    for p in &set.pictures {
        *kinds.entry((p.width, p.height, p.depth)).or_default() += 1;
    }
    for ((width, height, depth), number) in kinds {
        let depth = match depth {
            Depth::Gray8 => "8-bit grey",
            Depth::Gray16 => "16-bit grey",
            Depth::Rgb8 => "8-bit colour",
            Depth::Rgb16 => "16-bit colour, read with 8 bits",
        };
        census.fact(format!(
            "{} of {width} × {height} px, {depth}",
            count(number, "picture")
        ));
    }
    let with = |there: &dyn Fn(&ThermalPicture) -> bool| {
        set.pictures.iter().filter(|picture| there(picture)).count()
    };
    let temperatures = with(&|p| p.temperature.is_some());
    if temperatures > 0 {
        census.fact(format!(
            "{} with temperatures",
            count(temperatures, "picture")
        ));
    }
    if let Some([black, white]) = set.grey_range() {
        let whose = match set.stated_range {
            Some(_) => "stated in the manifest",
            None => "the least and the greatest value of the set",
        };
        census.fact(format!(
            "16-bit grey from {black} (black) to {white} (white), {whose}"
        ));
    }
    for annotated in &set.annotations {
        annotations(set, annotated, &mut census);
    }
    let mut first = BTreeMap::<&str, &str>::new();
    let mut alike = Vec::new();
    for picture in &set.pictures {
        let (own, name) = (picture.encoded.as_str(), picture.name.as_str());
        match first.get(own) {
            Some(other) => alike.push(format!(
                "{other} and {name} are the same picture; one may be trained on and the other judged"
            )),
            None => drop(first.insert(own, name)),
        }
    }
    census.warn_all(&alike, "pictures that are there twice");
    census
}

fn annotations(set: &ThermalSet, annotated: &AnnotationSet, census: &mut Census) {
    let name = &annotated.name;
    let mut classes = Vec::new();
    for category in &annotated.categories {
        let objects = annotated.annotations.iter();
        let own = objects.filter(|a| a.category_id == category.id);
        let all = own.clone().count();
        let boxes = own.filter(|a| !a.is_outlined()).count();
        classes.push(match boxes {
            0 => format!("{} ({all})", category.name),
            _ => format!("{} ({all}, {boxes} with a box only)", category.name),
        });
    }
    let crowds = annotated.annotations.iter().filter(|a| a.crowd).count();
    let crowds = match crowds {
        0 => String::new(),
        crowds => {
            let are = if crowds == 1 {
                "is a crowd"
            } else {
                "are crowds"
            };
            format!("; {crowds} of them {are} or difficult, neither trained on nor judged")
        }
    };
    let objects = count(annotated.annotations.len(), "object");
    census.fact(format!("{name}: {objects}: {}{crowds}", classes.join(", ")));
    let with_object: BTreeSet<u64> = annotated.annotations.iter().map(|a| a.image_id).collect();
    let images = annotated.images.iter();
    let negatives = images.filter(|i| !with_object.contains(&i.id)).count();
    if negatives > 0 {
        census.fact(format!(
            "{name}: {} without an object (negatives)",
            count(negatives, "picture")
        ));
    }
    let (preset, none): (Vec<_>, Vec<_>) =
        annotated.images.iter().partition(|i| i.preset.is_some());
    if let (false, Some(first)) = (preset.is_empty(), none.first()) {
        let (with, all) = (preset.len(), annotated.images.len());
        let first = &first.file_name;
        census.warn(format!(
            "{name}: {with} of {} {} a camera `preset`, the others, such as {first}, have none",
            count(all, "picture"),
            if with == 1 { "has" } else { "have" }
        ));
    }
    let listed: BTreeSet<&str> = annotated
        .images
        .iter()
        .map(|i| i.file_name.as_str())
        .collect();
    let unlisted = set.pictures.iter().map(|picture| picture.name.as_str());
    let unlisted: Vec<&str> = unlisted.filter(|name| !listed.contains(name)).collect();
    if let Some(first) = unlisted.first() {
        census.warn(format!(
            "{name}: {} not in its list, such as {first}; list a negative to use it",
            count(unlisted.len(), "picture")
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
