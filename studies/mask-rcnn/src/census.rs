//! What is said of the data of a trial, before it and in its record; and what no trial can use.

use std::collections::HashMap;

use retrial_core::census::{Census, count};
use retrial_core::declare::ParamGroup as _;
use retrial_data::Content;
use retrial_runner::TrialError;

use super::choose::{Choice, Chosen, Counts, LEAST_PIXELS, ShapeCache, choose, list, parts};
use super::items::MOST_PARTS;
use super::params::{
    All, AnnotatedMasks, Course, InputKind, Method, Pictures, Pretraining, PretrainingKind,
};
use super::{imagenet, pretrain, values};

/// The params on which it depends.
pub(super) const KEYS: &[&str] = &[
    Pictures::split,
    Pictures::test_presets,
    Pictures::min_instances,
    Pictures::train_pictures,
    Pictures::image_width,
    Pictures::image_height,
    Pictures::input,
    Pictures::coldest_c,
    Pictures::hottest_c,
    Course::method,
    Course::mask_training,
    AnnotatedMasks::box_only_class,
    AnnotatedMasks::mask_annotated_classes,
    Course::parts,
    Pretraining::pretraining,
];

/// What was found of a content for other params: most trials look at the same objects and values.
#[derive(Default)]
pub(super) struct Found {
    drawn: ShapeCache,
    /// By the values of [`values::KEYS`].
    values: HashMap<Vec<String>, Vec<String>>,
}

/// What is said of data before a trial.
pub(super) fn before(
    params: &All,
    content: &Content,
    found: &mut Found,
) -> Result<Census, TrialError> {
    let pictures = &params.pictures;
    let choice = choose(pictures, "data", content, Some(&found.drawn))?;
    of(params, content, &choice, || {
        let pairs = pictures.pairs().into_iter();
        let pairs = pairs.filter(|(key, _)| values::KEYS.contains(key));
        let key = pairs.map(|(_, value)| value.to_string()).collect();
        let known = found.values.entry(key);
        let warnings = known.or_insert_with(|| values::warnings(pictures, &choice));
        warnings.clone()
    })
}

/// What is there, what is used, what is left out and why; `values` gives what is said of values.
///
/// # Errors
/// Where a trial could not learn or would judge nothing.
pub(super) fn of(
    params: &All,
    content: &Content,
    choice: &Choice<'_>,
    values: impl FnOnce() -> Vec<String>,
) -> Result<Census, TrialError> {
    let mut census = content.census();
    let sides = [Side::new(choice, false), Side::new(choice, true)];
    if let Some(why) = refusal(params, content, choice, &sides) {
        return Err(TrialError::Other(why));
    }
    for side in &sides {
        side.say(params.course.method, choice, &mut census);
    }
    too_small(choice, &sides, &mut census);
    if choice.by_name {
        census.fact("the last quarter by file name is judged (`split: cameras`, no presets)");
    }
    if let Some(idle) = choice.presets.idle() {
        census.warn(idle);
    }
    if choice.spared > 0 {
        census.fact(format!(
            "left out by train_pictures: {} to train on",
            count(choice.spared, "picture")
        ));
    }
    if !choice.left_out.is_empty() {
        census.warn(format!(
            "left out, with fewer objects than min_instances {}: {}; they count as background",
            params.pictures.min_instances,
            list(&choice.left_out)
        ));
    }
    let (some, all) = (with_temperature(choice), choice.pictures.len());
    if params.pictures.input == InputKind::Temperature && some < all {
        census.warn(format!(
            "no temperatures are known of {} of {}; their grey values are seen",
            all - some,
            count(all, "picture")
        ));
    }
    census.warnings.extend(values());
    Ok(census)
}

fn with_temperature(choice: &Choice<'_>) -> usize {
    let pictures = choice.pictures.iter();
    pictures
        .filter(|chosen| chosen.picture.temperature.is_some())
        .count()
}

