//! Which pictures of the data are trained on and judged, of which classes, and what is said of
//! that before and after a trial.

use std::collections::HashSet;

use retrial_core::census::Census;
use retrial_core::params::{ParamValue, Params};
use retrial_data::{AnnotationSet, Content, ThermalPicture, ThermalSet};

use super::seen::{Input, grey_levels};
use super::settings::words;
use crate::execute::context::TrialError;

/// Every so-manieth picture is judged.
const EVERY: usize = 4;
/// A picture with fewer grey levels shows next to nothing.
const FEW_LEVELS: usize = 16;

/// What a trial uses of its data.
pub(super) struct Choice<'c> {
    /// The data sets with pictures, each with the annotations of whole pieces of equipment.
    pub(super) sets: Vec<(&'c str, &'c ThermalSet, &'c AnnotationSet)>,
    /// Names of the classes with enough objects, in the order of the data sets.
    pub(super) classes: Vec<String>,
    /// The others, with their objects.
    left_out: Vec<(String, usize)>,
    /// The pictures in the order of the sets and of their names.
    pub(super) pictures: Vec<Chosen<'c>>,
    /// Annotated pictures to train on that `train_pictures` leaves out.
    spared: usize,
    /// Whether the last quarter by name is judged in one of the sets.
    by_name: bool,
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
}

/// The params by which the choice is made, and those by which pictures become grey.
pub(super) const KEYS: &[&str] = &[
    "split",
    "test_presets",
    "least_instances",
    "train_pictures",
    "input",
    "coldest_c",
    "hottest_c",
    "method",
];

fn size(params: &Params, name: &str) -> usize {
    let value = params.get(name).and_then(ParamValue::as_f64);
    value.map_or(0, |value| value as usize)
}

pub(super) fn is(params: &Params, name: &str, word: &str) -> bool {
    matches!(params.get(name), Some(ParamValue::Text(own)) if own == word)
}

/// Chooses pictures and classes.
pub(super) fn choose<'c>(
    params: &Params,
    name: &'c str,
    content: &'c Content,
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
    let (classes, left_out) = classes(&sets, size(params, "least_instances"))?;
    let mut pictures = Vec::new();
    let mut by_name = false;
    for (place, (_, set, annotated)) in sets.iter().enumerate() {
        by_name |= split(params, place, set, annotated, &mut pictures);
    }
    let train = pictures.iter().filter(|chosen| !chosen.judged).count();
    let wanted = size(params, "train_pictures");
    if wanted > train {
        return Err(TrialError::Other(format!(
            "train_pictures asks for {wanted} pictures, the data set has {train} to train on"
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
        return Err(TrialError::Other(format!(
            "{used} pictures to train on and {judged} to judge: both are needed"
        )));
    }
    let choice = Choice {
        sets,
        classes,
        left_out,
        pictures,
        spared: train - used,
        by_name,
    };
    if is(params, "input", "temperature") && choice.with_temperature() == 0 {
        let message =
            "`input` is `temperature`, and no picture has temperatures; use `input: gray`";
        return Err(TrialError::Other(message.to_owned()));
    }
    Ok(choice)
}

/// The contents of a data set of several, with their names.
fn parts<'c>(name: &'c str, content: &'c Content) -> Vec<(&'c str, &'c Content)> {
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

type Counts = Vec<(String, usize)>;

/// Names of the classes with enough objects, in the order of the data sets, and the others.
fn classes(
    sets: &[(&str, &ThermalSet, &AnnotationSet)],
    least: usize,
) -> Result<(Vec<String>, Counts), TrialError> {
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
        let message = format!("no class has {least} objects (least_instances): {listed}");
        return Err(TrialError::Other(message));
    }
    Ok((kept.into_iter().map(|(name, _)| name).collect(), left_out))
}

fn list(counts: &[(String, usize)]) -> String {
    let listed: Vec<String> = counts
        .iter()
        .map(|(name, n)| format!("{name} ({n})"))
        .collect();
    listed.join(", ")
}

/// Adds the annotated pictures of a set in order; whether the last quarter by name is judged.
fn split<'c>(
    params: &Params,
    place: usize,
    set: &'c ThermalSet,
    annotated: &AnnotationSet,
    chosen: &mut Vec<Chosen<'c>>,
) -> bool {
    let mut images: Vec<_> = annotated.images.iter().collect();
    images.sort_by(|a, b| a.file_name.cmp(&b.file_name));
    let by_camera = is(params, "split", "cameras") && annotated.is_photographed();
    let presets = match params.get("test_presets") {
        Some(ParamValue::List(list)) => list.iter().filter_map(ParamValue::as_f64).collect(),
        _ => Vec::new(),
    };
    let last_quarter = images.len() - images.len() / EVERY;
    let judged = |at: usize, preset: Option<&String>| match preset {
        Some(preset) if by_camera => preset.parse().is_ok_and(|preset| presets.contains(&preset)),
        None if by_camera => at >= last_quarter,
        _ => at % EVERY == EVERY - 1,
    };
    let by_name = by_camera && images.iter().any(|image| image.preset.is_none());
    let with_picture = images.iter().enumerate().filter_map(|(at, image)| {
        Some(Chosen {
            set: place,
            picture: set.picture(&image.file_name)?,
            id: image.id,
            judged: judged(at, image.preset.as_ref()),
        })
    });
    chosen.extend(with_picture);
    by_name
}

