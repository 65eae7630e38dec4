//! Which pictures and objects of the data are trained on and judged, and of which classes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rayon::iter::{IntoParallelRefMutIterator as _, ParallelIterator as _};
use retrial_core::census::count;
use retrial_data::{Annotation, AnnotationSet, Content, ThermalPicture, ThermalSet};
use retrial_image::resize::mean_over;
use retrial_image::{GrayImage, InstanceMask};
use retrial_runner::TrialError;

use super::params::Pictures;
use super::split::Presets;

/// Objects with fewer pixels are too small to be seen.
pub(super) const LEAST_PIXELS: usize = 4;

/// A data set with pictures: its name, and the annotations of whole pieces of equipment.
pub(super) type Set<'c> = (&'c str, &'c ThermalSet, &'c AnnotationSet);

/// Names with their objects.
pub(super) type Counts = Vec<(String, usize)>;

/// What a trial uses of its data.
pub(super) struct Choice<'c> {
    pub(super) sets: Vec<Set<'c>>,
    /// Names of the classes with enough objects, in the order of the data sets.
    pub(super) classes: Vec<String>,
    /// The others.
    pub(super) left_out: Counts,
    /// The pictures in the order of the sets and of their names.
    pub(super) pictures: Vec<Chosen<'c>>,
    /// Annotated pictures to train on that `train_pictures` leaves out.
    pub(super) spared: usize,
    /// Whether the last quarter by name is judged in one of the sets.
    pub(super) by_name: bool,
    pub(super) presets: Presets,
    /// Rows and columns of the pictures of the nets.
    pub(super) size: (usize, usize),
}

/// A picture that is used.
pub(super) struct Chosen<'c> {
    /// The place of its set.
    pub(super) set: usize,
    pub(super) picture: &'c ThermalPicture,
    /// Its id in the annotations.
    pub(super) id: u64,
    /// Whether it is judged; else it is trained on.
    pub(super) judged: bool,
    /// The objects of the classes that are seen in it.
    pub(super) objects: Vec<ShownObject<'c>>,
    /// The classes, from 1, of those that are too small to be seen.
    pub(super) too_small: Vec<usize>,
}

/// An object as a picture of the nets shows it.
pub(super) struct ShownObject<'c> {
    pub(super) annotation: &'c Annotation,
    /// Its class, from 1.
    pub(super) class: usize,
    /// Its pixels; those of its box where nobody outlined it.
    pub(super) mask: InstanceMask,
    /// The box around them.
    pub(super) corners: [f32; 4],
}

/// Objects that were drawn before.
#[derive(Default)]
pub(super) struct ShapeCache(Mutex<HashMap<ShapeKey, Option<Shape>>>);

/// What decides the pixels of an object within a content.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct ShapeKey {
    set: usize,
    /// Id of the picture, and the place of the object among its own.
    object: (u64, usize),
    /// Rows and columns of the picture, and of what the nets see of it.
    sizes: [(usize, usize); 2],
}

/// Pixels of an object with the box around them; nothing of one that is too small to be seen.
type Shape = (InstanceMask, [f32; 4]);

impl ShapeCache {
    fn shape(
        &self,
        key: ShapeKey,
        draw: impl FnOnce() -> Result<Option<Shape>, TrialError>,
    ) -> Result<Option<Shape>, TrialError> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shape) = known().get(&key) {
            return Ok(shape.clone());
        }
        let shape = draw()?;
        known().insert(key, shape.clone());
        Ok(shape)
    }
}