/// The pictures that are trained on, or those that are judged.
struct Side<'c> {
    what: &'static str,
    judged: bool,
    pictures: Vec<&'c Chosen<'c>>,
    /// Objects by class: all, and those outlined.
    objects: Vec<(usize, usize)>,
}

impl<'c> Side<'c> {
    fn new(choice: &'c Choice<'c>, judged: bool) -> Self {
        let pictures = choice.pictures.iter().filter(|own| own.judged == judged);
        let pictures: Vec<_> = pictures.collect();
        let mut objects = vec![(0, 0); choice.classes.len()];
        let seen = pictures.iter().flat_map(|chosen| &chosen.objects);
        for object in seen.filter(|object| !object.annotation.crowd) {
            let (all, outlined) = &mut objects[object.class - 1];
            *all += 1;
            *outlined += usize::from(object.annotation.is_outlined());
        }
        Self {
            what: if judged { "judged" } else { "trained on" },
            judged,
            pictures,
            objects,
        }
    }

    fn all(&self) -> usize {
        self.objects.iter().map(|own| own.0).sum()
    }

    fn outlined(&self) -> usize {
        self.objects.iter().map(|own| own.1).sum()
    }

    fn say(&self, method: Method, choice: &Choice<'_>, census: &mut Census) {
        let what = self.what;
        let counts = self.objects.iter().map(|own| own.0);
        let counts: Counts = choice.classes.iter().cloned().zip(counts).collect();
        let pictures = count(self.pictures.len(), "picture");
        census.fact(format!("{what}: {pictures} with {}", list(&counts)));
        let (objects, outlined) = (self.all(), self.outlined());
        if outlined < objects {
            census.warn(format!(
                "{what}: a box only is known of {} of {}; no mask is learnt from or judged by them",
                objects - outlined,
                count(objects, "object")
            ));
        }
        if outlined == 0 && !self.judged && method == Method::MaskRcnn {
            census.warn("no object to train on is outlined, so no mask can be learnt");
        }
        for (at, (class, number)) in counts.iter().enumerate() {
            if *number == 0 && !all_too_small(choice, at + 1) {
                census.warn(format!("no object of `{class}` is {what}{}", why(choice)));
            }
        }
    }
}

/// Why a class may be missing on one side.
fn why(choice: &Choice<'_>) -> String {
    match choice.by_name {
        true => "; without camera presets, `split: cameras` judges the last quarter by file name, \
                 and `split: frames` every fourth picture"
            .to_owned(),
        false => choice.presets.why(),
    }
}

/// Whether a class, from 1, has objects and none that is seen.
fn all_too_small(choice: &Choice<'_>, class: usize) -> bool {
    let mut pictures = choice.pictures.iter();
    let seen = pictures.any(|own| own.objects.iter().any(|object| object.class == class));
    !seen && count_too_small(choice, class) > 0
}

fn count_too_small(choice: &Choice<'_>, class: usize) -> usize {
    let small = choice.pictures.iter().flat_map(|own| &own.too_small);
    small.filter(|own| **own == class).count()
}

/// Objects that shrink to next to nothing.
fn too_small(choice: &Choice<'_>, sides: &[Side<'_>; 2], census: &mut Census) {
    let small = |class: usize| count_too_small(choice, class);
    let counts = choice.classes.iter().enumerate();
    let counts = counts.map(|(at, name)| (name.clone(), small(at + 1)));
    let counts: Counts = counts.filter(|own| own.1 > 0).collect();
    let sum: usize = counts.iter().map(|own| own.1).sum();
    if sum == 0 {
        return;
    }
    let (height, width) = choice.size;
    let all = sum + sides[0].all() + sides[1].all();
    census.warn(format!(
        "left out, with fewer than {LEAST_PIXELS} pixels at {width} × {height} px: {sum} of {}: {}",
        count(all, "object"),
        list(&counts)
    ));
    for (at, class) in choice.classes.iter().enumerate() {
        if all_too_small(choice, at + 1) {
            census.warn(format!(
                "no object of `{class}` is left: the class is neither learnt nor judged; look at \
                 its outlines, or raise image_width and image_height"
            ));
        }
    }
}