impl Choice<'_> {
    fn with_temperature(&self) -> usize {
        let pictures = self.pictures.iter();
        pictures
            .filter(|chosen| chosen.picture.temperature.is_some())
            .count()
    }

    /// Objects by class of the pictures that are judged, or trained on: all, and those outlined.
    fn objects(&self, judged: bool) -> Vec<(usize, usize)> {
        let mut counts = vec![(0, 0); self.classes.len()];
        let ids: Vec<HashSet<u64>> = (0..self.sets.len())
            .map(|set| {
                let own = self.pictures.iter();
                let own = own.filter(|c| c.set == set && c.judged == judged);
                own.map(|chosen| chosen.id).collect()
            })
            .collect();
        for ((_, _, annotated), ids) in self.sets.iter().zip(ids) {
            let own = annotated.annotations.iter();
            for object in own.filter(|a| !a.crowd && ids.contains(&a.image_id)) {
                let name = annotated.category(object.category_id).map(|c| &c.name);
                let class = self.classes.iter().position(|class| Some(class) == name);
                if let Some((all, outlined)) = class.map(|class| &mut counts[class]) {
                    *all += 1;
                    *outlined += usize::from(object.is_outlined());
                }
            }
        }
        counts
    }

    /// What is used, what is left out and why.
    pub(super) fn census(&self, params: &Params) -> Result<Census, TrialError> {
        let mut census = Census::default();
        for (what, judged) in [("trained on", false), ("judged", true)] {
            let counts = self.objects(judged);
            let all: Counts = self
                .classes
                .iter()
                .cloned()
                .zip(counts.iter().map(|(all, _)| *all))
                .collect();
            let pictures = self.pictures.iter().filter(|c| c.judged == judged).count();
            census.fact(format!("{what}: {pictures} pictures with {}", list(&all)));
            let (objects, outlined) = counts
                .iter()
                .fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
            if outlined < objects {
                census.warn(format!(
                    "{what}: {} of {objects} objects have a box only; no mask is learnt from or judged by them",
                    objects - outlined
                ));
            }
            if outlined == 0 && !judged && is(params, "method", "mask_rcnn") {
                census.warn("no object to train on is outlined, so no mask can be learnt");
            }
            let none = all.iter().filter(|(_, count)| *count == 0);
            for (class, _) in none {
                let why = match self.by_name {
                    true => {
                        "; without camera presets, `split: cameras` judges the last quarter by file \
                         name, and `split: frames` every fourth picture"
                    }
                    false => "",
                };
                census.warn(format!("no object of `{class}` is {what}{why}"));
            }
        }
        if self.by_name {
            census.fact("the last quarter by file name is judged (`split: cameras`, no presets)");
        }
        if self.spared > 0 {
            census.fact(format!(
                "{} pictures to train on are left out by train_pictures",
                self.spared
            ));
        }
        if !self.left_out.is_empty() {
            census.warn(format!(
                "left out, with fewer objects than least_instances {}: {}; they count as background",
                size(params, "least_instances"),
                list(&self.left_out)
            ));
        }
        let (some, all) = (self.with_temperature(), self.pictures.len());
        if is(params, "input", "temperature") && some < all {
            census.warn(format!(
                "{} of {all} pictures have no temperatures; their grey values are seen",
                all - some
            ));
        }
        self.warn_of_few_levels(params, &mut census)?;
        Ok(census)
    }

    fn warn_of_few_levels(&self, params: &Params, census: &mut Census) -> Result<(), TrialError> {
        let input = Input::new(params)?;
        let mut few: Vec<(usize, &str)> = Vec::new();
        for chosen in &self.pictures {
            let range = self.sets[chosen.set].1.grey_range();
            let levels = grey_levels(&input.seen(chosen.picture, range), FEW_LEVELS);
            if levels < FEW_LEVELS {
                few.push((levels, &chosen.picture.name));
            }
        }
        if let Some((levels, name)) = few.iter().min() {
            census.warn(format!(
                "{} of {} pictures show fewer than {FEW_LEVELS} grey levels, {name} {levels}; state \
                 a narrower `grey_range`, or `coldest_c` and `hottest_c`",
                few.len(),
                self.pictures.len()
            ));
        }
        Ok(())
    }
}

/// What is said of data before a trial.
pub(super) fn census(params: &Params, content: &Content) -> Result<Census, TrialError> {
    let choice = choose(params, "data", content)?;
    let mut census = content.census();
    let own = choice.census(params).map_err(words)?;
    census.facts.extend(own.facts);
    census.warnings.extend(own.warnings);
    Ok(census)
}