/// Chooses pictures and classes; `drawn` are objects of earlier choices from the same content.
pub(super) fn choose<'c>(
    params: &Pictures,
    name: &'c str,
    content: &'c Content,
    drawn: Option<&ShapeCache>,
) -> Result<Choice<'c>, TrialError> {
    let mut sets = Vec::new();
    for (name, content) in parts(name, content) {
        match content {
            Content::Thermal(set) => sets.push((name, set, annotations(name, set)?)),
            Content::Labelled(_) | Content::Weights(_) => {}
            other => {
                return Err(TrialError::Other(format!(
                    "the data set `{name}` holds {}, which this study cannot use",
                    other.kind()
                )));
            }
        }
    }
    let (classes, left_out) = classes(&sets, params.min_instances)?;
    let presets = Presets::new(params, &sets)?;
    let mut pictures = Vec::new();
    let mut by_name = false;
    for (place, (_, set, annotated)) in sets.iter().enumerate() {
        by_name |= presets.split(place, set, annotated, &mut pictures);
    }
    let train = pictures.iter().filter(|chosen| !chosen.judged).count();
    let wanted = params.train_pictures;
    if wanted > train {
        return Err(TrialError::Other(format!(
            "train_pictures asks for {}, the data set has {train} to train on",
            count(wanted, "picture")
        )));
    }
    if wanted > 0 {
        let kept = |place: &usize| place * wanted / train != (place + 1) * wanted / train;
        let mut places = 0..train;
        pictures.retain(|chosen| chosen.judged || places.next().is_some_and(|place| kept(&place)));
    }
    let judged = pictures.iter().filter(|chosen| chosen.judged).count();
    let used = pictures.len() - judged;
    if used == 0 || judged == 0 {
        let why = presets.why();
        return Err(TrialError::Other(format!(
            "{} to train on and {judged} to judge: both are needed{why}",
            count(used, "picture")
        )));
    }
    let size = (params.image_height, params.image_width);
    pictures.par_iter_mut().try_for_each(|chosen| {
        let annotated = sets[chosen.set].2;
        see(chosen, annotated, &classes, size, drawn)
    })?;
    Ok(Choice {
        sets,
        classes,
        left_out,
        pictures,
        spared: train - used,
        by_name,
        presets,
        size,
    })
}

/// The contents of a data set of several, with their names.
pub(super) fn parts<'c>(name: &'c str, content: &'c Content) -> Vec<(&'c str, &'c Content)> {
    match content {
        Content::Several(parts) => parts
            .iter()
            .map(|(name, part)| (name.as_str(), part))
            .collect(),
        one => vec![(name, one)],
    }
}

/// The annotations of whole pieces of equipment.
fn annotations<'s>(name: &str, set: &'s ThermalSet) -> Result<&'s AnnotationSet, TrialError> {
    let named = set.annotations.iter().find(|own| own.name == "equipment");
    named
        .or_else(|| set.annotations.first())
        .ok_or_else(|| TrialError::Other(format!("the data set `{name}` has no annotations")))
}

/// Names of the classes with enough objects, in the order of the data sets, and the others.
fn classes(sets: &[Set<'_>], least: usize) -> Result<(Vec<String>, Counts), TrialError> {
    let mut counts: Counts = Vec::new();
    for (_, _, annotated) in sets {
        for category in &annotated.categories {
            let own = annotated.annotations.iter();
            let count = own
                .filter(|a| a.category_id == category.id && !a.crowd)
                .count();
            match counts.iter_mut().find(|(name, _)| *name == category.name) {
                Some((_, sum)) => *sum += count,
                None => counts.push((category.name.clone(), count)),
            }
        }
    }
    let listed = list(&counts);
    let (kept, left_out): (Counts, Counts) =
        counts.into_iter().partition(|(_, count)| *count >= least);
    if kept.is_empty() {
        let least = count(least, "object");
        let message = format!("no class has {least} (min_instances): {listed}");
        return Err(TrialError::Other(message));
    }
    Ok((kept.into_iter().map(|(name, _)| name).collect(), left_out))
}

pub(super) fn list(counts: &[(String, usize)]) -> String {
    let listed: Vec<String> = counts
        .iter()
        .map(|(name, n)| format!("{name} ({n})"))
        .collect();
    listed.join(", ")
}

/// Finds the objects of a picture that the nets can see.
fn see<'c>(
    chosen: &mut Chosen<'c>,
    annotated: &'c AnnotationSet,
    classes: &[String],
    size: (usize, usize),
    drawn: Option<&ShapeCache>,
) -> Result<(), TrialError> {
    let picture = chosen.picture;
    for (place, annotation) in annotated.of_image(chosen.id).enumerate() {
        let category = annotated.category(annotation.category_id);
        let mut names = classes.iter();
        let Some(class) = category.and_then(|own| names.position(|name| *name == own.name)) else {
            continue;
        };
        let draw = || shape(annotation, picture, size);
        let shape = match drawn {
            None => draw()?,
            Some(drawn) => {
                let key = ShapeKey {
                    set: chosen.set,
                    object: (chosen.id, place),
                    sizes: [(picture.height, picture.width), size],
                };
                drawn.shape(key, draw)?
            }
        };
        match shape {
            Some((mask, corners)) => chosen.objects.push(ShownObject {
                annotation,
                class: class + 1,
                corners,
                mask,
            }),
            None => chosen.too_small.push(class + 1),
        }
    }
    Ok(())
}