/// Why a trial cannot be, in words.
fn refusal(
    params: &All,
    content: &Content,
    choice: &Choice<'_>,
    [train, test]: &[Side<'_>; 2],
) -> Option<String> {
    if params.pictures.input == InputKind::Temperature && with_temperature(choice) == 0 {
        let message =
            "`input` is `temperature`, and no picture has temperatures; use `input: gray`";
        return Some(message.to_owned());
    }
    let small: usize = choice.pictures.iter().map(|own| own.too_small.len()).sum();
    let small = match small {
        0 => String::new(),
        small => format!(
            " ({} of fewer than {LEAST_PIXELS} pixels left out)",
            count(small, "object")
        ),
    };
    if let Some(side) = [train, test].into_iter().find(|side| side.all() == 0) {
        return Some(format!(
            "no object of {} is {}: {} without one{small}{}",
            choice.classes.join(", "),
            side.what,
            count(side.pictures.len(), "picture"),
            why(choice)
        ));
    }
    if train.outlined() == 0 {
        let boxes = count(train.all(), "object");
        let learns = match params.course.method {
            Method::Classical => Some("method `classical` learns"),
            Method::MaskRcnn | Method::FasterRcnn => params
                .learns_masks_alone()
                .then_some("mask_training `stage_wise` learns masks"),
        };
        if let Some(learns) = learns {
            return Some(format!(
                "{learns} from outlines, and of {boxes} to train on a box only is known; outline \
                 them, or use `method: faster_rcnn` with `mask_training: end_to_end`"
            ));
        }
    }
    classes_refused(&params.annotated_masks, choice)
        .or_else(|| parts_refused(params.course.parts, train))
        .or_else(|| pretraining_refused(params, content))
}

fn classes_refused(params: &AnnotatedMasks, choice: &Choice<'_>) -> Option<String> {
    let classes = choice.classes.len();
    let wanted = [
        (AnnotatedMasks::box_only_class, params.box_only_class),
        (
            AnnotatedMasks::mask_annotated_classes,
            params.mask_annotated_classes,
        ),
    ];
    let (key, wanted) = wanted.into_iter().find(|(_, wanted)| *wanted > classes)?;
    Some(format!(
        "{key} is {wanted}, the data set has {}: {}",
        count(classes, "class"),
        choice.classes.join(", ")
    ))
}

fn parts_refused(wanted: bool, train: &Side<'_>) -> Option<String> {
    let mut objects = train.pictures.iter().flat_map(|own| &own.objects);
    let labelled = objects.any(|object| {
        let mut parts = object.annotation.parts.iter();
        parts.any(|part| (part.part as usize) < MOST_PARTS)
    });
    (wanted && !labelled)
        .then(|| "parts is true, but no object to train on has labelled parts".to_owned())
}

/// What pretraining needs and the data lack. A check before the trial leaves large source domains
/// aside, so of several data sets only the trial itself knows whether there is one.
fn pretraining_refused(params: &All, content: &Content) -> Option<String> {
    if params.course.method == Method::Classical {
        return None;
    }
    match params.pretraining.pretraining {
        PretrainingKind::Nothing => None,
        PretrainingKind::Imagenet => {
            let mut contents = parts("", content).into_iter();
            let there = contents.any(|(_, part)| matches!(part, Content::Weights(_)));
            (!there).then(|| imagenet::NO_WEIGHTS.to_owned())
        }
        PretrainingKind::Uniform | PretrainingKind::Similarity => {
            let unknown = matches!(content, Content::Several(_));
            (!unknown).then(|| pretrain::NO_SOURCE.to_owned())
        }
    }
}