/// An object as the nets see it, if they do.
fn shape(
    annotation: &Annotation,
    picture: &ThermalPicture,
    (height, width): (usize, usize),
) -> Result<Option<Shape>, TrialError> {
    let mask = shrunk(&mask(annotation, picture)?, height, width)?;
    let corners = mask.bounds().filter(|_| mask.area() >= LEAST_PIXELS);
    Ok(corners.map(|corners| (mask, corners.map(|value| value as f32))))
}

fn mask(annotation: &Annotation, picture: &ThermalPicture) -> Result<InstanceMask, TrialError> {
    annotation
        .mask(picture.height, picture.width)
        .map_err(|error| {
            TrialError::Other(format!(
                "annotation {} of {}: {error}",
                annotation.id, picture.name
            ))
        })
}

/// A mask at another size: pixels of which at least half is inside.
fn shrunk(mask: &InstanceMask, height: usize, width: usize) -> Result<InstanceMask, TrialError> {
    let inside = mask
        .inside()
        .iter()
        .map(|&inside| f32::from(u8::from(inside)));
    let image =
        GrayImage::new(mask.width(), mask.height(), inside.collect()).map_err(TrialError::of)?;
    let share = mean_over(&image, width, height).map_err(TrialError::of)?;
    let inside = share.pixels().iter().map(|&share| share >= 0.5).collect();
    InstanceMask::new(height, width, inside).map_err(TrialError::of)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use retrial_core::params::defaults;
    use retrial_data::{FetchOptions, find_manifest, load};

    use super::super::census::{Found, before};
    use super::super::params::{All, InputKind, PretrainingKind, Split};
    use super::*;

    fn scenes() -> Content {
        let sets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
        let manifest = find_manifest(&sets, "infrared-scenes-smoke").expect("a manifest");
        let cache = tempfile::tempdir().expect("a temporary folder");
        let options = FetchOptions::new(cache.path());
        load(&manifest, &options, &mut |_| ()).expect("generated").0
    }

    fn params(change: fn(&mut All)) -> All {
        let mut params = All::read(&defaults(All::PARAMS)).expect("all there");
        params.pretraining.pretraining = PretrainingKind::Nothing;
        params.pictures.min_instances = 2;
        change(&mut params);
        params
    }

    #[test]
    fn an_object_is_drawn_once_at_a_size() {
        let content = scenes();
        let drawn = ShapeCache::default();
        let shapes = |change: fn(&mut All), drawn| {
            let pictures = params(change).pictures;
            let choice = choose(&pictures, "data", &content, drawn).expect("a choice");
            let seen = choice.pictures.into_iter().flat_map(|own| own.objects);
            seen.map(|own| (own.class, own.mask, own.corners))
                .collect::<Vec<_>>()
        };
        let number = || drawn.0.lock().expect("no thread panicked").len();
        let none: fn(&mut All) = |_| ();
        let first = shapes(none, Some(&drawn));
        let known = number();
        assert!(!first.is_empty() && known >= first.len());
        let frames: fn(&mut All) = |params| params.pictures.split = Split::Frames;
        let few: fn(&mut All) = |params| params.pictures.train_pictures = 5;
        for change in [none, frames, few] {
            assert!(shapes(change, Some(&drawn)) == shapes(change, None));
        }
        assert_eq!(number(), known);
        let small: fn(&mut All) = |params| params.pictures.image_width = 80;
        assert!(shapes(small, Some(&drawn)) == shapes(small, None));
        assert_eq!(number(), 2 * known);
    }

    #[test]
    fn what_was_found_for_other_params_changes_no_census() {
        let content = scenes();
        let mut found = Found::default();
        let changes: [fn(&mut All); 8] = [
            |_| (),
            |params| params.pictures.split = Split::Frames,
            |params| params.pictures.input = InputKind::Temperature,
            |params| {
                params.pictures.input = InputKind::Temperature;
                params.pictures.hottest_c = 900.0;
            },
            |params| {
                params.pictures.input = InputKind::Temperature;
                params.pictures.hottest_c = 25.0;
            },
            |params| params.pictures.train_pictures = 5,
            |params| params.pictures.min_instances = 12,
            |params| params.annotated_masks.mask_annotated_classes = 9,
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let said = |found: &mut Found| {
                let census = before(&params(change), &content, found);
                census.map_err(|error| error.to_string())
            };
            let alone = said(&mut Found::default());
            for _ in 0..2 {
                assert_eq!(said(&mut found), alone, "change {place}");
            }
        }
    }
}
